//! The highest head this edge ever held, in a file of its own beside sled: after a crash the cache may come back
//! older, and must then not be believed. Two slots are written in turn, so that a torn write leaves the other.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use clearance::replicate::Head;

use super::entry;
use crate::outbox::disk;

/// Slots lie in different sectors, whatever a sector is.
const SLOT: u64 = 4096;
const SLOT_BYTES: usize = 128;

pub(super) struct FloorFile {
    file: File,
    head: Head,
    /// How often it was written: the even writes go to the first slot.
    writes: u64,
}

impl FloorFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let newest = (0..2).filter_map(|slot| read_slot(&bytes, slot)).max_by_key(|(writes, _)| *writes);
        if newest.is_none() && !bytes.is_empty() {
            tracing::error!(path = %path.display(), "the floor file is damaged: starting without a floor; check the disk");
        }
        let (writes, head) = newest.unwrap_or_default();
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        disk::sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { file, head, writes })
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Raise it, durably. It never falls.
    pub(super) fn raise(&mut self, head: Head) -> io::Result<()> {
        if (head.epoch, head.revision) <= (self.head.epoch, self.head.revision) {
            return Ok(());
        }
        let writes = self.writes + 1;
        let mut slot = entry::seal(&[], &(writes, head));
        slot.resize(SLOT_BYTES, 0);
        self.file.write_all_at(&slot, (writes % 2) * SLOT)?;
        self.file.sync_data()?;
        self.writes = writes;
        self.head = head;
        Ok(())
    }
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// It was never written.
    Empty,
    /// Bytes that were not written like this.
    Damaged,
    /// How often the file had been written with this, and the head.
    Written(u64, Head),
}

impl Slot {
    pub(super) fn written(&self) -> Option<(u64, Head)> {
        if let Self::Written(writes, head) = self { Some((*writes, *head)) } else { None }
    }
}

/// Both slots of a floor file.
pub(super) fn slots(bytes: &[u8]) -> [Slot; 2] {
    [0, 1].map(|slot| match (read_slot(bytes, slot), slot_of(bytes, slot)) {
        (Some((writes, head)), _) => Slot::Written(writes, head),
        (None, Some(slot)) if slot.iter().any(|byte| *byte != 0) => Slot::Damaged,
        (None, _) => Slot::Empty,
    })
}

fn slot_of(bytes: &[u8], slot: u64) -> Option<&[u8]> {
    let start = (slot * SLOT) as usize;
    bytes.get(start..bytes.len().min(start + SLOT_BYTES))
}

fn read_slot(bytes: &[u8], slot: u64) -> Option<(u64, Head)> {
    let slot = slot_of(bytes, slot)?;
    // The value's length is not stored: its checksum fits at one length only.
    let length = slot.iter().rposition(|byte| *byte != 0)? + 1;
    (length..=slot.len()).find_map(|end| entry::open(&[], &slot[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clearance::ids::{Digest, Epoch, Revision};

    fn head(revision: u64) -> Head {
        Head { epoch: Epoch(1), revision: Revision(revision), hash: Digest([0; 32]) }
    }

    #[test]
    fn it_rises_only_and_survives_a_write_torn_anywhere() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("floor");
        let mut floor = FloorFile::open(&path).unwrap();
        assert_eq!(floor.head(), Head::default());
        for revision in 1..=5 {
            floor.raise(head(revision)).unwrap();
        }
        floor.raise(head(2)).unwrap();
        assert_eq!(FloorFile::open(&path).unwrap().head(), head(5));
        let before = fs::read(&path).unwrap();
        floor.raise(head(6)).unwrap();
        let after = fs::read(&path).unwrap();
        for torn in 0..after.len() {
            let mut bytes = before.clone();
            bytes[..torn].copy_from_slice(&after[..torn]);
            fs::write(&path, &bytes).unwrap();
            let found = FloorFile::open(&path).unwrap().head();
            assert!(found == head(5) || found == head(6), "torn at {torn}: {found:?}");
        }
    }
}
