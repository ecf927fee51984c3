//! Whether a camera is in focus and its shutter short enough, from one picture of a lane or a plate.

use opencv::core::{CV_64F, Mat, mean_std_dev_def};
use opencv::imgproc;
use opencv::prelude::*;
use serde::Serialize;

use crate::CalibrationError;

/// Focus below which plates blur (variance of the Laplacian on a plate-sized area; measured on rendered plates:
/// sharp ones lie above 300, ones blurred by 2 px below 100).
pub const LEAST_FOCUS: f64 = 100.0;

/// Ratio of gradient energies above which the blur has a direction: the vehicle moved while the shutter was open.
pub const MOST_ANISOTROPY: f64 = 4.0;

/// How sharp a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sharpness {
    /// Variance of the Laplacian (Pech-Pacheco et al., 2000).
    pub focus: f64,
    /// Energy of the stronger gradient over that of the weaker, at least 1.
    pub anisotropy: f64,
    /// What to do about it.
    pub verdict: Verdict,
}

/// What a picture's sharpness says about the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fine.
    Sharp,
    /// Turn the focus ring.
    OutOfFocus,
    /// Shorten the shutter or add light.
    MotionBlur,
}

/// Measure a grey picture.
pub fn measure(grey: &Mat) -> Result<Sharpness, CalibrationError> {
    let mut laplacian = Mat::default();
    imgproc::laplacian_def(grey, &mut laplacian, CV_64F)?;
    let focus = variance(&laplacian)?;
    let energy = |dx, dy| -> Result<f64, CalibrationError> {
        let mut gradient = Mat::default();
        imgproc::sobel_def(grey, &mut gradient, CV_64F, dx, dy)?;
        variance(&gradient)
    };
    let (x, y) = (energy(1, 0)?, energy(0, 1)?);
    let anisotropy = if x.min(y) > 0.0 { x.max(y) / x.min(y) } else { 1.0 };
    let verdict = match () {
        () if anisotropy > MOST_ANISOTROPY => Verdict::MotionBlur,
        () if focus < LEAST_FOCUS => Verdict::OutOfFocus,
        () => Verdict::Sharp,
    };
    Ok(Sharpness { focus, anisotropy, verdict })
}

fn variance(picture: &Mat) -> Result<f64, CalibrationError> {
    let (mut mean, mut deviation) = (Mat::default(), Mat::default());
    mean_std_dev_def(picture, &mut mean, &mut deviation)?;
    Ok(deviation.at::<f64>(0)?.powi(2))
}

#[cfg(test)]
mod tests {
    use opencv::core::{Point, Size};

    use super::*;
    use crate::board::Board;

    fn lettering() -> Mat {
        Board::Charuco { columns: 8, rows: 6, square_mm: 30.0, marker_mm: 22.0 }.draw(40).unwrap()
    }

    #[test]
    fn a_crisp_picture_is_sharp_and_a_blurred_one_is_not() {
        let crisp = lettering();
        assert_eq!(measure(&crisp).unwrap().verdict, Verdict::Sharp);
        let mut soft = Mat::default();
        imgproc::gaussian_blur_def(&crisp, &mut soft, Size::new(31, 31), 8.0).unwrap();
        assert_eq!(measure(&soft).unwrap().verdict, Verdict::OutOfFocus);
    }

    #[test]
    fn a_smear_in_one_direction_is_motion() {
        let mut smeared = Mat::default();
        let middle = Point::new(-1, -1);
        let border = opencv::core::BORDER_REPLICATE;
        imgproc::box_filter(&lettering(), &mut smeared, -1, Size::new(25, 1), middle, true, border).unwrap();
        assert_eq!(measure(&smeared).unwrap().verdict, Verdict::MotionBlur);
    }
}
