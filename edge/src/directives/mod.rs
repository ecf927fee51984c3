//! What central has decided, as this edge knows it: a cache of directives, disposable, and what must survive it.
//!
//! `cache` keeps the set (sled), `floor` and `used` keep what must survive it. The link that follows central's log over
//! Zenoh does what [`clearance::follower`] says; it is the next slice. See `docs/design/replication.md`.

mod cache;
mod entry;
mod floor;
mod generation;
mod used;

pub use cache::{Cache, CacheFault, ClaimError};
