//! The report to look at: one page, with the crops of what went wrong beside it.

mod charts;
mod page;
mod sections;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::figures::SetFigures;
use super::gallery::Failure;

/// Everything the page shows.
#[derive(Debug)]
pub struct Report {
    /// Name, version and digest of the model bundle.
    pub bundle: String,
    /// The confidence from which on a read is accepted.
    pub threshold: f64,
    /// Our own reader on each whole set.
    pub product: Vec<SetFigures>,
    /// A peer on a set, and our own reader on the same pictures; in the order of the sets. Empty without a peer.
    pub peers: Vec<Beside>,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

/// Two readers on the same pictures.
#[derive(Debug)]
pub struct Beside {
    /// Ours.
    pub product: SetFigures,
    /// The other.
    pub peer: SetFigures,
}

/// Write `index.html` into `folder`; gives its path.
pub fn write(report: &Report, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("index.html");
    let page = page::page(report)?.into_string();
    std::fs::write(&path, page).with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(path)
}
