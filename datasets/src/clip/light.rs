//! Light and weather over a lane, in colour.

use std::str::FromStr;

use tiny_skia::Pixmap;

use super::ClipError;
use crate::camera::{Grey, shake, thrown_back};
use crate::chance::{Dice, Roll};

/// Light and weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Plain daylight.
    Day,
    /// Low, warm light.
    Dusk,
    /// Lamps only.
    Night,
    /// Rain, with haze.
    Rain,
    /// Low sun into the lens.
    Glare,
    /// Daylight on a truck whose mainland plate (or else its only plate) mud makes unreadable.
    Dirt,
    /// An infrared lamp at night: no colour, dark paint and road, bright plates.
    Infrared,
    /// Daylight, from a gantry that shakes while trucks pass.
    MotionBlur,
}

impl Condition {
    /// All of them with their names.
    pub const ALL: [(&str, Self); 8] = [
        ("day", Self::Day),
        ("dusk", Self::Dusk),
        ("night", Self::Night),
        ("rain", Self::Rain),
        ("glare", Self::Glare),
        ("dirt", Self::Dirt),
        ("infrared", Self::Infrared),
        ("motion-blur", Self::MotionBlur),
    ];

    /// Factors on red, green and blue for things lit by the surroundings.
    fn tint(self) -> [f32; 3] {
        match self {
            // Infrared is no matter of colours: see `light`.
            Self::Day | Self::Dirt | Self::MotionBlur | Self::Infrared => [1.0, 1.0, 1.0],
            Self::Dusk => [0.72, 0.6, 0.52],
            Self::Night => [0.26, 0.28, 0.36],
            Self::Rain => [0.74, 0.77, 0.8],
            Self::Glare => [0.92, 0.88, 0.8],
        }
    }

    /// Whether lamps are on.
    pub(super) fn lamps_on(self) -> bool {
        matches!(self, Self::Dusk | Self::Night | Self::Rain)
    }

    /// Deviation of the sensor's grain.
    pub(super) fn grain(self) -> f32 {
        match self {
            Self::Day | Self::Dirt | Self::Glare | Self::MotionBlur => 2.0,
            Self::Rain => 3.5,
            Self::Dusk | Self::Infrared => 4.0,
            Self::Night => 6.5,
        }
    }

    /// Lights a texture; `own` is how much of a plate's reflection of the lane's lamp keeps it bright (0 to 1).
    pub(super) fn light(self, texture: &mut Pixmap, own: f32) {
        if self == Self::Infrared {
            return infrared(texture, own);
        }
        let tint = self.tint().map(|t| t + (1.0 - t) * own);
        let haze = if self == Self::Rain { 26.0 } else { 0.0 };
        for pixel in texture.data_mut().chunks_exact_mut(4) {
            let covered = f32::from(pixel[3]) / 255.0;
            for (v, t) in pixel.iter_mut().zip(tint) {
                *v = (f32::from(*v) * t + haze * covered).min(f32::from(u8::MAX) * covered) as u8;
            }
        }
    }

    /// What the lens adds to the luma of every pixel, when it adds anything.
    pub(super) fn veil(self, width: usize, height: usize, dice: &mut Dice) -> Option<Vec<u8>> {
        if self != Self::Glare {
            return None;
        }
        let centre = [width as f32 * dice.between(0.15, 0.85), height as f32 * dice.between(0.0, 0.25)];
        let reach = width as f32 * 0.4;
        let value = |i: usize| {
            let (dx, dy) = ((i % width) as f32 - centre[0], (i / width) as f32 - centre[1]);
            let d = dx.hypot(dy) / reach;
            (150.0 / (1.0 + 2.5 * d * d) + 12.0) as u8
        };
        Some((0..width * height).map(value).collect())
    }
}

impl FromStr for Condition {
    type Err = ClipError;

    fn from_str(name: &str) -> Result<Self, ClipError> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, c)| *c).ok_or_else(|| ClipError::Name {
            what: "the condition",
            name: name.to_owned(),
            known: Self::ALL.map(|(known, _)| known).join(", "),
        })
    }
}

/// Takes the colour out, and leaves of the greys what an infrared lamp gets back; `own` as in [`Condition::light`].
fn infrared(texture: &mut Pixmap, own: f32) {
    for pixel in texture.data_mut().chunks_exact_mut(4) {
        let covered = f32::from(pixel[3]) / 255.0;
        if covered == 0.0 {
            continue;
        }
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        let value = 0.299 * red + 0.587 * green + 0.114 * blue;
        let back = thrown_back(value / covered, 0.3, 1.6);
        pixel[..3].fill((value * (back + (1.0 - back) * own)) as u8);
    }
}

/// Blurs a frame as far as the camera shook while it was taken: more up and down than across, and every frame otherwise.
pub(super) fn shaken(picture: &mut Pixmap, dice: &mut Dice) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let length = width as f32 * dice.between(0.001, 0.006);
    let angle = 90.0 + dice.normal(22.0);
    let path = dice.clone();
    for channel in 0..3 {
        let values = picture.data().iter().skip(channel).step_by(4).copied().map(f32::from).collect();
        let mut grey = Grey { values, width, height };
        // All colours go the same way.
        shake(&mut grey, length, angle, &mut path.clone());
        for (to, from) in picture.data_mut().iter_mut().skip(channel).step_by(4).zip(grey.values) {
            *to = (from + 0.5) as u8;
        }
    }
}

/// Adds a lamp with its halo.
pub(super) fn glow(picture: &mut Pixmap, [x, y]: [f32; 2], radius: f32) {
    let (w, h) = (picture.width() as i32, picture.height() as i32);
    let r = radius as i32;
    if !(x.is_finite() && y.is_finite()) || r < 1 {
        return;
    }
    let (cx, cy) = (x as i32, y as i32);
    for py in (cy - r).max(0)..(cy + r).min(h) {
        for px in (cx - r).max(0)..(cx + r).min(w) {
            let d = ((px - cx) as f32).hypot((py - cy) as f32) / radius;
            let light = 255.0 * (1.0 - d).max(0.0).powi(3);
            let i = (py * w + px) as usize * 4;
            for (v, warm) in picture.data_mut()[i..i + 3].iter_mut().zip([1.0, 0.96, 0.85]) {
                *v = (f32::from(*v) + light * warm) as u8;
            }
        }
    }
}

/// Fresh streaks of rain over a frame.
pub(super) fn rain(picture: &mut Pixmap, dice: &mut Dice) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let stride = picture.width() as usize;
    let data = picture.data_mut();
    for _ in 0..(w * h / 2600.0) as i32 {
        let (x, y) = (dice.between(0.0, w), dice.between(-30.0, h));
        let bright = dice.between(8.0, 34.0);
        for step in 0..dice.whole(8, 34) {
            let (px, py) = (x + step as f32 * 0.12, y + step as f32);
            if px < w && py >= 0.0 && py < h {
                let i = (py as usize * stride + px as usize) * 4;
                for v in &mut data[i..i + 3] {
                    *v = (f32::from(*v) + bright) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tiny_skia::Transform;

    use super::*;
    use crate::chance::dice;
    use crate::drawing::{Drawing, grey, rgb};
    use crate::lettering::Cell;

    /// A white plate on red paint above a grey road.
    fn lane() -> Pixmap {
        let mut d = Drawing::default();
        let mut bar = |y, height, colour| d.rectangle(Cell { x: 0.0, y, width: 64.0, height }, 0.0, colour);
        bar(0.0, 16.0, rgb(190.0, 40.0, 30.0));
        bar(16.0, 16.0, grey(230.0));
        bar(32.0, 16.0, grey(110.0));
        let mut picture = Pixmap::new(64, 48).unwrap();
        d.paint(&mut picture.as_mut(), Transform::identity());
        picture
    }

    /// Green of paint, plate and road.
    fn lit(condition: Condition) -> (Pixmap, [u8; 3]) {
        let mut picture = lane();
        condition.light(&mut picture, 0.0);
        let at = [8, 24, 40].map(|y| picture.pixel(32, y).unwrap().green());
        (picture, at)
    }

    #[test]
    fn night_is_darker_than_dusk_and_dusk_than_day() {
        let [day, dusk, night] =
            [Condition::Day, Condition::Dusk, Condition::Night].map(|condition| lit(condition).1[2]);
        assert!(day > dusk && dusk > night, "{day}, {dusk}, {night}");
    }

    #[test]
    fn infrared_has_no_colour_and_leaves_bright_plates_on_dark_paint() {
        let (picture, [paint, plate, road]) = lit(Condition::Infrared);
        assert!(picture.pixels().iter().all(|p| p.red() == p.green() && p.green() == p.blue()));
        assert!(plate > 190 && paint < 50 && road < 65, "{plate}, {paint}, {road}");
    }

    #[test]
    fn a_shaken_frame_is_drawn_out_and_no_frame_is_like_another() {
        let mut sharp = Pixmap::new(1280, 48).unwrap();
        sharp.data_mut().chunks_exact_mut(4).enumerate().for_each(|(i, pixel)| {
            pixel.copy_from_slice(if i / 1280 < 24 { &[200, 180, 40, 255] } else { &[20, 20, 20, 255] });
        });
        let mut dice = dice(51, 0);
        let mut take = || {
            let mut frame = sharp.clone();
            shaken(&mut frame, &mut dice);
            let reds: Vec<_> = (0..48).map(|y| frame.pixel(640, y).unwrap().red()).collect();
            let between = reds.iter().filter(|red| (22..198).contains(*red)).count();
            assert!((1..12).contains(&between) && reds[0] == 200 && reds[47] == 20, "{reds:?}");
            frame
        };
        assert!(take() != take());
    }
}
