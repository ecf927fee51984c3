//! Mainland plates after GA 36: the black cross-boundary plate, and the ordinary blue and green ones.

use tiny_skia::{Color, Stroke};

use super::text::{self, Spelling};
use super::{Layout, Plate, blank, mainland_face, wear};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, faded, grey, rgb};
use crate::lettering::{Cell, Face, Font, OutlineFace};

/// A black plate 粤Z····港 (or 澳), with the given text or a random one; `macao` is how often a random one
/// ends in 澳.
pub fn cross_boundary(dice: &mut Dice, spelling: Option<Spelling>, macao: f32) -> Plate {
    let spelling = spelling.unwrap_or_else(|| {
        let end = if dice.chance(macao) { '澳' } else { '港' };
        Spelling::one(format!("粤Z·{}{end}", text::four(dice)))
    });
    let dark = dice.between(6.0, 46.0);
    let ink = if dice.chance(0.15) { dice.between(130.0, 180.0) } else { dice.between(180.0, 252.0) };
    lettered(dice, &spelling, [grey(dark), grey(dark * 0.9)], grey(ink))
}

/// An ordinary blue or green Guangdong plate.
pub fn ordinary_mainland(dice: &mut Dice) -> Plate {
    let green = dice.chance(0.35);
    let spelling = text::guangdong(dice, green);
    if green {
        let ground = [rgb(205.0, 225.0, 205.0), rgb(70.0, 175.0, 100.0)];
        return lettered(dice, &spelling, ground, grey(25.0));
    }
    let k = dice.between(0.7, 1.2);
    let blue = rgb(25.0 * k, 70.0 * k, 170.0 * k);
    let ink = grey(dice.between(200.0, 250.0));
    lettered(dice, &spelling, [blue, blue], ink)
}

fn lettered(dice: &mut Dice, spelling: &Spelling, [top, bottom]: [Color; 2], ink: Color) -> Plate {
    let width = dice.between(425.0, 450.0);
    let height = width / dice.between(2.95, 3.3);
    let mut drawing = blank(width, height, dice.between(3.0, 12.0), top, bottom);
    border(&mut drawing, dice, width, height, ink);
    let letters = height * dice.between(0.57, 0.7);
    let y = (height - letters) * dice.between(0.42, 0.58);
    let text = spelling.rows.first().map_or("", String::as_str);
    letter(&mut drawing, dice, text, Cell { x: width * 0.03, y, width: width * 0.94, height: letters }, ink);
    bolts(&mut drawing, dice, width, height);
    wear::wear(&mut drawing, width, height, dice);
    Plate { width, height, layout: Layout::Mainland, mark: spelling.mark(), face: drawing, foot: 2.0 }
}

fn border(drawing: &mut Drawing, dice: &mut Dice, width: f32, height: f32, ink: Color) {
    let inset = dice.between(2.0, 8.0);
    let cell = Cell { x: inset, y: inset, width: width - 2.0 * inset, height: height - 2.0 * inset };
    drawing.outline(
        cell,
        dice.between(2.0, 10.0),
        dice.between(1.5, 4.5),
        faded(ink, dice.between(0.35, 1.0)),
    );
}

/// Letters of one width with even gaps, a wider one at the dot, Chinese characters in cells of their own.
fn letter(drawing: &mut Drawing, dice: &mut Dice, text: &str, cell: Cell, ink: Color) {
    let face = mainland_face(dice);
    let chinese =
        Face::Outlines(OutlineFace::plain(if dice.chance(0.65) { Font::CjkBold } else { Font::Cjk }));
    let (narrow, low) = (dice.between(0.36, 0.5), dice.between(0.82, 1.02));
    let with_dot = dice.chance(0.93);
    // Pressed and repainted plates have their Chinese characters half closed.
    let melted = if dice.chance(0.5) { dice.between(1.0, 5.0) } else { 0.0 };
    let gap = dice.between(0.1, 0.16);
    let step = |c: char| match c {
        '·' => gap * 1.4,
        c if c.is_ascii() => 0.5 + gap,
        _ => narrow + gap,
    };
    let total = (text.chars().map(step).sum::<f32>() - gap) * cell.height;
    let squeeze = (cell.width / total).min(1.0);
    let unit = cell.height * squeeze;
    let mut x = cell.x + (cell.width - total * squeeze) / 2.0;
    for c in text.chars() {
        let space = (step(c) - gap) * unit;
        let at = match c {
            '·' => Cell { x: x - gap * unit * 0.5, width: step(c) * unit, ..cell },
            c if c.is_ascii() => {
                let width = (face.width(c) * unit).min(space);
                Cell { x: x + (space - width) / 2.0, width, ..cell }
            }
            _ => Cell {
                x,
                y: cell.y + cell.height * (1.0 - low) * 0.5,
                width: space,
                height: cell.height * low,
            },
        };
        if c != '·' || with_dot {
            drawing.character(if c.is_ascii() { &face } else { &chinese }, c, at, ink);
            if melted > 0.0
                && !c.is_ascii()
                && let Some(mut shape) = chinese.shape(c, at)
            {
                shape.stroke = Some(Stroke { width: melted, ..Stroke::default() });
                drawing.shape(shape, faded(ink, 0.7));
            }
        }
        x += step(c) * unit;
    }
}

fn bolts(drawing: &mut Drawing, dice: &mut Dice, width: f32, height: f32) {
    if dice.chance(0.5) {
        return;
    }
    let radius = dice.between(2.5, 6.0);
    let colour = faded(grey(dice.between(90.0, 220.0)), dice.between(0.4, 1.0));
    for x in [0.26, 0.74] {
        for y in [0.09, 0.91] {
            if dice.chance(0.7) {
                drawing.ellipse([width * x, height * y], [radius, radius], colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn three_in_ten_cross_boundary_plates_are_those_of_macao() {
        let marks: Vec<_> =
            (0..500).map(|item| cross_boundary(&mut dice(10, item), None, 0.3).mark).collect();
        assert!(marks.iter().all(|mark| mark.starts_with("粤Z") && mark.ends_with(['港', '澳'])));
        let macao = marks.iter().filter(|mark| mark.ends_with('澳')).count();
        assert!((110..190).contains(&macao), "{macao} of 500");
        assert!(marks.iter().any(|mark| mark.contains('Q')), "no Q on 500 plates");
    }
}
