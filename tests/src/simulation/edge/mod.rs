//! An edge: a disk that tears, fills up and loses what was not synced, the follower with what carries out its effects, the
//! thread that decides, and the journal.

mod disk;
mod lane;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use clearance::directive::DirectiveEntry;
use clearance::follower::{Effect, Event, Follower, Found, Quarantine, State};
use clearance::ids::{EdgeId, MovementId, Nonce, PassageId, Revision, SiteId};
use clearance::keyring::Keyring;
use clearance::merkle::{Buckets, bucket_of};
use clearance::publisher::{DirectiveSet, apply};
use clearance::replicate::{
    Delta, DirectiveOp, ForkAccepted, Head, KeyRotation, LeaseGrant, LeaseRequest, SnapshotPage,
};
use clearance::wire::{PublicKey, Record, RecordKind, Signer, TrustStore, Verified, WireError};

use crate::simulation::mutation::Mutation;
use crate::simulation::network::{Chance, ToCentral};
use crate::simulation::oracle::{Invariant, Oracle};
use disk::{Disk, Held, Trouble, UNSYNCED};

pub(in crate::simulation) struct Edge {
    pub(in crate::simulation) index: usize,
    pub(in crate::simulation) site: SiteId,
    pub(in crate::simulation) id: EdgeId,
    disk: Disk,
    signer: Signer,
    configured: PublicKey,
    ring: Keyring,
    anybody: TrustStore,
    follower: Follower,
    /// When it was started; its monotonic clock runs from there.
    started: Duration,
    /// How far its wall clock is off, milliseconds.
    pub(in crate::simulation) wall_skew: i64,
    pub(in crate::simulation) partitioned: bool,
    connected: bool,
    /// Used since the start, as the program sees it.
    used: BTreeMap<MovementId, PassageId>,
    sent: Option<(u64, Duration)>,
    keys_asked: Option<Duration>,
    nonces: u64,
    passages: u64,
    mutation: Option<Mutation>,
    /// What was served last.
    served: Head,
    /// The next delta is applied wrongly, and nobody notices.
    misapplies: bool,
    asked: Option<Nonce>,
    /// It has met a contradiction that no officer has settled.
    in_quarantine: bool,
    kept_lease: Option<Duration>,
    pub(in crate::simulation) waiting: Vec<ToCentral>,
    /// Passages whose gate was opened or whose truck was sent somewhere, that central must have in the end.
    pub(in crate::simulation) owed: Vec<(PassageId, u32)>,
}

impl Edge {
    pub(in crate::simulation) fn new(
        index: usize,
        site: SiteId,
        signer: Signer,
        central: PublicKey,
        attacker: PublicKey,
        mutation: Option<Mutation>,
    ) -> Self {
        let id: EdgeId = format!("edge-{index}").parse().unwrap_or_else(|_| unreachable!("a name"));
        let disk = Disk {
            store: VecDeque::new(),
            floor: Head::default(),
            used: BTreeMap::new(),
            journal: BTreeMap::new(),
            next_number: 0,
            quarantine: None,
            rotations: Vec::new(),
            full: false,
            cut_after: None,
        };
        let follower = Follower::new(site.clone(), id.clone(), Found::default());
        Self {
            index,
            site,
            id,
            disk,
            signer,
            configured: central,
            ring: Keyring::new(&[central]),
            anybody: TrustStore::new().trusting(attacker, &RecordKind::CENTRAL),
            follower,
            started: Duration::ZERO,
            wall_skew: 0,
            partitioned: false,
            connected: false,
            used: BTreeMap::new(),
            sent: None,
            keys_asked: None,
            nonces: 0,
            passages: 0,
            mutation,
            served: Head::default(),
            misapplies: false,
            asked: None,
            in_quarantine: false,
            kept_lease: None,
            waiting: Vec::new(),
            owed: Vec::new(),
        }
    }

    fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// A new link's first steps are a while apart from each other on edges started together.
    fn clock(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }

    pub(in crate::simulation) fn quarantine(&self) -> Option<Quarantine> {
        match self.follower.state() {
            State::Quarantined(why) => Some(*why),
            _ => None,
        }
    }

    pub(in crate::simulation) fn is_settled(&self, head: Head) -> bool {
        matches!(self.follower.state(), State::Live { .. })
            && self.follower.head() == head
            && self.disk.journal.is_empty()
            && self.wrong_since().is_none()
    }

    pub(in crate::simulation) fn told(&self) -> String {
        format!(
            "edge {}: {:?} at {:?}, floor {:?}, {} to deliver, connected {}",
            self.index,
            self.follower.state(),
            self.follower.head(),
            self.disk.floor,
            self.disk.journal.len(),
            self.connected
        )
    }

    pub(in crate::simulation) fn toggle_full(&mut self) {
        self.disk.full = !self.disk.full;
    }

    pub(in crate::simulation) fn cut_after(&mut self, writes: u8) {
        self.disk.cut_after = Some(writes);
    }

    /// All is well with the hardware again.
    pub(in crate::simulation) fn mend(&mut self) {
        self.disk.full = false;
        self.disk.cut_after = None;
        self.partitioned = false;
    }

    /// The next delta will be applied wrongly.
    pub(in crate::simulation) fn rot(&mut self) {
        self.misapplies = true;
    }

    /// The power goes and comes back.
    pub(in crate::simulation) fn restart(&mut self, now: Duration, chance: &mut Chance) {
        // What the store wrote last may be gone, or the whole not to be opened.
        let lost = chance.below(UNSYNCED + 1);
        for _ in 0..lost {
            self.disk.store.pop_back();
        }
        if chance.percent(15) {
            self.disk.store.clear();
        }
        if let Some(held) = self.disk.store.pop_back() {
            self.disk.store = VecDeque::from([held]);
        }
        // What is served from now on is the floor from now on; where that cannot be written, nothing is held.
        if let Some(held) = self.disk.store.back().map(|held| held.head)
            && (held.epoch, held.revision) > (self.disk.floor.epoch, self.disk.floor.revision)
        {
            if self.disk.full {
                self.disk.store.clear();
            } else {
                self.disk.floor = held;
            }
        }
        if self.has(Mutation::ForgetFloor) {
            self.disk.floor = Head::default();
        }
        if self.has(Mutation::ForgetQuarantine) {
            self.disk.quarantine = None;
        }
        let before = self.follower.lease_left(self.clock(now));
        self.kept_lease =
            (self.has(Mutation::LeaseSurvivesRestart) && !before.is_zero()).then(|| now + before * 4);
        self.used = self.disk.used.clone();
        self.ring = Keyring::new(&[self.configured]);
        for sealed in &self.disk.rotations {
            let _ = self.ring.follow(sealed);
        }
        let found = Found {
            held: self.disk.store.back().map(|held| (held.head, Buckets::of(held.set.values()).root())),
            floor: self.disk.floor,
            quarantine: self.disk.quarantine,
        };
        self.follower = Follower::new(self.site.clone(), self.id.clone(), found);
        // Opening throws away what is behind the floor.
        if self.follower.head() == Head::default() {
            self.lose_store();
        }
        self.started = now;
        self.connected = false;
        self.sent = None;
        self.asked = None;
        self.waiting.clear();
        self.disk.cut_after = None;
    }

    /// Time has come to this; the link is up or not.
    pub(in crate::simulation) fn tick(
        &mut self,
        now: Duration,
        up: bool,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        let event = match std::mem::replace(&mut self.connected, up) {
            was if was == up => Event::Tick,
            _ if up => {
                self.ask_keys(now);
                Event::Connected
            }
            _ => Event::Disconnected,
        };
        self.handle(now, event, chance, oracle);
        self.deliver(now);
    }

    fn ask_keys(&mut self, now: Duration) {
        if self.keys_asked.is_none_or(|asked| now >= asked + Duration::from_secs(1)) {
            self.keys_asked = Some(now);
            self.waiting.push(ToCentral::Keys);
        }
    }

    fn deliver(&mut self, now: Duration) {
        let patient = self.sent.is_some_and(|(_, at)| now < at + Duration::from_secs(2));
        if !self.connected || patient {
            return;
        }
        let Some((number, event)) = self.disk.journal.first_key_value() else { return };
        let (number, sealed) = (*number, self.signer.seal(event).0);
        self.sent = Some((number, now));
        self.waiting.push(ToCentral::Passage(number, sealed));
        if self.has(Mutation::ForgetWhenSent) {
            self.disk.journal.remove(&number);
        }
    }

    pub(in crate::simulation) fn acknowledged(&mut self, number: u64, chance: &mut Chance) {
        if self.sent.is_some_and(|(sent, _)| sent == number) {
            self.sent = None;
        }
        // Not written down, it is delivered once more.
        if self.disk.write(chance, false).is_ok() {
            self.disk.journal.remove(&number);
        }
    }

    fn open<T: Record>(&self, bytes: &[u8]) -> Result<Verified<T>, WireError> {
        let opened = self.ring.open::<T>(bytes);
        if opened.is_err() && self.has(Mutation::SkipSignature) {
            return self.anybody.open(bytes);
        }
        if opened.is_err() && self.has(Mutation::KeepRetiredKey) {
            return TrustStore::new().trusting(self.configured, &RecordKind::CENTRAL).open(bytes);
        }
        opened
    }

    /// A record arrived, from central or from anybody.
    pub(in crate::simulation) fn receive(
        &mut self,
        now: Duration,
        bytes: &[u8],
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        if self.ring.open::<KeyRotation>(bytes).is_ok() {
            if self.disk.write(chance, false).is_ok() && self.ring.follow(bytes).is_ok_and(|r| r.is_some()) {
                self.disk.rotations.push(bytes.to_vec());
            }
            return;
        }
        let delta = self.open::<Delta>(bytes);
        let event = match delta {
            Ok(delta) => {
                if self.has(Mutation::ApplyGap) {
                    self.apply_anyway(&delta);
                }
                Event::DeltaReceived(delta)
            }
            Err(of_delta) => {
                let page = self.open::<SnapshotPage>(bytes).map(Event::SnapshotPage);
                let grant = self.open::<LeaseGrant>(bytes).map(Event::LeaseGranted);
                let accepted = self.open::<ForkAccepted>(bytes).map(Event::ForkAccepted);
                let unknown = |error: &WireError| matches!(error, WireError::UnknownKey(_));
                let errors = [page.as_ref().err(), grant.as_ref().err(), accepted.as_ref().err()];
                if unknown(&of_delta) || errors.into_iter().flatten().any(unknown) {
                    self.ask_keys(now);
                }
                let Ok(event) = page.or(grant).or(accepted) else { return };
                event
            }
        };
        if self.has(Mutation::SkipAudit)
            && let Event::LeaseGranted(grant) = &event
        {
            let grant = grant.record();
            let head = Head { epoch: grant.epoch, revision: grant.revision, hash: grant.head_hash };
            self.follower.step(self.clock(now), Event::Stored { head, root: grant.root });
        }
        if self.has(Mutation::LeaseFromReceipt)
            && let Event::LeaseGranted(grant) = &event
            && self.asked == Some(grant.record().nonce)
        {
            let nonce = grant.record().nonce;
            self.follower.step(self.clock(now), Event::LeaseAsked(nonce));
        }
        self.handle(now, event, chance, oracle);
    }

    fn apply_anyway(&mut self, delta: &Verified<Delta>) {
        let record = delta.record();
        let ahead = record.epoch == self.follower.head().epoch
            && record.revision > self.follower.head().revision.next()
            && record.site == self.site;
        if let (true, Some(held)) = (ahead, self.disk.store.back_mut()) {
            let mut set = (*held.set).clone();
            apply(&mut set, &mut Buckets::default(), &record.ops, record.revision);
            held.set = Arc::new(set);
        }
    }

    pub(in crate::simulation) fn snapshot_ended(
        &mut self,
        now: Duration,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        if self.has(Mutation::TrustEmptyReply)
            && matches!(self.follower.state(), State::Bootstrapping(_))
            && let Some(held) = self.disk.store.back_mut()
        {
            held.set = Arc::new(DirectiveSet::new());
        }
        self.handle(now, Event::SnapshotEnd, chance, oracle);
    }

    pub(in crate::simulation) fn store_fault(
        &mut self,
        now: Duration,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        self.lose_store();
        self.handle(now, Event::StoreFault, chance, oracle);
    }

    fn lose_store(&mut self) {
        self.disk.store.clear();
    }

    /// The follower takes an event, and what it wants is done; a power cut on the way starts the edge again.
    pub(in crate::simulation) fn handle(
        &mut self,
        now: Duration,
        event: Event,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        let lease_before = self.lease_until(now);
        let accepts = matches!(&event, Event::ForkAccepted(_));
        let mut effects = VecDeque::from(self.follower.step(self.clock(now), event));
        while let Some(effect) = effects.pop_front() {
            match self.carry_out(now, effect, chance) {
                Ok(more) => effects.extend(more),
                Err(Trouble::Refused) => {
                    self.lose_store();
                    effects = VecDeque::from(self.follower.step(self.clock(now), Event::StoreFault));
                }
                Err(Trouble::PowerCut) => {
                    self.restart(now, chance);
                    return;
                }
            }
        }
        if accepts && self.quarantine().is_none() {
            self.in_quarantine = false;
        }
        if let Some(until) = self.lease_until(now) {
            oracle.leased(&self.id, self.started + until);
        }
        let vouched = self.follower.audited().map(|audit| audit.revision);
        if let Some(until) = self.lease_until(now)
            && Some(until) != lease_before
            && self.wrong_since().is_some_and(|wrong| vouched >= Some(wrong))
            && !self.is_sound(oracle)
        {
            oracle.violated(Invariant::LeaseOnAnotherSet, self.told());
        }
    }

    fn wrong_since(&self) -> Option<Revision> {
        self.disk.store.back()?.wrong
    }

    /// Whether the store holds what central holds, or held, at that head.
    fn is_sound(&self, oracle: &Oracle) -> bool {
        let head = self.follower.head();
        self.disk
            .store
            .back()
            .is_some_and(|held| held.head == head && oracle.is_state(&self.site, head, &held.set))
    }

    fn lease_until(&self, now: Duration) -> Option<Duration> {
        match self.follower.state() {
            State::Live { until } if *until > self.clock(now) => Some(*until),
            _ => None,
        }
    }

    fn carry_out(
        &mut self,
        now: Duration,
        effect: Effect,
        chance: &mut Chance,
    ) -> Result<Vec<Effect>, Trouble> {
        match effect {
            Effect::QuerySnapshot { whole } => {
                let held = self.disk.store.back().filter(|_| !whole);
                let sums = held.map(|held| Buckets::of(held.set.values()).to_bytes());
                self.waiting.push(ToCentral::Snapshot(sums));
            }
            Effect::QueryRange { from, to } => self.waiting.push(ToCentral::Range(from.0, to.0)),
            Effect::AskLease => {
                self.nonces += 1;
                let mut nonce = Nonce::default();
                nonce.0[..8].copy_from_slice(&self.nonces.to_le_bytes());
                nonce.0[8] = self.index as u8;
                let request = LeaseRequest { site: self.site.clone(), edge: self.id.clone(), nonce };
                self.asked = Some(nonce);
                if !self.has(Mutation::LeaseFromReceipt) {
                    self.follower.step(self.clock(now), Event::LeaseAsked(nonce));
                }
                self.waiting.push(ToCentral::Lease(self.signer.seal(&request).0));
            }
            Effect::Apply { ops, head } => return self.apply(now, &ops, head, chance),
            Effect::ReplaceAll { entries, head } => {
                let set = by_mark(entries);
                return self.store(now, set, head, None, chance);
            }
            Effect::ReplaceBuckets { buckets, entries, head, root } => {
                let held = self.disk.store.back().ok_or(Trouble::Refused)?;
                let mut set = (*held.set).clone();
                set.retain(|mark, _| !buckets.contains(bucket_of(mark)));
                set.extend(by_mark(entries));
                if Buckets::of(set.values()).root() != root {
                    return Err(Trouble::Refused);
                }
                return self.store(now, set, head, None, chance);
            }
            Effect::Quarantine(why) if !self.has(Mutation::IgnoreQuarantine) => {
                self.durably(chance, |disk| disk.quarantine = Some(why))?;
                self.in_quarantine = true;
            }
            Effect::Quarantine(_) => {
                let found = Found {
                    held: self.disk.store.back().map(|h| (h.head, Buckets::of(h.set.values()).root())),
                    floor: self.disk.floor,
                    quarantine: None,
                };
                self.follower = Follower::new(self.site.clone(), self.id.clone(), found);
                self.connected = false;
            }
            Effect::LiftQuarantine => self.durably(chance, |disk| disk.quarantine = None)?,
            Effect::LeaseChanged(_) | Effect::Log(_) => {}
        }
        Ok(vec![])
    }

    /// Do a write that is whole or not at all.
    fn durably(&mut self, chance: &mut Chance, change: impl FnOnce(&mut Disk)) -> Result<(), Trouble> {
        match self.disk.write(chance, false) {
            Ok(()) => {
                change(&mut self.disk);
                Ok(())
            }
            Err((trouble, done)) => {
                if done {
                    change(&mut self.disk);
                }
                Err(trouble)
            }
        }
    }

    fn apply(
        &mut self,
        now: Duration,
        ops: &[DirectiveOp],
        head: Head,
        chance: &mut Chance,
    ) -> Result<Vec<Effect>, Trouble> {
        let held = self.disk.store.back().ok_or(Trouble::Refused)?;
        let (mut set, mut wrong) = ((*held.set).clone(), held.wrong);
        if std::mem::take(&mut self.misapplies) {
            wrong = wrong.or(Some(head.revision));
        } else {
            apply(&mut set, &mut Buckets::default(), ops, head.revision);
        }
        self.store(now, set, head, wrong, chance)
    }

    /// The store moves to another state, then the floor rises.
    fn store(
        &mut self,
        now: Duration,
        set: DirectiveSet,
        head: Head,
        wrong: Option<Revision>,
        chance: &mut Chance,
    ) -> Result<Vec<Effect>, Trouble> {
        let root = Buckets::of(set.values()).root();
        let held = Held { set: Arc::new(set), head, wrong };
        self.durably(chance, |disk| {
            disk.store.push_back(held);
            if disk.store.len() > UNSYNCED {
                disk.store.pop_front();
            }
        })?;
        self.durably(chance, |disk| {
            if (head.epoch, head.revision) > (disk.floor.epoch, disk.floor.revision) {
                disk.floor = head;
            }
        })?;
        Ok(self.follower.step(self.clock(now), Event::Stored { head, root }))
    }

    /// Invariants that hold at every moment.
    pub(in crate::simulation) fn check(&mut self, now: Duration, oracle: &mut Oracle) {
        let serves = matches!(self.follower.state(), State::Live { .. } | State::Stale);
        let head = self.follower.head();
        if serves {
            if (head.epoch, head.revision) < (self.served.epoch, self.served.revision) {
                oracle.violated(Invariant::WentBack, format!("{} after {:?}", self.told(), self.served));
            }
            self.served = head;
        }
        if serves && !self.disk.store.is_empty() {
            let sound = self.is_sound(oracle);
            if !sound && self.wrong_since().is_none() {
                oracle.violated(Invariant::NotAPrefix, self.told());
            }
            if let (true, Some(held)) = (sound, self.disk.store.back_mut()) {
                held.wrong = None;
            }
        }
        let forgotten = self.in_quarantine && self.quarantine().is_none();
        if forgotten || (self.disk.quarantine.is_some() && self.lease_until(now).is_some()) {
            oracle.violated(Invariant::QuarantineForgotten, self.told());
        }
    }

    /// What must not change when somebody sends what he has no business to send.
    pub(in crate::simulation) fn fingerprint(&self) -> (Head, String, usize, Option<Quarantine>) {
        (
            self.follower.head(),
            format!("{:?}", self.follower.state()),
            self.disk.journal.len(),
            self.disk.quarantine,
        )
    }

    /// Rotations of central's key that it has followed.
    pub(in crate::simulation) fn followed_keys(&self) -> u64 {
        self.ring.serial()
    }

    /// The head that a forger would go on from.
    pub(in crate::simulation) fn head(&self) -> Head {
        self.follower.head()
    }

    /// A lease request that was answered with anything would do for an attacker too.
    pub(in crate::simulation) fn asked(&self) -> Option<Nonce> {
        self.asked
    }
}

fn by_mark(entries: Vec<DirectiveEntry>) -> DirectiveSet {
    entries.into_iter().map(|entry| (entry.directive.mark.clone(), entry)).collect()
}
