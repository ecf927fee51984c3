//! `datasets`: renders training sets and lane clips, exports officers' corrections.

mod command;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "datasets",
    version,
    about = "Renders plates, scenes and lane clips; exports officers' corrections",
    after_help = "Examples:
  datasets render plates --out work/plates --count 1000 --preview plates.png
  datasets render clip --out truck.mp4 --mark KX4827 --condition night
  datasets export --from central-data/examples --format csv --out corrections"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render a set of pictures or a clip.
    #[command(
        subcommand,
        after_help = "Example:\n  datasets render scenes --out work/scenes --count 40000 --preview scenes.png"
    )]
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
