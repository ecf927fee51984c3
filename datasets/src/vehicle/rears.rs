//! Vehicles from the rear.

use super::body::{Frame, clutter, lamps, paint, recess, tyres, windscreen};
use super::{Hook, Shell};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, grey, rgb, shaded};
use crate::lettering::Cell;
use crate::negative;

pub(super) fn car(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 1800.0, height: dice.between(1450.0, 1900.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    let outline = [
        [0.16, 0.02],
        [0.84, 0.02],
        [0.95, 0.4],
        [1.0, 0.55],
        [0.98, 0.93],
        [0.02, 0.93],
        [0.0, 0.55],
        [0.05, 0.4],
    ];
    d.polygon(&frame.points(outline), shaded(colour, 1.1), shaded(colour, 0.7));
    windscreen(&mut d, frame.points([[0.2, 0.07], [0.8, 0.07], [0.9, 0.36], [0.1, 0.36]]), dice);
    if dice.chance(0.25) {
        // Words on the glass.
        clutter(&mut d, frame.cell(0.2, 0.12, 0.8, 0.34), 3, dice);
    }
    let y = dice.between(0.45, 0.58);
    let centres = tail_lamps(&mut d, frame, [0.03, y], dice);
    let badge = frame.cell(0.45, 0.42, 0.55, 0.48);
    negative::badge(&mut d, badge, dice);
    clutter(&mut d, frame.cell(0.1, 0.38, 0.9, 0.52), 2, dice);
    let steel = shaded(colour, dice.between(0.7, 1.1));
    d.shade(frame.cell(0.01, 0.72, 0.99, 0.94), 50.0, steel, shaded(steel, 0.7));
    for x in [0.06, 0.7] {
        if dice.chance(0.35) {
            // The maker's or the model's name in metal.
            let y = dice.between(0.56, 0.69);
            negative::lettering(&mut d, frame.cell(x, y, x + dice.between(0.1, 0.24), y + 0.035), dice);
        }
    }
    if dice.chance(0.2) {
        // What is stuck on a bumper.
        let x = dice.between(0.06, 0.7);
        negative::sign(&mut d, frame.cell(x, 0.76, x + dice.between(0.12, 0.2), 0.83), dice);
    }
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    let hooks = if dice.chance(0.75) {
        vec![at(0.5 + dice.normal(0.02), dice.between(0.55, 0.66)), at(0.5, dice.between(0.79, 0.85))]
    } else {
        vec![at(0.5 + dice.normal(0.02), dice.between(0.78, 0.85)), at(0.5, dice.between(0.55, 0.66))]
    };
    if dice.chance(0.6) {
        recess(&mut d, around(hooks[0], dice), dice);
    }
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}

/// Upright, with two doors that open in the middle or one that lifts.
pub(super) fn van(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 1850.0, height: dice.between(1850.0, 2350.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    d.shade(frame.cell(0.02, 0.01, 0.98, 0.93), 140.0, shaded(colour, 1.1), shaded(colour, 0.75));
    let foot = dice.between(0.36, 0.44);
    if dice.chance(0.8) {
        windscreen(&mut d, frame.points([[0.13, 0.09], [0.87, 0.09], [0.89, foot], [0.11, foot]]), dice);
    }
    let seam = shaded(colour, dice.between(0.3, 0.6));
    if dice.chance(0.5) {
        d.rectangle(frame.cell(0.475, 0.07, 0.525, foot + 0.02), 8.0, shaded(colour, 0.95));
        d.line(&frame.points([[0.5, 0.04], [0.5, 0.82]]), 9.0, seam);
    } else {
        d.line(&frame.points([[0.07, 0.82], [0.08, 0.06], [0.92, 0.06], [0.93, 0.82]]), 7.0, seam);
    }
    clutter(&mut d, frame.cell(0.2, foot + 0.02, 0.8, 0.55), 3, dice);
    negative::badge(&mut d, frame.cell(0.45, foot + 0.02, 0.55, foot + 0.08), dice);
    let y = dice.between(0.4, 0.56);
    let centres = tail_lamps(&mut d, frame, [0.03, y], dice);
    let steel = if dice.chance(0.5) { shaded(colour, 0.9) } else { grey(dice.between(20.0, 90.0)) };
    d.shade(frame.cell(0.01, 0.82, 0.99, 0.93), 40.0, steel, shaded(steel, 0.7));
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    // On the left door, in the middle above the bumper, or in it.
    let places = [at(0.34, 0.68), at(0.5 + dice.normal(0.01), dice.between(0.62, 0.72)), at(0.5, 0.85)];
    let first = dice.weighted(&[0.15, 0.65, 0.2]);
    let hooks = vec![places[first], places[(first + 1) % 3]];
    if dice.chance(0.4) {
        recess(&mut d, around(hooks[0], dice), dice);
    }
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}

/// A window high up, the engine's louvres below it.
pub(super) fn coach(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 2500.0, height: dice.between(3100.0, 3500.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    d.shade(frame.cell(0.02, 0.0, 0.98, 0.94), 180.0, shaded(colour, 1.1), shaded(colour, 0.8));
    if dice.chance(0.85) {
        let foot = dice.between(0.34, 0.46);
        windscreen(&mut d, frame.points([[0.08, 0.11], [0.92, 0.11], [0.93, foot], [0.07, foot]]), dice);
    }
    clutter(&mut d, frame.cell(0.2, 0.02, 0.8, 0.1), 2, dice);
    for _ in 0..dice.whole(0, 2) {
        let y = dice.between(0.48, 0.7);
        d.rectangle(frame.cell(0.02, y, 0.98, y + dice.between(0.01, 0.05)), 0.0, paint(dice));
    }
    clutter(&mut d, frame.cell(0.1, 0.47, 0.9, 0.56), 3, dice);
    if dice.chance(0.7) {
        negative::grille(&mut d, frame.cell(0.25, 0.57, 0.75, dice.between(0.63, 0.68)), dice);
    }
    let y = dice.between(0.56, 0.68);
    let centres = tail_lamps(&mut d, frame, [0.04, y], dice);
    let steel = shaded(colour, dice.between(0.6, 1.0));
    d.shade(frame.cell(0.02, 0.83, 0.98, 0.94), 60.0, steel, shaded(steel, 0.7));
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    let hooks = vec![at(0.5 + dice.normal(0.02), dice.between(0.74, 0.87)), at(0.5, 0.6)];
    if dice.chance(0.4) {
        recess(&mut d, around(hooks[0], dice), dice);
    }
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}

/// About the room that plates take at a hook.
fn around(Hook([x, y]): Hook, dice: &mut Dice) -> Cell {
    let (width, height) = (dice.between(300.0, 440.0), dice.between(110.0, 170.0));
    Cell { x: x - width / 2.0, y: y - height / 2.0, width, height }
}

fn tail_lamps(d: &mut Drawing, frame: Frame, [x, y]: [f32; 2], dice: &mut Dice) -> Vec<[f32; 2]> {
    let (w, h) = (dice.between(0.08, 0.2), dice.between(0.08, 0.16));
    let red = rgb(dice.between(120.0, 230.0), 25.0, 25.0);
    for left in [x, 1.0 - x - w] {
        d.shade(frame.cell(left, y, left + w, y + h), 30.0, red, shaded(red, 0.6));
        d.rectangle(
            frame.cell(left + w * 0.1, y + h * 0.4, left + w * 0.9, y + h * 0.6),
            10.0,
            grey(dice.between(160.0, 240.0)),
        );
    }
    frame.points([[x + w / 2.0, y + h / 2.0], [1.0 - x - w / 2.0, y + h / 2.0]]).to_vec()
}

pub(super) fn cargo(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 2500.0, height: dice.between(3300.0, 3900.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    d.shade(frame.cell(0.0, 0.0, 1.0, 0.8), 10.0, shaded(colour, 1.05), shaded(colour, 0.8));
    for i in 1..dice.whole(3, 14) {
        let x = i as f32 / 14.0;
        d.line(&frame.points([[x, 0.02], [x, 0.78]]), 18.0, shaded(colour, dice.between(0.6, 0.9)));
    }
    d.line(&frame.points([[0.5, 0.0], [0.5, 0.8]]), 14.0, grey(20.0));
    for x in [0.2, 0.4, 0.6, 0.8] {
        d.line(&frame.points([[x, 0.02], [x, 0.78]]), 26.0, grey(dice.between(110.0, 200.0)));
        let [[hx, hy]] = frame.points([[x, 0.55]]);
        d.rectangle(
            Cell { x: hx - 60.0, y: hy, width: 260.0, height: 40.0 },
            8.0,
            grey(dice.between(60.0, 200.0)),
        );
    }
    clutter(&mut d, frame.cell(0.05, 0.05, 0.95, 0.75), 6, dice);
    d.rectangle(frame.cell(0.0, 0.8, 1.0, 0.88), 6.0, grey(dice.between(15.0, 80.0)));
    for i in 0..10 {
        let (x, light) = (i as f32 / 10.0, i % 2 == 0);
        let tone = if light { rgb(230.0, 220.0, 210.0) } else { rgb(200.0, 40.0, 40.0) };
        d.rectangle(frame.cell(x, 0.885, x + 0.1, 0.905), 0.0, tone);
    }
    let centres = if dice.chance(0.5) {
        tail_lamps(&mut d, frame, [0.04, 0.81], dice)
    } else {
        lamps(&mut d, frame, [0.04, 0.81], [0.1, 0.05], dice)
    };
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    let hooks = vec![at(dice.between(0.3, 0.7), dice.between(0.82, 0.88)), at(dice.between(0.25, 0.75), 0.7)];
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}
