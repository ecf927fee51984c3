//! The language both sides of a lane speak.
//!
//! Pure: no I/O, no clock, no randomness of its own. What the edge and central must agree on lives here and
//! nowhere else: registration marks, action codes, directives, reads, the decision, the passage, and the signed
//! records that travel between them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod decide;
pub mod directive;
pub mod example;
pub mod finding;
pub mod follower;
pub mod geometry;
pub mod ids;
pub mod keyring;
pub mod mark;
pub mod merkle;
pub mod order;
pub mod passage;
pub mod picture;
pub mod publisher;
pub mod read;
pub mod replicate;
pub mod topic;
pub mod transport;
pub mod wire;
