//! The decision at the lane: total, pure, and the only place that can make a [`ReleaseWarrant`].
//!
//! Invariants, each a row of `golden/decision-table.txt` or a test over all its rows:
//! - no release without a certain Hong Kong mark, an active directive in its window, a live lease and a sound lane;
//! - a second plate that contradicts the first, or the directive, refers the vehicle;
//! - whatever is not covered is referred to an officer, never released.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::directive::{ActionCode, DirectiveEntry, DirectiveStatus, DirectiveView};
use crate::ids::{Epoch, MovementId, OfficerId, PassageId, Revision, UtcMillis};
use crate::mark::RegistrationMark;
use crate::order::{Order, Verdict};
use crate::read::{Certainty, FusedPlate, FusedRead};
use crate::wire::Verified;

/// How long after the decision the gate may still act on a warrant. Long enough for a slow I/O module, short
/// enough that the vehicle in front of the boom is still the one that was read (choice).
pub const WARRANT_LIFETIME_MS: i64 = 5_000;

/// Whether central vouches for this cache right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lease {
    /// It does.
    Live,
    /// It does not, or no longer.
    Stale,
}

/// What keeps a lane from clearing vehicles by itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum LaneFault {
    /// No picture from a camera.
    #[n(0)]
    PictureMissing,
    /// The picture does not change.
    #[n(1)]
    PictureFrozen,
    /// The recogniser does not answer or has not proved itself.
    #[n(2)]
    RecogniserDown,
    /// The gate's I/O module does not answer.
    #[n(3)]
    GateUnreachable,
    /// The gate reports a fault of its own.
    #[n(4)]
    GateFault,
    /// An officer works the gate with the manual key.
    #[n(5)]
    ManualKey,
    /// The outbox cannot make a passage durable (disk full or failing).
    #[n(6)]
    OutboxFull,
    /// The directive cache cannot be read.
    #[n(7)]
    CacheFault,
}

impl LaneFault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::PictureMissing,
        Self::PictureFrozen,
        Self::RecogniserDown,
        Self::GateUnreachable,
        Self::GateFault,
        Self::ManualKey,
        Self::OutboxFull,
        Self::CacheFault,
    ];

    /// Whether even an officer's order cannot be carried out or recorded.
    pub fn blocks_officer(self) -> bool {
        matches!(self, Self::GateUnreachable | Self::GateFault | Self::OutboxFull)
    }
}

/// Whether the lane is fit to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LaneState {
    /// It is.
    Ready,
    /// It is on hold.
    Fault(LaneFault),
}

/// Why a decision fell as it did. Shown to officers; never to the trade.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The directive says so.
    #[n(0)]
    Directive,
    /// An officer says so.
    #[n(1)]
    OfficersOrder,
    /// The lane is on hold.
    #[n(2)]
    LaneFault(#[n(0)] LaneFault),
    /// Central has not vouched for the cache within the lease.
    #[n(3)]
    LeaseStale,
    /// A vehicle without any plate in sight.
    #[n(4)]
    NoPlate,
    /// A mainland plate, but no Hong Kong plate.
    #[n(5)]
    NoHongKongPlate,
    /// The Hong Kong plate could not be read.
    #[n(6)]
    Unread,
    /// The Hong Kong plate could be one of several marks.
    #[n(7)]
    Ambiguous,
    /// Two plates that do not belong to one vehicle, or not to the one in the directive.
    #[n(8)]
    PlatesContradict,
    /// No directive for this mark.
    #[n(9)]
    NoDirective,
    /// The directive was taken back.
    #[n(10)]
    Revoked,
    /// The directive may not be used yet.
    #[n(11)]
    TooEarly,
    /// The directive's time is over.
    #[n(12)]
    TooLate,
    /// Another passage has used the directive.
    #[n(13)]
    Used,
}

/// What the lane does with a vehicle.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let it go.
    Release(ReleaseWarrant),
    /// Send it where the code says (never [`ActionCode::Release`]).
    Direct {
        /// The code.
        action: ActionCode,
        /// The movement, unless an officer ordered it.
        movement: Option<MovementId>,
        /// Why.
        reason: Reason,
    },
    /// Stop it and ask an officer.
    Refer {
        /// Why.
        reason: Reason,
    },
}

impl Decision {
    /// Why it fell so.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Release(warrant) => warrant.reason(),
            Self::Direct { reason, .. } | Self::Refer { reason } => *reason,
        }
    }

    /// What the driver is shown.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Release(_) => Signal::Proceed,
            Self::Direct { action, .. } => Signal::of(*action),
            Self::Refer { .. } => Signal::Wait,
        }
    }
}

/// What the driver is shown. A signal other than [`Signal::Proceed`] never opens the gate to the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Signal {
    /// Green, boom up.
    #[n(0)]
    Proceed,
    /// To the documents counter.
    #[n(1)]
    Documents,
    /// To the inspection bay.
    #[n(2)]
    InspectionBay,
    /// Red: wait here for an escort.
    #[n(3)]
    AwaitEscort,
    /// Red: wait here, an officer looks at it.
    #[n(4)]
    Wait,
}

impl Signal {
    /// The signal that goes with an action code.
    pub fn of(action: ActionCode) -> Self {
        match action {
            ActionCode::Release => Self::Proceed,
            ActionCode::Documents => Self::Documents,
            ActionCode::Inspect => Self::InspectionBay,
            ActionCode::Escort => Self::AwaitEscort,
            ActionCode::Detain => Self::Wait,
        }
    }
}

/// On whose word a vehicle is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A verified directive under a live lease.
    Directive {
        /// The movement it is for; it is used up by this release.
        movement: MovementId,
        /// The vehicle's mark.
        mark: RegistrationMark,
        /// History the cache followed.
        epoch: Epoch,
        /// How far.
        revision: Revision,
    },
    /// An officer's signed order for this passage.
    Officer(OfficerId),
}

/// Leave to open the gate once, for one passage, for a short time. Only [`decide`] and [`obey`] make one.
#[derive(Debug, PartialEq, Eq)]
pub struct ReleaseWarrant {
    passage: PassageId,
    authority: Authority,
    expires: UtcMillis,
}

impl ReleaseWarrant {
    /// The passage it is for.
    pub fn passage(&self) -> PassageId {
        self.passage
    }

    /// On whose word.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// First moment at which the gate must refuse it.
    pub fn expires(&self) -> UtcMillis {
        self.expires
    }

    /// Whether the gate may still act on it.
    pub fn is_valid_at(&self, now: UtcMillis) -> bool {
        now < self.expires && now >= self.expires.plus_millis(-WARRANT_LIFETIME_MS)
    }

    fn reason(&self) -> Reason {
        match self.authority {
            Authority::Directive { .. } => Reason::Directive,
            Authority::Officer(_) => Reason::OfficersOrder,
        }
    }
}

/// Decide about one vehicle from what was read of it, what the cache says, and the state of the lane.
///
/// The Hong Kong mark identifies the vehicle (the directive is keyed by it). A mainland plate is optional; if one
/// is seen it must not contradict.
pub fn decide(
    read: &FusedRead,
    view: &DirectiveView,
    lease: Lease,
    lane: LaneState,
    now: UtcMillis,
) -> Decision {
    let refer = |reason| Decision::Refer { reason };
    if let LaneState::Fault(fault) = lane {
        return refer(Reason::LaneFault(fault));
    }
    if lease == Lease::Stale {
        return refer(Reason::LeaseStale);
    }
    let mark = match hong_kong_mark(read) {
        Ok(mark) => mark,
        Err(reason) => return refer(reason),
    };
    let entry = view.of_hong_kong(mark);
    if mainland_plates(read).any(|plate| contradicts(plate, mark, entry, view)) {
        return refer(Reason::PlatesContradict);
    }
    let Some(entry) = entry else {
        return refer(Reason::NoDirective);
    };
    let directive = &entry.directive;
    let window = directive.window;
    match entry.status {
        DirectiveStatus::Revoked => refer(Reason::Revoked),
        DirectiveStatus::Used { .. } => refer(Reason::Used),
        DirectiveStatus::Active if now < window.from => refer(Reason::TooEarly),
        DirectiveStatus::Active if !window.contains(now) => refer(Reason::TooLate),
        DirectiveStatus::Active if directive.action == ActionCode::Release => {
            Decision::Release(ReleaseWarrant {
                passage: read.passage,
                authority: Authority::Directive {
                    movement: directive.movement.clone(),
                    mark: mark.clone(),
                    epoch: view.epoch,
                    revision: view.revision,
                },
                expires: now.plus_millis(WARRANT_LIFETIME_MS),
            })
        }
        DirectiveStatus::Active => Decision::Direct {
            action: directive.action,
            movement: Some(directive.movement.clone()),
            reason: Reason::Directive,
        },
    }
}

/// Why an order is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefused {
    /// It is for a vehicle that is not in front of the gate.
    #[error("the order is for another passage")]
    OtherPassage,
    /// It comes too late.
    #[error("the order has expired")]
    Expired,
    /// The lane cannot carry it out.
    #[error("the lane is on hold: {0:?}")]
    Lane(LaneFault),
}

/// Carry out an officer's order for the passage in front of the gate. [`Verdict::Withdraw`] refers the vehicle
/// again.
pub fn obey(
    order: &Verified<Order>,
    passage: PassageId,
    lane: LaneState,
    now: UtcMillis,
) -> Result<Decision, OrderRefused> {
    let order = order.record();
    if order.passage != passage {
        return Err(OrderRefused::OtherPassage);
    }
    if now >= order.expires {
        return Err(OrderRefused::Expired);
    }
    match lane {
        LaneState::Fault(fault) if fault.blocks_officer() => return Err(OrderRefused::Lane(fault)),
        LaneState::Fault(_) | LaneState::Ready => {}
    }
    Ok(match order.verdict {
        Verdict::Act(ActionCode::Release) => Decision::Release(ReleaseWarrant {
            passage,
            authority: Authority::Officer(order.officer.clone()),
            expires: now.plus_millis(WARRANT_LIFETIME_MS),
        }),
        Verdict::Act(action) => Decision::Direct { action, movement: None, reason: Reason::OfficersOrder },
        Verdict::Withdraw => Decision::Refer { reason: Reason::OfficersOrder },
    })
}

/// The one certain Hong Kong mark of the vehicle, or why there is none.
fn hong_kong_mark(read: &FusedRead) -> Result<&RegistrationMark, Reason> {
    let mut plates = read.plates.iter().filter(|p| !p.is_mainland());
    let Some(first) = plates.next() else {
        return Err(if read.plates.is_empty() { Reason::NoPlate } else { Reason::NoHongKongPlate });
    };
    let mark = match first.certainty {
        Certainty::Absent => return Err(Reason::Unread),
        Certainty::Ambiguous => return Err(Reason::Ambiguous),
        Certainty::Certain => first.certain_mark().ok_or(Reason::Unread)?,
    };
    // A second light plate is the next vehicle's, or a trailer's: unless it says the same, it is not ours to judge.
    if plates.any(|p| p.certain_mark() != Some(mark)) {
        return Err(Reason::PlatesContradict);
    }
    Ok(mark)
}

fn mainland_plates(read: &FusedRead) -> impl Iterator<Item = &FusedPlate> {
    read.plates.iter().filter(|p| p.is_mainland())
}

/// Whether a mainland plate speaks against the vehicle being the one with Hong Kong mark `mark`.
fn contradicts(
    plate: &FusedPlate,
    mark: &RegistrationMark,
    entry: Option<&DirectiveEntry>,
    view: &DirectiveView,
) -> bool {
    let registered = entry.and_then(|e| e.directive.mainland_mark.as_ref());
    match (plate.certainty, registered) {
        // Nothing was read, so nothing speaks against it.
        (Certainty::Absent, _) => false,
        (Certainty::Certain | Certainty::Ambiguous, Some(registered)) => match plate.certain_mark() {
            Some(read) => read != registered,
            None => !plate.could_be(registered),
        },
        // Not registered with this vehicle: a contradiction if it is registered with another one.
        (Certainty::Certain | Certainty::Ambiguous, None) => plate
            .candidates
            .iter()
            .filter_map(|c| view.of_mainland(&c.mark))
            .any(|other| other.directive.mark != *mark),
    }
}
