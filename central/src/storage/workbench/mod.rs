//! What the selectors' workbench and the bays keep: decisions, who works on what, hand-overs, inspections, and what is counted
//! of them.
//!
//! Invariants
//! - a code that is given leaves a decision in the transaction that gives it;
//! - a less strict code than the engine's or an earlier officer's is in force only after another officer has agreed, and the
//!   stricter one holds until then;
//! - what is decided by a page that is not current any more changes nothing.

mod audits;
mod awaited;
mod claims;
mod decisions;
mod figures;
mod histories;
mod inspections;
mod kept;
mod returns;

pub use audits::ToAudit;
pub use awaited::{Awaited, AwaitedIn, Coming, View};
pub(crate) use claims::{Claim, HandOver, LetGo, TakeHandover};
pub use claims::{ClaimRow, HandoverRow};
pub(crate) use decisions::{Decide, NotDecided, Second};
pub use decisions::{Decided, Seconded};
pub use figures::{Arrival, Day, Figures, SourceReturn};
pub use histories::{Case, PartyHistory};
pub use inspections::{Directed, InspectionRow, Photograph};
pub(crate) use inspections::{Inspected, KeepPhotograph};
pub use kept::DecisionRow;
pub use returns::RiskReturn;
