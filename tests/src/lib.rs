//! What the end-to-end tests share: a world of trucks, cameras and loops around the software.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod clips;
pub mod disk;
pub mod evaluation;
pub mod simulation;
pub mod world;
