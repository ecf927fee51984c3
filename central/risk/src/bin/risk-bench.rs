//! The command `risk-bench`: how fast the engine is, as JSON lines.

#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use risk::bench::{Size, measure};
use risk::score::DEFAULT_BUNDLE;

/// How fast the screening engine is with a million entries on lists, a thousand rules and a model that scores and explains: a JSON line for
/// each figure, in about half a minute. A limit that is missed says `"kept": false` and ends nothing; only what cannot be run fails.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  risk-bench\n  risk-bench --bundle work/risk/risk-2 | jq 'select(.kept | not)'"
)]
struct Arguments {
    /// Bundle that scores; else the shipped one.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { bundle } = Arguments::parse();
    let bundle = bundle.unwrap_or_else(|| risk::command::bundles_folder().join(DEFAULT_BUNDLE));
    let mut failed = None;
    measure(
        Size { entries: 1_000_000, rules: 1_000 },
        2_000,
        1,
        &bundle,
        |figure| match serde_json::to_string(&figure) {
            Ok(line) => println!("{line}"),
            Err(error) => failed = Some((figure.figure, error)),
        },
    )?;
    failed.map_or(Ok(()), |(figure, error)| Err(error).context(figure))
}
