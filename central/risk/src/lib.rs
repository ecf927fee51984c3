//! Central's screening engine: what is decided of a consignment before its truck arrives, and why.
//!
//! Watch lists, then rules, then the score, then a random draw that knows the capacity of the inspection bays. Everything here is
//! pure: facts, policy, usage and draw come from outside, so that a decision can be stored and made again, byte for byte.
//! `docs/design/risk.md` says what holds.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod assessment;
pub mod bench;
pub mod canonical;
pub mod capacity;
pub mod command;
pub mod dossier;
pub mod draw;
pub mod engine;
pub mod example;
pub mod facts;
pub mod lists;
pub mod measure;
pub mod number;
pub mod policy;
pub mod replay;
pub mod returns;
pub mod rules;
pub mod score;
pub mod simulate;
pub mod view;

pub use assessment::{Assessment, Colour, Contribution, Measure, Reason, ScoreRead, Unassessed};
pub use canonical::Canonical;
pub use engine::{Circumstances, Engine, PolicyError, assess};
pub use facts::Facts;
pub use number::{LogOdds, Probability};
pub use policy::Policy;
pub use replay::Decision;
