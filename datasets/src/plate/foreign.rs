//! Plates of other places, so that the models do not take every light rectangle for a Hong Kong mark and read
//! Latin letters of any make.

use tiny_skia::Color;

use super::text::{Spelling, pattern};
use super::{Layout, Plate, american, blank, british_face, wear};
use crate::chance::{Dice, Roll};
use crate::drawing::{Spacing, grey, rgb, shaded};
use crate::lettering::{Cell, Face, OutlineFace};

const EUROPE: &[&str] = &[
    "A-AA 000",
    "AA-A 0000",
    "AA 000 AA",
    "AAA 000",
    "0000 AAA",
    "A 000 AA",
    "AA 00000",
    "AAA-00-00",
    "0AA 0000",
    "AA 0000 AA",
    "A AA 0000",
    "AA AA 000",
    "AAA A 00",
    "AA-000-AA",
    "AAA 00000",
    "AA 000AA",
    "00-AAA-0",
    "AAA-0000",
    "AAA0A00",
    // Seals and coats of arms between the groups, or before the first.
    "AA◉000AA",
    "AA▼000AA",
    "▼AA-000AA",
    "▼AA-000AA",
    "▼AA◉000AA",
    "0A0◉0000",
    "0A0◉0000",
    "A◉AA 00",
    "AA◉A 000",
    "AAA◉A 00",
    "A◉AA 0000",
    "A◉AAAAA",
    "AA◉AA 00",
    // Slovak: the arms stand above the country's letters, before the first group.
    "▼AA-000AA",
    "▼AA-000AA",
    "▼AA-000AA",
    "▼AA◉000AA",
    "▼AA◉000AA",
];
const BRITAIN: &[&str] = &["AA00 AAA", "AA00 AAA", "A000 AAA", "AAA 000A", "AAA 0000", "A0 AAA"];
const VIETNAM: &[&str] = &["00A-000.00", "00A-0000", "00X-000.00"];
const DARK: &[&str] = &["AAA 0000 A", "AA 0000", "AAA 0000", "AA 0000 A"];
const MACAO: &[&str] = &["AA-00-00", "MX-00-00", "MA-00-00", "A-00-00", "M-00-00"];
const STACKED: &[[&str; 2]] = &[
    ["00-A0", "000.00"],
    ["AA 00", "AA 0000"],
    ["AAA", "000"],
    ["AA 000", "AA"],
    ["A 0000", "AA"],
    ["00A", "0000"],
    ["AAA", "0000"],
];

/// A plate of another place, of one row or two.
pub fn foreign(dice: &mut Dice) -> Plate {
    if dice.chance(0.55) { american(dice) } else { elsewhere(dice) }
}

/// A plate of another place that is not America.
pub fn elsewhere(dice: &mut Dice) -> Plate {
    match dice.weighted(&[0.36, 0.1, 0.05, 0.05, 0.04, 0.08]) {
        0 => european(dice),
        1 => british(dice),
        2 => plain(dice, VIETNAM, [4.0, 4.6], [235.0, 20.0]),
        3 => dark(dice),
        4 => macao(dice),
        _ => stacked(dice),
    }
}

/// A Macao plate: white on black in one row, the groups joined by dashes.
pub fn macao(dice: &mut Dice) -> Plate {
    let tones = [dice.between(8.0, 40.0), dice.between(190.0, 250.0)];
    plain(dice, MACAO, [3.4, 4.8], tones)
}

/// A mark after one of the forms.
pub(super) fn one_of(dice: &mut Dice, forms: &[&str]) -> String {
    let form = *dice.pick(forms);
    pattern(dice, form)
}

pub(super) fn finish(dice: &mut Dice, mut plate: Plate) -> Plate {
    let (width, height) = (plate.width, plate.height);
    wear::wear(&mut plate.face, width, height, dice);
    plate
}

/// One row of `text` on a blank, letters `size` of the height, in `cell` from left to right.
fn single(
    dice: &mut Dice,
    face: &Face,
    text: &str,
    size: [f32; 2],
    [ground, ink]: [Color; 2],
    band: f32,
) -> Plate {
    let [width, height] = size;
    let mut drawing =
        blank(width, height, dice.between(2.0, 14.0), ground, shaded(ground, dice.between(0.88, 1.0)));
    let letters = height * dice.between(0.55, 0.76);
    let y = (height - letters) * dice.between(0.4, 0.6);
    let cell = Cell { x: width * (0.04 + band), y, width: width * (0.92 - band), height: letters };
    let spacing = Spacing::plain(dice.between(0.1, 0.2), dice.between(0.2, 0.5));
    drawing.row(face, text, cell, spacing, ink);
    if dice.chance(0.5) {
        let inset = dice.between(1.5, 4.0);
        let edge = Cell { x: inset, y: inset, width: width - 2.0 * inset, height: height - 2.0 * inset };
        drawing.outline(edge, 8.0, dice.between(1.5, 4.0), ink);
    }
    let mark = Spelling::one(text).mark();
    Plate { width, height, layout: Layout::LightSingle, mark, face: drawing, foot: height - y - letters }
}

fn european(dice: &mut Dice) -> Plate {
    let text = one_of(dice, EUROPE);
    let face = Face::Outlines(OutlineFace::latin(dice));
    let ground = if dice.chance(0.2) { rgb(240.0, 200.0, 40.0) } else { grey(dice.between(205.0, 250.0)) };
    let ink = grey(dice.between(10.0, 50.0));
    // Arms before the first group take the place of the band.
    let arms = text.starts_with('▼');
    let band = if arms && dice.chance(0.8) { 0.0 } else { 0.085 };
    let mut plate = single(dice, &face, &text, [520.0, 112.0], [ground, ink], band);
    if band == 0.0 || dice.chance(0.25) {
        // Older plates have no band.
        return finish(dice, plate);
    }
    let band = Cell { x: 3.0, y: 3.0, width: 42.0, height: 106.0 };
    plate.face.rectangle(band, 4.0, rgb(15.0, 50.0, 150.0));
    let country = if dice.chance(0.5) { pattern(dice, "A") } else { pattern(dice, "AA") };
    let letters = Cell { x: 8.0, y: 76.0, width: 32.0, height: 24.0 };
    plate.face.row(&face, &country, letters, Spacing::plain(0.1, 0.3), grey(240.0));
    plate.face.ring([24.0, 38.0], [13.0, 13.0], 4.0, rgb(230.0, 200.0, 50.0));
    finish(dice, plate)
}

fn british(dice: &mut Dice) -> Plate {
    let text = one_of(dice, BRITAIN);
    let face = british_face(dice);
    let ground = if dice.chance(0.5) { rgb(245.0, 195.0, 30.0) } else { grey(dice.between(205.0, 250.0)) };
    let ink = grey(dice.between(8.0, 40.0));
    let plate = single(dice, &face, &text, [520.0, 111.0], [ground, ink], 0.0);
    finish(dice, plate)
}

fn plain(dice: &mut Dice, forms: &[&str], aspect: [f32; 2], [ground, ink]: [f32; 2]) -> Plate {
    let text = one_of(dice, forms);
    let face = Face::Outlines(OutlineFace::latin(dice));
    let size = [110.0 * dice.between(aspect[0], aspect[1]), 110.0];
    let plate = single(dice, &face, &text, size, [grey(ground), grey(ink)], 0.0);
    finish(dice, plate)
}

fn dark(dice: &mut Dice) -> Plate {
    let tones = [dice.between(8.0, 40.0), dice.between(190.0, 250.0)];
    plain(dice, DARK, [3.8, 4.8], tones)
}

fn stacked(dice: &mut Dice) -> Plate {
    let [upper, lower] = {
        let forms = *dice.pick(STACKED);
        forms.map(|form| pattern(dice, form))
    };
    let face = british_face(dice);
    let (width, height) = (dice.between(260.0, 330.0), dice.between(165.0, 210.0));
    let ground = if dice.chance(0.3) { rgb(245.0, 200.0, 40.0) } else { grey(dice.between(200.0, 250.0)) };
    let ink = grey(dice.between(10.0, 50.0));
    let mut drawing = blank(width, height, 10.0, ground, ground);
    let letters = height * dice.between(0.34, 0.42);
    let (first, second) = (height * 0.07, height * 0.93 - letters);
    for (text, y) in [(&upper, first), (&lower, second)] {
        let cell = Cell { x: width * 0.05, y, width: width * 0.9, height: letters };
        drawing.row(&face, text, cell, Spacing::plain(0.14, 0.3), ink);
    }
    let mark = Spelling::two(upper, lower).mark();
    finish(
        dice,
        Plate { width, height, layout: Layout::LightDouble, mark, face: drawing, foot: height * 0.07 },
    )
}
