//! A company's webhooks: the list, and adding one.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::consignments::Done;
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Line, Shape, button, done, inset, lines, tag};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use super::topics::{Choice, in_words};
use crate::messages::Made;
use crate::state::AppState;
use crate::storage::messages::{Channel, WebhookRow, WebhookState};
use crate::storage::trade::{Conflict, Refused};
use crate::trade::{Fault, Faulty, Topic};
use crate::words::Language;

const ADDRESS: &str = "/trade/webhooks";

/// Systems are told of everything or of kinds of news.
const CHOICE: Choice<'static> = Choice { of: "", to_act_on: false };

/// How a webhook stands, in colour.
pub(super) fn state_tag(language: Language, state: WebhookState) -> Markup {
    let (word, colour) = match state {
        WebhookState::Active => ("webhook-active", "green"),
        WebhookState::Failing => ("webhook-failing", "red"),
        WebhookState::Paused => ("webhook-paused", "grey"),
    };
    tag(&language.say(word), colour)
}

/// A secret that was made, shown this once.
pub(super) fn secret(language: Language, made: &Made) -> Markup {
    html! {
        (done(language, &language.say("secret-made")))
        p class="govuk-body" { (language.say("secret-what")) }
        p class="portal-code" { (made.secret.shown()) }
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    // What was filled in before the sign-in ran out.
    let draft = state.store.draft(&person.caller.who, ADDRESS).await?;
    let mut fields = draft.map(|(body, _)| Fields::of_draft(&body)).unwrap_or_default();
    if !fields.has("/width") {
        CHOICE.fill(&mut fields, &Topic::ALL);
    }
    let form = Form { language, fields: &fields, faults: &[] };
    list_page(&state, language, &person, form, &was.tell(language)).await
}

async fn list_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    form: Form<'_>,
    was: &Markup,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let rows = state.outlets.webhooks(&person.caller).await?;
    let shown = rows.iter().map(|row| line(language, row)).collect::<Result<Vec<_>, _>>()?;
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            (was)
            h1 class="govuk-heading-l" { (say("webhooks")) }
            p class="govuk-body" { (say("webhooks-what")) }
            @if shown.is_empty() { p class="govuk-body" { strong { (say("webhooks-none")) } } }
            (lines(&shown))
            @if state.outlets.is_open(Channel::Webhook) {
                h2 class="govuk-heading-m" { (say("webhook-add")) }
                form method="post" action=(ADDRESS) novalidate {
                    input type="hidden" name="csrf" value=(person.csrf);
                    (form.input("/url", "item-url", Some("item-url-hint"), Shape { mode: Some("url"), ..Shape::default() }))
                    (CHOICE.shown(form))
                    (button(&say("webhook-add")))
                }
            } @else { (inset(&html! { (say("refused-no-webhooks")) })) }
        } }
    };
    let title = form.title(&say("webhooks"));
    let frame =
        Frame { language, person: Some(person), title, address: ADDRESS, back: Some("/trade/contact") };
    Ok(page(&frame, &content))
}

fn line(language: Language, row: &WebhookRow) -> Result<Line, Refusal> {
    let told = in_words(language, &row.topics()?);
    Ok(Line {
        to: Some(format!("{ADDRESS}/{}", row.id)),
        name: html! { span class="portal-address" { (row.address) } },
        hint: Some(html! { (told) }),
        status: state_tag(language, row.state()),
    })
}

pub(super) async fn add(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let topics = CHOICE.read(&fields);
    let faults = match state.outlets.add(&person.caller, fields.get("/url"), topics).await {
        Ok(made) => {
            state.store.drop_draft(&person.caller.who, ADDRESS).await?;
            let mut fields = Fields::default();
            CHOICE.fill(&mut fields, &Topic::ALL);
            let form = Form { language, fields: &fields, faults: &[] };
            let page = list_page(&state, language, &person, form, &secret(language, &made)).await?;
            return Ok(page.into_response());
        }
        Err(Refused::Faults(faults)) => faults,
        Err(Refused::Standing(Conflict::Exists)) => vec![Faulty::at("/url", Fault::Exists)],
        Err(refused) => return Err(refused.into()),
    };
    let form = Form { language, fields: &fields, faults: &faults };
    let page = list_page(&state, language, &person, form, &html! {}).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
