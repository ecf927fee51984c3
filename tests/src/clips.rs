//! What fusing the frames of a passage gains over reading one frame: recordings of which the vehicles are known, read by
//! the product's own splitter and fusion.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clearance::read::Certainty;
use datasets::clip::{Condition, read_track, render_clip};
use edge::camera::{CameraSpec, Frames, Source};
use edge::lane::fuse::FusePolicy;
use edge::lane::passages::{FinishedPassage, PassageSplitter};
use models::{Bundle, Recogniser, candidates};
use serde::Serialize;

use crate::evaluation::rendered::drive;

/// A recording and the marks that pass in it.
#[derive(Clone, Debug)]
pub struct KnownClip {
    /// The film.
    pub film: PathBuf,
    /// Marks in sight, in their canonical spelling.
    pub marks: BTreeSet<String>,
    /// What is in sight of each frame, where that is known: a rendered clip's label track.
    pub track: Option<PathBuf>,
}

/// What was read of one or several clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClipFigures {
    /// Marks in sight.
    pub marks: usize,
    /// Of these, read over the passage, certain or not.
    pub fused_right: usize,
    /// Of these, read and certain.
    pub fused_certain: usize,
    /// Marks read over a passage that were not in sight.
    pub fused_wrong: usize,
    /// Of these, certain: what could have opened a gate for another vehicle.
    pub fused_certain_wrong: usize,
    /// Plates read in single frames.
    pub frame_reads: usize,
    /// Of these, right.
    pub frame_right: usize,
    /// Single frames' reads that were certain by themselves, and wrong.
    pub frame_certain_wrong: usize,
    /// Plates seen whole, each counted in each frame; 0 where that is not known.
    pub in_sight: usize,
    /// Of these, read right in that frame.
    pub in_sight_right: usize,
}

/// One measure of single frames beside passages. Parts are 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// Of a single frame.
    pub single_frame: f64,
    /// After fusion.
    pub fused: f64,
    /// What fusion adds.
    pub gain: f64,
}

impl Gain {
    fn of(single: (usize, usize), fused: (usize, usize)) -> Self {
        let part = |(n, of): (usize, usize)| n as f64 / of.max(1) as f64;
        let (single_frame, fused) = (part(single), part(fused));
        Self { single_frame, fused, gain: fused - single_frame }
    }
}

impl ClipFigures {
    /// Of what was read, the part that is right.
    pub fn of_reads(&self) -> Gain {
        Gain::of(
            (self.frame_right, self.frame_reads),
            (self.fused_right, self.fused_right + self.fused_wrong),
        )
    }

    /// Of what was in sight, the part that was read right; `None` where it is not known what each frame shows.
    pub fn of_plates(&self) -> Option<Gain> {
        (self.in_sight > 0)
            .then(|| Gain::of((self.in_sight_right, self.in_sight), (self.fused_right, self.marks)))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            marks: self.marks + other.marks,
            fused_right: self.fused_right + other.fused_right,
            fused_certain: self.fused_certain + other.fused_certain,
            fused_wrong: self.fused_wrong + other.fused_wrong,
            fused_certain_wrong: self.fused_certain_wrong + other.fused_certain_wrong,
            frame_reads: self.frame_reads + other.frame_reads,
            frame_right: self.frame_right + other.frame_right,
            frame_certain_wrong: self.frame_certain_wrong + other.frame_certain_wrong,
            in_sight: self.in_sight + other.in_sight,
            in_sight_right: self.in_sight_right + other.in_sight_right,
        }
    }
}

/// Read a clip.
pub fn measure(
    clip: &KnownClip,
    bundle: &Bundle,
    recogniser: &mut Recogniser,
) -> anyhow::Result<ClipFigures> {
    let thresholds = bundle.thresholds();
    let mut splitter = PassageSplitter::new(FusePolicy::video(thresholds));
    let mut figures = ClipFigures { marks: clip.marks.len(), ..ClipFigures::default() };
    let mut passages: Vec<FinishedPassage<()>> = Vec::new();
    let track = clip.track.as_deref().map(read_track).transpose()?.unwrap_or_default();
    let source = Source::File { path: clip.film.clone(), r#loop: false, paced: false };
    for (number, frame) in Frames::open(CameraSpec::new("clip", source))?.enumerate() {
        let (at, frame) = frame?;
        let in_sight: BTreeSet<&str> = track
            .get(number)
            .iter()
            .flat_map(|truth| &truth.plates)
            .map(|plate| plate.mark.as_str())
            .collect();
        let mut right_in_sight: BTreeSet<&str> = BTreeSet::new();
        let plates = recogniser.recognise(frame.luma.view())?.plates;
        for best in plates.iter().filter_map(|p| candidates(&p.characters, 1).into_iter().next()) {
            if best.probability < thresholds.read_least {
                continue; // too little to count as a read, alone or fused
            }
            let right = clip.marks.contains(best.mark.as_str());
            figures.frame_reads += 1;
            figures.frame_right += usize::from(right);
            right_in_sight.extend(in_sight.get(best.mark.as_str()).copied());
            figures.frame_certain_wrong += usize::from(!right && best.probability >= thresholds.read_certain);
        }
        figures.in_sight += in_sight.len();
        figures.in_sight_right += right_in_sight.len();
        passages.extend(splitter.push(at, &plates, &()));
    }
    passages.extend(splitter.finish());
    count_passages(clip, &passages, &mut figures);
    Ok(figures)
}

fn count_passages(clip: &KnownClip, passages: &[FinishedPassage<()>], figures: &mut ClipFigures) {
    let (mut right, mut certain) = (BTreeSet::new(), BTreeSet::new());
    for plate in passages.iter().flat_map(|p| &p.plates) {
        let Some(best) = plate.plate.candidates.first() else { continue };
        let sure = plate.plate.certainty == Certainty::Certain;
        if let Some(mark) = clip.marks.get(best.mark.as_str()) {
            right.insert(mark);
            if sure {
                certain.insert(mark);
            }
        } else {
            figures.fused_wrong += 1;
            figures.fused_certain_wrong += usize::from(sure);
        }
    }
    (figures.fused_right, figures.fused_certain) = (right.len(), certain.len());
}

/// The toll lane's recording in a folder with `labels.csv` (video, vehicle, text, ..); `None` when there is no such folder.
pub fn toll_clip(folder: &Path) -> anyhow::Result<Option<KnownClip>> {
    let labels = folder.join("labels.csv");
    if !labels.exists() {
        return Ok(None);
    }
    let mut film = None;
    let mut marks = BTreeSet::new();
    for row in csv::Reader::from_path(&labels)?.deserialize() {
        let row: TollRow =
            row.with_context(|| format!("{}: a row is not as it should be", labels.display()))?;
        film = Some(folder.join(row.video));
        marks.insert(row.text);
    }
    let film = film.with_context(|| format!("{}: no row", labels.display()))?;
    Ok(Some(KnownClip { film, marks, track: None }))
}

#[derive(serde::Deserialize)]
struct TollRow {
    video: String,
    text: String,
}

/// Trucks that are rendered for each light and weather.
const OF_EACH: usize = 2;

/// Trucks rendered into `folder`, two for each light and weather, in every mounting, at the size and rate of a lane camera.
/// Each clip comes with the name of its condition.
pub fn rendered_clips(folder: &Path) -> anyhow::Result<Vec<(&'static str, KnownClip)>> {
    // Mud is left out: what it hides cannot be read, however many frames there are.
    let conditions: Vec<_> = Condition::ALL.into_iter().filter(|(_, c)| *c != Condition::Dirt).collect();
    let drives = conditions.iter().copied().cycle().take(OF_EACH * conditions.len());
    let mut clips = Vec::new();
    for (number, (name, condition)) in drives.enumerate() {
        let spec = drive(number, condition, 5.0, 400)?;
        let clip = render_clip(&spec, &folder.join(format!("clip-{number}.mp4")))?;
        let marks = spec.mark.iter().chain(&spec.mainland_mark).map(ToString::to_string).collect();
        clips.push((name, KnownClip { film: clip.film, marks, track: Some(clip.labels) }));
    }
    Ok(clips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_frames_and_passages_are_measured_alike() {
        let figures = ClipFigures {
            marks: 4,
            fused_right: 3,
            fused_wrong: 1,
            frame_reads: 40,
            frame_right: 20,
            in_sight: 60,
            in_sight_right: 15,
            ..ClipFigures::default()
        };
        assert_eq!(figures.of_reads(), Gain { single_frame: 0.5, fused: 0.75, gain: 0.25 });
        assert_eq!(figures.of_plates(), Some(Gain { single_frame: 0.25, fused: 0.75, gain: 0.5 }));
        assert_eq!(figures.plus(figures).of_reads(), figures.of_reads());
        assert_eq!(ClipFigures::default().of_plates(), None);
    }
}
