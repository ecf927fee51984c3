//! The command `central`.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use central::clock::Clock;
use central::config::Config;
use central::link::overheard::{Heard, overhear};
use central::officers::{Role, hash_password, new_token, token_hash};
use central::people::{self, Login};
use central::portal::Portal;
use central::router::{self, RouterConfig};
use central::screening::command::{RiskCommand, verify_file};
use central::storage::check::check;
use central::storage::{Anchor, COMMAND_LINE, EpochReason, Noted, Store, bring_back};
use central::systems::{ClientName, CodeHash};
use central::trade::TraderId;
use central::{Central, ca, keys};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clearance::ids::{EdgeId, OfficerId, SiteId};
use clearance::transport::{LINK_THREADS, Party};
use tokio::sync::mpsc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// Takes declarations, assigns action codes, sends them signed to the lanes, takes passages, gives officers a console.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  central keygen --out central.key
  central --check-config --config central.toml
  echo 'a long password' | central officer add chan --role officer --config central.toml
  central token create risk-engine --role selector --config central.toml
  central ca init --folder ca
  central run --config central.toml
  central fsck --config central.toml"
)]
struct Cli {
    /// How to write the log.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Only check the configuration.
    #[arg(long, global = true)]
    check_config: bool,
    /// The configuration; deploy/central.toml documents every key.
    #[arg(long, default_value = "central.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run central.
    #[command(after_help = "Examples:
  central run --config central.toml
  central run --print-addresses --log-format json")]
    Run {
        /// Print the addresses it listens on as a JSON line.
        #[arg(long)]
        print_addresses: bool,
    },
    /// Make the signing key; prints its public half, which goes into the edges' configuration.
    #[command(after_help = "Example:
  central keygen --out central.key")]
    Keygen {
        /// Where to write it; never over an old one.
        #[arg(long)]
        out: PathBuf,
    },
    /// Officers' accounts.
    #[command(after_help = "Example:
  echo 'a long password' | central officer add chan --role officer --config central.toml")]
    Officer {
        #[command(subcommand)]
        command: OfficerCommand,
    },
    /// Clients' tokens.
    #[command(after_help = "Example:
  central token create risk-engine --role selector --config central.toml")]
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// The trade's systems that sign in with certificates.
    #[command(after_help = "Example:
  central client enrol acme-erp --trader acme --config central.toml")]
    Client {
        #[command(subcommand)]
        command: ClientCommand,
    },
    /// People of the trade who use the portal.
    #[command(after_help = "Example:
  central person invite chan --trader acme --config central.toml")]
    Person {
        #[command(subcommand)]
        command: PersonCommand,
    },
    /// What screening decides by, what it has decided, and the model that scores.
    #[command(after_help = "Examples:
  central risk policies --config central.toml
  central risk replay --config central.toml
  central risk draws --day 2026-11-27 --out draws.jsonl --config central.toml
  central risk verify draws.jsonl
  central risk train --data outcomes --out work/risk/risk-2")]
    Risk {
        #[command(subcommand)]
        command: RiskCommand,
    },
    /// The history of the log that lanes follow.
    #[command(
        after_help = "Example (after the database was brought back from a copy, before central runs again):
  central epoch begin --reason restored --config central.toml"
    )]
    Epoch {
        #[command(subcommand)]
        command: EpochCommand,
    },
    /// The key that signs what goes to the lanes.
    #[command(after_help = "Example (while central does not run):
  central keys rotate --config central.toml")]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// The authority that issues certificates to edges, routers and central.
    #[command(after_help = "Example:
  central ca init --folder ca")]
    Ca {
        #[command(subcommand)]
        command: CaCommand,
    },
    /// Run a router at a site: it carries what the site's edges and central send each other, and holds no signing key.
    #[command(after_help = "Examples:
  central router --config router.toml
  central router --check-config --config router.toml")]
    Router,
    /// Check everything that central keeps: the database, the signed log, passages, pictures, orders, the trade's people, who is
    /// told; and, where `secrets_file` is there, that it opens what is sealed. Changes nothing, and may run beside a running central. Exits with 0 when all is sound, 1 with findings, 2 when it cannot check.
    #[command(after_help = "Examples:
  central fsck --config central.toml
  central fsck --config central.toml --json | jq -r 'select(.check) | [.check, .place] | @tsv'")]
    Fsck {
        /// One JSON object a line: each finding, then the summary.
        #[arg(long)]
        json: bool,
    },
    /// Copy the whole database, while central goes on. Beside the copy lies its manifest, FILE.json. The signing key and the
    /// officers' corrections are not in it: copy those by themselves.
    #[command(after_help = "Example:
  central backup --out /backup/central-2026-11-26.copy --config central.toml")]
    Backup {
        /// Where to write it; never over an old one.
        #[arg(long)]
        out: PathBuf,
    },
    /// Bring a copy back into a database that is not there or empty, and begin a new history for the lanes.
    #[command(after_help = "Example (while central does not run):
  central restore --from /backup/central-2026-11-26.copy --config central.toml")]
    Restore {
        /// The copy, with its manifest beside it.
        #[arg(long)]
        from: PathBuf,
    },
    /// Who did what: a chain of lines, each bound to those before it.
    #[command(after_help = "Examples:
  central audit verify --config central.toml
  central audit anchor --config central.toml > anchor.json   (keep it elsewhere)
  central audit verify --anchor anchor.json --config central.toml")]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print the OpenAPI description.
    #[command(after_help = "Example:
  central openapi > openapi.json")]
    Openapi,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Follow the chain from its first line to its last. Exits with 1 where it is broken, 2 when it cannot be read.
    #[command(after_help = "Example:
  central audit verify --anchor anchor.json --config central.toml")]
    Verify {
        /// An anchor of before: what was there then must be there still, as it was.
        #[arg(long)]
        anchor: Option<PathBuf>,
    },
    /// Print where the chain ends now, as JSON. Kept elsewhere, it shows later whether the audit was written anew.
    #[command(after_help = "Example:
  central audit anchor --config central.toml > anchor.json")]
    Anchor,
}

#[derive(Subcommand)]
enum EpochCommand {
    /// Begin a new history. Edges that have seen more than this database holds are quarantined until an officer accepts it
    /// for them in the console.
    #[command(after_help = "Example:
  central epoch begin --reason restored --config central.toml")]
    Begin {
        /// Why.
        #[arg(long, value_enum)]
        reason: BeginReason,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum BeginReason {
    /// The database was brought back from a copy.
    Restored,
    /// Another central took over.
    Failover,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Replace the signing key: the old one signs the new one over, and lanes follow by themselves.
    #[command(after_help = "Example:
  central keys rotate --config central.toml")]
    Rotate,
}

#[derive(Subcommand)]
enum OfficerCommand {
    /// Add an officer, or change role and password; the password comes on standard input.
    #[command(after_help = "Examples:
  echo 'a long password' | central officer add chan --role officer --config central.toml
  central officer add wong --role admin --config central.toml < password.txt")]
    Add {
        /// Sign-in name.
        name: OfficerId,
        /// officer, selector, supervisor, inspector, engineer or admin.
        #[arg(long)]
        role: Role,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token for a client's system; prints it once.
    #[command(after_help = "Examples:
  central token create acme-erp --role trade --trader acme --config central.toml
  central token create risk-engine --role selector --config central.toml")]
    Create {
        /// The client's name.
        name: String,
        /// trade or selector.
        #[arg(long)]
        role: Role,
        /// Company that a client of the trade acts for; made if there is none. Default: the client's own name.
        #[arg(long)]
        trader: Option<String>,
        /// A company made now is for training: nothing of it reaches a lane.
        #[arg(long)]
        sandbox: bool,
    },
}

#[derive(Subcommand)]
enum ClientCommand {
    /// Let a system ask for a certificate: prints a code that is good once and for 24 hours.
    #[command(after_help = "Example:
  central client enrol acme-erp --trader acme --config central.toml")]
    Enrol {
        /// The system's name.
        name: ClientName,
        /// Company that it acts for; made if there is none.
        #[arg(long)]
        trader: TraderId,
        /// A company made now is for training: nothing of it reaches a lane.
        #[arg(long)]
        sandbox: bool,
    },
}

#[derive(Subcommand)]
enum PersonCommand {
    /// Invite somebody, or let them choose password and authenticator app anew: prints a link that is good once and for 24 hours.
    #[command(after_help = "Examples:
  central person invite chan --trader acme --config central.toml
  central person invite learner --trader acme-training --sandbox --config central.toml")]
    Invite {
        /// Their sign-in name.
        login: Login,
        /// Their company; made if there is none.
        #[arg(long)]
        trader: TraderId,
        /// A company made now is for training: nothing of it reaches a lane.
        #[arg(long)]
        sandbox: bool,
    },
}

#[derive(Subcommand)]
enum CaCommand {
    /// Make an authority: ca.pem for everybody, ca.key to keep. Prints the path of ca.pem.
    #[command(after_help = "Example:
  central ca init --folder ca")]
    Init {
        /// Where; never over an old one.
        #[arg(long)]
        folder: PathBuf,
        /// Days for which it is good.
        #[arg(long, default_value_t = ca::AUTHORITY_DAYS)]
        days: u32,
    },
    /// Issue a certificate and its key; prints their paths.
    #[command(after_help = "Examples:
  central ca issue edge --site lok-ma-chau --edge edge-1 --folder ca --out edge-1
  central ca issue router --site lok-ma-chau --host router-a.lok-ma-chau.example --folder ca --out router-a
  central ca issue central --host central.example --host 10.0.0.1 --folder ca --out central
  central ca issue edge --site lok-ma-chau --edge edge-1 --hours 2 --folder ca --out trial")]
    Issue {
        #[command(subcommand)]
        whom: Whom,
        /// The authority's folder.
        #[arg(long, global = true, default_value = "ca")]
        folder: PathBuf,
        /// Where to write; never over old ones. Default: the authority's folder.
        #[arg(long, global = true)]
        out: Option<PathBuf>,
        #[command(flatten)]
        lasts: Lasts,
    },
}

/// For how long a certificate is good.
#[derive(Args)]
struct Lasts {
    /// Days for which it is good.
    #[arg(long, global = true, default_value_t = ca::DAYS)]
    days: u32,
    /// Hours instead, for tests and laboratories.
    #[arg(long, global = true, conflicts_with_all = ["days", "minutes"])]
    hours: Option<u32>,
    /// Minutes instead, for tests and laboratories.
    #[arg(long, global = true, conflicts_with = "days")]
    minutes: Option<u32>,
}

impl Lasts {
    fn duration(&self) -> Duration {
        match (self.hours, self.minutes) {
            (Some(hours), _) => Duration::from_hours(hours.into()),
            (None, Some(minutes)) => Duration::from_mins(minutes.into()),
            (None, None) => ca::days(self.days),
        }
    }
}

#[derive(Subcommand)]
enum Whom {
    /// To an edge node of a site.
    Edge {
        /// The control point.
        #[arg(long)]
        site: SiteId,
        /// The node, as central's configuration names it.
        #[arg(long)]
        edge: EdgeId,
    },
    /// To a router of a site.
    Router {
        /// The control point.
        #[arg(long)]
        site: SiteId,
        /// Name or address under which edges connect to it; can be repeated.
        #[arg(long = "host", required = true)]
        hosts: Vec<String>,
    },
    /// To central.
    Central {
        /// Name or address under which edges and routers connect to it; can be repeated.
        #[arg(long = "host", required = true)]
        hosts: Vec<String>,
    },
}

/// Begin again with [`LINK_THREADS`], unless somebody has said otherwise. Returns only if it is so already, or cannot be.
fn on_one_thread() {
    let (name, threads) = LINK_THREADS;
    if std::env::var_os(name).is_some() {
        return;
    }
    let Ok(own) = std::env::current_exe() else { return };
    let mut again = std::process::Command::new(own);
    let mut words = std::env::args_os();
    if let Some(called) = words.next() {
        again.arg0(called);
    }
    let error = again.args(words).env(name, threads).exec();
    eprintln!("central: {name} cannot be set: {error}; set it to '{threads}' before the start");
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Some(Command::Run { .. } | Command::Router)) {
        on_one_thread();
    }
    // What the TLS link refuses is overheard and told in our words.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,zenoh=warn,zenoh_transport=error,zenoh_link_tls=error"));
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = match cli.log_format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let (overhear, heard) = overhear();
    tracing_subscriber::registry().with(log.with_filter(filter)).with(overhear).init();
    run(&cli, heard).unwrap_or_else(|error| {
        eprintln!("central: {error:#}");
        // Of fsck and audit, 1 says that something was found.
        if matches!(cli.command, Some(Command::Fsck { .. } | Command::Audit { .. })) {
            ExitCode::from(2)
        } else {
            ExitCode::FAILURE
        }
    })
}

fn risk(config: &Path, command: &RiskCommand) -> anyhow::Result<ExitCode> {
    let read = Config::load(config)?;
    let fine = runtime()?.block_on(async {
        let store = open_store(config).await?;
        central::screening::command::run(command, &read, &store, &Clock::system()).await
    })?;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn fsck(config: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let signer = keys::load(&config.key_file)?;
    let database = central::database(&config);
    let vault = config.vault_of_before()?;
    let report = runtime()?.block_on(check(&database, &signer, vault.as_ref()))?;
    for line in report.lines(database.label(), json)? {
        println!("{line}");
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn run(cli: &Cli, heard: mpsc::Receiver<Heard>) -> anyhow::Result<ExitCode> {
    if let Some(Command::Router) = &cli.command {
        let config = RouterConfig::load(&cli.config)?;
        if !cli.check_config {
            runtime()?.block_on(route(config, heard))?;
            return Ok(ExitCode::SUCCESS);
        }
        config.check_files(Clock::system().now())?;
        println!("{}: fine", cli.config.display());
        return Ok(ExitCode::SUCCESS);
    }
    if cli.check_config {
        let config = Config::load(&cli.config)?;
        keys::load(&config.key_file)?;
        config.check_files(Clock::system().now())?;
        println!("{}: fine", cli.config.display());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(command) = &cli.command else { bail!("say what to do: `central --help`") };
    match command {
        Command::Run { print_addresses } => {
            runtime()?.block_on(serve(&cli.config, *print_addresses, heard))?;
        }
        Command::Fsck { json } => return fsck(&cli.config, *json),
        Command::Audit { command } => return audit(&cli.config, command),
        Command::Backup { out } => println!("{}", backup(&cli.config, out)?),
        Command::Restore { from } => println!("{}", restore(&cli.config, from)?),
        Command::Risk { command: RiskCommand::Model(command) } => risk::command::run(command.clone())?,
        Command::Risk { command: RiskCommand::Verify { file } } => {
            return Ok(if verify_file(file)? { ExitCode::SUCCESS } else { ExitCode::from(1) });
        }
        Command::Risk { command } => return risk(&cli.config, command),
        Command::Keygen { out } => println!("{}", keys::generate(out)?),
        Command::Ca { command } => authority(command)?,
        // Above.
        Command::Router => {}
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&central::api::openapi())?);
        }
        Command::Epoch { command: EpochCommand::Begin { reason } } => {
            let reason = match reason {
                BeginReason::Restored => EpochReason::Restored,
                BeginReason::Failover => EpochReason::Failover,
            };
            let epoch = runtime()?.block_on(async {
                let store = open_store(&cli.config).await?;
                anyhow::Ok(store.begin_epoch(&reason, COMMAND_LINE, Clock::system().now()).await?)
            })?;
            println!("epoch {}", epoch.0);
        }
        Command::Keys { command: KeysCommand::Rotate } => {
            let config = Config::load(&cli.config)?;
            let public = runtime()?.block_on(central::rotation::rotate(&config, &Clock::system()))?;
            println!("{public}");
        }
        Command::Officer { command: OfficerCommand::Add { name, role } } => {
            let mut password = String::new();
            std::io::stdin().read_to_string(&mut password)?;
            let hash = hash_password(password.trim_end_matches(['\r', '\n']))?;
            runtime()?.block_on(async {
                let store = open_store(&cli.config).await?;
                store.put_officer(name.as_str(), role.name(), &hash).await?;
                store.audit(Clock::system().now(), COMMAND_LINE, &Noted::PutOfficer, name.as_str()).await?;
                anyhow::Ok(())
            })?;
        }
        Command::Client { command: ClientCommand::Enrol { name, trader, sandbox } } => {
            println!("{}", enrol(&cli.config, name, trader, *sandbox)?);
        }
        Command::Person { command: PersonCommand::Invite { login, trader, sandbox } } => {
            println!("{}", invite(&cli.config, login, trader, *sandbox)?);
        }
        Command::Token { command: TokenCommand::Create { name, role, trader, sandbox } } => {
            let token = new_token();
            let trader = trader_of(*role, name, trader.as_deref())?;
            runtime()?.block_on(async {
                let (store, now) = (open_store(&cli.config).await?, Clock::system().now());
                // One that is there stays as it is.
                if let Some(trader) = &trader {
                    store.add_trader(trader, trader.as_str(), *sandbox, COMMAND_LINE, now).await?;
                }
                store.put_token(&token_hash(&token), name, role.name(), trader.as_ref()).await?;
                store.audit(now, COMMAND_LINE, &Noted::CreateToken, name).await?;
                anyhow::Ok(())
            })?;
            println!("{token}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn authority(command: &CaCommand) -> anyhow::Result<()> {
    let now = Clock::system().now();
    match command {
        CaCommand::Init { folder, days } => {
            println!("{}", ca::init(folder, *days, now)?.display());
        }
        CaCommand::Issue { whom, folder, out, lasts } => {
            let (party, hosts) = match whom {
                Whom::Edge { site, edge } => (Party::edge(site, edge)?, &[][..]),
                Whom::Router { site, hosts } => (Party::router(site)?, hosts.as_slice()),
                Whom::Central { hosts } => (Party::Central, hosts.as_slice()),
            };
            let out = out.as_ref().unwrap_or(folder);
            let issued = ca::issue(folder, out, &party, hosts, lasts.duration(), now)?;
            println!("{}\n{}", issued.certificate.display(), issued.private_key.display());
        }
    }
    Ok(())
}

/// Copy the database; gives the manifest.
fn backup(config: &Path, out: &Path) -> anyhow::Result<String> {
    let database = central::database(&Config::load(config)?);
    let manifest = runtime()?.block_on(async {
        let store = open_store(config).await?;
        anyhow::Ok(store.back_up(&database, out, Clock::system().now()).await?)
    })?;
    Ok(serde_json::to_string(&manifest)?)
}

/// Bring a copy back; says what was brought back and which history begins.
fn restore(config: &Path, from: &Path) -> anyhow::Result<String> {
    let config = Config::load(config)?;
    let (database, signer) = (central::database(&config), Arc::new(keys::load(&config.key_file)?));
    let now = Clock::system().now();
    let restored = runtime()?.block_on(bring_back(&database, from, &config.sites, signer, now))?;
    let (bytes, epoch) = (restored.manifest.bytes, restored.epoch.0);
    Ok(format!("{}: {bytes} bytes brought back; epoch {epoch}", database.label()))
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn audit(config: &Path, command: &AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Anchor => {
            let anchor = runtime()?.block_on(async {
                let store = open_store(config).await?;
                anyhow::Ok(store.audit_anchor(Clock::system().now()).await?)
            })?;
            println!("{}", serde_json::to_string(&anchor)?);
        }
        AuditCommand::Verify { anchor } => {
            let anchor: Option<Anchor> = match anchor {
                Some(path) => {
                    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                    Some(
                        serde_json::from_str(&text)
                            .with_context(|| format!("{}: no anchor", path.display()))?,
                    )
                }
                None => None,
            };
            let verified = runtime()?.block_on(async {
                anyhow::Ok(open_store(config).await?.verify_audit(anchor.as_ref()).await?)
            })?;
            match verified {
                Ok(lines) => println!("sound: {lines} lines"),
                Err(broken) => {
                    println!("broken: {broken}");
                    return Ok(ExitCode::from(1));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A code with which a system of a company may ask for a certificate.
fn enrol(config: &Path, name: &ClientName, trader: &TraderId, sandbox: bool) -> anyhow::Result<String> {
    let code = new_token();
    let done = runtime()?.block_on(async {
        let (store, now) = (open_store(config).await?, Clock::system().now());
        // One that is there stays as it is.
        store.add_trader(trader, trader.as_str(), sandbox, COMMAND_LINE, now).await?;
        anyhow::Ok(store.enrol_client(name, trader, &CodeHash::of(&code), COMMAND_LINE, now).await?)
    })?;
    ensure!(done, "{}: is the name of another company's system; choose another", name.as_str());
    Ok(code)
}

fn invite(config: &Path, login: &Login, trader: &TraderId, sandbox: bool) -> anyhow::Result<String> {
    let read = Config::load(config)?;
    let (vault, portal) = (read.vault()?, Portal::open(&read.portal, read.http.port())?);
    let path = runtime()?.block_on(async {
        let (store, now) = (open_store(config).await?, Clock::system().now());
        // One that is there stays as it is.
        store.add_trader(trader, trader.as_str(), sandbox, COMMAND_LINE, now).await?;
        anyhow::Ok(people::invite(&store, &vault, login, trader, COMMAND_LINE, now).await?)
    })?;
    let path =
        path.with_context(|| format!("{login}: is the name of somebody of another company; choose another"))?;
    Ok(format!("{}{path}", portal.origin))
}

/// For which company a token acts: the one that is named, or one of the token's own name.
fn trader_of(role: Role, name: &str, trader: Option<&str>) -> anyhow::Result<Option<TraderId>> {
    match (role, trader) {
        (Role::Trade, Some(trader)) => Ok(Some(trader.parse().context("--trader")?)),
        (Role::Trade, None) => Ok(Some(name.parse().context("NAME, as no --trader is given")?)),
        (_, None) => Ok(None),
        (_, Some(_)) => bail!("--trader: only a token of the role trade acts for a company"),
    }
}

async fn route(config: RouterConfig, heard: mpsc::Receiver<Heard>) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        ended = router::run(config, Clock::system(), heard) => ended,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the async runtime")
}

async fn open_store(config: &Path) -> anyhow::Result<Store> {
    let config = Config::load(config)?;
    central::open_store(&config, Arc::new(keys::load(&config.key_file)?)).await
}

#[expect(clippy::print_stdout, reason = "the addresses, for whoever started it")]
async fn serve(config: &Path, print_addresses: bool, heard: mpsc::Receiver<Heard>) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let mut central = Central::start(&config, Clock::system()).await?;
    central.hear(heard);
    if print_addresses {
        println!(
            "{}",
            serde_json::json!({ "http": central.http(), "systems": central.systems(), "zenoh": config.zenoh })
        );
    }
    tracing::info!(console = %format!("http://{}/console", central.http()), "central runs");
    tokio::signal::ctrl_c().await?;
    central.stop().await
}
