//! The camera: what lens, weather, sensor and compression do to a grey picture.

mod exposure;
mod filter;
mod weather;

use clearance::picture::Luma;
use tiny_skia::Pixmap;

use crate::chance::{Dice, Roll};
pub(crate) use filter::shake;
pub use weather::add_light;
pub(crate) use weather::thrown_back;

/// A grey picture while it is being worked on: values of about 0 to 255, not yet rounded or clipped.
#[derive(Clone, Debug)]
pub struct Grey {
    /// Values, row by row.
    pub values: Vec<f32>,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Grey {
    /// The luma (BT.601) of a painted picture.
    pub fn from_pixmap(pixmap: &Pixmap) -> Self {
        let values = pixmap
            .data()
            .chunks_exact(4)
            .map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]))
            .collect();
        Self { values, width: pixmap.width() as usize, height: pixmap.height() as usize }
    }

    /// Rounded and clipped to bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().map(|v| (v + 0.5) as u8).collect()
    }

    /// As a finished picture; `None` when it has no pixels.
    pub fn to_luma(&self) -> Option<Luma> {
        Luma::new(self.to_bytes(), self.width, self.height).ok()
    }
}

/// How hard the picture is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difficulty {
    /// As most pictures from the lane are.
    Usual,
    /// Night, infrared, rain, glare, or a coarse sensor: still readable.
    Hard,
}

/// Share of hard pictures.
pub const HARD: f32 = 0.36;

impl Difficulty {
    /// As hard as [`HARD`] says.
    pub fn roll(dice: &mut Dice) -> Self {
        if dice.chance(HARD) { Self::Hard } else { Self::Usual }
    }
}

/// What the camera must not destroy: the size of a character in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Legibility {
    /// Width of the narrowest usual character.
    pub width: f32,
    /// Height of a character.
    pub height: f32,
}

/// Takes the picture: every effect is drawn from `dice` and kept within what leaves the characters readable.
pub fn photograph(grey: &mut Grey, difficulty: Difficulty, keep: Legibility, dice: &mut Dice) {
    let hard = difficulty == Difficulty::Hard;
    if dice.chance(0.25) {
        exposure::uneven_light(grey, dice);
    }
    let weather = if hard { weather::strike(grey, dice) } else { weather::Weather::Fair };
    blur(grey, hard, keep, dice);
    exposure::expose(grey, weather, dice);
    let contrast = exposure::meter(grey);
    let noise = match (hard, dice.chance(0.6)) {
        (_, true) => dice.between(0.3, 2.5),
        (false, false) => dice.between(1.0, 6.0),
        (true, false) => dice.between(3.0, 11.0),
    }
    .min(contrast * 0.2);
    exposure::grain(grey, noise, dice);
    if dice.chance(0.5) {
        let threshold = dice.between(8.0, 30.0);
        filter::smooth(grey, threshold.max(noise * 2.0));
        if dice.chance(0.3) {
            filter::smooth(grey, threshold);
        }
    }
    if dice.chance(0.45) {
        let most = if dice.chance(0.25) { 2.2 } else { 1.1 };
        filter::sharpen(grey, dice.between(0.2, most));
    }
    if dice.chance(0.1) && keep.width > 9.0 {
        filter::jag(grey, dice.between(0.55, 0.9));
    }
    if dice.chance(0.06) {
        filter::comb(grey, keep.width * dice.between(0.03, 0.14), dice.whole(1, 3) as usize);
    }
    if dice.chance(0.55) {
        // A few so strongly that blocks stand in the letters, as on pictures saved twice for the web.
        let quality = match dice.weighted(&[0.82, 0.18]) {
            0 if hard => dice.whole(35, 90),
            0 => dice.whole(45, 96),
            _ => dice.whole(if keep.height > 14.0 { 8 } else { 18 }, 40),
        };
        filter::compress(grey, quality as u8);
    }
}

/// Lens blur, and the shake of a camera or vehicle; where there is much of one there is little of the other.
fn blur(grey: &mut Grey, hard: bool, keep: Legibility, dice: &mut Dice) {
    // A deviation of about a sixth of a character's width leaves it readable.
    let room = (keep.width.min(keep.height * 0.7) * 0.16).clamp(0.3, 3.0);
    if dice.chance(0.42) {
        filter::gaussian(grey, (room * dice.between(0.0, 0.5)).clamp(0.25, 1.2));
        // Mostly up and down: vehicles rock, and a moving one comes towards the camera.
        let angle = if dice.chance(0.85) { 90.0 + dice.normal(22.0) } else { dice.between(0.0, 180.0) };
        let across = angle.to_radians().cos().abs() / (keep.width * 0.33)
            + angle.to_radians().sin().abs() / (keep.height * 0.34);
        // Past 1 the thin strokes that lie along the motion's normal are all but gone, as on many photographs of
        // lanes; what is left of the others still tells the characters apart.
        let length = (1.0 / across).min(28.0) * dice.between(0.15, 1.3);
        filter::shake(grey, length, angle, dice);
    } else {
        let sharpness = if hard { dice.between(0.2, 1.0) } else { dice.between(0.0, 0.8) };
        filter::gaussian(grey, (room * sharpness).clamp(0.25, 2.4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn a_photograph_keeps_its_size_and_some_contrast() {
        for item in 0..60 {
            let values = (0..90 * 40).map(|i| if i / 6 % 2 == 0 { 30.0 } else { 220.0 }).collect();
            let mut grey = Grey { values, width: 90, height: 40 };
            let difficulty = if item % 2 == 0 { Difficulty::Hard } else { Difficulty::Usual };
            photograph(&mut grey, difficulty, Legibility { width: 12.0, height: 24.0 }, &mut dice(6, item));
            assert_eq!(grey.values.len(), 90 * 40);
            let (low, high) =
                grey.values.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            assert!(high - low > 20.0, "item {item}: from {low} to {high}");
        }
    }
}
