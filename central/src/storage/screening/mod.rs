//! What screening decides by and has decided: policies, watch lists, keys of the draw, assessments, and what is known from before.
//!
//! Invariants
//! - a policy, a list and a key are never changed once they are stored; a policy is in force when a second officer has approved it;
//! - a rule comes into force, and goes out of it, with the policy that follows, in one transaction;
//! - an assessment is stored with everything that it rests on, in the transaction that gives its code;
//! - what has changed since it was looked at is not stored, but assessed anew;
//! - the hour's other movements are counted in the transaction that decides: no quota of the draw is exceeded.

mod acquaintance;
mod assessment;
mod draw;
mod lot;
mod policy;
mod rules;

pub(crate) use acquaintance::Happened;
pub use acquaintance::{Acquaintance, Known};
pub use assessment::{AssessmentRow, SCREENING};
pub(crate) use assessment::{ScreenAllAgain, ScreenLater, ScreenTogether};
pub use draw::DrawRow;
pub(crate) use lot::{Asked, LOT, NotScreened, Screened, code_that_follows};
pub(crate) use policy::{ApprovePolicy, PutList, PutPolicy};
pub use policy::{ListRow, NotApproved, PolicyRow};
pub(crate) use rules::{KeepRule, NextPolicy, faults};
pub use rules::{NotKept, RuleHit, RuleRow, RuleStep};
