//! The command `edge`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use edge::appliance::{Appliance, NodeStatus};
use edge::clock::utc_now;
use edge::config::EdgeConfig;
use edge::gate::sim::GateSimulator;
use edge::read::{Outcome, ReadArgs};
use tokio::sync::broadcast::error::RecvError;
use tracing_subscriber::EnvFilter;

/// The lane appliance.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  edge keygen --out edge.key
  edge --check-config --config edge.toml
  edge run --config edge.toml
  edge status --config edge.toml
  edge read photo.jpg clip.mp4
  edge gate-sim --listen 127.0.0.1:5020"
)]
struct Cli {
    /// How to write the log.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Only check the configuration.
    #[arg(long)]
    check_config: bool,
    /// The configuration; deploy/edge.toml documents every key.
    #[arg(long, default_value = "edge.toml", global = true)]
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
    /// Run the lanes.
    #[command(after_help = "Examples:
  edge run --config edge.toml
  edge run --config edge.toml --events | jq .what")]
    Run {
        /// Print each step of each passage as a JSON line.
        #[arg(long)]
        events: bool,
    },
    /// How the running node and its lanes are. Exits with 1 when the node does not run or a lane holds.
    #[command(after_help = "Examples:
  edge status --config edge.toml
  edge status --config edge.toml --json | jq '.lanes[].fault'")]
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the signing key; prints its public half, which goes into central's configuration.
    #[command(after_help = "Example:
  edge keygen --out edge.key")]
    Keygen {
        /// Where to write it; never over an old one.
        #[arg(long)]
        out: PathBuf,
    },
    /// Read the plates in pictures, recordings and streams; prints JSON lines.
    Read(ReadArgs),
    /// A gate that is not there: a Modbus TCP server with lamps, boom and loops. Coil 100 + i sets input i.
    #[command(
        after_help = "Example:\n  edge gate-sim --listen 127.0.0.1:5020 & mbpoll -1 -t 0 -r 101 -p 5020 127.0.0.1 1"
    )]
    GateSim {
        /// Where to listen; port 0 takes any free one.
        #[arg(long, default_value = "127.0.0.1:5020")]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    run(&cli).unwrap_or_else(|error| {
        eprintln!("edge: {error:#}");
        ExitCode::from(2)
    })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    if cli.check_config {
        let config = EdgeConfig::load(&cli.config)?;
        edge::keys::load(&config.key_file)?;
        config.check_files(utc_now())?;
        models::Bundle::load(&config.bundle_folder())?;
        println!("{}: fine", cli.config.display());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(command) = &cli.command else { anyhow::bail!("say what to do: `edge --help`") };
    match command {
        Command::Run { events } => lanes(&cli.config, *events),
        Command::Status { json } => status(&cli.config, *json),
        Command::Keygen { out } => {
            println!("{}", edge::keys::generate(out)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Read(args) => read(args),
        Command::GateSim { listen } => gate_sim(*listen),
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the steps, for whoever asked")]
async fn lanes(config: &Path, events: bool) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::load(config)?;
    tracing::info!(site = %config.site, edge = %config.edge, lanes = config.lanes.len(), "starting");
    let mut appliance = Appliance::start(config).await?;
    let mut steps = appliance.steps();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            step = steps.recv() => match step {
                Ok(step) if events => println!("{}", serde_json::to_string(&step)?),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "steps not printed"),
                Err(RecvError::Closed) => anyhow::bail!("nothing runs"),
            },
            why = appliance.failed() => anyhow::bail!(why),
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    tracing::info!("stopping: gates to red");
    appliance.stop().await;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn status(config: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::load(config)?;
    let status = NodeStatus::load(&config.status_file())?;
    let fresh = status.is_fresh(utc_now());
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print!("{}", status.table());
    }
    if !fresh {
        eprintln!(
            "edge: this is from {} and nothing newer: `edge run` is not running",
            jiff::Timestamp::from_millisecond(status.at.0)?
        );
    }
    let holds = status.lanes.iter().any(|lane| lane.fault.is_some());
    Ok(if fresh && !holds { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn read(args: &ReadArgs) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    Ok(match edge::read::run(args, &mut out)? {
        Outcome::All => ExitCode::SUCCESS,
        Outcome::Some => ExitCode::from(1),
        Outcome::None => ExitCode::from(2),
    })
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the command's answer: where it listens, and what changes")]
async fn gate_sim(listen: SocketAddr) -> anyhow::Result<ExitCode> {
    let gate = GateSimulator::start(listen).await?;
    println!("{}", serde_json::json!({ "listening": gate.address() }));
    let mut view = gate.view();
    loop {
        tokio::select! {
            changed = view.changed() => {
                if changed.is_err() {
                    return Ok(ExitCode::FAILURE);
                }
                println!("{}", serde_json::to_string(&*view.borrow_and_update())?);
            }
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}
