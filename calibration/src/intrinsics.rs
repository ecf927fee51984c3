//! What the lens does: focal length, centre and distortion, from pictures of a board.

use std::path::{Path, PathBuf};

use opencv::core::{Mat, Point2f, Point3f, Vector};
use opencv::prelude::*;
use opencv::{calib3d, imgcodecs};
use serde::{Deserialize, Serialize};

use crate::CalibrationError;
use crate::board::Board;

/// Views with the board that a calibration needs: fewer fit the noise.
pub const LEAST_VIEWS: usize = 5;

/// A camera's intrinsic parameters (Brown-Conrady model, as OpenCV's `calibrateCamera` defines them).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intrinsics {
    /// Picture width, pixels.
    pub width: i32,
    /// Picture height, pixels.
    pub height: i32,
    /// Focal lengths, pixels.
    pub focal: [f64; 2],
    /// Principal point, pixels.
    pub centre: [f64; 2],
    /// k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
    /// Root mean square distance between found and predicted corners, pixels. Below 0.5 is good.
    pub rms_px: f64,
    /// Pictures used.
    pub views: Vec<PathBuf>,
    /// Pictures in which the board was not found.
    pub rejected: Vec<PathBuf>,
}

/// Calibrate from pictures of `board` taken by one camera at one resolution.
pub fn calibrate(board: &Board, pictures: &[PathBuf]) -> Result<Intrinsics, CalibrationError> {
    board.check()?;
    let mut object = Vector::<Vector<Point3f>>::new();
    let mut image = Vector::<Vector<Point2f>>::new();
    let (mut views, mut rejected) = (Vec::new(), Vec::new());
    let mut size = None;
    for path in pictures {
        let grey = load_grey(path)?;
        let found_size = grey.size()?;
        let first = *size.get_or_insert(found_size);
        if first != found_size {
            return Err(CalibrationError::Size {
                path: path.display().to_string(),
                width: first.width,
                height: first.height,
                found_width: found_size.width,
                found_height: found_size.height,
            });
        }
        match board.find(&grey)? {
            Some(view) => {
                object.push(view.object);
                image.push(view.image);
                views.push(path.clone());
            }
            None => rejected.push(path.clone()),
        }
    }
    let Some(size) = size.filter(|_| views.len() >= LEAST_VIEWS) else {
        return Err(CalibrationError::TooFewViews {
            found: views.len(),
            given: pictures.len(),
            needed: LEAST_VIEWS,
        });
    };
    let (mut camera, mut distortion) = (Mat::default(), Mat::default());
    let (mut rotations, mut shifts) = (Vector::<Mat>::new(), Vector::<Mat>::new());
    let rms_px = calib3d::calibrate_camera_def(
        &object,
        &image,
        size,
        &mut camera,
        &mut distortion,
        &mut rotations,
        &mut shifts,
    )?;
    let at = |row, column| camera.at_2d::<f64>(row, column).copied();
    let mut coefficients = [0.0; 5];
    for (i, c) in coefficients.iter_mut().enumerate() {
        *c = *distortion.at::<f64>(i as i32)?;
    }
    Ok(Intrinsics {
        width: size.width,
        height: size.height,
        focal: [at(0, 0)?, at(1, 1)?],
        centre: [at(0, 2)?, at(1, 2)?],
        distortion: coefficients,
        rms_px,
        views,
        rejected,
    })
}

impl Intrinsics {
    /// Width in pixels of something `width_mm` wide, square to the camera, `distance_m` away.
    pub fn pixels_across(&self, width_mm: f64, distance_m: f64) -> f64 {
        self.focal[0] * width_mm / (distance_m * 1000.0)
    }

    /// The farthest distance in metres at which a plate `plate_mm` wide is still `needed_px` wide.
    pub fn farthest_readable_m(&self, plate_mm: f64, needed_px: f64) -> f64 {
        self.focal[0] * plate_mm / needed_px / 1000.0
    }
}

/// A picture as grey.
pub fn load_grey(path: &Path) -> Result<Mat, CalibrationError> {
    let name = path.display().to_string();
    let grey = imgcodecs::imread(&name, imgcodecs::IMREAD_GRAYSCALE)?;
    if grey.empty() { Err(CalibrationError::Picture { path: name }) } else { Ok(grey) }
}
