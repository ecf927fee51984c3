//! What went wrong, to look at: every plate that was missed or misread and everything taken for a plate, with its crop.
//!
//! Crops show real vehicles. They are written beside the report and nowhere else.

use std::path::Path;

use anyhow::Context as _;
use clearance::geometry::{Bounds, Point, Quad};
use clearance::read::Candidate;
use image::imageops::FilterType;

use super::labels::LabelledSet;
use super::product::load;
use super::reads::{Detection, Reads};
use super::scoring::score;

/// The folder of the crops, beside the report.
pub const FOLDER: &str = "failures";

/// Part of a plate's size shown around it.
const AROUND: f32 = 0.35;

/// Crops wider than this, in pixels, are scaled down: they are looked at side by side.
const WIDEST: u32 = 480;

/// How many candidates are shown.
const CANDIDATES: usize = 3;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Read as another mark.
    Misread,
    /// Not found.
    Missed,
    /// Taken for a plate.
    Spurious,
}

/// A crop on disk and where in it the plate is.
#[derive(Clone, Debug)]
pub struct Crop {
    /// Its path from the report.
    pub file: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The labelled corners, in pixels of the crop.
    pub label: Option<Quad>,
    /// The corners found, in pixels of the crop.
    pub found: Option<Quad>,
}

/// One thing that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What.
    pub kind: Kind,
    /// In which set.
    pub set: String,
    /// In which picture.
    pub picture: String,
    /// What the label says, and its group.
    pub label: Option<(String, String)>,
    /// What was read; empty for a plate that was found and not read.
    pub read: Option<String>,
    /// How sure the reader was, 0 to 1.
    pub confidence: f32,
    /// What it could have been, likeliest first.
    pub candidates: Vec<Candidate>,
    /// How it looks.
    pub crop: Crop,
}

/// Collect the failures of a set and write their crops under `folder`, which is the report's. What was read with the
/// greatest confidence comes first: it is the most dangerous.
pub fn failures(set: &LabelledSet, reads: &Reads, folder: &Path) -> anyhow::Result<Vec<Failure>> {
    let scored = score(set, reads);
    let mut failures = Vec::new();
    for (number, picture) in set.pictures.iter().enumerate() {
        let wrong = scored.verdicts.iter().filter(|v| v.picture == number && !v.exact);
        let wrong = wrong.map(|v| (Some(v.label), v.detection));
        let spurious =
            scored.spurious.iter().filter(|s| s.picture == number).map(|s| (None, Some(s.detection)));
        let here: Vec<_> = wrong.chain(spurious).collect();
        if here.is_empty() {
            continue;
        }
        let pixels = load(&picture.path)?.into_rgb8();
        for (label, detection) in here {
            let corners = [label.map(|l| l.corners), detection.map(|d| d.corners)];
            let file = format!("{FOLDER}/{}-{:04}.jpg", set.name, failures.len());
            failures.push(Failure {
                kind: match (label, detection) {
                    (None, _) => Kind::Spurious,
                    (Some(_), None) => Kind::Missed,
                    (Some(_), Some(_)) => Kind::Misread,
                },
                set: set.name.clone(),
                picture: picture.name.clone(),
                label: label.map(|l| (l.text.clone(), l.group())),
                read: detection.map(|d| d.mark.clone()),
                confidence: detection.map_or(0.0, |d| d.confidence),
                candidates: detection.map(|d: &Detection| d.candidates(CANDIDATES)).unwrap_or_default(),
                crop: cut(&pixels, corners, file, folder)?,
            });
        }
    }
    failures.sort_by(|a, b| a.kind.cmp(&b.kind).then(b.confidence.total_cmp(&a.confidence)));
    Ok(failures)
}

/// Make an empty folder for crops: those of an earlier run show other failures.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    let crops = folder.join(FOLDER);
    std::fs::create_dir_all(&crops).with_context(|| format!("{}: cannot be made", crops.display()))?;
    for entry in std::fs::read_dir(&crops)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "jpg") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn cut(
    pixels: &image::RgbImage,
    corners: [Option<Quad>; 2],
    file: String,
    folder: &Path,
) -> anyhow::Result<Crop> {
    let bounds = around(&corners, pixels.width() as f32, pixels.height() as f32);
    let (x, y) = (bounds.x0.floor() as u32, bounds.y0.floor() as u32);
    let (w, h) = (((bounds.x1.ceil() as u32) - x).max(1), ((bounds.y1.ceil() as u32) - y).max(1));
    let mut crop = image::imageops::crop_imm(pixels, x, y, w, h).to_image();
    let scale = (WIDEST as f32 / w as f32).min(1.0);
    if scale < 1.0 {
        let height = ((h as f32 * scale) as u32).max(1);
        crop = image::imageops::resize(&crop, WIDEST, height, FilterType::Triangle);
    }
    let path = folder.join(&file);
    crop.save(&path).with_context(|| format!("{}: the crop cannot be written", path.display()))?;
    let moved = |q: Quad| q.map(|p| Point::new((p.x - x as f32) * scale, (p.y - y as f32) * scale));
    let [label, found] = corners.map(|q| q.map(moved));
    Ok(Crop { file, width: crop.width(), height: crop.height(), label, found })
}

/// The part of a picture that shows all corners and a little around them, inside the picture.
fn around(corners: &[Option<Quad>], width: f32, height: f32) -> Bounds {
    let whole = Bounds { x0: 0.0, y0: 0.0, x1: width, y1: height };
    let all = corners.iter().flatten().map(Quad::bounds).reduce(|a, b| Bounds {
        x0: a.x0.min(b.x0),
        y0: a.y0.min(b.y0),
        x1: a.x1.max(b.x1),
        y1: a.y1.max(b.y1),
    });
    let Some(b) = all else { return whole };
    let more = AROUND * (b.x1 - b.x0).max(b.y1 - b.y0);
    Bounds {
        x0: (b.x0 - more).clamp(0.0, width - 1.0),
        y0: (b.y0 - more).clamp(0.0, height - 1.0),
        x1: (b.x1 + more).clamp(1.0, width),
        y1: (b.y1 + more).clamp(1.0, height),
    }
}
