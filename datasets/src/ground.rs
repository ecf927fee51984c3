//! What lies behind the vehicles: road with its markings, walls, fences, leaves, sky.

use clearance::geometry::{Point, Quad};
use tiny_skia::{Color, Pixmap, PixmapMut, Transform};

use crate::chance::{Dice, Grain, Roll};
use crate::drawing::{Drawing, grey, rgb, shaded};
use crate::lettering::Cell;
use crate::negative;
use crate::warp;

/// Fills a picture with a background: road below, something else above a horizon that may lie outside.
pub fn fill(picture: &mut Pixmap, dice: &mut Dice) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let horizon = h * if dice.chance(0.6) { dice.between(-1.5, 0.0) } else { dice.between(0.0, 0.55) };
    if horizon > 0.0 {
        above(picture, horizon, dice);
    }
    let tone = if dice.chance(0.85) { dice.between(60.0, 150.0) } else { dice.between(30.0, 220.0) };
    let mut road = Drawing::default();
    let cell = Cell { x: 0.0, y: horizon.max(0.0), width: w, height: h };
    road.shade(cell, 0.0, grey(tone * dice.between(0.85, 1.15)), grey(tone));
    road.paint(&mut picture.as_mut(), Transform::identity());
    markings(picture, horizon, dice);
    let strength = dice.log_between(1.5, 18.0);
    mottle(picture, strength, dice);
}

fn above(picture: &mut Pixmap, horizon: f32, dice: &mut Dice) {
    let (w, h) = (picture.width() as f32, horizon + 2.0);
    let mut d = Drawing::default();
    let whole = Cell { x: 0.0, y: 0.0, width: w, height: h };
    match dice.whole(0, 3) {
        0 => d.shade(whole, 0.0, rgb(200.0, 215.0, 235.0), grey(dice.between(190.0, 250.0))),
        1 => {
            let wall = negative::any_colour(dice);
            d.shade(whole, 0.0, wall, shaded(wall, 0.8));
            negative::grille(&mut d, whole, dice);
        }
        2 => leaves(&mut d, w, h, dice),
        _ => {
            let wall = negative::any_colour(dice);
            d.shade(whole, 0.0, wall, shaded(wall, 0.8));
            for _ in 0..dice.whole(1, 4) {
                let (width, height) = (w * dice.between(0.1, 0.5), h * dice.between(0.2, 0.8));
                let cell =
                    Cell { x: dice.between(0.0, w - width), y: dice.between(0.0, h - height), width, height };
                negative::thing(&mut d, cell, dice);
            }
        }
    }
    d.paint(&mut picture.as_mut(), Transform::identity());
}

fn leaves(d: &mut Drawing, w: f32, h: f32, dice: &mut Dice) {
    d.rectangle(Cell { x: 0.0, y: 0.0, width: w, height: h }, 0.0, rgb(40.0, 60.0, 30.0));
    for _ in 0..90 {
        let k = dice.between(0.3, 2.2);
        let at = [dice.between(0.0, w), dice.between(0.0, h)];
        let size = dice.between(2.0, 16.0);
        d.ellipse(at, [size * dice.between(0.5, 1.5), size], rgb(50.0 * k, 75.0 * k, 35.0 * k));
    }
}

/// Lane lines, arrows' worth of blocks, and the big characters painted on Hong Kong and mainland roads, laid
/// into the road's plane.
fn markings(picture: &mut Pixmap, horizon: f32, dice: &mut Dice) {
    let Some(mut sheet) = Pixmap::new(240, 240) else { return };
    let mut d = Drawing::default();
    let white = if dice.chance(0.8) { grey(dice.between(170.0, 245.0)) } else { rgb(220.0, 170.0, 40.0) };
    for _ in 0..dice.whole(0, 3) {
        let (x, lean) = (dice.between(0.0, 240.0), dice.normal(30.0));
        let width = dice.between(2.0, 9.0);
        let dashes = if dice.chance(0.5) { 6 } else { 1 };
        for i in 0..dashes {
            let (a, b) =
                (i as f32 / dashes as f32, (i as f32 + if dashes > 1 { 0.5 } else { 1.0 }) / dashes as f32);
            d.line(&[[x + lean * a, 240.0 * a], [x + lean * b, 240.0 * b]], width, white);
        }
    }
    for _ in 0..dice.whole(0, 3) {
        let size = dice.between(25.0, 100.0);
        let cell = Cell {
            x: dice.between(-20.0, 200.0),
            y: dice.between(0.0, 200.0),
            width: size * dice.between(1.0, 3.0),
            height: size,
        };
        negative::road_word(&mut d, cell, white, dice);
    }
    d.paint(&mut sheet.as_mut(), Transform::identity());
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let (near, far) = (w * dice.between(0.8, 2.5), w * dice.between(0.4, 1.2));
    let (shift, top) = (w * dice.between(-0.4, 0.4), horizon.max(-h * 0.4) + 2.0);
    let quad = Quad([
        Point::new(w / 2.0 - far / 2.0 + shift, top),
        Point::new(w / 2.0 + far / 2.0 + shift, top),
        Point::new(w / 2.0 + near / 2.0, h * dice.between(1.0, 1.3)),
        Point::new(w / 2.0 - near / 2.0, h * dice.between(1.0, 1.3)),
    ]);
    warp::blend(picture, &sheet, &quad);
}

/// Coarse and fine unevenness.
fn mottle(picture: &mut Pixmap, strength: f32, dice: &mut Dice) {
    let step = dice.whole(5, 40) as usize;
    let mut grain = Grain::from_dice(dice);
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let columns = w / step + 2;
    let lattice: Vec<f32> = (0..columns * (h / step + 2)).map(|_| grain.pair()[0] * strength).collect();
    let fine = dice.between(0.5, 7.0);
    for (y, row) in picture.data_mut().chunks_exact_mut(w * 4).enumerate() {
        let (cy, fy) = (y / step, (y % step) as f32 / step as f32);
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let (cx, fx) = (x / step, (x % step) as f32 / step as f32);
            let at = |dx: usize, dy: usize| lattice[(cy + dy) * columns + cx + dx];
            let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
            let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
            let change = upper + (lower - upper) * fy + grain.pair()[0] * fine;
            for v in &mut pixel[..3] {
                *v = (f32::from(*v) + change) as u8;
            }
        }
    }
}

/// A soft shadow on the road below a vehicle.
pub fn shadow(canvas: &mut PixmapMut<'_>, centre: [f32; 2], half: [f32; 2], dice: &mut Dice) {
    let mut d = Drawing::default();
    let darkness = dice.between(0.15, 0.4);
    for size in [1.15, 1.0, 0.85] {
        let mut colour = Color::BLACK;
        colour.set_alpha(darkness);
        d.ellipse(centre, [half[0] * size, half[1] * size], colour);
    }
    d.paint(canvas, Transform::identity());
}
