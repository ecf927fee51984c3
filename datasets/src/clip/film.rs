//! Frame by frame: the empty lane, the truck in it, weather over it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tiny_skia::Pixmap;

use super::encode::Encoder;
use super::lane::{self, STOP, View};
use super::light::{Condition, rain, shaken};
use super::track::FrameLabel;
use super::truck::Truck;
use super::{Clip, ClipError, ClipSpec, file_error};
use crate::chance::{Dice, Grain, Roll, dice};

/// Where a truck starts and where it is gone, in metres from the camera to its face.
const START: f32 = 75.0;
const GONE: f32 = -9.5;
/// How long a truck stands at the line, in seconds.
const HALT: f32 = 2.2;
/// How long the lane is empty again before a drive ends, in seconds.
const CLEAR: f32 = 0.25;
/// A plate's least width at the line, as a part of a picture 1280 pixels wide.
const LEAST_PLATE: f32 = 120.0 / 1280.0;

/// Drives one after the other in one film.
#[derive(Clone, Copy, Debug)]
pub struct Reel<'a> {
    /// The drives, all of one size and frame rate.
    pub drives: &'a [ClipSpec],
    /// Seconds of empty lane before, between and after them.
    pub gap: f32,
}

/// Renders a reel into an MP4 file with its label track beside it.
pub fn render_reel(reel: &Reel<'_>, path: &Path) -> Result<Clip, ClipError> {
    let Some(first) = reel.drives.first() else {
        return Err(ClipError::Range {
            what: "the number of drives",
            value: "0".to_owned(),
            needed: "at least 1",
        });
    };
    check(reel, first)?;
    let labels = path.with_extension("labels.jsonl");
    let mut track = BufWriter::new(File::create(&labels).map_err(|e| file_error(&labels, e))?);
    let mut encoder = Encoder::new(path, first.width, first.height, first.fps)?;
    let gap = (reel.gap * first.fps as f32).round() as usize;
    let mut frame = 0;
    for (number, spec) in reel.drives.iter().enumerate() {
        let mut set = Set::new(spec, first.seed)?;
        let drive = spec.frames();
        let after = if number + 1 == reel.drives.len() { gap } else { 0 };
        for step in 0..gap + drive + after {
            let time = (step as f32 - gap as f32) / spec.fps as f32;
            let on_stage = (gap..gap + drive).contains(&step);
            let away = on_stage.then(|| distance(time, spec.seconds));
            let mut label = set.shoot(away);
            label.frame = frame;
            label.time_ms = frame as u64 * 1000 / u64::from(first.fps);
            label.drive = label.vehicle.then_some(number);
            encoder.push(set.frame())?;
            let line = serde_json::to_string(&label).map_err(|e| file_error(&labels, e))?;
            writeln!(track, "{line}").map_err(|e| file_error(&labels, e))?;
            frame += 1;
        }
    }
    encoder.finish()?;
    track.flush().map_err(|e| file_error(&labels, e))?;
    Ok(Clip { film: path.to_owned(), labels, frames: frame })
}

fn check(reel: &Reel<'_>, first: &ClipSpec) -> Result<(), ClipError> {
    if !(0.0..=60.0).contains(&reel.gap) {
        let value = reel.gap.to_string();
        return Err(ClipError::Range { what: "the gap in seconds", value, needed: "between 0 and 60" });
    }
    for (index, spec) in reel.drives.iter().enumerate() {
        spec.check()?;
        if (spec.width, spec.height, spec.fps) != (first.width, first.height, first.fps) {
            return Err(ClipError::Mixed { index });
        }
    }
    Ok(())
}

/// How far the truck's face is from the camera at a time of its drive, in metres: it rolls up to the line,
/// stands, and drives off.
fn distance(time: f32, seconds: f32) -> f32 {
    let moving = seconds - HALT;
    let (arrival, departure) = (moving * 0.56, moving * 0.56 + HALT);
    if time < arrival {
        let left = 1.0 - time / arrival;
        // Even growth in the picture, slowing down towards the line.
        STOP * (START / STOP).powf(left.powf(1.6))
    } else if time < departure {
        STOP
    } else {
        let gone = ((time - departure) / (seconds - CLEAR - departure)).min(1.0);
        STOP + (GONE - STOP) * gone.powf(1.7)
    }
}

/// Everything prepared for one drive.
struct Set {
    view: View,
    lane: Pixmap,
    truck: Truck,
    picture: Pixmap,
    condition: Condition,
    veil: Option<Vec<u8>>,
    grain: Vec<i8>,
    dice: Dice,
    planes: Vec<u8>,
}

impl Set {
    /// The lane follows from `lane_seed`, so that it stays the same through a reel.
    fn new(spec: &ClipSpec, lane_seed: u64) -> Result<Self, ClipError> {
        let failed = || ClipError::Encode("a picture of this size cannot be drawn".to_owned());
        let mut dice = dice(spec.seed, 0);
        let truck = Truck::new(spec, &mut dice).ok_or_else(failed)?;
        let zoom = match truck.narrowest_plate() {
            Some(narrowest) => {
                let seen = narrowest / 1000.0 / STOP.hypot(lane::LANE) * 2.45;
                (LEAST_PLATE / seen).clamp(1.0, 1.25)
            }
            None => 1.0,
        };
        let view = View::new(spec.width, spec.height, zoom);
        let mut lane = lane::empty(&view, &mut crate::chance::dice(lane_seed, 1)).ok_or_else(failed)?;
        spec.condition.light(&mut lane, 0.0);
        let veil = spec.condition.veil(spec.width, spec.height, &mut dice);
        let mut noise = Grain::from_dice(&mut dice);
        let strength = spec.condition.grain();
        let grain = (0..GRAIN).map(|_| (noise.pair()[0] * strength).clamp(-60.0, 60.0) as i8).collect();
        let planes = vec![128; spec.width * spec.height * 3 / 2];
        let picture = lane.clone();
        Ok(Self { view, lane, truck, picture, condition: spec.condition, veil, grain, dice, planes })
    }

    /// Takes the next frame, with the truck at a distance or without it.
    fn shoot(&mut self, away: Option<f32>) -> FrameLabel {
        self.picture.data_mut().copy_from_slice(self.lane.data());
        let (vehicle, plates) = match away {
            Some(away) => self.truck.show(&mut self.picture, &self.view, away),
            None => (false, Vec::new()),
        };
        match self.condition {
            Condition::Rain => rain(&mut self.picture, &mut self.dice),
            Condition::MotionBlur => shaken(&mut self.picture, &mut self.dice),
            _ => {}
        }
        self.develop();
        FrameLabel { frame: 0, time_ms: 0, vehicle, drive: None, plates }
    }

    fn frame(&self) -> &[u8] {
        &self.planes
    }

    /// To I420 (BT.601, limited range) with grain and glare.
    fn develop(&mut self) {
        let (w, h) = (self.picture.width() as usize, self.picture.height() as usize);
        let offset = self.dice.whole(0, (GRAIN / 2) as i32) as usize;
        let data = self.picture.data();
        let (luma, chroma) = self.planes.split_at_mut(w * h);
        let (blue, red) = chroma.split_at_mut(w * h / 4);
        for (i, (y, p)) in luma.iter_mut().zip(data.chunks_exact(4)).enumerate() {
            let (r, g, b) = (i32::from(p[0]), i32::from(p[1]), i32::from(p[2]));
            let noise = i32::from(self.grain[(i.wrapping_mul(7) + offset) % GRAIN]);
            let veil = self.veil.as_ref().map_or(0, |v| i32::from(v[i]));
            let value = ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16 + noise + veil;
            *y = value.clamp(16, 235) as u8;
        }
        for y in 0..h / 2 {
            for x in 0..w / 2 {
                let p = &data[(2 * y * w + 2 * x) * 4..];
                let (r, g, b) = (i32::from(p[0]), i32::from(p[1]), i32::from(p[2]));
                blue[y * w / 2 + x] = (((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128) as u8;
                red[y * w / 2 + x] = (((112 * r - 94 * g - 18 * b + 128) >> 8) + 128) as u8;
            }
        }
    }
}

/// Length of the noise that every frame starts at another place of; a prime, so that rows do not repeat.
const GRAIN: usize = 65_521;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truck_comes_stands_and_is_gone() {
        assert!((distance(0.0, 8.0) - START).abs() < 0.1);
        let standing = (0..200).filter(|i| distance(*i as f32 / 25.0, 8.0) == STOP).count();
        assert!((50..=60).contains(&standing), "{standing} frames at the line");
        assert!((distance(8.0, 8.0) - GONE).abs() < 0.1);
    }
}
