//! What plates of other places have between their groups and is no character: seals, coats of arms, pictures.

use tiny_skia::Color;

use crate::drawing::{Drawing, Spacing, faded, grey};
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

/// The outline of a state, a star, a logo: a blotch with a point.
pub(crate) fn picture(drawing: &mut Drawing, cell: Cell, colour: Color) {
    let tone = faded(colour, 0.25 + 0.45 * variant(cell.x));
    let middle = [cell.x + cell.width / 2.0, cell.y + cell.height / 2.0];
    let w = cell.width * (0.25 + 0.3 * variant(cell.y));
    let h = cell.height * (0.15 + 0.25 * variant(cell.x * 3.1));
    drawing.ellipse(middle, [w, h], tone);
    let tip = [middle[0] + w * 0.5, middle[1] - h * 0.6];
    drawing.polygon(&[tip, [tip[0] + w, tip[1] + h], [tip[0] - w, tip[1] + h * 1.7]], tone, tone);
}

/// A number from 0 to 1 that looks random, from where something stands: emblems differ from plate to plate without a throw
/// of the dice, which would change every plate after them.
fn variant(place: f32) -> f32 {
    ((place * 12.9898).sin() * 43_758.547).rem_euclid(1.0)
}
