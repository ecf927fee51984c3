//! What a camera saw and what a reader made of it, from one plate in one frame to one passage.
//!
//! A read keeps its whole distribution: fusing frames, ranking candidates for an officer and refusing what is
//! ambiguous all need more than the best string.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::geometry::Quad;
use crate::ids::PassageId;
use crate::mark::{ALPHABET, CLASSES, Jurisdiction, MAX_CHARACTERS, RegistrationMark};

/// How a plate is laid out, as the detector tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum PlateLayout {
    /// Dark lettering on a light ground, one row.
    #[n(0)]
    SingleRow,
    /// Dark lettering on a light ground, two rows.
    #[n(1)]
    DoubleRow,
    /// The dark mainland plate of cross-boundary vehicles.
    #[n(2)]
    CrossBoundary,
}

impl PlateLayout {
    /// Every layout, in the order of the models' classes.
    pub const ALL: [Self; 3] = [Self::SingleRow, Self::DoubleRow, Self::CrossBoundary];
}

/// A plate found in one frame, not yet read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateSighting {
    /// Its corners in pixels of the frame.
    pub corners: Quad,
    /// How sure the detector is that it is a plate, 0 to 1.
    pub score: f32,
    /// How it is laid out.
    pub layout: PlateLayout,
}

/// Probabilities of the classes at one position: class 0 is "no character", class `i + 1` is
/// [`ALPHABET`]`[i]`. They sum to 1.
pub type CharacterDistribution = [f32; CLASSES];

/// One plate read in one frame: a distribution for each of [`MAX_CHARACTERS`] positions.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateRead {
    /// Where it was.
    pub sighting: PlateSighting,
    /// One distribution for each position, in reading order.
    pub characters: [CharacterDistribution; MAX_CHARACTERS],
}

impl PlateRead {
    /// The most likely text and its probability: the product over all positions, "no character" included.
    pub fn best(&self) -> (String, f32) {
        best_of(&self.characters)
    }
}

/// The most likely text of a row of distributions and its probability, the positions taken as independent.
pub fn best_of(characters: &[CharacterDistribution]) -> (String, f32) {
    let mut text = String::new();
    let mut probability = 1.0;
    for position in characters {
        let (class, p) = position
            .iter()
            .copied()
            .enumerate()
            .fold((0, f32::MIN), |best, (i, p)| if p > best.1 { (i, p) } else { best });
        probability *= p;
        if let Some(c) = class.checked_sub(1).and_then(|i| ALPHABET.get(i)) {
            text.push(*c);
        }
    }
    (text, probability.clamp(0.0, 1.0))
}

/// One reading of a plate and how likely it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct Candidate {
    /// The mark.
    #[n(0)]
    pub mark: RegistrationMark,
    /// Its probability, 0 to 1.
    #[n(1)]
    pub probability: f32,
}

/// How far a plate's read can be relied upon; the thresholds are the model bundle's, from its calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Certainty {
    /// The first candidate is the mark.
    #[n(0)]
    Certain,
    /// Something was read, but it could be another mark.
    #[n(1)]
    Ambiguous,
    /// A plate was seen and could not be read.
    #[n(2)]
    Absent,
}

/// One plate of a passage, read over all its frames.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedPlate {
    /// How far to rely on it.
    pub certainty: Certainty,
    /// Likeliest first; empty only when nothing could be read.
    pub candidates: Vec<Candidate>,
    /// How it is laid out.
    pub layout: PlateLayout,
    /// Corners in the frame whose crop is kept as evidence.
    pub corners: Quad,
    /// Frames that were fused.
    pub frames: u32,
}

impl FusedPlate {
    /// The mark, if it is certain.
    pub fn certain_mark(&self) -> Option<&RegistrationMark> {
        match self.certainty {
            Certainty::Certain => self.candidates.first().map(|c| &c.mark),
            Certainty::Ambiguous | Certainty::Absent => None,
        }
    }

    /// Whether it is a mainland cross-boundary plate: by its text when it has one, else by its layout.
    pub fn is_mainland(&self) -> bool {
        match self.candidates.first().map(|c| c.mark.jurisdiction()) {
            Some(Jurisdiction::Other) | None => self.layout == PlateLayout::CrossBoundary,
            Some(jurisdiction) => jurisdiction.is_mainland(),
        }
    }

    /// Whether `mark` is among the candidates.
    pub fn could_be(&self, mark: &RegistrationMark) -> bool {
        self.candidates.iter().any(|c| c.mark == *mark)
    }
}

/// Everything read of one vehicle in one passage.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedRead {
    /// Which passage.
    pub passage: PassageId,
    /// Its plates, at most a few.
    pub plates: Vec<FusedPlate>,
}
