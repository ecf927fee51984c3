//! The note of a contradiction in central's history: while it lies there, no lane of this edge releases by itself, however
//! often it is started again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clearance::follower::Quarantine;

use super::entry;
use crate::outbox::disk;

/// What the note is checksummed with.
const KEY: &[u8] = b"quarantine";

pub(super) struct QuarantineNote {
    path: PathBuf,
}

impl QuarantineNote {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says. One that cannot be read says that there was something.
    pub(super) fn read(&self) -> Option<Quarantine> {
        match fs::read(&self.path) {
            Ok(sealed) => Some(opened(&sealed).unwrap_or(Quarantine::NoteDamaged)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "cannot read whether this edge is quarantined: it is until that can be read");
                Some(Quarantine::NoteDamaged)
            }
        }
    }

    pub(super) fn write(&self, why: Quarantine) -> io::Result<()> {
        disk::replace_file(&self.path, &entry::seal(KEY, &why))
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => disk::sync_folder(self.path.parent().unwrap_or(Path::new("."))),
        }
    }
}

/// What a note says; `None` if its bytes were not written like this.
pub(super) fn opened(sealed: &[u8]) -> Option<Quarantine> {
    entry::open(KEY, sealed)
}

#[cfg(test)]
mod tests {
    use clearance::ids::Revision;

    use super::*;

    #[test]
    fn a_damaged_note_still_says_that_there_was_something() {
        let dir = tempfile::TempDir::new().unwrap();
        let note = QuarantineNote::at(&dir.path().join("quarantine"));
        assert_eq!(note.read(), None);
        note.write(Quarantine::Fork(Revision(7))).unwrap();
        assert_eq!(note.read(), Some(Quarantine::Fork(Revision(7))));
        let mut bytes = fs::read(note.path()).unwrap();
        bytes[5] ^= 1;
        fs::write(note.path(), bytes).unwrap();
        assert_eq!(note.read(), Some(Quarantine::NoteDamaged));
        note.remove().unwrap();
        note.remove().unwrap();
        assert_eq!(note.read(), None);
    }
}
