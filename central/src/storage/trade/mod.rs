//! Declarations: consignments, vehicles and movements of the trade, their versions, and what came of them.
//!
//! Invariants
//! - a consignment travels with at most one movement that is not cancelled;
//! - what is amended, taken away or carried by another vehicle has no action code until it is assessed anew, and the lanes
//!   are told so in the same transaction;
//! - nothing of a sandbox reaches a log;
//! - every change is audited and told to everybody concerned in its own transaction.

mod assess;
mod bundle;
mod carry_out;
mod events;
mod evidence;
mod expect;
mod lodge;
mod look;
mod notices;
mod once;
mod progress;
mod rehearse;
mod requests;
mod retention;
mod revise;
mod seals;
mod standing;
mod traders;

pub(crate) use assess::{Assess, Code, TAKEN_BACK, Withdraw};
pub(crate) use bundle::Bundle;
pub(crate) use carry_out::{CarryOut, NotCarriedOut, PutOff};
pub use events::EventRow;
pub(crate) use lodge::{Amend, CancelConsignment, Lodge, LodgeMany};
pub use look::{Carrying, ConsignmentRow, Find, MovementRow, Seen};
pub(crate) use look::{consignment_row, consignments, movement, movements};
pub(crate) use notices::PublishNotice;
pub use notices::{Notice, NoticeRow};
pub(crate) use once::Once;
pub use once::OnceKey;
pub(crate) use progress::RecordInspection;
pub(crate) use rehearse::Rehearse;
pub(crate) use requests::{Accept, PART};
pub use requests::{Acknowledged, HandedIn, Item, ItemOutcome, RequestRow};
pub use retention::KeptSince;
pub use revise::Revision;
pub(crate) use revise::{CancelMovement, Revise};
pub use seals::SealRow;
pub(crate) use seals::{FixSeal, ReportSeal};
pub use standing::{ConsignmentStatus, Page, Position};
pub(crate) use standing::{position, read_position};
pub(crate) use traders::Names;
pub use traders::TraderRow;

pub(crate) use notices::in_force;

use super::StorageError;
use crate::trade::{Fault, Faulty};

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is none, or none that the caller may know of.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Some items are wrong.
    #[error("some items are wrong: {}", list(.0))]
    Faults(Vec<Faulty>),
    /// Somebody has changed it meanwhile.
    #[error("it was changed meanwhile: it is at version {now}")]
    Version {
        /// Its version now.
        now: u32,
    },
    /// It stands where this cannot be done any more.
    #[error("{0}")]
    Standing(Conflict),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn list(faults: &[Faulty]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Refused {
    /// One item is wrong.
    pub(crate) fn fault(pointer: impl Into<String>, fault: Fault) -> Self {
        Self::Faults(vec![Faulty::at(pointer, fault)])
    }
}

/// Why something can no longer be done, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The vehicle has arrived, or the crossing is over.
    #[error("the vehicle is at the lane already, or the crossing is over; lodge and bundle anew")]
    Closed,
    /// The consignment was taken back.
    #[error("the consignment was cancelled")]
    Cancelled,
    /// The consignment travels with a vehicle.
    #[error("the consignment is bundled with a vehicle; its carrier unbundles it first")]
    Bundled,
    /// The declaration is not complete.
    #[error("the declaration is not complete yet; its readiness tells what is missing")]
    NotDeclared,
    /// There is no action code.
    #[error("the movement has no action code to take back")]
    NoCode,
    /// The vehicle was not directed to an inspection.
    #[error("the vehicle was not directed to an inspection")]
    NotDirected,
    /// It is there already.
    #[error("there is one already")]
    Exists,
    /// The client's key was used for something else.
    #[error("this Idempotency-Key was used for another request; take a new one")]
    KeyReused,
    /// The company has as many webhooks as it may.
    #[error("there are 5 webhooks, as many as a company may have; remove one first")]
    TooManyWebhooks,
    /// Webhooks are closed here.
    #[error("this central sends no webhooks; follow /api/v1/events")]
    NoWebhooks,
    /// The webhook is paused.
    #[error("the webhook is paused; replay it from a place in the feed when its receiver works")]
    Paused,
}
