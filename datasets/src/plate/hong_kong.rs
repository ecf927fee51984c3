//! Hong Kong plates: dark letters on white (front) or yellow (rear), in one row or two.

use tiny_skia::Color;

use super::text::{self, Spelling};
use super::{Layout, Plate, blank, british_face, wear};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, Spacing, faded, grey, rgb, shaded};
use crate::lettering::{Cell, Face};

/// Number of rows on a Hong Kong plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Letters and digits side by side.
    One,
    /// Letters above digits.
    Two,
}

/// The end of the vehicle a plate hangs at, which settles its ground: white in front, yellow behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// White, but for a few that were fitted wrongly.
    Front,
    /// Yellow, but for those that were fitted wrongly, mostly on trucks.
    Rear,
    /// A plate seen without its vehicle.
    Unknown,
}

impl End {
    /// How often a plate there is yellow.
    fn yellow(self) -> f32 {
        match self {
            Self::Front => 0.03,
            Self::Rear => 0.92,
            Self::Unknown => 0.13,
        }
    }
}

/// A Hong Kong plate, with the given text or a random one.
pub fn hong_kong(dice: &mut Dice, end: End, rows: Rows, spelling: Option<Spelling>) -> Plate {
    let spelling = spelling.unwrap_or_else(|| text::hong_kong(dice, rows == Rows::Two));
    let ground = ground(dice, end);
    let ink = grey(dice.between(8.0, 60.0));
    let face = british_face(dice);
    match spelling.rows.as_slice() {
        [upper, lower, ..] => two_rows(dice, &face, upper, lower, ground, ink),
        [row] => one_row(dice, &face, row, ground, ink),
        [] => one_row(dice, &face, "", ground, ink),
    }
}

fn ground(dice: &mut Dice, end: End) -> Color {
    if dice.chance(end.yellow()) {
        rgb(dice.between(215.0, 250.0), dice.between(165.0, 200.0), dice.between(20.0, 70.0))
    } else {
        let v = dice.between(185.0, 252.0);
        rgb(v, v, v - dice.between(0.0, 14.0))
    }
}

fn one_row(dice: &mut Dice, face: &Face, row: &str, ground: Color, ink: Color) -> Plate {
    let height = dice.between(100.0, 128.0);
    let width = height * dice.between(3.85, 5.1);
    let letters = height * dice.between(0.56, 0.78);
    let top = (height - letters) * dice.between(0.35, 0.65);
    let mut drawing = start(dice, width, height, ground);
    let cell = Cell { x: width * 0.05, y: top, width: width * 0.9, height: letters };
    let spacing = dice.between(0.09, 0.3);
    let spacing =
        Spacing { between: spacing, gap: dice.between(0.22, 0.6), stretch: dice.between(0.85, 1.15) };
    drawing.row(face, row, cell, spacing, ink);
    bolts(&mut drawing, dice, width, height * 0.5, 0.04);
    wear::wear(&mut drawing, width, height, dice);
    let mark = Spelling::one(row).mark();
    Plate { width, height, layout: Layout::LightSingle, mark, face: drawing, foot: height - top - letters }
}

fn two_rows(dice: &mut Dice, face: &Face, upper: &str, lower: &str, ground: Color, ink: Color) -> Plate {
    let height = dice.between(170.0, 215.0);
    let width = height * dice.between(1.3, 1.9);
    let (letters, [top, second]) = place_rows(dice, height);
    let mut drawing = start(dice, width, height, ground);
    let inset = dice.between(0.03, 0.08);
    let row = |y: f32| Cell { x: width * inset, y, width: width * (1.0 - 2.0 * inset), height: letters };
    let spacing = dice.between(0.09, 0.22);
    // Four digits fill the width on most plates, and the letters above are as wide.
    let stretch = dice.between(0.95, 1.45);
    let above = Spacing { between: spacing * dice.between(1.0, 2.0), gap: 0.4, stretch };
    drawing.row(face, upper, row(top), above, ink);
    drawing.row(face, lower, row(second), Spacing { between: spacing, gap: 0.4, stretch }, ink);
    if upper.chars().count() <= 3 {
        bolts(&mut drawing, dice, width, top + letters * 0.4, 0.15);
    }
    wear::wear(&mut drawing, width, height, dice);
    let mark = Spelling::two(upper, lower).mark();
    Plate { width, height, layout: Layout::LightDouble, mark, face: drawing, foot: height - second - letters }
}

/// How high the letters of a plate of two rows are, and where its rows begin.
fn place_rows(dice: &mut Dice, height: f32) -> (f32, [f32; 2]) {
    let letters = height * dice.between(0.38, 0.475);
    // Rows nearly touch on most plates, and do on some.
    let between = height * dice.between(-0.02, 0.07);
    let top = ((height - 2.0 * letters - between) * dice.between(0.3, 0.7)).max(height * 0.01);
    (letters, [top, top + letters + between])
}

fn start(dice: &mut Dice, width: f32, height: f32, ground: Color) -> Drawing {
    let radius = dice.between(2.0, 14.0);
    let mut drawing = blank(width, height, radius, ground, shaded(ground, dice.between(0.85, 1.05)));
    if dice.chance(0.12) {
        let inset = dice.between(2.0, 6.0);
        let cell = Cell { x: inset, y: inset, width: width - 2.0 * inset, height: height - 2.0 * inset };
        drawing.outline(cell, radius, dice.between(1.5, 3.5), grey(dice.between(20.0, 160.0)));
    }
    drawing
}

fn bolts(drawing: &mut Drawing, dice: &mut Dice, width: f32, y: f32, inset: f32) {
    if dice.chance(0.3) {
        return;
    }
    let x = width * inset * dice.between(0.8, 1.4);
    let radius = dice.between(2.5, 6.0);
    let colour = faded(grey(dice.between(20.0, 200.0)), dice.between(0.5, 1.0));
    let y = y + dice.normal(4.0);
    for x in [x, width - x] {
        drawing.ellipse([x, y], [radius, radius], colour);
        if dice.chance(0.5) {
            drawing.ellipse([x + 1.0, y + 1.5], [radius * 0.6, radius * 0.6], faded(grey(30.0), 0.6));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn plates_are_white_in_front_and_yellow_behind_with_few_exceptions() {
        let yellow = |end: End| {
            let grounds = (0..1000).map(|item| ground(&mut dice(7, item), end));
            grounds.filter(|ground| ground.blue() < 0.5 * ground.red()).count()
        };
        assert!((5..60).contains(&yellow(End::Front)), "{} of 1000 in front", yellow(End::Front));
        assert!((890..960).contains(&yellow(End::Rear)), "{} of 1000 behind", yellow(End::Rear));
    }

    #[test]
    fn the_two_rows_touch_on_a_part_of_the_plates() {
        let touching = (0..1000).filter(|&item| {
            let (letters, [top, second]) = place_rows(&mut dice(8, item), 200.0);
            second <= top + letters
        });
        assert!((150..350).contains(&touching.count()));
    }
}
