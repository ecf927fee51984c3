//! `risk`: trains and measures the model that scores declarations, by itself; `central risk` does the same.

use clap::Parser;

#[derive(Parser)]
#[command(
    name = "risk",
    version,
    about = "Trains and measures the model that scores declarations",
    after_help = "Examples:
  risk train --data ../shared/data/customs-declarations --out work/risk/risk-2
  risk evaluate --data ../shared/data/customs-declarations"
)]
struct Arguments {
    #[command(subcommand)]
    command: risk::command::Risk,
}

fn main() -> anyhow::Result<()> {
    risk::command::run(Arguments::parse().command)
}
