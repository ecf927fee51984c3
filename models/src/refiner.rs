//! A closer look at where a plate's corners are: the detector sees the whole frame made small, this one the plate alone.

use clearance::geometry::{Homography, Point, Quad};
use clearance::picture::{CORNER_MARGIN, CROP_HEIGHT, CROP_WIDTH, LumaView, plate_in_crop, rectify_with};

use crate::RecogniseError;
use crate::bundle::Bundle;
use crate::network::Network;

const OUTPUTS: [(&str, usize); 1] = [("offsets", 8)];

pub(crate) struct Refiner {
    network: Network,
}

impl Refiner {
    /// Load the bundle's refiner and prove it; `None` when the bundle has none.
    pub(crate) fn load(bundle: &Bundle) -> Result<Option<Self>, RecogniseError> {
        let Some(manifest) = &bundle.manifest.refiner else { return Ok(None) };
        let mut network = Network::load(bundle, &manifest.file, [1, 1, CROP_HEIGHT, CROP_WIDTH])?;
        let golden = &bundle.manifest.golden;
        network.prove(OUTPUTS, &golden.refiner_offsets, golden.tolerance)?;
        Ok(Some(Self { network }))
    }

    /// The corners of the plate that was found at `corners`, in pixels of the picture. What cannot be a plate's corners is
    /// not believed: then they stay as they were found.
    pub(crate) fn refine(&mut self, picture: LumaView<'_>, corners: &Quad) -> Result<Quad, RecogniseError> {
        let inner = plate_in_crop(CORNER_MARGIN);
        let crop = rectify_with(picture, corners, CORNER_MARGIN);
        let (Some(crop), Some(to_picture)) = (crop, Homography::between(&inner, corners)) else {
            return Ok(*corners);
        };
        let moved = self.network.run_on_crop(&crop, OUTPUTS, |[offsets]| moved(&inner, offsets))?;
        let refined = moved.map(|p| to_picture.apply(p));
        Ok(if refined.is_plausible() { refined } else { *corners })
    }
}

/// The plate's corners in the crop, each moved by its offset in parts of the plate's size, no farther than the crop shows.
fn moved(inner: &Quad, offsets: &[f32]) -> Quad {
    let (width, height) = (inner.width(), inner.height());
    let mut offsets =
        offsets.iter().map(|o| if o.is_finite() { o.clamp(-CORNER_MARGIN, CORNER_MARGIN) } else { 0.0 });
    let mut next = || offsets.next().unwrap_or(0.0);
    inner.map(|p| Point::new(p.x + next() * width, p.y + next() * height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_move_by_parts_of_the_plate_and_never_out_of_sight() {
        let plate = Quad::rectangle(10.0, 10.0, 100.0, 40.0);
        let moved = moved(&plate, &[0.1, -0.1, 0.0, 0.0, 9.0, f32::NAN, 0.0, 0.0]);
        assert_eq!(moved.0[0], Point::new(20.0, 6.0));
        assert_eq!(moved.0[1], Point::new(110.0, 10.0));
        assert_eq!(moved.0[2], Point::new(110.0 + 25.0, 50.0));
        assert_eq!(moved.0[3], Point::new(10.0, 50.0));
    }
}
