//! Pieces that several bodies share: paint, glass, lamps, tyres, clutter.

use tiny_skia::Color;

use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, faded, grey, rgb, shaded};
use crate::lettering::Cell;
use crate::negative;

/// A body's frame: parts of its width and height become millimetres.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Frame {
    /// The rectangle between two corners given as parts of the frame.
    pub(super) fn cell(self, x0: f32, y0: f32, x1: f32, y1: f32) -> Cell {
        Cell {
            x: x0 * self.width,
            y: y0 * self.height,
            width: (x1 - x0) * self.width,
            height: (y1 - y0) * self.height,
        }
    }

    /// Points given as parts of the frame.
    pub(super) fn points<const N: usize>(self, points: [[f32; 2]; N]) -> [[f32; 2]; N] {
        points.map(|[x, y]| [x * self.width, y * self.height])
    }
}

/// A paint colour: white, black and silver are the usual ones.
pub(super) fn paint(dice: &mut Dice) -> Color {
    match dice.weighted(&[0.36, 0.2, 0.18, 0.26]) {
        0 => grey(dice.between(205.0, 250.0)),
        1 => grey(dice.between(12.0, 50.0)),
        2 => grey(dice.between(90.0, 190.0)),
        _ => rgb(dice.between(10.0, 250.0), dice.between(10.0, 220.0), dice.between(10.0, 220.0)),
    }
}

/// Glass with what is seen in and through it.
pub(super) fn windscreen(d: &mut Drawing, corners: [[f32; 2]; 4], dice: &mut Dice) {
    let tone = dice.between(25.0, 170.0);
    let glass = rgb(tone * 0.85, tone, tone * dice.between(0.9, 1.1));
    d.polygon(&corners, shaded(glass, dice.between(0.8, 1.6)), shaded(glass, dice.between(0.5, 1.1)));
    let [a, b, c, e] = corners;
    let (left, right) = (a[0].max(e[0]), b[0].min(c[0]));
    let (top, bottom) = (a[1].max(b[1]), c[1].min(e[1]));
    let (w, h) = (right - left, bottom - top);
    for side in [0.25, 0.7] {
        // People, or the backs of seats.
        let at = [left + w * side, top + h * dice.between(0.55, 0.75)];
        d.ellipse(at, [w * 0.1, h * 0.3], faded(grey(dice.between(10.0, 120.0)), 0.6));
    }
    for _ in 0..dice.whole(0, 4) {
        let size = w * dice.between(0.03, 0.09);
        let x = if dice.chance(0.6) {
            right - size * dice.between(1.0, 2.5)
        } else {
            dice.between(left, right - size)
        };
        let y = if dice.chance(0.6) { top + size * 0.3 } else { bottom - size * 1.3 };
        negative::label(d, Cell { x, y, width: size, height: size * dice.between(0.5, 1.2) }, dice);
    }
    let wiper = grey(dice.between(5.0, 50.0));
    d.line(&[[left, bottom], [left + w * 0.45, bottom - h * 0.06]], h * 0.02, wiper);
    d.line(&[[left + w * 0.5, bottom], [left + w * 0.95, bottom - h * 0.06]], h * 0.02, wiper);
    if dice.chance(0.5) {
        let shine = [[left + w * 0.1, top], [left + w * 0.4, top], [left + w * 0.2, bottom], [left, bottom]];
        d.polygon(&shine, faded(grey(255.0), 0.25), faded(grey(255.0), 0.05));
    }
}

/// A headlamp on each side; gives their centres.
pub(super) fn lamps(
    d: &mut Drawing,
    frame: Frame,
    [x, y]: [f32; 2],
    [w, h]: [f32; 2],
    dice: &mut Dice,
) -> Vec<[f32; 2]> {
    let slant = dice.between(-0.3, 0.3) * h;
    let look = dice.clone();
    let body = grey(dice.between(130.0, 240.0));
    for mirrored in [false, true] {
        let mut same = look.clone();
        let put = |px: f32, py: f32| if mirrored { [1.0 - px, py] } else { [px, py] };
        let corners =
            frame.points([put(x, y - slant), put(x + w, y + slant), put(x + w, y + h), put(x, y + h * 0.8)]);
        d.polygon(&corners, body, shaded(body, 0.6));
        for i in 0..same.whole(1, 3) {
            let [[cx, cy]] = frame.points([put(x + w * (0.25 + 0.25 * i as f32), y + h * 0.5)]);
            let r = frame.height * h * same.between(0.2, 0.4);
            d.ellipse([cx, cy], [r, r], grey(same.between(30.0, 250.0)));
            d.ellipse([cx, cy], [r * 0.6, r * 0.6], grey(same.between(60.0, 255.0)));
            d.ellipse([cx - r * 0.3, cy - r * 0.3], [r * 0.25, r * 0.2], grey(255.0));
        }
    }
    frame.points([[x + w / 2.0, y + h / 2.0], [1.0 - x - w / 2.0, y + h / 2.0]]).to_vec()
}

/// Fog lamps or vents low on each side.
pub(super) fn fog_lamps(d: &mut Drawing, frame: Frame, [x, y]: [f32; 2], dice: &mut Dice) {
    let (w, h) = (dice.between(0.05, 0.12), dice.between(0.03, 0.07));
    let (dark, ring) = (grey(dice.between(5.0, 60.0)), grey(dice.between(80.0, 240.0)));
    for cx in [x, 1.0 - x] {
        d.rectangle(frame.cell(cx - w / 2.0, y - h / 2.0, cx + w / 2.0, y + h / 2.0), 30.0, dark);
        let [at] = frame.points([[cx, y]]);
        let r = h * frame.height * 0.35;
        d.ellipse(at, [r, r], ring);
        d.ellipse(at, [r * 0.6, r * 0.6], shaded(ring, 0.7));
    }
}

/// The recess in which a rear plate sits: darker or lighter than the panel, in the shade of the lamps' edge above it, often
/// with bright metal over or under it, and often so much wider than the plate that its own rim looks like one. `plates` is
/// what hangs in it.
pub(crate) fn recess(d: &mut Drawing, plates: Cell, dice: &mut Dice) {
    let wide = dice.chance(0.45);
    let side = if wide { dice.between(0.3, 1.3) } else { dice.between(0.05, 0.45) };
    let [side, above, below] =
        [side, dice.between(0.08, 0.5), dice.between(0.05, 0.4)].map(|part| plates.height * part);
    let cell = Cell {
        x: plates.x - side,
        y: plates.y - above,
        width: plates.width + 2.0 * side,
        height: plates.height + above + below,
    };
    let tone = if dice.chance(0.5) { dice.between(8.0, 70.0) } else { dice.between(70.0, 235.0) };
    let [dark, light] = [dice.between(0.3, 0.8), dice.between(0.8, 1.15)];
    let (top, foot) = (shaded(grey(tone), dark), shaded(grey(tone), light));
    if wide {
        pressed(d, cell, [top, foot], dice);
    } else {
        d.shade(cell, dice.between(4.0, 40.0), top, foot);
    }
    if dice.chance(0.5) {
        let metal = grey(dice.between(90.0, 250.0));
        let height = plates.height * dice.between(0.06, 0.25);
        let bar = Cell { y: cell.y - height, height, ..cell };
        d.shade(
            bar,
            height * 0.3,
            shaded(metal, dice.between(0.9, 1.2)),
            shaded(metal, dice.between(0.5, 1.0)),
        );
    }
    if dice.chance(0.3) {
        let height = plates.height * dice.between(0.03, 0.12);
        d.rectangle(Cell { y: cell.y + cell.height, height, ..cell }, 2.0, grey(dice.between(120.0, 250.0)));
    }
    for x in [cell.x + cell.width * 0.02, cell.x + cell.width * 0.93] {
        if dice.chance(0.2) {
            // A lamp, a lock or a bolt beside the plate.
            let r = plates.height * dice.between(0.05, 0.14);
            let y = cell.y + cell.height * dice.between(0.2, 0.8);
            d.ellipse([x + r, y], [r, r], grey(dice.between(5.0, 250.0)));
        }
    }
}

/// A recess pressed into the sheet: its sides slant, some of its edges are in the light and some in the shade.
fn pressed(d: &mut Drawing, cell: Cell, [top, foot]: [Color; 2], dice: &mut Dice) {
    let slant = cell.height * dice.between(0.0, 0.4);
    let (left, right, low) = (cell.x, cell.x + cell.width, cell.y + cell.height);
    let rim = [[left + slant, cell.y], [right - slant, cell.y], [right, low], [left, low]];
    d.polygon(&rim, top, foot);
    let strength = cell.height * dice.between(0.01, 0.05);
    for (i, corner) in rim.iter().enumerate() {
        let light = if dice.chance(0.6) { dice.between(0.2, 0.8) } else { dice.between(1.1, 1.7) };
        d.line(&[*corner, rim[(i + 1) % rim.len()]], strength, shaded(foot, light));
    }
}

/// Tyres and the shadow below the body.
pub(super) fn tyres(d: &mut Drawing, frame: Frame, dice: &mut Dice) {
    let top = dice.between(0.78, 0.85);
    d.rectangle(frame.cell(0.04, 0.88, 0.96, 0.985), 0.0, grey(dice.between(2.0, 25.0)));
    for x in [0.03, 0.84] {
        d.rectangle(frame.cell(x, top, x + 0.13, 1.0), 30.0, grey(dice.between(10.0, 40.0)));
    }
}

/// Words, stickers and signs here and there, none of which is a plate.
pub(super) fn clutter(d: &mut Drawing, area: Cell, most: i32, dice: &mut Dice) {
    for _ in 0..dice.whole(0, most) {
        let width = area.width * dice.between(0.08, 0.4);
        let height = (width * dice.between(0.12, 0.6)).min(area.height);
        let x = area.x + dice.between(0.0, area.width - width);
        let y = area.y + dice.between(0.0, area.height - height);
        let cell = Cell { x, y, width, height };
        match dice.weighted(&[0.6, 0.2, 0.2]) {
            0 => negative::lettering(d, cell, dice),
            1 => negative::sign(d, cell, dice),
            _ => negative::label(d, Cell { width: height, ..cell }, dice),
        }
    }
}
