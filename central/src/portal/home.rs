//! The first page: what one can do, what is under way, what was begun.

use axum::extract::{Query, State};
use axum::response::Redirect;
use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::consignments::{Done, history};
use super::date::moment;
use super::frame::{Frame, page};
use super::movements;
use super::parts::{inset, lines, link_button};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, within};
use super::terms;
use crate::state::AppState;
use crate::storage::trade::NoticeRow;
use crate::words::Language;

pub(super) async fn home(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let drafts = state.store.drafts(&person.caller.who).await?;
    let crossings = movements::under_way(&state, language, &person).await?;
    let events = state.store.latest_news(&person.caller.trader, i64::MAX, 5).await?;
    let notices = in_force(&state).await?;
    let content = html! {
        (was.tell(language))
        @for notice in &notices { (told(language, &state, notice)) }
        h1 class="govuk-heading-l" { (person.company) }
        div class="govuk-button-group" {
            (link_button("/trade/consignments/new", &say("lodge-title"), false))
            (link_button("/trade/movements/new", &say("bundle-title"), false))
        }
        @if !drafts.is_empty() {
            h2 class="govuk-heading-m" { (say("drafts")) }
            ul class="govuk-list" { @for (form, at) in &drafts {
                li { a class="govuk-link" href=(form) { (draft_name(language, form)) }
                    " " span class="govuk-hint" { (moment(language, state.operations.place(), UtcMillis(*at))) } }
            } }
        }
        h2 class="govuk-heading-m" { (say("under-way")) }
        @if crossings.is_empty() { p class="govuk-body" { (say("nothing-under-way")) } }
        (lines(&crossings))
        h2 class="govuk-heading-m" { (say("chapter-news")) }
        (history(language, &state, &events))
        p class="govuk-body" { a class="govuk-link" href="/trade/news" { (say("news-all")) } }
    };
    let title = person.company.clone();
    Ok(page(&Frame { language, person: Some(&person), title, address: "/trade", back: None }, &content))
}

async fn in_force(state: &AppState) -> Result<Vec<NoticeRow>, Refusal> {
    let now = state.clock.now().0;
    let mut notices = state.store.notices().await?;
    notices.retain(|n| n.begins <= now && now < n.withdrawn_at.unwrap_or(n.ends).min(n.ends));
    Ok(notices)
}

/// A contingency notice, with its end.
fn told(language: Language, state: &AppState, notice: &NoticeRow) -> Markup {
    let until = moment(language, state.operations.place(), UtcMillis(notice.ends));
    let values = [("reference", notice.reference.as_str()), ("until", &until)];
    inset(&html! { strong { (language.say_with("notice-in-force", &values)) } " " (notice.reason) })
}

/// What a draft is of, by the address of its form.
fn draft_name(language: Language, form: &str) -> String {
    let parts: Vec<_> = form.split('/').skip(2).collect();
    match parts[..] {
        ["consignments", "new"] => language.say("lodge-title"),
        ["consignments", ccrn, "amend"] => {
            language.say_with("amend-title", &[("ccrn", &terms::spaced(ccrn))])
        }
        ["consignments", "upload"] => language.say("upload-title"),
        ["movements", "new"] => language.say("bundle-title"),
        ["contact", "change"] => language.say("contact-change"),
        ["webhooks"] => language.say("webhook-add"),
        _ => language.say("draft-other"),
    }
}

/// Be rid of a draft, and begin the form anew.
pub(super) async fn drop_draft(State(state): State<AppState>, posted: Posted) -> Result<Redirect, Refusal> {
    let form = posted.fields.get("form");
    state.store.drop_draft(&posted.person.caller.who, form).await?;
    Ok(Redirect::to(within(form).unwrap_or("/trade")))
}
