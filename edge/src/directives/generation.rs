//! One build of the cache: a sled tree in `gen-N/`. Which one counts says `CURRENT`, switched atomically; everything
//! else in the folder is rubbish of an earlier attempt.
//!
//! sled 0.34 can fail or panic on what a crash left, so opening is guarded and the whole tree is checked against its
//! sum. A tree that is not exactly what was stored is thrown away: central can give the set again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clearance::directive::DirectiveEntry;
use clearance::ids::Digest;
use clearance::mark::RegistrationMark;
use clearance::merkle::{self, BUCKETS, BucketSet, Buckets, bucket_of};
use clearance::replicate::{DirectiveOp, Head};

use super::aside::SLED;
use super::cache::CacheFault;
use super::entry::{self, META, Meta, SetSum};
use crate::outbox::disk;

pub(super) const CURRENT: &str = "CURRENT";
pub(super) const PREFIX: &str = "gen-";

/// sled's page cache, in bytes. The set of a site is some ten MB; its default of 1 GB is for servers.
const PAGE_CACHE: u64 = 64 << 20;

/// Longest wait for the disk; one that takes longer is no use to a lane.
const FLUSH: Duration = Duration::from_secs(15);

/// After this a flush is asked once more.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Entries stored at once while a set is built.
const BATCH: usize = 1000;

pub(super) struct Generation {
    number: u64,
    tree: Tree,
    meta: Meta,
    /// Of the directives in the tree; made anew when it is opened.
    buckets: Buckets,
}

/// sled's tree, open. Before it is closed it is flushed: what sled would flush by itself while closing could wait for ever.
pub(super) struct Tree(sled::Db);

impl Deref for Tree {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        &self.0
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Err(error) = flush(self) {
            tracing::debug!(%error, "what was not flushed of a closed cache is not needed");
        }
    }
}

/// Run something that calls sled; a panic is a fault like others.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, CacheFault>) -> Result<T, CacheFault> {
    // After a panic the tree is not used again: every fault leads to a new generation.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(CacheFault::Panicked))
}

impl Generation {
    /// The one that counts, if it is there and whole.
    pub(super) fn current(root: &Path) -> Result<Option<Self>, CacheFault> {
        let number = match fs::read_to_string(root.join(CURRENT)) {
            Ok(text) => text.trim().strip_prefix(PREFIX).and_then(|n| n.parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(CacheFault::Disk { path: root.join(CURRENT), source }),
        };
        let Some(number) = number else { return Ok(None) };
        guarded(|| {
            let tree = open_tree(&folder(root, number))?;
            let meta: Meta = read(&tree, META)?.ok_or(CacheFault::Incomplete)?;
            let (sum, buckets) = scan(&tree)?;
            if sum != meta.sum {
                return Err(CacheFault::Incomplete);
            }
            Ok(Some(Self { number, tree, meta, buckets }))
        })
    }

    /// Build a new one from a whole set and let it count.
    pub(super) fn build(root: &Path, entries: &[DirectiveEntry], head: Head) -> Result<Self, CacheFault> {
        may_write()?;
        let number = numbers(root)?.into_iter().max().map_or(1, |n| n + 1);
        let path = folder(root, number);
        let built = guarded(|| {
            let tree = open_tree(&path)?;
            let mut sum = SetSum::default();
            for chunk in entries.chunks(BATCH) {
                let mut batch = sled::Batch::default();
                for entry in chunk {
                    for (key, sealed) in rows(entry) {
                        sum.toggle(&key, &sealed);
                        batch.insert(key, sealed);
                    }
                }
                tree.apply_batch(batch)?;
            }
            let meta = Meta { head, sum };
            tree.insert(META, entry::seal(META, &meta))?;
            flush(&tree)?;
            // sled syncs its files and not their names.
            disk::sync_folder(&path).map_err(|source| CacheFault::Disk { path: path.clone(), source })?;
            Ok(Self { number, tree, meta, buckets: Buckets::of(entries) })
        })?;
        let pointer = root.join(CURRENT);
        disk::replace_file(&pointer, format!("{PREFIX}{number}\n").as_bytes())
            .map_err(|source| CacheFault::Disk { path: pointer, source })?;
        Ok(built)
    }

    /// Let none count.
    pub(super) fn forget(root: &Path) -> io::Result<()> {
        match fs::remove_file(root.join(CURRENT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => disk::sync_folder(root),
        }
    }

    /// Remove every other one.
    pub(super) fn sweep(root: &Path, keep: Option<&Self>) {
        for number in numbers(root).unwrap_or_default() {
            if keep.is_some_and(|kept| kept.number == number) {
                continue;
            }
            let path = folder(root, number);
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove an old cache; remove it by hand if it stays");
            }
        }
    }

    pub(super) fn head(&self) -> Head {
        self.meta.head
    }

    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Read everything again; a fault if it is not what was stored.
    pub(super) fn scrub(&self) -> Result<(), CacheFault> {
        let (sum, buckets) = scan(&self.tree)?;
        if sum == self.meta.sum && buckets == self.buckets { Ok(()) } else { Err(CacheFault::Incomplete) }
    }

    /// The entry whose Hong Kong mark is `mark`.
    pub(super) fn of_hong_kong(&self, mark: &RegistrationMark) -> Result<Option<DirectiveEntry>, CacheFault> {
        read(&self.tree, &entry::hong_kong_key(mark))
    }

    /// The entries whose mainland mark is `mark`.
    pub(super) fn of_mainland(&self, mark: &RegistrationMark) -> Result<Vec<DirectiveEntry>, CacheFault> {
        let mut entries = Vec::new();
        for row in self.tree.scan_prefix(entry::mainland_prefix(mark)) {
            let (key, sealed) = row?;
            let hong_kong: RegistrationMark =
                entry::open(&key, &sealed).ok_or_else(|| CacheFault::corrupt(&key))?;
            entries.push(self.of_hong_kong(&hong_kong)?.ok_or(CacheFault::Incomplete)?);
        }
        Ok(entries)
    }

    /// What deltas change, one after the other, up to the last one's head; and the root after each.
    pub(super) fn applied(
        &self,
        deltas: &[(Vec<DirectiveOp>, Head)],
    ) -> Result<(Change, Vec<Digest>), CacheFault> {
        let mut change = Change::of(self);
        let mut known: BTreeMap<&RegistrationMark, Option<DirectiveEntry>> = BTreeMap::new();
        let mut roots = Vec::with_capacity(deltas.len());
        for (ops, head) in deltas {
            for op in ops {
                let mark = op.mark();
                if !known.contains_key(mark) {
                    known.insert(mark, self.of_hong_kong(mark)?);
                }
                let before = known.get(mark).cloned().flatten();
                if let Some(after) = op.applied(before.as_ref(), head.revision) {
                    change.put(mark, before.as_ref(), Some(&after));
                    known.insert(mark, Some(after));
                }
            }
            roots.push(change.buckets.root());
        }
        let head = deltas.last().map_or(self.meta.head, |(_, head)| *head);
        Ok((change.moved_to(head), roots))
    }

    /// What changes when these buckets hold `entries` and the set moves to `head`; a fault if the root would not be `root`
    /// then.
    pub(super) fn with_buckets(
        &self,
        buckets: BucketSet,
        entries: &[DirectiveEntry],
        head: Head,
        root: Digest,
    ) -> Result<Change, CacheFault> {
        let after: BTreeMap<&RegistrationMark, &DirectiveEntry> =
            entries.iter().map(|entry| (&entry.directive.mark, entry)).collect();
        let mut before = BTreeMap::new();
        for row in self.tree.scan_prefix(entry::HONG_KONG) {
            let (key, sealed) = row?;
            let entry: DirectiveEntry =
                entry::open(&key, &sealed).ok_or_else(|| CacheFault::corrupt(&key))?;
            if buckets.contains(bucket_of(&entry.directive.mark)) {
                before.insert(entry.directive.mark.clone(), entry);
            }
        }
        let mut change = Change::of(self);
        let marks: BTreeSet<&RegistrationMark> = before.keys().chain(after.keys().copied()).collect();
        for mark in marks {
            change.put(mark, before.get(mark), after.get(mark).copied());
        }
        if change.buckets.root() != root {
            return Err(CacheFault::Incomplete);
        }
        Ok(change.moved_to(head))
    }

    /// Let a change count, in one batch. It is one of this generation as it stands: nothing came between.
    pub(super) fn commit(&mut self, change: Change) -> Result<(), CacheFault> {
        self.tree.apply_batch(change.batch)?;
        self.meta = change.meta;
        self.buckets = change.buckets;
        Ok(())
    }

    /// Push it towards the disk. sled promises no more than that, hence the floor and the sum.
    pub(super) fn flush(&self) -> Result<(), CacheFault> {
        flush(&self.tree)
    }

    /// Close it, without waiting for that: a tree that has failed may not come to an end.
    pub(super) fn abandon(self) {
        if let Err(error) = SLED.start("close", move || drop(self)) {
            tracing::warn!(%error, "the damaged cache is not closed");
        }
    }
}

/// What is about to change in a tree, with the sums as they will be.
pub(super) struct Change {
    batch: sled::Batch,
    meta: Meta,
    buckets: Buckets,
}

impl Change {
    fn of(generation: &Generation) -> Self {
        Self { batch: sled::Batch::default(), meta: generation.meta, buckets: generation.buckets.clone() }
    }

    /// Let the set stand at `head` after it.
    fn moved_to(mut self, head: Head) -> Self {
        self.meta.head = head;
        self.batch.insert(META, entry::seal(META, &self.meta));
        self
    }

    fn put(
        &mut self,
        mark: &RegistrationMark,
        before: Option<&DirectiveEntry>,
        after: Option<&DirectiveEntry>,
    ) {
        self.buckets.change(mark, before, after);
        for (key, sealed) in before.map(rows).into_iter().flatten() {
            self.meta.sum.toggle(&key, &sealed);
            self.batch.remove(key);
        }
        for (key, sealed) in after.map(rows).into_iter().flatten() {
            self.meta.sum.toggle(&key, &sealed);
            self.batch.insert(key, sealed);
        }
    }
}

/// The rows of an entry: itself, and its place in the index.
fn rows(entry: &DirectiveEntry) -> Vec<(Vec<u8>, Vec<u8>)> {
    let key = entry::hong_kong_key(&entry.directive.mark);
    let mut rows = vec![(key.clone(), entry::seal(&key, entry))];
    if let Some(key) = entry::mainland_key(entry) {
        let sealed = entry::seal(&key, &entry.directive.mark);
        rows.push((key, sealed));
    }
    rows
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(tree: &Tree, key: &[u8]) -> Result<Option<T>, CacheFault> {
    let Some(sealed) = tree.get(key)? else { return Ok(None) };
    entry::open(key, &sealed).map(Some).ok_or_else(|| CacheFault::corrupt(key))
}

/// The sums of a whole tree, every directive of which is read.
fn scan(tree: &Tree) -> Result<(SetSum, Buckets), CacheFault> {
    let mut sum = SetSum::default();
    let mut sums = [Digest::default(); BUCKETS];
    for row in tree.iter() {
        let (key, sealed) = row?;
        if key.as_ref() == META {
            continue;
        }
        sum.toggle(&key, &sealed);
        if key.starts_with(entry::HONG_KONG) {
            let entry: DirectiveEntry =
                entry::open(&key, &sealed).ok_or_else(|| CacheFault::corrupt(&key))?;
            merkle::add(&mut sums[usize::from(bucket_of(&entry.directive.mark))], merkle::leaf(&entry));
        }
    }
    Ok((sum, Buckets::from_sums(&sums)))
}

/// sled 0.34 can wait for ever once a write of its own has failed: the failure is noted, and whoever waits is not told. Another
/// flush finds the note and wakes the one that waits. What waits all the same is left behind.
fn flush(tree: &Tree) -> Result<(), CacheFault> {
    let (done, flushed) = mpsc::channel();
    let ask = || {
        let (tree, done) = (tree.0.clone(), done.clone());
        let flush = move || {
            let result = guarded(|| Ok(tree.flush().map(drop)?));
            // Before anybody opens it again.
            drop(tree);
            let _ = done.send(result);
        };
        SLED.start("flush", flush).map_err(|_| CacheFault::Hangs)
    };
    ask()?;
    let until = Instant::now() + FLUSH;
    loop {
        match flushed.recv_timeout(ASK_AGAIN) {
            Ok(result) => return result,
            Err(_) if Instant::now() >= until => return Err(CacheFault::Hangs),
            Err(_) => ask()?,
        }
    }
}

/// Nobody may write while a flush or a close is left behind; see [`super::aside`].
pub(super) fn may_write() -> Result<(), CacheFault> {
    if SLED.settled(FLUSH) { Ok(()) } else { Err(CacheFault::Hangs) }
}

pub(super) fn open_tree(path: &Path) -> Result<Tree, CacheFault> {
    let config = sled::Config::new().path(path).cache_capacity(PAGE_CACHE).flush_every_ms(None);
    Ok(Tree(config.open()?))
}

pub(super) fn folder(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{PREFIX}{number}"))
}

fn numbers(root: &Path) -> Result<Vec<u64>, CacheFault> {
    let failed = |source| CacheFault::Disk { path: root.to_owned(), source };
    let mut numbers = Vec::new();
    for item in fs::read_dir(root).map_err(failed)? {
        let name = item.map_err(failed)?.file_name();
        numbers
            .extend(name.to_str().and_then(|n| n.strip_prefix(PREFIX)).and_then(|n| n.parse::<u64>().ok()));
    }
    Ok(numbers)
}
