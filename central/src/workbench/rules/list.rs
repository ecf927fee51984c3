//! All rules, with what they gave.

use axum::extract::State;
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use risk::returns::{Source, Tally};

use super::{ADDRESS, address, hit_rate, measure, stage};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::workbench::RiskReturn;
use crate::words::Language;
use crate::workbench::clock::moment;

/// Versions that are shown at most.
const MOST: u32 = 500;

/// Days whose returns are counted.
pub(super) const RETURN_DAYS: i64 = 90;

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let now = state.clock.now();
    let rows = state.store.rules(MOST).await?;
    let given = Given::of(&state, now).await?;
    let say = |key: &str| language.say(key);
    let heads = [
        ("rule-name", false),
        ("rule-stage", false),
        ("rule-measure", false),
        ("rule-hits", true),
        ("wb-inspected", true),
        ("wb-finds", true),
        ("fig-hit-rate", true),
        ("rule-minutes-per-find", true),
        ("rule-changed", false),
    ];
    let content = html! {
        div class="row head" { h1 { (say("rule-title")) } a class="button" href={ (ADDRESS) "/new" } { (say("rule-new")) } }
        p class="soft" { (say("rule-what")) " " (language.say_with("rule-returns-days", &[("days", &RETURN_DAYS.to_string())])) }
        @if rows.is_empty() { p { (say("rule-none")) } } @else {
            div class="wide" tabindex="0" role="region" aria-label=(say("rule-title")) { table {
                thead { tr { @for (head, number) in heads { th scope="col" class=[number.then_some("number")] { (say(head)) } } } }
                tbody { @for row in &rows {
                    @let (draft, dossier) = (row.draft()?, row.dossier()?);
                    @let (hits, tally) = given.by(&row.rule, row.version());
                    tr {
                        td { a href=(address(&row.rule, row.version())) { (row.rule) } " " span class="soft" { (row.version()) } }
                        td { (stage(language, &dossier.stage(), now)) }
                        td { (measure(language, draft.rule.measure)) }
                        td class="number" { (hits) } td class="number" { (tally.inspected) } td class="number" { (tally.found) }
                        td class="number" { (hit_rate(&tally)) }
                        td class="number" { @if let Some(minutes) = tally.minutes_per_find() { (minutes) } @else { "—" } }
                        td class="soft" { (moment(row.changed_at, now)) }
                    }
                } }
            } }
        }
    };
    let frame = Frame { language, officer: Some(&officer), page: "rules", works: true, address: ADDRESS };
    Ok(page(&frame, &content))
}

/// What rules gave: hits, and the inspections of them.
pub(super) struct Given {
    hits: Vec<(String, i64, i64)>,
    returns: Vec<RiskReturn>,
}

impl Given {
    pub(super) async fn of(state: &AppState, now: UtcMillis) -> Result<Self, Refusal> {
        let since = now.plus_millis(-RETURN_DAYS * 86_400_000);
        let (hits, returns) =
            (state.store.rule_hit_counts(since).await?, state.store.risk_returns(since).await?);
        Ok(Self { hits, returns })
    }

    /// By a version of a rule.
    pub(super) fn by(&self, rule: &str, version: u32) -> (i64, Tally) {
        let of = |hit: &&(String, i64, i64)| (hit.0.as_str(), hit.1) == (rule, i64::from(version));
        let source = Source::Rule { rule: rule.to_owned(), version };
        let tally = self.returns.iter().find(|given| given.source.as_ref() == Some(&source));
        (
            self.hits.iter().find(of).map_or(0, |hit| hit.2),
            tally.map_or_else(Tally::default, |given| given.tally),
        )
    }
}
