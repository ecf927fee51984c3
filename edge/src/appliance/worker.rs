//! The thread of a lane that decides and writes: everything that waits for a disk, one job after the other, so that
//! steps are recorded in the order in which they happened.
//!
//! Order of a decision, each step done before the next: looked up, decided, the directive used up (durable), the intent
//! recorded (durable); only then does the lane hear of it and may give the signal. What is no longer wanted when its
//! turn comes is not decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as jobs;

use clearance::decide::{Decision, LaneFault, LaneState, OrderRefused, Reason, obey};
use clearance::geometry::{Point, Quad};
use clearance::ids::{LaneId, PassageId};
use clearance::order::Order;
use clearance::passage::{
    DecisionRecord, EvidenceKind, OrderRef, Outcome, PassageEvent, PassageStep, PlateEvidence,
};
use clearance::read::FusedRead;
use clearance::wire::Verified;
use tokio::sync::mpsc;

use super::Shared;
use super::judge::{followed, judge};
use super::steps::Steps;
use crate::camera::Frame;
use crate::clock::utc_now;
use crate::lane::machine::Ask;
use crate::outbox::{Durable, OutboxError};

/// Margin around a plate in its crop, as a part of the plate's size.
const MARGIN: f32 = 0.35;
/// Width of the whole picture that is kept, pixels.
const PICTURE_WIDTH: usize = 960;
const PICTURE_QUALITY: u8 = 80;

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
            steps: Steps::default(),
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
    steps: Steps,
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

    fn judge(&self, read: &FusedRead, lane: LaneState) -> Decision {
        let judged = judge(&self.shared.cache, || self.shared.replica.borrow().lease(), read, lane);
        if let Some(fault) = judged.fault {
            tracing::error!(lane = %self.lane, %fault, "no look-up");
            self.shared.cache_fails.store(true, Ordering::SeqCst);
        }
        judged.decision
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
        let plates =
            self.plates.iter().filter(|(of, _)| *of == passage).flat_map(|(_, p)| p.clone()).collect();
        let record = DecisionRecord {
            outcome: Outcome::from(decision),
            reason: decision.reason(),
            movement: followed(decision),
            order,
            plates,
            epoch: head.epoch,
            revision: head.revision,
            model: self.shared.model,
        };
        self.append(passage, PassageStep::Decided(record))
    }

    fn append(&mut self, passage: PassageId, what: PassageStep) -> Result<Durable, OutboxError> {
        let (shared, lane) = (&self.shared, &self.lane);
        let (event, recorded) = self.steps.record(&shared.outbox, passage, what, |step, what| PassageEvent {
            site: shared.config.site.clone(),
            lane: lane.clone(),
            edge: shared.config.edge.clone(),
            passage,
            step,
            at: utc_now(),
            what,
        });
        if let Err(error) = &recorded {
            tracing::error!(lane = %self.lane, %error, "a passage was not recorded");
            self.shared.outbox_fails.store(true, Ordering::SeqCst);
        }
        // Nobody may be watching.
        let _ = self.shared.steps.send(event);
        recorded
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
