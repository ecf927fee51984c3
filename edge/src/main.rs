//! The command `edge`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use edge::gate::sim::GateSimulator;
use edge::read::{Outcome, ReadArgs};
use tracing_subscriber::EnvFilter;

/// The lane appliance.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  edge read photo.jpg clip.mp4
  edge gate-sim --listen 127.0.0.1:5020"
)]
struct Cli {
    /// How to write the log.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
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
    let result = match &cli.command {
        Command::Read(args) => read(args),
        Command::GateSim { listen } => gate_sim(*listen),
    };
    result.unwrap_or_else(|error| {
        eprintln!("edge: {error:#}");
        ExitCode::from(2)
    })
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
