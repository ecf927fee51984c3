//! Rules of screening, as selectors write them: all of them with what they gave, one with its way from a draft into force, and the
//! form in which it is written. What is done with them is [`crate::screening::rules`]; `docs/design/risk.md`.

mod form;
mod list;
mod show;
mod steps;
mod write;

use axum::Router;
use axum::routing::{get, post};
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use risk::Measure;
use risk::dossier::Stage;
use risk::returns::Tally;

use crate::console::terms::action;
use crate::screening::rules::NotDone;
use crate::state::AppState;
use crate::storage::screening::NotKept;
use crate::words::Language;

const ADDRESS: &str = "/console/rules";

/// Measures that a rule may demand, the mildest first.
const DEMANDED: [Measure; 5] =
    [Measure::Audit, Measure::Documents, Measure::Inspect, Measure::Escort, Measure::Detain];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/rules", get(list::show))
        .route("/console/rules/new", get(write::begin).post(write::write))
        .route("/console/rules/{rule}/{version}", get(show::show))
        .route("/console/rules/{rule}/{version}/write", get(write::again).post(write::write_over))
        .route("/console/rules/{rule}/{version}/step", post(steps::take))
}

/// The address of a version.
fn address(rule: &str, version: u32) -> String {
    format!("{ADDRESS}/{rule}/{version}")
}

fn measure(language: Language, measure: Measure) -> String {
    language.say(if measure == Measure::Audit { "rule-measure-audit" } else { action(measure.code()) })
}

/// Where a rule stands, with a lamp for what it does now.
fn stage(language: Language, stage: &Stage, now: UtcMillis) -> Markup {
    let over = |until: &Option<UtcMillis>| until.is_some_and(|until| until <= now);
    let (lamp, key) = match stage {
        Stage::Draft => ("code", "rule-stage-draft"),
        Stage::Simulated => ("code warn", "rule-stage-simulated"),
        Stage::Approved => ("code warn", "rule-stage-approved"),
        Stage::Live { until, .. } | Stage::Leaving { until, .. } if over(until) => {
            ("code", "rule-stage-over")
        }
        Stage::Live { from, .. } if *from > now => ("code warn", "rule-stage-later"),
        Stage::Live { .. } => ("code go", "rule-stage-live"),
        Stage::Leaving { .. } => ("code warn", "rule-stage-leaving"),
        Stage::Withdrawn => ("code", "rule-stage-withdrawn"),
    };
    html! { span class=(lamp) { (language.say(key)) } }
}

/// A hit rate with what it lies between, in percent; a dash where nobody looked.
pub(super) fn hit_rate(tally: &Tally) -> String {
    let percent = |share: risk::Probability| share.as_f64() * 100.0;
    match (tally.precision(), tally.interval()) {
        (Some(rate), Some((low, high))) => {
            format!("{:.1}% ({:.1}–{:.1}%)", percent(rate), percent(low), percent(high))
        }
        _ => "—".to_owned(),
    }
}

/// Why a step was not taken, for the officer.
fn problem(language: Language, why: &NotDone) -> String {
    use risk::dossier::Refusal;
    use risk::rules::DraftError;
    let whom = |key: &str, by: &clearance::ids::OfficerId| language.say_with(key, &[("whom", by.as_str())]);
    let said = |key: &str, detail: &dyn std::fmt::Display| format!("{} {detail}", language.say(key));
    match why {
        NotDone::Draft(DraftError::Condition { error, .. }) => said("rule-problem-condition", error),
        NotDone::Draft(DraftError::Example { holds, .. }) => {
            language.say(if *holds { "rule-problem-no-hit" } else { "rule-problem-no-miss" })
        }
        NotDone::Draft(DraftError::Contradiction { example, what, .. }) => {
            said("rule-problem-example", &format!("{example}: {what}"))
        }
        NotDone::Draft(error) => said("rule-problem-draft", error),
        NotDone::Refused(Refusal::SameEyes(by)) => whom("rule-problem-own", by),
        NotDone::Refused(Refusal::OwnRequest(by)) => whom("rule-problem-own-request", by),
        NotDone::Refused(Refusal::NotSimulated) => language.say("rule-problem-not-simulated"),
        NotDone::Refused(Refusal::NoReason) => language.say("rule-problem-no-reason"),
        NotDone::Refused(Refusal::Time) => language.say("rule-problem-over"),
        NotDone::Refused(_) => language.say("rule-problem-stage"),
        NotDone::Unknown => language.say("not-found"),
        NotDone::Named(name) => said("rule-problem-named", name),
        NotDone::NoPolicy => language.say("rule-problem-no-policy"),
        NotDone::Gap => language.say("rule-problem-gap"),
        NotDone::Policy(error) => said("rule-problem-policy", error),
        NotDone::NotKept(NotKept::Changed) => language.say("rule-problem-changed"),
        NotDone::NotKept(NotKept::PolicyChanged) => language.say("rule-problem-policy-changed"),
        NotDone::NotKept(NotKept::Storage(error)) => {
            tracing::error!(%error, "a step of a rule was not stored");
            language.say("wb-problem-failed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;

    #[test]
    fn every_stage_and_measure_has_words() {
        let live = |from, until| Stage::Live { from: UtcMillis(from), until };
        let asked = "ada".parse().unwrap();
        let stages = [
            Stage::Draft,
            Stage::Simulated,
            Stage::Approved,
            live(5, None),
            live(0, None),
            live(0, Some(UtcMillis(1))),
            Stage::Leaving { from: UtcMillis(0), until: None, asked },
            Stage::Withdrawn,
        ];
        for language in Language::ALL {
            let said: Vec<String> =
                stages.iter().map(|s| stage(language, s, UtcMillis(2)).into_string()).collect();
            assert!(said.iter().all(|said| !said.contains("rule-stage")), "{said:?}");
            let known = keys(language).iter().filter(|key| key.starts_with("rule-stage-")).count();
            assert_eq!(known, said.len(), "one for each");
            assert!(DEMANDED.iter().all(|m| !measure(language, *m).contains('-')), "{language:?}");
        }
    }

    #[test]
    fn a_hit_rate_says_between_what_it_lies() {
        assert_eq!(hit_rate(&Tally { inspected: 10, found: 8, minutes: 0 }), "80.0% (49.0–94.3%)");
        assert_eq!(hit_rate(&Tally::default()), "—");
    }
}
