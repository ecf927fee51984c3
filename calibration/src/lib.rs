//! How a lane's cameras are set up, and how far its reads can be relied upon.
//!
//! Two ideas under one roof because the same engineer does both when a lane is installed: the geometry of the
//! camera (OpenCV: lens, lane plane, plate size, focus, motion blur) and the calibration of confidence
//! (reliability curve, threshold for a stated risk of misreading).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod board;
pub mod confidence;
pub mod intrinsics;
pub mod lane;
pub mod sharpness;

/// Why a camera could not be calibrated.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// A picture cannot be opened.
    #[error("{path}: not a picture OpenCV can read; use JPEG or PNG")]
    Picture {
        /// Its path.
        path: String,
    },
    /// Pictures of one camera differ in size.
    #[error(
        "{path} is {found_width}x{found_height}, the first picture is {width}x{height}: use one camera at one resolution"
    )]
    Size {
        /// The picture.
        path: String,
        /// Width of the first, pixels.
        width: i32,
        /// Height of the first, pixels.
        height: i32,
        /// Width of this, pixels.
        found_width: i32,
        /// Height of this, pixels.
        found_height: i32,
    },
    /// Too few views in which the board was found.
    #[error(
        "the board was found in {found} of {given} pictures, {needed} are needed: show it whole, flat and sharp, at different tilts"
    )]
    TooFewViews {
        /// Pictures with the board.
        found: usize,
        /// Pictures given.
        given: usize,
        /// Pictures needed.
        needed: usize,
    },
    /// The points do not span a plane.
    #[error("the points span no plane: give at least four, no three of them on a line")]
    Degenerate,
    /// A parameter makes no sense.
    #[error("{0}")]
    Parameter(String),
    /// OpenCV itself failed.
    #[error("OpenCV: {0}")]
    OpenCv(#[from] opencv::Error),
}
