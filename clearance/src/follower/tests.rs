use proptest::prelude::*;

use super::*;
use crate::directive::{ActionCode, Directive, Window};
use crate::ids::UtcMillis;
use crate::merkle::Buckets;
use crate::publisher::{DirectiveSet, Moment, apply, seal_delta, seal_grant, seal_snapshot, wanted};
use crate::replicate::LeaseRequest;
use crate::wire::{RecordKind, Signer, TrustStore, WireError};

/// Central, as far as a follower can tell.
struct Central {
    signer: Signer,
    site: SiteId,
    head: Head,
    before: Vec<Head>,
    log: Vec<Vec<u8>>,
    /// The set after each revision.
    sets: Vec<DirectiveSet>,
}

fn trust() -> TrustStore {
    TrustStore::new().trusting(Signer::from_secret(&[7; 32]).public(), &RecordKind::CENTRAL)
}

impl Central {
    fn new(epoch: u64) -> Self {
        Self {
            signer: Signer::from_secret(&[7; 32]),
            site: "site".parse().unwrap(),
            head: Head { epoch: Epoch(epoch), ..Head::default() },
            before: vec![],
            log: vec![],
            sets: vec![DirectiveSet::new()],
        }
    }

    fn with(epoch: u64, marks: &[&str]) -> Self {
        let mut central = Self::new(epoch);
        marks.iter().for_each(|mark| central.commit(mark));
        central
    }

    fn commit(&mut self, mark: &str) {
        let directive = Directive {
            movement: format!("m{}", self.log.len()).parse().unwrap(),
            mark: mark.parse().unwrap(),
            mainland_mark: None,
            action: ActionCode::Release,
            window: Window { from: UtcMillis(0), until: UtcMillis(1) },
            more: None,
        };
        let ops = vec![DirectiveOp::Put(directive)];
        let mut set = self.sets.last().unwrap().clone();
        let sealed = seal_delta(&self.signer, &self.site, &self.head, ops.clone());
        apply(&mut set, &mut Buckets::default(), &ops, sealed.head.revision);
        self.sets.push(set);
        self.head = sealed.head;
        self.log.push(sealed.bytes);
    }

    fn delta(&self, revision: u64) -> Event {
        Event::DeltaReceived(trust().open(&self.log[revision as usize - 1]).unwrap())
    }

    fn set(&self) -> &DirectiveSet {
        self.sets.last().unwrap()
    }

    fn moment(&self) -> Moment {
        Moment { head: self.head, root: Buckets::of(self.set().values()).root(), before: self.before.clone() }
    }

    fn sealed_pages(&self) -> Vec<Vec<u8>> {
        let entries: Vec<_> = self.set().values().cloned().collect();
        seal_snapshot(&self.signer, &self.site, &self.moment(), BucketSet::ALL, &entries)
    }

    /// What an edge that holds `held` lacks.
    fn repair(&self, held: &DirectiveSet) -> Vec<Event> {
        let buckets = wanted(&Buckets::of(self.set().values()), Some(&Buckets::of(held.values())));
        let among = |e: &&DirectiveEntry| buckets.contains(crate::merkle::bucket_of(&e.directive.mark));
        let entries: Vec<_> = self.set().values().filter(among).cloned().collect();
        let pages = seal_snapshot(&self.signer, &self.site, &self.moment(), buckets, &entries);
        pages.iter().map(|page| Event::SnapshotPage(trust().open(page).unwrap())).collect()
    }

    fn snapshot(&self) -> Vec<Event> {
        self.sealed_pages().iter().map(|page| Event::SnapshotPage(trust().open(page).unwrap())).collect()
    }

    fn grant(&self, nonce: Nonce) -> Event {
        let request = LeaseRequest { site: self.site.clone(), edge: "edge".parse().unwrap(), nonce };
        let grant = seal_grant(&self.signer, request, &self.head, self.moment().root, 9_000);
        Event::LeaseGranted(trust().open(&grant).unwrap())
    }
}

fn follower(held: Option<Head>, floor: Head) -> Follower {
    let found = Found { held: held.map(|head| (head, Digest::default())), floor, quarantine: None };
    Follower::new("site".parse().unwrap(), "edge".parse().unwrap(), found)
}

/// The cache that an adapter would keep.
#[derive(Default)]
struct Cache {
    set: DirectiveSet,
    head: Head,
}

impl Cache {
    /// Do them, and tell the follower what is stored then.
    fn do_effects(&mut self, follower: &mut Follower, effects: Vec<Effect>) -> Vec<Effect> {
        let mut more = Vec::new();
        for effect in &effects {
            match effect {
                Effect::Apply { ops, head } => {
                    assert_eq!(head.revision, self.head.revision.next(), "no gap is ever applied");
                    apply(&mut self.set, &mut Buckets::default(), ops, head.revision);
                    self.head = *head;
                }
                Effect::ReplaceAll { entries, head } => {
                    assert!((head.epoch, head.revision) >= (self.head.epoch, self.head.revision));
                    self.set.clear();
                    self.fill(entries);
                    self.head = *head;
                }
                Effect::ReplaceBuckets { buckets, entries, head, root } => {
                    self.set.retain(|mark, _| !buckets.contains(crate::merkle::bucket_of(mark)));
                    self.fill(entries);
                    self.head = *head;
                    assert_eq!(self.root(), *root);
                }
                _ => continue,
            }
            more.extend(follower.step(T, Event::Stored { head: self.head, root: self.root() }));
        }
        effects.into_iter().chain(more).collect()
    }

    fn fill(&mut self, entries: &[DirectiveEntry]) {
        self.set.extend(entries.iter().map(|e| (e.directive.mark.clone(), e.clone())));
    }

    fn root(&self) -> Digest {
        Buckets::of(self.set.values()).root()
    }

    /// The follower and its cache take an event.
    fn take(&mut self, follower: &mut Follower, now: Duration, event: Event) -> Vec<Effect> {
        let effects = follower.step(now, event);
        self.do_effects(follower, effects)
    }
}

const T: Duration = Duration::from_secs(100);
const NONCE: Nonce = Nonce([1; 16]);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn bootstrapped(central: &Central) -> (Follower, Cache) {
    let (mut follower, mut cache) = (follower(None, Head::default()), Cache::default());
    assert_eq!(follower.state(), &State::Empty);
    assert_eq!(follower.step(T, Event::Connected), [Effect::QuerySnapshot { whole: false }]);
    for page in central.snapshot() {
        cache.take(&mut follower, T, page);
    }
    assert_eq!(follower.state(), &State::Stale);
    assert_eq!(cache.head, central.head);
    (follower, cache)
}

fn live(central: &Central) -> (Follower, Cache) {
    let (mut follower, cache) = bootstrapped(central);
    follower.step(T, Event::LeaseAsked(NONCE));
    assert_eq!(follower.step(T, central.grant(NONCE)), [Effect::LeaseChanged(Some(T + secs(9)))]);
    (follower, cache)
}

#[test]
fn deltas_that_come_before_the_snapshot_are_merged_by_revision() {
    let mut central = Central::with(1, &["AB1"]);
    let snapshot = central.snapshot();
    central.commit("AB2");
    central.commit("AB3");
    let (mut follower, mut cache) = (follower(None, Head::default()), Cache::default());
    follower.step(T, Event::Connected);
    for event in [central.delta(2), central.delta(3), central.delta(1)].into_iter().chain(snapshot) {
        cache.take(&mut follower, T, event);
    }
    assert_eq!(cache.head, central.head);
    assert_eq!(&cache.set, central.sets.last().unwrap());
}

#[test]
fn a_snapshot_of_many_pages_counts_once_it_is_whole() {
    let mut central = Central::new(1);
    (0..450).for_each(|i| central.commit(&format!("AB{i}")));
    let mut pages = central.snapshot();
    let mut follower = follower(None, Head::default());
    follower.step(T, Event::Connected);
    let last = pages.pop().unwrap();
    for page in pages.iter().rev().chain(&pages) {
        assert!(follower.step(T, page.clone()).is_empty());
    }
    let effects = follower.step(T, last);
    assert!(
        matches!(&effects[0], Effect::ReplaceAll { entries, head } if entries.len() == 450 && *head == central.head)
    );
}

#[test]
fn pages_of_two_moments_do_not_mix() {
    let mut central = Central::new(1);
    (0..450).for_each(|i| central.commit(&format!("AB{i}")));
    let old = central.snapshot();
    central.commit("ZZ1");
    let new = central.snapshot();
    let (mut follower, mut cache) = (follower(None, Head::default()), Cache::default());
    follower.step(T, Event::Connected);
    for page in [&old[0], &new[1], &old[1], &old[0], &new[0]] {
        cache.take(&mut follower, T, page.clone());
    }
    assert_eq!(cache.head, central.head);
    assert_eq!(&cache.set, central.sets.last().unwrap());
}

#[test]
fn a_snapshot_that_does_not_come_is_asked_for_again() {
    let mut follower = follower(None, Head::default());
    assert_eq!(follower.step(T, Event::Connected), [Effect::QuerySnapshot { whole: false }]);
    assert!(follower.step(T, Event::SnapshotEnd).is_empty(), "not in a tight circle");
    assert_eq!(follower.step(T + RETRY, Event::Tick), [Effect::QuerySnapshot { whole: false }]);
    assert!(follower.step(T + RETRY * 2, Event::Tick).is_empty(), "the query may still be going on");
    assert_eq!(follower.step(T + RETRY + PATIENCE, Event::Tick), [Effect::QuerySnapshot { whole: false }]);
}

#[test]
fn a_gap_is_asked_for_and_else_the_snapshot_is() {
    let mut central = Central::new(1);
    let (mut follower, mut cache) = bootstrapped(&central);
    (1..=4).for_each(|i| central.commit(&format!("AB{i}")));
    let asked = |from, to| Effect::QueryRange { from: Revision(from), to: Revision(to) };
    assert_eq!(follower.step(T, central.delta(4)), [asked(1, 3)]);
    assert!(follower.step(T, Event::Tick).is_empty(), "not asked again while the query goes on");
    cache.take(&mut follower, T, central.delta(1));
    assert_eq!(follower.step(T, Event::RangeEnd), [asked(2, 3)], "some came: the rest is asked for");
    let effects = follower.step(T, Event::RangeEnd);
    assert_eq!(effects, [Effect::Log(Note::GapNotFilled(Revision(1)))], "nothing came");
    assert_eq!(follower.step(T + RETRY, Event::Tick), [Effect::QuerySnapshot { whole: false }]);
    for page in central.snapshot() {
        cache.take(&mut follower, T + RETRY, page);
    }
    assert_eq!(cache.head, central.head);
}

#[test]
fn a_range_that_brings_nothing_is_asked_for_again_before_a_lease_is_given_up_for_it() {
    let mut central = Central::new(1);
    let (mut follower, mut cache) = live(&central);
    (1..=3).for_each(|i| central.commit(&format!("AB{i}")));
    let asked = |from, to| [Effect::QueryRange { from: Revision(from), to: Revision(to) }];
    assert_eq!(follower.step(T, central.delta(3)), asked(1, 2));
    assert!(follower.step(T, Event::RangeEnd).is_empty(), "not in a tight circle");
    assert!(follower.step(T, Event::Tick).is_empty());
    assert_eq!(follower.step(T + RETRY, Event::Tick), asked(1, 2));
    assert_eq!(follower.lease(T + RETRY), Lease::Live);
    cache.take(&mut follower, T + RETRY, central.delta(1));
    assert_eq!(
        follower.step(T + RETRY, Event::RangeEnd),
        asked(2, 2),
        "some came: counted from the beginning"
    );
    assert!(follower.step(T + RETRY, Event::RangeEnd).is_empty());
    assert_eq!(follower.step(T + RETRY * 2, Event::Tick), asked(2, 2));
    assert!(follower.step(T + RETRY * 2, Event::RangeEnd).is_empty());
    assert_eq!(follower.step(T + RETRY * 3, Event::Tick)[..1], asked(2, 2));
    let given_up = follower.step(T + RETRY * 3, Event::RangeEnd);
    assert_eq!(given_up, [Effect::Log(Note::GapNotFilled(Revision(1))), Effect::LeaseChanged(None)]);
    assert_eq!(follower.step(T + RETRY * 4, Event::Tick), [Effect::QuerySnapshot { whole: false }]);
}

#[test]
fn what_is_buffered_is_bounded() {
    let mut central = Central::new(1);
    let (mut follower, _) = bootstrapped(&central);
    (0..300).for_each(|i| central.commit(&format!("AB{i}")));
    for revision in (2..=300).rev() {
        follower.step(T, central.delta(revision));
    }
    let effects = follower.step(T, central.delta(1));
    let applied = effects.iter().filter(|e| matches!(e, Effect::Apply { .. })).count();
    assert_eq!(applied, BUFFER, "the nearest are kept");
}

#[test]
fn a_fork_quarantines_and_takes_the_lease() {
    let central = Central::with(1, &["AB1"]);
    let other = Central::with(1, &["ZZ9"]);
    let (mut follower, _) = live(&central);
    let why = Quarantine::Fork(Revision(1));
    assert_eq!(follower.step(T, other.delta(1)), [Effect::LeaseChanged(None), Effect::Quarantine(why)]);
    assert_eq!(follower.lease(T), Lease::Stale);
    assert!(follower.step(T, central.grant(NONCE)).is_empty(), "nothing but a person mends it");
}

#[test]
fn two_deltas_of_one_revision_in_the_buffer_are_a_fork() {
    let mut central = Central::new(1);
    let mut other = Central::with(1, &["ZZ9"]);
    let (mut follower, _) = bootstrapped(&central);
    ["AB1", "AB2"].iter().for_each(|mark| central.commit(mark));
    other.commit("ZZ8");
    follower.step(T, central.delta(2));
    assert_eq!(follower.step(T, other.delta(2)), [Effect::Quarantine(Quarantine::Fork(Revision(2)))]);
}

#[test]
fn a_chain_that_does_not_fit_quarantines() {
    let (mut follower, _) = bootstrapped(&Central::with(1, &["AB1"]));
    let other = Central::with(1, &["ZZ9", "ZZ8"]);
    assert_eq!(follower.step(T, other.delta(2)), [Effect::Quarantine(Quarantine::BrokenChain(Revision(2)))]);
}

#[test]
fn a_grant_for_another_head_of_this_revision_is_a_fork() {
    let (mut follower, _) = live(&Central::with(1, &["AB1"]));
    follower.step(T, Event::LeaseAsked(Nonce([2; 16])));
    let effects = follower.step(T, Central::with(1, &["ZZ9"]).grant(Nonce([2; 16])));
    assert!(effects.contains(&Effect::Quarantine(Quarantine::Fork(Revision(1)))), "{effects:?}");
}

#[test]
fn the_lease_runs_from_asking_and_only_for_the_nonce_asked() {
    let central = Central::new(1);
    let (mut follower, _) = bootstrapped(&central);
    follower.step(T, Event::LeaseAsked(NONCE));
    follower.step(T + secs(1), central.grant(Nonce([2; 16])));
    assert_eq!(follower.lease(T + secs(1)), Lease::Stale, "a replayed grant is worth nothing");
    follower.step(T + secs(4), central.grant(NONCE));
    assert_eq!(follower.lease_left(T + secs(4)), secs(5));
    assert_eq!(follower.lease(T + secs(9)), Lease::Stale);
    assert_eq!(follower.step(T + secs(9), Event::Tick)[0], Effect::LeaseChanged(None));
    assert!(
        !follower.step(T + secs(9), central.grant(NONCE)).contains(&Effect::LeaseChanged(Some(T + secs(18))))
    );
}

#[test]
fn the_lease_is_asked_for_every_third_of_its_life() {
    let central = Central::new(1);
    let (mut follower, _) = bootstrapped(&central);
    follower.step(T, Event::LeaseAsked(NONCE));
    assert!(follower.step(T, Event::Tick).is_empty());
    assert_eq!(follower.step(T + RETRY, Event::Tick), [Effect::AskLease], "no answer yet");
    follower.step(T + RETRY, central.grant(NONCE));
    assert!(follower.step(T + RETRY + Duration::from_millis(2999), Event::Tick).is_empty());
    assert_eq!(follower.step(T + RETRY + secs(3), Event::Tick), [Effect::AskLease]);
}

#[test]
fn a_grant_that_comes_after_its_end_gives_nothing() {
    let central = Central::new(1);
    let (mut follower, _) = bootstrapped(&central);
    follower.step(T, Event::LeaseAsked(NONCE));
    follower.step(T + secs(9), central.grant(NONCE));
    assert_eq!(follower.state(), &State::Stale);
}

#[test]
fn a_lease_for_a_head_not_held_waits_for_it() {
    let mut central = Central::new(1);
    let (mut follower, mut cache) = bootstrapped(&central);
    central.commit("AB1");
    follower.step(T, Event::LeaseAsked(NONCE));
    let effects = follower.step(T, central.grant(NONCE));
    assert_eq!(effects, [Effect::QueryRange { from: Revision(1), to: Revision(1) }]);
    assert_eq!(follower.lease(T), Lease::Stale);
    let effects = cache.take(&mut follower, T, central.delta(1));
    assert_eq!(
        effects.last(),
        Some(&Effect::LeaseChanged(Some(T + secs(9)))),
        "after the ops it vouches for"
    );
    assert_eq!(follower.lease(T), Lease::Live);
}

#[test]
fn no_lease_survives_a_restart_or_a_store_fault() {
    let central = Central::with(1, &["AB1"]);
    let (mut before, _) = live(&central);
    let mut restarted = follower(Some(before.head()), before.head());
    assert_eq!(restarted.state(), &State::Stale);
    restarted.step(T, central.grant(NONCE));
    assert_eq!(restarted.lease(T), Lease::Stale);
    assert_eq!(
        before.step(T, Event::StoreFault),
        [Effect::LeaseChanged(None), Effect::QuerySnapshot { whole: true }]
    );
    before.step(T, central.grant(NONCE));
    assert_eq!(before.lease(T), Lease::Stale);
}

#[test]
fn a_cache_below_the_floor_is_fetched_anew_and_never_from_further_back() {
    let mut central = Central::with(1, &["AB1"]);
    let old = central.snapshot();
    let held = central.head;
    central.commit("AB2");
    let mut follower = follower(Some(held), central.head);
    assert_eq!(follower.state(), &State::Empty);
    assert_eq!(follower.step(T, Event::Connected), [Effect::QuerySnapshot { whole: false }]);
    assert_eq!(follower.step(T, old[0].clone()), [Effect::Log(Note::OldSnapshot(Revision(1)))]);
    let fork = Central::with(1, &["AB1", "ZZ9"]).snapshot().remove(0);
    let mut forked = super::tests::follower(None, central.head);
    forked.step(T, Event::Connected);
    assert_eq!(forked.step(T, fork), [Effect::Quarantine(Quarantine::Fork(Revision(2)))]);
    let effects = follower.step(T, central.snapshot().remove(0));
    assert!(matches!(&effects[0], Effect::ReplaceAll { head, .. } if *head == central.head));
}

#[test]
fn an_older_epoch_is_nothing() {
    let central = Central::with(2, &["AB1"]);
    let (mut follower, _) = live(&central);
    let old = Central::with(1, &["AB1", "AB2"]);
    assert_eq!(follower.step(T, old.delta(2)), [Effect::Log(Note::OldEpoch(Epoch(1)))]);
    follower.step(T, Event::LeaseAsked(Nonce([3; 16])));
    assert_eq!(follower.step(T, old.grant(Nonce([3; 16]))), [Effect::Log(Note::OldEpoch(Epoch(1)))]);
    assert_eq!(follower.head(), central.head);
}

#[test]
fn a_newer_epoch_needs_a_snapshot_that_covers_what_was_seen() {
    let old = Central::with(2, &["AB1"]);
    let next = |epoch, before: Vec<Head>| {
        let mut new = Central::with(epoch, &["ZZ1", "ZZ2"]);
        new.before = before;
        let (mut follower, _) = live(&old);
        let effects = follower.step(T, new.delta(2));
        assert!(
            effects.starts_with(&[Effect::Log(Note::NewEpoch(new.head.epoch)), Effect::LeaseChanged(None)])
        );
        assert!(effects.contains(&Effect::QuerySnapshot { whole: false }));
        (follower.step(T, new.snapshot().remove(0)), new.head)
    };
    let ended = |epoch, revision, hash| Head { epoch: Epoch(epoch), revision: Revision(revision), hash };
    let strange = Digest([9; 32]);
    for before in [vec![], vec![ended(2, 1, strange)], vec![ended(2, 0, strange)], vec![ended(1, 9, strange)]]
    {
        let (effects, head) = next(3, before);
        assert_eq!(effects, [Effect::Quarantine(Quarantine::LostHistory(head.epoch, Revision(1)))]);
    }
    // Away for a whole epoch, it still finds where the one it knows ended.
    for before in [vec![old.head], vec![ended(2, 5, strange)], vec![ended(3, 4, strange), old.head]] {
        let (effects, head) = next(4, before);
        assert!(matches!(&effects[0], Effect::ReplaceAll { head: entered, .. } if *entered == head));
    }
}

#[test]
fn another_sites_records_change_nothing() {
    let (mut follower, _) = live(&Central::with(1, &["AB1"]));
    let (head, state) = (follower.head(), follower.state().clone());
    let mut other = Central { site: "elsewhere".parse().unwrap(), ..Central::new(1) };
    ["AB1", "AB2"].iter().for_each(|mark| other.commit(mark));
    follower.step(T, Event::LeaseAsked(Nonce([2; 16])));
    for event in [other.delta(1), other.delta(2), other.snapshot().remove(0), other.grant(Nonce([2; 16]))] {
        assert_eq!(follower.step(T, event), [Effect::Log(Note::NotForUs)]);
    }
    assert_eq!((follower.head(), follower.state()), (head, &state));
}

#[test]
fn nothing_is_asked_while_the_link_is_down() {
    let central = Central::new(1);
    let (mut follower, _) = live(&central);
    follower.step(T, Event::Disconnected);
    assert!(follower.step(T + secs(8), Event::Tick).is_empty());
    assert_eq!(follower.lease(T + secs(8)), Lease::Live, "a lease is worth its time, link or no link");
    assert_eq!(follower.step(T + secs(9), Event::Connected), [Effect::LeaseChanged(None), Effect::AskLease]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_the_network_does_the_cache_is_a_prefix_of_the_log(
        arrivals in proptest::collection::vec((1u64..=20, 0u8..12), 0..80),
    ) {
        let mut central = Central::with(1, &["AB0", "AB1", "AB2"]);
        let (mut follower, mut cache) = bootstrapped(&central);
        (3..20).for_each(|i| central.commit(&format!("AB{}", i % 7)));
        let mut now = T;
        for (revision, what) in arrivals {
            now += Duration::from_millis(300);
            let before = cache.head;
            let event = match what {
                0 => Event::Tick,
                1 => Event::Connected,
                2 => central.snapshot().remove(0),
                3 => Event::RangeEnd,
                4 => Event::SnapshotEnd,
                5 => Event::Disconnected,
                _ => central.delta(revision),
            };
            cache.take(&mut follower, now, event);
            prop_assert_eq!(follower.head(), cache.head);
            prop_assert!((cache.head.epoch, cache.head.revision) >= (before.epoch, before.revision));
            prop_assert_eq!(&cache.set, &central.sets[cache.head.revision.0 as usize]);
        }
        // Healed: what is missing is asked for, delivered, and the follower arrives.
        let mut arrived = vec![Event::Connected, central.delta(20)];
        // Each round closes the first gap, and 20 revisions have at most 10.
        for _ in 0..16 {
            now += RETRY;
            let mut asked = Vec::new();
            for event in arrived.drain(..).chain([Event::Tick]) {
                asked.extend(follower.step(now, event));
            }
            for effect in &asked {
                match effect {
                    Effect::QueryRange { from, to } => {
                        arrived.extend((from.0..=to.0).map(|r| central.delta(r)).chain([Event::RangeEnd]));
                    }
                    Effect::QuerySnapshot { .. } => arrived.extend(central.snapshot()),
                    _ => {}
                }
            }
            cache.do_effects(&mut follower, asked);
        }
        prop_assert_eq!(cache.head, central.head);
        prop_assert_eq!(&cache.set, central.sets.last().unwrap());
    }

    #[test]
    fn a_forged_or_damaged_record_never_reaches_the_follower(at in 0usize..4096, flip in 1u8..) {
        let central = Central::with(1, &["AB1"]);
        let mut page = central.sealed_pages().remove(0);
        let mut delta = central.log[0].clone();
        let at = (at % page.len(), at % delta.len());
        page[at.0] ^= flip;
        delta[at.1] ^= flip;
        prop_assert!(trust().open::<SnapshotPage>(&page).is_err());
        prop_assert!(trust().open::<Delta>(&delta).is_err());
    }
}

#[test]
fn a_record_signed_by_an_edge_is_not_centrals() {
    let forger = Central { signer: Signer::from_secret(&[8; 32]), ..Central::new(1) };
    let trust = trust().trusting(forger.signer.public(), &RecordKind::EDGE);
    let sealed = seal_delta(&forger.signer, &forger.site, &forger.head, vec![]);
    assert_eq!(trust.open::<Delta>(&sealed.bytes).unwrap_err(), WireError::UnknownKey(forger.signer.id()));
}

#[test]
fn a_set_that_is_not_centrals_gets_no_lease_and_is_mended_where_it_differs() {
    let central = Central::with(1, &["AB1", "AB2", "AB3", "AB4"]);
    let (mut follower, mut cache) = bootstrapped(&central);
    // Something went wrong on this side, and nobody noticed.
    let mark = "AB3".parse().unwrap();
    cache.set.remove(&mark);
    let mut held = follower.head();
    held.revision = central.head.revision;
    follower.step(T, Event::Stored { head: held, root: cache.root() });
    follower.step(T, Event::LeaseAsked(NONCE));
    let effects = follower.step(T, central.grant(NONCE));
    assert_eq!(
        effects,
        [Effect::Log(Note::SetDiffers(Revision(4))), Effect::QuerySnapshot { whole: false },]
    );
    assert_eq!(follower.lease(T), Lease::Stale);
    assert_eq!(follower.audited().map(|audit| audit.same), Some(false));
    let pages = central.repair(&cache.set);
    for page in pages {
        let effects = cache.take(&mut follower, T, page);
        assert!(
            matches!(&effects[0], Effect::ReplaceBuckets { entries, .. } if entries.len() == 1),
            "{effects:?}"
        );
    }
    assert_eq!(&cache.set, central.set());
    follower.step(T, Event::LeaseAsked(Nonce([4; 16])));
    follower.step(T, central.grant(Nonce([4; 16])));
    assert_eq!(follower.lease(T), Lease::Live);
}

#[test]
fn after_a_store_fault_a_part_is_not_enough() {
    let central = Central::with(1, &["AB1", "AB2"]);
    let (mut follower, cache) = live(&central);
    follower.step(T, Event::StoreFault);
    let mut held = cache.set.clone();
    held.remove(&"AB1".parse().unwrap());
    let effects = follower.step(T, central.repair(&held).remove(0));
    assert_eq!(effects, [Effect::Log(Note::OnlyAPart(Revision(2)))]);
}

#[test]
fn entries_of_other_buckets_and_a_wrong_root_are_senseless() {
    let central = Central::with(1, &["AB1", "AB2"]);
    let entries: Vec<_> = central.set().values().cloned().collect();
    let good = central.moment();
    let wrong_root = Moment { root: Digest([1; 32]), ..good.clone() };
    for (moment, buckets) in [(good, BucketSet::NONE), (wrong_root, BucketSet::ALL)] {
        let mut follower = follower(None, Head::default());
        follower.step(T, Event::Connected);
        let page = seal_snapshot(&central.signer, &central.site, &moment, buckets, &entries).remove(0);
        let effects = follower.step(T, Event::SnapshotPage(trust().open(&page).unwrap()));
        assert_eq!(effects, [Effect::Log(Note::Senseless)]);
    }
}

#[test]
fn a_quarantine_survives_a_restart_and_ends_with_an_officers_acceptance_of_a_later_epoch() {
    let (seen, other) = (Central::with(1, &["AB1"]), Central::with(1, &["ZZ9"]));
    let (mut follower, _) = live(&seen);
    follower.step(T, other.delta(1));
    let why = Quarantine::Fork(Revision(1));
    let found = Found { held: Some((seen.head, Digest::default())), floor: seen.head, quarantine: Some(why) };
    let mut follower = Follower::new(seen.site.clone(), "edge".parse().unwrap(), found);
    assert_eq!(follower.state(), &State::Quarantined(why));
    follower.step(T, Event::Connected);
    let accepted = |edge: &str, epoch| {
        let record = ForkAccepted {
            site: seen.site.clone(),
            edge: edge.parse().unwrap(),
            epoch: Epoch(epoch),
            officer: "chan".parse().unwrap(),
            reason: "central was restored from Monday's copy".to_owned(),
            at: UtcMillis(0),
        };
        Event::ForkAccepted(trust().open(&seen.signer.seal(&record).0).unwrap())
    };
    assert_eq!(follower.step(T, accepted("another", 2)), [Effect::Log(Note::NotForUs)]);
    assert_eq!(follower.step(T, accepted("edge", 1)), [Effect::Log(Note::OldEpoch(Epoch(1)))]);
    assert_eq!(
        follower.step(T, accepted("edge", 2)),
        [Effect::Log(Note::ForkAccepted(Epoch(2))), Effect::QuerySnapshot { whole: false }]
    );
    let new = Central::with(2, &["ZZ9"]);
    let effects = follower.step(T, new.snapshot().remove(0));
    assert_eq!(effects[0], Effect::LiftQuarantine);
    assert!(matches!(&effects[1], Effect::ReplaceAll { head, .. } if *head == new.head));
    assert_eq!(follower.step(T, accepted("edge", 2)), [], "an acceptance is used once");
}

#[test]
fn a_store_that_takes_nothing_is_not_sent_the_set_in_a_tight_circle() {
    let central = Central::with(1, &["AB1"]);
    let (mut follower, _) = live(&central);
    let mut now = T;
    let mut asked = 0;
    for _ in 0..1000 {
        now += Duration::from_millis(100);
        let effects = follower.step(now, Event::Tick);
        if effects.iter().any(|e| matches!(e, Effect::QuerySnapshot { .. })) {
            asked += 1;
            for page in central.snapshot() {
                follower.step(now, page);
            }
            follower.step(now, Event::StoreFault);
        }
        if asked == 0 {
            follower.step(now, Event::StoreFault);
            asked = 1;
        }
    }
    assert!((4..10).contains(&asked), "{asked} in 100 s");
}

#[test]
fn revisions_and_epochs_at_the_end_of_their_range_are_no_panic() {
    for (epoch, revision) in [(1, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX), (1, u64::MAX - 2)] {
        let mut central = Central::new(epoch);
        central.head = Head { epoch: Epoch(epoch), revision: Revision(revision), hash: Digest([9; 32]) };
        for floor in [Head::default(), Head { epoch: Epoch(u64::MAX), ..Head::default() }, central.head] {
            let mut follower = follower(None, floor);
            let now = Duration::from_secs(1);
            follower.step(now, Event::Connected);
            central.snapshot().into_iter().for_each(|page| drop(follower.step(now, page)));
            follower.step(now, Event::LeaseAsked(Nonce([1; 16])));
            let mut beyond = Central::new(epoch);
            beyond.head = Head { revision: Revision(u64::MAX), hash: Digest([8; 32]), ..central.head };
            follower.step(now, beyond.grant(Nonce([1; 16])));
            follower.step(now + RETRY, Event::Tick);
            let at_end = seal_delta(&central.signer, &central.site, &central.head, vec![]);
            follower.step(now, Event::DeltaReceived(trust().open(&at_end.bytes).unwrap()));
            follower.step(now, Event::RangeEnd);
            assert!(follower.head().revision <= Revision(u64::MAX));
        }
    }
}
