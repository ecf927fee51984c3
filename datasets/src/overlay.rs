//! What recorders write into the finished picture, and lanes' own cameras do too: the clock, the camera's name. It is sharper
//! than any plate, and is none.

use tiny_skia::{Pixmap, Transform};

use crate::camera::Grey;
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, Spacing, faded, grey};
use crate::lettering::{Cell, Face, OutlineFace};
use crate::plate::text::pattern;

const FORMS: &[&str] = &[
    "0000-00-00 00.00.00",
    "00-00-0000 00.00.00",
    "00.00.00",
    "AAAA 00 0000-00-00",
    "AAAAAA 0",
    "AAA 00",
    "AAAAAAAAA.AAA",
    "AAAAA AAAAAA 0000",
    "AA000 0000",
];

/// Writes a line or two along the upper or the lower edge.
pub(crate) fn caption(photo: &mut Grey, dice: &mut Dice) {
    let (w, h) = (photo.width as f32, photo.height as f32);
    let mut drawing = Drawing::default();
    let face = Face::Outlines(OutlineFace::latin(dice));
    let tall = dice.log_between(6.0, 22.0);
    let above = dice.chance(0.6);
    let ink = if dice.chance(0.85) { dice.between(200.0, 255.0) } else { dice.between(0.0, 40.0) };
    let shadow = dice.chance(0.5);
    let mut y = if above { dice.between(2.0, h * 0.15) } else { dice.between(h * 0.75, h - tall - 2.0) };
    for _ in 0..dice.whole(1, 2) {
        let form = *dice.pick(FORMS);
        let text = pattern(dice, form);
        let width = (text.len() as f32 * tall * dice.between(0.6, 0.9)).min(w * 0.95);
        let cell = Cell { x: dice.between(0.0, w - width), y, width, height: tall };
        if dice.chance(0.15) {
            let strip = Cell { x: 0.0, y: y - tall * 0.3, width: w, height: tall * 1.6 };
            drawing.rectangle(strip, 0.0, faded(grey(255.0 - ink), 0.8));
        }
        let spacing = Spacing::plain(dice.between(0.12, 0.3), 0.5);
        if shadow {
            let under = Cell { x: cell.x + 1.0, y: y + 1.0, ..cell };
            drawing.row(&face, &text, under, spacing, grey(255.0 - ink));
        }
        drawing.row(&face, &text, cell, spacing, grey(ink));
        y += tall * 1.5;
    }
    let Some(mut layer) = Pixmap::new(photo.width as u32, photo.height as u32) else { return };
    drawing.paint(&mut layer.as_mut(), Transform::identity());
    for (value, pixel) in photo.values.iter_mut().zip(layer.pixels()) {
        // The layer's greys are multiplied with their opacity already.
        *value = *value * (1.0 - f32::from(pixel.alpha()) / 255.0) + f32::from(pixel.red());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn a_caption_changes_a_part_of_the_picture_and_stays_in_range() {
        for item in 0..50 {
            let mut photo = Grey { values: vec![90.0; 320 * 256], width: 320, height: 256 };
            caption(&mut photo, &mut dice(9, item));
            let changed = photo.values.iter().filter(|v| (**v - 90.0).abs() > 1.0).count();
            assert!((20..320 * 256 / 3).contains(&changed), "item {item}: {changed} pixels");
            assert!(photo.values.iter().all(|v| (0.0..=255.0).contains(v)), "item {item}");
        }
    }
}
