//! The command `central`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, hash_password, new_token, token_hash};
use central::storage::{COMMAND_LINE, EpochReason, Noted, Store};
use central::{Central, keys};
use clap::{Parser, Subcommand, ValueEnum};
use clearance::ids::OfficerId;
use tracing_subscriber::EnvFilter;

/// Takes declarations, assigns action codes, sends them signed to the lanes, takes passages, gives officers a console.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  central keygen --out central.key
  central --check-config --config central.toml
  echo 'a long password' | central officer add chan --role officer --config central.toml
  central token create risk-engine --role selector --config central.toml
  central run --config central.toml"
)]
struct Cli {
    /// How to write the log.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Only check the configuration.
    #[arg(long)]
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
    /// Print the OpenAPI description.
    #[command(after_help = "Example:
  central openapi > openapi.json")]
    Openapi,
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
        /// officer, selector, engineer or admin.
        #[arg(long)]
        role: Role,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token for a client's system; prints it once.
    #[command(after_help = "Examples:
  central token create shipper --role trade --config central.toml
  central token create risk-engine --role selector --config central.toml")]
    Create {
        /// The client's name.
        name: String,
        /// trade or selector.
        #[arg(long)]
        role: Role,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,zenoh=warn,zenoh_transport=error"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("central: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn run(cli: &Cli) -> anyhow::Result<()> {
    if cli.check_config {
        let config = Config::load(&cli.config)?;
        keys::load(&config.key_file)?;
        println!("{}: fine", cli.config.display());
        return Ok(());
    }
    let Some(command) = &cli.command else { bail!("say what to do: `central --help`") };
    match command {
        Command::Run { print_addresses } => runtime()?.block_on(serve(&cli.config, *print_addresses)),
        Command::Keygen { out } => {
            println!("{}", keys::generate(out)?);
            Ok(())
        }
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&central::api::openapi())?);
            Ok(())
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
            Ok(())
        }
        Command::Keys { command: KeysCommand::Rotate } => {
            let config = Config::load(&cli.config)?;
            let public = runtime()?.block_on(central::rotation::rotate(&config, &Clock::system()))?;
            println!("{public}");
            Ok(())
        }
        Command::Officer { command: OfficerCommand::Add { name, role } } => {
            let mut password = String::new();
            std::io::stdin().read_to_string(&mut password)?;
            let hash = hash_password(password.trim_end_matches(['\r', '\n']))?;
            runtime()?.block_on(async {
                let store = open_store(&cli.config).await?;
                store.put_officer(name.as_str(), role.name(), &hash).await?;
                store.audit(Clock::system().now(), COMMAND_LINE, &Noted::PutOfficer, name.as_str()).await?;
                Ok(())
            })
        }
        Command::Token { command: TokenCommand::Create { name, role } } => {
            let token = new_token();
            runtime()?.block_on(async {
                let store = open_store(&cli.config).await?;
                store.put_token(&token_hash(&token), name, role.name()).await?;
                store.audit(Clock::system().now(), COMMAND_LINE, &Noted::CreateToken, name).await?;
                anyhow::Ok(())
            })?;
            println!("{token}");
            Ok(())
        }
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
async fn serve(config: &Path, print_addresses: bool) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let central = Central::start(&config, Clock::system()).await?;
    if print_addresses {
        println!("{}", serde_json::json!({ "http": central.http(), "zenoh": config.zenoh }));
    }
    tracing::info!(console = %format!("http://{}/console", central.http()), "central runs");
    tokio::signal::ctrl_c().await?;
    central.stop().await
}
