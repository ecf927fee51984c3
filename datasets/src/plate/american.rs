//! American plates: twice as wide as high, narrow lettering in the middle third, pictures behind and between it, the state's
//! name above, a motto below, stickers, bolts, and the frame of a dealer over the rim of it all.

use tiny_skia::Color;

use super::foreign::{finish, one_of};
use super::text::{Spelling, pattern};
use super::{Layout, Plate, american_face, blank};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, Spacing, faded, grey, rgb, shaded};
use crate::lettering::{Cell, Face};

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
    "AAA-A0",
    "■AA■0AA",
    "AAA■A00",
    "000■AAA",
];
const WIDTH: f32 = 305.0;

/// An American plate.
pub fn american(dice: &mut Dice) -> Plate {
    let text = one_of(dice, AMERICA);
    let face = american_face(dice);
    let height = dice.between(145.0, 155.0);
    let (ground, ink) = colours(dice);
    let mut drawing = blank(WIDTH, height, 10.0, ground, shaded(ground, dice.between(0.7, 1.0)));
    scenery(&mut drawing, height, ground, dice);
    let letters = height * dice.between(0.38, 0.58);
    let y = (height - letters) * dice.between(0.42, 0.6);
    let [left, right] = beside_the_mark(&mut drawing, height, ink, dice);
    let cell = Cell { x: left, y, width: WIDTH - left - right, height: letters };
    let spacing = Spacing::plain(dice.between(0.06, 0.2), dice.between(0.2, 0.6));
    drawing.row(&face, &text, cell, spacing, ink);
    words(&mut drawing, &face, height, ink, dice);
    stickers(&mut drawing, &face, height, dice);
    bolts(&mut drawing, height, dice);
    if dice.chance(0.45) {
        dealers_frame(&mut drawing, &face, height, dice);
    }
    if dice.chance(0.18) {
        // Under the edge of a boot, while the sun is on the car.
        let shade = Cell { x: 0.0, y: 0.0, width: WIDTH, height };
        let [above, below] = [dice.between(0.45, 0.85), dice.between(0.3, 0.8)];
        drawing.shade(shade, 10.0, faded(grey(0.0), above), faded(grey(0.0), below));
    }
    let mark = Spelling::one(text).mark();
    let foot = height * 0.2;
    finish(dice, Plate { width: WIDTH, height, layout: Layout::LightSingle, mark, face: drawing, foot })
}

/// Ground and ink.
fn colours(dice: &mut Dice) -> (Color, Color) {
    if dice.chance(0.12) {
        return (rgb(30.0, 60.0, 120.0), grey(240.0));
    }
    let ground = if dice.chance(0.3) {
        rgb(dice.between(130.0, 250.0), dice.between(150.0, 240.0), dice.between(110.0, 230.0))
    } else {
        grey(dice.between(170.0, 250.0))
    };
    (ground, rgb(dice.between(10.0, 60.0), dice.between(15.0, 70.0), dice.between(20.0, 130.0)))
}

/// What is behind the letters, in tones of the ground: a coloured sky or foot, hills, the sun.
fn scenery(drawing: &mut Drawing, height: f32, ground: Color, dice: &mut Dice) {
    let tone = |dice: &mut Dice| shaded(ground, dice.between(0.45, 1.1));
    if dice.chance(0.35) {
        // A colour that runs in from the top or from the foot.
        let (deep, strong) = (height * dice.between(0.25, 0.7), dice.between(0.3, 0.9));
        let [full, none] = [faded(tone(dice), strong), faded(ground, 0.0)];
        let above = dice.chance(0.5);
        let band = Cell { x: 0.0, y: if above { 0.0 } else { height - deep }, width: WIDTH, height: deep };
        let [top, foot] = if above { [full, none] } else { [none, full] };
        drawing.shade(band, 10.0, top, foot);
    }
    if dice.chance(0.25) {
        let level = dice.between(0.55, 0.9);
        let mut ridge = vec![[0.0, height]];
        let peaks = dice.whole(3, 9);
        for i in 0..=peaks {
            let x = WIDTH * i as f32 / peaks as f32;
            ridge.push([x, height * (level + dice.normal(0.08)).clamp(0.3, 1.0)]);
        }
        ridge.push([WIDTH, height]);
        let hills = faded(tone(dice), dice.between(0.3, 0.8));
        drawing.polygon(&ridge, hills, hills);
    }
    for _ in 0..dice.whole(0, 3) {
        let spot = faded(tone(dice), dice.between(0.3, 0.9));
        let at = [dice.between(0.0, WIDTH), height * dice.between(0.2, 1.0)];
        let reach = [WIDTH * dice.between(0.05, 0.4), height * dice.between(0.1, 0.45)];
        drawing.ellipse(at, reach, spot);
    }
}

/// A picture or small figures at one end of the row, which are no part of the mark; gives the room left free on both sides.
fn beside_the_mark(drawing: &mut Drawing, height: f32, ink: Color, dice: &mut Dice) -> [f32; 2] {
    let side = dice.between(8.0, 34.0);
    match dice.weighted(&[0.74, 0.17, 0.04, 0.05]) {
        1 => [side * 0.5 + figure(drawing, height, side * 0.5, ink, dice), side],
        2 => {
            let x = WIDTH * dice.between(0.76, 0.82);
            figure(drawing, height, x, ink, dice);
            [side, WIDTH - x]
        }
        3 => {
            let small = WIDTH * 0.14;
            let figures = pattern(dice, "00");
            let face = american_face(dice);
            let at = Cell {
                x: WIDTH - side - small * 0.8,
                y: height * 0.38,
                width: small * 0.8,
                height: height * 0.28,
            };
            drawing.row(&face, &figures, at, Spacing::plain(0.1, 0.3), ink);
            [side, side + small]
        }
        _ => [side, side],
    }
}

/// A tall picture - a tower, a plant, a person - as high as the letters or higher; gives its width.
fn figure(drawing: &mut Drawing, height: f32, x: f32, ink: Color, dice: &mut Dice) -> f32 {
    let width = WIDTH * dice.between(0.08, 0.2);
    let colour = rgb(dice.between(40.0, 220.0), dice.between(40.0, 220.0), dice.between(40.0, 220.0));
    let colour = if dice.chance(0.3) { ink } else { colour };
    let strong = dice.between(0.25, 0.9);
    let (top, foot) = (height * dice.between(0.18, 0.35), height * dice.between(0.68, 0.85));
    let middle = x + width / 2.0;
    for _ in 0..dice.whole(2, 5) {
        let tone = faded(shaded(colour, dice.between(0.6, 1.4)), strong);
        let (a, b) = (dice.between(top, foot), dice.between(top, foot));
        let half = width * dice.between(0.08, 0.45);
        let off = middle + dice.normal(width * 0.12);
        if dice.chance(0.5) {
            drawing.line(&[[off, a], [middle + dice.normal(width * 0.2), b]], half * 0.6, tone);
        } else {
            drawing.ellipse([off, f32::midpoint(a, b)], [half, (a - b).abs() * 0.5 + 2.0], tone);
        }
    }
    width
}

/// The state above and its motto below, seldom missing.
fn words(drawing: &mut Drawing, face: &Face, height: f32, ink: Color, dice: &mut Dice) {
    for (y, share) in [(height * dice.between(0.05, 0.1), 0.92), (height * dice.between(0.82, 0.88), 0.7)] {
        if !dice.chance(share) {
            continue;
        }
        let form = *dice.pick(&["AAAAAAAA", "AAAAAA AAAAA", "AAAAA", "AAA AAAAAA", "AAAAAAAAAA.AAA"]);
        let words = pattern(dice, form);
        let inset = dice.between(40.0, 105.0);
        let tall = height * dice.between(0.08, 0.18);
        let cell = Cell { x: inset, y, width: WIDTH - 2.0 * inset, height: tall };
        let tone = if dice.chance(0.3) {
            rgb(dice.between(120.0, 210.0), dice.between(20.0, 90.0), dice.between(20.0, 90.0))
        } else {
            shaded(ink, dice.between(1.0, 1.8))
        };
        drawing.row(face, &words, cell, Spacing::plain(0.15, 0.4), tone);
    }
}

/// Stickers of the year and the month in the corners, with something written on them.
fn stickers(drawing: &mut Drawing, face: &Face, height: f32, dice: &mut Dice) {
    for x in [0.03, 0.85] {
        if !dice.chance(0.4) {
            continue;
        }
        let tone = rgb(dice.between(60.0, 250.0), dice.between(60.0, 250.0), dice.between(60.0, 250.0));
        let y = if dice.chance(0.6) { 0.05 } else { 0.76 };
        let tall = height * dice.between(0.14, 0.22);
        let cell = Cell { x: WIDTH * x, y: height * y, width: WIDTH * 0.12, height: tall };
        drawing.rectangle(cell, 2.0, tone);
        let form = *dice.pick(&["00", "AAA", "0000"]);
        let label = pattern(dice, form);
        let inner =
            Cell { x: cell.x + 3.0, y: cell.y + tall * 0.25, width: cell.width - 6.0, height: tall * 0.5 };
        drawing.row(face, &label, inner, Spacing::plain(0.1, 0.3), grey(dice.between(0.0, 70.0)));
    }
}

/// Bolts in the slots, dark or bright, at the top and at times at the foot.
fn bolts(drawing: &mut Drawing, height: f32, dice: &mut Dice) {
    let tone = if dice.chance(0.7) { dice.between(5.0, 90.0) } else { dice.between(160.0, 250.0) };
    let r = dice.between(3.0, 7.0);
    let rows: &[(f32, f32)] = &[(0.09, 0.6), (0.91, 0.35)];
    for &(y, share) in rows {
        if dice.chance(share) {
            for x in [0.2, 0.8] {
                drawing.ellipse([WIDTH * x, height * y], [r, r], grey(tone));
            }
        }
    }
}

/// The frame that a dealer puts over the rim: thin at the sides, as wide as a line of writing above or below.
fn dealers_frame(drawing: &mut Drawing, face: &Face, height: f32, dice: &mut Dice) {
    let dark = dice.chance(0.6);
    let tone = if dark { dice.between(5.0, 70.0) } else { dice.between(150.0, 250.0) };
    let rim = if dice.chance(0.3) { dice.between(10.0, 18.0) } else { dice.between(4.0, 10.0) };
    let edge = Cell { x: rim / 2.0, y: rim / 2.0, width: WIDTH - rim, height: height - rim };
    drawing.outline(edge, 8.0, rim, grey(tone));
    let ink = if dark { dice.between(170.0, 250.0) } else { dice.between(5.0, 80.0) };
    for (below, share) in [(true, 0.6), (false, 0.4)] {
        if !dice.chance(share) {
            continue;
        }
        let deep = height * dice.between(0.08, 0.17);
        let y = if below { height - deep } else { 0.0 };
        drawing.rectangle(Cell { x: 0.0, y, width: WIDTH, height: deep }, 4.0, grey(tone));
        let form = *dice.pick(&["AAAAAA", "AAAAA AAAAA", "AA AAAA", "AAAA AAAAAA.AAA", "000-000-0000"]);
        let name = pattern(dice, form);
        let inset = WIDTH * dice.between(0.06, 0.28);
        let at = Cell { x: inset, y: y + deep * 0.15, width: WIDTH - 2.0 * inset, height: deep * 0.7 };
        drawing.row(face, &name, at, Spacing::plain(0.12, 0.4), grey(ink));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn what_stands_beside_the_mark_leaves_it_room() {
        for item in 0..300 {
            let [left, right] =
                beside_the_mark(&mut Drawing::default(), 150.0, grey(0.0), &mut dice(7, item));
            assert!(
                left >= 4.0 && right >= 4.0 && left + right < WIDTH * 0.45,
                "item {item}: {left} {right}"
            );
        }
    }

    #[test]
    fn a_plate_reads_as_its_mark_and_nothing_else_on_it() {
        for item in 0..200 {
            let plate = american(&mut dice(8, item));
            assert!((4..=8).contains(&plate.mark.chars().count()), "item {item}: {}", plate.mark);
            assert!(plate.mark.chars().all(|c| c.is_ascii_alphanumeric()), "item {item}: {}", plate.mark);
        }
    }
}
