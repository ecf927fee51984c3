//! Decoders that are not public, for the fuzz targets in `tests/fuzz`: bytes in, nothing out, and no panic.

use clearance::ids::{Digest, EdgeId, LaneId, MovementId, Nonce, OfficerId, PassageId, SiteId};
use clearance::wire::PublicKey;

use crate::ccrn::Ccrn;
use crate::officers::Role;
use crate::storage::Noted;
use crate::trade::batch::Format;

/// A body of the API.
pub fn body(bytes: &[u8]) {
    crate::api::fuzzing::bodies(bytes);
}

/// A signed body of the API.
pub fn jws(bytes: &[u8]) {
    crate::api::fuzzing::jws(bytes);
}

/// A request for a certificate.
pub fn csr(bytes: &[u8]) {
    let _ = clearance::transport::requested_key(bytes);
}

/// A file of consignments.
pub fn batch(format: Format, bytes: &[u8]) {
    crate::trade::batch::fuzzed(format, bytes);
}

/// A configuration, checked as [`crate::config::Config::load`] does.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = crate::config::Config::parsed(text);
}

/// Names, numbers and keys as they come in addresses, forms and rows.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ =
        (text.parse::<SiteId>(), text.parse::<LaneId>(), text.parse::<EdgeId>(), text.parse::<OfficerId>());
    let _ = (
        text.parse::<MovementId>(),
        text.parse::<PassageId>(),
        text.parse::<Nonce>(),
        text.parse::<Digest>(),
    );
    let _ = (text.parse::<PublicKey>(), text.parse::<Role>(), Noted::from(text.to_owned()));
    if let Ok(ccrn) = text.parse::<Ccrn>() {
        assert_eq!(ccrn.as_str().parse(), Ok(ccrn), "a number that was taken is taken again");
    }
    let _ = crate::link::lane_of(text);
}
