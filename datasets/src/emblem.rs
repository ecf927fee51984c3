//! What plates of other places have between their groups and is no character: seals, coats of arms, pictures.

use tiny_skia::Color;

use crate::drawing::{Drawing, Spacing, faded, grey, rgb};
use crate::lettering::{Cell, Face};

/// Two seals one above the other.
pub(crate) fn seals(drawing: &mut Drawing, cell: Cell, colour: Color) {
    let r = cell.height * (0.1 + 0.07 * variant(cell.x));
    for y in [0.27, 0.73] {
        let at = [cell.x + cell.width / 2.0, cell.y + cell.height * y];
        drawing.ellipse(at, [r, r], faded(colour, 0.25 + 0.5 * variant(cell.x * 1.7)));
        drawing.ring(at, [r * 0.85, r * 0.85], r * 0.25, faded(colour, 0.5));
        drawing.ellipse(at, [r * 0.3, r * 0.5], faded(grey(200.0), 0.6));
    }
}

/// A coat of arms with a cross in it, often with the country's letters below, much smaller than the mark's.
pub(crate) fn shield(drawing: &mut Drawing, face: &Face, cell: Cell, colour: Color) {
    let lettered = variant(cell.x * 5.3) < 0.7;
    if lettered {
        let letter = |seed: f32| char::from(b'A' + (variant(cell.x * seed) * 25.9) as u8);
        let name: String = [letter(7.1), letter(9.7)].iter().collect();
        let at = Cell { y: cell.y + cell.height * 0.7, height: cell.height * 0.27, ..cell };
        drawing.row(face, &name, at, Spacing::plain(0.12, 0.3), colour);
    }
    let cell = if lettered { Cell { height: cell.height * 0.7, ..cell } } else { cell };
    let top = cell.y + cell.height * 0.12 * variant(cell.y);
    let low = top + cell.height * (0.55 + 0.35 * variant(cell.x));
    let (left, right) = (cell.x, cell.x + cell.width * 0.85);
    let (middle, side) = (f32::midpoint(left, right), top + (low - top) * 0.6);
    let shade = faded(colour, 0.35 + 0.5 * variant(cell.x * 2.3));
    drawing.polygon(&[[left, top], [right, top], [right, side], [middle, low], [left, side]], shade, shade);
    let at = |x: f32, y: f32| [left + (right - left) * x, top + (low - top) * y];
    for cross in [[at(0.5, 0.15), at(0.5, 0.75)], [at(0.28, 0.35), at(0.72, 0.35)]] {
        drawing.line(&cross, cell.width * 0.1, faded(grey(225.0), 0.8));
    }
}

/// The outline of a state, a star, a logo, a seal, fruit on its leaf: from a dot to what is wider than a letter and reaches
/// behind its neighbours.
pub(crate) fn picture(drawing: &mut Drawing, cell: Cell, colour: Color) {
    let kind = variant(cell.x * 4.7);
    let middle = [cell.x + cell.width / 2.0, cell.y + cell.height / 2.0];
    if kind < 0.4 {
        blotch(drawing, cell, middle, colour);
    } else if kind < 0.65 {
        fruit(drawing, cell, middle);
    } else if kind < 0.8 {
        star(
            drawing,
            middle,
            cell.width * (0.25 + 0.3 * variant(cell.y)),
            faded(colour, 0.5 + 0.5 * variant(cell.x)),
        );
    } else {
        tile(drawing, cell, middle, colour);
    }
}

/// A blotch with a point.
fn blotch(drawing: &mut Drawing, cell: Cell, middle: [f32; 2], colour: Color) {
    let tone = faded(colour, 0.25 + 0.45 * variant(cell.x));
    let w = cell.width * (0.25 + 0.3 * variant(cell.y));
    let h = cell.height * (0.15 + 0.25 * variant(cell.x * 3.1));
    drawing.ellipse(middle, [w, h], tone);
    let tip = [middle[0] + w * 0.5, middle[1] - h * 0.6];
    drawing.polygon(&[tip, [tip[0] + w, tip[1] + h], [tip[0] - w, tip[1] + h * 1.7]], tone, tone);
}

/// Two round fruits with leaves and a flower.
fn fruit(drawing: &mut Drawing, cell: Cell, middle: [f32; 2]) {
    let seen = 0.6 + 0.4 * variant(cell.y * 1.3);
    let r = cell.height * (0.16 + 0.16 * variant(cell.x * 2.9));
    let [x, y] = middle;
    let leaf = faded(rgb(20.0, 90.0 + 60.0 * variant(cell.x), 30.0), seen);
    let body = faded(rgb(230.0, 90.0 + 60.0 * variant(cell.y), 20.0), seen);
    for (turn, long) in [(-0.6, 1.3), (0.9, 1.1), (2.4, 1.2)] {
        let (sin, cos) = (turn + variant(cell.x * 6.1)).sin_cos();
        let tip = [x + cos * r * long * 1.3, y - sin * r * long * 1.3];
        drawing.polygon(
            &[[x - sin * r * 0.5, y - cos * r * 0.5], tip, [x + sin * r * 0.5, y + cos * r * 0.5]],
            leaf,
            leaf,
        );
    }
    let apart = r * 0.55;
    for (dx, dy, part) in [(-apart, apart * 0.5, 0.85), (apart * 0.7, -apart * 0.6, 0.75)] {
        drawing.ellipse([x + dx, y + dy], [r * part, r * part], body);
    }
    drawing.ellipse([x, y + r * 0.1], [r * 0.25, r * 0.2], faded(grey(240.0), seen));
}

/// A five-pointed star.
fn star(drawing: &mut Drawing, [x, y]: [f32; 2], reach: f32, tone: Color) {
    let points: [[f32; 2]; 10] = std::array::from_fn(|i| {
        let (sin, cos) = (i as f32 * std::f32::consts::PI / 5.0).sin_cos();
        let r = if i % 2 == 0 { reach } else { reach * 0.42 };
        [x + sin * r, y - cos * r]
    });
    drawing.polygon(&points, tone, tone);
}

/// A sticker or a small shield with a lighter thing in it.
fn tile(drawing: &mut Drawing, cell: Cell, [x, y]: [f32; 2], colour: Color) {
    let w = cell.width * (0.3 + 0.25 * variant(cell.y));
    let h = cell.height * (0.16 + 0.12 * variant(cell.x * 3.1));
    let tone = faded(colour, 0.3 + 0.6 * variant(cell.x));
    let body = Cell { x: x - w, y: y - h, width: w * 2.0, height: h * 2.0 };
    drawing.rectangle(body, w * 0.3, tone);
    drawing.ellipse([x, y], [w * 0.5, h * 0.5], faded(grey(230.0), 0.7));
    drawing.ellipse([x, y], [w * 0.25, h * 0.3], tone);
}

/// A number from 0 to 1 that looks random, from where something stands: emblems differ from plate to plate without a throw
/// of the dice, which would change every plate after them.
fn variant(place: f32) -> f32 {
    ((place * 12.9898).sin() * 43_758.547).rem_euclid(1.0)
}
