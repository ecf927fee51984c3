//! Officers who assign and revoke action codes and vehicles that drive up, all the time, whatever happens to network, disk
//! and processes meanwhile; and what must hold of all that, during and after.
//!
//! During: a lane releases only on a directive that was assigned, never later than one lease after central has acknowledged
//! its revocation or after the lane was cut off, and never twice. After: everything that was acknowledged is there, each
//! lane holds what central holds, and each passage that a lane has recorded is at central once and whole. What was never
//! answered may have been done or not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clearance::decide::{LaneFault, Reason};
use clearance::ids::{PassageId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::passage::Outcome;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::network::{Network, comes};
use super::node::{Decided, Node};

/// Between two requests of the officers, and between two vehicles of a lane: a pace, nothing is waited for with it.
const PACE: Duration = Duration::from_millis(40);

/// How many officers work at once.
const OFFICERS: u64 = 3;

/// Vehicles come with, and officers revoke, one of so many of the latest marks: known to the lanes for a while, or just
/// assigned.
const LATEST: [usize; 2] = [10, 100];

/// What is known of one mark and its movement.
#[derive(Clone, Debug, Default)]
struct Entry {
    lane: usize,
    movement: String,
    /// Central has acknowledged that it is assigned.
    assigned: bool,
    /// When central had acknowledged that it is revoked.
    revoked: Option<UtcMillis>,
    /// It was asked to revoke it and nobody knows what came of it.
    perhaps_revoked: bool,
    /// The passage on which the gate was opened.
    used: Option<PassageId>,
    /// A lane did not answer when a vehicle came with it.
    perhaps_used: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Assignments and revocations that central has acknowledged.
    pub assigned: u32,
    /// See there.
    pub revoked: u32,
    /// Requests that were not answered.
    pub unanswered: u32,
    /// Vehicles that were released.
    pub released: u32,
    /// Vehicles that were not.
    pub referred: u32,
    /// Of these, because their lane had no lease.
    pub stale: u32,
    /// Vehicles whose lane did not answer.
    pub unknown: u32,
}

#[derive(Default)]
struct Book {
    entries: BTreeMap<RegistrationMark, Entry>,
    /// Marks given out.
    marks: usize,
    passages: BTreeMap<PassageId, Option<Decided>>,
    /// When each lane was cut off.
    cut_off: BTreeMap<usize, UtcMillis>,
    wrong: Vec<String>,
    counts: Counts,
}

/// Officers, vehicles, and the book that is kept of them.
pub struct Traffic<'n> {
    network: &'n Network,
    site: String,
    lanes: usize,
    lease_ms: u64,
    book: Mutex<Book>,
}

impl<'n> Traffic<'n> {
    /// At a site of a network, with so many lanes and leases of this length.
    pub fn new(network: &'n Network, site: &str, lanes: usize, lease_ms: u64) -> Self {
        Self { network, site: site.to_owned(), lanes, lease_ms, book: Mutex::default() }
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.book().counts
    }

    /// A lane was cut off from central now, or is connected again.
    pub fn cut_off(&self, lane: usize, cut: bool) {
        let mut book = self.book();
        if cut {
            book.cut_off.insert(lane, edge::clock::utc_now());
        } else {
            book.cut_off.remove(&lane);
        }
    }

    /// Officers and vehicles go on while something else happens; a node for each lane.
    pub async fn during<T>(
        &self,
        nodes: &mut [Node],
        seed: u64,
        happens: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let over = AtomicBool::new(false);
        let officers = (0..OFFICERS).map(|officer| self.officers(seed + 1000 * (1 + officer), &over));
        let officers = futures::future::join_all(officers);
        let lanes = nodes.iter_mut().enumerate().map(|(lane, node)| {
            let (over, mut chance) = (&over, ChaCha8Rng::seed_from_u64(seed + 1 + lane as u64));
            async move {
                while !over.load(Ordering::SeqCst) {
                    self.vehicle(lane, node, &mut chance).await;
                }
            }
        });
        let happens = async {
            let happened = happens.await;
            over.store(true, Ordering::SeqCst);
            happened
        };
        let (happened, _, _) = tokio::join!(happens, officers, futures::future::join_all(lanes));
        self.is_right()?;
        happened
    }

    /// Assign and revoke until it is over.
    pub async fn officers(&self, seed: u64, over: &AtomicBool) {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        while !over.load(Ordering::SeqCst) {
            let latest = LATEST[chance.random_range(0..2)];
            let revocable: Vec<RegistrationMark> = self
                .book()
                .entries
                .iter()
                .rev()
                .filter(|(_, e)| e.assigned && e.revoked.is_none() && !e.perhaps_revoked)
                .take(latest)
                .map(|(mark, _)| mark.clone())
                .collect();
            if revocable.len() >= LATEST[0] && chance.random_bool(0.4) {
                self.revoke(&revocable[chance.random_range(0..revocable.len())]).await;
            } else {
                self.assign().await;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    async fn assign(&self) {
        let number = {
            let mut book = self.book();
            book.marks += 1;
            book.marks - 1
        };
        let Ok(mark) = format!("AB{}", 1000 + number).parse::<RegistrationMark>() else { return };
        let Ok(movement) = self.network.declare(&self.site, mark.as_str()).await else {
            self.book().counts.unanswered += 1;
            return;
        };
        let entry = Entry { lane: number % self.lanes, movement: movement.clone(), ..Entry::default() };
        self.book().entries.insert(mark.clone(), entry);
        let given = self.network.give(&movement, "release").await.is_ok();
        let mut book = self.book();
        if given {
            book.counts.assigned += 1;
            book.entries.entry(mark).or_default().assigned = true;
        } else {
            book.counts.unanswered += 1;
        }
    }

    async fn revoke(&self, mark: &RegistrationMark) {
        let Some(movement) = self.book().entries.get(mark).map(|e| e.movement.clone()) else { return };
        let revoked = self.network.revoke(&movement).await;
        let at = edge::clock::utc_now();
        let mut book = self.book();
        let unanswered = match &revoked {
            Ok(()) => false,
            // A vehicle has used it up.
            Err(error) => !error.to_string().contains("409"),
        };
        book.counts.revoked += u32::from(revoked.is_ok());
        book.counts.unanswered += u32::from(unanswered);
        if let Some(entry) = book.entries.get_mut(mark) {
            // Two officers may revoke the same.
            if revoked.is_ok() {
                entry.revoked.get_or_insert(at);
            }
            entry.perhaps_revoked |= unanswered;
        }
    }

    /// A vehicle drives up at a lane, often with a mark that was used or revoked; false if the lane did not answer.
    pub async fn vehicle(&self, lane: usize, node: &mut Node, chance: &mut ChaCha8Rng) -> bool {
        tokio::time::sleep(PACE).await;
        let latest = LATEST[chance.random_range(0..2)];
        let marks: Vec<RegistrationMark> = self
            .book()
            .entries
            .iter()
            .rev()
            .filter(|(_, entry)| entry.lane == lane)
            .take(latest)
            .map(|(mark, _)| mark.clone())
            .collect();
        if marks.is_empty() {
            return true;
        }
        let mark = &marks[chance.random_range(0..marks.len())];
        let passage = PassageId(chance.random());
        self.book().passages.insert(passage, None);
        let decided = node.vehicle(mark, passage).await;
        let mut book = self.book();
        let answered = decided.is_ok();
        if let Ok(decided) = decided {
            book.decided(lane, mark, passage, decided, self.lease_ms);
        } else {
            book.counts.unknown += 1;
            if let Some(entry) = book.entries.get_mut(mark) {
                entry.perhaps_used = true;
            }
        }
        answered
    }

    /// Whether nothing was released that should not have been.
    pub fn is_right(&self) -> anyhow::Result<()> {
        let book = self.book();
        ensure!(book.wrong.is_empty(), "{:#?}", book.wrong);
        Ok(())
    }

    /// Wait until all is delivered and every lane holds what central holds, and compare it with the book.
    pub async fn settles(&self, nodes: &mut [Node]) -> anyhow::Result<()> {
        for (lane, node) in nodes.iter_mut().enumerate() {
            let mut last = None;
            let delivered = comes("the delivery of passages", async || {
                last = node.status().await.ok();
                last.as_ref().is_some_and(|state| state.waiting == 0).then_some(())
            });
            delivered.await.with_context(|| format!("lane {lane}: {last:?}"))?;
        }
        // Whoever holds this one holds everything before it.
        let last: RegistrationMark = "ZZ9999".parse()?;
        self.network.assign(&self.site, last.as_str(), "release").await?;
        for (lane, node) in nodes.iter_mut().enumerate() {
            let follows = comes("what central holds", async || {
                let live = node.status().await.ok()?.lease_left_ms > 0;
                (live && node.holds(&last).await.ok()?.is_some()).then_some(())
            });
            follows.await.with_context(|| format!("lane {lane}"))?;
        }
        self.is_right()?;
        self.directives_are_right(nodes).await?;
        self.passages_are_right().await
    }

    async fn directives_are_right(&self, nodes: &mut [Node]) -> anyhow::Result<()> {
        let entries = self.book().entries.clone();
        for (mark, entry) in entries {
            for (lane, node) in nodes.iter_mut().enumerate() {
                let held = node.holds(&mark).await?;
                let status = held.as_ref().map(|held| held.status.as_str());
                ensure!(entry.allows(status), "lane {lane} holds {mark} as {status:?}: {entry:?}");
            }
            let action = self.network.movement(&entry.movement).await?["action"].clone();
            let untouched = entry.used.is_none() && !entry.perhaps_used && !entry.perhaps_revoked;
            let wrong = match (&action, entry.assigned) {
                (Value::Null, true) => untouched && entry.revoked.is_none(),
                (Value::Null, false) => false,
                (_, _) => entry.revoked.is_some(),
            };
            ensure!(!wrong, "central has {mark} with action {action}: {entry:?}");
        }
        Ok(())
    }

    async fn passages_are_right(&self) -> anyhow::Result<()> {
        let feed = self.network.passages().await?;
        let passages = self.book().passages.clone();
        let mut there = BTreeMap::new();
        for passage in &feed {
            let id: PassageId = passage["id"].as_str().context("no id")?.parse()?;
            ensure!(there.insert(id, passage).is_none(), "passage {id} is there twice");
            ensure!(passages.contains_key(&id), "nobody has seen passage {id}");
        }
        for (id, decided) in passages {
            let Some(decided) = decided.filter(|decided| decided.recorded > 0) else { continue };
            let row = there.get(&id).with_context(|| format!("passage {id} is lost: {decided:?}"))?;
            let outcome: Outcome = serde_json::from_value(row["decision"]["outcome"].clone())?;
            ensure!(outcome == decided.outcome, "passage {id}: {outcome:?} at central, {decided:?}");
            let steps = self.network.steps(id).await?;
            // A step that the disk refused may be there after all.
            let whole = (decided.recorded as usize..=2).contains(&steps.len());
            ensure!(whole, "passage {id} has steps {steps:?}, {decided:?}");
        }
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether a lane may hold it like this when all has settled.
    fn allows(&self, status: Option<&str>) -> bool {
        match status {
            None => !self.assigned,
            Some("active") => self.revoked.is_none() && self.used.is_none(),
            Some("revoked") => self.revoked.is_some() || self.perhaps_revoked,
            Some("used") => self.used.is_some() || self.perhaps_used,
            Some(_) => false,
        }
    }
}

impl Book {
    fn decided(
        &mut self,
        lane: usize,
        mark: &RegistrationMark,
        passage: PassageId,
        decided: Decided,
        lease_ms: u64,
    ) {
        self.passages.insert(passage, Some(decided.clone()));
        let cut_off = self.cut_off.get(&lane).copied();
        let Some(entry) = self.entries.get_mut(mark) else { return };
        // A directive may have been used up without an intent on the disk.
        let disk_failed = decided.reason == Reason::LaneFault(LaneFault::CacheFault);
        entry.perhaps_used |= decided.movement.is_some() || disk_failed;
        if !decided.released() {
            self.counts.referred += 1;
            self.counts.stale += u32::from(decided.reason == Reason::LeaseStale);
            return;
        }
        self.counts.released += 1;
        let over = |since: Option<UtcMillis>| {
            since.is_some_and(|since| decided.at > since.plus_millis(lease_ms as i64))
        };
        let movement = decided.movement.as_ref().map(ToString::to_string);
        let wrong = [
            (movement.as_deref() != Some(&entry.movement), "on another movement's directive"),
            (over(entry.revoked), "more than a lease after its revocation"),
            (over(cut_off), "more than a lease after it was cut off"),
            (entry.used.is_some(), "once more"),
        ];
        for (_, how) in wrong.iter().filter(|(wrong, _)| *wrong) {
            self.wrong.push(format!("lane {lane} released {mark} {how}: {decided:?}, {entry:?}"));
        }
        entry.used = Some(passage);
    }
}
