//! What the screening engine last said of movements, as the pages show it.

use std::collections::BTreeMap;

use clearance::directive::ActionCode;
use risk::assessment::Confidentiality;
use risk::view::{Told, reasons_for};
use risk::{Assessment, Contribution, Reason};

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
}

impl Said {
    fn of(assessment: Assessment) -> Self {
        Self {
            code: code_that_follows(&assessment),
            score: assessment.score.map(risk::Probability::as_f64),
            assessment,
        }
    }

    /// What moved the score, in log odds, the weightiest first.
    pub(super) fn contributions(&self) -> &[Contribution] {
        &self.assessment.contributions
    }

    /// Why, as those who select may know it, in the order in which it was asked; with what each demands.
    pub(super) fn because(&self, language: Language) -> Vec<(String, ActionCode)> {
        reasons_for(&self.assessment, Confidentiality::Selectors)
            .into_iter()
            .map(|told| match told {
                Told::Reason { reason } => (because(language, reason), reason.measure().code()),
                Told::Withheld { measure } => (language.say("wb-because-withheld"), measure.code()),
            })
            .collect()
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
        all.insert(row.movement, Said::of(decision.assessment));
    }
    Ok(all)
}
