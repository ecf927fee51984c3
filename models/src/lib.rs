//! Finding and reading registration plates with ONNX networks.
//!
//! A [`Bundle`] is a checked folder of networks; a [`Recogniser`] owns them on one thread. Pictures come in as luma,
//! reads go out with their whole distributions: what they are worth is decided elsewhere.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod bundle;
mod candidates;
mod detector;
mod letterbox;
mod network;
mod reader;
mod runtime;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use bundle::{Bundle, BundleError, Thresholds};
pub use candidates::candidates;
use clearance::picture::LumaView;
use clearance::read::{PlateRead, PlateSighting};
pub use runtime::RuntimeError;

/// The bundle used where none is named.
pub const DEFAULT_BUNDLE: &str = "lane-v1";

/// Why a picture could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum RecogniseError {
    /// ONNX Runtime is not there.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A network cannot be loaded or run.
    #[error("network {file}: {why}; export the bundle again")]
    Network {
        /// Its file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A network does not compute here what it computed where it was exported.
    #[error(
        "network {file} gives other values for the golden input than when it was exported; it is not used"
    )]
    Golden {
        /// Its file.
        file: String,
    },
    /// A picture could not be scaled.
    #[error("the picture cannot be scaled: {0}")]
    Resize(String),
}

/// What was found in one picture, and how long it took.
#[derive(Clone, Debug)]
pub struct Recognition {
    /// The plates, surest sighting first.
    pub plates: Vec<PlateRead>,
    /// Time to find them.
    pub detect: Duration,
    /// Time to read them all.
    pub read: Duration,
}

/// Finds and reads plates. Owns its networks; one thread uses it.
pub struct Recogniser {
    detector: detector::Detector,
    reader: reader::Reader,
}

impl Recogniser {
    /// Load a bundle's networks; each has proved its golden values when this returns.
    pub fn new(bundle: &Bundle) -> Result<Self, RecogniseError> {
        Ok(Self { detector: detector::Detector::load(bundle)?, reader: reader::Reader::load(bundle)? })
    }

    /// The plates in a picture, surest first.
    pub fn sight(&mut self, picture: LumaView<'_>) -> Result<Vec<PlateSighting>, RecogniseError> {
        self.detector.sight(picture)
    }

    /// Read one plate.
    pub fn read(
        &mut self,
        picture: LumaView<'_>,
        plate: &PlateSighting,
    ) -> Result<PlateRead, RecogniseError> {
        self.reader.read(picture, plate)
    }

    /// Find and read all plates.
    pub fn recognise(&mut self, picture: LumaView<'_>) -> Result<Recognition, RecogniseError> {
        let start = Instant::now();
        let sightings = self.sight(picture)?;
        let detect = start.elapsed();
        let start = Instant::now();
        let plates = sightings.iter().map(|s| self.read(picture, s)).collect::<Result<_, _>>()?;
        Ok(Recognition { plates, detect, read: start.elapsed() })
    }
}

/// The folder that holds bundles: `models/bundles` in this folder, the program's, or one above them; else
/// `/usr/share/clearlane/models`.
pub fn bundles_folder() -> PathBuf {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join("models/bundles"))
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| Path::new("/usr/share/clearlane/models").to_owned())
}
