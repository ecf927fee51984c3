//! `central risk`: what screening decides by, and proof of what it has decided. Officers say who they are: a policy takes two of them.

use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use clearance::ids::Digest;
use jiff::civil::Date;

use super::{
    ImportList, Typed, Verified, approve, put_list, put_policy, replay, reveal, tell, typed, verify_all,
};
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
    /// Draw up a policy; prints its version, and on standard error what those of its rules would have done to the movements that are kept
    /// that no dossier of the console has in force and that are not in force by the policy before. It is in force when another officer
    /// approves it.
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
    #[command(after_help = "Examples (the officer's password on standard input):
  central risk approve 3 --officer wong --config central.toml < password
  central risk approve 3 --seen --officer wong --config central.toml < password
Where it has rules that nobody has simulated, it is only told what they would have done; the second form approves.")]
    Approve {
        /// Its version.
        version: u32,
        /// You have seen what its rules would have done that nobody has simulated.
        #[arg(long)]
        seen: bool,
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
    /// Print the key of a day that is over: with it everybody can verify the day's draws against the commitment.
    #[command(after_help = "Example:
  central risk reveal 2026-11-27 --config central.toml
A day is over when nothing that was expected on it can cross any more (validity_days of the place).")]
    Reveal {
        /// The day.
        day: Date,
    },
    /// Write every draw of a day that is over, JSON lines: commitment and key, and of each draw the vehicle, how often it had passed,
    /// ticket, shares, and what it was drawn for. For auditors: it names vehicles.
    #[command(after_help = "Examples:
  central risk draws --day 2026-11-27 --out draws.jsonl --config central.toml
  central risk verify draws.jsonl
A day is over when nothing that was expected on it can cross any more (validity_days of the place).")]
    Draws {
        /// The day.
        #[arg(long)]
        day: Date,
        /// Where to write them; left out: standard output.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Make every draw of such a file again and name the first line that does not come out; needs neither central nor its database.
    /// Compare the commitment that it prints with the one that was published before the day (GET /api/v1/draws).
    #[command(after_help = "Example:
  central risk verify draws.jsonl")]
    Verify {
        /// The file.
        file: PathBuf,
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
            show_typed(&typed(store, version, now).await?);
            println!("{version}");
        }
        RiskCommand::Approve { version, seen, officer } => {
            let by = officer.name(store, now).await?;
            let typed = typed(store, *version, now).await?;
            show_typed(&typed);
            ensure!(
                *seen || typed.is_empty(),
                "nobody has simulated these rules: look at what they would have done, and approve with --seen"
            );
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
            let key = reveal(store, &config.vault()?, (&place, now), *day).await?;
            println!("{}", Digest(*key.reveal()));
        }
        RiskCommand::Draws { day, out: None } => {
            tell(store, &config.vault()?, (&place, now), *day, &mut std::io::stdout()).await?;
        }
        RiskCommand::Draws { day, out: Some(path) } => {
            let file = std::fs::File::create_new(path).with_context(|| path.display().to_string())?;
            let mut file = BufWriter::new(file);
            let draws = tell(store, &config.vault()?, (&place, now), *day, &mut file).await?;
            file.flush()?;
            println!("{draws} draws of {day}: {}", path.display());
        }
        RiskCommand::Verify { file } => return verify_file(file),
    }
    Ok(true)
}

/// Tell what rules would have done that nobody has simulated; the command's answer is another matter.
#[expect(clippy::print_stderr, reason = "told beside the command's answer")]
fn show_typed(typed: &[Typed]) {
    for typed in typed {
        eprintln!("{typed}");
    }
}

/// Make the draws of a file again; gives whether all come out.
#[expect(clippy::print_stdout, reason = "the command's answer")]
pub fn verify_file(path: &Path) -> anyhow::Result<bool> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    match verify_all(BufReader::new(file)) {
        Ok(Verified { commitment, draws }) => {
            println!(
                "{draws} draws of {} come out of the key that was committed to by {}",
                commitment.day, commitment.digest
            );
            Ok(true)
        }
        Err(error) => {
            println!("{}: {error}", path.display());
            Ok(false)
        }
    }
}

/// Read a JSON file; what is wrong in it is told with its place.
fn json<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut reader).with_context(|| path.display().to_string())
}
