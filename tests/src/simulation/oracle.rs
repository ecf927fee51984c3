//! What must be true after every step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clearance::directive::{ActionCode, DirectiveStatus};
use clearance::ids::{Digest, EdgeId, MovementId, PassageId, Revision, SiteId};
use clearance::mark::RegistrationMark;
use clearance::publisher::DirectiveSet;
use clearance::replicate::Head;

use super::LEASE;

/// The invariants of `docs/design/replication.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// No release without a verified directive of this site for this mark that says so.
    ReleaseWithoutDirective,
    /// No release on a code later than its end and a lease.
    ReleaseAfterRevocation,
    /// No release without a durable intent.
    ReleaseWithoutIntent,
    /// No directive is used twice at one edge.
    UsedTwice,
    /// What an edge serves never goes back.
    WentBack,
    /// What an edge serves is a state that central has committed.
    NotAPrefix,
    /// No lease outlives the moment at which central vouched, and its time.
    LeaseOutlives,
    /// Revisions of one history are dense.
    RevisionsNotDense,
    /// No lease on a set that is not central's.
    LeaseOnAnotherSet,
    /// What was tampered with, replayed or meant for another changes nothing.
    TamperedWithEffect,
    /// A quarantined edge neither releases nor forgets that it is.
    QuarantineForgotten,
    /// Healed, everything converges in a bounded number of steps.
    NotConverged,
    /// Every passage reaches central.
    PassageLost,
    /// And counts once.
    PassageDoubled,
    /// Faults of the store end in a hold.
    ReleaseOnStoreFault,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// In a few words, where.
    pub what: String,
    /// At which step.
    pub step: usize,
}

impl Violation {
    pub(super) fn at(mut self, step: usize) -> Self {
        self.step = step;
        self
    }
}

/// One movement as central has it in truth.
#[derive(Clone, Debug)]
struct Fact {
    site: SiteId,
    mark: RegistrationMark,
    action: ActionCode,
    /// Since when it may not be used any more.
    ended: Option<Duration>,
}

/// Knows everything.
#[derive(Default)]
pub(super) struct Oracle {
    movements: BTreeMap<MovementId, Fact>,
    /// Every state central has committed, by site and head.
    states: BTreeMap<(SiteId, u64, u64, Digest), Vec<Arc<DirectiveSet>>>,
    used: BTreeMap<(usize, MovementId), PassageId>,
    /// When central vouched last, by edge.
    vouched: BTreeMap<EdgeId, Duration>,
    heads: BTreeMap<SiteId, Head>,
    violation: Option<Violation>,
    /// Gates opened.
    pub(super) released: u32,
}

impl Oracle {
    /// The first invariant that did not hold.
    pub(super) fn violation(&self) -> Option<Violation> {
        self.violation.clone()
    }

    /// Note that an invariant did not hold.
    pub(super) fn violated(&mut self, invariant: Invariant, what: impl Into<String>) {
        self.violation.get_or_insert(Violation { invariant, what: what.into(), step: 0 });
    }

    /// Central vouches for what an edge holds.
    pub(super) fn vouched(&mut self, now: Duration, edge: &EdgeId) {
        self.vouched.insert(edge.clone(), now);
    }

    /// An edge has a lease until then.
    pub(super) fn leased(&mut self, edge: &EdgeId, until: Duration) {
        let vouched = self.vouched.get(edge).copied();
        if vouched.is_none_or(|vouched| until > vouched + LEASE) {
            self.violated(
                Invariant::LeaseOutlives,
                format!("{edge} until {until:?}, vouched for at {vouched:?}"),
            );
        }
    }

    /// Central has given out a revision.
    pub(super) fn numbered(&mut self, site: &SiteId, head: Head) {
        let before = self.heads.insert(site.clone(), head);
        let expected = match before {
            Some(before) if before.epoch == head.epoch => before.revision.next(),
            _ => Revision(1),
        };
        if head.revision != expected && before.is_none_or(|before| before.epoch == head.epoch) {
            self.violated(Invariant::RevisionsNotDense, format!("{head:?} after {before:?}"));
        }
    }

    /// Everything has converged: what was released on a directive, as far as central has heard of it, has used it up.
    pub(super) fn settled(&mut self, counted: impl Fn(PassageId) -> bool) {
        let unused = self.used.iter().find(|((_, movement), passage)| {
            counted(**passage) && self.movements.get(movement).is_some_and(|fact| fact.ended.is_none())
        });
        if let Some(((edge, movement), passage)) = unused {
            let told = format!("edge {edge} used {movement} in {passage} and central has it as unused");
            self.violated(Invariant::UsedTwice, told);
        }
    }

    /// Central has committed, or was brought back.
    pub(super) fn committed(&mut self, now: Duration, site: &SiteId, head: Head, set: &DirectiveSet) {
        let key = (site.clone(), head.epoch.0, head.revision.0, head.hash);
        let states = self.states.entry(key).or_default();
        if !states.iter().any(|known| **known == *set) {
            states.push(Arc::new(set.clone()));
        }
        for fact in self.movements.values_mut().filter(|fact| fact.site == *site) {
            fact.ended = fact.ended.or(Some(now));
        }
        for entry in set.values().filter(|entry| entry.status == DirectiveStatus::Active) {
            let directive = &entry.directive;
            let fact = Fact {
                site: site.clone(),
                mark: directive.mark.clone(),
                action: directive.action,
                ended: None,
            };
            self.movements.insert(directive.movement.clone(), fact);
        }
    }

    /// Whether this is a state that central has committed at this head.
    pub(super) fn is_state(&self, site: &SiteId, head: Head, set: &DirectiveSet) -> bool {
        let key = (site.clone(), head.epoch.0, head.revision.0, head.hash);
        self.states.get(&key).is_some_and(|states| states.iter().any(|known| **known == *set))
    }

    /// A gate opens.
    pub(super) fn opened(
        &mut self,
        now: Duration,
        edge: usize,
        site: &SiteId,
        mark: &RegistrationMark,
        movement: &MovementId,
        passage: PassageId,
    ) {
        self.released += 1;
        let told = format!("edge {edge} releases {mark} on {movement} at {now:?}");
        let Some(fact) = self.movements.get(movement) else {
            return self.violated(Invariant::ReleaseWithoutDirective, told);
        };
        if fact.site != *site || fact.mark != *mark || fact.action != ActionCode::Release {
            return self.violated(Invariant::ReleaseWithoutDirective, told);
        }
        if fact.ended.is_some_and(|ended| now >= ended + LEASE) {
            return self.violated(
                Invariant::ReleaseAfterRevocation,
                format!("{told}, which ended at {:?}", fact.ended),
            );
        }
        if self.used.insert((edge, movement.clone()), passage).is_some_and(|other| other != passage) {
            self.violated(Invariant::UsedTwice, told);
        }
    }
}
