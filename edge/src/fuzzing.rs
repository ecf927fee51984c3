//! Decoders that are not public, for the fuzz targets in `tests/fuzz`: bytes in, nothing out, and no panic.

use clearance::finding::Report;

use crate::gate::GateConfig;
use crate::outbox::check::{Journal, wrong_with};
use crate::{config, directives, outbox};

/// A segment of the outbox: frames, entries and how they hang together.
pub fn segment(bytes: &[u8]) {
    Journal::default().segment("segment", bytes, None, &mut Report::default());
}

/// Payload of one frame of the outbox, or of the marks of used directives.
pub fn framed(payload: &[u8]) {
    segment(&outbox::frame::frame(payload));
    directives::fuzzing::used(payload);
}

/// The floor file.
pub fn floor(bytes: &[u8]) {
    directives::fuzzing::floor(bytes);
}

/// A value of the cache under a key; with its checksum, so that the decoder is reached.
pub fn cache_value(bytes: &[u8]) {
    directives::fuzzing::value(bytes);
}

/// A picture and the name of its file.
pub fn picture(bytes: &[u8]) {
    let (name, jpeg) = bytes.split_at(bytes.len().min(60));
    let _ = wrong_with(jpeg);
    if let Ok(name) = std::str::from_utf8(name) {
        let _ = outbox::check::picture_name(name);
    }
}

/// A configuration, checked as [`config::EdgeConfig::load`] does.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = config::EdgeConfig::parsed(text);
    if let Ok(gate) = toml::from_str::<GateConfig>(text) {
        let _ = gate.check();
    }
}

/// A payload in the frame that a segment of the outbox holds.
pub fn in_frame(payload: &[u8]) -> Vec<u8> {
    outbox::frame::frame(payload)
}
