//! `central risk`: what screening decides by, and proof of what it has decided. Officers say who they are: a policy takes two of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{ImportList, approve, put_list, put_policy, replay, reveal};
use crate::clock::Clock;
use crate::config::Config;
use crate::officers::{Deed, Role, verify_password};
use crate::storage::{Noted, Store};

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum RiskCommand {
    /// The model that scores declarations.
    #[command(flatten)]
    Model(risk::command::Risk),
    /// Store a watch list; prints the digest by which a policy names it.
    #[command(after_help = "Example (the officer's password on standard input):
  central risk list wanted.json wanted.csv --officer chan --config central.toml < password
with wanted.json:
  {\"list\": \"wanted\", \"version\": 1, \"kind\": \"companies\", \"measure\": \"inspect\", \"source\": \"liaison office\",
   \"confidentiality\": \"selectors\", \"matching\": [\"exact\", \"normalised\", \"phonetic\", \"fuzzy\"]}
and wanted.csv: entry,name,from,until,measure,source")]
    List {
        /// What the list is, JSON.
        header: PathBuf,
        /// Its entries, CSV.
        entries: PathBuf,
        /// Who acts.
        #[command(flatten)]
        officer: Officer,
    },
    /// Draw up a policy; prints its version. It is in force when another officer approves it.
    #[command(after_help = "Example (the officer's password on standard input):
  central risk policy policy.json --officer chan --config central.toml < password")]
    Policy {
        /// Lists, rules, thresholds, shares, quotas, capacities: JSON.
        file: PathBuf,
        /// Who acts.
        #[command(flatten)]
        officer: Officer,
    },
    /// Approve a policy that another officer has drawn up: it is in force from now on.
    #[command(after_help = "Example (the officer's password on standard input):
  central risk approve 3 --officer wong --config central.toml < password")]
    Approve {
        /// Its version.
        version: u32,
        /// Who acts.
        #[command(flatten)]
        officer: Officer,
    },
    /// The latest policies: version, who has drawn it up, who has approved it.
    Policies,
    /// Make every decision that is kept once more, and compare. Exits with 1 when one differs.
    #[command(after_help = "Example:
  central risk replay --config central.toml")]
    Replay,
    /// Print the key of a day that is over: with it everybody can verify the day's draws against the commitment in the audit.
    #[command(after_help = "Example:
  central risk reveal 2026-11-27 --config central.toml")]
    Reveal {
        /// The day.
        day: Date,
    },
}

/// Who acts; the password comes on standard input.
#[derive(Debug, Args)]
pub struct Officer {
    /// A selector or an admin.
    #[arg(long, value_name = "NAME")]
    officer: String,
}

impl Officer {
    /// Check the password.
    async fn name(&self, store: &Store, now: clearance::ids::UtcMillis) -> anyhow::Result<&str> {
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password)?;
        let row = store.officer(&self.officer).await?.filter(|row| !row.disabled());
        let hash = row.as_ref().map(|row| row.password.as_str());
        if !verify_password(password.trim_end_matches(['\r', '\n']), hash) {
            store.audit(now, &self.officer, &Noted::SignInFailed, "").await?;
            bail!(
                "{}: wrong password, or no such officer; give the password on standard input",
                self.officer
            );
        }
        let role: Option<Role> = row.and_then(|row| row.role.parse().ok());
        ensure!(
            role.is_some_and(|role| role.may(Deed::AssignAction)),
            "{}: does not assign action codes; a selector or an admin does this",
            self.officer
        );
        Ok(&self.officer)
    }
}

/// Do it; gives whether all is well.
#[expect(clippy::print_stdout, reason = "the command's answer")]
pub async fn run(
    command: &RiskCommand,
    config: &Config,
    store: &Store,
    clock: &Clock,
) -> anyhow::Result<bool> {
    let (place, now) = (config.place()?, clock.now());
    match command {
        RiskCommand::Model(_) => bail!("this needs no store"),
        RiskCommand::List { header, entries, officer } => {
            let header = json(header)?;
            let file = std::fs::read(entries).with_context(|| entries.display().to_string())?;
            let by = officer.name(store, now).await?;
            let list = ImportList { header, file };
            let digest = put_list(store, &place.zone, list, by, now)
                .await
                .with_context(|| format!("{}: the list is not taken", entries.display()))?;
            println!("{digest}");
        }
        RiskCommand::Policy { file, officer } => {
            let policy = json(file)?;
            let by = officer.name(store, now).await?;
            let version = put_policy(store, &place.zone, policy, by, now).await.with_context(|| {
                format!("{}: the policy is not taken, the one in force goes on", file.display())
            })?;
            println!("{version}");
        }
        RiskCommand::Approve { version, officer } => {
            let by = officer.name(store, now).await?;
            approve(store, *version, by, now).await?;
        }
        RiskCommand::Policies => {
            for row in store.policies(20).await? {
                let approved = row.approved_by.as_deref().unwrap_or("nobody yet");
                println!("{}\t{}\tby {}\tapproved by {approved}", row.version(), row.digest, row.put_by);
            }
        }
        RiskCommand::Replay => {
            let replayed = replay(store, &place).await?;
            for other in &replayed.others {
                println!("{other}");
            }
            println!("{} decided again the same, {} not", replayed.same, replayed.others.len());
            return Ok(replayed.others.is_empty());
        }
        RiskCommand::Reveal { day } => {
            ensure!(*day < place.day(now), "{day} is not over yet: until then nobody sees its key");
            println!("{}", reveal(store, &config.vault()?, *day).await?);
        }
    }
    Ok(true)
}

/// Read a JSON file; what is wrong in it is told with its place.
fn json<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut reader).with_context(|| path.display().to_string())
}
