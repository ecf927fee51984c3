//! What central has decided, as this edge knows it: a cache of directives that follows central's log over Zenoh, the
//! lease without which nothing in it counts, and officers' orders.
//!
//! `cache` keeps the set (sled, disposable), `floor` and `used` keep what must survive it, `link` does what
//! [`clearance::follower`] says, [`DirectiveStore`] is what the lanes see. See `docs/design/replication.md`.

mod cache;
mod entry;
mod floor;
mod generation;
mod link;
mod orders;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod used;

pub use cache::{Cache, CacheFault, ClaimError};
pub use link::{Identity, Link};
pub use orders::OrderRejected;
pub use session::{LinkConfig, LinkError, TlsConfig};
pub use store::{DirectiveStore, Progress};
