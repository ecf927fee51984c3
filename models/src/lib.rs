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
mod refiner;
pub mod runtime;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use bundle::{Bundle, BundleError, Thresholds};
pub use candidates::candidates;
use clearance::picture::LumaView;
use clearance::read::{PlateLayout, PlateRead, PlateSighting};
pub use runtime::RuntimeError;

/// The bundle used where none is named: 8-bit networks, for lanes.
pub const DEFAULT_BUNDLE: &str = "lane-v2";

/// The same networks in 32-bit floating point: what they lose in 8 bits is measured against this, and training goes on from
/// it.
pub const EXACT_BUNDLE: &str = "lane-v2-fp32";

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
    /// Time to find them and to refine their corners.
    pub detect: Duration,
    /// Time to read them all.
    pub read: Duration,
}

/// Finds and reads plates. Owns its networks; one thread uses it.
pub struct Recogniser {
    detector: detector::Detector,
    refiner: Option<refiner::Refiner>,
    reader: reader::Reader,
}

impl Recogniser {
    /// Load a bundle's networks; each has proved its golden values when this returns.
    pub fn new(bundle: &Bundle) -> Result<Self, RecogniseError> {
        Ok(Self {
            detector: detector::Detector::load(bundle)?,
            refiner: refiner::Refiner::load(bundle)?,
            reader: reader::Reader::load(bundle)?,
        })
    }

    /// The plates in a picture, surest first, their corners refined.
    pub fn sight(&mut self, picture: LumaView<'_>) -> Result<Vec<PlateSighting>, RecogniseError> {
        let mut plates = self.detector.sight(picture)?;
        if let Some(refiner) = &mut self.refiner {
            for plate in &mut plates {
                plate.corners = refiner.refine(picture, &plate.corners)?;
            }
        }
        Ok(detector::without_pieces(plates))
    }

    /// Read one plate.
    pub fn read(
        &mut self,
        picture: LumaView<'_>,
        plate: &PlateSighting,
    ) -> Result<PlateRead, RecogniseError> {
        self.reader.read(picture, plate)
    }

    /// A plate that is hardly read, read once more at corners refined a second time: the rim of the recess that it hangs in, or
    /// of a dealer's frame, was taken for its own, and the refiner moves corners by a part of what it is shown. The likelier of
    /// both reads stays.
    fn read_closer(&mut self, picture: LumaView<'_>, first: PlateRead) -> Result<PlateRead, RecogniseError> {
        let Some(refiner) = self.refiner.as_mut().filter(|_| is_hardly_read(&first)) else {
            return Ok(first);
        };
        let corners = refiner.refine(picture, &first.sighting.corners)?;
        let second = self.read(picture, &PlateSighting { corners, ..first.sighting })?;
        Ok(if second.best().1 > first.best().1 { second } else { first })
    }

    /// Find and read all plates. What the detector is not sure of stays only when there is something to read on it: lettering
    /// on a cab and the stripes of a bumper look like plates until somebody tries to read them. A plate that the detector
    /// is sure of stays, read or not: that it cannot be read is what an officer must know.
    pub fn recognise(&mut self, picture: LumaView<'_>) -> Result<Recognition, RecogniseError> {
        let start = Instant::now();
        let sightings = self.sight(picture)?;
        let detect = start.elapsed();
        let start = Instant::now();
        let mut plates = sightings.iter().map(|s| self.read(picture, s)).collect::<Result<Vec<_>, _>>()?;
        let (sure, half) = (self.detector.sure_score(), self.detector.half_sure_score());
        plates.retain(|plate| plate.sighting.score >= sure || says_plate(plate, half));
        let plates = plates
            .into_iter()
            .map(|first| self.read_closer(picture, first))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Recognition { plates, detect, read: start.elapsed() })
    }
}

/// Below this probability of its text a plate is hardly read (choice).
const HARDLY_READ: f32 = 0.5;

/// Whether the corners of a plate are worth another look: it is hardly read, and a light one of one row, as in the recesses
/// and the dealers' frames of other places. The border's plates hang free and have a rim of their own: dark ones lose by a
/// second look (measured: 4 of 123), those of two rows gain nothing.
fn is_hardly_read(plate: &PlateRead) -> bool {
    plate.sighting.layout == PlateLayout::SingleRow && plate.best().1 < HARDLY_READ
}

/// Fewest characters that confirm an unsure sighting, and least probability of their text (choice): a bar or a bolt alone is
/// read as one character often enough, and the oval of a country has two.
const CONFIRMING: (usize, f32) = (3, 0.1);

/// Whether what is read there says that an unsure sighting is a plate. A dark plate bears a Chinese character; light
/// lettering on a dark ground that bears none is a badge, a road sign or the time that the camera writes into the picture,
/// unless the detector was at least half sure and took a light plate for a dark one.
fn says_plate(plate: &PlateRead, half_sure: f32) -> bool {
    let (text, probability) = plate.best();
    let fits = plate.sighting.layout != PlateLayout::CrossBoundary || !text.is_ascii();
    text.chars().count() >= CONFIRMING.0
        && probability >= CONFIRMING.1
        && (fits || plate.sighting.score >= half_sure)
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

#[cfg(test)]
mod tests {
    use clearance::geometry::Quad;
    use clearance::mark::{ALPHABET, CLASSES, MAX_CHARACTERS};

    use super::*;

    fn read(text: &str, p: f32, layout: PlateLayout) -> PlateRead {
        let sighting = PlateSighting { corners: Quad::rectangle(0.0, 0.0, 120.0, 30.0), score: 0.3, layout };
        let mut said = text.chars();
        let characters: [_; MAX_CHARACTERS] = std::array::from_fn(|_| {
            let class = said.next().map_or(0, |c| 1 + ALPHABET.iter().position(|a| *a == c).unwrap());
            let mut position = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
            position[class] = p;
            position
        });
        PlateRead { sighting, characters }
    }

    #[test]
    fn only_a_light_plate_of_one_row_that_is_hardly_read_is_looked_at_again() {
        use PlateLayout::{CrossBoundary, DoubleRow, SingleRow};
        let again = |text, p, layout| is_hardly_read(&read(text, p, layout));
        assert!(again("AB1234", 0.9, SingleRow), "0.9 in each of ten places is 0.35");
        assert!(!again("AB1234", 0.9, DoubleRow));
        assert!(!again("AB1234", 0.99, SingleRow));
        assert!(!again("粤Z1234港", 0.5, CrossBoundary));
    }

    #[test]
    fn an_unsure_sighting_is_confirmed_by_what_a_plate_of_its_kind_says() {
        use PlateLayout::{CrossBoundary, DoubleRow, SingleRow};
        let says = |text, p, layout| says_plate(&read(text, p, layout), 0.4);
        assert!(says("AB1234", 0.99, SingleRow));
        assert!(says("AB1", 0.99, DoubleRow));
        assert!(says("粤Z1234港", 0.99, CrossBoundary));
        assert!(says("Z1234港", 0.99, CrossBoundary), "one of its Chinese characters is enough");
        assert!(!says("NORTH", 0.99, CrossBoundary), "a road sign");
        assert!(says_plate(&read("NW8881", 0.99, CrossBoundary), 0.2), "a light plate taken for a dark one");
        assert!(!says("SK", 0.99, DoubleRow), "the oval of a country");
        assert!(!says("AB1234", 0.7, SingleRow), "hardly read");
    }
}
