//! The command `risk-bench`: how fast the engine is, as JSON lines; fails if a limit is not kept.

#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::process::ExitCode;

use risk::bench::{Size, measure};

fn main() -> ExitCode {
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
