//! The command `risk-bench`: how fast the engine is, as JSON lines; fails if a limit is not kept.

#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::process::ExitCode;

use clap::Parser;
use risk::bench::{Size, measure};

/// How fast the screening engine is with a million entries on lists and a thousand rules: JSON lines, in about half a minute. Fails if
/// a limit is not kept.
#[derive(Parser)]
#[command(version)]
struct Arguments {}

fn main() -> ExitCode {
    let Arguments {} = Arguments::parse();
    let mut kept = true;
    measure(Size { entries: 1_000_000, rules: 1_000 }, 2_000, 1, |figure| {
        kept &= figure.kept;
        match serde_json::to_string(&figure) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{}: {error}", figure.figure),
        }
    });
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
