//! What fusing the frames of a passage gains over reading one frame: recordings of which the vehicles are known, read by
//! the product's own splitter and fusion.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clearance::read::Certainty;
use datasets::clip::{ClipSpec, Condition, Mounting, render_clip};
use edge::camera::{CameraSpec, Frames, Source};
use edge::lane::fuse::FusePolicy;
use edge::lane::passages::{FinishedPassage, PassageSplitter};
use models::{Bundle, Recogniser, candidates};
use serde::Serialize;

/// A recording and the marks that pass in it.
#[derive(Clone, Debug)]
pub struct KnownClip {
    /// The film.
    pub film: PathBuf,
    /// Marks in sight, in their canonical spelling.
    pub marks: BTreeSet<String>,
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
}

impl ClipFigures {
    /// Part of single reads that are right, 0 to 1.
    pub fn single_frame(&self) -> f64 {
        self.frame_right as f64 / self.frame_reads.max(1) as f64
    }

    /// Part of marks that are right after fusion, 0 to 1.
    pub fn fused(&self) -> f64 {
        self.fused_right as f64 / self.marks.max(1) as f64
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
    let source = Source::File { path: clip.film.clone(), r#loop: false, paced: false };
    for frame in Frames::open(CameraSpec::new("clip", source))? {
        let (at, frame) = frame?;
        let plates = recogniser.recognise(frame.luma.view())?.plates;
        for best in plates.iter().filter_map(|p| candidates(&p.characters, 1).into_iter().next()) {
            if best.probability < thresholds.read_least {
                continue; // too little to count as a read, alone or fused
            }
            let right = clip.marks.contains(best.mark.as_str());
            figures.frame_reads += 1;
            figures.frame_right += usize::from(right);
            figures.frame_certain_wrong += usize::from(!right && best.probability >= thresholds.read_certain);
        }
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
    Ok(Some(KnownClip { film, marks }))
}

#[derive(serde::Deserialize)]
struct TollRow {
    video: String,
    text: String,
}

/// Trucks rendered into `folder`, two for each light and weather, in every mounting, at the size and rate of a lane camera.
/// Each clip comes with the name of its condition.
pub fn rendered_clips(folder: &Path) -> anyhow::Result<Vec<(&'static str, KnownClip)>> {
    let mountings =
        [Mounting::Stacked, Mounting::StackedTwoRows, Mounting::Separate, Mounting::SeparateTwoRows];
    // Mud is left out: what it hides cannot be read, however many frames there are.
    let conditions = Condition::ALL.into_iter().filter(|(_, c)| *c != Condition::Dirt).cycle();
    let mut clips = Vec::new();
    for (number, ((hong_kong, mainland), (name, condition))) in MARKS.into_iter().zip(conditions).enumerate()
    {
        let spec = ClipSpec {
            mark: Some(hong_kong.parse()?),
            mainland_mark: Some(mainland.parse()?),
            mounting: mountings[number % mountings.len()],
            condition,
            seconds: 5.0,
            fps: 12,
            seed: 400 + number as u64,
            ..ClipSpec::default()
        };
        let clip = render_clip(&spec, &folder.join(format!("clip-{number}.mp4")))?;
        let marks = [hong_kong, mainland].map(str::to_owned).into();
        clips.push((name, KnownClip { film: clip.film, marks }));
    }
    Ok(clips)
}

/// Vehicles of the rendered clips; invented.
const MARKS: [(&str, &str); 10] = [
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
