//! Pictures that wait for central, each a file. They are evidence, not intent: a lane never waits for them, and when
//! there is no room the oldest go.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clearance::ids::{Digest, PassageId};
use clearance::passage::{Evidence, EvidenceKind};

use super::OutboxError;
use super::disk::{self, PARTIAL};

pub(super) const EXTENSION: &str = "jpg";

/// The largest picture kept: what an envelope of [`clearance::wire::MAX_ENVELOPE`] leaves.
pub const MAX_PICTURE: usize = clearance::wire::MAX_ENVELOPE - 4096;

/// Pictures on disk.
pub struct EvidenceStore {
    folder: PathBuf,
    limit: u64,
    files: Mutex<Files>,
}

/// By number, oldest first: name and size.
#[derive(Default)]
struct Files {
    waiting: BTreeMap<u64, (String, u64)>,
    bytes: u64,
    next: u64,
}

impl EvidenceStore {
    /// Open, or make, the store in `folder`, with room for `limit` bytes.
    pub fn open(folder: &Path, limit: u64) -> Result<Self, OutboxError> {
        let failed = |source| OutboxError::Disk { path: folder.to_owned(), source };
        disk::make_folder(folder).map_err(failed)?;
        let mut files = Files::default();
        for item in fs::read_dir(folder).map_err(failed)? {
            let item = item.map_err(failed)?;
            let name = item.file_name().to_string_lossy().into_owned();
            if name.ends_with(PARTIAL) {
                let _ = fs::remove_file(item.path());
            } else if let Some((number, _, _)) = parse(&name) {
                let size = item.metadata().map_err(failed)?.len();
                files.next = files.next.max(number + 1);
                files.bytes += size;
                files.waiting.insert(number, (name, size));
            }
        }
        Ok(Self { folder: folder.to_owned(), limit, files: Mutex::new(files) })
    }

    /// Keep a picture for central; gives its digest. Blocking.
    pub fn put(&self, passage: PassageId, kind: EvidenceKind, jpeg: &[u8]) -> io::Result<Digest> {
        if jpeg.len() > MAX_PICTURE {
            return Err(io::Error::other(format!("a picture of {} bytes is too large", jpeg.len())));
        }
        let mut files = self.files();
        while files.bytes + jpeg.len() as u64 > self.limit {
            let Some(oldest) = files.waiting.keys().next().copied() else { break };
            tracing::warn!("no room for pictures: the oldest is dropped");
            self.forget(&mut files, oldest);
        }
        let number = files.next;
        let letter = match kind {
            EvidenceKind::Crop => 'c',
            EvidenceKind::Picture => 'p',
        };
        let name = format!("{number:016x}-{passage}-{letter}.{EXTENSION}");
        let path = self.folder.join(&name);
        let beside = path.with_added_extension(PARTIAL);
        fs::write(&beside, jpeg).and_then(|()| fs::rename(&beside, &path)).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })?;
        files.next += 1;
        files.bytes += jpeg.len() as u64;
        files.waiting.insert(number, (name, jpeg.len() as u64));
        Ok(Digest::of(jpeg))
    }

    /// The oldest picture, with its number. What cannot be read is dropped. Blocking.
    pub fn oldest(&self) -> Option<(u64, Evidence)> {
        let mut files = self.files();
        loop {
            let (number, name) = files.waiting.iter().next().map(|(n, (name, _))| (*n, name.clone()))?;
            let read = fs::read(self.folder.join(&name));
            if let (Some((_, passage, kind)), Ok(jpeg)) = (parse(&name), read) {
                return Some((number, Evidence { passage, kind, digest: Digest::of(&jpeg), jpeg }));
            }
            tracing::warn!(name, "a picture that waited for central cannot be read and is dropped");
            self.forget(&mut files, number);
        }
    }

    /// Central has the picture with this number.
    pub fn acknowledge(&self, number: u64) {
        self.forget(&mut self.files(), number);
    }

    /// Pictures that wait.
    pub fn depth(&self) -> usize {
        self.files().waiting.len()
    }

    fn forget(&self, files: &mut Files, number: u64) {
        if let Some((name, size)) = files.waiting.remove(&number) {
            files.bytes = files.bytes.saturating_sub(size);
            if let Err(error) = fs::remove_file(self.folder.join(&name)) {
                tracing::warn!(name, %error, "cannot remove a picture");
            }
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Number, passage and kind in a file's name.
pub(super) fn parse(name: &str) -> Option<(u64, PassageId, EvidenceKind)> {
    let mut parts = name.strip_suffix(EXTENSION)?.strip_suffix('.')?.split('-');
    let number = u64::from_str_radix(parts.next()?, 16).ok()?;
    let passage = parts.next()?.parse().ok()?;
    let kind = match (parts.next()?, parts.next()) {
        ("c", None) => EvidenceKind::Crop,
        ("p", None) => EvidenceKind::Picture,
        _ => return None,
    };
    Some((number, passage, kind))
}

/// Room for a small file: what a full disk lacks. Used to find out whether passages can be written again.
pub(super) fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("probe");
    disk::replace_file(&path, &[0; 4096])?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_survive_a_restart_go_when_acknowledged_and_never_outgrow_their_room() {
        let folder = tempfile::TempDir::new().unwrap();
        let passage = PassageId([7; 16]);
        let store = EvidenceStore::open(folder.path(), 3000).unwrap();
        store.put(passage, EvidenceKind::Crop, &[1; 1000]).unwrap();
        let second = store.put(passage, EvidenceKind::Picture, &[2; 1000]).unwrap();
        std::fs::write(folder.path().join("0000.jpg.partial"), "half").unwrap();
        drop(store);
        let store = EvidenceStore::open(folder.path(), 3000).unwrap();
        assert_eq!(store.depth(), 2);
        let (number, first) = store.oldest().unwrap();
        assert_eq!((first.passage, first.kind, first.jpeg), (passage, EvidenceKind::Crop, vec![1; 1000]));
        store.acknowledge(number);
        assert_eq!(store.oldest().unwrap().1.digest, second);
        for n in 3..6 {
            store.put(passage, EvidenceKind::Picture, &[n; 1000]).unwrap();
        }
        assert_eq!(store.depth(), 3, "the oldest went");
        assert_eq!(store.oldest().unwrap().1.jpeg[0], 3);
        assert!(store.put(passage, EvidenceKind::Picture, &vec![0; MAX_PICTURE + 1]).is_err());
    }
}
