//! Vehicles from the front.

use super::body::{Frame, clutter, fog_lamps, lamps, paint, tyres, windscreen};
use super::{Hook, Shell};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, faded, grey, shaded};
use crate::lettering::Cell;
use crate::negative;

pub(super) fn car(dice: &mut Dice, width: f32, height: f32) -> Shell {
    let frame = Frame { width, height };
    let mut d = Drawing::default();
    let colour = paint(dice);
    let dark = shaded(colour, dice.between(0.55, 0.8));
    tyres(&mut d, frame, dice);
    let roof = dice.between(0.12, 0.2);
    let outline = [
        [roof, 0.02],
        [1.0 - roof, 0.02],
        [0.95, 0.42],
        [1.0, 0.56],
        [0.99, 0.9],
        [0.93, 0.95],
        [0.07, 0.95],
        [0.01, 0.9],
        [0.0, 0.56],
        [0.05, 0.42],
    ];
    d.polygon(&frame.points(outline), shaded(colour, 1.1), dark);
    for x in [-0.07, 0.97] {
        d.rectangle(frame.cell(x, 0.36, x + 0.1, 0.43), 60.0, shaded(colour, 0.9));
    }
    if dice.chance(0.3) {
        d.rectangle(frame.cell(0.3, 0.03, 0.7, 0.07), 20.0, grey(dice.between(20.0, 120.0)));
    }
    windscreen(
        &mut d,
        frame.points([[roof + 0.02, 0.07], [0.98 - roof, 0.07], [0.92, 0.39], [0.08, 0.39]]),
        dice,
    );
    bonnet(&mut d, frame, colour, dice);
    let centres = {
        let place = [dice.between(0.01, 0.05), dice.between(0.54, 0.59)];
        let size = [dice.between(0.16, 0.26), dice.between(0.06, 0.1)];
        lamps(&mut d, frame, place, size, dice)
    };
    let low = dice.between(0.67, 0.73);
    negative::grille(&mut d, frame.cell(0.27, 0.56, 0.73, low - dice.between(0.0, 0.03)), dice);
    let badge = Cell { width: width * 0.12, height: height * 0.07, ..frame.cell(0.44, 0.58, 0.56, 0.65) };
    negative::badge(&mut d, badge, dice);
    bumper(&mut d, frame, low, shaded(colour, dice.between(0.8, 1.05)), dice);
    let low_lamps = [dice.between(0.1, 0.16), dice.between(0.79, 0.85)];
    fog_lamps(&mut d, frame, low_lamps, dice);
    let hook = |x: f32, y: f32| Hook([x * width, y * height]);
    let x = if dice.chance(0.8) { 0.5 + dice.normal(0.015) } else { dice.between(0.25, 0.75) };
    let hooks = vec![hook(x, dice.between(0.74, 0.84)), hook(dice.between(0.2, 0.3), 0.8)];
    Shell { width, height, drawing: d, lamps: centres, hooks }
}

fn bonnet(d: &mut Drawing, frame: Frame, colour: tiny_skia::Color, dice: &mut Dice) {
    let light = shaded(colour, dice.between(1.0, 1.25));
    d.polygon(
        &frame.points([[0.09, 0.41], [0.91, 0.41], [0.8, 0.55], [0.2, 0.55]]),
        light,
        shaded(colour, 0.9),
    );
    let crease = faded(grey(dice.between(0.0, 255.0)), 0.35);
    for x in [0.2, 0.8] {
        d.line(&frame.points([[x, 0.41], [0.5 + (x - 0.5) * 0.8, 0.55]]), 8.0, crease);
    }
}

fn bumper(d: &mut Drawing, frame: Frame, top: f32, colour: tiny_skia::Color, dice: &mut Dice) {
    d.shade(frame.cell(0.02, top, 0.98, 0.93), 60.0, colour, shaded(colour, 0.75));
    let opening = frame.cell(0.15, dice.between(0.78, 0.82), 0.85, dice.between(0.86, 0.9));
    if dice.chance(0.7) {
        negative::grille(d, opening, dice);
    }
    if dice.chance(0.3) {
        d.rectangle(frame.cell(0.1, top + 0.02, 0.9, top + 0.035), 4.0, grey(dice.between(150.0, 250.0)));
    }
    clutter(d, frame.cell(0.1, top, 0.9, 0.92), 1, dice);
}

pub(super) fn truck(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 2490.0, height: dice.between(2700.0, 3600.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    if dice.chance(0.5) {
        // The box or container behind the cab.
        let panel = paint(dice);
        d.shade(frame.cell(-0.02, -0.12, 1.02, 0.6), 20.0, panel, shaded(panel, 0.8));
    }
    d.shade(frame.cell(0.03, 0.06, 0.97, 0.8), 120.0, shaded(colour, 1.1), shaded(colour, 0.85));
    clutter(&mut d, frame.cell(0.1, 0.07, 0.9, 0.18), 2, dice);
    for x in [-0.1, 1.02] {
        d.rectangle(frame.cell(x, 0.24, x + 0.08, 0.46), 40.0, grey(dice.between(5.0, 60.0)));
    }
    windscreen(&mut d, frame.points([[0.07, 0.2], [0.93, 0.2], [0.96, 0.47], [0.04, 0.47]]), dice);
    clutter(&mut d, frame.cell(0.1, 0.49, 0.9, 0.57), 2, dice);
    let low = dice.between(0.7, 0.76);
    negative::grille(&mut d, frame.cell(0.14, dice.between(0.56, 0.6), 0.86, low), dice);
    negative::badge(&mut d, frame.cell(0.44, 0.57, 0.56, 0.63), dice);
    let steel = if dice.chance(0.5) { colour } else { grey(dice.between(20.0, 120.0)) };
    d.shade(frame.cell(0.0, low + 0.01, 1.0, 0.94), 60.0, steel, shaded(steel, 0.7));
    let place = [dice.between(0.03, 0.08), dice.between(0.79, 0.82)];
    let size = [dice.between(0.12, 0.2), dice.between(0.05, 0.08)];
    let centres = lamps(&mut d, frame, place, size, dice);
    if dice.chance(0.5) {
        negative::grille(&mut d, frame.cell(0.28, 0.87, 0.72, 0.92), dice);
    }
    clutter(&mut d, frame.cell(0.25, low + 0.01, 0.75, 0.8), 1, dice);
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    let x = if dice.chance(0.7) { 0.5 + dice.normal(0.03) } else { dice.between(0.3, 0.7) };
    let hooks = vec![at(x, dice.between(0.82, 0.89)), at(dice.between(0.3, 0.7), dice.between(0.62, 0.72))];
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}

pub(super) fn coach(dice: &mut Dice) -> Shell {
    let frame = Frame { width: 2500.0, height: dice.between(3100.0, 3500.0) };
    let mut d = Drawing::default();
    let colour = paint(dice);
    tyres(&mut d, frame, dice);
    d.shade(frame.cell(0.02, 0.0, 0.98, 0.94), 200.0, shaded(colour, 1.1), shaded(colour, 0.9));
    windscreen(&mut d, frame.points([[0.05, 0.12], [0.95, 0.12], [0.97, 0.63], [0.03, 0.63]]), dice);
    clutter(&mut d, frame.cell(0.2, 0.02, 0.8, 0.11), 2, dice);
    for _ in 0..dice.whole(0, 3) {
        let stripe = paint(dice);
        let y = dice.between(0.64, 0.8);
        d.rectangle(frame.cell(0.02, y, 0.98, y + dice.between(0.01, 0.05)), 0.0, stripe);
    }
    clutter(&mut d, frame.cell(0.15, 0.64, 0.85, 0.78), 3, dice);
    negative::badge(&mut d, frame.cell(0.45, 0.72, 0.55, 0.77), dice);
    let place = [dice.between(0.04, 0.08), dice.between(0.78, 0.83)];
    let size = [dice.between(0.14, 0.24), dice.between(0.04, 0.07)];
    let centres = lamps(&mut d, frame, place, size, dice);
    fog_lamps(&mut d, frame, [0.14, 0.9], dice);
    let at = |x: f32, y: f32| Hook([x * frame.width, y * frame.height]);
    let hooks = vec![at(0.5 + dice.normal(0.03), dice.between(0.82, 0.91)), at(0.5, 0.7)];
    Shell { width: frame.width, height: frame.height, drawing: d, lamps: centres, hooks }
}
