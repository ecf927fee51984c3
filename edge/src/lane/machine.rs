//! What a lane does about the vehicle in front of it: `step(now, event) -> effects`, total, without I/O.
//!
//! Invariants, each a property test in `machine_tests.rs`:
//! - one decision for a passage, and another only after an officer's order for that passage;
//! - after a fault nothing decided before it is carried out;
//! - an order or an answer for a vehicle that is gone does nothing;
//! - once the vehicle has left, the lane is idle and the gate is at stop.
//!
//! Every question to the appliance carries a [`Ask`] number; an answer with another number than the one that is
//! waited for is stale and ignored.

use std::time::Duration;

use clearance::decide::LaneFault;
use clearance::ids::{Nonce, PassageId};
use clearance::passage::{LanePhase, Outcome};
use clearance::read::{FusedPlate, FusedRead};
use serde::Deserialize;

use super::plates::{FrameSeen, SeenPlate};
use super::track::TrackId;

/// A lane's times. All in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaneConfig {
    /// Longest time for reading, from the presence loop or the first readable plate to the decision. Default 3000.
    pub reading_ms: u64,
    /// Without a plate for so long a vehicle has left, in a lane without an exit loop. Default 1500.
    pub left_ms: u64,
    /// With an exit loop: neither loop occupied and no plate for so long, the vehicle has backed out. Default 10000.
    pub backed_out_ms: u64,
    /// Longest time the appliance may take to decide or to give a signal. Default 10000.
    pub answer_ms: u64,
    /// Frames in which each plate in view must have been read before the lane decides early. Default 3.
    pub stable_frames: u32,
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self { reading_ms: 3_000, left_ms: 1_500, backed_out_ms: 10_000, answer_ms: 10_000, stable_frames: 3 }
    }
}

/// Number of a question to the appliance; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask(pub u64);

/// The loops in the road. `None`: the lane has no such loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopInputs {
    /// A vehicle stands in front of the boom.
    pub presence: Option<bool>,
    /// A vehicle is on its way out.
    pub exit: Option<bool>,
}

/// What happens to a lane.
#[derive(Clone, Debug, PartialEq)]
pub enum LaneEvent {
    /// A frame was read.
    Frame(FrameSeen),
    /// The loops, whenever they change.
    Inputs(LoopInputs),
    /// The worst fault there is now, or none.
    Fault(Option<LaneFault>),
    /// A verified order. Whether it has expired is `clearance::decide::obey`'s to say.
    Order {
        /// For which passage.
        passage: PassageId,
        /// Which order.
        nonce: Nonce,
    },
    /// Answer to [`LaneEffect::Decide`] and [`LaneEffect::Obey`]: decided, and durable.
    DecisionTaken {
        /// Which question.
        ask: Ask,
        /// What was decided.
        outcome: Outcome,
    },
    /// Answer to [`LaneEffect::Obey`]: the order is not carried out.
    OrderRefused {
        /// Which question.
        ask: Ask,
    },
    /// Answer to [`LaneEffect::Give`]: the gate confirmed.
    SignalGiven {
        /// Which question.
        ask: Ask,
    },
    /// Answer to [`LaneEffect::Give`]: it could not be given.
    SignalFailed {
        /// Which question.
        ask: Ask,
        /// Why.
        fault: LaneFault,
    },
    /// Time has passed.
    Tick,
}

/// What the appliance must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum LaneEffect {
    /// A vehicle is there.
    Began {
        /// Its passage.
        passage: PassageId,
    },
    /// Decide about this read, make it durable, and answer.
    Decide {
        /// Number for the answer.
        ask: Ask,
        /// What was read.
        read: FusedRead,
    },
    /// Carry out this order (`clearance::decide::obey`), make it durable, and answer.
    Obey {
        /// Number for the answer.
        ask: Ask,
        /// For which passage.
        passage: PassageId,
        /// Which order.
        nonce: Nonce,
    },
    /// Give the signal of the decision that was the answer to `ask` (for a release: with its warrant), and answer.
    Give {
        /// Which question; the answer carries it again.
        ask: Ask,
    },
    /// Record that the passage is referred because of a fault, and show [`clearance::decide::Signal::Wait`].
    Refer {
        /// What was read.
        read: FusedRead,
        /// Why.
        fault: LaneFault,
    },
    /// Tell central that an order is not carried out.
    RefuseOrder {
        /// Which order.
        nonce: Nonce,
        /// Why, in a person's words.
        why: &'static str,
    },
    /// Gate to stop, at once. Warrants not yet used are void.
    Stop,
    /// The vehicle has left: record it, and forget its plates.
    Left {
        /// Its passage.
        passage: PassageId,
        /// What was read, when nothing had been decided yet.
        undecided: Option<FusedRead>,
    },
    /// The lane's phase changed.
    Phase(LanePhase),
}

/// What the machine knows of the vehicle in front of the gate.
#[derive(Clone, Debug)]
struct Vehicle {
    passage: PassageId,
    plates: Vec<SeenPlate>,
    /// Tracks that are its own: once decided, a plate that turns up later is another vehicle's.
    own: Option<Vec<TrackId>>,
    /// From when the reading time counts.
    reading_since: Option<Duration>,
    /// Since when frames show none of its plates.
    unseen_since: Option<Duration>,
    /// [`FrameSeen::newest_frames`] of the latest frame.
    newest_frames: Option<u32>,
    obeyed: Vec<Nonce>,
}

/// How far the vehicle has got.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Reading,
    Deciding { ask: Ask, since: Duration, before: Before },
    Giving { ask: Ask, since: Duration },
    Referred,
    Signalled,
}

/// Where a refused order leaves the vehicle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Referred,
    Signalled,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Occupied { vehicle: Vehicle, stage: Stage },
}

/// Makes the ids of new passages: randomness stays outside.
pub type PassageIds = Box<dyn FnMut() -> PassageId + Send>;

/// One lane.
pub struct LaneMachine {
    config: LaneConfig,
    ids: PassageIds,
    state: State,
    fault: Option<LaneFault>,
    loops: LoopInputs,
    next_ask: u64,
    shown: LanePhase,
}

impl LaneMachine {
    /// An idle lane.
    pub fn new(config: LaneConfig, ids: PassageIds) -> Self {
        let loops = LoopInputs::default();
        Self { config, ids, state: State::Idle, fault: None, loops, next_ask: 0, shown: LanePhase::Idle }
    }

    /// Where the lane is.
    pub fn phase(&self) -> LanePhase {
        match (&self.state, self.fault) {
            (_, Some(_)) => LanePhase::Hold,
            (State::Idle, None) => LanePhase::Idle,
            (State::Occupied { stage, .. }, None) => match stage {
                Stage::Reading | Stage::Deciding { before: Before::Referred, .. } => LanePhase::Reading,
                Stage::Referred => LanePhase::Referred,
                Stage::Deciding { before: Before::Signalled, .. }
                | Stage::Giving { .. }
                | Stage::Signalled => LanePhase::Signalled,
            },
        }
    }

    /// The passage in front of the gate.
    pub fn passage(&self) -> Option<PassageId> {
        match &self.state {
            State::Idle => None,
            State::Occupied { vehicle, .. } => Some(vehicle.passage),
        }
    }

    /// What holds the lane.
    pub fn fault(&self) -> Option<LaneFault> {
        self.fault
    }

    /// Take an event. `now` is the time since any fixed moment and must not go back.
    pub fn step(&mut self, now: Duration, event: LaneEvent) -> Vec<LaneEffect> {
        let mut out = Vec::new();
        match event {
            LaneEvent::Frame(seen) => self.frame(now, seen, &mut out),
            LaneEvent::Inputs(loops) => self.inputs(now, loops, &mut out),
            LaneEvent::Fault(fault) => self.faulted(fault, &mut out),
            LaneEvent::Order { passage, nonce } => self.order(now, passage, nonce, &mut out),
            LaneEvent::DecisionTaken { ask, outcome } => self.taken(now, ask, outcome, &mut out),
            LaneEvent::OrderRefused { ask } => self.refused(ask),
            LaneEvent::SignalGiven { ask } => self.given(ask),
            LaneEvent::SignalFailed { ask, fault } => self.failed(ask, fault, &mut out),
            LaneEvent::Tick => {}
        }
        self.advance(now, &mut out);
        let phase = self.phase();
        if phase != self.shown {
            self.shown = phase;
            out.push(LaneEffect::Phase(phase));
        }
        out
    }

    fn frame(&mut self, now: Duration, seen: FrameSeen, out: &mut Vec<LaneEffect>) {
        let by_loop = self.loops.presence.is_some();
        match &mut self.state {
            State::Idle if !by_loop && seen.frames_with_plates >= 2 => {
                self.begin(None, out);
                self.frame(now, seen, out);
            }
            State::Idle => {}
            State::Occupied { vehicle, stage } => vehicle.see(now, seen, *stage == Stage::Reading),
        }
    }

    fn inputs(&mut self, now: Duration, loops: LoopInputs, out: &mut Vec<LaneEffect>) {
        let was = std::mem::replace(&mut self.loops, loops);
        let released = was.exit == Some(true) && loops.exit == Some(false);
        match &self.state {
            State::Occupied { .. } if released => self.leave(out),
            State::Idle if loops.presence == Some(true) => self.begin(Some(now), out),
            State::Idle | State::Occupied { .. } => {}
        }
    }

    fn begin(&mut self, reading_since: Option<Duration>, out: &mut Vec<LaneEffect>) {
        let passage = (self.ids)();
        let vehicle = Vehicle {
            passage,
            plates: Vec::new(),
            own: None,
            reading_since,
            unseen_since: None,
            newest_frames: None,
            obeyed: Vec::new(),
        };
        self.state = State::Occupied { vehicle, stage: Stage::Reading };
        out.push(LaneEffect::Began { passage });
    }

    fn leave(&mut self, out: &mut Vec<LaneEffect>) {
        if let State::Occupied { vehicle, stage } = std::mem::replace(&mut self.state, State::Idle) {
            let undecided = matches!(stage, Stage::Reading).then(|| vehicle.read());
            out.push(LaneEffect::Stop);
            out.push(LaneEffect::Left { passage: vehicle.passage, undecided });
        }
    }

    fn faulted(&mut self, fault: Option<LaneFault>, out: &mut Vec<LaneEffect>) {
        let new = fault.filter(|f| self.fault != Some(*f));
        self.fault = fault;
        let State::Occupied { vehicle, .. } = &mut self.state else { return };
        // A blind lane cannot say that the vehicle is gone, and a lane that sees again needs time to look.
        vehicle.unseen_since = None;
        if let Some(fault) = new {
            self.refer(fault, out);
        }
    }

    /// Refer the vehicle because of a fault. Whatever was asked before is void.
    fn refer(&mut self, fault: LaneFault, out: &mut Vec<LaneEffect>) {
        let State::Occupied { vehicle, stage } = &mut self.state else { return };
        if *stage == Stage::Referred {
            return;
        }
        vehicle.settle();
        *stage = Stage::Referred;
        out.push(LaneEffect::Stop);
        out.push(LaneEffect::Refer { read: vehicle.read(), fault });
    }

    fn order(&mut self, now: Duration, passage: PassageId, nonce: Nonce, out: &mut Vec<LaneEffect>) {
        let ask = self.new_ask();
        let mut refuse = |why| out.push(LaneEffect::RefuseOrder { nonce, why });
        let State::Occupied { vehicle, stage } = &mut self.state else {
            return refuse("no vehicle is in front of the gate");
        };
        if vehicle.passage != passage {
            return refuse("another vehicle is in front of the gate");
        }
        if vehicle.obeyed.contains(&nonce) {
            return; // obeyed once: repetition is how it got through, not a second wish
        }
        let before = match (*stage, self.fault) {
            (_, Some(fault)) if fault.blocks_officer() => {
                return refuse("the lane cannot carry it out: see its fault");
            }
            (Stage::Reading, _) => return refuse("the vehicle is still being read"),
            (Stage::Referred, _) => Before::Referred,
            (Stage::Signalled, _) => Before::Signalled,
            // Overtaken while it was being decided: if the order cannot be obeyed either, an officer looks again.
            (Stage::Deciding { .. } | Stage::Giving { .. }, _) => {
                out.push(LaneEffect::Stop);
                Before::Referred
            }
        };
        vehicle.obeyed.push(nonce);
        *stage = Stage::Deciding { ask, since: now, before };
        out.push(LaneEffect::Obey { ask, passage, nonce });
    }

    fn taken(&mut self, now: Duration, answered: Ask, outcome: Outcome, out: &mut Vec<LaneEffect>) {
        let State::Occupied { stage, .. } = &mut self.state else { return };
        if !matches!(stage, Stage::Deciding { ask, .. } if *ask == answered) {
            return;
        }
        *stage = match outcome {
            Outcome::Referred => Stage::Referred,
            Outcome::Released | Outcome::Directed(_) => Stage::Giving { ask: answered, since: now },
        };
        out.push(LaneEffect::Give { ask: answered });
    }

    fn refused(&mut self, answered: Ask) {
        if let State::Occupied { stage, .. } = &mut self.state
            && let Stage::Deciding { ask, before, .. } = *stage
            && ask == answered
        {
            *stage = match before {
                Before::Referred => Stage::Referred,
                Before::Signalled => Stage::Signalled,
            };
        }
    }

    fn given(&mut self, answered: Ask) {
        if let State::Occupied { stage, .. } = &mut self.state
            && matches!(stage, Stage::Giving { ask, .. } if *ask == answered)
        {
            *stage = Stage::Signalled;
        }
    }

    fn failed(&mut self, answered: Ask, fault: LaneFault, out: &mut Vec<LaneEffect>) {
        if let State::Occupied { stage: Stage::Giving { ask, .. }, .. } = &self.state
            && *ask == answered
        {
            self.refer(fault, out);
        }
    }

    /// What time alone brings about.
    fn advance(&mut self, now: Duration, out: &mut Vec<LaneEffect>) {
        let State::Occupied { vehicle, stage } = &self.state else { return };
        if self.has_left(now, vehicle) {
            return self.leave(out);
        }
        let late = |since: Duration| now.saturating_sub(since) >= millis(self.config.answer_ms);
        match *stage {
            Stage::Reading if vehicle.is_due(now, &self.config) => self.conclude(now, out),
            // Nobody answered: whoever should have is at fault.
            Stage::Deciding { since, .. } if late(since) => self.refer(LaneFault::CacheFault, out),
            Stage::Giving { since, .. } if late(since) => self.refer(LaneFault::GateUnreachable, out),
            _ => {}
        }
    }

    fn conclude(&mut self, now: Duration, out: &mut Vec<LaneEffect>) {
        if let Some(fault) = self.fault {
            return self.refer(fault, out);
        }
        let ask = self.new_ask();
        let State::Occupied { vehicle, stage } = &mut self.state else { return };
        vehicle.settle();
        *stage = Stage::Deciding { ask, since: now, before: Before::Referred };
        out.push(LaneEffect::Decide { ask, read: vehicle.read() });
    }

    fn has_left(&self, now: Duration, vehicle: &Vehicle) -> bool {
        let unseen = |ms| vehicle.unseen_since.is_some_and(|t| now.saturating_sub(t) >= millis(ms));
        match (self.loops.exit, self.loops.presence) {
            (_, Some(true)) | (Some(true), _) => false,
            (Some(false), _) => unseen(self.config.backed_out_ms),
            (None, _) => unseen(self.config.left_ms),
        }
    }

    fn new_ask(&mut self) -> Ask {
        self.next_ask += 1;
        Ask(self.next_ask)
    }
}

impl Vehicle {
    fn see(&mut self, now: Duration, seen: FrameSeen, reading: bool) {
        let mine = |p: &SeenPlate| self.own.as_ref().is_none_or(|own| own.contains(&p.track));
        let in_view = seen.plates.iter().any(|p| p.in_view && mine(p))
            || (self.own.is_none() && seen.frames_with_plates > 0);
        if in_view {
            self.unseen_since = None;
        } else {
            self.unseen_since.get_or_insert(now);
        }
        if reading {
            self.newest_frames = seen.newest_frames;
            if seen.plates.iter().any(|p| p.readable) {
                self.reading_since.get_or_insert(now);
            }
            self.plates = seen.plates;
        }
    }

    /// Its plates are known from here on.
    fn settle(&mut self) {
        let tracks: Vec<_> = self.plates.iter().map(|p| p.track).collect();
        // Decided without a plate, it is gone when nothing is in view.
        self.own = (!tracks.is_empty()).then_some(tracks);
    }

    fn read(&self) -> FusedRead {
        FusedRead { passage: self.passage, plates: self.plates.iter().map(|p| p.plate.clone()).collect() }
    }

    /// Whether to decide now: all that is in view is read, or the time is up.
    fn is_due(&self, now: Duration, config: &LaneConfig) -> bool {
        let late = self.reading_since.is_some_and(|t| now.saturating_sub(t) >= millis(config.reading_ms));
        let hong_kong = |p: &FusedPlate| !p.is_mainland() && p.certain_mark().is_some();
        let stable = |p: &SeenPlate| !p.in_view || p.plate.frames >= config.stable_frames;
        // What was seen in one frame only may turn out to be the plate that contradicts.
        let nothing_new = self.newest_frames.is_none_or(|n| n >= config.stable_frames);
        late || (nothing_new
            && self.plates.iter().any(|p| hong_kong(&p.plate))
            && self.plates.iter().all(stable))
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
