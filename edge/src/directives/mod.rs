//! What central has decided, as this edge knows it: a cache of directives, disposable, and what must survive it.
//!
//! `cache` keeps the set (sled), `floor` and `used` keep what must survive it. [`crate::link`] fills it from central's
//! log. See `docs/design/replication.md`.

mod aside;
mod cache;
pub(crate) mod check;
mod entry;
mod floor;
pub(crate) mod fuzzing;
mod generation;
mod quarantine;
mod used;

pub use cache::{Cache, CacheFault, ClaimError, REST};
