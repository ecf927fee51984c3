//! Plates of other places, so that the models do not take every light rectangle for a Hong Kong mark and read
//! Latin letters of any make.

use tiny_skia::Color;

use super::text::{Spelling, pattern};
use super::{Layout, Plate, blank, british_face, wear};
use crate::chance::{Dice, Roll};
use crate::drawing::{Spacing, faded, grey, rgb, shaded};
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
const AMERICA: &[&str] = &[
    "AAA 0000",
    "0AAA000",
    "000 AAA",
    "AAA-000",
    "AAA 000",
    "AA 00000",
    "AAA0000",
    "XXX XXX",
    "000 XXX",
    "AA0 A0A",
    "AAA A00",
    "A00 AAA",
    "AA00000",
    "XXXXXX",
    "A00000",
    "000000",
    "AAA■000",
    "AA0■A0A",
    "000■AAA",
    "AAA■0000",
    "AAA■A00",
    "AAA-0000",
    "0AAA000",
    "A00 0000",
    "AA0■A00",
    "AA0■0AA",
    "AA0■0000",
    "00A■0AA",
    "■AAA0000",
    "■AAA000",
    "■AAA-A0",
    "AAA0000",
    "0A00000",
    "XXXXXXX",
    "XXXXXXXX",
    "00 AAAA",
];
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
    match dice.weighted(&[0.36, 0.1, 0.32, 0.05, 0.05, 0.04, 0.08]) {
        0 => european(dice),
        1 => british(dice),
        2 => american(dice),
        3 => plain(dice, VIETNAM, [4.0, 4.6], [235.0, 20.0]),
        4 => dark(dice),
        5 => macao(dice),
        _ => stacked(dice),
    }
}

/// A Macao plate: white on black in one row, the groups joined by dashes.
pub fn macao(dice: &mut Dice) -> Plate {
    let tones = [dice.between(8.0, 40.0), dice.between(190.0, 250.0)];
    plain(dice, MACAO, [3.4, 4.8], tones)
}

/// A mark after one of the forms.
fn one_of(dice: &mut Dice, forms: &[&str]) -> String {
    let form = *dice.pick(forms);
    pattern(dice, form)
}

fn finish(dice: &mut Dice, mut plate: Plate) -> Plate {
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

fn american(dice: &mut Dice) -> Plate {
    let text = one_of(dice, AMERICA);
    let face = Face::Outlines(OutlineFace::american(dice));
    let (width, height) = (305.0, dice.between(145.0, 155.0));
    let light = dice.chance(0.85);
    let ground = if light { grey(dice.between(170.0, 250.0)) } else { rgb(30.0, 60.0, 120.0) };
    let ink = if light { rgb(20.0, 25.0, dice.between(20.0, 130.0)) } else { grey(240.0) };
    let mut drawing = blank(width, height, 10.0, ground, shaded(ground, dice.between(0.7, 1.0)));
    let letters = height * dice.between(0.38, 0.56);
    let y = (height - letters) * dice.between(0.42, 0.6);
    // A picture behind the letters, in a tone of the ground: hills, a flag, the sun.
    for _ in 0..dice.whole(0, 3) {
        let tone = faded(shaded(ground, dice.between(0.55, 1.1)), dice.between(0.3, 0.9));
        let at = [dice.between(0.0, width), height * dice.between(0.2, 1.0)];
        let reach = [width * dice.between(0.05, 0.4), height * dice.between(0.1, 0.45)];
        drawing.ellipse(at, reach, tone);
    }
    let side = dice.between(8.0, 34.0);
    let small = if dice.chance(0.06) { width * 0.14 } else { 0.0 };
    let cell = Cell { x: side, y, width: width - 2.0 * side - small, height: letters };
    let spacing = Spacing::plain(dice.between(0.08, 0.2), dice.between(0.25, 0.6));
    drawing.row(&face, &text, cell, spacing, ink);
    if small > 0.0 {
        // A dealer's or a fleet's number in small figures, which is no part of the mark.
        let figures = pattern(dice, "00");
        let at = Cell {
            x: width - side - small * 0.8,
            y: y + letters * 0.2,
            width: small * 0.8,
            height: letters * 0.6,
        };
        drawing.row(&face, &figures, at, Spacing::plain(0.1, 0.3), ink);
    }
    // The state above and its motto below, seldom missing.
    for (y, share) in [(height * dice.between(0.05, 0.1), 0.92), (height * dice.between(0.82, 0.88), 0.75)] {
        if !dice.chance(share) {
            continue;
        }
        let words = {
            let form = *dice.pick(&["AAAAAAAA", "AAAAAA AAAAA", "AAAAA", "AAA AAAAAA", "AAAAAAAAAA.AAA"]);
            pattern(dice, form)
        };
        let inset = dice.between(40.0, 105.0);
        let cell =
            Cell { x: inset, y, width: width - 2.0 * inset, height: height * dice.between(0.08, 0.16) };
        drawing.row(&face, &words, cell, Spacing::plain(0.15, 0.4), shaded(ink, dice.between(1.0, 1.8)));
    }
    // Stickers of the year and the month in the corners.
    for x in [0.03, 0.85] {
        if dice.chance(0.35) {
            let tone = rgb(dice.between(60.0, 250.0), dice.between(60.0, 250.0), dice.between(60.0, 250.0));
            let y = if dice.chance(0.5) { 0.06 } else { 0.76 };
            let cell = Cell { x: width * x, y: height * y, width: width * 0.12, height: height * 0.18 };
            drawing.rectangle(cell, 2.0, tone);
        }
    }
    if dice.chance(0.4) {
        // A dealer's frame hides the rim.
        let rim = if dice.chance(0.3) { dice.between(12.0, 24.0) } else { dice.between(5.0, 12.0) };
        let edge = Cell { x: rim / 2.0, y: rim / 2.0, width: width - rim, height: height - rim };
        let tone = if dice.chance(0.6) { dice.between(10.0, 70.0) } else { dice.between(150.0, 240.0) };
        drawing.outline(edge, 8.0, rim, grey(tone));
        if dice.chance(0.5) {
            // The dealer's name along the foot of it.
            let form = *dice.pick(&["AAAAAA", "AAAAA AAAAA", "AA AAAA"]);
            let name = pattern(dice, form);
            let tall = (rim * 0.8).max(height * 0.08);
            let at = Cell { x: width * 0.1, y: height - tall * 1.1, width: width * 0.8, height: tall };
            let tone = if tone > 120.0 { dice.between(10.0, 60.0) } else { dice.between(190.0, 250.0) };
            drawing.row(&face, &name, at, Spacing::plain(0.12, 0.4), grey(tone));
        }
    }
    let mark = Spelling::one(text).mark();
    finish(
        dice,
        Plate { width, height, layout: Layout::LightSingle, mark, face: drawing, foot: height * 0.2 },
    )
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
