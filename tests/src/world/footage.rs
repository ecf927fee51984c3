//! Footage of rendered trucks: a drive rendered by `datasets`, cut into its moments.

use std::path::Path;

use anyhow::Context as _;
use datasets::clip::{ClipSpec, FrameLabel, Muddy, read_track, render_clip};
use edge::camera::{CameraSpec, Frame, Frames, Source};

use super::lane::{Footage, Moment};
use super::queue::Truck;
use super::rtsp::PictureFormat;

/// Part of its greatest width from which a plate counts as standing at the line.
const AT_LINE: f32 = 0.97;

/// One drive, decoded.
pub struct DriveFootage {
    /// I420 pictures: driving up, standing, driving off, and the empty lane.
    approach: Vec<Vec<u8>>,
    stand: Vec<Vec<u8>>,
    leave: Vec<Vec<u8>>,
    empty: Vec<Vec<u8>>,
}

impl DriveFootage {
    /// Render a truck's drive into `folder`; `number` tells films apart.
    pub fn render(truck: &Truck, number: u64, format: PictureFormat, folder: &Path) -> anyhow::Result<Self> {
        let spec = ClipSpec {
            mark: Some(truck.mark.parse()?),
            mainland_mark: truck.mainland_plate.map(str::parse).transpose()?,
            muddy: truck.dirty.then_some(Muddy::HongKong),
            width: format.width,
            height: format.height,
            fps: format.fps as u32,
            seconds: 6.0,
            seed: truck.look,
            ..ClipSpec::default()
        };
        let clip = render_clip(&spec, &folder.join(format!("truck-{number}.mp4")))?;
        let labels = read_track(&clip.labels)?;
        let source = Source::File { path: clip.film, r#loop: false, paced: false };
        let pictures = Frames::open(CameraSpec::new("world", source))?
            .map(|frame| Ok(i420(&frame?.1)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Self::cut(pictures, &labels)
    }

    fn cut(pictures: Vec<Vec<u8>>, labels: &[FrameLabel]) -> anyhow::Result<Self> {
        let width =
            |label: &FrameLabel| label.plates.iter().map(|p| p.corners.width()).fold(0.0f32, f32::max);
        let widest = labels.iter().map(width).fold(0.0f32, f32::max);
        let at_line = |label: &FrameLabel| width(label) >= AT_LINE * widest && widest > 0.0;
        let first = labels.iter().position(at_line).context("a drive without a plate")?;
        let last = labels.iter().rposition(at_line).context("a drive without a plate")?;
        let mut cut = Self { approach: vec![], stand: vec![], leave: vec![], empty: vec![] };
        for (i, (picture, label)) in pictures.into_iter().zip(labels).enumerate() {
            match i {
                _ if !label.vehicle => cut.empty.push(picture),
                i if i < first => cut.approach.push(picture),
                i if i <= last => cut.stand.push(picture),
                _ => cut.leave.push(picture),
            }
        }
        anyhow::ensure!(
            !(cut.approach.is_empty() || cut.leave.is_empty() || cut.empty.is_empty()),
            "a drive lacks a part: {} approach, {} stand, {} leave, {} empty",
            cut.approach.len(),
            cut.stand.len(),
            cut.leave.len(),
            cut.empty.len()
        );
        Ok(cut)
    }

    /// Only the lane, without the truck.
    pub fn empty(&self) -> EmptyLane {
        EmptyLane(self.empty.clone())
    }
}

fn along(pictures: &[Vec<u8>], part: f32) -> Vec<u8> {
    let last = pictures.len().saturating_sub(1);
    pictures.get(((part * pictures.len() as f32) as usize).min(last)).cloned().unwrap_or_default()
}

fn turn(pictures: &[Vec<u8>], number: u64) -> Vec<u8> {
    pictures.get(number as usize % pictures.len().max(1)).cloned().unwrap_or_default()
}

impl Footage for DriveFootage {
    fn picture(&mut self, moment: Moment, number: u64) -> Vec<u8> {
        match moment {
            Moment::Empty => turn(&self.empty, number),
            Moment::Approaching(part) => along(&self.approach, part),
            Moment::AtLine => turn(&self.stand, number),
            Moment::Leaving(part) => along(&self.leave, part),
        }
    }
}

/// A lane without a truck.
#[derive(Clone)]
pub struct EmptyLane(Vec<Vec<u8>>);

impl Footage for EmptyLane {
    fn picture(&mut self, _: Moment, number: u64) -> Vec<u8> {
        let mut picture = turn(&self.0, number);
        // A sensor's noise is never twice the same; a few frames in turn would be.
        for (i, pixel) in picture.iter_mut().take(4096).enumerate() {
            *pixel = pixel.wrapping_add((number.wrapping_mul(0x9E37_79B9).wrapping_add(i as u64) % 7) as u8);
        }
        picture
    }
}

/// Planar chroma, as the cameras of this world send it.
fn i420(frame: &Frame) -> Vec<u8> {
    let mut bytes = frame.luma.pixels().to_vec();
    bytes.extend(frame.chroma.iter().step_by(2));
    bytes.extend(frame.chroma.iter().skip(1).step_by(2));
    bytes
}
