//! The lane appliance: cameras in, gate signals out, and nothing released on a doubt.
//!
//! `camera` decodes, `recognise` runs the models on one thread, `lane` (pure) tracks and fuses reads and runs the
//! lane's state machine, `directives` keeps the cache of central's orders, `gate` speaks Modbus, `outbox` makes
//! passages durable, `read` reads plates in files and streams for people.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod appliance;
pub mod camera;
pub mod clock;
pub mod config;
pub mod directives;
pub mod fsck;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod keys;
pub mod lane;
pub mod link;
pub mod outbox;
pub mod read;
pub mod recognise;
