//! One webhook: how it stands, what came of what it was sent, and telling it once more.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::consignments::{Done, confirm_page};
use super::date::{moment, named_day, past_days, read as read_moment};
use super::fields::Fields;
use super::frame::{Frame, page};
use super::news::subject;
use super::parts::{Form, Shape, button, list, older, other_button, tag};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, id_of};
use super::terms;
use super::topics::in_words;
use super::webhooks::{secret, state_tag};
use crate::messages::ReplayFrom;
use crate::state::AppState;
use crate::storage::messages::{DeliveryRow, DeliveryState, WebhookRow, WebhookState};
use crate::storage::trade::EventRow;
use crate::trade::Faulty;
use crate::words::Language;

/// As many deliveries as a page shows.
const A_PAGE: u32 = 25;

/// As many days as a replay offers.
const MOST_DAYS: i64 = 31;

/// Which deliveries are shown.
#[derive(Default, Deserialize)]
pub(super) struct Which {
    before: Option<i64>,
    state: Option<DeliveryState>,
}

/// What a page of a webhook shows beside it.
struct Shown<'a> {
    which: Which,
    form: Form<'a>,
    was: Markup,
}

pub(super) async fn one(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let fields = Fields::default();
    let form = Form { language, fields: &fields, faults: &[] };
    let shown = Shown { which, form, was: was.tell(language) };
    let (id, who) = (id_of(&id)?, &person.caller.who);
    // A button that was pressed after the sign-in ran out is no form to come back to.
    let pressed = format!("/trade/webhooks/{id}");
    if state.store.draft(who, &pressed).await?.is_some() {
        state.store.drop_draft(who, &pressed).await?;
    }
    webhook_page(&state, language, &person, id, shown).await
}

async fn webhook_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    id: &str,
    shown: Shown<'_>,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let webhook = state.outlets.webhook(&person.caller, id).await?;
    let address = format!("/trade/webhooks/{id}");
    let content = html! {
        (shown.form.summary())
        (shown.was)
        h1 class="govuk-heading-l" { (say("webhook")) }
        p class="portal-code" { (webhook.address) }
        (list(&standing(state, language, &webhook)?))
        form method="post" action=(address) class="govuk-button-group" {
            input type="hidden" name="csrf" value=(person.csrf);
            @if webhook.state() == WebhookState::Paused { (other_button("resume", &say("webhook-resume"))) }
            @else { (other_button("pause", &say("webhook-pause"))) }
            // Sent twice, as when the page is loaded again, it must not replace the secret that is still in use.
            button type="submit" class="govuk-button govuk-button--secondary" name="roll" value=(webhook.previous_until) {
                (say("webhook-roll"))
            }
            a class="govuk-link" href={ (address) "/remove" } { (say("webhook-remove")) }
        }
        h2 class="govuk-heading-m" { (say("deliveries")) }
        (deliveries(state, language, person, &webhook, &shown.which).await?)
        h2 class="govuk-heading-m portal-after" { (say("replay")) }
        p class="govuk-body" { (say("replay-what")) }
        (replay_form(state, person, &address, shown.form))
    };
    let title = shown.form.title(&say("webhook"));
    let frame =
        Frame { language, person: Some(person), title, address: &address, back: Some("/trade/webhooks") };
    Ok(page(&frame, &content))
}

/// How it stands, in names and values.
fn standing(
    state: &AppState,
    language: Language,
    webhook: &WebhookRow,
) -> Result<Vec<(String, Markup)>, Refusal> {
    let at = |at: i64| moment(language, state.operations.place(), UtcMillis(at));
    let mut rows = Vec::new();
    let mut row = |key: &str, value: Markup| rows.push((language.say(key), value));
    row("webhook-state", state_tag(language, webhook.state()));
    row("item-news", html! { (in_words(language, &webhook.topics()?)) });
    row("webhook-added", html! { (at(webhook.created_at)) });
    if let Some(delivered) = webhook.delivered_at {
        row("webhook-taken", html! { (at(delivered)) });
    }
    if let Some((since, why)) = webhook.failing_since.zip(webhook.last_error.as_ref()) {
        let told = language.say_with("failing-since", &[("at", &at(since)), ("why", why)]);
        row("webhook-trouble", html! { (told) });
    }
    if webhook.previous_until > state.clock.now().0 {
        row("webhook-both-sign", html! { (at(webhook.previous_until)) });
    }
    Ok(rows)
}

/// What came of what it was sent, latest first.
async fn deliveries(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    webhook: &WebhookRow,
    which: &Which,
) -> Result<Markup, Refusal> {
    let before = which.before.unwrap_or(i64::MAX);
    let mut rows =
        state.outlets.deliveries(&person.caller, &webhook.id, which.state, before, A_PAGE + 1).await?;
    let more = rows.len() > A_PAGE as usize;
    rows.truncate(A_PAGE as usize);
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let events = state.store.pieces_of_news(&person.caller.trader, &seqs).await?;
    let events: BTreeMap<i64, EventRow> = events.into_iter().map(|event| (event.seq, event)).collect();
    let address = format!("/trade/webhooks/{}", webhook.id);
    let of_state = which.state.map(|state| format!("&state={}", state.name())).unwrap_or_default();
    let next = rows.last().filter(|_| more).map(|row| format!("{address}?before={}{of_state}", row.seq));
    let shown = rows
        .iter()
        .map(|row| delivery(state, language, person, webhook, (row, events.get(&row.seq))))
        .collect::<Result<Vec<_>, _>>()?;
    let filters = [
        (None, "deliveries-all"),
        (Some(DeliveryState::Retrying), "delivery-retrying"),
        (Some(DeliveryState::Failed), "delivery-failed"),
    ];
    Ok(html! {
        nav class="portal-actions" aria-label=(language.say("deliveries")) {
            @for (of, key) in filters {
                @let to = of.map_or_else(|| address.clone(), |of| format!("{address}?state={}", of.name()));
                a class="govuk-link" href=(to) aria-current=[(of == which.state).then_some("true")] { (language.say(key)) }
            }
        }
        @if shown.is_empty() { p class="govuk-body portal-after" { (language.say("deliveries-none")) } }
        @for row in &shown { (row) }
        (older(language, next))
    })
}

/// One of them, with the button that sends it once more.
fn delivery(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    webhook: &WebhookRow,
    (row, event): (&DeliveryRow, Option<&EventRow>),
) -> Result<Markup, Refusal> {
    let place = state.operations.place();
    let at = |at: i64| moment(language, place, UtcMillis(at));
    let (word, colour) = match row.state()? {
        DeliveryState::Delivered => ("delivery-delivered", "green"),
        DeliveryState::Retrying => ("delivery-retrying", "yellow"),
        DeliveryState::Failed => ("delivery-failed", "red"),
    };
    let tried = language
        .say_with("delivery-tried", &[("attempts", &row.attempts.to_string()), ("at", &at(row.changed_at))]);
    let answered =
        row.status.map(|status| language.say_with("delivery-answered", &[("status", &status.to_string())]));
    let next = row.next_at.filter(|_| webhook.state() != WebhookState::Paused);
    let next = next.map(|next| language.say_with("delivery-next", &[("at", &at(next))]));
    let notes: Vec<_> = [Some(tried), answered, row.error.clone(), next].into_iter().flatten().collect();
    Ok(html! {
        form method="post" action={ "/trade/webhooks/" (webhook.id) } class="portal-row" {
            input type="hidden" name="csrf" value=(person.csrf);
            div class="portal-row__text" {
                @if let Some(event) = event {
                    div class="govuk-hint" { (at(event.at)) }
                    (subject(event)) " " (terms::news(language, place, &event.news)) " "
                } @else { (language.say_with("delivery-rolled-off", &[("seq", &row.seq.to_string())])) " " }
                (tag(&language.say(word), colour))
                @for note in &notes { div class="govuk-hint" { (note) } }
            }
            @if event.is_some() && webhook.state() != WebhookState::Paused {
                button type="submit" name="again" value=(row.seq) class="govuk-button govuk-button--secondary" {
                    (language.say("delivery-again"))
                    span class="govuk-visually-hidden" { " " (row.seq) }
                }
            }
        }
    })
}

fn replay_form(state: &AppState, person: &SignedIn, address: &str, form: Form<'_>) -> Markup {
    let place = state.operations.place();
    let days: Vec<_> = past_days(place, state.clock.now(), MOST_DAYS)
        .into_iter()
        .map(|day| (day.to_string(), named_day(form.language, day)))
        .collect();
    html! {
        form method="post" action=(address) novalidate {
            input type="hidden" name="csrf" value=(person.csrf);
            (form.select("/since", "item-since", None, &form.language.say("choose-day"), &days))
            (form.input("/time", "item-since-time", Some("item-since-time-hint"), Shape::number(5)))
            input type="hidden" name="replay" value="1";
            (button(&form.language.say("replay-send")))
        }
    }
}

/// What a button of the page asks for.
pub(super) async fn act(
    State(state): State<AppState>,
    language: Language,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let (id, caller) = (id_of(&id)?, &person.caller);
    let done = match () {
        () if fields.has("pause") => {
            state.outlets.pause(caller, id).await?;
            "paused"
        }
        () if fields.has("resume") => {
            state.outlets.replay(caller, id, ReplayFrom::Here).await?;
            "resumed"
        }
        () if fields.has("again") => {
            let seq = fields.get("again").parse().map_err(|_| Refusal::NoForm)?;
            state.outlets.replay_one(caller, id, seq).await?;
            "again"
        }
        () if fields.has("roll") => {
            if fields.get("roll") != state.outlets.webhook(caller, id).await?.previous_until.to_string() {
                return Err(Refusal::Changed);
            }
            let made = state.outlets.roll(caller, id).await?;
            let blank = Fields::default();
            let form = Form { language, fields: &blank, faults: &[] };
            let shown = Shown { which: Which::default(), form, was: secret(language, &made) };
            return Ok(webhook_page(&state, language, &person, id, shown).await?.into_response());
        }
        () if fields.has("replay") => {
            let since = since(&state, &fields);
            let since = match since {
                Ok(since) => since,
                Err(wrong) => {
                    let form = Form { language, fields: &fields, faults: &[wrong] };
                    let shown = Shown { which: Which::default(), form, was: html! {} };
                    let page = webhook_page(&state, language, &person, id, shown).await?;
                    return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
                }
            };
            state.outlets.replay(caller, id, ReplayFrom::Moment(since)).await?;
            "replayed"
        }
        () => return Err(Refusal::NoForm),
    };
    Ok(Redirect::to(&format!("/trade/webhooks/{id}?done={done}")).into_response())
}

/// The moment of a replay's form; without a time, the beginning of the day.
fn since(state: &AppState, fields: &Fields) -> Result<UtcMillis, Faulty> {
    let time = fields.filled("/time").unwrap_or_else(|| "00:00".to_owned());
    read_moment(state.operations.place(), fields.get("/since"), &time).map_err(|fault| {
        let field = if fault == crate::trade::Fault::Time { "/time" } else { "/since" };
        Faulty::at(field, fault)
    })
}

pub(super) async fn confirm_removal(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    let webhook = state.outlets.webhook(&person.caller, id_of(&id)?).await?;
    let back = format!("/trade/webhooks/{}", webhook.id);
    let what = language.say_with("webhook-remove-what", &[("url", &webhook.address)]);
    let words = (language.say("webhook-remove"), what);
    Ok(confirm_page(language, &person, (&format!("{back}/remove"), &back), (&words.0, &words.1), 0))
}

pub(super) async fn remove(
    State(state): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Redirect, Refusal> {
    state.outlets.remove(&posted.person.caller, id_of(&id)?).await?;
    Ok(Redirect::to("/trade/webhooks?done=webhook-removed"))
}
