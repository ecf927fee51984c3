//! Plates: what is printed on one, drawn in millimetres, with the truth about its text.

mod american;
mod foreign;
mod hong_kong;
mod mainland;
pub mod text;
mod wear;

use clearance::mark::{ALPHABET, MAX_CHARACTERS};
use tiny_skia::Color;

use crate::chance::{Dice, Roll};
use crate::drawing::Drawing;
use crate::lettering::{Cell, Face, OutlineFace, StrokeFace};

pub use american::american;
pub use foreign::{elsewhere, foreign, macao};
pub use hong_kong::{End, Rows, hong_kong};
pub use mainland::{cross_boundary, ordinary_mainland};
pub use text::{Spelling, spelled};
pub use wear::unreadable_dirt;

/// The shape of a plate, which is what the detector tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One row of dark letters on a light ground (or another Latin single row).
    LightSingle = 0,
    /// Two rows of dark letters on a light ground.
    LightDouble = 1,
    /// The mainland form: light letters on a dark ground, one row.
    Mainland = 2,
}

/// A plate without its surroundings.
#[derive(Clone, Debug)]
pub struct Plate {
    /// Width in millimetres.
    pub width: f32,
    /// Height in millimetres.
    pub height: f32,
    /// Shape.
    pub layout: Layout,
    /// The characters in reading order, only those of the alphabet.
    pub mark: String,
    /// What is printed, the upper left corner at (0, 0).
    pub face: Drawing,
    /// Space between the lowest character and the lower edge, in millimetres: another plate may hide this much.
    pub foot: f32,
}

/// The mark as classes of the reader: `i + 1` for the alphabet's character `i`, 0 after the end.
pub fn classes_of(mark: &str) -> [u8; MAX_CHARACTERS] {
    let mut classes = [0; MAX_CHARACTERS];
    let known = mark.chars().filter_map(|c| ALPHABET.iter().position(|&a| a == c));
    for (class, index) in classes.iter_mut().zip(known) {
        *class = index as u8 + 1;
    }
    classes
}

/// A blank of the given size and colour with rounded corners.
fn blank(width: f32, height: f32, radius: f32, top: Color, bottom: Color) -> Drawing {
    let mut face = Drawing::default();
    face.shade(Cell { x: 0.0, y: 0.0, width, height }, radius, top, bottom);
    face
}

/// Lettering in the British manner, mostly drawn by strokes.
fn british_face(dice: &mut Dice) -> Face {
    if dice.chance(0.62) {
        Face::Strokes(StrokeFace::british(dice))
    } else {
        Face::Outlines(OutlineFace::latin(dice))
    }
}

/// Lettering in the American manner: narrow dies of strokes as often as fonts.
fn american_face(dice: &mut Dice) -> Face {
    if dice.chance(0.6) {
        Face::Strokes(StrokeFace::american(dice))
    } else {
        Face::Outlines(OutlineFace::american(dice))
    }
}

/// Lettering in the mainland manner.
fn mainland_face(dice: &mut Dice) -> Face {
    if dice.chance(0.62) {
        Face::Strokes(StrokeFace::mainland(dice))
    } else {
        Face::Outlines(OutlineFace::mainland(dice))
    }
}
