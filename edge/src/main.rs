//! The command `edge`.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clearance::transport::LINK_THREADS;
use clearance::transport::overheard::Heard;
use edge::appliance::{Appliance, NodeStatus};
use edge::clock::utc_now;
use edge::config::EdgeConfig;
use edge::fsck::Whose;
use edge::gate::sim::GateSimulator;
use edge::link::overheard::overhear;
use edge::read::{Outcome, ReadArgs};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use tracing_subscriber::{EnvFilter, Layer as _, fmt};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The lane appliance.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  edge keygen --out edge.key
  edge --check-config --config edge.toml
  edge run --config edge.toml
  edge status --config edge.toml
  edge fsck --config edge.toml
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
  edge status --config edge.toml --watch
  edge status --config edge.toml --json | jq '.lanes[].fault'
  edge status --config edge.toml --watch --json | jq -c '[.revision, .lag, .lease_left_ms]'")]
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Again every second, until interrupted; with --json one line each.
        #[arg(long)]
        watch: bool,
    },
    /// Check what lies on the disk of a node that does not run: cache, outbox, pictures. Changes nothing. Exits with 0
    /// when all is sound, 1 with findings, 2 when it cannot check.
    #[command(after_help = "Examples:
  edge fsck --config edge.toml
  edge fsck --state /var/lib/clearlane/edge
  edge fsck --config edge.toml --json | jq -r 'select(.grade == \"damage\") | .place'")]
    Fsck {
        /// The state folder (data_dir), where there is no configuration. Whose steps it holds, and
        /// who has signed the rotations of central's keys, is not checked then.
        #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
        state: Option<PathBuf>,
        /// One JSON object a line: each finding, then the summary.
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
    eprintln!("edge: {name} cannot be set: {error}; set it to '{threads}' before the start");
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Some(Command::Run { .. })) {
        on_one_thread();
    }
    // Why there is no link is overheard and told in our words, once for each cause.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(
            "info,ort=warn,zenoh=warn,zenoh::net::runtime::orchestrator=error,zenoh_link_tls=error",
        )
    });
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = match cli.log_format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let (overhear, heard) = overhear();
    tracing_subscriber::registry().with(log.with_filter(filter)).with(overhear).init();
    run(&cli, heard).unwrap_or_else(|error| {
        eprintln!("edge: {error:#}");
        ExitCode::from(2)
    })
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn run(cli: &Cli, heard: mpsc::Receiver<Heard>) -> anyhow::Result<ExitCode> {
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
        Command::Run { events } => lanes(&cli.config, *events, heard),
        Command::Status { json, watch } => status(&cli.config, *json, *watch),
        Command::Fsck { state, json } => fsck(&cli.config, state.as_deref(), *json),
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
async fn lanes(config: &Path, events: bool, heard: mpsc::Receiver<Heard>) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::load(config)?;
    tracing::info!(site = %config.site, edge = %config.edge, lanes = config.lanes.len(), "starting");
    let mut appliance = Appliance::start(config).await?;
    appliance.hear(heard);
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
fn status(config: &Path, json: bool, watch: bool) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::load(config)?;
    loop {
        let status = NodeStatus::load(&config.status_file())?;
        let now = utc_now();
        match (json, watch) {
            (true, true) => println!("{}", serde_json::to_string(&status)?),
            (true, false) => println!("{}", serde_json::to_string_pretty(&status)?),
            // Clears a terminal; what is piped somewhere stays readable.
            (false, true) if std::io::stdout().is_terminal() => print!("\x1b[H\x1b[2J{}", status.table(now)),
            (false, _) => print!("{}", status.table(now)),
        }
        std::io::stdout().flush()?;
        if !status.is_fresh(now) {
            eprintln!(
                "edge: {}: this is from {} and nothing newer: `edge run` is not running with this configuration",
                config.status_file().display(),
                jiff::Timestamp::from_millisecond(status.at.0)?
            );
        }
        if !watch {
            let holds = status.lanes.iter().any(|lane| lane.fault.is_some());
            return Ok(if status.is_fresh(now) && !holds { ExitCode::SUCCESS } else { ExitCode::from(1) });
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn fsck(config: &Path, state: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let (folder, report) = if let Some(folder) = state {
        (folder.to_owned(), edge::fsck::check(folder, None)?)
    } else {
        let config = EdgeConfig::load(config)?;
        let whose = Whose { site: &config.site, edge: &config.edge, central_keys: &config.central_keys };
        let report = edge::fsck::check(&config.data_dir, Some(whose))?;
        (config.data_dir, report)
    };
    for line in report.lines(folder.display(), json)? {
        println!("{line}");
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
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
