//! The thread of a lane that decides and writes: everything that waits for a disk, one job after the other, so that
//! steps are recorded in the order in which they happened.
//!
//! Order of a decision, each step done before the next: looked up, decided, the directive used up (durable), the intent
//! recorded (durable); only then does the lane hear of it and may give the signal. What is no longer wanted when its
//! turn comes is not decided.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as jobs;

use clearance::decide::{Authority, Decision, LaneFault, LaneState, OrderRefused, Reason, decide, obey};
use clearance::geometry::{Point, Quad};
use clearance::ids::{LaneId, PassageId};
use clearance::mark::RegistrationMark;
use clearance::order::Order;
use clearance::passage::{
    DecisionRecord, EvidenceKind, OrderRef, Outcome, PassageEvent, PassageStep, PlateEvidence,
};
use clearance::read::FusedRead;
use clearance::wire::Verified;
use tokio::sync::mpsc;

use super::Shared;
use crate::camera::Frame;
use crate::clock::utc_now;
use crate::directives::ClaimError;
use crate::lane::machine::Ask;
use crate::outbox::{Durable, OutboxError};

/// Margin around a plate in its crop, as a part of the plate's size.
const MARGIN: f32 = 0.35;
/// Width of the whole picture that is kept, pixels.
const PICTURE_WIDTH: usize = 960;
const PICTURE_QUALITY: u8 = 80;

/// Passages whose steps are counted; a step of an older one starts at [`FOREIGN_STEP`].
const COUNTED: usize = 64;

/// Steps of a passage that this run of the program did not begin are numbered from here, out of the way of those that
/// were recorded before.
const FOREIGN_STEP: u32 = 1 << 20;

/// A new passage's id: random, and sorting by time.
pub(super) fn new_passage() -> PassageId {
    PassageId(uuid::Uuid::now_v7().into_bytes())
}

/// A read with the frames it was made of.
#[derive(Clone)]
pub(super) struct Exhibits {
    pub(super) read: FusedRead,
    /// For each plate of `read`, the frame that shows it.
    pub(super) frames: Vec<Option<Arc<Frame>>>,
}

pub(super) enum Job {
    Decide { ask: Ask, exhibits: Exhibits, lane: LaneState },
    Obey { ask: Ask, passage: PassageId, order: Box<Verified<Order>>, lane: LaneState },
    Refer { exhibits: Exhibits, reason: Reason },
    Step { passage: PassageId, what: PassageStep },
}

/// What the worker has done.
pub(super) enum Done {
    /// Decided and, unless the disk failed, recorded.
    Decided { ask: Ask, decision: Decision, intent: Option<Durable> },
    /// The order is not carried out; that is recorded.
    Refused { ask: Ask },
}

/// A lane's handle on its worker.
pub(super) struct Worker {
    jobs: jobs::Sender<Job>,
    /// The only question whose answer is still wanted; 0: none.
    wanted: Arc<AtomicU64>,
}

impl Worker {
    /// Start the thread; its answers come through `answers`.
    pub(super) fn start(
        shared: Arc<Shared>,
        lane: LaneId,
        answers: mpsc::UnboundedSender<super::lane::Answer>,
    ) -> std::io::Result<Self> {
        let (sender, received) = jobs::channel();
        let wanted = Arc::new(AtomicU64::new(0));
        let mut thread = Thread {
            shared,
            lane: lane.clone(),
            wanted: Arc::clone(&wanted),
            steps: VecDeque::new(),
            plates: None,
        };
        std::thread::Builder::new().name(format!("decide-{lane}")).spawn(move || {
            while let Ok(job) = received.recv() {
                if let Some(done) = thread.work(job)
                    && answers.send(super::lane::Answer::Done(done)).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self { jobs: sender, wanted })
    }

    /// One more job. A thread that is gone answers nothing, and the lane refers the vehicle for that.
    pub(super) fn give(&self, job: Job) {
        if let Job::Decide { ask, .. } | Job::Obey { ask, .. } = &job {
            self.wanted.store(ask.0, Ordering::SeqCst);
        }
        let _ = self.jobs.send(job);
    }

    /// What was asked is not wanted any more.
    pub(super) fn forget(&self) {
        self.wanted.store(0, Ordering::SeqCst);
    }
}

struct Thread {
    shared: Arc<Shared>,
    lane: LaneId,
    wanted: Arc<AtomicU64>,
    /// The next step of the latest passages.
    steps: VecDeque<(PassageId, u32)>,
    /// Evidence of the passage in front of the gate.
    plates: Option<(PassageId, Vec<PlateEvidence>)>,
}

impl Thread {
    fn work(&mut self, job: Job) -> Option<Done> {
        match job {
            Job::Decide { ask, exhibits, lane } => {
                self.is_wanted(ask).then(|| self.decide(ask, &exhibits, lane))
            }
            Job::Obey { ask, passage, order, lane } => {
                self.is_wanted(ask).then(|| self.obey(ask, passage, &order, lane))
            }
            Job::Refer { exhibits, reason } => {
                self.keep_evidence(&exhibits);
                let decision = Decision::Refer { reason };
                let _ = self.record(exhibits.read.passage, &decision, None);
                None
            }
            Job::Step { passage, what } => {
                let _ = self.append(passage, what);
                None
            }
        }
    }

    fn is_wanted(&self, ask: Ask) -> bool {
        self.wanted.load(Ordering::SeqCst) == ask.0
    }

    fn decide(&mut self, ask: Ask, exhibits: &Exhibits, lane: LaneState) -> Done {
        let passage = exhibits.read.passage;
        let decision = self.judge(&exhibits.read, lane);
        self.keep_evidence(exhibits);
        self.recorded(ask, passage, decision, None)
    }

    /// Decide, and use the directive up that is followed.
    fn judge(&self, read: &FusedRead, lane: LaneState) -> Decision {
        let refer = |reason| Decision::Refer { reason };
        let marks: Vec<RegistrationMark> =
            read.plates.iter().flat_map(|p| p.candidates.iter().map(|c| c.mark.clone())).collect();
        let view = match self.shared.cache.view(&marks) {
            Ok(view) => view,
            Err(fault) => return self.cache_failed(&fault),
        };
        // The lease is asked after the look-up: a lease that ended meanwhile does not count.
        let lease = self.shared.replica.borrow().lease();
        let decision = decide(read, &view, lease, lane, utc_now());
        // A directive is for one movement, whatever it orders: followed once, it is used up.
        let followed = match &decision {
            Decision::Release(warrant) => match warrant.authority() {
                Authority::Directive { movement, .. } => Some(movement),
                Authority::Officer(_) => None,
            },
            Decision::Direct { movement, .. } => movement.as_ref(),
            Decision::Refer { .. } => None,
        };
        let Some(movement) = followed else { return decision };
        let Some(mark) =
            view.entries.iter().map(|e| &e.directive).find(|d| d.movement == *movement).map(|d| &d.mark)
        else {
            return refer(Reason::NoDirective);
        };
        match self.shared.cache.mark_used(movement, mark, read.passage) {
            Ok(()) => decision,
            Err(ClaimError::AlreadyUsed(_)) => refer(Reason::Used),
            Err(ClaimError::NotActive) => refer(Reason::Revoked),
            Err(ClaimError::Fault(fault)) => self.cache_failed(&fault),
        }
    }

    fn cache_failed(&self, fault: &crate::directives::CacheFault) -> Decision {
        tracing::error!(lane = %self.lane, %fault, "no look-up");
        self.shared.cache_fails.store(true, Ordering::SeqCst);
        Decision::Refer { reason: Reason::LaneFault(LaneFault::CacheFault) }
    }

    fn obey(&mut self, ask: Ask, passage: PassageId, order: &Verified<Order>, lane: LaneState) -> Done {
        match obey(order, passage, lane, utc_now()) {
            Ok(decision) => {
                let record = order.record();
                let by = OrderRef { officer: record.officer.clone(), nonce: record.nonce };
                self.recorded(ask, passage, decision, Some(by))
            }
            Err(refused) => {
                let why = match refused {
                    OrderRefused::Expired => "the order came too late; decide again".to_owned(),
                    other => other.to_string(),
                };
                let what = PassageStep::OrderRefused { order: order.record().nonce, why };
                let _ = self.append(passage, what);
                Done::Refused { ask }
            }
        }
    }

    /// Record a decision; what cannot be recorded is not carried out.
    fn recorded(&mut self, ask: Ask, passage: PassageId, decision: Decision, by: Option<OrderRef>) -> Done {
        if let Ok(intent) = self.record(passage, &decision, by) {
            return Done::Decided { ask, decision, intent: Some(intent) };
        }
        let reason = Reason::LaneFault(LaneFault::OutboxFull);
        Done::Decided { ask, decision: Decision::Refer { reason }, intent: None }
    }

    fn record(
        &mut self,
        passage: PassageId,
        decision: &Decision,
        order: Option<OrderRef>,
    ) -> Result<Durable, OutboxError> {
        let head = self.shared.replica.borrow().head;
        let movement = match decision {
            Decision::Release(warrant) => match warrant.authority() {
                Authority::Directive { movement, .. } => Some(movement.clone()),
                Authority::Officer(_) => None,
            },
            Decision::Direct { movement, .. } => movement.clone(),
            Decision::Refer { .. } => None,
        };
        let plates =
            self.plates.iter().filter(|(of, _)| *of == passage).flat_map(|(_, p)| p.clone()).collect();
        let record = DecisionRecord {
            outcome: Outcome::from(decision),
            reason: decision.reason(),
            movement,
            order,
            plates,
            epoch: head.epoch,
            revision: head.revision,
            model: self.shared.model,
        };
        self.append(passage, PassageStep::Decided(record))
    }

    fn append(&mut self, passage: PassageId, what: PassageStep) -> Result<Durable, OutboxError> {
        let event = PassageEvent {
            site: self.shared.config.site.clone(),
            lane: self.lane.clone(),
            edge: self.shared.config.edge.clone(),
            passage,
            step: self.next_step(passage, &what),
            at: utc_now(),
            what,
        };
        let recorded = self.shared.outbox.record(&event);
        if let Err(error) = &recorded {
            tracing::error!(lane = %self.lane, %error, "a passage was not recorded");
            self.shared.outbox_fails.store(true, Ordering::SeqCst);
        }
        // Nobody may be watching.
        let _ = self.shared.steps.send(event);
        recorded
    }

    fn next_step(&mut self, passage: PassageId, what: &PassageStep) -> u32 {
        if let Some((_, next)) = self.steps.iter_mut().find(|(of, _)| *of == passage) {
            *next += 1;
            return *next - 1;
        }
        let first = match what {
            // A passage of before the last start, or one long gone.
            PassageStep::OrderRefused { order, .. } => {
                FOREIGN_STEP + u32::from(u16::from_be_bytes([order.0[0], order.0[1]]))
            }
            _ => 0,
        };
        self.steps.push_back((passage, first + 1));
        if self.steps.len() > COUNTED {
            self.steps.pop_front();
        }
        first
    }

    /// Keep crop and picture of each plate. A picture that cannot be kept is missed by the officer, not by the lane.
    fn keep_evidence(&mut self, exhibits: &Exhibits) {
        let passage = exhibits.read.passage;
        let mut pictures: Vec<(*const Frame, clearance::ids::Digest)> = Vec::new();
        let plates = exhibits.read.plates.iter().zip(&exhibits.frames).map(|(plate, frame)| {
            let Some(frame) = frame else {
                return PlateEvidence::new(plate, &plate.corners, None, None);
            };
            let keep = |kind, jpeg: Vec<u8>| {
                let kept = self.shared.evidence.put(passage, kind, &jpeg);
                kept.inspect_err(|error| tracing::warn!(lane = %self.lane, %error, "a picture was not kept"))
                    .ok()
            };
            let crop = keep(EvidenceKind::Crop, frame.crop_jpeg(&plate.corners, MARGIN));
            let known = pictures.iter().find(|(of, _)| *of == Arc::as_ptr(frame)).map(|(_, digest)| *digest);
            let picture =
                known.or_else(|| keep(EvidenceKind::Picture, frame.jpeg(PICTURE_QUALITY, PICTURE_WIDTH)));
            pictures.extend(picture.map(|digest| (Arc::as_ptr(frame), digest)));
            let scale = (PICTURE_WIDTH as f32 / frame.width as f32).min(1.0);
            let corners: Quad = plate.corners.map(|p| Point::new(p.x * scale, p.y * scale));
            PlateEvidence::new(plate, &corners, crop, picture)
        });
        self.plates = Some((passage, plates.collect()));
    }
}
