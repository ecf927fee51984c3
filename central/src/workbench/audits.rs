//! What is to be audited: crossings that were let go and are looked into once they are over, for whoever selects or inspects. The outcome
//! is recorded by the form of the bay. The trade hears of neither.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::clock::moment;
use super::export::{sent, written};
use super::told::Told;
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::workbench::ToAudit;
use crate::trade::policy::{Act, customs_may};
use crate::words::Language;

/// As many as the page shows, the longest waiting first.
const MOST: u32 = 300;

/// As many as the file has.
const MOST_IN_FILE: u32 = 100_000;

fn allow(officer: &SignedIn) -> Result<(), Refusal> {
    if officer.actor.role.may(Deed::AssignAction) { Ok(()) } else { officer.allow_act(Act::Inspect, None) }
}

pub(super) async fn list(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(told): Query<Told>,
) -> Result<Markup, Refusal> {
    allow(&officer)?;
    let (now, (due, all)) = (state.clock.now(), state.store.to_audit(MOST).await?);
    let inspects = customs_may(Act::Inspect, officer.actor.role);
    let say = |key: &str| language.say(key);
    let content = html! {
        @if inspects { p { a href="/console/bay" { "‹ " (say("bay-title")) } } }
        @else { p { a href="/console/workbench" { "‹ " (say("wb-title")) } } }
        h1 { (say("wb-audit-title")) " (" (all) ")" }
        (told.panel(language))
        p class="soft" { (say(if inspects { "wb-audit-note" } else { "wb-audit-note-others" })) }
        @if due.is_empty() { p class="panel" { (say("wb-audit-nothing")) } } @else {
            div class="wide" tabindex="0" role="region" aria-label=(say("wb-audit-title")) {
                table {
                    thead { tr { @for head in ["wb-vehicle", "bay-where", "wb-audit-released", "wb-audit-waits"] { th scope="col" { (say(head)) } } } }
                    tbody { @for one in &due { tr {
                        td { a class="mark" href=(address(one, inspects)) { (one.movement.spaced_mark()) } }
                        td { @if one.movement.site.is_empty() { (say("wb-any-site")) } @else { (one.movement.site) } }
                        td { (moment(one.released.0, now)) }
                        td { (language.say_with("wb-audit-days", &[("days", &days(one, now.0).to_string())])) }
                    } } }
                }
            }
            @if all > i64::from(MOST) { p class="soft" { (language.say_with("wb-audit-most-shown", &[("most", &MOST.to_string())])) } }
            p { a href="/console/workbench/audits.csv" { (say("fig-csv")) } }
        }
    };
    let (name, address) = (if inspects { "bay" } else { "workbench" }, "/console/workbench/audits");
    let frame = Frame { language, officer: Some(&officer), page: name, works: true, address };
    Ok(page(&frame, &content))
}

/// Where its outcome is recorded, or, for those who cannot, where all is told of it.
fn address(one: &ToAudit, inspects: bool) -> String {
    let id = &one.movement.id;
    if inspects { format!("/console/bay/{id}") } else { format!("/console/workbench/movements/{id}") }
}

/// Whole days since it was released.
fn days(one: &ToAudit, now: i64) -> i64 {
    (now - one.released.0).max(0) / 86_400_000
}

pub(super) async fn csv(State(state): State<AppState>, officer: SignedIn) -> Result<Response, Refusal> {
    allow(&officer)?;
    let (now, (due, _)) = (state.clock.now(), state.store.to_audit(MOST_IN_FILE).await?);
    let rows = due.iter().map(|one| {
        let released = jiff::Timestamp::from_millisecond(one.released.0).unwrap_or_default();
        let movement = &one.movement;
        let days = days(one, now.0).to_string();
        vec![movement.id.clone(), movement.mark.clone(), movement.site.clone(), released.to_string(), days]
    });
    let heads = ["movement", "mark", "site", "released", "days_waiting"];
    sent(&state, &officer, "audits.csv", now, written(&heads, rows.collect())).await
}
