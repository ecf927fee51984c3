//! The bay's list: vehicles that the lanes of a control point have directed, for an officer with a phone.

use axum::extract::{Query, State};
use clearance::ids::{SiteId, UtcMillis};
use maud::{Markup, html};
use serde::Deserialize;

use super::clock::moment;
use super::terms;
use super::told::Told;
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::console::terms::action;
use crate::state::AppState;
use crate::storage::workbench::Directed;
use crate::trade::movement::{Inspection, Signalled};
use crate::trade::policy::Act;
use crate::words::Language;

/// How far back a directed vehicle may still be looked for.
const BACK_MS: i64 = 24 * 3_600_000;

#[derive(Deserialize)]
pub(super) struct Asked {
    site: Option<String>,
    #[serde(flatten)]
    told: Told,
}

pub(super) async fn list(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(asked): Query<Asked>,
) -> Result<Markup, Refusal> {
    officer.allow_act(Act::Inspect, None)?;
    let sites = state.operations.sites();
    let site = asked.site.as_deref().and_then(|name| sites.iter().find(|site| site.as_str() == name));
    let site = site.or_else(|| sites.first().filter(|_| sites.len() == 1));
    let audits = state.store.audits_due().await?;
    let say = |key: &str| language.say(key);
    let content = html! {
        div class="bay" {
            h1 { (say("bay-title")) }
            (asked.told.panel(language))
            p { a href="/console/workbench/audits" { (say("wb-audit-title")) @if audits > 0 { " (" (audits) ")" } } }
            @if sites.len() > 1 {
                nav class="filters" aria-label=(say("bay-where")) {
                    @for known in sites {
                        a href={ "/console/bay?site=" (known) } aria-current=[(Some(known) == site).then_some("true")] { (known) }
                    }
                }
            }
            @match site {
                None => { p class="panel" { (say("bay-choose-site")) } }
                Some(site) => { (vehicles(&state, language, site).await?) }
            }
        }
    };
    let address = site.map_or_else(|| "/console/bay".to_owned(), |site| format!("/console/bay?site={site}"));
    let frame = Frame { language, officer: Some(&officer), page: "bay", works: true, address: &address };
    Ok(page(&frame, &content))
}

async fn vehicles(state: &AppState, language: Language, site: &SiteId) -> Result<Markup, Refusal> {
    let now = state.clock.now();
    let since = now.plus_millis(-BACK_MS);
    let waiting = state.store.directed(site, false, since).await?;
    let done = state.store.directed(site, true, since).await?;
    Ok(html! {
        h2 { (language.say("bay-waiting")) " (" (waiting.len()) ")" }
        @if waiting.is_empty() { p class="panel" { (language.say("bay-nobody-waits")) } }
        @for directed in &waiting { (vehicle(language, site, directed, now)) }
        @if !done.is_empty() {
            h2 { (language.say("bay-done")) " (" (done.len()) ")" }
            @for directed in &done { (vehicle(language, site, directed, now)) }
        }
    })
}

fn vehicle(language: Language, site: &SiteId, directed: &Directed, now: UtcMillis) -> Markup {
    let movement = &directed.movement;
    html! {
        a class="panel" href={ "/console/bay/" (movement.id) "?site=" (site) } {
            span class="mark" { (movement.spaced_mark()) } " "
            @if let Some(Signalled::Directed(code)) = movement.signalled() { span class=(terms::lamp(code)) { (language.say(action(code))) } }
            div class="soft" { (moment(directed.at, now))
                @if movement.inspected().is_none() { " · " (language.say("waiting-since")) " " ((now.0 - directed.at).max(0) / 60_000) " " (language.say("bay-minutes")) } }
            @if let Some(result) = movement.inspected() {
                strong class=(if result == Inspection::Found { "stop" } else { "go" }) { (language.say(terms::inspection(result))) }
            }
            @if !directed.instructions.is_empty() { div { (directed.instructions) } }
        }
    }
}
