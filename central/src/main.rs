//! The command `central`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use central::clock::Clock;
use central::config::Config;
use central::officers::{Role, hash_password, new_token, token_hash};
use central::storage::check::check;
use central::storage::{COMMAND_LINE, Noted, Store};
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
  central run --config central.toml
  central fsck --config central.toml"
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
    /// Check everything that central keeps: the database, the signed log, passages, pictures, orders. Changes nothing,
    /// and may run beside a running central. Exits with 0 when all is sound, 1 with findings, 2 when it cannot check.
    #[command(after_help = "Examples:
  central fsck --config central.toml
  central fsck --config central.toml --json | jq -r 'select(.check) | [.check, .place] | @tsv'")]
    Fsck {
        /// One JSON object a line: each finding, then the summary.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI description.
    #[command(after_help = "Example:
  central openapi > openapi.json")]
    Openapi,
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
    run(&cli).unwrap_or_else(|error| {
        eprintln!("central: {error:#}");
        // Of fsck, 1 says that something was found.
        if matches!(cli.command, Some(Command::Fsck { .. })) { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn fsck(config: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let signer = keys::load(&config.key_file)?;
    let path = central::database(&config);
    let report = runtime()?.block_on(check(&path, &signer))?;
    for finding in &report.findings {
        if json {
            println!("{}", serde_json::to_string(finding)?);
        } else {
            println!("{finding}\n");
        }
    }
    if json {
        println!("{}", report.summary_json());
    } else {
        println!("{}: {}", path.display(), report.summary());
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    if cli.check_config {
        let config = Config::load(&cli.config)?;
        keys::load(&config.key_file)?;
        println!("{}: fine", cli.config.display());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(command) = &cli.command else { bail!("say what to do: `central --help`") };
    match command {
        Command::Run { print_addresses } => runtime()?.block_on(serve(&cli.config, *print_addresses))?,
        Command::Fsck { json } => return fsck(&cli.config, *json),
        Command::Keygen { out } => println!("{}", keys::generate(out)?),
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&central::api::openapi())?);
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
        Command::Token { command: TokenCommand::Create { name, role } } => {
            let token = new_token();
            runtime()?.block_on(async {
                let store = open_store(&cli.config).await?;
                store.put_token(&token_hash(&token), name, role.name()).await?;
                store.audit(Clock::system().now(), COMMAND_LINE, &Noted::CreateToken, name).await?;
                anyhow::Ok(())
            })?;
            println!("{token}");
        }
    }
    Ok(ExitCode::SUCCESS)
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
