//! What happened, latest first.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use clearance::ids::UtcMillis;

use super::date::moment;
use super::frame::{Frame, page};
use super::parts::older;
use super::refusal::Refusal;
use super::session::SignedIn;
use super::terms;
use crate::ccrn::Ccrn;
use crate::state::AppState;
use crate::storage::trade::EventRow;
use crate::trade::News;
use crate::words::Language;

/// As much as a page shows.
const A_PAGE: u32 = 50;

/// Which page.
#[derive(Deserialize)]
pub(super) struct Before {
    before: Option<i64>,
}

pub(super) async fn news(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(asked): Query<Before>,
) -> Result<Markup, Refusal> {
    let before = asked.before.unwrap_or(i64::MAX);
    let mut events = state.store.latest_news(&person.caller.trader, before, A_PAGE + 1).await?;
    let more = events.len() > A_PAGE as usize;
    events.truncate(A_PAGE as usize);
    let last = events.last().filter(|_| more);
    let next = last.map(|event| format!("/trade/news?before={}", event.seq));
    let place = state.operations.place();
    let content = html! {
        h1 class="govuk-heading-l" { (language.say("chapter-news")) }
        p class="govuk-body" { a class="govuk-link" href="/trade/contact" { (language.say("contact-told")) } }
        @if events.is_empty() { p class="govuk-body" { (language.say("nothing-found")) } }
        ul class="govuk-list portal-history" { @for event in &events {
            li {
                span class="govuk-hint" {
                    (moment(language, place, UtcMillis(event.at)))
                    @if event.by.is_of(&person.caller.trader) { " · " (event.by.who) }
                }
                (subject(event)) " " (terms::news(language, place, &event.news))
            }
        } }
        (older(language, next))
    };
    let title = language.say("chapter-news");
    Ok(page(&Frame { language, person: Some(&person), title, address: "/trade/news", back: None }, &content))
}

/// What it is about, with the way there.
pub(super) fn subject(event: &EventRow) -> Markup {
    html! {
        @if let Ok(ccrn) = event.subject.parse::<Ccrn>() {
            a class="govuk-link portal-mono" href={ "/trade/consignments/" (ccrn.as_str()) } { (terms::spaced(ccrn.as_str())) }
        } @else if matches!(event.news, News::WebhookPaused { .. }) {
            a class="govuk-link" href={ "/trade/webhooks/" (event.subject) } { (event.subject) }
        } @else {
            a class="govuk-link" href={ "/trade/movements/" (event.subject) } { (event.subject) }
        }
    }
}
