//! One read out of many frames.
//!
//! A tempered product of experts: each frame votes with the logarithm of its distributions, weighted by how large
//! and how sure its plate is. Frames of one passage show the same dirt and the same screw, so they are not
//! independent, and their exponents together are capped: thirty equal frames say no more than three.

use clearance::mark::{CLASSES, MAX_CHARACTERS, RegistrationMark};
use clearance::read::{Candidate, Certainty, FusedPlate, PlateRead};
use models::Thresholds;

use super::align::{self, Row};

/// Plate width in pixels from which a larger one is not read any better (choice).
const WIDTH_ENOUGH: f32 = 120.0;

/// No frame may exclude a character that the others see: the least it can say of one. Small enough that all classes
/// together take nothing worth speaking of from a sure read.
const LEAST_PROBABILITY: f32 = 1e-4;

/// Frames that agree must outweigh those that say something else by this much for the read to be certain (choice).
const MAJORITY: f32 = 1.5;

/// What a fused read must have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FusePolicy {
    /// Least probability of the likeliest mark for it to be certain, 0 to 1.
    pub read_certain: f32,
    /// Least probability of the likeliest mark for anything to count as read, 0 to 1.
    pub read_least: f32,
    /// Least number of frames that agree on the mark for it to be certain, in each of which the detector was sure of
    /// the plate.
    pub agreeing: u32,
    /// Score from which on the detector is sure. Lettering on a cab reads as well as a plate does and agrees with itself
    /// in every frame: that it is no plate, only the detector can tell.
    pub sighting_sure: f32,
    /// How many independent frames all frames together may count for.
    pub most_evidence: f32,
    /// How many candidates are kept.
    pub candidates: usize,
    /// Plate width in pixels from which a plate should be readable.
    pub readable_width: f32,
    /// Frames in which a readable plate must be seen, if nothing is read of it, to be a plate at all.
    pub absent_frames: u32,
}

impl FusePolicy {
    /// For a passage seen by cameras: three frames must agree.
    pub fn video(thresholds: Thresholds) -> Self {
        Self {
            read_certain: thresholds.read_certain,
            read_least: thresholds.read_least,
            agreeing: 3,
            sighting_sure: thresholds.sighting_sure,
            most_evidence: 3.0,
            candidates: 5,
            readable_width: 60.0,
            absent_frames: 3,
        }
    }

    /// For a single photograph, in which every plate that the detector finds is taken for one.
    pub fn photo(thresholds: Thresholds) -> Self {
        Self {
            agreeing: 1,
            sighting_sure: 0.0,
            absent_frames: 1,
            readable_width: 0.0,
            ..Self::video(thresholds)
        }
    }
}

/// How much a read counts beside others of the same plate: large and surely a plate is better.
pub(super) fn weight(read: &PlateRead) -> f32 {
    let width = (read.sighting.corners.width() / WIDTH_ENOUGH).clamp(0.05, 1.0);
    let score = read.sighting.score.clamp(0.05, 1.0);
    // NaN passes through clamp; such a read counts as little as any.
    if (width * score).is_finite() { width * score } else { 0.0025 }
}

/// One frame's vote.
struct Vote<'a> {
    read: &'a PlateRead,
    spelling: Vec<usize>,
    best: Option<Candidate>,
    weight: f32,
}

impl Vote<'_> {
    /// How firmly it stands by its mark.
    fn firmness(&self) -> f32 {
        self.weight * self.best.as_ref().map_or(0.0, |b| b.probability)
    }
}

/// Fuse the reads of one plate; `None` when there are none.
pub fn fuse(reads: &[PlateRead], policy: &FusePolicy) -> Option<FusedPlate> {
    let votes: Vec<_> = reads.iter().map(vote).collect();
    let best = votes.iter().max_by(|a, b| a.weight.total_cmp(&b.weight))?;
    let anchor = anchor(&votes);
    let aligned: Vec<(f32, Row)> = votes
        .iter()
        .filter_map(|v| Some((v.weight / best.weight, align::onto(&anchor, &v.read.characters)?)))
        .collect();
    let candidates = models::candidates(&pool(&aligned, policy.most_evidence), policy.candidates);
    let certainty = certainty(&votes, &candidates, policy);
    Some(FusedPlate {
        certainty,
        // What could not be read is kept as such: guesses below the least would only name innocent vehicles.
        candidates: if certainty == Certainty::Absent { Vec::new() } else { candidates },
        layout: best.read.sighting.layout,
        corners: best.read.sighting.corners,
        frames: aligned.len() as u32,
    })
}

fn vote(read: &PlateRead) -> Vote<'_> {
    Vote {
        read,
        spelling: align::spelling(&read.characters),
        best: models::candidates(&read.characters, 1).into_iter().next(),
        weight: weight(read),
    }
}

/// The text that the votes are aligned to: the firmest length first, and the firmest text of that length.
fn anchor(votes: &[Vote<'_>]) -> Vec<usize> {
    let mut lengths = [0.0f32; MAX_CHARACTERS + 1];
    for vote in votes {
        lengths[vote.spelling.len().min(MAX_CHARACTERS)] += vote.firmness();
    }
    let longest = |best: usize, i: usize| if lengths[i] > lengths[best] { i } else { best };
    let length = (0..lengths.len()).fold(0, longest);
    let total =
        |text: &[usize]| -> f32 { votes.iter().filter(|v| v.spelling == text).map(Vote::firmness).sum() };
    votes
        .iter()
        .filter(|v| v.spelling.len() == length)
        .max_by(|a, b| total(&a.spelling).total_cmp(&total(&b.spelling)))
        .map(|v| v.spelling.clone())
        .unwrap_or_default()
}

/// The weighted geometric mean, sharpened by up to `most_evidence` frames' worth.
fn pool(rows: &[(f32, Row)], most_evidence: f32) -> Vec<[f32; CLASSES]> {
    let total: f32 = rows.iter().map(|(w, _)| w).sum();
    let scale = if total > most_evidence { most_evidence / total } else { 1.0 };
    (0..MAX_CHARACTERS)
        .map(|position| {
            let mut logs = [0.0f32; CLASSES];
            for (weight, row) in rows {
                for (log, p) in logs.iter_mut().zip(&row[position]) {
                    *log += weight * scale * p.max(LEAST_PROBABILITY).ln();
                }
            }
            softmax(logs)
        })
        .collect()
}

fn softmax(logs: [f32; CLASSES]) -> [f32; CLASSES] {
    let top = logs.iter().copied().fold(f32::MIN, f32::max);
    let raised = logs.map(|l| (l - top).exp());
    let sum: f32 = raised.iter().sum();
    raised.map(|r| r / sum)
}

fn certainty(votes: &[Vote<'_>], candidates: &[Candidate], policy: &FusePolicy) -> Certainty {
    let Some(top) = candidates.first() else { return Certainty::Absent };
    if top.probability < policy.read_least {
        return Certainty::Absent;
    }
    let says = |vote: &Vote<'_>, mark: &RegistrationMark| vote.best.as_ref().is_some_and(|b| b.mark == *mark);
    let (agree, differ): (Vec<_>, Vec<_>) = votes.iter().partition(|v| says(v, &top.mark));
    let sum = |votes: &[&Vote<'_>]| votes.iter().map(|v| v.firmness()).sum::<f32>();
    let sure = agree.iter().filter(|v| v.read.sighting.score >= policy.sighting_sure).count();
    let certain = top.probability >= policy.read_certain
        && sure as u32 >= policy.agreeing
        && sum(&agree) > MAJORITY * sum(&differ);
    if certain { Certainty::Certain } else { Certainty::Ambiguous }
}

#[cfg(test)]
pub(crate) mod tests {
    use clearance::geometry::Quad;
    use clearance::mark::ALPHABET;
    use clearance::read::{PlateLayout, PlateSighting};
    use proptest::prelude::*;

    use super::*;

    /// Distributions that say `text` with probability `p` at each position.
    pub(crate) fn row(text: &str, p: f32) -> Row {
        let mut characters = text.chars();
        std::array::from_fn(|_| {
            let class = characters.next().map_or(0, |c| 1 + ALPHABET.iter().position(|a| *a == c).unwrap());
            let mut position = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
            position[class] = p;
            position
        })
    }

    /// A read of `text` at a place 120 pixels wide.
    pub(crate) fn read_at(text: &str, p: f32, x: f32, y: f32) -> PlateRead {
        let layout =
            if text.starts_with('粤') { PlateLayout::CrossBoundary } else { PlateLayout::SingleRow };
        let sighting = PlateSighting { corners: Quad::rectangle(x, y, 120.0, 30.0), score: 0.9, layout };
        PlateRead { sighting, characters: row(text, p) }
    }

    fn read(text: &str, p: f32) -> PlateRead {
        read_at(text, p, 0.0, 0.0)
    }

    const THRESHOLDS: Thresholds = Thresholds { read_certain: 0.9, read_least: 0.2, sighting_sure: 0.6 };

    pub(crate) fn policy() -> FusePolicy {
        FusePolicy::video(THRESHOLDS)
    }

    fn top(plate: &FusedPlate) -> &str {
        plate.candidates.first().map_or("", |c| c.mark.as_str())
    }

    #[test]
    fn three_fair_reads_that_agree_beat_one_sure_read_that_is_wrong() {
        let mut reads = vec![read("AB1234", 0.95); 3];
        reads.push(read("AB1284", 0.999));
        let plate = fuse(&reads, &policy()).unwrap();
        assert_eq!(top(&plate), "AB1234");
        assert_eq!(plate.frames, 4);
    }

    #[test]
    fn agreeing_frames_sharpen_one_another_up_to_the_cap() {
        let probability =
            |n: usize| fuse(&vec![read("AB1234", 0.93); n], &policy()).unwrap().candidates[0].probability;
        assert!(probability(1) < 0.6 && probability(3) > 0.99);
        assert!((probability(30) - probability(3)).abs() < 1e-3);
    }

    #[test]
    fn certain_needs_three_frames_in_a_video_and_one_in_a_photograph() {
        let reads = vec![read("AB1234", 0.999); 2];
        assert_eq!(fuse(&reads, &policy()).unwrap().certainty, Certainty::Ambiguous);
        let photo = FusePolicy::photo(THRESHOLDS);
        assert_eq!(fuse(&reads[..1], &photo).unwrap().certainty, Certainty::Certain);
    }

    #[test]
    fn lettering_that_the_detector_was_never_sure_of_is_not_certain_however_well_it_reads() {
        let seen = |score: f32| {
            let mut read = read("4L4DTY4A", 0.999);
            read.sighting.score = score;
            read
        };
        let lettering = vec![seen(0.49); 15];
        assert_eq!(fuse(&lettering, &policy()).unwrap().certainty, Certainty::Ambiguous);
        let once = [lettering.clone(), vec![seen(0.7); 2]].concat();
        assert_eq!(fuse(&once, &policy()).unwrap().certainty, Certainty::Ambiguous);
        let plate = [lettering, vec![seen(0.7); 3]].concat();
        assert_eq!(fuse(&plate, &policy()).unwrap().certainty, Certainty::Certain);
    }

    #[test]
    fn contradicting_reads_stay_ambiguous_however_many() {
        for n in [3, 30] {
            let mut reads = vec![read("AB1234", 0.99); n];
            reads.extend(vec![read("AB1284", 0.99); n]);
            let plate = fuse(&reads, &policy()).unwrap();
            assert_eq!(plate.certainty, Certainty::Ambiguous);
            assert!(plate.could_be(&"AB1234".parse().unwrap()) && plate.could_be(&"AB1284".parse().unwrap()));
        }
    }

    #[test]
    fn a_text_that_is_cut_off_in_as_many_frames_is_not_certain() {
        let mut reads = vec![read("AB1234", 0.99); 3];
        reads.extend(vec![read("AB123", 0.99); 3]);
        assert_eq!(fuse(&reads, &policy()).unwrap().certainty, Certainty::Ambiguous);
    }

    #[test]
    fn a_few_frames_with_a_lost_character_do_not_shift_the_rest() {
        let mut reads = vec![read("AB1234", 0.98); 6];
        reads.push(read("A1234", 0.9));
        let plate = fuse(&reads, &policy()).unwrap();
        assert_eq!((top(&plate), plate.certainty), ("AB1234", Certainty::Certain));
    }

    #[test]
    fn what_is_too_uncertain_is_absent_and_names_nobody() {
        let plate =
            fuse(&vec![read("AB1234", 0.3); 4], &FusePolicy { most_evidence: 1.0, ..policy() }).unwrap();
        assert_eq!((plate.certainty, plate.candidates.len()), (Certainty::Absent, 0));
        assert!(fuse(&[], &policy()).is_none());
    }

    fn any_read() -> impl Strategy<Value = PlateRead> {
        let text = "[A-HJ-NP-Z0-9]{0,10}";
        (text, 0.03f32..1.0, 1.0f32..400.0, 0.0f32..1.0).prop_map(|(text, p, width, score)| {
            let mut read = read(&text, p);
            read.sighting.corners = Quad::rectangle(0.0, 0.0, width, width / 4.0);
            read.sighting.score = score;
            read
        })
    }

    proptest! {
        #[test]
        fn fusion_is_total_and_never_certain_without_agreement(reads in proptest::collection::vec(any_read(), 1..12)) {
            let plate = fuse(&reads, &policy()).unwrap();
            if let Some(mark) = plate.certain_mark() {
                let agree = reads.iter().filter(|r| {
                    r.sighting.score >= policy().sighting_sure
                        && models::candidates(&r.characters, 1).first().is_some_and(|c| c.mark == *mark)
                }).count();
                prop_assert!(agree >= 3);
            }
            prop_assert!(plate.candidates.iter().all(|c| c.probability.is_finite()));
        }
    }
}
