//! A queue of trucks in one film, for demonstrations and end-to-end tests.

use std::path::Path;

use crate::clip::{Clip, ClipError, ClipSpec, Reel, render_reel};

/// Seconds of empty lane before, between and after trucks.
pub const GAP: f32 = 1.5;

/// Renders the drives one after the other into one MP4 file at `path`, with its label track beside it. All must
/// have the same size and frame rate; the lane's looks follow from the first drive's seed.
pub fn render_queue(drives: &[ClipSpec], path: &Path) -> Result<Clip, ClipError> {
    render_reel(&Reel { drives, gap: GAP }, path)
}
