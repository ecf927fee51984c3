//! Grey pictures as the recogniser sees them, and how a plate is cut out of one and straightened.
//!
//! Recognition looks at luma only: it is the first plane of the NV12 or I420 frame a decoder gives, so nothing
//! is converted, and a lane under infrared light looks the same to it. The crop that the reader is trained on
//! and the crop it is given in the lane come from the same [`rectify`].

use crate::geometry::{Homography, Quad};

/// Size of the picture a plate is straightened into: what the reader takes.
pub const CROP_WIDTH: usize = 160;
/// See [`CROP_WIDTH`].
pub const CROP_HEIGHT: usize = 64;

/// Part of a plate's width and height kept around its corners in the crop, so that a corner found a little
/// inside the plate does not cut a character.
pub const CROP_MARGIN: f32 = 0.06;

/// A borrowed grey picture, one byte a pixel, rows `stride` bytes apart.
#[derive(Clone, Copy, Debug)]
pub struct LumaView<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// The bytes do not hold a picture of the stated size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes do not hold a {width}x{height} picture with rows {stride} bytes apart")]
pub struct PictureSizeError {
    len: usize,
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> LumaView<'a> {
    /// A view of `pixels`; refuses an empty picture, a stride below the width, and too few bytes.
    pub fn new(
        pixels: &'a [u8],
        width: usize,
        height: usize,
        stride: usize,
    ) -> Result<Self, PictureSizeError> {
        let needed = (height.saturating_sub(1)).checked_mul(stride).and_then(|n| n.checked_add(width));
        if width == 0 || height == 0 || stride < width || needed.is_none_or(|n| n > pixels.len()) {
            return Err(PictureSizeError { len: pixels.len(), width, height, stride });
        }
        Ok(Self { pixels, width, height, stride })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Bytes from one row to the next, at least the width.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// One row of pixels, without the padding.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..y * self.stride + self.width]
    }

    /// All pixels in one piece, where the rows have no padding.
    pub fn packed(&self) -> Option<&'a [u8]> {
        if self.stride == self.width { self.pixels.get(..self.width * self.height) } else { None }
    }

    /// Add the grey values between pixels at `places` to `sums`, the edge repeated outside. Places count from the outer
    /// corner of the first pixel, so pixel centres lie at halves.
    fn add_samples(&self, places: &Places, sums: &mut [f32; CROP_WIDTH]) {
        let (right, bottom) = ((self.width - 1) as f32, (self.height - 1) as f32);
        // The pixel to the left of a place and above it. Past the last pair of pixels it is that pair, so that both of a pair
        // exist; a picture of one pixel across or down has no pair.
        let (last_x, last_y) = (self.width.saturating_sub(2) as i32, self.height.saturating_sub(2) as i32);
        let (pair, below) = (usize::from(self.width > 1), if self.height > 1 { self.stride } else { 0 });
        let (mut part_x, mut part_y) = ([0.0f32; CROP_WIDTH], [0.0f32; CROP_WIDTH]);
        let (mut left, mut top) = ([0i32; CROP_WIDTH], [0i32; CROP_WIDTH]);
        // Loops of one kind of work each: the first and the last become vector instructions.
        for i in 0..CROP_WIDTH {
            let x = (places.x[i] - 0.5).clamp(0.0, right);
            let y = (places.y[i] - 0.5).clamp(0.0, bottom);
            (left[i], top[i]) = (before(x).min(last_x), before(y).min(last_y));
            (part_x[i], part_y[i]) = (x - left[i] as f32, y - top[i] as f32);
        }
        let mut around = [[0u8; CROP_WIDTH]; 4];
        for i in 0..CROP_WIDTH {
            let first = top[i] as usize * self.stride + left[i] as usize;
            let upper = &self.pixels[first..=first + pair];
            let lower = &self.pixels[first + below..=first + below + pair];
            (around[0][i], around[1][i]) = (upper[0], upper[pair]);
            (around[2][i], around[3][i]) = (lower[0], lower[pair]);
        }
        for i in 0..CROP_WIDTH {
            let upper = f32::from(around[0][i]) * (1.0 - part_x[i]) + f32::from(around[1][i]) * part_x[i];
            let lower = f32::from(around[2][i]) * (1.0 - part_x[i]) + f32::from(around[3][i]) * part_x[i];
            sums[i] += upper * (1.0 - part_y[i]) + lower * part_y[i];
        }
    }
}

/// The pixel before a place, or at it: one of the two between which it lies. What comes from a float's bits becomes vector
/// instructions, unlike a cast, which must look for what does not fit.
fn before(place: f32) -> i32 {
    // From here on floats are whole numbers, so that adding it rounds.
    const WHOLE: f32 = 8_388_608.0;
    (((place - 0.5).max(0.0) + WHOLE).to_bits() & 0x007f_ffff) as i32
}

/// Where in a picture the pixels of a row of a crop come from.
struct Places {
    x: [f32; CROP_WIDTH],
    y: [f32; CROP_WIDTH],
}

/// An owned grey picture, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luma {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Luma {
    /// A picture from its pixels, row by row; refuses a length other than width times height.
    pub fn new(pixels: Vec<u8>, width: usize, height: usize) -> Result<Self, PictureSizeError> {
        if width == 0 || height == 0 || width.checked_mul(height) != Some(pixels.len()) {
            return Err(PictureSizeError { len: pixels.len(), width, height, stride: width });
        }
        Ok(Self { pixels, width, height })
    }

    /// Borrow it.
    pub fn view(&self) -> LumaView<'_> {
        LumaView { pixels: &self.pixels, width: self.width, height: self.height, stride: self.width }
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels, row by row, without copying.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }
}

/// The margin of the crop in which corners are looked for more closely: wide enough that a corner found a fifth of the
/// plate's size off is still inside.
pub const CORNER_MARGIN: f32 = 0.25;

/// Where the plate lies in a crop of [`CROP_WIDTH`] x [`CROP_HEIGHT`] pixels with this margin around it.
pub fn plate_in_crop(margin: f32) -> Quad {
    let (w, h) = (CROP_WIDTH as f32, CROP_HEIGHT as f32);
    let (inner_w, inner_h) = (w / (1.0 + 2.0 * margin), h / (1.0 + 2.0 * margin));
    Quad::rectangle((w - inner_w) / 2.0, (h - inner_h) / 2.0, inner_w, inner_h)
}

/// Cut the plate at `corners` out of `picture` and straighten it into [`CROP_WIDTH`] x [`CROP_HEIGHT`], with
/// [`CROP_MARGIN`] around it. `None` when the corners span no plane.
pub fn rectify(picture: LumaView<'_>, corners: &Quad) -> Option<Luma> {
    rectify_with(picture, corners, CROP_MARGIN)
}

/// As [`rectify`], with another margin. Where the plate is larger than the crop, each pixel is the mean of four samples,
/// enough against aliasing up to twice the size.
pub fn rectify_with(picture: LumaView<'_>, corners: &Quad, margin: f32) -> Option<Luma> {
    let inner = plate_in_crop(margin);
    let (inner_w, inner_h) = (inner.width(), inner.height());
    let map = Homography::between(&inner, corners)?;
    let fine = corners.width() <= inner_w * 1.25 && corners.height() <= inner_h * 1.25;
    let offsets: &[(f32, f32)] =
        if fine { &[(0.5, 0.5)] } else { &[(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] };
    let [a, b, c, d, e, f, g, k, l] = map.0;
    let mut pixels = Vec::with_capacity(CROP_WIDTH * CROP_HEIGHT);
    let mut places = Places { x: [0.0; CROP_WIDTH], y: [0.0; CROP_WIDTH] };
    for y in 0..CROP_HEIGHT {
        let mut sums = [0.0f32; CROP_WIDTH];
        for (dx, dy) in offsets {
            // `Homography::apply` along a row, of which only x differs.
            let (px, py) = (f64::from(*dx), y as f64 + f64::from(*dy));
            let (u, v, w) = (a * px + b * py + c, d * px + e * py + f, g * px + k * py + l);
            for i in 0..CROP_WIDTH {
                let x = f64::from(i as i32);
                let scale = 1.0 / (w + g * x);
                places.x[i] = ((u + a * x) * scale) as f32;
                places.y[i] = ((v + d * x) * scale) as f32;
            }
            picture.add_samples(&places, &mut sums);
        }
        pixels.extend(sums.iter().map(|sum| (sum / offsets.len() as f32 + 0.5) as u8));
    }
    Some(Luma { pixels, width: CROP_WIDTH, height: CROP_HEIGHT })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use proptest::prelude::*;

    #[test]
    fn a_view_refuses_bytes_that_do_not_fit() {
        assert!(LumaView::new(&[0; 12], 4, 3, 4).is_ok());
        assert!(LumaView::new(&[0; 11], 4, 3, 4).is_err());
        assert!(LumaView::new(&[0; 12], 4, 3, 3).is_err());
        assert!(LumaView::new(&[], 0, 0, 0).is_err());
        assert!(LumaView::new(&[0; 8], 4, usize::MAX, usize::MAX).is_err());
    }

    #[test]
    fn only_rows_without_padding_are_in_one_piece() {
        let pixels: Vec<u8> = (0..12).collect();
        assert_eq!(LumaView::new(&pixels, 4, 2, 4).expect("fits").packed(), Some(&pixels[..8]));
        assert_eq!(LumaView::new(&pixels, 3, 3, 4).expect("fits").packed(), None);
    }

    #[test]
    fn straightening_a_flat_area_keeps_its_grey() {
        let picture = Luma::new(vec![77; 100 * 50], 100, 50).expect("sizes agree");
        let crop = rectify(picture.view(), &Quad::rectangle(10.0, 10.0, 60.0, 20.0)).expect("a plane");
        assert!(crop.pixels().iter().all(|&p| p == 77));
    }

    #[test]
    fn the_left_half_stays_left() {
        let pixels = (0..100 * 50).map(|i| if i % 100 < 50 { 0 } else { 255 }).collect();
        let picture = Luma::new(pixels, 100, 50).expect("sizes agree");
        let crop = rectify(picture.view(), &Quad::rectangle(20.0, 10.0, 60.0, 20.0)).expect("a plane");
        assert_eq!(crop.view().row(32)[20], 0);
        assert_eq!(crop.view().row(32)[140], 255);
    }

    /// Grey value between pixels, the edge repeated outside, by the definition.
    fn sample(picture: LumaView<'_>, p: Point) -> f32 {
        let x = (p.x - 0.5).clamp(0.0, (picture.width() - 1) as f32);
        let y = (p.y - 0.5).clamp(0.0, (picture.height() - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(picture.width() - 1), (y0 + 1).min(picture.height() - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let at = |x: usize, y: usize| f32::from(picture.row(y)[x]);
        let upper = at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx;
        let lower = at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    proptest! {
        #[test]
        fn a_crop_is_what_its_definition_says(
            (width, height) in (1usize..60, 1usize..60), seed in 0usize..1000,
            x in -40.0f32..60.0, y in -40.0f32..60.0, w in 4.0f32..120.0, h in 2.0f32..90.0,
            bent in proptest::collection::vec(-0.15f32..0.15, 8),
        ) {
            let pixels = (0..width * height).map(|i| ((i + seed) * 7919 % 256) as u8).collect();
            let picture = Luma::new(pixels, width, height).expect("sizes agree");
            let square = Quad::rectangle(x, y, w, h);
            let corners = Quad(std::array::from_fn(|i| {
                Point::new(square.0[i].x + bent[2 * i] * w, square.0[i].y + bent[2 * i + 1] * h)
            }));
            let map = Homography::between(&plate_in_crop(CROP_MARGIN), &corners).expect("a plane");
            let crop = rectify(picture.view(), &corners).expect("a plane");
            let inner = plate_in_crop(CROP_MARGIN);
            let fine = corners.width() <= inner.width() * 1.25 && corners.height() <= inner.height() * 1.25;
            let steps: &[f32] = if fine { &[0.5] } else { &[0.25, 0.75] };
            for (i, grey) in crop.pixels().iter().enumerate() {
                let (across, down) = ((i % CROP_WIDTH) as f32, (i / CROP_WIDTH) as f32);
                let samples = steps.iter().flat_map(|dy| steps.iter().map(move |dx| (dx, dy)));
                let sum: f32 = samples
                    .map(|(dx, dy)| sample(picture.view(), map.apply(Point::new(across + dx, down + dy))))
                    .sum();
                let wanted = sum / (steps.len() * steps.len()) as f32;
                prop_assert!((f32::from(*grey) - wanted).abs() <= 0.51 , "pixel {i}: {grey}, by the definition {wanted}");
            }
        }
    }
}
