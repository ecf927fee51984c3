//! What a confidence is worth: the reliability curve of a reader, and the threshold above which it misreads no more
//! often than stated.

use serde::{Deserialize, Serialize};

/// One read whose truth is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What the reader claimed, 0 to 1.
    pub confidence: f64,
    /// Whether the mark was exact.
    pub right: bool,
}

/// Reads of like confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Lower edge of the bin.
    pub from: f64,
    /// Upper edge.
    pub to: f64,
    /// Reads in it.
    pub reads: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The part that was right.
    pub accuracy: f64,
}

/// How confidence and accuracy go together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// Ten bins of equal width; empty ones left out.
    pub bins: Vec<Bin>,
    /// Expected calibration error (Guo et al., 2017): mean distance of confidence and accuracy, weighted by reads.
    pub expected_calibration_error: f64,
}

/// The reliability curve.
pub fn reliability(reads: &[Judged]) -> Reliability {
    let mut bins = Vec::new();
    let mut error = 0.0;
    for i in 0..10 {
        let (from, to) = (f64::from(i) / 10.0, f64::from(i + 1) / 10.0);
        let inside: Vec<_> = reads
            .iter()
            .filter(|r| r.confidence >= from && (r.confidence < to || (i == 9 && r.confidence <= 1.0)))
            .collect();
        if inside.is_empty() {
            continue;
        }
        let n = inside.len() as f64;
        let confidence = inside.iter().map(|r| r.confidence).sum::<f64>() / n;
        let accuracy = inside.iter().filter(|r| r.right).count() as f64 / n;
        error += (confidence - accuracy).abs() * n / reads.len() as f64;
        bins.push(Bin { from, to, reads: inside.len(), confidence, accuracy });
    }
    Reliability { bins, expected_calibration_error: error }
}

/// A threshold and what it buys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// Accept reads at or above this.
    pub confidence: f64,
    /// Part of the reads accepted.
    pub acceptance: f64,
    /// Misreads among the accepted.
    pub misreads: usize,
    /// Reads accepted.
    pub accepted: usize,
    /// Upper bound of the misread risk at 95% confidence (Wilson score interval, one-sided).
    pub risk_bound: f64,
}

/// The lowest threshold whose misread risk is at most `risk`: by the observed rate, and with `proven` by the upper
/// bound of its 95% interval. `None` when no threshold reaches it with these reads.
pub fn threshold_for_risk(reads: &[Judged], risk: f64, proven: bool) -> Option<Threshold> {
    let mut sorted: Vec<_> = reads.iter().filter(|r| r.confidence.is_finite()).collect();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut best = None;
    let (mut accepted, mut misreads) = (0, 0);
    for (i, read) in sorted.iter().enumerate() {
        accepted += 1;
        misreads += usize::from(!read.right);
        // Reads of one confidence stand or fall together.
        if sorted.get(i + 1).is_some_and(|next| next.confidence == read.confidence) {
            continue;
        }
        let risk_bound = wilson_upper(misreads, accepted);
        let rate = misreads as f64 / f64::from(accepted as u32);
        if (if proven { risk_bound } else { rate }) <= risk {
            let acceptance = f64::from(accepted as u32) / reads.len() as f64;
            best =
                Some(Threshold { confidence: read.confidence, acceptance, misreads, accepted, risk_bound });
        }
    }
    best
}

/// Upper end of the one-sided 95% Wilson interval for `hits` out of `n`.
fn wilson_upper(hits: usize, n: usize) -> f64 {
    let z = 1.644_853_6_f64;
    let (p, n) = (hits as f64 / n as f64, n as f64);
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (middle + spread) / (1.0 + z * z / n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_honest_reader_has_no_calibration_error() {
        let reads: Vec<_> = (0..1000).map(|i| Judged { confidence: 0.75, right: i % 4 != 0 }).collect();
        assert!(reliability(&reads).expected_calibration_error < 1e-9);
    }

    #[test]
    fn the_threshold_leaves_the_misreads_out() {
        let reads = [(0.99, true), (0.98, true), (0.9, false), (0.8, true)]
            .map(|(confidence, right)| Judged { confidence, right });
        let t = threshold_for_risk(&reads, 0.0, false).unwrap();
        assert_eq!((t.confidence, t.accepted), (0.98, 2));
        assert!(threshold_for_risk(&reads, 0.001, true).is_none(), "two reads prove nothing");
    }

    proptest! {
        #[test]
        fn what_is_accepted_keeps_the_stated_risk(
            reads in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..200),
            risk in 0.0f64..0.5,
        ) {
            let reads: Vec<_> = reads.into_iter().map(|(confidence, right)| Judged { confidence, right }).collect();
            if let Some(t) = threshold_for_risk(&reads, risk, false) {
                let kept: Vec<_> = reads.iter().filter(|r| r.confidence >= t.confidence).collect();
                let wrong = kept.iter().filter(|r| !r.right).count();
                prop_assert_eq!(kept.len(), t.accepted);
                prop_assert!(wrong as f64 <= risk * kept.len() as f64 + 1e-9);
            }
        }
    }
}
