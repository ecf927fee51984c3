//! An edge's side of replication, without I/O: `step(now, event) -> effects`. The adapter in `edge::directives` does
//! what the effects say, in their order, and reports back. The rules are in `docs/design/replication.md`.
//!
//! Invariants (tested under drops, duplicates, reorders and forgeries):
//! - what was applied is a prefix of central's log; (epoch, revision) never falls;
//! - a lease runs from the moment of asking, counts only while this chain holds the head it vouches for, and never
//!   survives a restart, a store fault, a quarantine or a change of epoch.
//!
//! - no lease counts on a set whose Merkle root is not the one that central vouches for;
//! - a quarantine survives a restart, and ends only by an officer's acceptance of a later epoch.

mod assembly;
mod lease;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::Lease;
use crate::directive::DirectiveEntry;
use crate::ids::{Digest, EdgeId, Epoch, Nonce, Revision, SiteId};
use crate::merkle::BucketSet;
use crate::replicate::{Delta, DirectiveOp, ForkAccepted, Head, LeaseGrant, SnapshotPage};
use crate::wire::Verified;

pub use assembly::Assembly;
use lease::LeaseClock;

/// Deltas kept while a gap before them is being filled.
pub const BUFFER: usize = 256;

/// Deltas asked for at once; central answers no more.
pub const RANGE: u64 = 1000;

/// Hashes remembered, to recognise a fork or a lease for a head that was passed already.
const HISTORY: usize = 1024;

/// How soon a query that ended without what was needed is made again.
pub const RETRY: Duration = Duration::from_secs(1);

/// How often a range is asked for in vain, under a lease, before the set is fetched instead. A link that changes over to
/// another certificate or router answers a query with nothing: to give up the lease for that would hold trucks for nothing.
const TRIES: u32 = 3;

/// How long a query may go on before another is made; longer than the transport's own limit.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where the follower is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It holds nothing and has not reached central yet.
    Empty,
    /// The whole set is being fetched.
    Bootstrapping(Assembly),
    /// It follows the log; central vouches for it until then, on the monotonic clock.
    Live {
        /// First moment it no longer does.
        until: Duration,
    },
    /// It follows the log as far as it can, without a lease.
    Stale,
    /// Central's history contradicts itself, or what was seen; only a person can mend that.
    Quarantined(Quarantine),
}

/// What contradicts what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Quarantine {
    /// Two heads of one revision.
    #[n(0)]
    #[error("central has signed two different deltas with revision {}", .0.0)]
    Fork(#[n(0)] Revision),
    /// A delta that does not follow its predecessor.
    #[n(1)]
    #[error("the delta of revision {} does not follow the one held here", .0.0)]
    BrokenChain(#[n(0)] Revision),
    /// A newer history that does not hold what this edge has seen.
    #[n(2)]
    #[error("central's epoch {} does not hold revision {} as it was seen here", .0.0, .1.0)]
    LostHistory(#[n(0)] Epoch, #[n(1)] Revision),
    /// There was a contradiction, and the note of which is damaged.
    #[n(3)]
    #[error("the note of an earlier contradiction is damaged")]
    NoteDamaged,
}

/// What an edge finds on its disk when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where the cache stands and the root of what it holds, if it holds anything.
    pub held: Option<(Head, Digest)>,
    /// The highest head ever held.
    pub floor: Head,
    /// The contradiction that was met and not settled.
    pub quarantine: Option<Quarantine>,
}

/// What happens to a follower.
#[derive(Clone, Debug)]
pub enum Event {
    /// The link to central is up (again).
    Connected,
    /// The link is down.
    Disconnected,
    /// A delta arrived, live or from a range query.
    DeltaReceived(Verified<Delta>),
    /// A page of a snapshot arrived.
    SnapshotPage(Verified<SnapshotPage>),
    /// No more pages come for the last [`Effect::QuerySnapshot`].
    SnapshotEnd,
    /// No more deltas come for the last [`Effect::QueryRange`].
    RangeEnd,
    /// A lease request with this nonce is being sent now.
    LeaseAsked(Nonce),
    /// A lease arrived.
    LeaseGranted(Verified<LeaseGrant>),
    /// An [`Effect::Apply`], [`Effect::ReplaceAll`] or [`Effect::ReplaceBuckets`] is on the disk.
    Stored {
        /// Where the cache stands now.
        head: Head,
        /// Root of what it holds.
        root: Digest,
    },
    /// An officer's acceptance arrived.
    ForkAccepted(Verified<ForkAccepted>),
    /// The cache failed; what it held is gone.
    StoreFault,
    /// Time passes; to be given at least a few times a second.
    Tick,
}

/// What the adapter must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask for the set: for all of it, or (telling what the cache holds, if anything) for the buckets that differ.
    QuerySnapshot {
        /// All of it, whatever is held.
        whole: bool,
    },
    /// Ask for deltas, both ends included.
    QueryRange {
        /// First.
        from: Revision,
        /// Last.
        to: Revision,
    },
    /// Draw a nonce, report [`Event::LeaseAsked`], then send the request.
    AskLease,
    /// Apply these ops and move to this head, in one atomic batch.
    Apply {
        /// The changes.
        ops: Vec<DirectiveOp>,
        /// Where the cache stands then.
        head: Head,
    },
    /// Replace everything and move to this head.
    ReplaceAll {
        /// The whole set.
        entries: Vec<DirectiveEntry>,
        /// Where the cache stands then.
        head: Head,
    },
    /// Replace what these buckets hold and move to this head, in one atomic batch. If the root is then not this one,
    /// change nothing and report [`Event::StoreFault`].
    ReplaceBuckets {
        /// Which buckets.
        buckets: BucketSet,
        /// All that they hold.
        entries: Vec<DirectiveEntry>,
        /// Where the cache stands then.
        head: Head,
        /// Root of the set then.
        root: Digest,
    },
    /// Central vouches until then (monotonic), or not at all.
    LeaseChanged(Option<Duration>),
    /// Stop and tell people: the lane releases nothing by itself any more, nor after a restart.
    Quarantine(Quarantine),
    /// The quarantine is over; forget it.
    LiftQuarantine,
    /// Worth a line in the log.
    Log(Note),
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A record for another site or edge.
    NotForUs,
    /// A record of a history that is over.
    OldEpoch(Epoch),
    /// Central speaks of a newer history; a snapshot is fetched.
    NewEpoch(Epoch),
    /// A snapshot older than what was seen here.
    OldSnapshot(Revision),
    /// The deltas between could not be had; a snapshot is fetched.
    GapNotFilled(Revision),
    /// A record that says nothing sensible.
    Senseless,
    /// The set held is not the one that central vouches for; what differs is fetched.
    SetDiffers(Revision),
    /// Part of a set where all of it was asked for.
    OnlyAPart(Revision),
    /// An officer has accepted an epoch.
    ForkAccepted(Epoch),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotForUs => write!(f, "ignored a record for another site or edge"),
            Self::OldEpoch(epoch) => write!(f, "ignored a record of epoch {}, which is over", epoch.0),
            Self::NewEpoch(epoch) => write!(f, "central is at epoch {}: fetching a snapshot", epoch.0),
            Self::OldSnapshot(revision) => {
                write!(f, "ignored a snapshot at revision {}, older than what was seen here", revision.0)
            }
            Self::GapNotFilled(revision) => {
                write!(
                    f,
                    "central did not give the deltas after revision {}: fetching a snapshot",
                    revision.0
                )
            }
            Self::Senseless => write!(
                f,
                "ignored a signed record that makes no sense (revision or pages 0, or an entry that does not belong)"
            ),
            Self::SetDiffers(revision) => {
                write!(
                    f,
                    "the directives held at revision {} are not those of central: fetching what differs",
                    revision.0
                )
            }
            Self::OnlyAPart(revision) => {
                write!(f, "ignored part of a snapshot at revision {}: all of it was asked for", revision.0)
            }
            Self::ForkAccepted(epoch) => {
                write!(f, "an officer has accepted epoch {} of central: fetching its directives", epoch.0)
            }
        }
    }
}

/// Follows one site's log for one edge.
#[derive(Debug)]
pub struct Follower {
    site: SiteId,
    edge: EdgeId,
    state: State,
    /// What the cache holds.
    head: Head,
    /// The highest head ever held: what the cache may be behind after a crash, and must not stay behind.
    floor: Head,
    connected: bool,
    history: VecDeque<Known>,
    ahead: BTreeMap<(Epoch, Revision), Verified<Delta>>,
    next_query: Duration,
    /// Where the head was when a range was last asked for.
    range_asked_at: Option<Revision>,
    /// Ranges in a row that brought nothing.
    in_vain: u32,
    lease: LeaseClock,
    /// All of the set is needed, for what the cache holds is not to be built on.
    whole: bool,
    /// The epoch that an officer has let this edge into.
    accepted: Option<Epoch>,
    /// The highest revision of this epoch that central is known to have reached.
    heard_of: Revision,
    audited: Option<Audit>,
    /// When what was held was last thrown away, and how long a pause that brought.
    anew_at: Option<Duration>,
    pause: Duration,
    /// A note of a quarantine lies on the disk, or may.
    noted: bool,
}

/// One revision of the history that was held.
#[derive(Clone, Copy, Debug)]
struct Known {
    revision: Revision,
    hash: Digest,
    /// Of the set at that revision, once the cache has told it.
    root: Option<Digest>,
}

/// A comparison of the whole set with central's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// When, on the monotonic clock.
    pub at: Duration,
    /// At which revision.
    pub revision: Revision,
    /// Whether the sets were the same.
    pub same: bool,
}

impl Follower {
    /// Go on from what was found on the disk. A cache behind the floor counts as nothing.
    pub fn new(site: SiteId, edge: EdgeId, found: Found) -> Self {
        let Found { held, floor, quarantine } = found;
        let held = held.filter(|(head, _)| (head.epoch, head.revision) >= (floor.epoch, floor.revision));
        let head = held.map(|(head, _)| head).unwrap_or_default();
        let following = if held.is_some() { State::Stale } else { State::Empty };
        Self {
            site,
            edge,
            state: quarantine.map_or(following, State::Quarantined),
            head,
            floor: if held.is_some() { head } else { floor },
            connected: false,
            history: VecDeque::from([Known {
                revision: head.revision,
                hash: head.hash,
                root: held.map(|(_, root)| root),
            }]),
            ahead: BTreeMap::new(),
            next_query: Duration::ZERO,
            range_asked_at: None,
            in_vain: 0,
            lease: LeaseClock::default(),
            whole: false,
            accepted: None,
            heard_of: head.revision,
            audited: None,
            anew_at: None,
            pause: Duration::ZERO,
            noted: quarantine.is_some(),
        }
    }

    /// Where it is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the cache stands.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many revisions behind central it is known to be.
    pub fn lag(&self) -> u64 {
        self.heard_of.0.saturating_sub(self.head.revision.0)
    }

    /// The last comparison of the set with central's.
    pub fn audited(&self) -> Option<Audit> {
        self.audited
    }

    /// Whether central vouches for the cache.
    pub fn lease(&self, now: Duration) -> Lease {
        if self.lease_left(now).is_zero() { Lease::Stale } else { Lease::Live }
    }

    /// How much longer.
    pub fn lease_left(&self, now: Duration) -> Duration {
        match self.state {
            State::Live { until } => until.saturating_sub(now),
            _ => Duration::ZERO,
        }
    }

    /// One step. `now` is monotonic time.
    pub fn step(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let State::Quarantined(_) = self.state {
            match event {
                Event::ForkAccepted(accepted) => self.take_acceptance(now, accepted.record(), &mut effects),
                Event::Connected => self.connected = true,
                Event::Disconnected => self.connected = false,
                _ => {}
            }
            return effects;
        }
        self.expire(now, &mut effects);
        match event {
            Event::Connected => self.connect(now),
            Event::Disconnected => self.connected = false,
            Event::DeltaReceived(delta) => self.take_delta(delta, &mut effects),
            Event::SnapshotPage(page) => self.take_page(page, &mut effects),
            Event::SnapshotEnd => self.next_query = self.next_query.min(now + RETRY),
            Event::RangeEnd => self.end_range(now, &mut effects),
            Event::LeaseAsked(nonce) => self.lease.sent(now, nonce),
            Event::LeaseGranted(grant) => self.take_grant(now, &grant, &mut effects),
            Event::StoreFault => self.lose_store(now, &mut effects),
            Event::Stored { head, root } => self.stored(head, root),
            // There is nothing to accept.
            Event::ForkAccepted(_) | Event::Tick => {}
        }
        if self.is_following() {
            self.settle_lease(now, &mut effects);
        }
        if self.connected {
            self.ask(now, &mut effects);
        }
        effects
    }

    fn is_following(&self) -> bool {
        matches!(self.state, State::Live { .. } | State::Stale)
    }

    fn connect(&mut self, now: Duration) {
        self.connected = true;
        self.next_query = now;
        self.lease.hurry(now);
        if self.state == State::Empty {
            self.state = State::Bootstrapping(Assembly::default());
        }
    }

    fn lose_store(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.head = Head::default();
        self.history = VecDeque::from([Known { revision: Revision(0), hash: Digest::default(), root: None }]);
        self.whole = true;
        self.bootstrap_anew(now, effects);
    }

    /// Fetch the set because what was held is worth nothing: at once the first time, after ever longer pauses where that
    /// happens again and again (a full disk takes nothing, however often it is sent).
    fn bootstrap_anew(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let long_ago = self.anew_at.is_none_or(|last| now >= last + PATIENCE * 4);
        self.pause = if long_ago { Duration::ZERO } else { (self.pause * 2).clamp(RETRY, PATIENCE) };
        self.anew_at = Some(now);
        self.bootstrap(effects);
        self.next_query = now + self.pause;
    }

    fn stored(&mut self, head: Head, root: Digest) {
        let known = self.history.iter_mut().rev().find(|known| known.revision == head.revision);
        if let Some(known) = known.filter(|known| known.hash == head.hash && head.epoch == self.head.epoch) {
            known.root = Some(root);
            self.noted = false;
        }
    }

    /// Leave the quarantine for a later epoch that an officer has accepted.
    fn take_acceptance(&mut self, now: Duration, accepted: &ForkAccepted, effects: &mut Vec<Effect>) {
        if accepted.site != self.site || accepted.edge != self.edge {
            return effects.push(Effect::Log(Note::NotForUs));
        }
        if accepted.epoch <= self.floor.epoch {
            return effects.push(Effect::Log(Note::OldEpoch(accepted.epoch)));
        }
        effects.push(Effect::Log(Note::ForkAccepted(accepted.epoch)));
        self.accepted = Some(accepted.epoch);
        self.bootstrap(effects);
        self.next_query = now;
        if self.connected {
            self.lease.hurry(now);
            self.ask(now, effects);
        }
    }

    /// Give up the log and fetch the whole set.
    fn bootstrap(&mut self, effects: &mut Vec<Effect>) {
        self.withdraw_lease(effects);
        self.state = State::Bootstrapping(Assembly::default());
        self.next_query = Duration::ZERO;
        self.range_asked_at = None;
    }

    fn quarantine(&mut self, why: Quarantine, effects: &mut Vec<Effect>) {
        self.withdraw_lease(effects);
        self.state = State::Quarantined(why);
        self.noted = true;
        self.ahead.clear();
        effects.push(Effect::Quarantine(why));
    }

    fn withdraw_lease(&mut self, effects: &mut Vec<Effect>) {
        self.lease.forget();
        if let State::Live { .. } = self.state {
            self.state = State::Stale;
            effects.push(Effect::LeaseChanged(None));
        }
    }

    fn expire(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Live { until } if now >= until) {
            self.state = State::Stale;
            effects.push(Effect::LeaseChanged(None));
        }
    }

    fn take_delta(&mut self, delta: Verified<Delta>, effects: &mut Vec<Effect>) {
        let record = delta.record();
        let position = (record.epoch, record.revision);
        if record.site != self.site {
            return effects.push(Effect::Log(Note::NotForUs));
        }
        if record.epoch < self.floor.epoch {
            return effects.push(Effect::Log(Note::OldEpoch(record.epoch)));
        }
        if record.revision == Revision(0) {
            return effects.push(Effect::Log(Note::Senseless));
        }
        if record.epoch == self.head.epoch && record.revision <= self.head.revision {
            return self.compare(record.revision, delta.hash(), effects);
        }
        if self.ahead.get(&position).is_some_and(|other| other.hash() != delta.hash()) {
            return self.quarantine(Quarantine::Fork(record.revision), effects);
        }
        self.notice_epoch(record.epoch, effects);
        self.ahead.insert(position, delta);
        if self.ahead.len() > BUFFER {
            // The farthest is the one a range query brings last.
            self.ahead.pop_last();
        }
        if self.is_following() {
            self.drain(effects);
        }
    }

    /// A revision that is held already: the same again is nothing, another one is a fork.
    fn compare(&mut self, revision: Revision, hash: Digest, effects: &mut Vec<Effect>) {
        let known = self.history.iter().find(|known| known.revision == revision);
        if known.is_some_and(|known| known.hash != hash) {
            self.quarantine(Quarantine::Fork(revision), effects);
        }
    }

    /// A new history is only entered through its snapshot.
    fn notice_epoch(&mut self, epoch: Epoch, effects: &mut Vec<Effect>) {
        if self.is_following() && epoch > self.head.epoch {
            effects.push(Effect::Log(Note::NewEpoch(epoch)));
            self.bootstrap(effects);
        }
    }

    /// Apply what follows without a gap.
    fn drain(&mut self, effects: &mut Vec<Effect>) {
        while let Some(delta) = self.ahead.remove(&(self.head.epoch, self.head.revision.next())) {
            let hash = delta.hash();
            let record = delta.into_record();
            if record.prev_hash != self.head.hash {
                return self.quarantine(Quarantine::BrokenChain(record.revision), effects);
            }
            self.advance(Head { epoch: record.epoch, revision: record.revision, hash });
            effects.push(Effect::Apply { ops: record.ops, head: self.head });
        }
    }

    fn advance(&mut self, head: Head) {
        self.head = head;
        self.floor = head;
        self.heard_of = self.heard_of.max(head.revision);
        self.history.push_back(Known { revision: head.revision, hash: head.hash, root: None });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    fn take_page(&mut self, page: Verified<SnapshotPage>, effects: &mut Vec<Effect>) {
        let page = page.into_record();
        if page.site != self.site {
            return effects.push(Effect::Log(Note::NotForUs));
        }
        let State::Bootstrapping(assembly) = &mut self.state else { return };
        if page.epoch < self.floor.epoch {
            return effects.push(Effect::Log(Note::OldEpoch(page.epoch)));
        }
        if page.epoch == self.floor.epoch && page.revision < self.floor.revision {
            return effects.push(Effect::Log(Note::OldSnapshot(page.revision)));
        }
        if self.whole && page.buckets != BucketSet::ALL {
            return effects.push(Effect::Log(Note::OnlyAPart(page.revision)));
        }
        match assembly.take(page) {
            Ok(Some(whole)) => self.enter(whole, effects),
            Ok(None) => {}
            Err(assembly::Senseless) => effects.push(Effect::Log(Note::Senseless)),
        }
    }

    fn enter(&mut self, whole: assembly::Whole, effects: &mut Vec<Effect>) {
        let head = whole.head;
        if let Err(why) = self.covers(head, &whole.before) {
            return self.quarantine(why, effects);
        }
        self.accepted = None;
        if self.noted {
            // Before the set: what cannot be lifted is not entered.
            effects.push(Effect::LiftQuarantine);
        }
        self.history.clear();
        self.heard_of = head.revision;
        self.advance(head);
        self.whole = false;
        self.ahead.retain(|position, _| *position > (head.epoch, head.revision));
        self.state = State::Stale;
        self.range_asked_at = None;
        self.next_query = Duration::ZERO;
        let assembly::Whole { buckets, entries, root, .. } = whole;
        effects.push(if buckets == BucketSet::ALL {
            Effect::ReplaceAll { entries, head }
        } else {
            Effect::ReplaceBuckets { buckets, entries, head, root }
        });
        self.drain(effects);
    }

    /// Whether a snapshot at `head` holds all that was ever seen here.
    fn covers(&self, head: Head, before: &[Head]) -> Result<(), Quarantine> {
        let floor = self.floor;
        if floor == Head::default() || self.accepted.is_some_and(|accepted| head.epoch >= accepted) {
            return Ok(());
        }
        if head.epoch == floor.epoch {
            let forked = head.revision == floor.revision && head.hash != floor.hash;
            return if forked { Err(Quarantine::Fork(head.revision)) } else { Ok(()) };
        }
        let covered = before.iter().find(|end| end.epoch == floor.epoch).is_some_and(|end| {
            end.revision > floor.revision || (end.revision == floor.revision && end.hash == floor.hash)
        });
        if covered { Ok(()) } else { Err(Quarantine::LostHistory(head.epoch, floor.revision)) }
    }

    fn take_grant(&mut self, now: Duration, grant: &Verified<LeaseGrant>, effects: &mut Vec<Effect>) {
        let grant = grant.record();
        if grant.site != self.site || grant.edge != self.edge {
            return effects.push(Effect::Log(Note::NotForUs));
        }
        let Some(head) = self.lease.granted(now, grant) else { return };
        if head.epoch < self.head.epoch {
            self.lease.drop_grant();
            return effects.push(Effect::Log(Note::OldEpoch(head.epoch)));
        }
        self.notice_epoch(head.epoch, effects);
        if head.epoch == self.head.epoch {
            self.heard_of = self.heard_of.max(head.revision);
        }
        if self.is_following() && head.revision <= self.head.revision {
            self.compare(head.revision, head.hash, effects);
        }
    }

    /// Let a lease count once its head is held, and held as central holds it.
    fn settle_lease(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let (epoch, history) = (self.head.epoch, &self.history);
        let root_at = |head: Head| {
            let known =
                history.iter().find(|known| known.revision == head.revision && known.hash == head.hash)?;
            known.root.filter(|_| head.epoch == epoch)
        };
        let Some(settled) = self.lease.settle(root_at) else { return };
        self.audited = Some(Audit { at: now, revision: settled.revision, same: settled.same });
        if !settled.same {
            effects.push(Effect::Log(Note::SetDiffers(settled.revision)));
            return self.bootstrap_anew(now, effects);
        }
        let until = settled.until;
        if until <= now {
            return;
        }
        if matches!(self.state, State::Live { until: before } if before >= until) {
            return;
        }
        self.state = State::Live { until };
        effects.push(Effect::LeaseChanged(Some(until)));
    }

    /// The last revision known to exist that is not held, up to the first one buffered.
    fn missing(&self) -> Option<Revision> {
        let buffered = self.ahead.keys().find(|(epoch, _)| *epoch == self.head.epoch);
        let before_buffer = buffered.map(|(_, first)| Revision(first.0 - 1));
        let vouched = self.lease.waiting_for().filter(|head| head.epoch == self.head.epoch);
        let to = before_buffer.or(vouched.map(|head| head.revision))?;
        (to > self.head.revision).then_some(to)
    }

    fn end_range(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let Some(asked_at) = self.range_asked_at.take() else { return };
        self.next_query = now;
        if !(self.is_following() && self.missing().is_some() && asked_at == self.head.revision) {
            self.in_vain = 0;
            return;
        }
        self.in_vain += 1;
        if matches!(self.state, State::Live { .. }) && self.in_vain < TRIES {
            self.range_asked_at = Some(asked_at);
        } else {
            effects.push(Effect::Log(Note::GapNotFilled(asked_at)));
            self.in_vain = 0;
            self.bootstrap(effects);
        }
        // A central whose snapshot and log do not meet is not to be asked in a tight circle.
        self.next_query = now + RETRY;
    }

    fn ask(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let due = now >= self.next_query;
        match self.state {
            State::Bootstrapping(_) if due => {
                self.next_query = now + PATIENCE;
                effects.push(Effect::QuerySnapshot { whole: self.whole });
            }
            State::Live { .. } | State::Stale => {
                if let Some(to) = self.missing()
                    && (due || self.range_asked_at.is_none())
                {
                    let from = self.head.revision.next();
                    self.next_query = now + PATIENCE;
                    self.range_asked_at = Some(self.head.revision);
                    effects.push(Effect::QueryRange {
                        from,
                        to: to.min(Revision(from.0.saturating_add(RANGE - 1))),
                    });
                }
                if self.lease.is_due(now) {
                    effects.push(Effect::AskLease);
                }
            }
            _ => {}
        }
    }
}
