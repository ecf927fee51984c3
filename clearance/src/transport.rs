//! Who may speak with whom over Zenoh, and how: whom a certificate names, whether it is good, which endpoints may be
//! used, what each party may do, and the Zenoh settings that follow. Both sides use the same words, so that a rule at a
//! router is the rule at central.
//!
//! Nothing that a lane does is decided by these: records are signed and checked apart from the transport. The transport
//! keeps strangers from reading and from taking up room.

mod access;
mod certificate;
mod endpoint;
pub mod overheard;
mod party;
mod request;
mod settings;

pub use access::{at_central, at_edge, at_router};
pub use certificate::{Certificate, CertificateError, verify};
pub use endpoint::{EndpointError, check_endpoints};
pub use party::{Party, PartyError};
pub use request::{KeyKind, RequestError, RequestedKey, requested_key};
pub use settings::{Certificates, Setting, TlsFiles, TlsHeld, connecting, routing};

/// How Zenoh shares its work out to threads, and what both sides want: all links on one. Its TLS link reads and writes a stream
/// from two threads without a lock (eclipse-zenoh/zenoh#2557, not mended in 1.10.2), which has crashed central. Zenoh reads
/// this from the environment, once, before anything else could set it: so whoever opens links begins again with it.
pub const LINK_THREADS: (&str, &str) = (
    "ZENOH_RUNTIME",
    "(rx: (handover: tx), acc: (handover: tx), net: (handover: tx), tx: (worker_threads: 1))",
);
