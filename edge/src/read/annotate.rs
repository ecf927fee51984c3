//! Pictures with the plates outlined, for people to look at.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clearance::geometry::Point;
use clearance::read::PlateRead;
use image::{Rgb, RgbImage};

const READ: Rgb<u8> = Rgb([40, 220, 80]);
const UNREAD: Rgb<u8> = Rgb([235, 50, 50]);

/// Saves outlined copies into one folder.
pub(super) struct Annotator {
    folder: PathBuf,
}

impl Annotator {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{}: the folder for copies", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Save `picture` as NAME.jpg with an outline around each plate.
    pub(super) fn save(&self, name: &str, mut picture: RgbImage, plates: &[PlateRead]) -> anyhow::Result<()> {
        let thickness = (picture.width() / 400).max(1) as i64;
        for plate in plates {
            let read = !models::candidates(&plate.characters, 1).is_empty();
            let corners = plate.sighting.corners.0;
            for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                line(&mut picture, *from, *to, thickness, if read { READ } else { UNREAD });
            }
        }
        let path = self.folder.join(format!("{name}.jpg"));
        picture.save(&path).with_context(|| path.display().to_string())
    }
}

/// A line of square dots.
fn line(picture: &mut RgbImage, from: Point, to: Point, thickness: i64, colour: Rgb<u8>) {
    let steps = (to.x - from.x).abs().max((to.y - from.y).abs()).ceil().clamp(1.0, 20_000.0) as u32;
    for step in 0..=steps {
        let part = step as f32 / steps as f32;
        let (x, y) = ((from.x + (to.x - from.x) * part) as i64, (from.y + (to.y - from.y) * part) as i64);
        for (dx, dy) in (0..thickness).flat_map(|dx| (0..thickness).map(move |dy| (dx, dy))) {
            let place = (u32::try_from(x + dx), u32::try_from(y + dy));
            if let (Ok(x), Ok(y)) = place
                && let Some(pixel) = picture.get_pixel_mut_checked(x, y)
            {
                *pixel = colour;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clearance::geometry::Quad;

    use super::*;
    use crate::lane::fuse::tests::read_at;

    #[test]
    fn plates_are_outlined_and_corners_outside_do_no_harm() {
        let folder = tempfile::TempDir::new().unwrap();
        let annotator = Annotator::new(folder.path()).unwrap();
        let mut outside = read_at("AB12", 0.99, 0.0, 0.0);
        outside.sighting.corners = Quad::rectangle(f32::NAN, -1e9, 1e9, 30.0);
        annotator.save("a", RgbImage::new(200, 100), &[read_at("AB12", 0.99, 40.0, 40.0), outside]).unwrap();
        let saved = image::open(folder.path().join("a.jpg")).unwrap().to_rgb8();
        assert!(saved.get_pixel(100, 40).0[1] > 120, "the upper edge is green");
        assert!(saved.get_pixel(100, 55).0[1] < 60, "the inside is not");
    }
}
