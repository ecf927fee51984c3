//! Central: a database with transactions, a key, and what it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use clearance::directive::{ActionCode, Directive, DirectiveStatus, Window};
use clearance::follower::Quarantine;
use clearance::ids::{EdgeId, Epoch, MovementId, PassageId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::merkle::{Buckets, bucket_of};
use clearance::passage::{Outcome, PassageEvent, PassageStep};
use clearance::publisher::{
    DirectiveSet, EPOCHS_BEFORE, Moment, apply, seal_delta, seal_grant, seal_snapshot, wanted,
};
use clearance::replicate::{DirectiveOp, ForkAccepted, Head, KeyRotation, LeaseRequest};
use clearance::wire::{RecordKind, Signer, TrustStore};

use super::LEASE;
use super::mutation::Mutation;
use super::network::{ToCentral, ToEdge};
use super::oracle::{Invariant, Oracle};

/// One site's log and what it adds up to.
#[derive(Clone)]
pub(super) struct SiteLog {
    pub(super) head: Head,
    log: BTreeMap<u64, Vec<u8>>,
    pub(super) set: DirectiveSet,
    buckets: Buckets,
    ended: Vec<Head>,
}

/// What the database holds: changed by whole transactions only.
#[derive(Clone)]
struct Database {
    epoch: Epoch,
    sites: BTreeMap<SiteId, SiteLog>,
    steps: BTreeMap<(PassageId, u32), u32>,
    accepted: BTreeMap<EdgeId, Vec<u8>>,
    movements: u64,
}

pub(super) struct Central {
    database: Database,
    copy: Option<Database>,
    signer: Signer,
    rotations: Vec<Vec<u8>>,
    retired: Option<Signer>,
    trust: TrustStore,
    /// Until when it is down.
    pub(super) down_until: Duration,
    /// The next commit is its last for a while.
    pub(super) dies_after_commit: bool,
    mutation: Option<Mutation>,
    keys_made: u8,
}

/// What is sent at once, to every edge of a site that can be reached.
pub(super) struct Published {
    pub(super) site: SiteId,
    pub(super) sealed: Vec<u8>,
}

impl Central {
    pub(super) fn new(sites: &[SiteId], edges: &Signer, mutation: Option<Mutation>) -> Self {
        let epoch = Epoch(1);
        let fresh = SiteLog {
            head: Head { epoch, ..Head::default() },
            log: BTreeMap::new(),
            set: DirectiveSet::new(),
            buckets: Buckets::default(),
            ended: Vec::new(),
        };
        let database = Database {
            epoch,
            sites: sites.iter().map(|site| (site.clone(), fresh.clone())).collect(),
            steps: BTreeMap::new(),
            accepted: BTreeMap::new(),
            movements: 0,
        };
        Self {
            database,
            copy: None,
            signer: Signer::from_secret(&[101; 32]),
            rotations: Vec::new(),
            retired: None,
            trust: TrustStore::new().trusting(edges.public(), &RecordKind::EDGE),
            down_until: Duration::ZERO,
            dies_after_commit: false,
            mutation,
            keys_made: 0,
        }
    }

    pub(super) fn public(&self) -> clearance::wire::PublicKey {
        self.signer.public()
    }

    /// The key before the present one, and how often a key was replaced.
    pub(super) fn retired(&self) -> Option<(&Signer, u64)> {
        self.retired.as_ref().map(|key| (key, u64::from(self.keys_made)))
    }

    pub(super) fn is_up(&self, now: Duration) -> bool {
        now >= self.down_until
    }

    pub(super) fn site(&self, site: &SiteId) -> &SiteLog {
        &self.database.sites[site]
    }

    /// How often a step was counted.
    pub(super) fn counted(&self, passage: PassageId, step: u32) -> u32 {
        self.database.steps.get(&(passage, step)).copied().unwrap_or(0)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (&(PassageId, u32), &u32)> {
        self.database.steps.iter()
    }

    /// Tell the oracle of every state, as after a restart.
    pub(super) fn tell(&self, now: Duration, oracle: &mut Oracle) {
        for (site, log) in &self.database.sites {
            oracle.committed(now, site, log.head, &log.set);
        }
    }

    fn commit(
        &mut self,
        now: Duration,
        site: &SiteId,
        ops: Vec<DirectiveOp>,
        oracle: &mut Oracle,
    ) -> Option<Published> {
        let signer = &self.signer;
        let log = self.database.sites.get_mut(site)?;
        if self.mutation == Some(Mutation::RevisionOutsideTransaction) && now.as_millis().is_multiple_of(7) {
            log.head.revision = log.head.revision.next();
        }
        let sealed = seal_delta(signer, site, &log.head, ops.clone());
        apply(&mut log.set, &mut log.buckets, &ops, sealed.head.revision);
        log.head = sealed.head;
        log.log.insert(sealed.head.revision.0, sealed.bytes.clone());
        oracle.numbered(site, log.head);
        oracle.committed(now, site, log.head, &log.set);
        if std::mem::take(&mut self.dies_after_commit) {
            self.down_until = now + Duration::from_secs(3);
            return None;
        }
        Some(Published { site: site.clone(), sealed: sealed.bytes })
    }

    pub(super) fn put(
        &mut self,
        now: Duration,
        site: &SiteId,
        mark: &RegistrationMark,
        release: bool,
        oracle: &mut Oracle,
    ) -> Option<Published> {
        self.database.movements += 1;
        let movement: MovementId =
            format!("{site}-{}-{}", self.database.epoch.0, self.database.movements).parse().ok()?;
        let directive = Directive {
            movement,
            mark: mark.clone(),
            mainland_mark: None,
            action: if release { ActionCode::Release } else { ActionCode::Inspect },
            window: Window { from: UtcMillis(i64::MIN), until: UtcMillis(i64::MAX) },
            more: None,
        };
        self.commit(now, site, vec![DirectiveOp::Put(directive)], oracle)
    }

    pub(super) fn revoke(
        &mut self,
        now: Duration,
        site: &SiteId,
        mark: &RegistrationMark,
        oracle: &mut Oracle,
    ) -> Option<Published> {
        let entry = self.site(site).set.get(mark).filter(|e| e.status == DirectiveStatus::Active)?;
        let op = DirectiveOp::Revoke { movement: entry.directive.movement.clone(), mark: mark.clone() };
        self.commit(now, site, vec![op], oracle)
    }

    /// Never a number that was given out before, though the database may not remember it: numbers follow the clock.
    fn begin_epoch(&mut self, now: Duration) {
        self.database.epoch = Epoch((self.database.epoch.0 + 1).max(now.as_millis() as u64));
        for log in self.database.sites.values_mut() {
            log.ended.insert(0, log.head);
            log.ended.truncate(EPOCHS_BEFORE);
            log.head = Head { epoch: self.database.epoch, ..Head::default() };
            log.log.clear();
        }
    }

    pub(super) fn backup(&mut self) {
        self.copy = Some(self.database.clone());
    }

    /// Bring the copy back; gives the passages that are lost by it.
    pub(super) fn restore(&mut self, now: Duration, oracle: &mut Oracle) {
        let Some(copy) = self.copy.clone() else { return };
        // Names of movements are random in the product: what was lost is not named again.
        let movements = self.database.movements;
        self.database = copy;
        self.database.movements = movements;
        if self.mutation != Some(Mutation::ReuseEpoch) {
            self.begin_epoch(now);
        }
        self.tell(now, oracle);
    }

    pub(super) fn rotate_key(&mut self, now: Duration, oracle: &mut Oracle) {
        self.keys_made += 1;
        let next = Signer::from_secret(&[101 + self.keys_made; 32]);
        self.begin_epoch(now);
        let rotation = KeyRotation {
            serial: u64::from(self.keys_made),
            next: next.public(),
            epoch: self.database.epoch,
            at: UtcMillis(0),
        };
        self.rotations.push(self.signer.seal(&rotation).0);
        self.retired = Some(std::mem::replace(&mut self.signer, next));
        // A copy of before would be signed over to nobody.
        self.copy = None;
        self.tell(now, oracle);
    }

    /// An officer accepts for an edge.
    pub(super) fn accept(
        &mut self,
        now: Duration,
        site: &SiteId,
        edge: &EdgeId,
        why: Quarantine,
        oracle: &mut Oracle,
    ) {
        if !matches!(why, Quarantine::LostHistory(met, _) if met <= self.database.epoch) {
            self.begin_epoch(now);
            self.tell(now, oracle);
        }
        let accepted = ForkAccepted {
            site: site.clone(),
            edge: edge.clone(),
            epoch: self.database.epoch,
            officer: "chan".parse().unwrap_or_else(|_| unreachable!("a name")),
            reason: "seen".to_owned(),
            at: UtcMillis(0),
        };
        self.database.accepted.insert(edge.clone(), self.signer.seal(&accepted).0);
    }

    /// What waits for a quarantined edge. Sealed anew by an officer once the key was changed.
    pub(super) fn acceptance(&self, edge: &EdgeId) -> Option<Vec<u8>> {
        self.database.accepted.get(edge).cloned()
    }

    fn moment(&self, site: &SiteId) -> Moment {
        let log = self.site(site);
        Moment { head: log.head, root: log.buckets.root(), before: log.ended.clone() }
    }

    /// Answer an edge.
    pub(super) fn answer(
        &mut self,
        now: Duration,
        site: &SiteId,
        asked: ToCentral,
        oracle: &mut Oracle,
    ) -> (Vec<ToEdge>, Option<Published>) {
        match asked {
            ToCentral::Snapshot(held) => {
                let held = held.and_then(|bytes| Buckets::from_bytes(&bytes));
                let log = self.site(site);
                let buckets = wanted(&log.buckets, held.as_ref());
                let among = |mark: &RegistrationMark| buckets.contains(bucket_of(mark));
                let entries: Vec<_> =
                    log.set.values().filter(|e| among(&e.directive.mark)).cloned().collect();
                let mut moment = self.moment(site);
                if self.mutation == Some(Mutation::HalfSnapshot) {
                    // Each page passes for a whole: what an edge would do that switches at the first.
                    moment.root = Buckets::of(&entries[..entries.len() / 2]).root();
                    let pages = seal_snapshot(
                        &self.signer,
                        site,
                        &moment,
                        clearance::merkle::BucketSet::ALL,
                        &entries[..entries.len() / 2],
                    );
                    return (
                        pages.into_iter().map(ToEdge::Record).chain([ToEdge::SnapshotEnd]).collect(),
                        None,
                    );
                }
                let pages = seal_snapshot(&self.signer, site, &moment, buckets, &entries);
                (pages.into_iter().map(ToEdge::Record).chain([ToEdge::SnapshotEnd]).collect(), None)
            }
            ToCentral::Range(from, to) => {
                let deltas = self.site(site).log.range(from..=to.max(from)).map(|(_, sealed)| sealed.clone());
                (deltas.map(ToEdge::Record).chain([ToEdge::RangeEnd]).collect(), None)
            }
            ToCentral::Lease(sealed) => {
                let Ok(request) = self.trust.open::<LeaseRequest>(&sealed) else { return (vec![], None) };
                let request = request.into_record();
                if request.site != *site {
                    return (vec![], None);
                }
                oracle.vouched(now, &request.edge);
                let ttl = LEASE.as_millis() as u64;
                (
                    vec![ToEdge::Record(seal_grant(
                        &self.signer,
                        request,
                        &self.site(site).head,
                        self.site(site).buckets.root(),
                        ttl,
                    ))],
                    None,
                )
            }
            ToCentral::Keys => (self.rotations.iter().cloned().map(ToEdge::Record).collect(), None),
            ToCentral::Passage(number, sealed) => self.take_passage(now, site, number, &sealed, oracle),
        }
    }

    fn take_passage(
        &mut self,
        now: Duration,
        site: &SiteId,
        number: u64,
        sealed: &[u8],
        oracle: &mut Oracle,
    ) -> (Vec<ToEdge>, Option<Published>) {
        let Ok(event) = self.trust.open::<PassageEvent>(sealed) else { return (vec![], None) };
        let event = event.into_record();
        if event.site != *site {
            return (vec![], None);
        }
        if self.mutation == Some(Mutation::AckBeforeCommit) && now.as_millis().is_multiple_of(5) {
            // It has answered, and then the power went.
            self.down_until = now + Duration::from_secs(2);
            return (vec![ToEdge::Ack(number)], None);
        }
        let counted = self.database.steps.entry((event.passage, event.step)).or_insert(0);
        let known = *counted > 0;
        if !known || self.mutation == Some(Mutation::CountTwice) {
            *counted += 1;
        }
        if *counted > 1 {
            oracle.violated(Invariant::PassageDoubled, format!("{} step {}", event.passage, event.step));
        }
        let mut published = None;
        if !known
            && let PassageStep::Decided(record) = &event.what
            && record.outcome != Outcome::Referred
            && let Some(movement) = &record.movement
        {
            let used = self.site(site).set.values().find(|entry| {
                entry.directive.movement == *movement && entry.status == DirectiveStatus::Active
            });
            if let Some(entry) = used.cloned().filter(|_| self.mutation != Some(Mutation::UseNotCommitted)) {
                let op = DirectiveOp::Use {
                    movement: movement.clone(),
                    mark: entry.directive.mark,
                    passage: event.passage,
                };
                published = self.commit(now, site, vec![op], oracle);
            }
        }
        // Killed between commit and answer, it answers the next time.
        if !self.is_up(now) {
            return (vec![], None);
        }
        (vec![ToEdge::Ack(number)], published)
    }
}
