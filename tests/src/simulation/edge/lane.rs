//! The thread that decides: looks up, decides, uses the directive up, records the intent, opens the gate.

use std::time::Duration;

use clearance::decide::{Authority, Decision, LaneFault, LaneState, Lease, Reason, decide};
use clearance::directive::{DirectiveEntry, DirectiveStatus, DirectiveView};
use clearance::follower::State;
use clearance::geometry::Quad;
use clearance::ids::{Digest, LaneId, MovementId, PassageId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use clearance::read::{Candidate, Certainty, FusedPlate, FusedRead, PlateLayout};

use super::Edge;
use super::disk::Trouble;
use crate::simulation::LEASE;
use crate::simulation::mutation::Mutation;
use crate::simulation::network::Chance;
use crate::simulation::oracle::{Invariant, Oracle};

impl Edge {
    /// A truck with a mark stands at the gate.
    pub(in crate::simulation) fn truck(
        &mut self,
        now: Duration,
        mark: &RegistrationMark,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) {
        self.passages += 1;
        let mut passage = PassageId::default();
        passage.0[..8].copy_from_slice(&self.passages.to_be_bytes());
        passage.0[15] = self.index as u8;
        let read = read_of(passage, mark);
        let decision = self.judge(now, &read, mark);
        if let Err(Trouble::PowerCut) = self.follow(now, passage, mark, decision, chance, oracle) {
            self.restart(now, chance);
        }
    }

    fn view(&self, mark: &RegistrationMark) -> DirectiveView {
        let Some(held) = self.disk.store.back() else { return DirectiveView::default() };
        let entries = held.set.get(mark).map(|entry| self.overlaid(entry)).into_iter().collect();
        DirectiveView { epoch: held.head.epoch, revision: held.head.revision, entries }
    }

    fn overlaid(&self, entry: &DirectiveEntry) -> DirectiveEntry {
        let mut entry = entry.clone();
        if entry.status == DirectiveStatus::Active
            && let Some(passage) = self.used.get(&entry.directive.movement)
        {
            entry.status = DirectiveStatus::Used { passage: *passage };
        }
        entry
    }

    fn judge(&self, now: Duration, read: &FusedRead, mark: &RegistrationMark) -> Decision {
        let mut lease = self.follower.lease(self.clock(now));
        if self.has(Mutation::LeaseTooLong)
            && let State::Live { .. } | State::Stale = self.follower.state()
            && self.follower.audited().is_some_and(|a| self.clock(now) < a.at + LEASE * 3)
        {
            lease = Lease::Live;
        }
        let kept = self.kept_lease.is_some_and(|until| now < until);
        if kept || self.has(Mutation::IgnoreLease) {
            lease = Lease::Live;
        }
        let lane = if self.disk.full && !self.has(Mutation::IgnoreFullDisk) {
            LaneState::Fault(LaneFault::OutboxFull)
        } else {
            LaneState::Ready
        };
        let wall = UtcMillis(now.as_millis() as i64 + self.wall_skew);
        decide(read, &self.view(mark), lease, lane, wall)
    }

    /// Use the directive up, record the intent, open the gate, record that it was done: in this order.
    fn follow(
        &mut self,
        now: Duration,
        passage: PassageId,
        mark: &RegistrationMark,
        decision: Decision,
        chance: &mut Chance,
        oracle: &mut Oracle,
    ) -> Result<(), Trouble> {
        let movement = match &decision {
            Decision::Release(warrant) => match warrant.authority() {
                Authority::Directive { movement, .. } => Some(movement.clone()),
                Authority::Officer(_) => None,
            },
            Decision::Direct { movement, .. } => movement.clone(),
            Decision::Refer { .. } => None,
        };
        if let Some(movement) = movement.as_ref().filter(|_| !self.has(Mutation::ReuseUsed)) {
            self.use_up(movement, passage, chance)?;
        }
        let (outcome, reason) = (Outcome::from(&decision), decision.reason());
        if self.has(Mutation::GateBeforeIntent) && outcome == Outcome::Released {
            self.open_gate(now, passage, mark, movement.as_ref(), oracle);
        }
        self.record(passage, 0, step_of(outcome, reason, movement.clone(), self.view(mark)), chance)?;
        if outcome == Outcome::Released && !self.has(Mutation::GateBeforeIntent) {
            self.open_gate(now, passage, mark, movement.as_ref(), oracle);
        }
        self.owed.push((passage, 0));
        // That it was done is worth telling; if it cannot be, the intent is there.
        if self.record(passage, 1, PassageStep::Left, chance)? {
            self.owed.push((passage, 1));
        }
        Ok(())
    }

    /// Note on the disk that this passage uses the movement's directive up.
    fn use_up(
        &mut self,
        movement: &MovementId,
        passage: PassageId,
        chance: &mut Chance,
    ) -> Result<(), Trouble> {
        let ignore_full = self.has(Mutation::IgnoreFullDisk);
        if let Err((trouble, done)) = self.disk.write(chance, ignore_full) {
            if done {
                self.disk.used.insert(movement.clone(), passage);
            }
            return Err(trouble);
        }
        let written = !(self.has(Mutation::UsedNotDurable) || ignore_full && self.disk.full);
        if written {
            self.disk.used.insert(movement.clone(), passage);
        }
        self.used.insert(movement.clone(), passage);
        Ok(())
    }

    fn open_gate(
        &mut self,
        now: Duration,
        passage: PassageId,
        mark: &RegistrationMark,
        movement: Option<&MovementId>,
        oracle: &mut Oracle,
    ) {
        let Some(movement) = movement else {
            return oracle.violated(Invariant::ReleaseWithoutDirective, self.told());
        };
        if self.disk.quarantine.is_some() {
            oracle.violated(Invariant::QuarantineForgotten, self.told());
        }
        if self.disk.store.is_empty() {
            oracle.violated(Invariant::ReleaseOnStoreFault, self.told());
        }
        let intent = self.disk.journal.values().any(|e| e.passage == passage && e.step == 0);
        if !intent {
            oracle.violated(Invariant::ReleaseWithoutIntent, self.told());
        }
        oracle.opened(now, self.index, &self.site, mark, movement, passage);
    }

    /// Write a step into the journal; false if the disk refused a step that may be missing.
    fn record(
        &mut self,
        passage: PassageId,
        step: u32,
        what: PassageStep,
        chance: &mut Chance,
    ) -> Result<bool, Trouble> {
        let event = PassageEvent {
            site: self.site.clone(),
            lane: lane(),
            edge: self.id.clone(),
            passage,
            step,
            at: UtcMillis(0),
            what,
        };
        let ignore_full = self.has(Mutation::IgnoreFullDisk);
        let number = self.disk.next_number;
        match self.disk.write(chance, ignore_full) {
            Ok(()) => {
                if !(ignore_full && self.disk.full) {
                    self.disk.next_number += 1;
                    self.disk.journal.insert(number, event);
                }
                Ok(true)
            }
            Err((Trouble::Refused, _)) if step > 0 => Ok(false),
            Err((trouble, done)) => {
                if done {
                    self.disk.next_number += 1;
                    self.disk.journal.insert(number, event);
                    self.owed.push((passage, step));
                }
                Err(trouble)
            }
        }
    }
}

fn lane() -> LaneId {
    "lane-1".parse().unwrap_or_else(|_| unreachable!("a name"))
}

fn step_of(
    outcome: Outcome,
    reason: Reason,
    movement: Option<MovementId>,
    view: DirectiveView,
) -> PassageStep {
    PassageStep::Decided(DecisionRecord {
        outcome,
        reason,
        movement,
        order: None,
        plates: vec![],
        epoch: view.epoch,
        revision: view.revision,
        model: Digest::default(),
    })
}

fn read_of(passage: PassageId, mark: &RegistrationMark) -> FusedRead {
    let plate = FusedPlate {
        certainty: Certainty::Certain,
        candidates: vec![Candidate { mark: mark.clone(), probability: 0.999 }],
        layout: PlateLayout::SingleRow,
        corners: Quad::rectangle(0.0, 0.0, 100.0, 30.0),
        frames: 5,
    };
    FusedRead { passage, plates: vec![plate] }
}
