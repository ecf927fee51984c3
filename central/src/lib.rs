//! Central: takes declarations, decides action codes, sends them signed to the lanes, takes passages back, and
//! gives officers a console.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod ccrn;
pub mod clock;
pub mod config;
pub mod keys;
pub mod link;
pub mod officers;
pub mod state;
pub mod storage;
