//! The stroke face: each character a few lines of even width, in the manner of British-type and mainland plate
//! lettering. Several forms of a character exist because plate makers differ.

use tiny_skia::{LineCap, LineJoin, Path, PathBuilder};

use super::{Cell, Shape, round_stroke};
use crate::chance::{Dice, Roll};

/// Stroke lettering with its weight, proportions and forms settled for one plate.
#[derive(Clone, Debug)]
pub struct StrokeFace {
    /// Stroke width as a part of the letter height.
    weight: f32,
    /// Factor on every natural width.
    spread: f32,
    /// One width for all characters (as mainland plates have), as a part of the height.
    fixed_width: Option<f32>,
    family: Family,
    cap: LineCap,
    join: LineJoin,
    /// Which form of each character this plate uses: a hash key.
    forms: u32,
    /// How far control points stray, as a part of the cell.
    wobble: [f32; 16],
}

/// Whose forms of the characters are drawn.
#[derive(Clone, Copy, Debug)]
enum Family {
    British,
    Mainland,
    American,
}

impl StrokeFace {
    /// Thin, wide, geometric: Hong Kong and the British family.
    pub fn british(dice: &mut Dice) -> Self {
        Self {
            weight: if dice.chance(0.15) { dice.between(0.15, 0.19) } else { dice.between(0.085, 0.15) },
            spread: dice.between(0.8, 1.12),
            fixed_width: None,
            ..Self::any(dice)
        }
    }

    /// Heavier and of one width: the mainland family.
    pub fn mainland(dice: &mut Dice) -> Self {
        Self {
            weight: dice.between(0.105, 0.16),
            spread: 1.0,
            fixed_width: Some(dice.between(0.46, 0.54)),
            family: Family::Mainland,
            ..Self::any(dice)
        }
    }

    /// Tall, narrow and of one width, with straight sides: the American dies.
    pub fn american(dice: &mut Dice) -> Self {
        Self {
            weight: dice.between(0.085, 0.15),
            spread: 1.0,
            fixed_width: Some(dice.between(0.38, 0.54)),
            family: Family::American,
            ..Self::any(dice)
        }
    }

    fn any(dice: &mut Dice) -> Self {
        let deviation = dice.between(0.0, 0.018);
        Self {
            weight: 0.13,
            spread: 1.0,
            fixed_width: None,
            family: Family::British,
            cap: if dice.chance(0.3) { LineCap::Round } else { LineCap::Butt },
            join: if dice.chance(0.4) { LineJoin::Round } else { LineJoin::Miter },
            forms: dice.whole(0, i32::MAX) as u32,
            wobble: std::array::from_fn(|_| dice.normal(deviation)),
        }
    }

    /// How wide the character is when it is one unit high.
    pub fn width(&self, c: char) -> f32 {
        if c == '1' || c == 'I' {
            let barred = if matches!(self.family, Family::American) { 2.7 } else { 2.1 };
            return self.weight * if self.form(c).len() < 14 { 1.05 } else { barred };
        }
        self.fixed_width.unwrap_or_else(|| natural_width(c) * self.spread)
    }

    /// The character's lines within its cell, the stroke's outer edge touching the cell.
    pub fn shape(&self, c: char, cell: Cell) -> Option<Shape> {
        let form = self.form(c);
        if form.is_empty() {
            return None;
        }
        let width = self.weight * cell.height;
        let inner = Cell {
            x: cell.x + width / 2.0,
            y: cell.y + width / 2.0,
            width: (cell.width - width).max(0.0),
            height: cell.height - width,
        };
        let path = trace(form, inner, &self.wobble, c as usize)?;
        Some(Shape { path, stroke: Some(round_stroke(width, self.cap, self.join)) })
    }

    fn form(&self, c: char) -> &'static str {
        let forms = match self.family {
            Family::British => forms(c),
            Family::Mainland => mainland_forms(c),
            Family::American => american_forms(c),
        };
        let Some(last) = forms.len().checked_sub(1) else { return "" };
        let key = self.forms.wrapping_mul(c as u32 | 1).rotate_left(c as u32 % 31) >> 7;
        // The first form is the usual one.
        forms[if key % 5 < 2 { 0 } else { key as usize / 5 % (last + 1) }]
    }
}

fn natural_width(c: char) -> f32 {
    match c {
        'W' => 0.86,
        'M' | 'Q' => 0.74,
        'O' | 'G' | 'A' => 0.71,
        'C' | 'V' | 'N' | 'X' | 'Y' | 'K' => 0.66,
        'D' | 'H' | 'U' | 'R' | 'T' => 0.62,
        'E' | 'F' | 'L' => 0.51,
        'J' => 0.47,
        _ => 0.57,
    }
}

/// The forms of the mainland plate letters where they differ: vertices at half height, a Q with its tail inside,
/// a D that is nearly a 0.
fn mainland_forms(c: char) -> &'static [&'static str] {
    match c {
        '0' => &["M 0 .28 C 0 -.09 1 -.09 1 .28 L 1 .72 C 1 1.09 0 1.09 0 .72 Z", "O .5 .5 .5 .5"],
        '3' => &[
            "M .03 .2 C .1 -.06 .95 -.1 .95 .25 C .95 .42 .7 .48 .4 .48 C .8 .48 1 .56 1 .74 C 1 1.1 .05 1.08 0 .78",
            "M .03 0 L .97 0 L .45 .4 C .85 .4 1 .52 1 .7 C 1 1.09 .06 1.1 0 .8",
        ],
        'D' => &[
            "M 0 0 L .5 0 C .9 0 1 .14 1 .3 L 1 .7 C 1 .86 .9 1 .5 1 L 0 1 Z",
            "M 0 0 L .6 0 C .95 0 1 .12 1 .24 L 1 .76 C 1 .88 .95 1 .6 1 L 0 1 Z",
        ],
        'M' => &[
            "M 0 1 L 0 0 L .5 .55 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .5 .42 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .5 .7 L 1 0 L 1 1",
        ],
        'W' => &[
            "M 0 0 L 0 1 L .5 .45 L 1 1 L 1 0",
            "M 0 0 L .12 1 L .5 .35 L .88 1 L 1 0",
            "M 0 0 L .25 1 L .5 .2 L .75 1 L 1 0",
        ],
        'Q' => &[
            "M 0 .28 C 0 -.09 1 -.09 1 .28 L 1 .72 C 1 1.09 0 1.09 0 .72 Z M .55 .7 L .98 1",
            "O .5 .5 .5 .5 M .5 .68 L .95 .98",
            "M 0 .28 C 0 -.09 1 -.09 1 .28 L 1 .72 C 1 1.09 0 1.09 0 .72 Z M .62 .74 L 1.04 1.02",
        ],
        'T' => &["M 0 0 L 1 0 M .5 0 L .5 1", "M .08 0 L .92 0 M .5 0 L .5 1"],
        c => forms(c),
    }
}

/// The forms of American dies where they differ: straight sides, the points of M and W short and between upright legs, a
/// barred I.
fn american_forms(c: char) -> &'static [&'static str] {
    match c {
        '0' | 'O' => &[
            "M 0 .22 C 0 -.06 1 -.06 1 .22 L 1 .78 C 1 1.06 0 1.06 0 .78 Z",
            "M 0 .16 C 0 .04 .15 0 .3 0 L .7 0 C .85 0 1 .04 1 .16 L 1 .84 C 1 .96 .85 1 .7 1 L .3 1 C .15 1 0 .96 0 .84 Z",
            "M 0 .3 C 0 -.09 1 -.09 1 .3 L 1 .7 C 1 1.09 0 1.09 0 .7 Z",
        ],
        '1' => &["M .5 0 L .5 1", "M 0 .16 L .5 0 L .5 1", "M .1 .14 L .5 0 L .5 1 M 0 1 L 1 1"],
        '3' => &[
            "M 0 .2 C .02 -.06 .98 -.08 .98 .24 C .98 .42 .75 .47 .4 .47 C .8 .47 1 .55 1 .74 C 1 1.08 0 1.08 0 .79",
            "M .03 0 L .97 0 L .45 .4 C .85 .4 1 .52 1 .72 C 1 1.09 .06 1.08 0 .8",
        ],
        '4' => &[
            "M .76 1 L .76 0 L 0 .7 L 1 .7",
            "M .72 1 L .72 0 L .6 0 L 0 .66 L 0 .72 L 1 .72",
            "M .3 0 L 0 .64 L 1 .64 M .74 .3 L .74 1",
        ],
        '6' => &[
            "M 1 .2 C .96 -.07 0 -.08 0 .24 L 0 .76 C 0 1.08 1 1.08 1 .76 L 1 .66 C 1 .34 .06 .36 0 .62",
            "M .8 0 C .3 .12 0 .4 0 .7 M 0 .7 O .5 .7 .5 .3",
        ],
        '7' => &["M 0 0 L 1 0 L .36 1", "M 0 0 L 1 0 L 1 .1 C .6 .45 .45 .7 .42 1"],
        '8' => &[
            "M .5 .47 C .06 .47 .06 0 .5 0 C .94 0 .94 .47 .5 .47 C -.17 .47 -.17 1 .5 1 C 1.17 1 1.17 .47 .5 .47",
            "O .5 .24 .47 .24 O .5 .74 .5 .26",
        ],
        '9' => &[
            "M 0 .8 C .04 1.07 1 1.08 1 .76 L 1 .24 C 1 -.08 0 -.08 0 .24 L 0 .34 C 0 .66 .94 .64 1 .38",
            "M .2 1 C .7 .88 1 .6 1 .3 M 1 .3 O .5 .3 .5 .3",
        ],
        'B' => &[
            "M .6 .47 C 1.13 .47 1.13 1 .6 1 L 0 1 L 0 0 L .58 0 C 1.08 0 1.08 .47 .6 .47 L 0 .47",
            "M .7 .48 C 1.05 .48 1 .6 1 .74 C 1 .96 .9 1 .7 1 L 0 1 L 0 0 L .66 0 C .88 0 .95 .08 .95 .24 C .95 .4 .88 .48 .7 .48 L 0 .48",
        ],
        'C' => &[
            "M 1 .26 C 1 -.08 0 -.08 0 .26 L 0 .74 C 0 1.08 1 1.08 1 .74",
            "M 1 .3 L 1 .18 C 1 .04 .85 0 .7 0 L .3 0 C .15 0 0 .04 0 .18 L 0 .82 C 0 .96 .15 1 .3 1 L .7 1 C .85 1 1 .96 1 .82 L 1 .7",
        ],
        'D' => mainland_forms(c),
        'G' => &[
            "M 1 .26 C 1 -.08 0 -.08 0 .26 L 0 .74 C 0 1.08 1 1.08 1 .74 L 1 .54 L .55 .54",
            "M 1 .26 C 1 -.08 0 -.08 0 .26 L 0 .74 C 0 1.06 .7 1.06 1 .86 L 1 .56 L .5 .56",
        ],
        'I' => &["M 0 0 L 1 0 M .5 0 L .5 1 M 0 1 L 1 1"],
        'J' => &["M 1 0 L 1 .74 C 1 1.08 0 1.08 0 .74", "M 1 0 L 1 .74 C 1 1.08 0 1.08 0 .74 L 0 .66"],
        'M' => &[
            "M 0 1 L 0 0 L .5 .5 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .5 .38 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .5 .62 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .1 0 L .5 .72 L .9 0 L 1 0 L 1 1",
        ],
        'Q' => &[
            "M 0 .26 C 0 -.08 1 -.08 1 .26 L 1 .74 C 1 1.08 0 1.08 0 .74 Z M .55 .72 L 1.02 1",
            "M 0 .26 C 0 -.08 1 -.08 1 .26 L 1 .74 C 1 1.08 0 1.08 0 .74 Z M .5 .8 L .92 1.04",
        ],
        'U' => &["M 0 0 L 0 .74 C 0 1.08 1 1.08 1 .74 L 1 0"],
        'V' => &["M 0 0 L .5 1 L 1 0", "M 0 0 L 0 .45 L .5 1 L 1 .45 L 1 0"],
        'W' => &[
            "M 0 0 L 0 1 L .5 .5 L 1 1 L 1 0",
            "M 0 0 L 0 1 L .5 .62 L 1 1 L 1 0",
            "M 0 0 L .08 1 L .5 .38 L .92 1 L 1 0",
            "M 0 0 L .22 1 L .5 .3 L .78 1 L 1 0",
        ],
        'Y' => {
            &["M 0 0 L .5 .45 L 1 0 M .5 .45 L .5 1", "M 0 0 L 0 .2 L .5 .56 L 1 .2 L 1 0 M .5 .56 L .5 1"]
        }
        c => forms(c),
    }
}

/// The lines of a character on a box from (0, 0) at the upper left to (1, 1). Commands: `M x y`, `L x y`,
/// `C x y x y x y`, `Z` as in SVG; `E cx cy rx ry from to` goes on along an ellipse between two angles in
/// degrees, clockwise from the right when `to` is larger; `O cx cy rx ry` is a closed ellipse of its own.
fn forms(c: char) -> &'static [&'static str] {
    match c {
        '0' => &["O .5 .5 .5 .5", "M 0 .34 C 0 -.11 1 -.11 1 .34 L 1 .66 C 1 1.11 0 1.11 0 .66 Z"],
        '1' => &["M .5 0 L .5 1", "M .5 0 L .5 1", "M 0 .2 L 1 0 L 1 1"],
        '2' => &[
            "M .02 .3 C .03 -.1 .97 -.1 .97 .28 C .97 .5 .6 .6 0 1 L 1 1",
            "E .5 .28 .48 .28 190 390 L 0 1 L 1 1",
            "M .03 .32 C .0 -.12 1.0 -.1 .96 .3 C .93 .52 .1 .7 .03 1 L 1 1",
        ],
        '3' => &[
            "M .03 .2 C .1 -.06 .93 -.1 .93 .24 C .93 .42 .7 .47 .38 .47 C .8 .47 1 .55 1 .74 C 1 1.1 .05 1.08 0 .78",
            "M .05 0 L .95 0 L .45 .4 C .8 .38 1 .5 1 .7 C 1 1.09 .08 1.1 0 .8",
            "M .05 0 L .93 0 L .4 .42 C .85 .4 1 .55 1 .71 C 1 1.1 .06 1.06 0 .82",
        ],
        '4' => &[
            "M .76 1 L .76 0 L 0 .72 L 1 .72",
            "M .8 1 L .8 0 L .68 0 L 0 .7 L 1 .7",
            "M .45 0 L 0 .72 L 1 .72 M .74 .36 L .74 1",
        ],
        '5' => &[
            "M .92 0 L .14 0 L .08 .46 C .3 .3 1 .3 1 .67 C 1 1.09 .1 1.1 0 .82",
            "M .95 0 L .08 0 L .08 .44 C .5 .34 1 .36 1 .68 C 1 1.1 .06 1.06 0 .8",
        ],
        '6' => &[
            "M .9 .13 C .68 -.07 0 -.1 0 .66 M 0 .66 E .5 .68 .5 .32 180 540",
            "M .62 0 L .1 .54 M .06 .6 O .5 .68 .5 .32",
            "M .7 0 C .3 .15 0 .4 0 .68 M 0 .68 O .5 .68 .5 .32",
        ],
        '7' => &["M 0 0 L 1 0 L .36 1", "M 0 0 L 1 0 C .7 .4 .5 .7 .42 1"],
        '8' => &["O .5 .25 .43 .25 O .5 .74 .5 .26", "O .5 .24 .47 .24 O .5 .74 .5 .26"],
        '9' => &[
            "M .1 .87 C .32 1.07 1 1.1 1 .34 M 1 .34 O .5 .32 .5 .32",
            "M .38 1 L .9 .46 M .9 .4 O .5 .32 .5 .32",
            "M .3 1 C .7 .85 1 .6 1 .32 M 1 .32 O .5 .32 .5 .32",
        ],
        'A' => &["M 0 1 L .5 0 L 1 1 M .17 .67 L .83 .67", "M 0 1 L .46 0 L .54 0 L 1 1 M .14 .7 L .86 .7"],
        'B' => &[
            "M .58 .47 C 1.1 .47 1.15 1 .56 1 L 0 1 L 0 0 L .52 0 C 1.02 0 1.02 .47 .58 .47 L 0 .47",
            "M .6 .5 C 1.12 .5 1.12 1 .6 1 L 0 1 L 0 0 L .6 0 C 1.08 0 1.08 .5 .6 .5 L 0 .5",
        ],
        'C' => &["E .54 .5 .54 .5 -48 -312", "M 1 .25 C .9 -.09 0 -.12 0 .42 L 0 .58 C 0 1.12 .9 1.09 1 .75"],
        'D' => &[
            "M 0 0 L .4 0 C 1.2 0 1.2 1 .4 1 L 0 1 Z",
            "M 0 0 L .55 0 C .9 0 1 .2 1 .4 L 1 .6 C 1 .8 .9 1 .55 1 L 0 1 Z",
        ],
        'E' => &["M 1 0 L 0 0 L 0 1 L 1 1 M 0 .48 L .86 .48", "M 1 0 L 0 0 L 0 1 L 1 1 M 0 .5 L .98 .5"],
        'F' => &["M 1 0 L 0 0 L 0 1 M 0 .48 L .86 .48", "M 1 0 L 0 0 L 0 1 M 0 .52 L .8 .52"],
        'G' => &[
            "E .51 .5 .51 .5 -46 -340 L .98 .56 L .56 .56",
            "E .51 .5 .51 .5 -46 -325 M .55 .57 L 1 .57 L 1 1",
            "M .97 .24 C .85 -.1 0 -.1 0 .45 L 0 .55 C 0 1.12 1 1.12 1 .7 L 1 .55 L .54 .55",
        ],
        'H' => &["M 0 0 L 0 1 M 1 0 L 1 1 M 0 .48 L 1 .48"],
        'I' => &["M .5 0 L .5 1"],
        'J' => &[
            "M 1 0 L 1 .7 C 1 1.1 .02 1.1 0 .74",
            "M .4 0 L 1 0 L 1 .7 C 1 1.1 .02 1.1 0 .74",
            "M 1 0 L 1 .68 C 1 1.0 .7 1.04 0 .98",
        ],
        'K' => &["M 0 0 L 0 1 M 1 0 L 0 .62 M .33 .42 L 1 1", "M 0 0 L 0 1 M .96 0 L .06 .5 L 1 1"],
        'L' => &["M 0 0 L 0 1 L 1 1"],
        'M' => &[
            "M 0 1 L 0 0 L .5 .68 L 1 0 L 1 1",
            "M 0 1 L 0 0 L .5 1 L 1 0 L 1 1",
            "M 0 1 L .06 0 L .5 .85 L .94 0 L 1 1",
        ],
        'N' => &["M 0 1 L 0 0 L 1 1 L 1 0"],
        'O' => &["O .5 .5 .5 .5", "M 0 .4 C 0 -.13 1 -.13 1 .4 L 1 .6 C 1 1.13 0 1.13 0 .6 Z"],
        'P' => &[
            "M 0 1 L 0 0 L .55 0 C 1.15 0 1.15 .55 .55 .55 L 0 .55",
            "M 0 1 L 0 0 L .6 0 C 1.13 0 1.13 .5 .6 .5 L 0 .5",
        ],
        'Q' => &[
            "O .5 .48 .5 .48 M .58 .66 L 1 1.03",
            "O .5 .48 .5 .48 M .5 .75 L .95 1.02",
            "O .5 .5 .5 .5 M .68 .7 L 1.06 .98",
        ],
        'R' => &[
            "M 0 1 L 0 0 L .55 0 C 1.13 0 1.13 .54 .55 .54 L 0 .54 M .5 .54 L 1 1",
            "M 0 1 L 0 0 L .6 0 C 1.12 0 1.12 .5 .6 .5 L 0 .5 M .62 .5 L .98 1",
        ],
        'S' => &[
            "M .96 .22 C .84 -.09 .04 -.1 .04 .26 C .04 .5 1 .44 1 .74 C 1 1.1 .08 1.08 0 .77",
            "M .94 .2 C .8 -.07 .03 -.08 .03 .25 C .03 .55 .98 .42 .98 .73 C .98 1.09 .12 1.08 .02 .8",
        ],
        'T' => &["M 0 0 L 1 0 M .5 0 L .5 1"],
        'U' => &["M 0 0 L 0 .64 C 0 1.12 1 1.12 1 .64 L 1 0", "M 0 0 L 0 .72 C 0 1.09 1 1.09 1 .72 L 1 0"],
        'V' => &["M 0 0 L .5 1 L 1 0", "M 0 0 L .46 1 L .54 1 L 1 0"],
        'W' => &[
            "M 0 0 L .27 1 L .5 .1 L .73 1 L 1 0",
            "M 0 0 L .25 1 L .5 0 L .75 1 L 1 0",
            "M 0 0 L .2 1 L .5 .4 L .8 1 L 1 0",
        ],
        'X' => &["M 0 0 L 1 1 M 1 0 L 0 1"],
        'Y' => &["M 0 0 L .5 .5 L 1 0 M .5 .5 L .5 1", "M 0 0 L .5 .58 L 1 0 M .5 .58 L .5 1"],
        'Z' => &["M 0 0 L 1 0 L 0 1 L 1 1", "M .04 0 L .97 0 L 0 1 L 1 1"],
        _ => &[],
    }
}

/// Builds the path of a form within a cell; each coordinate strays a little, always the same way for the same
/// character of the same plate.
fn trace(form: &str, cell: Cell, wobble: &[f32; 16], salt: usize) -> Option<Path> {
    let mut words = form.split_ascii_whitespace().peekable();
    let mut path = PathBuilder::new();
    let mut drawn = salt;
    let mut stray = || {
        drawn += 7;
        wobble[drawn % 16]
    };
    while let Some(command) = words.next() {
        let mut number = [0.0f32; 6];
        let mut count = 0;
        while let Some(value) = words.peek().and_then(|w| w.parse::<f32>().ok()) {
            if let Some(slot) = number.get_mut(count) {
                *slot = value;
            }
            count += 1;
            words.next();
        }
        if command == "E" || command == "O" {
            let [cx, cy, rx, ry, from, to] = number;
            let (from, to) = if command == "O" { (-90.0, 270.0) } else { (from, to) };
            let centre = [cx + stray() * 0.5, cy + stray() * 0.5];
            ellipse(&mut path, cell, centre, [rx, ry], from.to_radians()..to.to_radians(), command == "O");
            continue;
        }
        let at = |i: usize, s: f32| {
            (cell.x + (number[2 * i] + s) * cell.width, cell.y + (number[2 * i + 1] + s * 0.6) * cell.height)
        };
        match command {
            "M" => {
                let (x, y) = at(0, stray());
                path.move_to(x, y);
            }
            "L" => {
                let (x, y) = at(0, stray());
                path.line_to(x, y);
            }
            "C" => {
                let ((a, b), (c, d), (x, y)) = (at(0, stray()), at(1, stray()), at(2, stray()));
                path.cubic_to(a, b, c, d, x, y);
            }
            _ => path.close(),
        }
    }
    path.finish()
}

fn ellipse(
    path: &mut PathBuilder,
    cell: Cell,
    [cx, cy]: [f32; 2],
    [rx, ry]: [f32; 2],
    angles: std::ops::Range<f32>,
    alone: bool,
) {
    let place = |x: f32, y: f32| (cell.x + x * cell.width, cell.y + y * cell.height);
    let steps = ((angles.end - angles.start).abs() / 0.8).ceil().max(1.0);
    let step = (angles.end - angles.start) / steps;
    // The handle length that makes a cubic hug an arc of this angle.
    let handle = 4.0 / 3.0 * (step / 4.0).tan();
    let (sx, sy) = place(cx + rx * angles.start.cos(), cy + ry * angles.start.sin());
    if alone || path.last_point().is_none() {
        path.move_to(sx, sy);
    } else {
        path.line_to(sx, sy);
    }
    for i in 0..steps as usize {
        let a = angles.start + step * i as f32;
        let b = a + step;
        let (x1, y1) = place(cx + rx * (a.cos() - handle * a.sin()), cy + ry * (a.sin() + handle * a.cos()));
        let (x2, y2) = place(cx + rx * (b.cos() + handle * b.sin()), cy + ry * (b.sin() - handle * b.cos()));
        let (x, y) = place(cx + rx * b.cos(), cy + ry * b.sin());
        path.cubic_to(x1, y1, x2, y2, x, y);
    }
    if alone {
        path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn every_letter_and_digit_of_the_alphabet_has_lines_in_every_form() {
        let cell = Cell { x: 0.0, y: 0.0, width: 50.0, height: 100.0 };
        for c in clearance::mark::ALPHABET.into_iter().filter(char::is_ascii) {
            assert!(!forms(c).is_empty(), "{c}");
            for form in forms(c).iter().chain(mainland_forms(c)).chain(american_forms(c)) {
                let bounds = trace(form, cell, &[0.0; 16], 0).expect(form).compute_tight_bounds().unwrap();
                let inside = bounds.left() > -8.0 && bounds.right() < 58.0;
                assert!(inside && bounds.top() > -8.0 && bounds.bottom() < 108.0, "{c}: {bounds:?}");
            }
        }
    }

    #[test]
    fn a_one_is_a_bare_bar_and_strokes_are_thin_on_a_part_of_the_plates() {
        for (name, face) in [
            ("british", StrokeFace::british as fn(&mut Dice) -> StrokeFace),
            ("mainland", StrokeFace::mainland),
        ] {
            let faces: Vec<_> = (0..1000).map(|item| face(&mut dice(9, item))).collect();
            let bars = faces.iter().filter(|face| face.width('1') < face.weight * 1.5).count();
            assert!((400..950).contains(&bars), "{name}: {bars} bars of 1000");
            let thin = faces.iter().filter(|face| face.weight < 0.11).count();
            assert!(thin > 50, "{name}: {thin} thin of 1000");
        }
    }

    #[test]
    fn one_plate_draws_a_character_the_same_way_twice() {
        let face = StrokeFace::british(&mut dice(3, 0));
        let cell = Cell { x: 0.0, y: 0.0, width: 50.0, height: 100.0 };
        let draw = || face.shape('G', cell).expect("known").path;
        assert_eq!(draw(), draw());
    }
}
