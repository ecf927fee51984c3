//! Fitting a picture into a network's fixed input: scaled with its aspect kept, at the top left, the rest grey.

use clearance::geometry::Point;
use clearance::picture::LumaView;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::RecogniseError;

/// Grey of the padding: what training used.
const PADDING: f32 = 114.0 / 255.0;

/// How a picture was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// Network pixels for each picture pixel, across and down (they differ by rounding).
    scale: [f32; 2],
    size: [usize; 2],
}

impl Fit {
    /// The fit of a picture into `width` x `height`.
    pub(crate) fn of(picture: (usize, usize), width: usize, height: usize) -> Self {
        let scale = (width as f32 / picture.0 as f32).min(height as f32 / picture.1 as f32);
        let side = |pixels: usize, most: usize| ((pixels as f32 * scale).round() as usize).clamp(1, most);
        let size = [side(picture.0, width), side(picture.1, height)];
        Self { scale: [size[0] as f32 / picture.0 as f32, size[1] as f32 / picture.1 as f32], size }
    }

    /// Part of the network's input that the picture covers, 0 to 1: the more the better.
    pub(crate) fn coverage(&self, width: usize, height: usize) -> f32 {
        (self.size[0] * self.size[1]) as f32 / (width * height) as f32
    }

    /// A position in the network's input as a position in the picture.
    pub(crate) fn to_picture(self, p: Point) -> Point {
        Point::new(p.x / self.scale[0], p.y / self.scale[1])
    }

    /// A position in the picture as a position in the network's input.
    #[cfg(test)]
    pub(crate) fn to_network(self, p: Point) -> Point {
        Point::new(p.x * self.scale[0], p.y * self.scale[1])
    }
}

/// Scales pictures, keeping its buffers from one to the next.
pub(crate) struct Letterbox {
    resizer: Resizer,
    packed: Vec<u8>,
    pub(crate) pixels: Vec<f32>,
}

impl Letterbox {
    pub(crate) fn new() -> Self {
        Self { resizer: Resizer::new(), packed: Vec::new(), pixels: Vec::new() }
    }

    /// Fill `pixels` with the picture fitted into `width` x `height`, 0 to 1.
    pub(crate) fn fill(
        &mut self,
        picture: LumaView<'_>,
        width: usize,
        height: usize,
    ) -> Result<Fit, RecogniseError> {
        let fit = Fit::of((picture.width(), picture.height()), width, height);
        let [w, h] = fit.size;
        let resize = |e: String| RecogniseError::Resize(e);
        let mut small = Image::new(w as u32, h as u32, PixelType::U8);
        let pixels = picture.packed().unwrap_or_else(|| {
            pack(picture, &mut self.packed);
            &self.packed
        });
        let source = ImageRef::new(picture.width() as u32, picture.height() as u32, pixels, PixelType::U8)
            .map_err(|e| resize(e.to_string()))?;
        // A triangle filter as wide as the scale: the mean over the area, which small lettering needs.
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer.resize(&source, &mut small, &options).map_err(|e| resize(e.to_string()))?;
        self.pixels.clear();
        self.pixels.resize(width * height, PADDING);
        for (row, line) in self.pixels.chunks_exact_mut(width).zip(small.buffer().chunks_exact(w)) {
            for (pixel, grey) in row.iter_mut().zip(line) {
                *pixel = f32::from(*grey) / 255.0;
            }
        }
        Ok(fit)
    }
}

/// The picture's rows without padding.
fn pack(picture: LumaView<'_>, packed: &mut Vec<u8>) {
    packed.clear();
    packed.reserve(picture.width() * picture.height());
    for y in 0..picture.height() {
        packed.extend_from_slice(picture.row(y));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rest_of_the_input_is_padding() {
        let picture = clearance::picture::Luma::new(vec![255; 100 * 50], 100, 50).unwrap();
        let mut letterbox = Letterbox::new();
        let fit = letterbox.fill(picture.view(), 64, 64).unwrap();
        assert_eq!(fit.size, [64, 32]);
        assert_eq!(letterbox.pixels[31 * 64], 1.0);
        assert_eq!(letterbox.pixels[32 * 64], PADDING);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(
            w in 16usize..4000, h in 16usize..3000, x in 0.0f32..1.0, y in 0.0f32..1.0,
        ) {
            let fit = Fit::of((w, h), 640, 480);
            let p = Point::new(x * w as f32, y * h as f32);
            let back = fit.to_picture(fit.to_network(p));
            prop_assert!((back.x - p.x).abs() < 0.5 && (back.y - p.y).abs() < 0.5);
            prop_assert!(fit.coverage(640, 480) <= 1.0);
        }
    }
}
