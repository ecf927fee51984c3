//! What inspections gave, per rule, list and model: whether what made somebody look was worth looking.

use std::collections::{BTreeMap, BTreeSet};

use clearance::ids::Digest;
use serde::{Deserialize, Serialize};

use crate::assessment::{Assessment, Measure, Reason};
use crate::number::Probability;

/// What one inspection gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Something was not as declared.
    pub found: bool,
    /// Minutes that it took.
    pub minutes: u32,
}

/// What made somebody look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A rule in a version.
    Rule {
        /// Its name.
        rule: String,
        /// Its version.
        version: u32,
    },
    /// A list.
    List {
        /// Its name.
        list: String,
    },
    /// A model.
    Model {
        /// Its digest.
        model: Digest,
    },
    /// The draw: what the others have to be better than. Whoever was drawn to be looked at before the gate counts, also where something else
    /// demanded as much: else it would lack just those whom the others found.
    Random,
    /// What was inspected to learn from.
    Explored,
    /// Something that could not be asked.
    Unassessed,
}

impl Source {
    /// Of a reason.
    pub fn of(reason: &Reason) -> Self {
        match reason {
            Reason::Rule { rule, version, .. } => Self::Rule { rule: rule.clone(), version: *version },
            Reason::List { list, .. } => Self::List { list: list.clone() },
            Reason::Score { model, .. } => Self::Model { model: *model },
            Reason::Random { .. } => Self::Random,
            Reason::Explored { .. } => Self::Explored,
            Reason::Unassessed { .. } => Self::Unassessed,
        }
    }
}

impl Source {
    /// Everything that made somebody look, or would have, each once.
    pub fn all(assessment: &Assessment) -> BTreeSet<Self> {
        let drawn = assessment.drawn.filter(|drawn| drawn.measure >= Measure::Documents);
        let reasons = assessment.reasons.iter().filter(|reason| !matches!(reason, Reason::Random { .. }));
        reasons.map(Self::of).chain(drawn.map(|_| Self::Random)).collect()
    }
}

/// Inspections counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many.
    pub inspected: u64,
    /// How many of them found something.
    pub found: u64,
    /// Minutes that they took.
    pub minutes: u64,
}

impl Tally {
    /// One more.
    pub fn count(&mut self, outcome: Outcome) {
        self.inspected += 1;
        self.found += u64::from(outcome.found);
        self.minutes += u64::from(outcome.minutes);
    }

    /// The share that found something; `None` of none.
    pub fn precision(&self) -> Option<Probability> {
        (self.inspected > 0).then(|| Probability::ratio(self.found, self.inspected))
    }

    /// Between what the true share lies with 95 % confidence (Wilson 1927, without correction for continuity); `None` of none.
    pub fn interval(&self) -> Option<(Probability, Probability)> {
        const Z: f64 = 1.959_963_984_540_054; // the normal distribution's quantile at 0.975
        if self.inspected == 0 {
            return None;
        }
        let n = self.inspected as f64;
        let p = self.found as f64 / n;
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some((Probability::nearest((middle - half) / scale)?, Probability::nearest((middle + half) / scale)?))
    }

    /// Minutes of inspection for each find; `None` where nothing was found.
    pub fn minutes_per_find(&self) -> Option<u64> {
        self.minutes.checked_div(self.found)
    }

    /// What each find cost, where an hour of inspection costs `hour`, in the same money; `None` where nothing was found.
    pub fn cost_per_find(&self, hour: u32) -> Option<u64> {
        self.minutes.saturating_mul(u64::from(hour)).checked_div(self.found.saturating_mul(60))
    }
}

/// What inspections gave, by what made somebody look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    by_source: BTreeMap<Source, Tally>,
}

impl Returns {
    /// One more inspection. It counts for each source that was a reason, once.
    pub fn count(&mut self, assessment: &Assessment, outcome: Outcome) {
        for source in Source::all(assessment) {
            self.by_source.entry(source).or_default().count(outcome);
        }
    }

    /// What a source's inspections gave; nothing, if there were none.
    pub fn of(&self, source: &Source) -> Tally {
        self.by_source.get(source).copied().unwrap_or_default()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Source, &Tally)> {
        self.by_source.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Drawn, Unassessed};
    use crate::example;

    #[test]
    fn the_interval_is_wilsons() {
        let interval = |found, inspected| {
            let (low, high) = Tally { inspected, found, minutes: 0 }.interval().unwrap();
            (low.millionths(), high.millionths())
        };
        // By hand with Python: ((m - h) / s, (m + h) / s).
        assert_eq!(interval(8, 10), (490_162, 943_318));
        assert_eq!(interval(0, 10), (0, 277_533));
        assert_eq!(interval(500, 1_000), (469_070, 530_930));
        assert_eq!(Tally::default().interval(), None);
        assert_eq!(Tally::default().precision(), None);
    }

    #[test]
    fn an_inspection_counts_once_for_each_source() {
        let mut assessment = Assessment::unassessed(&example::facts(), Unassessed::NoPolicy);
        let rule =
            |version| Reason::Rule { rule: "night".to_owned(), version, measure: crate::Measure::Inspect };
        assessment.reasons = vec![rule(1), rule(1), rule(2)];
        let mut returns = Returns::default();
        returns.count(&assessment, Outcome { found: true, minutes: 30 });
        returns.count(&assessment, Outcome { found: false, minutes: 31 });
        let of = returns.of(&Source::Rule { rule: "night".to_owned(), version: 1 });
        assert_eq!(of, Tally { inspected: 2, found: 1, minutes: 61 });
        assert_eq!((of.precision(), of.minutes_per_find()), (Some(Probability::ratio(1, 2)), Some(61)));
        assert_eq!((of.cost_per_find(1_200), Tally::default().cost_per_find(1_200)), (Some(1_220), None));
        assert_eq!(returns.of(&Source::Random), Tally::default());
        assert_eq!(returns.iter().count(), 2);
        // Drawn, though the rules had demanded it anyway; and drawn for afterwards, which is no look at the gate.
        for (measure, drawn) in [(Measure::Inspect, 1), (Measure::Documents, 2), (Measure::Audit, 2)] {
            let share = Probability::ratio(1, 100);
            assessment.drawn = Some(Drawn {
                ticket: 1,
                inspect: share,
                documents: share,
                audit: share,
                measure,
                explore: None,
            });
            returns.count(&assessment, Outcome { found: false, minutes: 10 });
            assert_eq!(returns.of(&Source::Random).inspected, drawn, "{measure:?}");
        }
    }
}
