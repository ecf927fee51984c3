//! What the trade declares, and the rules of the place: pure, no storage, no clock. See `docs/design/declarations.md`.

pub mod batch;
pub mod consignment;
pub mod contact;
pub mod fault;
pub mod movement;
pub mod news;
pub mod place;
pub mod policy;
pub mod readiness;
pub mod rehearsal;
pub mod trader;

pub use consignment::{Consignment, Direction, GoodsLine, Party};
pub use fault::{Fault, Faulty};
pub use movement::{Load, MovementStatus, Vehicle};
pub use news::{News, Topic};
pub use place::{Phase, Place};
pub use trader::{Caller, TraderId};
