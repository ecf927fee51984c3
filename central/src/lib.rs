//! Central: takes declarations, decides action codes, sends them signed to the lanes, takes passages back, and
//! gives officers a console.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod api;
pub mod config;
pub mod console;
pub mod link;
pub mod officers;
pub mod storage;
