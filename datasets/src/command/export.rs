//! `datasets export`.

use std::path::PathBuf;

use clap::Args;
use datasets::export::{Format, export};

#[derive(Args)]
pub(crate) struct Export {
    /// Folder of corrections, as central keeps it: labels.jsonl and images/.
    #[arg(long)]
    from: PathBuf,
    /// Layout of the labels.
    #[arg(long)]
    format: Format,
    /// New folder for the data set.
    #[arg(long)]
    out: PathBuf,
    /// Seed of the split into train, valid and test; the same seed puts a vehicle into the same split again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
pub(crate) fn run(arguments: &Export) -> anyhow::Result<()> {
    let manifest = export(&arguments.from, &arguments.out, arguments.format, arguments.seed)?;
    println!("{}", serde_json::to_string_pretty(&manifest)?);
    Ok(())
}
