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
