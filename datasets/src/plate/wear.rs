//! What happens to a plate on the road: dirt, scratches, shadows. Never so much that the mark is lost, except
//! where that is asked for.

use super::Plate;
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, faded, grey, rgb};
use crate::lettering::Cell;

/// Wear over a finished face.
pub(super) fn wear(face: &mut Drawing, width: f32, height: f32, dice: &mut Dice) {
    if dice.chance(0.35) {
        let (depth, darkness) = (dice.between(0.1, 0.6) * height, dice.between(0.05, 0.35));
        let cell = Cell { x: 0.0, y: 0.0, width, height: depth };
        face.shade(cell, 0.0, faded(grey(0.0), darkness), faded(grey(0.0), 0.0));
    }
    if dice.chance(0.5) {
        let strongest = dice.between(0.05, 0.35);
        for _ in 0..dice.whole(1, 10) {
            smudge(face, width, height, height * 0.12, strongest, dice);
        }
    }
    if dice.chance(0.12) {
        for _ in 0..dice.whole(1, 4) {
            let (x, y) = (dice.between(0.0, width), dice.between(0.0, height));
            let end = [x + dice.normal(width * 0.12), y + dice.normal(height * 0.2)];
            face.line(&[[x, y], end], dice.between(0.8, 2.5), faded(grey(dice.between(40.0, 230.0)), 0.5));
        }
    }
}

fn smudge(face: &mut Drawing, width: f32, height: f32, size: f32, opacity: f32, dice: &mut Dice) {
    let shade = dice.between(30.0, 190.0);
    let colour = faded(rgb(shade, shade * 0.92, shade * 0.8), opacity * dice.between(0.3, 1.0));
    let size = size * dice.between(0.15, 1.0);
    let at = [dice.between(0.0, width), dice.between(0.0, height)];
    face.ellipse(at, [size * dice.between(0.6, 2.0), size], colour);
}

/// Mud over most of the plate, so that nobody can read the mark.
pub fn unreadable_dirt(plate: &mut Plate, dice: &mut Dice) {
    let (width, height) = (plate.width, plate.height);
    plate.face.rectangle(
        Cell { x: 0.0, y: height * 0.12, width, height: height * 0.8 },
        12.0,
        faded(rgb(96.0, 84.0, 68.0), 0.86),
    );
    for _ in 0..140 {
        let shade = dice.between(0.7, 1.25);
        let at = [dice.between(0.0, width), dice.between(0.0, height)];
        let size = height * dice.between(0.03, 0.16);
        plate.face.ellipse(
            at,
            [size * dice.between(0.7, 1.8), size],
            faded(rgb(98.0 * shade, 86.0 * shade, 70.0 * shade), dice.between(0.5, 0.95)),
        );
    }
}
