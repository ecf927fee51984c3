//! Somebody's own account: passkeys and sessions.

use axum::extract::State;
use axum::response::Redirect;
use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::date::moment;
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, inset};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use crate::state::AppState;
use crate::storage::PasskeyRow;
use crate::words::Language;

pub(super) async fn account(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let passkeys = state.store.passkeys(&person.caller.who).await?;
    let place = state.operations.place();
    let fields = Fields::default();
    let form = Form { language, fields: &fields, faults: &[] };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            h1 class="govuk-heading-l" { (say("account")) }
            p class="govuk-body" {
                (language.say_with("account-who", &[("login", &person.caller.who), ("company", &person.company)]))
                " " a class="govuk-link" href="/trade/people" { (say("people")) }
                " · " a class="govuk-link" href="/trade/contact" { (say("contact")) }
            }
            h2 class="govuk-heading-m" { (say("passkeys")) }
            p class="govuk-body" { (say("passkeys-what")) }
            @if passkeys.is_empty() { (inset(&html! { (say("passkeys-none")) })) }
            @for row in &passkeys { (passkey(language, &person, row, |at| moment(language, place, UtcMillis(at)))) }
            noscript { p class="govuk-body" { (say("passkeys-script")) } }
            div class="portal-passkey" hidden data-passkey="register" data-csrf=(person.csrf) data-failed=(say("passkey-not-added")) {
                (form.input("name", "passkey-name", Some("passkey-name-hint"), Shape { width: 20, ..Shape::default() }))
                button type="button" class="govuk-button" { (say("passkey-add")) }
                p class="govuk-error-message" role="alert" hidden {}
            }
            h2 class="govuk-heading-m" { (say("sessions")) }
            p class="govuk-body" {
                (language.say_with("session-since", &[("at", &moment(language, place, UtcMillis(person.began)))]))
            }
            form method="post" action="/trade/account/sessions/end" {
                input type="hidden" name="csrf" value=(person.csrf);
                button type="submit" class="govuk-button govuk-button--secondary" { (say("sessions-end")) }
            }
        } }
    };
    let title = say("account");
    let frame =
        Frame { language, person: Some(&person), title, address: "/trade/account", back: Some("/trade") };
    Ok(page(&frame, &content))
}

fn passkey(
    language: Language,
    person: &SignedIn,
    row: &PasskeyRow,
    moment: impl Fn(i64) -> String,
) -> Markup {
    let used = row.used_at.map_or_else(|| language.say("passkey-unused"), &moment);
    html! {
        form method="post" action="/trade/account/passkeys/remove" class="portal-row" {
            input type="hidden" name="csrf" value=(person.csrf);
            input type="hidden" name="id" value=(row.id);
            div {
                strong { (row.name) }
                div class="govuk-hint" {
                    (language.say_with("passkey-times", &[("added", &moment(row.added_at)), ("used", &used)]))
                }
            }
            button type="submit" class="govuk-button govuk-button--warning" {
                (language.say("passkey-remove")) span class="govuk-visually-hidden" { " " (row.name) }
            }
        }
    }
}

pub(super) async fn remove_passkey(
    State(state): State<AppState>,
    posted: Posted,
) -> Result<Redirect, Refusal> {
    let who = &posted.person.caller.who;
    if !state.store.remove_passkey(who, posted.fields.get("id"), state.clock.now()).await? {
        return Err(Refusal::NotFound);
    }
    Ok(Redirect::to("/trade/account"))
}

pub(super) async fn end_sessions(State(state): State<AppState>, posted: Posted) -> Result<Redirect, Refusal> {
    state.store.end_other_sessions(&posted.person.caller.who, &posted.person.session).await?;
    Ok(Redirect::to("/trade/account"))
}
