//! Which split an example belongs to: by its vehicle, so that no vehicle is in two splits, and by a keyed hash, so
//! that a larger export keeps every vehicle where it was.

use clearance::example::LabelledExample;
use clearance::ids::Digest;
use serde::Serialize;

/// Part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// 80% of the vehicles.
    Train,
    /// 10%.
    Valid,
    /// 10%.
    Test,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Its folder name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

/// What stands for the vehicle: its Hong Kong mark, else the mark read here, else the passage.
pub(crate) fn vehicle_key(example: &LabelledExample) -> String {
    match example.vehicle.as_ref().or(example.mark.as_ref()) {
        Some(mark) => mark.as_str().to_owned(),
        None => example.passage.to_string(),
    }
}

/// The split of a vehicle.
pub(crate) fn of(vehicle: &str, seed: u64) -> Split {
    let Digest(hash) = Digest::of(format!("{seed}/{vehicle}").as_bytes());
    match u16::from_be_bytes([hash[0], hash[1]]) % 10 {
        0 => Split::Test,
        1 => Split::Valid,
        _ => Split::Train,
    }
}
