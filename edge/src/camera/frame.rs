//! One picture of one camera, out of GStreamer's hands: plain bytes that the lane may keep as long as it likes.

use std::time::Instant;

use clearance::geometry::Quad;
use clearance::picture::{Luma, PictureSizeError};

use super::jpeg::{self, Area};

/// JPEG quality of a plate's crop, 1 to 100: an officer reads it, and it becomes a labelled example.
const CROP_QUALITY: u8 = 92;

/// A picture with its luma (what recognition looks at) and its chroma (what people look at).
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which camera of the lane, from 0.
    pub camera: usize,
    /// Number of the picture since the camera was started, from 0; dropped ones count.
    pub number: u64,
    /// When its last byte was decoded.
    pub arrived: Instant,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Brightness, one byte a pixel.
    pub luma: Luma,
    /// Colour as in NV12: Cb and Cr alternating, one pair for two by two pixels, rows without padding. Empty for
    /// a grey picture.
    pub chroma: Vec<u8>,
}

impl Frame {
    /// A picture from its planes; refuses chroma of another size than the luma asks for (empty is grey).
    pub fn new(
        camera: usize,
        number: u64,
        arrived: Instant,
        luma: Luma,
        chroma: Vec<u8>,
    ) -> Result<Self, PictureSizeError> {
        let (width, height) = (luma.width(), luma.height());
        let (chroma_width, chroma_height) = (width.div_ceil(2) * 2, height.div_ceil(2));
        if !chroma.is_empty() && chroma.len() != chroma_width * chroma_height {
            // The chroma plane is a picture of its own: its size error says what was expected.
            Luma::new(chroma, chroma_width, chroma_height)?;
            return Self::new(camera, number, arrived, luma, Vec::new());
        }
        Ok(Self { camera, number, arrived, width, height, luma, chroma })
    }

    /// The picture in colour as a JPEG of `quality` (1 to 100), at most `max_width` pixels wide.
    pub fn jpeg(&self, quality: u8, max_width: usize) -> Vec<u8> {
        jpeg::encode(self, Area::whole(self), quality, max_width)
    }

    /// The plate at `corners` with `margin` (a part of its width and height) around it, as a JPEG in colour.
    /// What lies outside the picture is left away; corners wholly outside give the nearest pixel.
    pub fn crop_jpeg(&self, corners: &Quad, margin: f32) -> Vec<u8> {
        jpeg::encode(self, Area::around(self, corners, margin), CROP_QUALITY, usize::MAX)
    }

    /// `corners` as they lie in the picture that [`Self::crop_jpeg`] gives for them.
    #[must_use]
    pub fn corners_in_crop(&self, corners: &Quad, margin: f32) -> Quad {
        let area = Area::around(self, corners, margin);
        corners.map(|p| clearance::geometry::Point::new(p.x - area.x as f32, p.y - area.y as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red() -> Frame {
        // BT.601 limited range: pure red.
        let chroma = [90u8, 240].repeat(16 * 8);
        Frame::new(0, 0, Instant::now(), Luma::new(vec![81; 32 * 16], 32, 16).unwrap(), chroma).unwrap()
    }

    #[test]
    fn chroma_of_the_wrong_size_is_refused() {
        let luma = || Luma::new(vec![0; 5 * 3], 5, 3).unwrap();
        assert!(Frame::new(0, 0, Instant::now(), luma(), vec![0; 6 * 2]).is_ok());
        assert!(Frame::new(0, 0, Instant::now(), luma(), Vec::new()).is_ok());
        assert!(Frame::new(0, 0, Instant::now(), luma(), vec![0; 5]).is_err());
    }

    #[test]
    fn colour_survives_the_jpeg_and_the_width_is_limited() {
        let picture = image::load_from_memory(&red().jpeg(95, 16)).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (16, 8));
        let [r, g, b] = picture.get_pixel(8, 4).0;
        assert!(r > 230 && g < 40 && b < 40, "{r} {g} {b}");
    }

    #[test]
    fn a_crop_keeps_to_the_picture_whatever_the_corners() {
        let frame = red();
        let size = |quad: &Quad| {
            let picture = image::load_from_memory(&frame.crop_jpeg(quad, 0.5)).unwrap();
            (picture.width(), picture.height())
        };
        assert_eq!(size(&Quad::rectangle(8.0, 4.0, 8.0, 4.0)), (16, 8));
        assert_eq!(size(&Quad::rectangle(28.0, 12.0, 80.0, 40.0)), (32, 16));
        assert_eq!(size(&Quad::rectangle(500.0, 500.0, 8.0, 4.0)), (1, 1));
        assert_eq!(size(&Quad::rectangle(f32::NAN, 0.0, 8.0, 4.0)).1, 6);
        let moved = frame.corners_in_crop(&Quad::rectangle(8.0, 4.0, 8.0, 4.0), 0.5);
        assert_eq!(moved, Quad::rectangle(4.0, 2.0, 8.0, 4.0));
    }
}
