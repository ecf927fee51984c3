//! The lane's ground plane: from pixels to metres, so that a stop line, a presence zone and a speed mean something.

use opencv::calib3d;
use opencv::core::{Mat, Point2f, Vector};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use crate::CalibrationError;

/// A point of the ground as measured in the lane and as clicked in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundPoint {
    /// x, y in pixels.
    pub pixel: [f32; 2],
    /// Across and along the lane, metres.
    pub metres: [f32; 2],
}

/// Map from the picture to the ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneGeometry {
    /// Row by row.
    pub homography: [f64; 9],
    /// Largest distance between a measured point and where the map puts it, metres.
    pub worst_m: f64,
}

impl LaneGeometry {
    /// Fit to at least four points, robust against one bad click when there are more (RANSAC, 5 cm).
    pub fn fit(points: &[GroundPoint]) -> Result<Self, CalibrationError> {
        if points.len() < 4 {
            return Err(CalibrationError::Degenerate);
        }
        let from: Vector<Point2f> = points.iter().map(|p| Point2f::new(p.pixel[0], p.pixel[1])).collect();
        let to: Vector<Point2f> = points.iter().map(|p| Point2f::new(p.metres[0], p.metres[1])).collect();
        let method = if points.len() > 4 { calib3d::RANSAC } else { 0 };
        let found = calib3d::find_homography(&from, &to, &mut Mat::default(), method, 0.05)?;
        if found.empty() {
            return Err(CalibrationError::Degenerate);
        }
        let mut homography = [0.0; 9];
        for (i, cell) in homography.iter_mut().enumerate() {
            *cell = *found.at_2d::<f64>(i as i32 / 3, i as i32 % 3)?;
        }
        if !homography.iter().all(|v| v.is_finite()) {
            return Err(CalibrationError::Degenerate);
        }
        let mut geometry = Self { homography, worst_m: 0.0 };
        geometry.worst_m = points
            .iter()
            .map(|p| {
                let [x, y] = geometry.metres(p.pixel);
                (x - f64::from(p.metres[0])).hypot(y - f64::from(p.metres[1]))
            })
            .fold(0.0, f64::max);
        Ok(geometry)
    }

    /// Where on the ground a pixel lies, metres.
    pub fn metres(&self, [x, y]: [f32; 2]) -> [f64; 2] {
        let h = &self.homography;
        let (x, y) = (f64::from(x), f64::from(y));
        let w = h[6] * x + h[7] * y + h[8];
        [(h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Vec<GroundPoint> {
        [
            ([100.0, 100.0], [0.0, 0.0]),
            ([500.0, 100.0], [3.5, 0.0]),
            ([600.0, 400.0], [3.5, 10.0]),
            ([0.0, 400.0], [0.0, 10.0]),
        ]
        .map(|(pixel, metres)| GroundPoint { pixel, metres })
        .to_vec()
    }

    #[test]
    fn measured_points_come_back() {
        let lane = LaneGeometry::fit(&square()).unwrap();
        assert!(lane.worst_m < 1e-3, "{}", lane.worst_m);
    }

    #[test]
    fn one_bad_click_among_many_does_not_bend_the_lane() {
        let true_lane = LaneGeometry::fit(&square()).unwrap();
        let mut points = square();
        for pixel in [[200.0, 200.0], [300.0, 300.0], [400.0, 250.0], [250.0, 380.0]] {
            points.push(GroundPoint { pixel, metres: true_lane.metres(pixel).map(|m| m as f32) });
        }
        points[7].metres[0] += 2.0;
        let lane = LaneGeometry::fit(&points).unwrap();
        let [x, y] = lane.metres([300.0, 300.0]);
        let [want_x, want_y] = true_lane.metres([300.0, 300.0]);
        assert!((x - want_x).hypot(y - want_y) < 0.02);
        assert!(lane.worst_m > 1.0, "and the bad click is reported");
    }

    #[test]
    fn points_on_a_line_are_refused() {
        let line: Vec<_> = (0..5)
            .map(|i| GroundPoint { pixel: [i as f32 * 10.0, i as f32 * 10.0], metres: [i as f32, i as f32] })
            .collect();
        assert!(LaneGeometry::fit(&line).is_err());
        assert!(LaneGeometry::fit(&line[..3]).is_err());
    }
}
