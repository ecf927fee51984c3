//! The set of directives on this edge's disk, and what must survive it.
//!
//! Invariants:
//! - a look-up gives what central's log says at one (epoch, revision), or a fault; never a wrong directive;
//! - the set never goes back behind the floor;
//! - a directive that was used here stays used.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use clearance::directive::{DirectiveEntry, DirectiveStatus, DirectiveView};
use clearance::follower::{Found, Quarantine};
use clearance::ids::{Digest, MovementId, PassageId};
use clearance::mark::RegistrationMark;
use clearance::merkle::{BucketSet, Buckets};
use clearance::replicate::{DirectiveOp, Head};

use super::aside::SLED;
use super::floor::FloorFile;
use super::generation::{self, Change, Generation, guarded};
use super::quarantine::QuarantineNote;
use super::used::UsedLog;
use crate::outbox::disk;

/// Why the cache cannot be believed. The lane holds until it was built anew.
#[derive(Debug, thiserror::Error)]
pub enum CacheFault {
    /// A value is not what was stored.
    #[error("the value of {key:?} in the directive cache is damaged; it is being fetched anew")]
    Corrupt {
        /// Its key.
        key: String,
    },
    /// Something is missing, or older than it should be.
    #[error("the directive cache is not what was stored; it is being fetched anew")]
    Incomplete,
    /// The store fails.
    #[error("the directive cache fails: {0}; it is being fetched anew")]
    Store(#[from] sled::Error),
    /// The store panicked.
    #[error("the directive cache panicked; it is being fetched anew")]
    Panicked,
    /// The store does not come to an end.
    #[error(
        "the directive cache does not get its data onto the disk; it is being fetched anew: check the disk"
    )]
    Hangs,
    /// The disk fails.
    #[error("cannot read or write {}: {source}; check the disk and the folder's permissions", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl CacheFault {
    pub(super) fn corrupt(key: &[u8]) -> Self {
        Self::Corrupt { key: String::from_utf8_lossy(key).into_owned() }
    }
}

/// Why a passage may not use a directive.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another passage has.
    #[error("another passage ({0}) has used this directive")]
    AlreadyUsed(PassageId),
    /// It was taken back or replaced since it was looked up.
    #[error("the directive is no longer active")]
    NotActive,
    /// It cannot be made durable, or not be looked up.
    #[error(transparent)]
    Fault(#[from] CacheFault),
}

/// How long a change of the cache should lie back before the next: what comes meanwhile goes into one batch. Each batch
/// holds up whoever looks something up at that moment, and makes the disk write. A directive that comes alone does not wait.
pub const REST: std::time::Duration = std::time::Duration::from_millis(4);

/// The cache; clones share it.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    /// `None`: nothing is held.
    generation: RwLock<Option<Generation>>,
    used: RwLock<UsedLog>,
    /// Also held by whoever changes the set: one at a time.
    floor: Mutex<FloorFile>,
    quarantine: QuarantineNote,
    faulted: AtomicBool,
}

impl Cache {
    /// Open the cache in `root`, made if it is not there. What cannot be believed is thrown away. Blocking.
    pub fn open(root: &Path) -> Result<Self, CacheFault> {
        let at = |name: &str| root.join(name);
        disk::make_folder(root).map_err(|source| CacheFault::Disk { path: root.to_owned(), source })?;
        let mut floor =
            FloorFile::open(&at("floor")).map_err(|source| CacheFault::Disk { path: at("floor"), source })?;
        let used =
            UsedLog::open(&at("used")).map_err(|source| CacheFault::Disk { path: at("used"), source })?;
        let generation = believable(Generation::current(root), floor.head()).filter(|generation| {
            // The power may have gone between the set and its floor. From now on this is served, so behind this it must
            // never go, whatever the next power cut takes from the set.
            let raised = floor.raise(generation.head());
            if let Err(error) = &raised {
                tracing::warn!(%error, "the floor of the directive cache cannot be raised: fetching the directives anew");
            }
            raised.is_ok()
        });
        Generation::sweep(root, generation.as_ref());
        let inner = Inner {
            root: root.to_owned(),
            generation: RwLock::new(generation),
            used: RwLock::new(used),
            floor: Mutex::new(floor),
            quarantine: QuarantineNote::at(&at("quarantine")),
            faulted: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the set stands; `None` if there is none.
    pub fn held(&self) -> Option<Head> {
        self.generation().as_ref().map(Generation::head)
    }

    /// What a follower goes on from.
    pub fn found(&self) -> Found {
        let held =
            self.generation().as_ref().map(|generation| (generation.head(), generation.buckets().root()));
        Found { held, floor: self.floor_file().head(), quarantine: self.inner.quarantine.read() }
    }

    /// Sums of what is held; `None` if nothing is.
    pub fn buckets(&self) -> Option<Buckets> {
        self.generation().as_ref().map(|generation| generation.buckets().clone())
    }

    /// Note, durably, that central's history contradicts itself. Waits for the disk.
    pub fn quarantine(&self, why: Quarantine) -> Result<(), CacheFault> {
        self.noted(self.inner.quarantine.write(why))
    }

    /// Forget that note. Waits for the disk.
    pub fn lift_quarantine(&self) -> Result<(), CacheFault> {
        self.noted(self.inner.quarantine.remove())
    }

    fn noted(&self, result: io::Result<()>) -> Result<(), CacheFault> {
        result.map_err(|source| CacheFault::Disk { path: self.inner.quarantine.path().to_owned(), source })
    }

    /// Read the whole set again and compare it with what was stored. Blocking, for as long as the disk takes.
    pub fn scrub(&self) -> Result<(), CacheFault> {
        let Some(generation) = &*self.generation() else { return Ok(()) };
        self.noting(guarded(|| generation.scrub()))
    }

    /// What is known of these marks, at one (epoch, revision).
    pub fn view(&self, marks: &[RegistrationMark]) -> Result<DirectiveView, CacheFault> {
        let used = self.inner.used.read().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation();
        let Some(generation) = generation.as_ref() else { return Ok(DirectiveView::default()) };
        let found = self.noting(guarded(|| entries_of(generation, marks)))?;
        let Head { epoch, revision, .. } = generation.head();
        let entries = found.into_iter().map(|entry| overlaid(entry, &used)).collect();
        Ok(DirectiveView { epoch, revision, entries })
    }

    /// Use a movement's directive up for this passage: durable when it returns. Refused if another passage has, or if
    /// the directive is no longer active; the same passage may ask again. Waits for the disk.
    pub fn mark_used(
        &self,
        movement: &MovementId,
        mark: &RegistrationMark,
        passage: PassageId,
    ) -> Result<(), ClaimError> {
        let mut used = self.inner.used.write().unwrap_or_else(PoisonError::into_inner);
        match used.by(movement) {
            Some(by) if by == passage => return Ok(()),
            Some(by) => return Err(ClaimError::AlreadyUsed(by)),
            None => {}
        }
        let entry = match self.generation().as_ref() {
            Some(generation) => self.noting(guarded(|| generation.of_hong_kong(mark)))?,
            None => None,
        };
        let entry = entry.filter(|e| e.directive.movement == *movement).ok_or(ClaimError::NotActive)?;
        match entry.status {
            DirectiveStatus::Active => {}
            DirectiveStatus::Used { passage: by } if by == passage => return Ok(()),
            DirectiveStatus::Used { passage: by } => return Err(ClaimError::AlreadyUsed(by)),
            DirectiveStatus::Revoked => return Err(ClaimError::NotActive),
        }
        let marked = used.mark(movement, passage);
        marked.map_err(|source| CacheFault::Disk { path: self.inner.root.join("used"), source }.into())
    }

    /// Apply deltas that follow one another, in one batch with the last one's head; gives the root of the set after each.
    /// Waits for the disk once, however many there are.
    pub fn apply(&self, deltas: &[(Vec<DirectiveOp>, Head)]) -> Result<Vec<Digest>, CacheFault> {
        let Some((_, last)) = deltas.last() else { return Ok(Vec::new()) };
        self.change(*last, |generation| generation.applied(deltas))
    }

    /// Replace what these buckets hold, in one batch with the head; a fault, and no change, if the root would not be
    /// `root` then. Waits for the disk.
    pub fn replace_buckets(
        &self,
        buckets: BucketSet,
        entries: &[DirectiveEntry],
        head: Head,
        root: Digest,
    ) -> Result<Digest, CacheFault> {
        self.change(head, |generation| Ok((generation.with_buckets(buckets, entries, head, root)?, root)))
    }

    /// Let what `work` finds count, and be durable.
    fn change<T>(
        &self,
        head: Head,
        work: impl FnOnce(&Generation) -> Result<(Change, T), CacheFault>,
    ) -> Result<T, CacheFault> {
        // Held to the end: whoever changes the set does, so the generation stays as `work` has seen it.
        let mut floor = self.floor_file();
        generation::may_write()?;
        let (change, done) = {
            // Look-ups go on meanwhile; they wait for the commit alone.
            let generation = self.generation();
            let generation = generation.as_ref().ok_or(CacheFault::Incomplete)?;
            guarded(|| work(generation))?
        };
        {
            let mut generation = self.inner.generation.write().unwrap_or_else(PoisonError::into_inner);
            let generation = generation.as_mut().ok_or(CacheFault::Incomplete)?;
            guarded(|| generation.commit(change))?;
        }
        if let Some(generation) = self.generation().as_ref() {
            guarded(|| generation.flush())?;
        }
        self.raise(&mut floor, head)?;
        Ok(done)
    }

    /// Replace the whole set by a new generation; gives its root. The old one serves until that is whole. Waits for the
    /// disk.
    pub fn replace_all(&self, entries: &[DirectiveEntry], head: Head) -> Result<Digest, CacheFault> {
        let mut floor = self.floor_file();
        let built = Generation::build(&self.inner.root, entries, head)?;
        let root = built.buckets().root();
        self.inner.faulted.store(false, Ordering::SeqCst);
        let before = {
            let mut generation = self.inner.generation.write().unwrap_or_else(PoisonError::into_inner);
            generation.replace(built)
        };
        // Look-ups do not wait for this.
        drop(before);
        Generation::sweep(&self.inner.root, self.generation().as_ref());
        self.raise(&mut floor, head)?;
        Ok(root)
    }

    /// Throw the set away, after a fault.
    pub fn reset(&self) {
        let floor = self.floor_file();
        let faulty = self.inner.generation.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(generation) = faulty {
            generation.abandon();
        }
        if let Err(error) = Generation::forget(&self.inner.root) {
            tracing::warn!(path = %self.inner.root.display(), %error, "cannot remove CURRENT; the damaged cache is found out again at the next start");
        }
        drop(floor);
    }

    /// How long the store has not come to an end with something. Nothing is written until it has.
    pub fn waits_for_store(&self) -> Option<std::time::Duration> {
        SLED.oldest()
    }

    /// Whether a look-up has failed since the last question.
    pub fn take_fault(&self) -> bool {
        self.inner.faulted.swap(false, Ordering::SeqCst)
    }

    fn raise(&self, floor: &mut FloorFile, head: Head) -> Result<(), CacheFault> {
        floor.raise(head).map_err(|source| CacheFault::Disk { path: self.inner.root.join("floor"), source })
    }

    fn noting<T>(&self, result: Result<T, CacheFault>) -> Result<T, CacheFault> {
        if result.is_err() {
            self.inner.faulted.store(true, Ordering::SeqCst);
        }
        result
    }

    fn generation(&self) -> std::sync::RwLockReadGuard<'_, Option<Generation>> {
        self.inner.generation.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn floor_file(&self) -> MutexGuard<'_, FloorFile> {
        self.inner.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn believable(found: Result<Option<Generation>, CacheFault>, floor: Head) -> Option<Generation> {
    match found {
        Ok(found) => found.filter(|generation| {
            let head = generation.head();
            let believed = (head.epoch, head.revision) >= (floor.epoch, floor.revision);
            if !believed {
                tracing::warn!(
                    ?head,
                    ?floor,
                    "the directive cache is older than what was held before: fetching it anew"
                );
            }
            believed
        }),
        Err(error) => {
            tracing::warn!(%error, "the directive cache cannot be opened");
            None
        }
    }
}

/// Everything under any of the marks, as Hong Kong or mainland mark, each once.
fn entries_of(
    generation: &Generation,
    marks: &[RegistrationMark],
) -> Result<Vec<DirectiveEntry>, CacheFault> {
    let mut entries: Vec<DirectiveEntry> = Vec::new();
    for mark in marks {
        let found = generation.of_hong_kong(mark)?.into_iter().chain(generation.of_mainland(mark)?);
        for entry in found {
            if !entries.iter().any(|known| known.directive.mark == entry.directive.mark) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// Used here is used, even if central's log has not said so yet.
fn overlaid(mut entry: DirectiveEntry, used: &UsedLog) -> DirectiveEntry {
    if entry.status == DirectiveStatus::Active
        && let Some(passage) = used.by(&entry.directive.movement)
    {
        entry.status = DirectiveStatus::Used { passage };
    }
    entry
}
