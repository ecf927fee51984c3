//! `central risk train` and `central risk evaluate`, for the command to call with parsed arguments.

mod evaluate;
mod python;
mod rows;
mod train;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

/// What can be done with the model that scores declarations.
#[derive(Clone, Debug, Subcommand)]
pub enum Risk {
    /// Train a model on declarations whose outcome is known, and prove the bundle.
    #[command(
        after_help = "Example:\n  central risk train --data ../shared/data/customs-declarations --out work/risk/risk-2"
    )]
    Train(Train),
    /// Measure a model on declarations whose outcome is known: JSON lines, beside XGBoost with default settings.
    #[command(
        after_help = "Examples:\n  central risk evaluate --data ../shared/data/customs-declarations\n  central risk evaluate --data ../shared/data/customs-declarations --part kept-apart.csv\n  central risk evaluate --data outcomes --no-peer"
    )]
    Evaluate(Evaluate),
}

/// Arguments of `train`.
#[derive(Clone, Debug, Args)]
pub struct Train {
    /// Folder with the CSV files; the one with "train" in its name is learnt from.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder of the new bundle; what is there is replaced once the new one is proved.
    #[arg(long, value_name = "DIR", default_value = "work/risk/bundle")]
    pub out: PathBuf,
    /// Name that the bundle gives itself.
    #[arg(long, default_value = crate::score::DEFAULT_BUNDLE)]
    pub name: String,
}

/// Arguments of `evaluate`.
#[derive(Clone, Debug, Args)]
pub struct Evaluate {
    /// Folder with the CSV files: each without "train" in its name is measured, the other trains the peer.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// A CSV to measure instead of those of the folder; can be given more than once.
    #[arg(long, value_name = "CSV")]
    pub part: Vec<PathBuf>,
    /// Bundle to measure; else the shipped one.
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Leave out XGBoost, which needs Python (`deploy/setup-risk.sh`).
    #[arg(long)]
    pub no_peer: bool,
}

/// Do what was asked; answers go to standard output, progress to standard error.
pub fn run(asked: Risk) -> anyhow::Result<()> {
    match asked {
        Risk::Train(asked) => train::run(&asked),
        Risk::Evaluate(asked) => evaluate::run(&asked),
    }
}

/// The folder that holds bundles: `models/bundles` in this folder, the program's, or one above them; else
/// `/usr/share/clearlane/models`.
pub fn bundles_folder() -> PathBuf {
    above("models/bundles").unwrap_or_else(|| Path::new("/usr/share/clearlane/models").to_owned())
}

/// `path` in this folder, the program's, or one above them.
fn above(path: &str) -> Option<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let folders = starts.iter().flatten().flat_map(|start| start.ancestors());
    folders.map(|folder| folder.join(path)).find(|found| found.exists())
}

/// The CSV files of a folder, by name: those with "train" in it, and the others.
fn csv_files(folder: &Path) -> anyhow::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    use anyhow::Context as _;
    let entries = std::fs::read_dir(folder).with_context(|| {
        format!("{}: cannot be read; --data wants a folder with CSV files", folder.display())
    })?;
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")));
    files.sort();
    anyhow::ensure!(
        !files.is_empty(),
        "{}: there is no CSV file in it; --data wants a folder with some",
        folder.display()
    );
    let trains =
        |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().contains("train"));
    Ok(files.into_iter().partition(trains))
}

/// The one CSV of a folder that is learnt from.
fn training_file(folder: &Path) -> anyhow::Result<PathBuf> {
    match &*csv_files(folder)?.0 {
        [one] => Ok(one.clone()),
        [] => anyhow::bail!(
            "{}: no CSV with \"train\" in its name; name the one to learn from so",
            folder.display()
        ),
        many => anyhow::bail!(
            "{}: {} CSV files have \"train\" in their names; leave one",
            folder.display(),
            many.len()
        ),
    }
}
