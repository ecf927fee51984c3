//! Where a plate lies in a picture, and the plane-to-plane map that straightens it.
//!
//! One implementation serves the renderer (which puts plates into scenes), the recogniser (which takes them
//! out again) and calibration, so that "corner" and "clockwise from top left" mean the same everywhere.

use serde::{Deserialize, Serialize};

/// A position in a picture: pixels, x to the right, y down, (0, 0) at the outer corner of the first pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "[f32; 2]", from = "[f32; 2]")]
pub struct Point {
    /// Pixels to the right.
    pub x: f32,
    /// Pixels down.
    pub y: f32,
}

impl Point {
    /// A point from its two coordinates in pixels.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}

/// An axis-aligned box in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Left edge.
    pub x0: f32,
    /// Upper edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Lower edge.
    pub y1: f32,
}

impl Bounds {
    /// Area in square pixels; zero when the box is empty or turned inside out.
    pub fn area(&self) -> f32 {
        (self.x1 - self.x0).max(0.0) * (self.y1 - self.y0).max(0.0)
    }

    /// Intersection over union with another box, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
        .area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// The four corners of a plate, clockwise from its own top left, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// The corners of an axis-aligned rectangle.
    pub const fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self([
            Point::new(x, y),
            Point::new(x + width, y),
            Point::new(x + width, y + height),
            Point::new(x, y + height),
        ])
    }

    /// The smallest axis-aligned box around the corners.
    pub fn bounds(&self) -> Bounds {
        let [first, rest @ ..] = &self.0;
        rest.iter().fold(Bounds { x0: first.x, y0: first.y, x1: first.x, y1: first.y }, |b, p| Bounds {
            x0: b.x0.min(p.x),
            y0: b.y0.min(p.y),
            x1: b.x1.max(p.x),
            y1: b.y1.max(p.y),
        })
    }

    /// Mean of the corners.
    pub fn centre(&self) -> Point {
        let sum = self.0.iter().fold(Point::default(), |a, p| Point::new(a.x + p.x, a.y + p.y));
        Point::new(sum.x / 4.0, sum.y / 4.0)
    }

    /// Mean length of the upper and the lower edge, in pixels.
    pub fn width(&self) -> f32 {
        let [a, b, c, d] = self.0;
        f32::midpoint(distance(a, b), distance(d, c))
    }

    /// Mean length of the left and the right edge, in pixels.
    pub fn height(&self) -> f32 {
        let [a, b, c, d] = self.0;
        f32::midpoint(distance(a, d), distance(b, c))
    }

    /// Every corner moved away from the centre: 0.1 makes the quad a tenth larger each way.
    #[must_use]
    pub fn grown(&self, by: f32) -> Self {
        let c = self.centre();
        let k = 1.0 + by;
        Self(self.0.map(|p| Point::new(c.x + (p.x - c.x) * k, c.y + (p.y - c.y) * k)))
    }

    /// Every corner through `f`.
    #[must_use]
    pub fn map(&self, f: impl FnMut(Point) -> Point) -> Self {
        Self(self.0.map(f))
    }

    /// Whether the corners go round a convex area of at least one square pixel, clockwise on the screen.
    /// Anything else cannot be the picture of a flat plate.
    pub fn is_plausible(&self) -> bool {
        let p = &self.0;
        let turns = (0..4).all(|i| {
            let (a, b, c) = (p[i], p[(i + 1) % 4], p[(i + 2) % 4]);
            (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > 0.0
        });
        turns && p.iter().all(|p| p.x.is_finite() && p.y.is_finite()) && self.width() * self.height() >= 1.0
    }
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// A map between two planes, row by row, scaled so that the last entry is 1 (Hartley & Zisserman, "Multiple
/// View Geometry", 2.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography(pub [f64; 9]);

impl Homography {
    /// The map that takes each corner of `from` to the same corner of `to`; `None` when three corners of
    /// either lie on a line.
    pub fn between(from: &Quad, to: &Quad) -> Option<Self> {
        // Two equations a corner in the eight unknowns, solved by elimination with partial pivoting.
        let mut a = [[0.0f64; 9]; 8];
        for (i, (s, d)) in from.0.iter().zip(&to.0).enumerate() {
            let (x, y, u, v) = (f64::from(s.x), f64::from(s.y), f64::from(d.x), f64::from(d.y));
            a[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            a[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        for column in 0..8 {
            let pivot = (column..8).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
            if a[pivot][column].abs() < 1e-9 {
                return None;
            }
            a.swap(column, pivot);
            let pivot_row = a[column];
            for row in a.iter_mut().skip(column + 1) {
                let factor = row[column] / pivot_row[column];
                for (cell, p) in row.iter_mut().zip(&pivot_row).skip(column) {
                    *cell -= factor * p;
                }
            }
        }
        let mut h = [0.0; 9];
        h[8] = 1.0;
        for row in (0..8).rev() {
            let known: f64 = (row + 1..8).map(|k| a[row][k] * h[k]).sum();
            h[row] = (a[row][8] - known) / a[row][row];
        }
        h.iter().all(|v| v.is_finite()).then_some(Self(h))
    }

    /// Where the map takes a point.
    #[inline]
    pub fn apply(&self, p: Point) -> Point {
        let h = &self.0;
        let (x, y) = (f64::from(p.x), f64::from(p.y));
        let w = h[6] * x + h[7] * y + h[8];
        Point::new(((h[0] * x + h[1] * y + h[2]) / w) as f32, ((h[3] * x + h[4] * y + h[5]) / w) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_corners_on_a_line_have_no_map() {
        let flat =
            Quad([Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(2.0, 0.0), Point::new(0.0, 1.0)]);
        assert_eq!(Homography::between(&flat, &Quad::rectangle(0.0, 0.0, 4.0, 4.0)), None);
        assert!(!flat.is_plausible());
    }

    #[test]
    fn overlap_of_a_box_with_its_half_is_a_half() {
        let whole = Quad::rectangle(0.0, 0.0, 10.0, 4.0).bounds();
        let half = Quad::rectangle(0.0, 0.0, 5.0, 4.0).bounds();
        assert!((whole.iou(&half) - 0.5).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn the_map_takes_corners_to_corners(dx in proptest::array::uniform8(-9.0f32..9.0)) {
            let from = Quad::rectangle(0.0, 0.0, 160.0, 64.0);
            let mut to = Quad::rectangle(100.0, 50.0, 200.0, 70.0);
            for (p, d) in to.0.iter_mut().zip(dx.chunks(2)) {
                p.x += d[0];
                p.y += d[1];
            }
            let map = Homography::between(&from, &to).expect("far from degenerate");
            for (a, b) in from.0.iter().zip(&to.0) {
                let got = map.apply(*a);
                prop_assert!((got.x - b.x).abs() < 1e-2 && (got.y - b.y).abs() < 1e-2);
            }
        }
    }
}
