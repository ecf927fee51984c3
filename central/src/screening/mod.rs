//! Screening: every movement is assessed as soon as it is bundled, and again whenever it or what is decided by changes.
//!
//! Invariants
//! - without a policy in force nothing is decided here: movements wait for an officer, at the lane at the latest;
//! - a policy that cannot be applied is said to be so, and the one before goes on;
//! - what could not be asked never lets a vehicle go.

pub mod command;
mod draw;
mod draws;
mod facts;
mod policy;
pub mod rules;
mod score;
mod typed;
mod watch;
mod work;

pub use draws::{NotTold, NotVerified, Verified, tell, verify_all};
pub(crate) use draws::{Published, published, reveal};
pub use policy::{ImportList, NotTaken, approve, put_list, put_policy};
pub use typed::{Typed, typed};
pub(crate) use watch::Watched;
pub(crate) use work::screen;
pub use work::{Replayed, replay};
