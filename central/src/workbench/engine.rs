//! What the screening engine last said of movements, as the pages show it.

use std::collections::BTreeMap;

use clearance::directive::ActionCode;
use risk::assessment::{Confidentiality, Unassessed};
use risk::view::{Told, reasons_for};
use risk::{Assessment, Contribution, Decision, Facts, Reason};
use serde_json::Value;

use super::listed::Listed;
use super::terms;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::screening::code_that_follows;
use crate::words::Language;

/// What it said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    /// The code that follows; none: an officer has to decide.
    pub(super) code: Option<ActionCode>,
    /// How likely a find is, 0 to 1, if it has a score.
    pub(super) score: Option<f64>,
    assessment: Assessment,
    facts: Facts,
}

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Because {
    /// What it is.
    pub(super) what: String,
    /// What there is to know of it.
    pub(super) details: Vec<String>,
    /// What it demands.
    pub(super) code: ActionCode,
}

impl Said {
    fn of(decision: Decision) -> Self {
        let Decision { assessment, facts, .. } = decision;
        Self {
            code: code_that_follows(&assessment),
            score: assessment.score.map(risk::Probability::as_f64),
            assessment,
            facts,
        }
    }

    /// The version of the policy by which it was said.
    pub(super) fn policy(&self) -> Option<u32> {
        self.assessment.policy_version
    }

    /// What moved the score, in log odds, the weightiest first.
    pub(super) fn contributions(&self) -> &[Contribution] {
        &self.assessment.contributions
    }

    /// The CCRN of the consignment that the score is of, where there are several: that of which a find is likeliest.
    pub(super) fn scored(&self) -> Option<&str> {
        let several = self.facts.consignments.len() > 1;
        self.contributions().first().filter(|_| several).map(|first| first.value.as_str())
    }

    /// The reasons that those who select may know.
    pub(super) fn told(&self) -> impl Iterator<Item = &Reason> {
        reasons_for(&self.assessment, Confidentiality::Selectors).into_iter().filter_map(|told| match told {
            Told::Reason { reason } => Some(reason),
            Told::Withheld { .. } => None,
        })
    }

    /// Why, as those who select may know it, in the order in which it was asked.
    pub(super) fn because(&self, language: Language, listed: &Listed) -> Vec<Because> {
        reasons_for(&self.assessment, Confidentiality::Selectors)
            .into_iter()
            .map(|told| match told {
                Told::Reason { reason } => Because {
                    what: because(language, reason),
                    details: self.details(language, reason, listed),
                    code: reason.measure().code(),
                },
                Told::Withheld { measure } => Because {
                    what: language.say("wb-because-withheld"),
                    details: Vec::new(),
                    code: measure.code(),
                },
            })
            .collect()
    }

    fn details(&self, language: Language, reason: &Reason, listed: &Listed) -> Vec<String> {
        match reason {
            Reason::List { list, entry, at, how, .. } => {
                let known = listed.get(&(list.clone(), entry.clone()));
                let on_list =
                    known.map(|known| language.say_with("wb-list-names", &[("known", &known.name)]));
                let source =
                    known.map(|known| language.say_with("wb-list-source", &[("known", &known.source)]));
                let matched =
                    language.say_with("wb-list-matched", &[("how", &language.say(terms::matched(*how)))]);
                [Some(self.declared(language, at)), on_list, Some(matched), source]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Reason::Unassessed { cause } => vec![unasked(language, cause)],
            _ => Vec::new(),
        }
    }

    /// What stands in the facts at a place, and what place that is.
    fn declared(&self, language: Language, at: &str) -> String {
        let facts = serde_json::to_value(&self.facts).unwrap_or_default();
        let value = match facts.pointer(at) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        };
        let place = language.say(terms::place(at));
        let mut steps = at.split('/').skip(1);
        let number =
            (steps.next() == Some("consignments")).then(|| steps.next()?.parse::<usize>().ok()).flatten();
        match number.and_then(|number| self.facts.consignments.get(number)) {
            Some(of) => language
                .say_with("wb-list-declared-of", &[("place", &place), ("known", &value), ("ccrn", &of.ccrn)]),
            None => language.say_with("wb-list-declared", &[("place", &place), ("known", &value)]),
        }
    }
}

/// What could not be asked, and why.
fn unasked(language: Language, cause: &Unassessed) -> String {
    match cause {
        Unassessed::EngineDown => language.say("wb-unasked-engine"),
        Unassessed::NoPolicy => language.say("wb-unasked-policy"),
        Unassessed::TooLarge { consignments, lines } => language.say_with(
            "wb-unasked-large",
            &[("number", &consignments.to_string()), ("lines", &lines.to_string())],
        ),
        Unassessed::RuleFailed { rule, version, why } => language
            .say_with("wb-unasked-rule", &[("known", rule), ("version", &version.to_string()), ("why", why)]),
        Unassessed::NoScore => language.say("wb-unasked-score"),
        Unassessed::WrongModel { .. } => language.say("wb-unasked-model"),
        Unassessed::NoDraw => language.say("wb-unasked-draw"),
        Unassessed::WrongUsage => language.say("wb-unasked-usage"),
    }
}

fn because(language: Language, reason: &Reason) -> String {
    let percent = |share: &risk::Probability| format!("{:.1}", share.as_f64() * 100.0);
    match reason {
        Reason::List { list, entry, similarity, .. } => language.say_with(
            "wb-because-list",
            &[("known", list), ("item", entry), ("number", &percent(similarity))],
        ),
        Reason::Rule { rule, version, .. } => {
            language.say_with("wb-because-rule", &[("known", rule), ("version", &version.to_string())])
        }
        Reason::Score { threshold, .. } => {
            language.say_with("wb-because-score", &[("number", &percent(threshold))])
        }
        Reason::Random { share, .. } => {
            language.say_with("wb-because-random", &[("number", &percent(share))])
        }
        Reason::Explored { share, .. } => {
            language.say_with("wb-because-explored", &[("number", &percent(share))])
        }
        Reason::Unassessed { .. } => language.say("wb-because-unassessed"),
    }
}

/// What moved a score, in words; none for a ground that this version does not know.
pub(super) fn ground(language: Language, contribution: &Contribution) -> Option<String> {
    terms::GROUNDS
        .into_iter()
        .find(|known| *known == contribution.feature)
        .map(|known| language.say(&format!("wb-ground-{known}")))
}

/// The latest assessment of each of some movements.
pub(super) async fn latest(
    state: &AppState,
    movements: &[String],
) -> Result<BTreeMap<String, Said>, StorageError> {
    let mut all = BTreeMap::new();
    for row in state.store.latest_assessments(movements).await? {
        let decision = row.decision()?;
        all.insert(row.movement, Said::of(decision));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use clearance::ids::Digest;
    use risk::capacity::Usage;
    use risk::{Circumstances, Probability};

    use super::*;

    fn said(change: impl FnOnce(&mut Decision)) -> Said {
        let facts = risk::example::facts();
        let usage = Usage::none(facts.slot());
        let circumstances = Circumstances { score: None, draw: None, usage, drift: None };
        let assessment = Assessment::unassessed(&facts, Unassessed::NoScore);
        let mut decision = Decision { facts, circumstances, assessment };
        change(&mut decision);
        Said::of(decision)
    }

    #[test]
    fn of_several_consignments_the_one_that_is_explained_is_named() {
        let explained = |decision: &mut Decision| {
            let ccrn = decision.facts.consignments[0].ccrn.clone();
            let weight = risk::LogOdds::nearest(1.0);
            decision.assessment.contributions =
                vec![Contribution { feature: "price".to_owned(), value: ccrn, weight }];
        };
        let alone = said(|decision| {
            decision.facts.consignments.truncate(1);
            explained(decision);
        });
        assert_eq!(alone.scored(), None);
        let two = said(|decision| {
            let mut other = decision.facts.consignments[0].clone();
            "another".clone_into(&mut other.ccrn);
            decision.facts.consignments.push(other);
            explained(decision);
        });
        assert_eq!(two.scored(), Some(two.facts.consignments[0].ccrn.as_str()));
    }

    #[test]
    fn each_thing_that_could_not_be_asked_is_told_in_every_language() {
        let causes = [
            Unassessed::EngineDown,
            Unassessed::NoPolicy,
            Unassessed::TooLarge { consignments: 501, lines: 7 },
            Unassessed::RuleFailed { rule: "night".to_owned(), version: 3, why: "no number".to_owned() },
            Unassessed::NoScore,
            Unassessed::WrongModel { model: Digest::of(b"another") },
            Unassessed::NoDraw,
            Unassessed::WrongUsage,
        ];
        for language in Language::ALL {
            let told: Vec<String> = causes.iter().map(|cause| unasked(language, cause)).collect();
            assert!(told.iter().all(|text| !text.contains("wb-")), "{told:?}");
            assert!(told[2].contains("501") && told[3].contains("night") && told[3].contains("no number"));
            let distinct: std::collections::BTreeSet<&String> = told.iter().collect();
            assert_eq!(distinct.len(), causes.len(), "{told:?}");
        }
    }

    #[test]
    fn a_hit_is_told_with_what_was_declared_and_what_is_not_known_is_left_out() {
        let said = said(|decision| {
            "Happy Shop".clone_into(&mut decision.facts.consignments[0].consignee.name);
            decision.assessment.reasons = vec![Reason::List {
                list: "wanted".to_owned(),
                entry: "7".to_owned(),
                at: "/consignments/0/consignee/name".to_owned(),
                how: risk::assessment::Match::Phonetic,
                similarity: Probability::ONE,
                confidentiality: Confidentiality::Selectors,
                measure: risk::Measure::Inspect,
            }];
        });
        let because = said.because(Language::English, &Listed::new());
        let ccrn = &said.facts.consignments[0].ccrn;
        assert_eq!(
            because[0].details,
            [
                format!("Declared: Consignee “Happy Shop”, consignment {ccrn}"),
                "How it matched: it sounds the same".to_owned()
            ]
        );
    }
}
