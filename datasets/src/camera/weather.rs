//! The hard conditions: night with lamps, infrared, rain, low sun.

use super::Grey;
use crate::chance::{Dice, Roll};

/// The condition a picture was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    Fair,
    Night,
    Infrared,
    Rain,
    Glare,
}

/// Picks a condition and puts it into the picture; exposure follows it later.
pub(super) fn strike(grey: &mut Grey, dice: &mut Dice) -> Weather {
    match dice.weighted(&[0.22, 0.22, 0.22, 0.22, 0.12]) {
        0 => {
            night(grey, dice);
            Weather::Night
        }
        1 => {
            infrared(grey, dice);
            Weather::Infrared
        }
        2 => {
            rain(grey, dice);
            Weather::Rain
        }
        3 => {
            glare(grey, dice);
            Weather::Glare
        }
        _ => Weather::Fair,
    }
}

fn night(grey: &mut Grey, dice: &mut Dice) {
    let dim = dice.between(0.35, 0.65);
    grey.values.iter_mut().for_each(|v| *v *= dim);
    if dice.chance(0.5) {
        // A lamp close by: bright, with a wide halo.
        let at = [dice.between(-0.2, 1.2), dice.between(-0.3, 0.4)];
        light(grey, at, dice.between(0.05, 0.25), dice.between(60.0, 200.0));
    }
}

fn infrared(grey: &mut Grey, dice: &mut Dice) {
    // Plates throw infrared back, paint and road swallow it: the middle greys sink.
    let (dark, slope) = (dice.between(0.2, 0.5), dice.between(1.2, 2.2));
    grey.values.iter_mut().for_each(|v| *v *= thrown_back(*v, dark, slope));
    let centre = [dice.between(0.3, 0.7), dice.between(0.3, 0.7)];
    light(grey, centre, dice.between(0.4, 0.9), dice.between(10.0, 40.0));
}

/// How much of an infrared lamp's light comes back from what has this value by day: all of it from white, `dark` of it from
/// black.
pub(crate) fn thrown_back(value: f32, dark: f32, slope: f32) -> f32 {
    dark + (1.0 - dark) * (value / 255.0).clamp(0.0, 1.0).powf(slope)
}

fn rain(grey: &mut Grey, dice: &mut Dice) {
    let (w, h) = (grey.width as f32, grey.height as f32);
    let slant = dice.normal(0.18);
    let strength = dice.between(12.0, 55.0);
    let count = (w * h / 900.0 * dice.between(0.3, 1.3)) as i32;
    for _ in 0..count {
        let length = dice.between(0.06, 0.3) * h.min(120.0);
        let (x, y) = (dice.between(0.0, w), dice.between(-length, h));
        let bright = strength * dice.between(0.3, 1.0);
        for step in 0..length as i32 {
            let (px, py) = (x + slant * step as f32, y + step as f32);
            if px >= 0.0 && px < w && py >= 0.0 && py < h {
                grey.values[py as usize * grey.width + px as usize] += bright;
            }
        }
    }
}

fn glare(grey: &mut Grey, dice: &mut Dice) {
    let at = [dice.between(0.0, 1.0), dice.between(0.0, 1.0)];
    light(grey, at, dice.between(0.15, 0.6), dice.between(30.0, 105.0));
}

/// Adds a lamp's light: centre and radius in pixels.
pub fn add_light(grey: &mut Grey, [x, y]: [f32; 2], radius: f32, brightness: f32) {
    let (w, h) = (grey.width as f32, grey.height as f32);
    light(grey, [x / w, y / h], radius / w.max(h), brightness);
}

/// Adds a round light: centre and radius as parts of the picture.
fn light(grey: &mut Grey, [cx, cy]: [f32; 2], radius: f32, brightness: f32) {
    let (w, h) = (grey.width as f32, grey.height as f32);
    let scale = 1.0 / (radius * w.max(h)).max(1.0);
    for (y, row) in grey.values.chunks_exact_mut(grey.width).enumerate() {
        for (x, v) in row.iter_mut().enumerate() {
            let (dx, dy) = ((x as f32 - cx * w) * scale, (y as f32 - cy * h) * scale);
            *v += brightness / (1.0 + 3.0 * (dx * dx + dy * dy)).powi(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::HARD;
    use super::*;
    use crate::chance::dice;

    /// Black, grey and white bars.
    fn bars() -> Grey {
        let values = (0..160 * 120).map(|i| [20.0, 120.0, 240.0][i % 160 / 54]).collect();
        Grey { values, width: 160, height: 120 }
    }

    #[test]
    fn each_condition_is_in_about_a_twelfth_of_all_pictures() {
        let mut counts = [0usize; 5];
        for item in 0..2000 {
            counts[strike(&mut bars(), &mut dice(41, item)) as usize] += 1;
        }
        for weather in [Weather::Night, Weather::Infrared, Weather::Rain, Weather::Glare] {
            let share = counts[weather as usize] as f32 / 2000.0 * HARD;
            assert!((0.065..0.095).contains(&share), "{weather:?}: {share} of all");
        }
        const { assert!(HARD <= 0.4) };
    }

    #[test]
    fn each_condition_changes_the_picture_in_its_own_way() {
        let clear = bars();
        for item in 0..200 {
            let mut struck = clear.clone();
            let weather = strike(&mut struck, &mut dice(42, item));
            let darker = |i: usize| struck.values[i] / clear.values[i];
            let least = struck.values.iter().zip(&clear.values).map(|(s, c)| s - c).fold(f32::MAX, f32::min);
            let most = struck.values.iter().zip(&clear.values).map(|(s, c)| s - c).fold(f32::MIN, f32::max);
            // The bottom row's grey and white: lamps hang above.
            let (middle, white) = (119 * 160 + 80, 119 * 160 + 150);
            match weather {
                Weather::Fair => assert_eq!(struck.values, clear.values, "item {item}"),
                Weather::Night => assert!(least < -60.0, "item {item}: {least}"),
                Weather::Infrared => assert!(darker(middle) < 0.95 * darker(white), "item {item}"),
                Weather::Rain => assert!(least == 0.0 && most > 3.0, "item {item}: {least} to {most}"),
                Weather::Glare => assert!(least > 0.0 && most > 25.0, "item {item}: {least} to {most}"),
            }
        }
    }
}
