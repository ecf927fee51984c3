//! `datasets`: renders training sets and lane clips.

mod command;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "datasets", version, about = "Renders plates, scenes and lane clips")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render a set of pictures or a clip.
    #[command(subcommand)]
    Render(command::render::Render),
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Render(render) => command::render::run(render),
    }
}
