//! The queue: what still comes, in the order in which it needs an officer.

use axum::extract::{Query, State};
use clearance::ids::{SiteId, UtcMillis};
use maud::{Markup, html};
use serde::Deserialize;

use super::clock::clock;
use super::engine;
use super::form::Draft;
use super::order::{Place, SOON_MS};
use super::rows::Row;
use super::told::{Told, problems_under};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::workbench::{AwaitedIn, Coming, View};
use crate::words::Language;

/// As many movements of a view as a page shows.
const MOST: u32 = 300;

/// How late a vehicle may be and still be shown.
const LATE_MS: i64 = 12 * 3_600_000;

/// How many hours ahead one may look.
const HOURS: [u32; 3] = [6, 24, 336];

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    view: Option<String>,
    site: Option<String>,
    hours: Option<u32>,
    #[serde(flatten)]
    told: Told,
}

/// What is shown.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    view: View,
    site: Option<SiteId>,
    hours: u32,
}

impl Filter {
    pub(super) fn of(state: &AppState, view: Option<&str>, site: Option<&str>, hours: Option<u32>) -> Self {
        let site =
            site.and_then(|site| state.operations.sites().iter().find(|s| s.as_str() == site)).cloned();
        Self {
            view: view.and_then(View::of_name).unwrap_or(View::Decide),
            site,
            hours: hours.filter(|hours| HOURS.contains(hours)).unwrap_or(24),
        }
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        let site = self.site.as_ref().map_or_else(String::new, |site| format!("&site={site}"));
        format!("/console/workbench?view={}&hours={}{site}", self.view.name(), self.hours)
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = self.clone();
        change(&mut other);
        other.address()
    }
}

pub(super) async fn queue(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(asked): Query<Asked>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let filter = Filter::of(&state, asked.view.as_deref(), asked.site.as_deref(), asked.hours);
    queue_page(&state, &officer, language, &filter, &Filled { told: asked.told, ..Filled::default() }).await
}

/// What the page shows beside the queue: what was told, and what was typed into the form of many.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) told: Told,
    pub(super) problems: Vec<String>,
    /// Whether they are of some movements only, and others were decided.
    pub(super) partly: bool,
    pub(super) draft: Draft,
    pub(super) checked: Vec<String>,
}

/// The movements of a view, in their order.
async fn rows(
    state: &AppState,
    find: &AwaitedIn,
    view: View,
    now: UtcMillis,
) -> Result<Vec<Row>, StorageError> {
    let awaited = state.store.awaited(find, view, MOST, now).await?;
    let ids: Vec<String> = awaited.iter().map(|row| row.carrying.movement.id.clone()).collect();
    let mut said = engine::latest(state, &ids).await?;
    let rules = state.operations.place();
    let mut rows: Vec<Row> = awaited
        .into_iter()
        .map(|awaited| {
            let said = said.remove(&awaited.carrying.movement.id);
            let declared = awaited.carrying.readiness(rules, now).declared;
            let status = awaited.carrying.movement.progress(rules, declared, now).status(now);
            Row { place: Place::of(&awaited, said.as_ref()), said, status, declared, awaited }
        })
        .collect();
    rows.sort_by_key(|row| row.place.key(now));
    Ok(rows)
}

pub(super) async fn queue_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    filter: &Filter,
    filled: &Filled,
) -> Result<Markup, Refusal> {
    let now = state.clock.now();
    let until = now.plus_millis(i64::from(filter.hours) * 3_600_000);
    let find = AwaitedIn { site: filter.site.clone(), from: now.plus_millis(-LATE_MS), until };
    let coming = state.store.coming(&find, now.plus_millis(SOON_MS)).await?;
    let shown = rows(state, &find, filter.view, now).await?;
    let handed = state.store.handovers_for(&officer.actor.name).await?;
    let audits = state.store.audits_due().await?;
    let say = |key: &str| language.say(key);
    let checked: Vec<&str> = filled.checked.iter().map(String::as_str).collect();
    let me = officer.actor.name.as_str();
    let heads = ["", "wb-arrives-in", "wb-vehicle", "wb-cargo", "wb-risk", "wb-taken"];
    let content = html! {
        div class="row head" {
            h1 { (say("wb-title")) }
            span class="row" {
                a href="/console/workbench/audits" { (say("wb-audit-title")) @if audits > 0 { " (" (audits) ")" } }
                a href="/console/workbench/handover" { (say("wb-handover")) @if handed > 0 { " (" (handed) ")" } }
            }
        }
        (filled.told.panel(language))
        (problems_under(language, if filled.partly { "wb-not-these" } else { "wb-nothing-lost" }, &filled.problems))
        (unassessed(language, &coming, now))
        (filters(state, language, filter, coming.views))
        form method="post" action="/console/workbench/bulk" {
            input type="hidden" name="csrf" value=(officer.csrf);
            input type="hidden" name="view" value=(filter.view.name());
            input type="hidden" name="hours" value=(filter.hours);
            input type="hidden" name="site" value=(filter.site.as_ref().map_or("", |site| site.as_str()));
            div class="wide" tabindex="0" role="region" aria-label=(say("wb-title")) {
                table class="queue" {
                    thead { tr { @for head in heads {
                        @if head.is_empty() { td { span class="hidden" { (say("wb-checked")) } } } @else { th scope="col" { (say(head)) } }
                    } } }
                    tbody {
                        @for row in &shown { (row.markup(language, me, &checked, now)) }
                        @if shown.is_empty() { tr { td colspan="6" { (say("wb-nothing")) } } }
                    }
                }
            }
            @if shown.len() >= MOST as usize { p class="soft" { (language.say_with("wb-most-shown", &[("most", &MOST.to_string())])) } }
            @if !shown.is_empty() {
                details class="panel bulk" open[!filled.checked.is_empty()] {
                    summary { (say("wb-bulk")) }
                    (filled.draft.fields(language, true))
                    button class="primary" { (say("wb-bulk-decide")) }
                }
            }
        }
        p class="soft" { (say("wb-keys")) }
    };
    let address = filter.address();
    Ok(page(
        &Frame { language, officer: Some(officer), page: "workbench", works: true, address: &address },
        &content,
    ))
}

/// What will arrive unassessed unless somebody decides.
fn unassessed(language: Language, coming: &Coming, now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @match &coming.next {
            Some(first) => {
                p class="coming panel" {
                    strong { (coming.urgent) } " "
                    (language.say_with("wb-unassessed-soon", &[("minutes", &(SOON_MS / 60_000).to_string())]))
                    " " (say("wb-next")) ": "
                    a href={ "/console/workbench/movements/" (first.id) } { (first.mark) } " "
                    @if first.arrived().is_some() { strong class="stop" { (say("wb-at-lane")) } } @else { (clock(first.expected_arrival, now)) }
                }
            }
            None => { p class="coming panel go" { (language.say_with("wb-none-soon", &[("minutes", &(SOON_MS / 60_000).to_string())])) } }
        }
    }
}

fn filters(state: &AppState, language: Language, filter: &Filter, counts: [i64; 3]) -> Markup {
    let say = |key: &str| language.say(key);
    let sites = state.operations.sites();
    let current = |yes: bool| yes.then_some("true");
    html! {
        nav class="filters" aria-label=(say("wb-filters")) {
            span {
                @for (view, count) in View::ALL.into_iter().zip(counts) {
                    a href=(filter.with(|f| f.view = view)) aria-current=[current(view == filter.view)] {
                        (say(match view { View::Decide => "wb-view-decide", View::Second => "wb-view-second", View::Coded => "wb-view-coded" })) " " b { (count) }
                    }
                }
            }
            @if sites.len() > 1 {
                span {
                    a href=(filter.with(|f| f.site = None)) aria-current=[current(filter.site.is_none())] { (say("wb-all-sites")) }
                    @for site in sites {
                        a href=(filter.with(|f| f.site = Some(site.clone()))) aria-current=[current(filter.site.as_ref() == Some(site))] { (site) }
                    }
                }
            }
            span {
                @for hours in HOURS {
                    a href=(filter.with(|f| f.hours = hours)) aria-current=[current(hours == filter.hours)] {
                        @if hours == 336 { (say("wb-hours-all")) } @else { (language.say_with("wb-hours", &[("number", &hours.to_string())])) }
                    }
                }
            }
        }
    }
}
