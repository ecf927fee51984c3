//! Pictures for people: the part of a frame that is wanted, in colour, as a JPEG. Nothing is converted before
//! someone asks.

use clearance::geometry::Quad;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage};

use super::frame::Frame;

/// A rectangle of whole pixels inside a frame, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// Left edge.
    pub(super) x: usize,
    /// Upper edge.
    pub(super) y: usize,
    width: usize,
    height: usize,
}

impl Area {
    pub(super) fn whole(frame: &Frame) -> Self {
        Self { x: 0, y: 0, width: frame.width, height: frame.height }
    }

    /// Around `corners`. Float-to-integer casts saturate and turn NaN into 0, so that any corners give an area.
    pub(super) fn around(frame: &Frame, corners: &Quad, margin: f32) -> Self {
        let bounds = corners.bounds();
        let (dx, dy) = ((bounds.x1 - bounds.x0) * margin, (bounds.y1 - bounds.y0) * margin);
        let (x, width) = span(bounds.x0 - dx, bounds.x1 + dx, frame.width);
        let (y, height) = span(bounds.y0 - dy, bounds.y1 + dy, frame.height);
        Self { x, y, width, height }
    }
}

/// First pixel and number of pixels between `from` and `to`, within `0..size`.
fn span(from: f32, to: f32, size: usize) -> (usize, usize) {
    let first = (from.floor() as usize).min(size - 1);
    let end = (to.ceil() as usize).clamp(first + 1, size);
    (first, end - first)
}

pub(super) fn encode(frame: &Frame, area: Area, quality: u8, max_width: usize) -> Vec<u8> {
    let mut picture = rgb(frame, area);
    let max_width = u32::try_from(max_width.max(1)).unwrap_or(u32::MAX);
    if picture.width() > max_width {
        let height = u64::from(picture.height()) * u64::from(max_width) / u64::from(picture.width());
        picture = image::imageops::thumbnail(&picture, max_width, (height as u32).max(1));
    }
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
    let encoded = write(encoder, &picture);
    if let Err(error) = encoded {
        // A JPEG is at most 65535 pixels each way and no decoder here gives more; evidence must not stop a lane.
        tracing::error!(%error, width = picture.width(), height = picture.height(), "picture not encoded");
        bytes.clear();
    }
    bytes
}

fn write(mut encoder: JpegEncoder<&mut Vec<u8>>, picture: &RgbImage) -> image::ImageResult<()> {
    encoder.encode(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
}

/// BT.601 limited range, as most cameras send; a camera with another matrix looks a little off, no more.
fn rgb(frame: &Frame, area: Area) -> RgbImage {
    let luma = frame.luma.view();
    let chroma_stride = frame.width.div_ceil(2) * 2;
    RgbImage::from_fn(area.width as u32, area.height as u32, |dx, dy| {
        let (x, y) = (area.x + dx as usize, area.y + dy as usize);
        let at = y / 2 * chroma_stride + x / 2 * 2;
        let cb = frame.chroma.get(at).copied().unwrap_or(128);
        let cr = frame.chroma.get(at + 1).copied().unwrap_or(128);
        image::Rgb(to_rgb(luma.row(y)[x], cb, cr))
    })
}

/// Fixed-point BT.601 (ITU-R BT.601-7), 8 fractional bits.
fn to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (298 * (i32::from(y) - 16), i32::from(cb) - 128, i32::from(cr) - 128);
    let channel = |v: i32| ((v + 128) >> 8).clamp(0, 255) as u8;
    [channel(y + 409 * cr), channel(y - 100 * cb - 208 * cr), channel(y + 516 * cb)]
}
