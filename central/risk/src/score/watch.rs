//! Is the model still what it was: drift against the time it was trained on, and calibration on the random stratum.

use serde::{Deserialize, Serialize};

/// Share that stands for an empty bin, so that the index stays finite.
const EMPTY: f64 = 1e-4;

/// From here on a population is commonly said to have shifted somewhat, and shifted (Siddiqi, "Credit Risk Scorecards", 2006).
pub const SOME_DRIFT: f64 = 0.1;
/// See [`SOME_DRIFT`].
pub const MUCH_DRIFT: f64 = 0.25;

/// Bins of equal width that reliability is shown in.
const BINS: usize = 10;

/// A histogram of a number: what is missing, and then bins up to each edge (inclusive) and beyond the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    name: String,
    /// In single precision, as features are: many declarations lie exactly on an edge, and must fall in its bin.
    edges: Vec<f32>,
    shares: Vec<f64>,
}

impl Histogram {
    pub(crate) fn fits(&self) -> bool {
        self.edges.windows(2).all(|w| w[0] < w[1])
            && self.shares.len() == self.edges.len() + 2
            && self.shares.iter().all(|s| (0.0..=1.0).contains(s))
            && (self.shares.iter().sum::<f64>() - 1.0).abs() < 1e-6
    }

    /// What it is of.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Population stability index of a window of values against this: the sum over the bins of
    /// (share now - share then) ln(share now / share then). 0 is no difference. `None` for an empty window.
    pub fn stability(&self, window: &[f64]) -> Option<f64> {
        let mut counts = vec![0_usize; self.shares.len()];
        for &value in window {
            let bin = if value.is_nan() { 0 } else { 1 + self.edges.partition_point(|&e| e < value as f32) };
            *counts.get_mut(bin)? += 1;
        }
        let term = |(&count, &then): (&usize, &f64)| {
            let (now, then) = ((count as f64 / window.len() as f64).max(EMPTY), then.max(EMPTY));
            (now - then) * (now / then).ln()
        };
        (!window.is_empty()).then(|| counts.iter().zip(&self.shares).map(term).sum())
    }
}

/// Drift of a window of declarations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// Of the score.
    pub score: f64,
    /// Of each feature, most first.
    pub features: Vec<(String, f64)>,
}

/// Drift of `features` (a row for each declaration) and of their `probabilities` against a model's reference. `None` for an empty
/// window.
pub fn drift(
    reference: (&[Histogram], &Histogram),
    features: &[Vec<f32>],
    probabilities: &[f64],
) -> Option<Drift> {
    let score = reference.1.stability(probabilities)?;
    let column = |at: usize| -> Vec<f64> {
        features.iter().map(|row| row.get(at).map_or(f64::NAN, |&v| f64::from(v))).collect()
    };
    let mut of_features = reference
        .0
        .iter()
        .enumerate()
        .map(|(at, histogram)| Some((histogram.name.clone(), histogram.stability(&column(at))?)))
        .collect::<Option<Vec<_>>>()?;
    of_features.sort_by(|a, b| b.1.total_cmp(&a.1));
    Some(Drift { score, features: of_features })
}

/// An inspected declaration of the random stratum: only these say how far the chances can be believed, because the others were
/// chosen by the very chances that are in question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// What the model said.
    pub probability: f64,
    /// What was found.
    pub fraud: bool,
}

/// Declarations whose chance lies in one tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Reliability {
    /// How many.
    pub count: usize,
    /// Mean chance.
    pub said: f64,
    /// Share of frauds.
    pub found: f64,
}

/// How far the chances can be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean square of chance less outcome (Brier 1950); less is better.
    pub brier: f64,
    /// Expected calibration error: mean gap between chance and share, by bin.
    pub error: f64,
    /// Ten bins of equal width.
    pub bins: Vec<Reliability>,
}

impl Calibration {
    /// Bins that something lies in, each with the per cent that it begins at.
    pub fn filled(&self) -> impl Iterator<Item = (usize, &Reliability)> {
        let filled = self.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0);
        filled.map(|(at, bin)| (at * 100 / BINS, bin))
    }
}

/// Calibration on the random stratum; `None` where it is empty.
pub fn calibration(random_stratum: &[Outcome]) -> Option<Calibration> {
    if random_stratum.is_empty() {
        return None;
    }
    let mut bins = [Reliability::default(); BINS];
    let mut brier = 0.0;
    for outcome in random_stratum {
        let fraud = f64::from(u8::from(outcome.fraud));
        brier += (outcome.probability - fraud).powi(2);
        let at = ((outcome.probability * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut bins[at];
        bin.count += 1;
        bin.said += outcome.probability;
        bin.found += fraud;
    }
    let all = random_stratum.len() as f64;
    let error = bins.iter().map(|b| (b.said - b.found).abs()).sum::<f64>() / all;
    for bin in bins.iter_mut().filter(|b| b.count > 0) {
        bin.said /= bin.count as f64;
        bin.found /= bin.count as f64;
    }
    Some(Calibration { brier: brier / all, error, bins: bins.to_vec() })
}

/// How far what was found lately fell from what was said of it: the gap between the mean chance and the share of frauds, 0 to 1,
/// of inspected declarations that the model was sure of. Fraud that moves shows here at once, while the declarations, and so
/// their stability index, may look as before. `None` where nothing was inspected.
pub fn surprise(inspected: &[Outcome]) -> Option<f64> {
    let gap: f64 = inspected.iter().map(|o| o.probability - f64::from(u8::from(o.fraud))).sum();
    (!inspected.is_empty()).then(|| (gap / inspected.len() as f64).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram() -> Histogram {
        Histogram { name: "mass".to_owned(), edges: vec![1.0, 2.0], shares: vec![0.0, 0.5, 0.25, 0.25] }
    }

    #[test]
    fn the_same_population_has_no_drift_and_another_has() {
        let same = histogram().stability(&[0.5, 1.0, 1.5, 9.0]).unwrap();
        assert!(same.abs() < 1e-9, "{same}");
        let other = histogram().stability(&[9.0, 9.0, 9.0, f64::NAN]).unwrap();
        assert!(other > MUCH_DRIFT, "{other}");
        assert_eq!(histogram().stability(&[]), None);
    }

    #[test]
    fn the_index_is_the_published_formula() {
        let found = histogram().stability(&[0.0, 1.5, 1.5, 9.0]).unwrap();
        let wanted = (0.25_f64 - 0.5) * (0.25_f64 / 0.5).ln() + (0.5_f64 - 0.25) * (0.5_f64 / 0.25).ln();
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }

    #[test]
    fn drift_names_what_moved_most_first() {
        let still = Histogram { name: "still".to_owned(), ..histogram() };
        let rows: Vec<Vec<f32>> = [0.5_f32, 1.0, 1.5, 9.0].iter().map(|&v| vec![v, 9.0]).collect();
        let found = drift((&[still, histogram()], &histogram()), &rows, &[0.5, 1.0, 1.5, 9.0]).unwrap();
        assert_eq!(found.features[0].0, "mass");
    }

    #[test]
    fn calibration_is_perfect_where_chances_are_true() {
        let stratum: Vec<Outcome> = (0..10).map(|i| Outcome { probability: 0.3, fraud: i < 3 }).collect();
        let found = calibration(&stratum).unwrap();
        assert!(found.error < 1e-12);
        assert!((found.brier - 0.21).abs() < 1e-12);
        assert_eq!(found.bins[3].count, 10);
        let wrong: Vec<Outcome> = stratum.iter().map(|o| Outcome { probability: 0.9, ..*o }).collect();
        assert!((calibration(&wrong).unwrap().error - 0.6).abs() < 1e-12);
        assert_eq!(calibration(&[]), None);
    }

    #[test]
    fn a_surprise_is_what_was_said_and_not_found() {
        let inspected: Vec<Outcome> = (0..4).map(|i| Outcome { probability: 0.9, fraud: i < 2 }).collect();
        assert!((surprise(&inspected).unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(surprise(&[]), None);
    }
}
