//! The decision of a lane, with what it uses up: looked up, decided, and the directive that is followed marked as used,
//! durably, before anybody hears of it.

use clearance::decide::{Authority, Decision, LaneFault, LaneState, Lease, Reason, decide};
use clearance::ids::MovementId;
use clearance::mark::RegistrationMark;
use clearance::read::FusedRead;

use crate::clock::utc_now;
use crate::directives::{Cache, CacheFault, ClaimError};

/// What was decided.
#[derive(Debug)]
pub struct Judged {
    /// The decision.
    pub decision: Decision,
    /// The fault that made it a referral, if one did.
    pub fault: Option<CacheFault>,
}

impl Judged {
    fn refer(reason: Reason) -> Self {
        Self { decision: Decision::Refer { reason }, fault: None }
    }
}

impl From<CacheFault> for Judged {
    fn from(fault: CacheFault) -> Self {
        let reason = Reason::LaneFault(LaneFault::CacheFault);
        Self { decision: Decision::Refer { reason }, fault: Some(fault) }
    }
}

/// Decide, and use the directive up that is followed. Waits for the disk.
pub fn judge(cache: &Cache, lease: impl FnOnce() -> Lease, read: &FusedRead, lane: LaneState) -> Judged {
    let marks: Vec<RegistrationMark> =
        read.plates.iter().flat_map(|p| p.candidates.iter().map(|c| c.mark.clone())).collect();
    let view = match cache.view(&marks) {
        Ok(view) => view,
        Err(fault) => return fault.into(),
    };
    // The lease is asked after the look-up: a lease that ended meanwhile does not count.
    let decision = decide(read, &view, lease(), lane, utc_now());
    // A directive is for one movement, whatever it orders: followed once, it is used up.
    let Some(movement) = followed(&decision) else { return Judged { decision, fault: None } };
    let Some(mark) =
        view.entries.iter().map(|e| &e.directive).find(|d| d.movement == movement).map(|d| &d.mark)
    else {
        return Judged::refer(Reason::NoDirective);
    };
    match cache.mark_used(&movement, mark, read.passage) {
        Ok(()) => Judged { decision, fault: None },
        Err(ClaimError::AlreadyUsed(_)) => Judged::refer(Reason::Used),
        Err(ClaimError::NotActive) => Judged::refer(Reason::Revoked),
        Err(ClaimError::Fault(fault)) => fault.into(),
    }
}

/// The movement whose directive a decision follows.
pub fn followed(decision: &Decision) -> Option<MovementId> {
    match decision {
        Decision::Release(warrant) => match warrant.authority() {
            Authority::Directive { movement, .. } => Some(movement.clone()),
            Authority::Officer(_) => None,
        },
        Decision::Direct { movement, .. } => movement.clone(),
        Decision::Refer { .. } => None,
    }
}
