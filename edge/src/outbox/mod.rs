//! What the lane owes central: passages, made durable before the signal they stand for.
//!
//! `journal` keeps steps on disk until central has acknowledged them, `evidence` the pictures that belong to them;
//! [`crate::link`] delivers both.

pub(crate) mod check;
pub(crate) mod disk;
mod evidence;
pub(crate) mod frame;
mod journal;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clearance::ids::PassageId;
use clearance::passage::PassageEvent;
pub use evidence::{EvidenceStore, MAX_PICTURE};
use journal::Journal;
use tokio::sync::Notify;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxLimits {
    /// Bytes of passages on disk; beyond, the lane holds. Default 256 MiB, weeks of passages.
    pub passage_bytes: u64,
    /// Bytes after which a new segment is begun. Default 1 MiB.
    pub segment_bytes: u64,
    /// Bytes of pictures on disk; beyond, the oldest go. Default 1 GiB.
    pub evidence_bytes: u64,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { passage_bytes: 256 << 20, segment_bytes: 1 << 20, evidence_bytes: 1 << 30 }
    }
}

/// Why a step could not be made durable. The lane holds.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The disk.
    #[error("{}: {source}; the lane holds until passages can be written again", path.display())]
    Disk {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No room.
    #[error("{}: full ({limit} bytes allowed); the lane holds until central has taken passages or there is room", path.display())]
    Full {
        /// File or folder.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// A step too long for the wire.
    #[error("a passage step of {bytes} bytes is longer than the {limit} that travel")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest.
        limit: usize,
    },
}

impl OutboxError {
    /// A failed write: a full disk is told apart, for it mends itself when room is made.
    fn of(path: PathBuf, source: std::io::Error) -> Self {
        if disk::is_full(&source) { Self::Full { path, limit: 0 } } else { Self::Disk { path, source } }
    }
}

/// What was found wrong when the outbox was opened; all else is intact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Files whose last bytes were never confirmed, and how many.
    pub torn: Vec<(PathBuf, u64)>,
    /// Damaged stretches, from and to.
    pub damaged: Vec<(PathBuf, std::ops::Range<u64>)>,
    /// Frames that are whole and make no sense.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Proof that an intent is on the disk. Only [`Outbox::record`] makes one; the gate asks for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Durable {
    passage: PassageId,
}

impl Durable {
    /// Of which passage.
    pub fn passage(&self) -> PassageId {
        self.passage
    }
}

/// The outbox of one edge node, shared by its lanes.
pub struct Outbox {
    journal: Mutex<Journal>,
    folder: PathBuf,
    recorded: Notify,
}

impl Outbox {
    /// Open, or make, the outbox in `folder`; what was found wrong is reported and left out.
    pub fn open(folder: &Path, limits: OutboxLimits) -> Result<(Self, OpenReport), OutboxError> {
        let mut report = OpenReport::default();
        let journal = Journal::open(folder, limits, Box::new(disk::append_to), &mut report)?;
        let outbox =
            Self { journal: Mutex::new(journal), folder: folder.to_owned(), recorded: Notify::new() };
        Ok((outbox, report))
    }

    /// Make a step of a passage durable. Blocks for one fsync.
    pub fn record(&self, event: &PassageEvent) -> Result<Durable, OutboxError> {
        self.journal().record(event)?;
        self.recorded.notify_one();
        Ok(Durable { passage: event.passage })
    }

    /// The oldest steps that central has not acknowledged, at most `limit`, each with its number.
    pub fn oldest(&self, limit: usize) -> Vec<(u64, PassageEvent)> {
        self.journal().oldest(limit).into_iter().map(|w| (w.number, w.event)).collect()
    }

    /// Central has taken the step with this number.
    pub fn acknowledge(&self, number: u64) -> Result<(), OutboxError> {
        self.journal().acknowledge(number)
    }

    /// Returns when a step was recorded since the last call: there is something to deliver.
    pub async fn recorded(&self) {
        self.recorded.notified().await;
    }

    /// Whether a step could be recorded now, as far as can be known without one. Blocking.
    pub fn probe(&self) -> Result<(), OutboxError> {
        if !self.journal().has_room() {
            return Err(OutboxError::Full { path: self.folder.clone(), limit: 0 });
        }
        evidence::probe(&self.folder).map_err(|source| OutboxError::of(self.folder.clone(), source))
    }

    /// Steps that wait for central.
    pub fn depth(&self) -> usize {
        self.journal().depth()
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
