//! Whether the model is still what it was: how far its scores moved, and how far what was found fell from what was said.

use clearance::ids::{Digest, UtcMillis};
use risk::score::watch::{Calibration, Histogram, Outcome, calibration, surprise};
use risk::{Assessment, Measure, Probability, Reason};

use crate::storage::{StorageError, Store};
use crate::trade::movement::Inspection;

/// As many of the latest movements are looked at for how the scores lie; of fewer than the least, nothing is said.
const SCORED: u32 = 1_000;
pub(super) const LEAST_SCORED: usize = 200;

/// As many of the latest inspections are looked at for what was found; of fewer sure ones than the least, nothing is said.
const INSPECTED: u32 = 1_000;
const LEAST_SURE: usize = 30;

/// What is known of a model's work of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    /// Population stability index of its scores against the time that it was trained on.
    pub(crate) stability: Option<f64>,
    /// Gap between what it said of those that it had inspected and what was found.
    pub(crate) surprise: Option<f64>,
    /// How far its chances can be believed, by those that were drawn among all.
    pub(crate) calibration: Option<Calibration>,
}

impl Watched {
    /// The greater of the two, at most one; `None` while neither can be told.
    pub(crate) fn drift(&self) -> Option<Probability> {
        [self.stability, self.surprise].into_iter().flatten().filter_map(Probability::nearest).max()
    }
}

/// Look at a model's latest scores and at what inspections gave.
pub(super) async fn watch(
    store: &Store,
    model: Digest,
    reference: &Histogram,
) -> Result<Watched, StorageError> {
    let mut scores = Vec::new();
    for row in store.past_assessments(UtcMillis(0), (i64::MAX, ""), SCORED).await? {
        let score = row.decision()?.circumstances.score.filter(|score| score.model == model);
        scores.extend(score.map(|score| score.value.as_f64()));
    }
    let (mut sure, mut random) = (Vec::new(), Vec::new());
    for (row, result) in store.inspected_assessments(INSPECTED).await? {
        let decision = row.decision()?;
        let Some(score) = decision.circumstances.score.filter(|score| score.model == model) else { continue };
        let outcome = Outcome { probability: score.value.as_f64(), fraud: result == Inspection::Found };
        if is_sure(&decision.assessment) {
            sure.push(outcome);
        }
        if decision.assessment.drawn.is_some_and(|drawn| drawn.measure >= Measure::Documents) {
            random.push(outcome);
        }
    }
    let enough = |many: usize, least: usize| (many >= least).then_some(());
    Ok(Watched {
        stability: enough(scores.len(), LEAST_SCORED).and_then(|()| reference.stability(&scores)),
        surprise: enough(sure.len(), LEAST_SURE).and_then(|()| surprise(&sure)),
        calibration: calibration(&random),
    })
}

/// Whether the model itself had it looked at before the gate.
fn is_sure(assessment: &Assessment) -> bool {
    assessment
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Score { measure, .. } if *measure >= Measure::Documents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_the_greater_of_what_can_be_told() {
        let drift = |stability, surprise| {
            Watched { stability, surprise, calibration: None }.drift().map(Probability::millionths)
        };
        assert_eq!(drift(None, None), None);
        assert_eq!(drift(Some(0.2), None), Some(200_000));
        assert_eq!(drift(Some(0.2), Some(0.3)), Some(300_000));
        // An index knows no end; a probability does.
        assert_eq!(drift(Some(7.5), Some(0.3)), Some(1_000_000));
    }
}
