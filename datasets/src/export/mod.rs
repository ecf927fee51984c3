//! Officers' corrections as a data set that engineers can train and measure with: COCO, YOLO or CSV, with a
//! manifest, and split so that no vehicle is in two splits.
//!
//! Input is the folder that central keeps: `labels.jsonl` ([`LabelledExample`] lines) and `images/`. The export
//! is written beside its name and moved into place whole, so a stopped export leaves nothing half-made.

mod coco;
mod csv;
mod manifest;
mod source;
mod split;
mod yolo;

use std::fs;
use std::path::{Path, PathBuf};

use clearance::example::LabelledExample;
pub use manifest::{ExportManifest, ImageEntry};
pub use source::{SkippedExample, load};
pub use split::Split;

/// Layout of the exported labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "lowercase")]
pub enum Format {
    /// One `SPLIT.json` a split: boxes, the four corners as a polygon, the mark as an attribute.
    Coco,
    /// `labels/SPLIT/NAME.txt` beside `images/SPLIT/NAME.jpg`: class, centre, size, then the four corners (the pose
    /// form), all relative; `data.yaml`.
    Yolo,
    /// One `labels.csv` with the columns of the measuring sets.
    Csv,
}

/// Why an export could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the list.
    #[error("{} line {line}: {source}; the list is not as central writes it", path.display())]
    Line {
        /// The list.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Nothing to export.
    #[error("{}: no example that can be exported; officers' corrections land here", .0.display())]
    Empty(PathBuf),
    /// The target is there.
    #[error("{}: is there already; name a new folder, an export is never mixed into an old one", .0.display())]
    TargetExists(PathBuf),
}

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError + '_ {
    move |source| ExportError::Io { path: path.to_owned(), source }
}

/// One example with what the export adds to it.
pub(crate) struct Item<'a> {
    pub(crate) example: &'a LabelledExample,
    pub(crate) split: Split,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Export the examples in `from` (central's folder of corrections) into the new folder `to`.
pub fn export(from: &Path, to: &Path, format: Format, seed: u64) -> Result<ExportManifest, ExportError> {
    if to.exists() {
        return Err(ExportError::TargetExists(to.to_owned()));
    }
    let loaded = load(from)?;
    if loaded.examples.is_empty() {
        return Err(ExportError::Empty(from.to_owned()));
    }
    let items: Vec<Item<'_>> = loaded
        .examples
        .iter()
        .map(|(example, (width, height))| Item {
            example,
            split: split::of(&split::vehicle_key(example), seed),
            width: *width,
            height: *height,
        })
        .collect();
    let staging = staging_folder(to)?;
    copy_images(from, &staging, &items)?;
    match format {
        Format::Coco => coco::write(&staging, &items)?,
        Format::Yolo => yolo::write(&staging, &items)?,
        Format::Csv => csv::write(&staging, &items)?,
    }
    let manifest = ExportManifest::of(&items, format, seed, loaded.skipped);
    let path = staging.join("manifest.json");
    let text = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::other).map_err(io(&path))?;
    fs::write(&path, text).map_err(io(&path))?;
    fs::rename(&staging, to).map_err(io(to))?;
    Ok(manifest)
}

fn staging_folder(to: &Path) -> Result<PathBuf, ExportError> {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let staging = to.with_file_name(name);
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(io(&staging))?;
    }
    fs::create_dir_all(&staging).map_err(io(&staging))?;
    Ok(staging)
}

fn copy_images(from: &Path, staging: &Path, items: &[Item<'_>]) -> Result<(), ExportError> {
    for split in Split::ALL {
        let folder = staging.join("images").join(split.name());
        fs::create_dir_all(&folder).map_err(io(&folder))?;
    }
    for item in items {
        let source = from.join("images").join(&item.example.image);
        let target = staging.join("images").join(item.split.name()).join(&item.example.image);
        fs::copy(&source, &target).map_err(io(&source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
