//! An edge's side of replication, without I/O: `step(now, event) -> effects`. The adapter in `edge::directives` does
//! what the effects say, in their order, and reports back. The rules are in `docs/design/replication.md`.
//!
//! Invariants (tested under drops, duplicates, reorders and forgeries):
//! - what was applied is a prefix of central's log; (epoch, revision) never falls;
//! - a lease runs from the moment of asking, counts only while this chain holds the head it vouches for, and never
//!   survives a restart, a store fault, a quarantine or a change of epoch.
//!
//! To come with the full protocol: Merkle anti-entropy, chunk hashes in a manifest, a fork accepted by an officer.

mod assembly;
mod lease;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::decide::Lease;
use crate::directive::DirectiveEntry;
use crate::ids::{Digest, EdgeId, Epoch, Nonce, Revision, SiteId};
use crate::replicate::{Delta, DirectiveOp, Head, LeaseGrant, SnapshotPage};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// Two heads of one revision.
    #[error("central has signed two different deltas with revision {}", .0.0)]
    Fork(Revision),
    /// A delta that does not follow its predecessor.
    #[error("the delta of revision {} does not follow the one held here", .0.0)]
    BrokenChain(Revision),
    /// A newer history that does not hold what this edge has seen.
    #[error("central's epoch {} does not hold revision {} as it was seen here", .0.0, .1.0)]
    LostHistory(Epoch, Revision),
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
    /// The cache failed; what it held is gone.
    StoreFault,
    /// Time passes; to be given at least a few times a second.
    Tick,
}

/// What the adapter must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask for the whole set.
    QuerySnapshot,
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
    /// Central vouches until then (monotonic), or not at all.
    LeaseChanged(Option<Duration>),
    /// Stop and tell people: the lane releases nothing by itself any more.
    Quarantine(Quarantine),
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
            Self::Senseless => write!(f, "ignored a signed record that makes no sense (revision or pages 0)"),
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
    history: VecDeque<(Revision, Digest)>,
    ahead: BTreeMap<(Epoch, Revision), Verified<Delta>>,
    next_query: Duration,
    /// Where the head was when a range was last asked for.
    range_asked_at: Option<Revision>,
    lease: LeaseClock,
}

impl Follower {
    /// Go on from what the cache holds (`None`: nothing), having once held `floor`.
    pub fn new(site: SiteId, edge: EdgeId, held: Option<Head>, floor: Head) -> Self {
        let held = held.filter(|head| (head.epoch, head.revision) >= (floor.epoch, floor.revision));
        let head = held.unwrap_or_default();
        Self {
            site,
            edge,
            state: if held.is_some() { State::Stale } else { State::Empty },
            head,
            floor: if held.is_some() { head } else { floor },
            connected: false,
            history: VecDeque::from([(head.revision, head.hash)]),
            ahead: BTreeMap::new(),
            next_query: Duration::ZERO,
            range_asked_at: None,
            lease: LeaseClock::default(),
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
            Event::StoreFault => self.lose_store(&mut effects),
            Event::Tick => {}
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

    fn lose_store(&mut self, effects: &mut Vec<Effect>) {
        self.head = Head::default();
        self.history = VecDeque::from([(Revision(0), Digest::default())]);
        self.bootstrap(effects);
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
        let known = self.history.iter().find(|(known, _)| *known == revision);
        if known.is_some_and(|(_, known)| *known != hash) {
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
        self.history.push_back((head.revision, head.hash));
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
        if page.pages == 0 || page.page >= page.pages {
            return effects.push(Effect::Log(Note::Senseless));
        }
        if let Some(whole) = assembly.take(page) {
            self.enter(whole, effects);
        }
    }

    fn enter(&mut self, whole: assembly::Whole, effects: &mut Vec<Effect>) {
        let head = whole.head;
        if let Err(why) = self.covers(head, whole.prev_head) {
            return self.quarantine(why, effects);
        }
        self.history.clear();
        self.advance(head);
        self.ahead.retain(|position, _| *position > (head.epoch, head.revision));
        self.state = State::Stale;
        self.range_asked_at = None;
        self.next_query = Duration::ZERO;
        effects.push(Effect::ReplaceAll { entries: whole.entries, head });
        self.drain(effects);
    }

    /// Whether a snapshot at `head` holds all that was ever seen here.
    fn covers(&self, head: Head, prev_head: Option<(Revision, Digest)>) -> Result<(), Quarantine> {
        let floor = self.floor;
        if floor == Head::default() {
            return Ok(());
        }
        if head.epoch == floor.epoch {
            let forked = head.revision == floor.revision && head.hash != floor.hash;
            return if forked { Err(Quarantine::Fork(head.revision)) } else { Ok(()) };
        }
        // `prev_head` speaks of the epoch before: of a history skipped altogether nothing is known.
        let follows = head.epoch.0.checked_sub(1) == Some(floor.epoch.0);
        let covered = prev_head.is_some_and(|(revision, hash)| {
            revision > floor.revision || (revision == floor.revision && hash == floor.hash)
        });
        if follows && covered { Ok(()) } else { Err(Quarantine::LostHistory(head.epoch, floor.revision)) }
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
        if self.is_following() && head.revision <= self.head.revision {
            self.compare(head.revision, head.hash, effects);
        }
    }

    /// Let a lease count once its head is held.
    fn settle_lease(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let (epoch, history) = (self.head.epoch, &self.history);
        let held = |head: Head| head.epoch == epoch && history.contains(&(head.revision, head.hash));
        let Some(until) = self.lease.settle(held).filter(|until| *until > now) else { return };
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
        if self.is_following() && self.missing().is_some() && asked_at == self.head.revision {
            effects.push(Effect::Log(Note::GapNotFilled(asked_at)));
            self.bootstrap(effects);
            // A central whose snapshot and log do not meet is not to be asked in a tight circle.
            self.next_query = now + RETRY;
        }
    }

    fn ask(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let due = now >= self.next_query;
        match self.state {
            State::Bootstrapping(_) if due => {
                self.next_query = now + PATIENCE;
                effects.push(Effect::QuerySnapshot);
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
