//! The truth about a clip: one JSON line a frame.

use std::io::{BufRead, BufReader};
use std::path::Path;

use clearance::geometry::Quad;
use clearance::mark::Jurisdiction;
use serde::{Deserialize, Serialize};

use super::{ClipError, file_error};

/// A plate seen whole in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateLabel {
    /// What stands on it, in its one canonical spelling.
    pub mark: String,
    /// Whose form the mark has.
    pub jurisdiction: Jurisdiction,
    /// The visible part's corners in pixels, clockwise from the upper left.
    pub corners: Quad,
}

/// The truth about one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameLabel {
    /// Number of the frame, from 0.
    pub frame: usize,
    /// Its time from the start of the film, in milliseconds.
    pub time_ms: u64,
    /// Whether any part of a vehicle is in the picture.
    pub vehicle: bool,
    /// Which drive of a queue the vehicle belongs to, from 0; absent when the lane is empty.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drive: Option<usize>,
    /// The plates seen whole; what mud hides is listed all the same.
    pub plates: Vec<PlateLabel>,
}

/// Reads a label track.
pub fn read_track(path: &Path) -> Result<Vec<FrameLabel>, ClipError> {
    let file = std::fs::File::open(path).map_err(|e| file_error(path, e))?;
    BufReader::new(file)
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let line = line.map_err(|e| file_error(path, e))?;
            serde_json::from_str(&line).map_err(|e| file_error(path, format!("line {}: {e}", i + 1)))
        })
        .collect()
}
