//! Lane clips: a truck drives up the lane, stops at the line, and leaves, as the lane's camera sees it, with the
//! truth about every frame beside the film.

mod encode;
mod film;
mod lane;
mod light;
mod track;
mod truck;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clearance::mark::{MarkError, RegistrationMark};

pub use film::{Reel, render_reel};
pub use light::Condition;
pub use track::{FrameLabel, PlateLabel, read_track};

/// How the Hong Kong plate is laid out and where it hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mounting {
    /// One row, directly above the mainland plate.
    Stacked,
    /// Two rows, directly above the mainland plate.
    StackedTwoRows,
    /// One row, away from the mainland plate.
    Separate,
    /// Two rows, away from the mainland plate.
    SeparateTwoRows,
}

/// A plate that mud makes unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muddy {
    /// The Hong Kong plate.
    HongKong,
    /// The mainland plate.
    Mainland,
}

/// One truck's drive through the lane.
#[derive(Clone, Debug)]
pub struct ClipSpec {
    /// The Hong Kong mark on the truck, if it carries one.
    pub mark: Option<RegistrationMark>,
    /// The mainland mark on the truck, if it carries one.
    pub mainland_mark: Option<RegistrationMark>,
    /// How the plates hang.
    pub mounting: Mounting,
    /// A plate that cannot be read.
    pub muddy: Option<Muddy>,
    /// Light and weather.
    pub condition: Condition,
    /// Length in seconds; the truck stands at the line for about two of them.
    pub seconds: f32,
    /// Frames in a second.
    pub fps: u32,
    /// Width of the picture in pixels, even.
    pub width: usize,
    /// Height of the picture in pixels, even.
    pub height: usize,
    /// Seed for the truck's looks.
    pub seed: u64,
}

impl Default for ClipSpec {
    fn default() -> Self {
        Self {
            mark: None,
            mainland_mark: None,
            mounting: Mounting::Stacked,
            muddy: None,
            condition: Condition::Day,
            seconds: 8.0,
            fps: 25,
            width: 1280,
            height: 720,
            seed: 1,
        }
    }
}

/// A clip on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// The film (MP4, H.264).
    pub film: PathBuf,
    /// The label track: one JSON line a frame, see [`FrameLabel`].
    pub labels: PathBuf,
    /// Number of frames.
    pub frames: usize,
}

/// Why a clip could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// A mark is none.
    #[error("{text:?} cannot stand on a plate: {cause}")]
    Mark {
        /// What was given.
        text: String,
        /// Why not.
        cause: MarkError,
    },
    /// A name that is not known.
    #[error("{what} {name:?} is not known; one of: {known}")]
    Name {
        /// What was to be named.
        what: &'static str,
        /// The name.
        name: String,
        /// The known names.
        known: String,
    },
    /// A number that cannot be used.
    #[error("{what} is {value}: it must be {needed}")]
    Range {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is possible.
        needed: &'static str,
    },
    /// The plates of a queue's clips do not fit into one film.
    #[error("clip {index} has another size or frame rate than the first: give all clips of a queue the same")]
    Mixed {
        /// Number of the clip, from 0.
        index: usize,
    },
    /// A file could not be written or read.
    #[error("cannot use {path}: {cause}; check that its folder exists, is writable and has room")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The encoder failed.
    #[error("cannot encode the film: {0}; the GStreamer plugins x264enc, h264parse and mp4mux are needed")]
    Encode(String),
}

impl ClipSpec {
    /// Refuses what cannot be rendered.
    pub fn check(&self) -> Result<(), ClipError> {
        let range = |what, value: String, needed| Err(ClipError::Range { what, value, needed });
        if !(3.0..=600.0).contains(&self.seconds) {
            return range("the length in seconds", self.seconds.to_string(), "between 3 and 600");
        }
        if !(1..=60).contains(&self.fps) {
            return range("the frame rate", self.fps.to_string(), "between 1 and 60");
        }
        for (what, value) in [("the width", self.width), ("the height", self.height)] {
            if value % 2 != 0 || !(160..=3840).contains(&value) {
                return range(what, value.to_string(), "even and between 160 and 3840");
            }
        }
        Ok(())
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        (self.seconds * self.fps as f32).round() as usize
    }
}

/// Parses a mark, naming it when it is none.
pub fn mark(text: &str) -> Result<RegistrationMark, ClipError> {
    text.parse().map_err(|cause| ClipError::Mark { text: text.to_owned(), cause })
}

impl FromStr for Mounting {
    type Err = ClipError;

    fn from_str(name: &str) -> Result<Self, ClipError> {
        Ok(match name {
            "stacked" => Self::Stacked,
            "stacked-two-rows" => Self::StackedTwoRows,
            "separate" => Self::Separate,
            "separate-two-rows" => Self::SeparateTwoRows,
            _ => {
                return Err(ClipError::Name {
                    what: "the mounting",
                    name: name.to_owned(),
                    known: "stacked, stacked-two-rows, separate, separate-two-rows".to_owned(),
                });
            }
        })
    }
}

/// Named drives for tests and demonstrations.
pub const SCENARIOS: [&str; 6] =
    ["stacked", "separate", "two-rows", "hong-kong-only", "inconsistent", "muddy"];

/// The drive of a name from [`SCENARIOS`].
pub fn scenario(name: &str) -> Result<ClipSpec, ClipError> {
    let usual = ClipSpec {
        mark: Some(mark("LX8274")?),
        mainland_mark: Some(mark("粤ZK307港")?),
        ..ClipSpec::default()
    };
    Ok(match name {
        "stacked" => usual,
        "separate" => ClipSpec { mounting: Mounting::Separate, seed: 2, ..usual },
        "two-rows" => ClipSpec { mounting: Mounting::StackedTwoRows, seed: 3, ..usual },
        "hong-kong-only" => ClipSpec { mainland_mark: None, seed: 4, ..usual },
        "inconsistent" => ClipSpec { mainland_mark: Some(mark("粤Z91C6澳")?), seed: 5, ..usual },
        "muddy" => ClipSpec { muddy: Some(Muddy::Mainland), seed: 6, ..usual },
        _ => {
            let known = SCENARIOS.join(", ");
            return Err(ClipError::Name { what: "the scenario", name: name.to_owned(), known });
        }
    })
}

/// Renders one drive into an MP4 file at `path`, with the label track `PATH-without-extension.labels.jsonl`
/// beside it.
pub fn render_clip(spec: &ClipSpec, path: &Path) -> Result<Clip, ClipError> {
    spec.check()?;
    render_reel(&Reel { drives: std::slice::from_ref(spec), gap: 0.0 }, path)
}

fn file_error(path: &Path, cause: impl std::fmt::Display) -> ClipError {
    ClipError::File { path: path.to_owned(), cause: cause.to_string() }
}
