//! Things on vehicles and roads that look a little like plates and are none: lettering, badges, lamps, grilles,
//! signs, labels.

use tiny_skia::{Color, Pixmap, Transform};

use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, Spacing, faded, grey, rgb, shaded};
use crate::lettering::{Cell, Face, Font, OutlineFace};
use crate::plate::text::pattern;

const WORDS: &str = "出境车車慢停巴士貨货右左转轉港澳道路口前方学學校公司有限集团運输輸中国國香深圳珠海大桥橋線线专用專入禁止高低速消防安全检查海关關通行";

/// Any colour, greys more often.
pub fn any_colour(dice: &mut Dice) -> Color {
    if dice.chance(0.6) {
        grey(dice.between(0.0, 255.0))
    } else {
        rgb(dice.between(0.0, 255.0), dice.between(0.0, 255.0), dice.between(0.0, 255.0))
    }
}

/// A picture filled with something that is no plate.
pub fn fill(picture: &mut Pixmap, dice: &mut Dice) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let mut drawing = Drawing::default();
    let ground = any_colour(dice);
    let whole = Cell { x: 0.0, y: 0.0, width: w, height: h };
    drawing.shade(whole, 0.0, ground, shaded(ground, dice.between(0.5, 1.3)));
    for _ in 0..dice.whole(1, 3) {
        let width = w * dice.between(0.3, 1.0);
        let height = h * dice.between(0.3, 1.0);
        let cell = Cell { x: dice.between(0.0, w - width), y: dice.between(0.0, h - height), width, height };
        thing(&mut drawing, cell, dice);
    }
    drawing.paint(&mut picture.as_mut(), Transform::identity());
}

/// One thing that is no plate, within a cell.
pub fn thing(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    match dice.whole(0, 9) {
        0 => grille(drawing, cell, dice),
        1 => lamp(drawing, cell, dice),
        2 => badge(drawing, cell, dice),
        3 | 4 => lettering(drawing, cell, dice),
        5 => sign(drawing, cell, dice),
        6 => label(drawing, cell, dice),
        7 => road_sign(drawing, cell, dice),
        8 => oval(drawing, cell, dice),
        _ => {
            let colour = any_colour(dice);
            drawing.shade(
                cell,
                dice.between(0.0, cell.height * 0.4),
                colour,
                shaded(colour, dice.between(0.4, 1.4)),
            );
        }
    }
}

/// Bars, upright or level.
pub fn grille(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let dark = dice.between(5.0, 70.0);
    let radius = dice.between(0.0, cell.height * 0.3);
    drawing.rectangle(cell, radius, grey(dark));
    let bright =
        grey(if dice.chance(0.6) { dice.between(120.0, 245.0) } else { dark + dice.between(15.0, 60.0) });
    let count = dice.whole(2, 9) as f32;
    let thickness = dice.between(0.15, 0.6);
    let upright = dice.chance(0.3);
    for i in 0..count as i32 {
        let part = (i as f32 + 0.5) / count;
        let bar = if upright {
            let width = cell.width / count * thickness;
            Cell { x: cell.x + cell.width * part - width / 2.0, width, ..cell }
        } else {
            let height = cell.height / count * thickness;
            Cell { y: cell.y + cell.height * part - height / 2.0, height, ..cell }
        };
        drawing.shade(bar, 0.0, bright, shaded(bright, dice.between(0.4, 1.0)));
    }
    if dice.chance(0.5) {
        drawing.outline(cell, radius, cell.height * dice.between(0.02, 0.08), bright);
    }
}

/// A headlight: a light body with reflectors in it.
pub fn lamp(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let body = grey(dice.between(120.0, 245.0));
    drawing.shade(cell, cell.height * 0.35, body, shaded(body, dice.between(0.4, 0.9)));
    let count = dice.whole(1, 3);
    for i in 0..count {
        let x = cell.x + cell.width * (i as f32 + 0.5) / count as f32;
        let y = cell.y + cell.height * dice.between(0.4, 0.6);
        let r = (cell.height * dice.between(0.2, 0.42)).min(cell.width / count as f32 * 0.45);
        drawing.ellipse([x, y], [r, r], grey(dice.between(30.0, 255.0)));
        drawing.ellipse([x, y], [r * 0.6, r * 0.6], grey(dice.between(30.0, 255.0)));
        drawing.ellipse([x - r * 0.2, y - r * 0.3], [r * 0.25, r * 0.2], grey(255.0));
    }
    drawing.outline(cell, cell.height * 0.35, cell.height * 0.05, grey(dice.between(20.0, 120.0)));
}

/// A maker's badge.
pub fn badge(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let centre = [cell.x + cell.width / 2.0, cell.y + cell.height / 2.0];
    let ry = cell.height / 2.0 * 0.9;
    let rx = (ry * dice.between(0.9, 1.7)).min(cell.width / 2.0);
    drawing.ellipse(centre, [rx, ry], grey(dice.between(10.0, 130.0)));
    let metal = grey(dice.between(150.0, 250.0));
    drawing.ring(centre, [rx * 0.92, ry * 0.92], ry * 0.17, metal);
    let arms = dice.whole(1, 4);
    let turn = dice.between(0.0, 3.2);
    for i in 0..arms {
        let (sin, cos) = (turn + i as f32 * std::f32::consts::TAU / arms as f32).sin_cos();
        let end = [centre[0] + cos * rx * 0.9, centre[1] + sin * ry * 0.9];
        drawing.line(&[centre, end], ry * dice.between(0.1, 0.25), metal);
    }
}

/// Words on paint or road, Latin or Chinese.
pub fn lettering(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let chinese = dice.chance(0.5);
    let colour = any_colour(dice);
    let text: String = if chinese {
        let words: Vec<char> = WORDS.chars().collect();
        (0..dice.whole(1, 7)).map(|_| *dice.pick(&words)).collect()
    } else {
        (0..dice.whole(2, 12))
            .map(|_| {
                if dice.chance(0.12) {
                    ' '
                } else {
                    char::from(*dice.pick(b"ABCDEFGHIJKLMNOPRSTUVWYZ0123456789"))
                }
            })
            .collect()
    };
    let font = if dice.chance(0.5) { Font::Cjk } else { Font::CjkBold };
    let face = Face::Outlines(if chinese { OutlineFace::plain(font) } else { OutlineFace::latin(dice) });
    let spacing = Spacing::plain(dice.between(0.05, 0.3), 0.4);
    drawing.row(&face, &text, cell, spacing, colour);
}

/// A word painted on the road.
pub fn road_word(drawing: &mut Drawing, cell: Cell, colour: Color, dice: &mut Dice) {
    let words: Vec<char> = WORDS.chars().collect();
    let text: String = (0..dice.whole(1, 3)).map(|_| *dice.pick(&words)).collect();
    let face = Face::Outlines(OutlineFace::plain(if dice.chance(0.5) { Font::Cjk } else { Font::CjkBold }));
    drawing.row(&face, &text, cell, Spacing::plain(0.15, 0.4), colour);
}

/// A sign or sticker: lettering on a panel of another shape than a plate's.
pub fn sign(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let colour = any_colour(dice);
    drawing.rectangle(cell, dice.between(0.0, cell.height * 0.3), colour);
    let rows = dice.whole(3, 5) as f32;
    for i in 0..rows as i32 {
        let height = cell.height / rows * 0.6;
        let y = cell.y + cell.height * (i as f32 + 0.2) / rows;
        let row = Cell { x: cell.x + cell.width * 0.08, y, width: cell.width * 0.84, height };
        lettering(drawing, row, dice);
    }
}

/// A road sign: a dark panel with one light word or two, each row of another size, and much room around them.
pub fn road_sign(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let height = cell.height.max(cell.width * 0.35);
    let panel = Cell { height, ..cell };
    let ground = rgb(dice.between(0.0, 60.0), dice.between(40.0, 120.0), dice.between(30.0, 160.0));
    drawing.rectangle(panel, height * 0.06, ground);
    let face = Face::Outlines(OutlineFace::latin(dice));
    let ink = grey(dice.between(200.0, 250.0));
    let mut y = panel.y + height * dice.between(0.06, 0.2);
    for _ in 0..dice.whole(1, 3) {
        let tall = height * dice.between(0.12, 0.26);
        let inset = panel.width * dice.between(0.08, 0.3);
        let row = Cell { x: panel.x + inset, y, width: panel.width - 2.0 * inset, height: tall };
        let form = *dice.pick(&["AAAAA", "AAAA AA", "AAAAAAA", "AAAA 00", "A00"]);
        let word = pattern(dice, form);
        drawing.row(&face, &word, row, Spacing::plain(0.14, 0.4), ink);
        y += tall * 1.35;
    }
    if dice.chance(0.6) {
        let rim = height * 0.03;
        let edge = Cell {
            x: panel.x + rim,
            y: panel.y + rim,
            width: panel.width - 2.0 * rim,
            height: height - 2.0 * rim,
        };
        drawing.outline(edge, height * 0.06, rim, ink);
    }
}

/// The oval sticker of a country, or a dealer's: letters in an ellipse.
pub fn oval(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    let height = cell.height.min(cell.width * 0.7);
    let (at, half) = ([cell.x + cell.width / 2.0, cell.y + height / 2.0], [cell.width / 2.0, height / 2.0]);
    let ground = dice.between(190.0, 250.0);
    drawing.ellipse(at, half, grey(ground));
    if dice.chance(0.6) {
        drawing.ring(at, half.map(|h| h * 0.93), height * 0.03, grey(30.0));
    }
    let form = *dice.pick(&["A", "AA", "AAA"]);
    let word = pattern(dice, form);
    let row = Cell {
        x: at[0] - half[0] * 0.6,
        y: at[1] - half[1] * 0.45,
        width: half[0] * 1.2,
        height: half[1] * 0.9,
    };
    let face = Face::Outlines(OutlineFace::latin(dice));
    drawing.row(&face, &word, row, Spacing::plain(0.14, 0.4), grey(dice.between(10.0, 60.0)));
}

/// A label behind a windscreen: a light square with a block of colour.
pub fn label(drawing: &mut Drawing, cell: Cell, dice: &mut Dice) {
    drawing.rectangle(cell, 2.0, grey(dice.between(170.0, 250.0)));
    let part = dice.between(0.2, 0.6);
    let block = Cell { height: cell.height * part, ..cell };
    let colour = any_colour(dice);
    drawing.rectangle(block, 2.0, faded(colour, dice.between(0.4, 1.0)));
    for i in 0..dice.whole(0, 4) {
        let y = cell.y + cell.height * (part + 0.1 + 0.1 * i as f32);
        drawing.line(&[[cell.x + 2.0, y], [cell.x + cell.width * 0.8, y]], cell.height * 0.03, grey(60.0));
    }
}
