//! What a lane reports of each vehicle: small numbered steps, so that central can count each once however often
//! it arrives, and a step is durable before the signal it stands for is given.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, LaneFault, Reason, Signal};
use crate::directive::ActionCode;
use crate::follower::Quarantine;
use crate::geometry::Quad;
use crate::ids::{
    Digest, EdgeId, Epoch, LaneId, MovementId, Nonce, OfficerId, PassageId, Revision, SiteId, UtcMillis,
};
use crate::read::{Candidate, Certainty, FusedPlate, PlateLayout};

/// One step of one passage. (passage, step) is unique: central stores the first and acknowledges the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct PassageEvent {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The lane.
    #[n(1)]
    pub lane: LaneId,
    /// The edge node that reports.
    #[n(2)]
    pub edge: EdgeId,
    /// The passage.
    #[n(3)]
    pub passage: PassageId,
    /// Number of the step in its passage, from 0.
    #[n(4)]
    pub step: u32,
    /// When it happened, by the edge's clock.
    #[n(5)]
    pub at: UtcMillis,
    /// What happened.
    #[n(6)]
    pub what: PassageStep,
}

/// What can happen in a passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum PassageStep {
    /// The intent: what the lane is about to do. Durable before the signal.
    #[n(0)]
    Decided(#[n(0)] DecisionRecord),
    /// The signal was given.
    #[n(1)]
    Signalled {
        /// Which.
        #[n(0)]
        signal: Signal,
        /// Microseconds from the arrival of the frame that settled the read to the gate's confirmation.
        #[n(1)]
        frame_to_signal_us: Option<u64>,
    },
    /// The signal could not be given; the lane held.
    #[n(2)]
    SignalFailed(#[n(0)] LaneFault),
    /// The vehicle left by the exit loop.
    #[n(3)]
    Left,
    /// An order was not carried out.
    #[n(4)]
    OrderRefused {
        /// Which order.
        #[n(0)]
        order: Nonce,
        /// Why, in a person's words.
        #[n(1)]
        why: String,
    },
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Let go.
    #[n(0)]
    Released,
    /// Sent where the code says.
    #[n(1)]
    Directed(#[n(0)] ActionCode),
    /// Stopped for an officer.
    #[n(2)]
    Referred,
}

impl From<&Decision> for Outcome {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Release(_) => Self::Released,
            Decision::Direct { action, .. } => Self::Directed(*action),
            Decision::Refer { .. } => Self::Referred,
        }
    }
}

/// A decision with all that is needed to understand it later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct DecisionRecord {
    /// What was decided.
    #[n(0)]
    pub outcome: Outcome,
    /// Why.
    #[n(1)]
    pub reason: Reason,
    /// The movement whose directive was followed; a release uses it up.
    #[n(2)]
    pub movement: Option<MovementId>,
    /// The officer and the order, if it was theirs.
    #[n(3)]
    pub order: Option<OrderRef>,
    /// What was read.
    #[n(4)]
    pub plates: Vec<PlateEvidence>,
    /// History the cache followed.
    #[n(5)]
    pub epoch: Epoch,
    /// How far.
    #[n(6)]
    pub revision: Revision,
    /// Digest of the model bundle's manifest.
    #[n(7)]
    pub model: Digest,
}

/// Which officer's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct OrderRef {
    /// Who.
    #[n(0)]
    pub officer: OfficerId,
    /// Which order.
    #[n(1)]
    pub nonce: Nonce,
}

/// One plate of the passage, as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct PlateEvidence {
    /// Likeliest first.
    #[n(0)]
    pub candidates: Vec<Candidate>,
    /// How far to rely on it.
    #[n(1)]
    pub certainty: Certainty,
    /// How it is laid out.
    #[n(2)]
    pub layout: PlateLayout,
    /// Corners x, y clockwise from top left, in pixels of the evidence picture.
    #[n(3)]
    pub corners: [f32; 8],
    /// Frames fused.
    #[n(4)]
    pub frames: u32,
    /// Digest of the plate's crop (JPEG), sent apart as [`Evidence`].
    #[n(5)]
    pub crop: Option<Digest>,
    /// Digest of the whole picture (JPEG), sent apart as [`Evidence`].
    #[n(6)]
    pub picture: Option<Digest>,
}

impl PlateEvidence {
    /// The record of a fused plate whose pictures have these digests; `corners` are those in the evidence picture.
    pub fn new(plate: &FusedPlate, corners: &Quad, crop: Option<Digest>, picture: Option<Digest>) -> Self {
        let [a, b, c, d] = corners.0;
        Self {
            candidates: plate.candidates.clone(),
            certainty: plate.certainty,
            layout: plate.layout,
            corners: [a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y],
            frames: plate.frames,
            crop,
            picture,
        }
    }
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum EvidenceKind {
    /// One plate with some of its surroundings.
    #[n(0)]
    Crop,
    /// The vehicle.
    #[n(1)]
    Picture,
}

/// A picture that belongs to a passage. Sent apart from the passage, which must not wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Evidence {
    /// The passage.
    #[n(0)]
    pub passage: PassageId,
    /// What it shows.
    #[n(1)]
    pub kind: EvidenceKind,
    /// SHA-256 of the bytes.
    #[n(2)]
    pub digest: Digest,
    /// A JPEG.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub jpeg: Vec<u8>,
}

/// Where a lane is with the vehicle in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum LanePhase {
    /// No vehicle.
    #[n(0)]
    Idle,
    /// A vehicle is there and is being read.
    #[n(1)]
    Reading,
    /// It waits for an officer.
    #[n(2)]
    Referred,
    /// It has its signal and has not left.
    #[n(3)]
    Signalled,
    /// The lane is on hold.
    #[n(4)]
    Hold,
}

/// A lane's telemetry: the latest wins, nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct LaneStatus {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The lane.
    #[n(1)]
    pub lane: LaneId,
    /// The edge node.
    #[n(2)]
    pub edge: EdgeId,
    /// By the edge's clock.
    #[n(3)]
    pub at: UtcMillis,
    /// Where the lane is.
    #[n(4)]
    pub phase: LanePhase,
    /// What holds it.
    #[n(5)]
    pub fault: Option<LaneFault>,
    /// The passage in front of it.
    #[n(6)]
    pub passage: Option<PassageId>,
    /// The signal shown.
    #[n(7)]
    pub signal: Signal,
    /// History followed.
    #[n(8)]
    pub epoch: Epoch,
    /// How far.
    #[n(9)]
    pub revision: Revision,
    /// Milliseconds of lease left; 0 is stale.
    #[n(10)]
    pub lease_left_ms: u64,
    /// Passage steps not yet acknowledged by central.
    #[n(11)]
    pub outbox_depth: u64,
    /// Frames looked at in the last second, over all cameras of the lane.
    #[n(12)]
    pub frames_per_second: f32,
    /// Best reading of the vehicle in front, for people to watch.
    #[n(13)]
    pub reading: Option<String>,
    /// How the edge's replica of the directives is.
    #[n(14)]
    pub replica: ReplicaHealth,
    /// Revisions that central is known to be ahead.
    #[n(15)]
    pub lag: u64,
    /// Seconds since the whole set was compared with central's, if it was.
    #[n(16)]
    pub compared_s_ago: Option<u64>,
}

/// How an edge's replica of the directives is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaHealth {
    /// Central vouches for it.
    #[n(0)]
    Live,
    /// It is being fetched.
    #[n(1)]
    Fetching,
    /// Central does not vouch for it, or no longer.
    #[default]
    #[n(2)]
    Stale,
    /// Central's history contradicts what was seen.
    #[n(3)]
    Quarantined(#[n(0)] Quarantine),
}
