//! A set of rendered pictures, for conditions that no photographs show with the same vehicles: light, weather, infrared, motion.
//! Every condition films the same vehicles in the same mountings, so that what differs is the condition.

use std::path::Path;

use anyhow::Context as _;
use clearance::mark::Jurisdiction;
use datasets::clip::{ClipSpec, Condition, Mounting, PlateLabel, read_track, render_clip};
use edge::camera::{CameraSpec, Frames, Source};
use indicatif::ProgressBar;
use serde::Serialize;

use super::labels::UNCLEAR;

/// Pictures of each drive, spread over the time in which its plates are in sight.
const OF_A_DRIVE: usize = 6;

/// Seed of the first vehicle's looks.
const SEED: u64 = 7001;

/// Vehicles that can be filmed; invented.
const VEHICLES: [(&str, &str); 10] = [
    ("GK5382", "粤ZM463港"),
    ("RB9046", "粤ZQ715港"),
    ("UX617", "粤Z83C4港"),
    ("VW2850", "粤ZD219澳"),
    ("HC7093", "粤ZT684港"),
    ("EG3568", "粤Z57F0港"),
    ("ND4172", "粤ZJ836港"),
    ("LM8520", "粤Z6B17港"),
    ("ZA9463", "粤ZX058澳"),
    ("PT1279", "粤ZH390港"),
];

/// The mountings that vehicles take in turn.
const MOUNTINGS: [Mounting; 4] =
    [Mounting::Stacked, Mounting::StackedTwoRows, Mounting::Separate, Mounting::SeparateTwoRows];

/// The drive of the vehicle at `number`, which says its mounting, too, at the size and rate of a lane camera; its looks are of `seed` and
/// the number.
pub fn drive(number: usize, condition: Condition, seconds: f32, seed: u64) -> anyhow::Result<ClipSpec> {
    let (mark, mainland_mark) = VEHICLES[number % VEHICLES.len()];
    Ok(ClipSpec {
        mark: Some(mark.parse()?),
        mainland_mark: Some(mainland_mark.parse()?),
        mounting: MOUNTINGS[number % MOUNTINGS.len()],
        condition,
        seconds,
        fps: 12,
        seed: seed + number as u64,
        ..ClipSpec::default()
    })
}

/// A row of labels.csv.
#[derive(Serialize)]
struct Row<'a> {
    image: &'a str,
    text: &'a str,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    corners: String,
    rows: &'a str,
    country: &'a str,
    condition: &'a str,
}

/// Render `vehicles` drives under each condition into `folder`, as a set that [`super::labels::LabelledSet`] loads; `progress` goes
/// one step for each drive. What mud hides is labelled as unclear.
pub fn render(folder: &Path, vehicles: usize, progress: &ProgressBar) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    let mut labels = csv::Writer::from_path(folder.join("labels.csv"))?;
    progress.set_length((vehicles * Condition::ALL.len()) as u64);
    for (name, condition) in Condition::ALL {
        for number in 0..vehicles {
            let spec = drive(number, condition, 4.0, SEED)?;
            let clip = render_clip(&spec, &folder.join("drive.mp4"))?;
            let track = read_track(&clip.labels)?;
            let seen: Vec<_> =
                track.iter().filter(|frame| !frame.plates.is_empty()).map(|frame| frame.frame).collect();
            let step = seen.len().div_ceil(OF_A_DRIVE).max(1);
            let taken: Vec<_> = seen.into_iter().step_by(step).collect();
            let source = Source::File { path: clip.film.clone(), r#loop: false, paced: false };
            for (at, frame) in Frames::open(CameraSpec::new("rendered", source))?.enumerate() {
                let (_, frame) = frame?;
                if !taken.contains(&at) {
                    continue;
                }
                let image = format!("{name}-{number}-{at:02}.png");
                let (width, height) = (frame.luma.width() as u32, frame.luma.height() as u32);
                let grey = image::GrayImage::from_raw(width, height, frame.luma.pixels().to_vec());
                grey.context("a frame has another size than it says")?.save(folder.join(&image))?;
                for plate in &track[at].plates {
                    labels.serialize(row(&image, plate, &spec, name))?;
                }
            }
            std::fs::remove_file(&clip.film)?;
            std::fs::remove_file(&clip.labels)?;
            progress.inc(1);
        }
    }
    labels.flush()?;
    Ok(())
}

fn row<'a>(image: &'a str, plate: &'a PlateLabel, spec: &ClipSpec, condition: &'a str) -> Row<'a> {
    let bounds = plate.corners.bounds();
    let mainland = plate.jurisdiction != Jurisdiction::HongKong;
    let hidden = mainland && spec.condition == Condition::Dirt;
    let two_rows = !mainland && matches!(spec.mounting, Mounting::StackedTwoRows | Mounting::SeparateTwoRows);
    Row {
        image,
        text: &plate.mark,
        x: bounds.x0,
        y: bounds.y0,
        w: bounds.x1 - bounds.x0,
        h: bounds.y1 - bounds.y0,
        corners: plate.corners.0.map(|p| format!("{:.1} {:.1}", p.x, p.y)).join(" "),
        rows: if two_rows { "double_row" } else { "single_row" },
        country: if hidden {
            UNCLEAR
        } else if mainland {
            "CN-GD-cross"
        } else {
            "HK"
        },
        condition,
    }
}
