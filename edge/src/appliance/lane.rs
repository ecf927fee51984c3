//! The task of one lane: takes reads, loops, orders and faults to the lane machine, and does what it says.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clearance::decide::{Decision, LaneFault, LaneState, Reason, Signal};
use clearance::ids::{LaneId, Nonce, PassageId};
use clearance::order::Order;
use clearance::passage::{LanePhase, LaneStatus, Outcome, PassageStep};
use clearance::read::FusedRead;
use clearance::wire::Verified;
use tokio::sync::{mpsc, watch};

use super::worker::{Done, Exhibits, Job, Worker};
use super::{LaneLine, Shared};
use crate::camera::{Camera, CameraHealth, Frame};
use crate::clock::utc_now;
use crate::config::{LaneSpec, LoopSpec};
use crate::gate::{Gate, GateError, GateInputs};
use crate::lane::machine::{Ask, LoopInputs};
use crate::lane::{Backdrop, LaneEffect, LaneEvent, LaneMachine, LaneReader};
use crate::link::Telemetry;
use crate::outbox::Durable;
use crate::recognise::{FrameReads, RecogniserHealth};

const TICK: Duration = Duration::from_millis(50);
const STATUS: Duration = Duration::from_millis(500);

/// An idle lane forgets plates that were last seen so long ago: they were never this vehicle's.
const FORGET: Duration = Duration::from_secs(2);

/// What could not be read and was last seen so long before a vehicle arrived is not the vehicle's.
const BEFORE_ARRIVAL: Duration = Duration::from_millis(300);

/// Orders remembered, so that one that is sent again is taken once.
const ORDERS: usize = 64;

/// Width of the live picture, pixels.
const LIVE_WIDTH: usize = 640;
const LIVE_QUALITY: u8 = 60;

/// What comes back to the lane from whatever it asked.
pub(super) enum Answer {
    Done(Done),
    Gate { ask: Option<Ask>, passage: PassageId, signal: Signal, result: Result<(), GateError> },
}

/// A decision that waits to be signalled.
struct Held {
    decision: Decision,
    intent: Option<Durable>,
}

/// What the lane remembers beside its machine.
pub(super) struct Lane {
    name: LaneId,
    loops: LoopSpec,
    live_picture: Duration,
    started: Instant,
    held: HashMap<Ask, Held>,
    /// When the frame arrived that a decision followed from.
    concluded: HashMap<Ask, Instant>,
    orders: VecDeque<(Nonce, Verified<Order>)>,
    inputs: LoopInputs,
    fault: Option<LaneFault>,
    signal: Signal,
    newest: Option<Arc<Frame>>,
    plates_seen: Instant,
    told: Instant,
    pictured: Instant,
    frames: u32,
    rate: f32,
    trouble: Vec<String>,
}

impl Lane {
    pub(super) fn new(spec: &LaneSpec, shared: &Shared) -> Self {
        let now = Instant::now();
        Self {
            name: spec.name.clone(),
            loops: spec.loops,
            live_picture: Duration::from_millis(shared.config.live_picture_ms),
            started: now,
            held: HashMap::new(),
            concluded: HashMap::new(),
            orders: VecDeque::new(),
            inputs: LoopInputs::default(),
            fault: None,
            signal: Signal::Wait,
            newest: None,
            plates_seen: now,
            told: now,
            pictured: now,
            frames: 0,
            rate: 0.0,
            trouble: Vec::new(),
        }
    }
}

pub(super) struct LaneTask {
    pub(super) machine: LaneMachine,
    pub(super) reader: LaneReader<Arc<Frame>>,
    pub(super) backdrop: Backdrop,
    pub(super) gate: Gate,
    pub(super) cameras: Vec<Camera>,
    pub(super) worker: Worker,
    pub(super) telemetry: Telemetry,
    pub(super) lane: Lane,
    pub(super) shared: Arc<Shared>,
    pub(super) answers: mpsc::UnboundedSender<Answer>,
}

impl LaneTask {
    /// Run until told to stop.
    pub(super) async fn run(
        mut self,
        mut reads: mpsc::Receiver<FrameReads>,
        mut answered: mpsc::UnboundedReceiver<Answer>,
        mut orders: mpsc::Receiver<Verified<Order>>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut inputs = self.gate.inputs();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // A fault and the gate's inputs before anything that might open it.
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) } => break,
                changed = inputs.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = *inputs.borrow_and_update();
                    self.inputs(now).await;
                }
                Some(answer) = answered.recv() => self.answer(answer).await,
                Some(order) = orders.recv() => self.order(order).await,
                Some(read) = reads.recv() => self.frame(read).await,
                _ = tick.tick() => self.tick().await,
            }
        }
        let stopped = self.gate.show(Signal::Wait).await;
        if tokio::time::timeout(Duration::from_secs(2), stopped.confirmed()).await.is_err() {
            tracing::warn!(lane = %self.lane.name, "the gate did not confirm the stop; its own watchdog will");
        }
        let cameras = std::mem::take(&mut self.cameras);
        let _ = tokio::task::spawn_blocking(move || cameras.into_iter().all(Camera::stop)).await;
    }

    fn now(&self) -> Duration {
        self.lane.started.elapsed()
    }

    async fn step(&mut self, event: LaneEvent) {
        let effects = self.machine.step(self.now(), event);
        self.carry_out(effects, None).await;
    }

    async fn frame(&mut self, read: FrameReads) {
        self.check_faults().await;
        self.lane.frames += 1;
        let FrameReads { frame, plates, .. } = read;
        let arrived = frame.arrived;
        let empty = self.machine.passage().is_none();
        let plates = self.backdrop.without(self.now(), frame.camera, plates, empty);
        if !plates.is_empty() {
            self.lane.plates_seen = arrived;
        } else if empty && self.lane.plates_seen.elapsed() > FORGET {
            self.reader.reset();
        }
        let seen = self.reader.observe(self.now(), frame.camera, &plates, &frame);
        if frame.camera == 0 {
            self.lane.newest = Some(frame);
        }
        let effects = self.machine.step(self.now(), LaneEvent::Frame(seen));
        self.carry_out(effects, Some(arrived)).await;
    }

    async fn inputs(&mut self, inputs: GateInputs) {
        if inputs.reachable {
            let LoopSpec { presence, exit } = self.lane.loops;
            let loops = LoopInputs {
                presence: presence.then_some(inputs.presence),
                exit: exit.then_some(inputs.exit),
            };
            if loops != self.lane.inputs {
                self.lane.inputs = loops;
                self.step(LaneEvent::Inputs(loops)).await;
            }
        }
        self.check_faults().await;
    }

    async fn order(&mut self, order: Verified<Order>) {
        self.check_faults().await;
        let (nonce, passage) = (order.record().nonce, order.record().passage);
        if self.lane.orders.iter().any(|(known, _)| *known == nonce) {
            return; // central sends an order until it is answered
        }
        self.lane.orders.push_back((nonce, order));
        if self.lane.orders.len() > ORDERS {
            self.lane.orders.pop_front();
        }
        self.step(LaneEvent::Order { passage, nonce }).await;
    }

    async fn answer(&mut self, answer: Answer) {
        // What was decided before a fault is not carried out after it.
        self.check_faults().await;
        match answer {
            Answer::Done(Done::Decided { ask, decision, intent }) => {
                let outcome = Outcome::from(&decision);
                self.lane.held.insert(ask, Held { decision, intent });
                self.step(LaneEvent::DecisionTaken { ask, outcome }).await;
                // Only what the machine asked to be given was taken out.
                self.lane.held.remove(&ask);
            }
            Answer::Done(Done::Refused { ask }) => self.step(LaneEvent::OrderRefused { ask }).await,
            Answer::Gate { ask, passage, signal, result } => {
                self.gate_answered(ask, passage, signal, result).await;
            }
        }
    }

    async fn gate_answered(
        &mut self,
        ask: Option<Ask>,
        passage: PassageId,
        signal: Signal,
        result: Result<(), GateError>,
    ) {
        let frame = ask.and_then(|ask| self.lane.concluded.remove(&ask));
        match result {
            Ok(()) => {
                let frame_to_signal_us = frame.map(|arrived| arrived.elapsed().as_micros() as u64);
                let what = PassageStep::Signalled { signal, frame_to_signal_us };
                self.worker.give(Job::Step { passage, what });
                if let Some(ask) = ask {
                    self.step(LaneEvent::SignalGiven { ask }).await;
                }
            }
            Err(error) => {
                tracing::error!(lane = %self.lane.name, %error, ?signal, "signal not given");
                let fault = match error {
                    GateError::NotFit(fault) => fault,
                    _ => LaneFault::GateUnreachable,
                };
                self.worker.give(Job::Step { passage, what: PassageStep::SignalFailed(fault) });
                if let Some(ask) = ask {
                    self.step(LaneEvent::SignalFailed { ask, fault }).await;
                }
            }
        }
    }

    async fn tick(&mut self) {
        self.gate.refresh();
        self.check_faults().await;
        self.step(LaneEvent::Tick).await;
        if self.lane.told.elapsed() >= STATUS {
            self.tell().await;
        }
        if self.lane.pictured.elapsed() >= self.lane.live_picture {
            self.lane.pictured = Instant::now();
            self.send_picture();
        }
    }

    /// The worst fault there is: what keeps an officer from acting comes first.
    async fn check_faults(&mut self) {
        let (picture, trouble) = self.camera_faults();
        let shared = &self.shared;
        let gate = self.gate.inputs().borrow().lane_fault();
        let outbox = shared.outbox_fails.load(Ordering::SeqCst).then_some(LaneFault::OutboxFull);
        let cache = shared.cache_fails.load(Ordering::SeqCst).then_some(LaneFault::CacheFault);
        let blocking = gate.filter(|fault| fault.blocks_officer());
        let fault = blocking.or(outbox).or(gate).or(cache).or_else(|| shared.recogniser_fault()).or(picture);
        self.lane.trouble = trouble;
        if fault != self.lane.fault {
            if let Some(fault) = fault {
                tracing::warn!(lane = %self.lane.name, ?fault, "on hold");
            } else {
                tracing::info!(lane = %self.lane.name, "ready");
            }
            self.lane.fault = fault;
            // Boxed: faults lead to effects, and effects never back to faults.
            Box::pin(self.step(LaneEvent::Fault(fault))).await;
        }
    }

    fn camera_faults(&self) -> (Option<LaneFault>, Vec<String>) {
        let mut worst = None;
        let mut trouble = Vec::new();
        for camera in &self.cameras {
            let health = camera.health().borrow().clone();
            worst = worst.or(health.fault());
            match health {
                CameraHealth::Missing { why } => trouble.push(why),
                CameraHealth::Frozen => trouble.push("a camera's picture does not change".to_owned()),
                _ => {}
            }
        }
        if let RecogniserHealth::Down { why } = &*self.shared.recogniser.health().borrow() {
            trouble.push(format!("recogniser: {why}"));
        }
        (worst, trouble)
    }

    fn state(&self) -> LaneState {
        self.lane.fault.map_or(LaneState::Ready, LaneState::Fault)
    }

    async fn carry_out(&mut self, effects: Vec<LaneEffect>, frame: Option<Instant>) {
        for effect in effects {
            match effect {
                LaneEffect::Began { passage } => {
                    self.reader.forget_unread(self.now().saturating_sub(BEFORE_ARRIVAL));
                    tracing::info!(lane = %self.lane.name, %passage, "vehicle");
                }
                LaneEffect::Decide { ask, read } => {
                    let arrived = frame.or(self.lane.newest.as_ref().map(|f| f.arrived));
                    self.lane.concluded.clear();
                    self.lane.concluded.extend(arrived.map(|arrived| (ask, arrived)));
                    let exhibits = self.exhibits(read);
                    self.worker.give(Job::Decide { ask, exhibits, lane: self.state() });
                }
                LaneEffect::Obey { ask, passage, nonce } => {
                    let known = self.lane.orders.iter().find(|(known, _)| *known == nonce);
                    if let Some((_, order)) = known {
                        let order = Box::new(order.clone());
                        self.worker.give(Job::Obey { ask, passage, order, lane: self.state() });
                    }
                }
                LaneEffect::Give { ask } => self.give(ask).await,
                LaneEffect::Refer { read, fault } => {
                    let (passage, exhibits) = (read.passage, self.exhibits(read));
                    self.worker.give(Job::Refer { exhibits, reason: Reason::LaneFault(fault) });
                    self.show(None, passage, Signal::Wait).await;
                }
                LaneEffect::RefuseOrder { nonce, why } => self.refuse(nonce, why),
                LaneEffect::Stop => {
                    self.worker.forget();
                    self.lane.held.clear();
                    self.lane.signal = Signal::Wait;
                    // Whoever waits for the vehicle's own signal learns of a gate that fails; this is only red.
                    drop(self.gate.show(Signal::Wait).await);
                }
                LaneEffect::Left { passage, undecided } => {
                    if let Some(read) = undecided {
                        let reason = if read.plates.is_empty() { Reason::NoPlate } else { Reason::Unread };
                        let exhibits = self.exhibits(read);
                        self.worker.give(Job::Refer { exhibits, reason });
                    }
                    self.worker.give(Job::Step { passage, what: PassageStep::Left });
                    self.lane.concluded.clear();
                    self.reader.reset();
                    tracing::info!(lane = %self.lane.name, %passage, "left");
                }
                LaneEffect::Phase(_) => self.publish(),
            }
        }
    }

    /// The frames behind a read.
    fn exhibits(&self, read: FusedRead) -> Exhibits {
        let plates = self.reader.plates();
        let frames = read
            .plates
            .iter()
            .map(|fused| {
                let same = plates.iter().find(|p| p.plate.corners == fused.corners);
                same.map(|p| Arc::clone(&p.evidence))
            })
            .collect();
        Exhibits { read, frames }
    }

    async fn give(&mut self, ask: Ask) {
        let (Some(Held { decision, intent }), Some(passage)) =
            (self.lane.held.remove(&ask), self.machine.passage())
        else {
            return;
        };
        let signal = decision.signal();
        // A referral is answered by nobody: the machine does not wait for it.
        let asked = (!matches!(decision, Decision::Refer { .. })).then_some(ask);
        tracing::info!(lane = %self.lane.name, %passage, reason = ?decision.reason(), ?signal, "decided");
        match (decision, intent) {
            (Decision::Release(warrant), Some(intent)) => {
                self.lane.signal = Signal::Proceed;
                let confirmation = self.gate.release(warrant, intent).await;
                self.await_gate(asked, passage, signal, confirmation);
            }
            // Without a durable intent there is no release.
            (Decision::Release(_), None) => self.show(asked, passage, Signal::Wait).await,
            (Decision::Direct { .. } | Decision::Refer { .. }, _) => self.show(asked, passage, signal).await,
        }
    }

    async fn show(&mut self, ask: Option<Ask>, passage: PassageId, signal: Signal) {
        self.lane.signal = signal;
        let confirmation = self.gate.show(signal).await;
        self.await_gate(ask, passage, signal, confirmation);
    }

    fn await_gate(
        &self,
        ask: Option<Ask>,
        passage: PassageId,
        signal: Signal,
        confirmation: crate::gate::Confirmation,
    ) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let result = confirmation.confirmed().await;
            let _ = answers.send(Answer::Gate { ask, passage, signal, result });
        });
    }

    fn refuse(&self, nonce: Nonce, why: &str) {
        let Some((_, order)) = self.lane.orders.iter().find(|(known, _)| *known == nonce) else { return };
        let what = PassageStep::OrderRefused { order: nonce, why: why.to_owned() };
        self.worker.give(Job::Step { passage: order.record().passage, what });
    }

    fn line(&self) -> LaneLine {
        let plates = self.reader.plates();
        let light = plates.iter().find(|p| !p.plate.is_mainland()).or(plates.first());
        LaneLine {
            lane: self.lane.name.clone(),
            phase: self.machine.phase(),
            fault: self.lane.fault,
            trouble: self.lane.trouble.clone(),
            passage: self.machine.passage(),
            reading: light.and_then(|p| p.plate.candidates.first()).map(|c| c.mark.to_string()),
            signal: if self.machine.phase() == LanePhase::Hold { Signal::Wait } else { self.lane.signal },
            frames_per_second: self.lane.rate,
        }
    }

    fn publish(&self) {
        let line = self.line();
        self.shared.lanes.send_modify(|lanes| {
            lanes.insert(line.lane.clone(), line);
        });
    }

    async fn tell(&mut self) {
        let elapsed = self.lane.told.elapsed().as_secs_f32();
        self.lane.told = Instant::now();
        // Smoothed over a few seconds, or it flickers.
        let rate = self.lane.frames as f32 / elapsed.max(0.001);
        self.lane.rate += (rate - self.lane.rate) * 0.3;
        self.lane.frames = 0;
        self.publish();
        let line = self.line();
        let replica = self.shared.replica.borrow().clone();
        let identity = self.telemetry.identity();
        let status = LaneStatus {
            site: identity.site.clone(),
            lane: line.lane,
            edge: identity.edge.clone(),
            at: utc_now(),
            phase: line.phase,
            fault: line.fault,
            passage: line.passage,
            signal: line.signal,
            epoch: replica.head.epoch,
            revision: replica.head.revision,
            lease_left_ms: replica.lease_left().as_millis() as u64,
            outbox_depth: self.shared.outbox.depth() as u64,
            frames_per_second: line.frames_per_second,
            reading: line.reading,
            replica: replica.state.health(),
            lag: replica.lag,
            compared_s_ago: replica.audited.map(|audit| audit.at.elapsed().as_secs()),
        };
        self.telemetry.status(&self.lane.name, &status).await;
    }

    fn send_picture(&self) {
        let Some(frame) = self.lane.newest.clone() else { return };
        let (telemetry, lane) = (self.telemetry.clone(), self.lane.name.clone());
        tokio::spawn(async move {
            let encoded = tokio::task::spawn_blocking(move || frame.jpeg(LIVE_QUALITY, LIVE_WIDTH)).await;
            if let Ok(jpeg) = encoded {
                telemetry.picture(&lane, jpeg).await;
            }
        });
    }
}
