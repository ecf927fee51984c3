//! Light and the sensor: uneven lighting, gain, gamma, haze, clipping, grain.

use super::Grey;
use super::weather::Weather;
use crate::chance::{Dice, Grain, Roll};

/// A shadow's edge or a slope of light across the picture.
pub(super) fn uneven_light(grey: &mut Grey, dice: &mut Dice) {
    let (w, h) = (grey.width as f32, grey.height as f32);
    let (sin, cos) = dice.between(0.0, std::f32::consts::TAU).sin_cos();
    let edge = dice.between(-0.4, 0.4);
    let steepness = dice.log_between(0.8, 25.0);
    let dark = dice.between(0.4, 0.9);
    for (y, row) in grey.values.chunks_exact_mut(grey.width).enumerate() {
        for (x, v) in row.iter_mut().enumerate() {
            let along = (x as f32 / w - 0.5) * cos + (y as f32 / h - 0.5) * sin - edge;
            let light = (0.5 + along * steepness).clamp(0.0, 1.0);
            *v *= dark + (1.0 - dark) * light;
        }
    }
}

/// Gain, gamma and haze, then what the sensor cannot hold is cut off. Contrast left between a mark and its
/// ground stays well above the grain.
pub(super) fn expose(grey: &mut Grey, weather: Weather, dice: &mut Dice) {
    let (gain, lift) = match weather {
        Weather::Fair if dice.chance(0.12) => (dice.between(1.05, 1.3), dice.between(0.0, 30.0)),
        Weather::Fair if dice.chance(0.25) => (dice.between(0.5, 0.9), dice.between(-5.0, 45.0)),
        Weather::Fair => (dice.between(0.78, 1.08), dice.between(-6.0, 22.0)),
        Weather::Night => (dice.between(0.9, 1.3), dice.between(0.0, 15.0)),
        Weather::Infrared => (dice.between(0.7, 1.2), dice.between(0.0, 20.0)),
        Weather::Rain => (dice.between(0.45, 0.8), dice.between(20.0, 70.0)),
        Weather::Glare => (dice.between(0.7, 1.0), dice.between(0.0, 40.0)),
    };
    let gamma = dice.normal(0.18).exp() * if weather == Weather::Night { 0.75 } else { 1.0 };
    for v in &mut grey.values {
        let bent = (*v / 255.0).clamp(0.0, 1.0).powf(gamma) * 255.0;
        *v = (bent * gain + lift).clamp(0.0, 255.0);
    }
}

/// The deviation of the picture's values; a picture with next to none is stretched, as every camera does.
pub(super) fn meter(grey: &mut Grey) -> f32 {
    const LEAST: f32 = 18.0;
    let n = grey.values.len() as f32;
    let mean = grey.values.iter().sum::<f32>() / n;
    let deviation = (grey.values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
    if !(1.0..LEAST).contains(&deviation) {
        return deviation;
    }
    let k = LEAST / deviation;
    let middle = mean.clamp(60.0, 180.0);
    grey.values.iter_mut().for_each(|v| *v = ((*v - mean) * k + middle).clamp(0.0, 255.0));
    LEAST
}

/// Sensor noise of the given deviation, a little stronger where it is dark.
pub(super) fn grain(grey: &mut Grey, deviation: f32, dice: &mut Dice) {
    let mut grain = Grain::from_dice(dice);
    let (dark, bright) = (deviation * 1.15, deviation * 0.75);
    for pair in grey.values.chunks_mut(2) {
        for (v, g) in pair.iter_mut().zip(grain.pair()) {
            *v = (*v + g * (dark + (bright - dark) * *v / 255.0)).clamp(0.0, 255.0);
        }
    }
}
