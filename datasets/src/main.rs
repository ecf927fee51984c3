//! `datasets`: renders training sets and lane clips, exports officers' corrections.

mod command;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "datasets",
    version,
    about = "Renders plates, scenes and lane clips; exports officers' corrections"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render a set of pictures or a clip.
    #[command(subcommand)]
    Render(command::render::Render),
    /// Make a data set of officers' corrections.
    #[command(
        after_help = "Example:\n  datasets export --from central-data/examples --format coco --out corrections-2026-11"
    )]
    Export(command::export::Export),
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Render(render) => command::render::run(render),
        Command::Export(export) => command::export::run(&export),
    }
}
