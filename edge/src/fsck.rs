//! `edge fsck`: checks what lies on the disk of an edge that does not run, says what each finding means and what mends
//! it, and changes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clearance::finding::Report;
use clearance::ids::{EdgeId, SiteId};
use clearance::wire::PublicKey;

use crate::directives::check as directives;
use crate::link::check as link;
use crate::outbox::check as outbox;

/// Why a state folder cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CannotCheck {
    /// There is none.
    #[error("{}: there is no such folder; name the data_dir of the edge's configuration", .0.display())]
    Missing(PathBuf),
    /// An edge works on it.
    #[error("{0} is locked: an edge is running on this folder; stop it first, or ask it with `edge status`")]
    Running(String),
    /// The disk.
    #[error("{}: {source}; check the disk and whether you may read this folder", path.display())]
    Disk {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CannotCheck {
    pub(crate) fn disk(path: &Path, source: io::Error) -> Self {
        Self::Disk { path: path.to_owned(), source }
    }
}

/// To whom a state folder belongs, as the configuration says it.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The control point.
    pub site: &'a SiteId,
    /// The node.
    pub edge: &'a EdgeId,
    /// The keys of central that it was configured with.
    pub central_keys: &'a [PublicKey],
}

/// Check the state folder `state`: cache, floor, used directives, the note of a quarantine, rotations of central's keys,
/// outbox and pictures. With `whose`, every step must belong to that site and edge, and the rotations must follow from the
/// configured keys. A copy of the cache is made in the system's temporary folder. Blocking.
pub fn check(state: &Path, whose: Option<Whose<'_>>) -> Result<Report, CannotCheck> {
    if !state.is_dir() {
        return Err(CannotCheck::Missing(state.to_owned()));
    }
    let cache = state.join("directives");
    directives::refuse_if_running(&cache)?;
    let scratch =
        tempfile::TempDir::new().map_err(|source| CannotCheck::disk(&std::env::temp_dir(), source))?;
    let mut report = Report::default();
    directives::check(&cache, scratch.path(), &mut report)?;
    link::rotations(&state.join("rotations"), whose.map(|whose| whose.central_keys), &mut report)?;
    let expected = whose.map(|whose| (whose.site, whose.edge));
    let journal = outbox::journal(&state.join("outbox"), expected, &mut report)?;
    outbox::pictures(&state.join("evidence"), &journal, &mut report)?;
    Ok(report)
}

/// Names of what lies in a folder, sorted; none if it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, CannotCheck> {
    let failed = |source| CannotCheck::disk(folder, source);
    let items = match fs::read_dir(folder) {
        Ok(items) => items,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for item in items {
        names.push(item.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
