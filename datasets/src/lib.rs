//! Renders what the models learn from and what the tests and the demonstration run on: plates, scenes, lane
//! clips. Nothing here is copied from a photograph.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod assembly;
pub mod camera;
pub mod chance;
pub mod clip;
pub mod crop;
pub mod drawing;
mod emblem;
pub mod export;
pub mod ground;
pub mod lettering;
pub mod negative;
mod overlay;
pub mod plate;
pub mod queue;
pub mod scene;
pub mod set;
pub mod vehicle;
pub mod warp;
