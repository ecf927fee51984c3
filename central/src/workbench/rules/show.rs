//! A version of a rule: what it says, what it would have done, who did what with it, what it hits.

use axum::extract::{Path, Query, State};
use clearance::ids::UtcMillis;
use maud::{Markup, PreEscaped, html};
use risk::dossier::{Deed as Done, Dossier, Stage};
use risk::rules::RuleDraft;
use risk::simulate::{Load, Report, WITHHELD};

use super::list::{Given, RETURN_DAYS};
use super::steps::{MOST_DAYS, Step};
use super::{ADDRESS, address, hit_rate, measure, stage};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::screening::{RuleHit, RuleRow};
use crate::words::Language;
use crate::workbench::charts::{Chart, draw};
use crate::workbench::clock::moment;
use crate::workbench::decision::LONGEST_TEXT;
use crate::workbench::told::{Told, problems};

/// Hits that are named.
const NAMED: u32 = 10;

/// What stands on the page besides the rule.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) why: String,
    pub(super) problems: Vec<String>,
    pub(super) told: Told,
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path((rule, version)): Path<(String, u32)>,
    Query(told): Query<Told>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    rule_page(&state, &officer, language, &rule, version, &Shown { told, ..Shown::default() }).await
}

pub(super) async fn rule_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    rule: &str,
    version: u32,
    shown: &Shown,
) -> Result<Markup, Refusal> {
    let now = state.clock.now();
    let row = state.store.rule(rule, version).await?.ok_or(Refusal::NotFound)?;
    let (draft, dossier, report) = (row.draft()?, row.dossier()?, row.report()?);
    let first = state.store.rule_hits(rule, version, true, 1).await?;
    let latest = state.store.rule_hits(rule, version, false, NAMED).await?;
    let (hits, tally) = Given::of(state, now).await?.by(rule, version);
    let say = |key: &str| language.say(key);
    let content = html! {
        p { a href=(ADDRESS) { "‹ " (say("rule-title")) } }
        (shown.told.panel(language))
        (problems(language, &shown.problems))
        div class="row head" {
            h1 { (rule) " " span class="soft" { (version) } }
            (stage(language, &dossier.stage(), now))
            span { (measure(language, draft.rule.measure)) }
        }
        div class="bench" {
            div class="facts" {
                (said(language, &draft, now))
                @if let Some(report) = &report { (simulated(language, report)?) }
            }
            div class="deciding" {
                (next(officer, language, &row, &dossier, shown, now))
                section class="panel" { h2 { (say("rule-returns")) }
                    p class="soft" { (language.say_with("rule-returns-days", &[("days", &RETURN_DAYS.to_string())])) }
                    dl {
                        dt { (say("rule-hits")) } dd { (hits) }
                        dt { (say("wb-inspected")) } dd { (tally.inspected) }
                        dt { (say("wb-finds")) } dd { (tally.found) }
                        dt { (say("fig-hit-rate")) } dd { (hit_rate(&tally)) }
                        @if let Some(minutes) = tally.minutes_per_find() { dt { (say("rule-minutes-per-find")) } dd { (minutes) } }
                    }
                    @match first.first() {
                        None => { p class="soft" { (say("rule-no-hits-yet")) } }
                        Some(first) => {
                            p id="first-hit" { (say("rule-first-hit")) ": " (hit(first, now)) }
                            ul class="list-plain" { @for one in latest.iter().filter(|one| one.movement != first.movement) { li { (hit(one, now)) } } }
                        }
                    }
                }
                section class="panel" { h2 { (say("rule-history")) } (history(language, &dossier, now)) }
            }
        }
    };
    let address = address(rule, version);
    let frame = Frame { language, officer: Some(officer), page: "rules", works: true, address: &address };
    Ok(page(&frame, &content))
}

fn hit(hit: &RuleHit, now: UtcMillis) -> Markup {
    html! {
        a href={ "/console/workbench/movements/" (hit.movement) } class="inline-mark" { (hit.mark) } " "
        span class="soft" { (moment(hit.at, now)) }
    }
}

fn said(language: Language, draft: &RuleDraft, now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    let rule = &draft.rule;
    html! {
        section class="panel" {
            p class="note-text" { (draft.purpose) }
            pre class="source" tabindex="0" { code { (rule.condition) } }
            dl {
                dt { (say("rule-measure")) } dd { (measure(language, rule.measure)) }
                dt { (say("rule-begins")) } dd { (moment(rule.from.0, now)) }
                dt { (say("rule-ends")) } dd { @match rule.until { Some(until) => { (moment(until.0, now)) } None => { "—" } } }
            }
            h2 { (say("rule-examples")) }
            ul class="list-plain" { @for example in &draft.examples {
                li { @if example.holds { strong { (say("rule-hit")) } } @else { span class="soft" { (say("rule-no-hit")) } } " " (example.name) }
            } }
        }
    }
}

fn simulated(language: Language, report: &Report) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let hundredths = |n: u64| format!("{}.{:02}", n / 100, n % 100);
    let loads = report
        .load
        .iter()
        .map(|(site, load)| load_chart(language, site, load))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        section class="panel" id="simulation" {
            h2 { (say("rule-simulation")) }
            dl {
                dt { (say("rule-movements")) } dd { (report.movements) " · " (language.say_with("rule-in-days", &[("days", &report.days.to_string())])) }
                dt { (say("rule-hits")) } dd { (report.hits) }
                dt { (say("rule-hits-per-day")) } dd { (hundredths(report.hits_per_day_hundredths)) }
                dt { (say("rule-stricter")) } dd { (report.stricter) }
                dt { (say("rule-failures")) } dd { (report.failures) }
                dt { (say("rule-hit-rate-inspected")) } dd { (hit_rate(&report.inspected)) " · " (report.inspected.found) " / " (report.inspected.inspected) }
                dt { (say("rule-hit-rate-random")) } dd { (hit_rate(&report.inspected_at_random)) " · " (report.inspected_at_random.found) " / " (report.inspected_at_random.inspected) }
            }
            @if !report.overlap.is_empty() {
                h3 { (say("rule-overlap")) }
                table { tbody { @for (other, count) in &report.overlap { tr { td { @if other == WITHHELD { (say("wb-because-withheld")) } @else { (other) } } td class="number" { (count) } } } } }
            }
            @for load in &loads { (load) }
        }
    })
}

/// What it adds to a control point, by the hour.
fn load_chart(language: Language, site: &str, load: &Load) -> Result<Markup, Refusal> {
    let names: Vec<String> = (0..24).map(|hour| format!("{hour:02}")).collect();
    let bars: Vec<f64> = load.by_hour.iter().map(|count| *count as f64).collect();
    let title = format!("{} · {site}", language.say("rule-load"));
    let unit = language.say("fig-vehicles");
    let chart = Chart { label: &title, unit: &unit, names: &names, bars: &bars, lines: &[], least_top: 4.0 };
    let svg = draw(&chart).map_err(Refusal::Failed)?;
    Ok(html! {
        div class="chart" {
            h3 { (title) }
            (PreEscaped(svg))
            p class="soft" { (language.say("rule-busiest")) " " (load.busiest) }
        }
    })
}

/// What can be done now, and by whom.
fn next(
    officer: &SignedIn,
    language: Language,
    row: &RuleRow,
    dossier: &Dossier,
    shown: &Shown,
    now: UtcMillis,
) -> Markup {
    let say = |key: &str| language.say(key);
    let own =
        dossier.steps().iter().any(|step| step.deed == Done::Draft && step.by.as_str() == officer.actor.name);
    let of = address(&row.rule, row.version());
    let form = |step: Step, fields: Markup, key: &str, primary: bool| {
        html! {
            form method="post" action={ (of) "/step" } class="decision" {
                input type="hidden" name="csrf" value=(officer.csrf);
                input type="hidden" name="steps" value=(row.steps);
                (fields)
                div { button name="step" value=(step.name()) class=[primary.then_some("primary")] { (say(key)) } }
            }
        }
    };
    let days = html! { label { (say("rule-simulate-days")) input type="number" name="days" min="1" max=(MOST_DAYS) value="30" required; } };
    let write = |key: &str| html! { p { a class="button" href={ (of) "/write" } { (say(key)) } } };
    html! {
        section class="panel" id="next" {
            h2 { (say("rule-next")) }
            @match dossier.stage() {
                Stage::Draft => {
                    p { (say("rule-next-draft")) }
                    (form(Step::Simulate, days, "rule-do-simulate", true))
                    (write("rule-write-over"))
                    (form(Step::Withdraw, html! {}, "rule-do-withdraw", false))
                }
                Stage::Simulated => {
                    @if own { p { (say("rule-next-own")) } } @else {
                        p { (say("rule-next-simulated")) }
                        (form(Step::Enforce, html! {}, "rule-do-enforce", true))
                    }
                    (form(Step::Simulate, days, "rule-do-simulate-again", false))
                    (write("rule-write-over"))
                    (form(Step::Withdraw, html! {}, "rule-do-withdraw", false))
                }
                Stage::Live { until, .. } if until.is_none_or(|until| now < until) => {
                    p { (say("rule-next-live")) }
                    (write("rule-next-version"))
                    (form(Step::AskWithdrawal, html! { label { (say("wb-reason")) textarea name="why" rows="2" maxlength=(LONGEST_TEXT) required { (shown.why) } } }, "rule-do-ask", false))
                }
                Stage::Leaving { asked, .. } => {
                    p { (language.say_with("rule-next-leaving", &[("whom", asked.as_str())])) }
                    @if asked.as_str() != officer.actor.name { (form(Step::Withdraw, html! {}, "rule-do-agree", true)) }
                    (form(Step::Keep, html! {}, "rule-do-keep", false))
                }
                Stage::Approved | Stage::Live { .. } | Stage::Withdrawn => { (write("rule-next-version")) }
            }
        }
    }
}

fn history(language: Language, dossier: &Dossier, now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        ol class="decisions" { @for step in dossier.steps() {
            li {
                (step.by) " · " (say(match step.deed {
                    Done::Draft => "rule-did-draft",
                    Done::Simulate { .. } => "rule-did-simulate",
                    Done::Approve => "rule-did-approve",
                    Done::Enforce { .. } => "rule-did-enforce",
                    Done::AskWithdrawal { .. } => "rule-did-ask",
                    Done::Keep => "rule-did-keep",
                    Done::Replace => "rule-did-replace",
                    Done::Withdraw => "rule-did-withdraw",
                })) " " span class="soft" { (moment(step.at.0, now)) }
                @if let Done::AskWithdrawal { why } = &step.deed { blockquote { (why) } }
            }
        } }
    }
}
