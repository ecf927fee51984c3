//! Decoders of this folder's files, for the fuzz targets.

use clearance::directive::DirectiveEntry;
use clearance::mark::RegistrationMark;

use super::entry::{self, Meta};
use super::{floor, used};

/// Bytes as a floor file.
pub(crate) fn floor(bytes: &[u8]) {
    let _ = floor::slots(bytes);
}

/// Bytes as a mark of a used directive.
pub(crate) fn used(payload: &[u8]) {
    let _ = used::decoded(payload);
}

/// Bytes as a stored value, as they are and with the checksum that lets them in.
pub(crate) fn value(bytes: &[u8]) {
    const KEY: &[u8] = b"hAB1234";
    let let_in = entry::with_checksum(KEY, bytes);
    for sealed in [bytes, &let_in] {
        let _ = entry::open::<DirectiveEntry>(KEY, sealed);
        let _ = entry::open::<RegistrationMark>(KEY, sealed);
        let _ = entry::open::<Meta>(KEY, sealed);
    }
}
