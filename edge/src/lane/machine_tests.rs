//! The lane machine's invariants over random lives, and the ordinary ways of a vehicle in words.

use std::sync::atomic::{AtomicU8, Ordering};

use clearance::directive::ActionCode;
use clearance::read::PlateRead;
use proptest::prelude::*;

use super::super::fuse::tests::{policy, read_at};
use super::super::plates::LaneReader;
use super::*;

fn machine() -> LaneMachine {
    let next = AtomicU8::new(0);
    let ids = move || PassageId([next.fetch_add(1, Ordering::Relaxed); 16]);
    LaneMachine::new(LaneConfig::default(), Box::new(ids))
}

/// A lane with its reader, driven by the millisecond.
struct Lane {
    machine: LaneMachine,
    reader: LaneReader<()>,
    now: u64,
}

impl Lane {
    fn new() -> Self {
        Self { machine: machine(), reader: LaneReader::new(policy()), now: 0 }
    }

    fn send(&mut self, event: LaneEvent) -> Vec<LaneEffect> {
        let out = self.machine.step(millis(self.now), event);
        if out.iter().any(|e| matches!(e, LaneEffect::Left { .. })) {
            self.reader.reset();
        }
        out
    }

    fn frame(&mut self, reads: &[PlateRead]) -> Vec<LaneEffect> {
        self.now += 100;
        let seen = self.reader.observe(millis(self.now), 0, reads, &());
        self.send(LaneEvent::Frame(seen))
    }

    fn frames(&mut self, n: u32, reads: &[PlateRead]) -> Vec<LaneEffect> {
        (0..n).flat_map(|_| self.frame(reads)).collect()
    }
}

fn asked(effects: &[LaneEffect]) -> Option<Ask> {
    effects.iter().find_map(|e| match e {
        LaneEffect::Decide { ask, .. } | LaneEffect::Obey { ask, .. } => Some(*ask),
        _ => None,
    })
}

fn truck() -> [PlateRead; 1] {
    [read_at("AB1234", 0.99, 0.0, 0.0)]
}

#[test]
fn a_truck_is_read_decided_once_signalled_and_gone() {
    let mut lane = Lane::new();
    let effects = lane.frames(10, &truck());
    assert_eq!(effects.iter().filter(|e| matches!(e, LaneEffect::Decide { .. })).count(), 1);
    let Some(LaneEffect::Decide { ask, read }) =
        effects.iter().find(|e| matches!(e, LaneEffect::Decide { .. }))
    else {
        panic!("no decision")
    };
    assert_eq!(read.plates[0].certain_mark().unwrap().as_str(), "AB1234");
    let ask = *ask;
    assert!(
        lane.send(LaneEvent::DecisionTaken { ask, outcome: Outcome::Released })
            .contains(&LaneEffect::Give { ask })
    );
    lane.send(LaneEvent::SignalGiven { ask });
    assert_eq!(lane.machine.phase(), LanePhase::Signalled);
    let effects = lane.frames(16, &[]);
    assert!(effects.iter().any(|e| matches!(e, LaneEffect::Left { undecided: None, .. })));
    assert_eq!((lane.machine.phase(), lane.machine.passage()), (LanePhase::Idle, None));
}

#[test]
fn the_next_truck_close_behind_is_a_passage_of_its_own() {
    let mut lane = Lane::new();
    let first = asked(&lane.frames(5, &truck())).unwrap();
    lane.send(LaneEvent::DecisionTaken { ask: first, outcome: Outcome::Released });
    lane.send(LaneEvent::SignalGiven { ask: first });
    let passage = lane.machine.passage();
    let effects = lane.frames(25, &[read_at("XY987", 0.99, 500.0, 0.0)]);
    assert!(effects.contains(&LaneEffect::Stop));
    assert!(asked(&effects).is_some(), "the second truck is decided for itself");
    assert_ne!(lane.machine.passage(), passage);
}

#[test]
fn a_mainland_plate_in_view_is_waited_for() {
    let mut lane = Lane::new();
    lane.frames(2, &truck());
    let both = [read_at("AB1234", 0.99, 0.0, 0.0), read_at("粤Z1234港", 0.99, 0.0, 40.0)];
    assert_eq!(asked(&lane.frames(2, &both)), None);
    let effects = lane.frame(&both);
    let read =
        effects.iter().find_map(|e| if let LaneEffect::Decide { read, .. } = e { Some(read) } else { None });
    assert_eq!(read.unwrap().plates.len(), 2);
}

#[test]
fn a_vehicle_on_the_loop_without_any_plate_is_decided_when_the_time_is_up() {
    let mut lane = Lane::new();
    lane.send(LaneEvent::Inputs(LoopInputs { presence: Some(true), exit: Some(false) }));
    assert_eq!(asked(&lane.frames(29, &[])), None);
    assert!(asked(&lane.frames(1, &[])).is_some());
}

#[test]
fn with_loops_only_the_exit_or_a_long_absence_ends_a_passage() {
    let mut lane = Lane::new();
    let loops = |presence, exit| LaneEvent::Inputs(LoopInputs { presence: Some(presence), exit: Some(exit) });
    lane.send(loops(true, false));
    lane.frames(5, &truck());
    lane.send(loops(false, false));
    assert!(!lane.frames(50, &[]).contains(&LaneEffect::Stop));
    lane.send(loops(false, true));
    assert!(lane.send(loops(false, false)).contains(&LaneEffect::Stop));
    assert_eq!(lane.machine.phase(), LanePhase::Idle);
    lane.send(loops(true, false));
    lane.send(loops(false, false));
    assert!(
        lane.frames(101, &[]).iter().any(|e| matches!(e, LaneEffect::Left { undecided: Some(_), .. })
            || matches!(e, LaneEffect::Left { .. }))
    );
}

#[test]
fn an_order_releases_a_referred_vehicle_once_and_no_other() {
    let mut lane = Lane::new();
    let ask = asked(&lane.frames(5, &truck())).unwrap();
    lane.send(LaneEvent::DecisionTaken { ask, outcome: Outcome::Referred });
    assert_eq!(lane.machine.phase(), LanePhase::Referred);
    let passage = lane.machine.passage().unwrap();
    let other = lane.send(LaneEvent::Order { passage: PassageId([99; 16]), nonce: Nonce([1; 16]) });
    assert!(matches!(other[..], [LaneEffect::RefuseOrder { .. }]));
    let order = LaneEvent::Order { passage, nonce: Nonce([2; 16]) };
    let ask = asked(&lane.send(order.clone())).unwrap();
    assert_eq!(lane.send(order), vec![]);
    assert!(
        lane.send(LaneEvent::DecisionTaken { ask, outcome: Outcome::Released })
            .contains(&LaneEffect::Give { ask })
    );
}

#[test]
fn an_expired_order_leaves_the_vehicle_where_it_was() {
    let mut lane = Lane::new();
    let ask = asked(&lane.frames(5, &truck())).unwrap();
    lane.send(LaneEvent::DecisionTaken { ask, outcome: Outcome::Directed(ActionCode::Inspect) });
    lane.send(LaneEvent::SignalGiven { ask });
    let passage = lane.machine.passage().unwrap();
    let ask = asked(&lane.send(LaneEvent::Order { passage, nonce: Nonce([2; 16]) })).unwrap();
    lane.send(LaneEvent::OrderRefused { ask });
    assert_eq!(lane.machine.phase(), LanePhase::Signalled);
}

#[test]
fn a_fault_refers_and_a_late_answer_does_nothing() {
    let mut lane = Lane::new();
    let ask = asked(&lane.frames(5, &truck())).unwrap();
    let effects = lane.send(LaneEvent::Fault(Some(LaneFault::PictureFrozen)));
    assert!(matches!(
        effects[..],
        [LaneEffect::Stop, LaneEffect::Refer { .. }, LaneEffect::Phase(LanePhase::Hold)]
    ));
    assert_eq!(lane.send(LaneEvent::DecisionTaken { ask, outcome: Outcome::Released }), vec![]);
    lane.send(LaneEvent::Fault(None));
    assert_eq!(lane.machine.phase(), LanePhase::Referred);
    assert!(!lane.frames(100, &truck()).iter().any(|e| matches!(e, LaneEffect::Decide { .. })));
}

#[test]
fn a_vehicle_under_a_blind_camera_does_not_leave() {
    let mut lane = Lane::new();
    lane.frames(5, &truck());
    lane.frame(&[]);
    lane.send(LaneEvent::Fault(Some(LaneFault::PictureMissing)));
    lane.now += 60_000;
    lane.send(LaneEvent::Tick);
    assert!(lane.machine.passage().is_some());
}

#[test]
fn an_appliance_that_does_not_answer_is_a_fault() {
    let mut lane = Lane::new();
    lane.frames(5, &truck());
    lane.now += 10_000;
    assert!(lane.send(LaneEvent::Tick).iter().any(|e| matches!(e, LaneEffect::Refer { .. })));
}

#[derive(Clone, Debug)]
enum Happening {
    Truck,
    OtherTruck,
    Nothing,
    Loops(bool, bool),
    Fault(Option<LaneFault>),
    Order { stale: bool, nonce: u8 },
    Answer { stale: bool, outcome: Outcome },
    Refused,
    Given,
    Failed,
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let outcome = prop_oneof![
        3 => Just(Outcome::Released),
        1 => Just(Outcome::Referred),
        1 => Just(Outcome::Directed(ActionCode::Inspect))
    ];
    prop_oneof![
        8 => Just(H::Truck),
        2 => Just(H::OtherTruck),
        4 => Just(H::Nothing),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(p, e)| H::Loops(p, e)),
        1 => proptest::sample::select(LaneFault::ALL.to_vec()).prop_map(|f| H::Fault(Some(f))),
        1 => Just(H::Fault(None)),
        2 => (any::<bool>(), 0u8..4).prop_map(|(stale, nonce)| H::Order { stale, nonce }),
        4 => (any::<bool>(), outcome).prop_map(|(stale, outcome)| H::Answer { stale, outcome }),
        1 => Just(H::Refused),
        2 => Just(H::Given),
        1 => Just(H::Failed),
        1 => (0u64..4_000).prop_map(H::Wait),
    ]
}

/// Plays a life and checks each invariant after every step.
#[derive(Default)]
struct Watch {
    asked: Vec<Ask>,
    /// Questions asked after the last fault, for the passage in front: only these may be carried out.
    valid: Vec<Ask>,
    decided: Option<PassageId>,
    ordered: bool,
}

impl Watch {
    fn check(&mut self, lane: &Lane, effects: &[LaneEffect]) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                LaneEffect::Began { .. } => (self.decided, self.ordered) = (None, false),
                LaneEffect::Decide { ask, read } => {
                    prop_assert!(self.decided != Some(read.passage) || self.ordered, "decided twice");
                    prop_assert_eq!(lane.machine.fault(), None, "decided under a fault");
                    self.decided = Some(read.passage);
                    self.ask(*ask)?;
                }
                LaneEffect::Obey { ask, passage, .. } => {
                    prop_assert_eq!(lane.machine.passage(), Some(*passage), "a stale order acts");
                    self.ordered = true;
                    self.ask(*ask)?;
                }
                LaneEffect::Give { ask } => {
                    prop_assert!(self.valid.contains(ask), "an old decision is carried out");
                }
                LaneEffect::Refer { .. } | LaneEffect::Stop | LaneEffect::Left { .. } => self.valid.clear(),
                LaneEffect::RefuseOrder { .. } | LaneEffect::Phase(_) => {}
            }
        }
        Ok(())
    }

    fn ask(&mut self, ask: Ask) -> Result<(), TestCaseError> {
        prop_assert!(!self.asked.contains(&ask), "a number used twice");
        self.asked.push(ask);
        self.valid = vec![ask];
        Ok(())
    }
}

fn play(lane: &mut Lane, watch: &Watch, happening: Happening) -> Vec<LaneEffect> {
    let newest = watch.asked.last().copied().unwrap_or(Ask(0));
    let oldest = watch.asked.first().copied().unwrap_or(Ask(0));
    match happening {
        Happening::Truck => lane.frame(&truck()),
        Happening::OtherTruck => lane.frame(&[read_at("XY987", 0.99, 0.0, 0.0)]),
        Happening::Nothing => lane.frame(&[]),
        Happening::Loops(presence, exit) => {
            lane.send(LaneEvent::Inputs(LoopInputs { presence: Some(presence), exit: Some(exit) }))
        }
        Happening::Fault(fault) => lane.send(LaneEvent::Fault(fault)),
        Happening::Order { stale, nonce } => {
            let passage = lane.machine.passage().filter(|_| !stale).unwrap_or(PassageId([200; 16]));
            lane.send(LaneEvent::Order { passage, nonce: Nonce([nonce; 16]) })
        }
        Happening::Answer { stale, outcome } => {
            lane.send(LaneEvent::DecisionTaken { ask: if stale { oldest } else { newest }, outcome })
        }
        Happening::Refused => lane.send(LaneEvent::OrderRefused { ask: newest }),
        Happening::Given => lane.send(LaneEvent::SignalGiven { ask: newest }),
        Happening::Failed => {
            lane.send(LaneEvent::SignalFailed { ask: newest, fault: LaneFault::GateUnreachable })
        }
        Happening::Wait(ms) => {
            lane.now += ms;
            lane.send(LaneEvent::Tick)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_life_breaks_an_invariant_and_every_vehicle_can_leave(life in proptest::collection::vec(happening(), 1..120)) {
        let (mut lane, mut watch) = (Lane::new(), Watch::default());
        for happening in life {
            if let Happening::Fault(Some(fault)) = happening
                && lane.machine.fault() != Some(fault)
            {
                watch.valid.clear();
            }
            let effects = play(&mut lane, &watch, happening);
            watch.check(&lane, &effects)?;
        }
        lane.send(LaneEvent::Fault(None));
        lane.send(LaneEvent::Inputs(LoopInputs { presence: Some(false), exit: Some(false) }));
        lane.frames(120, &[]);
        prop_assert_eq!((lane.machine.phase(), lane.machine.passage()), (LanePhase::Idle, None));
    }
}
