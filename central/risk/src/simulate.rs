//! What a rule would have done to past movements, before it does anything to new ones.

use std::collections::{BTreeMap, BTreeSet};

use clearance::ids::Digest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::assessment::{Assessment, Confidentiality, Measure, Reason};
use crate::canonical::Canonical;
use crate::facts::{Facts, Slot};
use crate::returns::{Outcome, Tally};
use crate::rules::{Checked, RuleFacts};

/// In the overlap: lists of which those who select may not know, together.
pub const WITHHELD: &str = "withheld";

/// A past movement: what was known, decided and, where somebody looked, found.
#[derive(Clone, Copy, Debug)]
pub struct Past<'p> {
    /// What was known.
    pub facts: &'p Facts,
    /// What was decided.
    pub assessment: &'p Assessment,
    /// What an inspection gave.
    pub outcome: Option<Outcome>,
}

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Digest of the draft.
    pub content: Digest,
    /// Days on which movements were expected.
    pub days: u32,
    /// Movements.
    pub movements: u64,
    /// Those for which it holds.
    pub hits: u64,
    /// Hits a day, in hundredths.
    pub hits_per_day_hundredths: u64,
    /// Hits that would have become stricter: what it adds to the load.
    pub stricter: u64,
    /// Movements for which it could not be told: each would be inspected.
    pub failures: u64,
    /// What was found of the hits that were inspected, for whatever reason.
    pub inspected: Tally,
    /// The same of the hits that the draw alone had chosen: this says what the rule is worth where nobody looked before.
    pub inspected_at_random: Tally,
    /// Hits that other rules and lists had too.
    pub overlap: BTreeMap<String, u64>,
    /// What it adds to each control point.
    pub load: BTreeMap<String, Load>,
}

/// What a rule adds to one control point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Hits that would have become stricter.
    pub stricter: u64,
    /// Most of them in one hour.
    pub busiest: u64,
    /// By the hour of the day.
    pub by_hour: [u64; 24],
}

impl Canonical for Report {
    const KIND: &'static str = "risk.simulation.1";
}

impl Report {
    /// Of nothing yet.
    pub fn empty(content: Digest) -> Self {
        Self {
            content,
            days: 0,
            movements: 0,
            hits: 0,
            hits_per_day_hundredths: 0,
            stricter: 0,
            failures: 0,
            inspected: Tally::default(),
            inspected_at_random: Tally::default(),
            overlap: BTreeMap::new(),
            load: BTreeMap::new(),
        }
    }
}

/// Ask a rule of past movements, as if it had been live.
pub fn simulate<'p>(checked: Checked, past: impl IntoIterator<Item = Past<'p>>) -> Report {
    let mut simulation = Simulation::new(checked);
    for past in past {
        simulation.ask(&past);
    }
    simulation.report()
}

/// A simulation under way: past movements are many, and are asked as they come out of the store.
#[derive(Debug)]
pub struct Simulation {
    checked: Checked,
    report: Report,
    days: BTreeSet<Date>,
    slots: BTreeMap<Slot, u64>,
}

impl Simulation {
    /// Of a rule.
    pub fn new(checked: Checked) -> Self {
        let report = Report::empty(checked.draft().digest());
        Self { checked, report, days: BTreeSet::new(), slots: BTreeMap::new() }
    }

    /// Ask the rule of one more; gives whether it holds.
    pub fn ask(&mut self, past: &Past<'_>) -> bool {
        let Self { checked, report, days, slots } = self;
        report.movements += 1;
        days.insert(past.facts.arrival.date());
        let (holds, adds) = match checked.compiled().holds(&RuleFacts::of(past.facts)) {
            Ok(false) => return false,
            Ok(true) => {
                hit(report, past, &checked.draft().rule.id);
                (true, past.assessment.measure < checked.draft().rule.measure)
            }
            Err(_) => {
                report.failures += 1;
                (false, past.assessment.measure < Measure::Inspect)
            }
        };
        if adds {
            report.stricter += 1;
            let slot = past.facts.slot();
            let load = report.load.entry(slot.control_point.to_string()).or_default();
            load.stricter += 1;
            load.by_hour[usize::from(slot.hour) % 24] += 1;
            let in_hour = slots.entry(slot).or_default();
            *in_hour += 1;
            load.busiest = load.busiest.max(*in_hour);
        }
        holds
    }

    /// Movements asked so far.
    pub fn asked(&self) -> u64 {
        self.report.movements
    }

    /// What came of it so far.
    pub fn report(&self) -> Report {
        let mut report = self.report.clone();
        report.days = self.days.len() as u32;
        report.hits_per_day_hundredths = report.hits * 100 / u64::from(report.days.max(1));
        report
    }
}

fn hit(report: &mut Report, past: &Past<'_>, own: &str) {
    report.hits += 1;
    if let Some(outcome) = past.outcome {
        report.inspected.count(outcome);
        if past.assessment.is_random() {
            report.inspected_at_random.count(outcome);
        }
    }
    let others: BTreeSet<String> = past
        .assessment
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Rule { rule, .. } if rule != own => Some(format!("rule {rule}")),
            // Who reads a report may not know of every list.
            Reason::List { confidentiality, .. } if *confidentiality > Confidentiality::Selectors => {
                Some(WITHHELD.to_owned())
            }
            Reason::List { list, .. } => Some(format!("list {list}")),
            _ => None,
        })
        .collect();
    for other in others {
        *report.overlap.entry(other).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use clearance::ids::UtcMillis;

    use super::*;
    use crate::assessment::{Colour, Match, Unassessed};
    use crate::example;
    use crate::policy::Rule;
    use crate::rules::{RuleDraft, RuleExample};

    fn at(hour: i8, day: i8) -> Facts {
        let mut facts = example::facts();
        facts.arrival = facts.arrival.date().with().day(day).build().unwrap().at(hour, 0, 0, 0);
        facts
    }

    fn decided(facts: &Facts, reasons: Vec<Reason>) -> Assessment {
        let measure = reasons.iter().map(Reason::measure).max().unwrap_or(Measure::Release);
        let colour: Colour = measure.colour();
        let code = measure.code();
        Assessment { measure, colour, code, reasons, ..Assessment::unassessed(facts, Unassessed::NoPolicy) }
    }

    #[test]
    fn a_report_tells_hits_finds_overlap_and_load() {
        let example = |facts: Facts, holds| RuleExample { name: "e".to_owned(), holds, facts };
        let rule = Rule {
            id: "night".to_owned(),
            version: 1,
            condition: "100 / (hour - 12) > 9".to_owned(),
            measure: Measure::Documents,
            from: UtcMillis(0),
            until: None,
        };
        let examples = vec![example(at(22, 1), true), example(at(3, 1), false)];
        let checked = RuleDraft { rule, purpose: "x".to_owned(), examples }.check().unwrap();
        let other = || Reason::Rule { rule: "other".to_owned(), version: 1, measure: Measure::Inspect };
        let random = || Reason::Random { share: crate::Probability::ONE, measure: Measure::Inspect };
        let list = |list: &str, confidentiality| Reason::List {
            list: list.to_owned(),
            entry: "1".to_owned(),
            at: "/vehicle/mark".to_owned(),
            how: Match::Exact,
            similarity: crate::Probability::ONE,
            confidentiality,
            measure: Measure::Release,
        };
        let known = list("known", Confidentiality::Selectors);
        let withheld = ["a", "b"].map(|name| list(name, Confidentiality::Keepers));
        let past = [
            (at(22, 1), vec![known], None),
            (at(22, 1), withheld.to_vec(), None),
            (at(21, 2), vec![other(), other()], Some(Outcome { found: true, minutes: 20 })),
            (at(20, 3), vec![random()], Some(Outcome { found: false, minutes: 40 })),
            (at(3, 3), vec![], None),
            (at(12, 4), vec![], None),
        ];
        let past: Vec<_> =
            past.into_iter().map(|(f, reasons, outcome)| (decided(&f, reasons), f, outcome)).collect();
        let content = checked.draft().digest();
        let report = simulate(
            checked,
            past.iter().map(|(assessment, facts, outcome)| Past { facts, assessment, outcome: *outcome }),
        );
        assert_eq!((report.days, report.movements, report.hits, report.failures), (4, 6, 4, 1));
        assert_eq!((report.hits_per_day_hundredths, report.stricter), (100, 3));
        assert_eq!(report.inspected, Tally { inspected: 2, found: 1, minutes: 60 });
        assert_eq!(report.inspected_at_random, Tally { inspected: 1, found: 0, minutes: 40 });
        assert_eq!(
            report.overlap,
            BTreeMap::from(["rule other", "list known", WITHHELD].map(|name| (name.to_owned(), 1)))
        );
        let load = &report.load["lok-ma-chau"];
        assert_eq!((load.stricter, load.busiest, load.by_hour[22], load.by_hour[12]), (3, 2, 2, 1));
        assert_eq!(report.content, content);
    }
}
