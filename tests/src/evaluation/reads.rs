//! What a reader made of a picture, in the same form for the product and for its peers.

use std::collections::HashMap;
use std::path::Path;

use clearance::geometry::Quad;
use clearance::mark::Jurisdiction;
use clearance::read::{Candidate, PlateLayout, PlateRead};
use serde::Deserialize;

/// One plate as a reader gives it.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The likeliest mark; empty when a plate was found and nothing could be read.
    pub mark: String,
    /// The reader's confidence, 0 to 1.
    pub confidence: f32,
    /// Its corners in pixels of the picture.
    pub corners: Quad,
    /// The whole distribution, where the reader is ours.
    pub read: Option<PlateRead>,
}

impl From<PlateRead> for Detection {
    fn from(read: PlateRead) -> Self {
        // As `edge read` prints it.
        let best = models::candidates(&read.characters, 1).into_iter().next();
        Self {
            mark: best.as_ref().map(|c| c.mark.to_string()).unwrap_or_default(),
            confidence: best.map_or(0.0, |c| c.probability),
            corners: read.sighting.corners,
            read: Some(read),
        }
    }
}

impl Detection {
    /// Up to `n` marks it could be, likeliest first; none where the reader gives only its best.
    pub fn candidates(&self, n: usize) -> Vec<Candidate> {
        self.read.as_ref().map(|read| models::candidates(&read.characters, n)).unwrap_or_default()
    }

    /// Whether it is taken for a mainland plate: by the form of its text when that has one, else by its layout, as the
    /// lane does it.
    pub fn is_mainland(&self) -> bool {
        match self.candidates(1).first().map(|c| c.mark.jurisdiction()) {
            Some(Jurisdiction::Other) | None => {
                self.read.as_ref().is_some_and(|r| r.sighting.layout == PlateLayout::CrossBoundary)
            }
            Some(jurisdiction) => jurisdiction.is_mainland(),
        }
    }
}

/// How long a picture took, in milliseconds on one thread, decoding the file not included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// To find the plates; zero where a reader does not tell.
    pub detect: f64,
    /// To read them.
    pub read: f64,
    /// Both.
    pub total: f64,
}

/// The plates of one picture.
#[derive(Clone, Debug, Default)]
pub struct PictureReads {
    /// In the reader's order.
    pub plates: Vec<Detection>,
    /// How long they took.
    pub times: Times,
}

/// By file name of the picture. A picture that is not there was not read.
pub type Reads = HashMap<String, PictureReads>;

#[derive(Deserialize)]
struct Line {
    image: String,
    ms: f64,
    plates: Vec<PlateLine>,
}

#[derive(Deserialize)]
struct PlateLine {
    mark: String,
    confidence: f32,
    corners: Quad,
}

/// One JSON line as `edge read` and the peers print it: the picture's file name and its reads.
pub fn from_line(line: &str) -> serde_json::Result<(String, PictureReads)> {
    let line: Line = serde_json::from_str(line)?;
    let name = Path::new(&line.image).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plate =
        |p: PlateLine| Detection { mark: p.mark, confidence: p.confidence, corners: p.corners, read: None };
    let times = Times { total: line.ms, ..Times::default() };
    Ok((name, PictureReads { plates: line.plates.into_iter().map(plate).collect(), times }))
}
