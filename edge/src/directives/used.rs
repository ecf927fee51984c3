//! Directives that a passage at this edge has used up. Kept apart from the cache, because it is not crash-proof and can
//! be thrown away at any time, while a directive used here must stay used, whatever central's log says so far.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clearance::ids::{MovementId, PassageId};
use minicbor::{Decode, Encode};

use crate::outbox::disk::{self, Medium};
use crate::outbox::frame;

/// Marks kept: months of passages at one edge (choice). The oldest go; by then central's log says it too.
const KEPT: usize = 100_000;

/// One movement used up.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct UsedMark {
    #[n(0)]
    movement: MovementId,
    #[n(1)]
    passage: PassageId,
}

pub(super) struct UsedLog {
    path: PathBuf,
    used: HashMap<MovementId, PassageId>,
    length: u64,
    /// `None` once the file is in doubt: the next mark writes it anew.
    writer: Option<Box<dyn Medium>>,
}

impl UsedLog {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let found = frame::scan(&bytes);
        let marks: Vec<UsedMark> = found.frames.iter().filter_map(|f| minicbor::decode(f).ok()).collect();
        let lost = found.damaged.len() + found.frames.len() - marks.len();
        if lost > 0 {
            tracing::error!(path = %path.display(), lost, "marks of used directives are damaged; until central's log has them, these could be used twice: check the disk");
        }
        let surplus = marks.len().saturating_sub(KEPT);
        let used = marks.into_iter().skip(surplus).map(|m| (m.movement, m.passage)).collect();
        let mut log = Self { path: path.to_owned(), used, length: found.sound as u64, writer: None };
        if lost > 0 || surplus > 0 || found.sound < bytes.len() {
            log.rewrite()?;
        } else {
            log.writer = Some(disk::append_to(path)?);
        }
        Ok(log)
    }

    /// The passage that used this movement's directive up.
    pub(super) fn by(&self, movement: &MovementId) -> Option<PassageId> {
        self.used.get(movement).copied()
    }

    /// Note, durably, that this passage uses it up.
    pub(super) fn mark(&mut self, movement: &MovementId, passage: PassageId) -> io::Result<()> {
        if self.writer.is_none() {
            self.rewrite()?;
        }
        let Some(mut writer) = self.writer.take() else {
            return Err(io::Error::other("no file to write to"));
        };
        let bytes = framed(&UsedMark { movement: movement.clone(), passage });
        if let Err(error) = writer.append(&bytes).and_then(|()| writer.sync()) {
            // Whether it is there or not, it does not count: the lane holds, and the file is written anew.
            let _ = writer.cut(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.writer = Some(writer);
        self.used.insert(movement.clone(), passage);
        Ok(())
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let mut marks: Vec<_> = self.used.iter().collect();
        // Passage ids sort by time.
        marks.sort_unstable_by_key(|(_, passage)| **passage);
        let bytes: Vec<u8> = marks
            .into_iter()
            .flat_map(|(movement, passage)| {
                framed(&UsedMark { movement: movement.clone(), passage: *passage })
            })
            .collect();
        disk::replace_file(&self.path, &bytes)?;
        self.length = bytes.len() as u64;
        self.writer = Some(disk::append_to(&self.path)?);
        Ok(())
    }
}

/// The mark in a frame's payload.
pub(super) fn decoded(payload: &[u8]) -> Option<(MovementId, PassageId)> {
    minicbor::decode(payload).ok().map(|mark: UsedMark| (mark.movement, mark.passage))
}

fn framed(mark: &UsedMark) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail, and no encoder of ours does")]
    let payload = minicbor::to_vec(mark).expect("CBOR into memory");
    frame::frame(&payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(n: u8) -> MovementId {
        format!("m{n}").parse().unwrap()
    }

    #[test]
    fn a_log_torn_at_any_byte_holds_a_prefix_and_goes_on() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("used");
        let mut log = UsedLog::open(&path).unwrap();
        (0..3).for_each(|n| log.mark(&movement(n), PassageId([n; 16])).unwrap());
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut log = UsedLog::open(&path).unwrap();
            let held = (0..3).filter(|n| log.by(&movement(*n)).is_some()).count();
            assert_eq!(held, cut * 3 / whole.len(), "cut at {cut}");
            log.mark(&movement(9), PassageId([9; 16])).unwrap();
            drop(log);
            let log = UsedLog::open(&path).unwrap();
            assert_eq!(log.by(&movement(9)), Some(PassageId([9; 16])));
            assert_eq!((0..3).filter(|n| log.by(&movement(*n)).is_some()).count(), held);
        }
    }
}
