//! What reading comes to over a group of plates: found, exact, and what is accepted without a person at a threshold.

use calibration::confidence::{Judged, threshold_for_risk};
use clearance::mark::ALPHABET;
use serde::Serialize;

use super::confusions::{NOTHING, align};
use super::scoring::Verdict;
use super::spelling::normal;

/// The error of accepted reads that may be, as a part of them: the target is 0.1%.
pub const MOST_ERROR: f64 = 0.001;

/// Figures of a group of plates. Parts are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Acceptance {
    /// Measured plates.
    pub plates: usize,
    /// Part found with an overlap of at least a half.
    pub recall_iou50: f64,
    /// Part read exactly, nothing known about what to expect.
    pub exact: f64,
    /// The confidence from which on a read is accepted: the bundle's `read_certain`.
    pub threshold: f64,
    /// Part of the plates whose read is accepted.
    pub r#yield: f64,
    /// Part of the accepted reads that is wrong.
    pub error: f64,
    /// How many those are.
    pub wrong: usize,
    /// The lowest threshold at which these very reads have an error of at most [`MOST_ERROR`]. Chosen with the truth in
    /// hand: an upper bound of what calibration could reach, no result. `None` where no threshold does.
    pub oracle_threshold: Option<f64>,
    /// The yield there.
    pub oracle_yield: f64,
}

impl Acceptance {
    /// Sum up the verdicts of a group, accepting from `threshold` on.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict<'a>>, threshold: f64) -> Self {
        let verdicts: Vec<_> = verdicts.into_iter().collect();
        let part = |n: usize, of: usize| rounded(n as f64 / of.max(1) as f64);
        let plates = verdicts.len();
        let reads: Vec<Judged> = verdicts.iter().filter_map(|v| judged(v)).collect();
        let accepted = reads.iter().filter(|r| r.confidence >= threshold).count();
        let wrong = reads.iter().filter(|r| r.confidence >= threshold && !r.right).count();
        let oracle = threshold_for_risk(&reads, MOST_ERROR, false);
        Self {
            plates,
            recall_iou50: part(verdicts.iter().filter(|v| v.found).count(), plates),
            exact: part(verdicts.iter().filter(|v| v.exact).count(), plates),
            threshold,
            r#yield: part(accepted, plates),
            error: part(wrong, accepted),
            wrong,
            oracle_threshold: oracle.map(|t| t.confidence),
            oracle_yield: part(oracle.map_or(0, |t| t.accepted), plates),
        }
    }
}

/// A verdict as calibration takes it; `None` where there is no read.
pub fn judged(verdict: &Verdict<'_>) -> Option<Judged> {
    verdict.confidence().map(|confidence| Judged { confidence, right: verdict.exact })
}

/// The characters of a read as calibration takes them: how likely each was, and whether it is the label's. None where whole
/// distributions are not at hand, or the read shares less than half of the label's characters and is about something else.
pub fn judged_characters(verdict: &Verdict<'_>) -> Vec<Judged> {
    let Some(read) = verdict.detection.and_then(|d| d.read.as_ref()) else { return Vec::new() };
    let likeliest = read.characters.iter().filter_map(|distribution| {
        let (class, p) = distribution.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((*ALPHABET.get(class.checked_sub(1)?)?, f64::from(*p)))
    });
    let (text, probabilities): (String, Vec<f64>) = likeliest.unzip();
    let label = normal(&verdict.label.text);
    let pairs = align(&label, &normal(&text));
    if 2 * pairs.iter().filter(|(a, b)| a == b).count() < label.chars().count() {
        return Vec::new();
    }
    let read = pairs.into_iter().filter(|(_, read)| *read != NOTHING);
    read.zip(probabilities).map(|((a, b), confidence)| Judged { confidence, right: a == b }).collect()
}

/// To four decimals, as `score_plates.py` prints parts.
pub fn rounded(part: f64) -> f64 {
    (part * 1e4).round_ties_even() / 1e4
}

#[cfg(test)]
mod tests {
    use super::super::reads::Detection;
    use super::super::scoring::tests::label;
    use super::*;

    #[test]
    fn yield_counts_all_plates_and_error_only_accepted_reads() {
        let label = label("AB12", 0.0, "HK");
        let read = |confidence| Detection {
            mark: "AB12".to_owned(),
            confidence,
            corners: label.corners,
            read: None,
        };
        let reads = [read(0.99), read(0.95), read(0.5)];
        let verdict = |detection, exact| Verdict { picture: 0, label: &label, found: true, detection, exact };
        let verdicts = [
            verdict(Some(&reads[0]), true),
            verdict(Some(&reads[1]), false),
            verdict(Some(&reads[2]), true),
            verdict(None, false),
        ];
        let figures = Acceptance::of(&verdicts, 0.9);
        assert_eq!((figures.plates, figures.exact), (4, 0.5));
        assert_eq!((figures.r#yield, figures.error, figures.wrong), (0.5, 0.5, 1));
        assert_eq!(figures.oracle_yield, 0.25, "above the misread there is one read");
        let none = Acceptance::of(&[], 0.9);
        assert_eq!((none.plates, none.exact, none.oracle_threshold), (0, 0.0, None));
    }
}
