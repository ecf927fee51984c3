//! Contact sheets: the first items of a set with their labels drawn, for a person to look at.

use std::path::Path;

use clearance::picture::{CROP_HEIGHT, CROP_WIDTH};
use tiny_skia::{Pixmap, Transform};

use super::{SetError, unwritable};
use crate::crop::Crop;
use crate::drawing::{Drawing, Spacing, rgb};
use crate::lettering::{Cell, Face, Font, OutlineFace};
use crate::plate::Layout;
use crate::scene::{Scene, Verdict};

const COLUMNS: usize = 8;
const ROWS: usize = 14;
const LABEL: usize = 16;

/// A sheet of crops with their text below them.
pub(super) fn crops(crops: &[Crop], path: &Path) -> Result<(), SetError> {
    let (cw, ch) = (CROP_WIDTH + 4, CROP_HEIGHT + LABEL + 4);
    let shown = &crops[..crops.len().min(COLUMNS * ROWS)];
    let mut sheet = sheet(COLUMNS * cw, shown.len().div_ceil(COLUMNS) * ch, path)?;
    for (i, crop) in shown.iter().enumerate() {
        let (x, y) = (i % COLUMNS * cw, i / COLUMNS * ch);
        paste(&mut sheet, crop.image.pixels(), CROP_WIDTH, [x, y]);
        let label = if crop.mark.is_empty() { "NOTHING" } else { &crop.mark };
        let cell = Cell {
            x: x as f32,
            y: (y + CROP_HEIGHT + 2) as f32,
            width: CROP_WIDTH as f32,
            height: LABEL as f32 - 3.0,
        };
        write(&mut sheet, label, cell);
    }
    save(&sheet, path)
}

/// A sheet of tiles with their plates outlined: green for one row, blue for two, red for mainland, grey for
/// regions to ignore.
pub(super) fn scenes(scenes: &[Scene], path: &Path) -> Result<(), SetError> {
    const ACROSS: usize = 5;
    let shown = &scenes[..scenes.len().min(ACROSS * 6)];
    let Some(first) = shown.first() else { return Ok(()) };
    let (w, h) = (first.image.width(), first.image.height());
    let mut sheet = sheet(ACROSS * (w + 4), shown.len().div_ceil(ACROSS) * (h + 4), path)?;
    for (i, scene) in shown.iter().enumerate() {
        let (x, y) = (i % ACROSS * (w + 4), i / ACROSS * (h + 4));
        paste(&mut sheet, scene.image.pixels(), w, [x, y]);
        let mut drawing = Drawing::default();
        for plate in &scene.plates {
            let colour = match plate.verdict {
                Verdict::Plate(Layout::LightSingle) => rgb(60.0, 255.0, 60.0),
                Verdict::Plate(Layout::LightDouble) => rgb(90.0, 140.0, 255.0),
                Verdict::Plate(Layout::Mainland) => rgb(255.0, 60.0, 60.0),
                Verdict::Ignore => rgb(200.0, 200.0, 0.0),
            };
            let [a, b, c, d] = plate.corners.0.map(|p| [p.x, p.y]);
            drawing.line(&[a, b, c, d, a], 1.0, colour);
            drawing.ellipse(a, [2.5, 2.5], colour);
        }
        drawing.paint(&mut sheet.as_mut(), Transform::from_translate(x as f32, y as f32));
    }
    save(&sheet, path)
}

pub(super) fn sheet(width: usize, height: usize, path: &Path) -> Result<Pixmap, SetError> {
    Pixmap::new(width as u32, height as u32).ok_or_else(|| unwritable(path, "the sheet is too large"))
}

/// Copies a grey picture of `width` to a place of the sheet.
pub(super) fn paste(sheet: &mut Pixmap, pixels: &[u8], width: usize, [x, y]: [usize; 2]) {
    let stride = sheet.width() as usize;
    for (row, line) in pixels.chunks_exact(width).enumerate() {
        let start = ((y + row) * stride + x) * 4;
        let target = &mut sheet.data_mut()[start..start + width * 4];
        for (pixel, v) in target.chunks_exact_mut(4).zip(line) {
            pixel.copy_from_slice(&[*v, *v, *v, 255]);
        }
    }
}

/// Writes a short text in the sheet's label colour.
pub(super) fn write(sheet: &mut Pixmap, text: &str, cell: Cell) {
    let face = Face::Outlines(OutlineFace::plain(Font::Cjk));
    let mut drawing = Drawing::default();
    drawing.row(&face, text, cell, Spacing::plain(0.12, 0.4), rgb(120.0, 255.0, 120.0));
    drawing.paint(&mut sheet.as_mut(), Transform::identity());
}

pub(super) fn save(sheet: &Pixmap, path: &Path) -> Result<(), SetError> {
    let rgb: Vec<u8> = sheet.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    image::save_buffer(path, &rgb, sheet.width(), sheet.height(), image::ExtendedColorType::Rgb8)
        .map_err(|e| unwritable(path, e))
}
