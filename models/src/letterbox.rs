//! Fitting a picture into the detector's fixed input: scaled with its aspect kept, at the top left, the rest grey.
//!
//! The detector takes pictures in cells: the pixels of a square as wide as its stride lie side by side, row by row. A first
//! layer over single pixels would be the slowest of all. Cells begin half a stride up and left of the picture, so that what is
//! around one cell of the maps is four cells that touch.

use clearance::geometry::Point;
use clearance::picture::LumaView;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::RecogniseError;

/// Pixels of the detector's input, each way, for one cell of its maps.
pub(crate) const STRIDE: usize = 4;

/// Pixels of a cell.
pub(crate) const AREA: usize = STRIDE * STRIDE;

/// Grey of the padding: what training used.
const PADDING: u8 = 114;

/// A pixel as the detector takes it: about -2 to 2, in steps that 8 bits hold without a loss.
fn centred(grey: u8) -> f32 {
    (f32::from(grey) - 128.0) / 64.0
}

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
    row: Vec<f32>,
    pub(crate) cells: Vec<f32>,
}

impl Letterbox {
    pub(crate) fn new() -> Self {
        Self { resizer: Resizer::new(), packed: Vec::new(), row: Vec::new(), cells: Vec::new() }
    }

    /// Fill `cells` with the picture fitted into `width` x `height`, multiples of the stride.
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
        self.cells.clear();
        self.cells.resize(cells_of(width) * cells_of(height) * AREA, 0.0);
        self.row.clear();
        self.row.resize(width, centred(PADDING));
        for y in h..height {
            put(&mut self.cells, &self.row, y);
        }
        for (y, line) in small.buffer().chunks_exact(w).enumerate() {
            self.row.iter_mut().zip(line).for_each(|(pixel, grey)| *pixel = centred(*grey));
            put(&mut self.cells, &self.row, y);
        }
        Ok(fit)
    }
}

/// Cells for so many pixels.
pub(crate) fn cells_of(pixels: usize) -> usize {
    pixels / STRIDE + 1
}

/// Put row `y` of the picture into its cells.
fn put(cells: &mut [f32], row: &[f32], y: usize) {
    const HALF: usize = STRIDE / 2;
    let (down, inside) = ((y + HALF) / STRIDE, (y + HALF) % STRIDE * STRIDE);
    let width = cells_of(row.len()) * AREA;
    let (line, _) = cells[down * width..(down + 1) * width].as_chunks_mut::<AREA>();
    let (first, rest) = row.split_at(HALF);
    let (whole, last) = rest.as_chunks::<STRIDE>();
    line[0][inside + HALF..inside + STRIDE].copy_from_slice(first);
    for (cell, pixels) in line[1..].iter_mut().zip(whole) {
        cell[inside..inside + STRIDE].copy_from_slice(pixels);
    }
    line[whole.len() + 1][inside..inside + last.len()].copy_from_slice(last);
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
        assert_eq!(pixel(&letterbox.cells, 64, 0, 31), centred(255));
        assert_eq!(pixel(&letterbox.cells, 64, 0, 32), centred(PADDING));
    }

    /// Where a pixel is found among the cells, by the definition.
    fn pixel(cells: &[f32], width: usize, x: usize, y: usize) -> f32 {
        let (x, y) = (x + 2, y + 2);
        cells[((y / 4) * (width / 4 + 1) + x / 4) * 16 + y % 4 * 4 + x % 4]
    }

    #[test]
    fn each_pixel_is_in_its_cell_and_around_the_picture_is_nothing() {
        let (width, height) = (24, 16);
        let picture = clearance::picture::Luma::new(
            (0..width * height).map(|i| (i % 251) as u8).collect(),
            width,
            height,
        )
        .unwrap();
        let mut letterbox = Letterbox::new();
        letterbox.fill(picture.view(), width, height).unwrap();
        assert_eq!(letterbox.cells.len(), 7 * 5 * 16);
        for (i, grey) in picture.pixels().iter().enumerate() {
            assert_eq!(pixel(&letterbox.cells, width, i % width, i / width), centred(*grey));
        }
        let inside: f32 = picture.pixels().iter().map(|p| centred(*p)).sum();
        assert!((letterbox.cells.iter().sum::<f32>() - inside).abs() < 1e-2, "zeros around it");
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
