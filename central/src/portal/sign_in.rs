//! Signing in with a password and a one-time password, and out.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button, inset};
use super::refusal::Refusal;
use super::session::{Posted, new_session, no_session, within};
use crate::officers::verify_password_aside;
use crate::people::{Login, OneTime, sealed_for};
use crate::state::AppState;
use crate::storage::{CONSOLE, Noted, PersonRow, SignedWith};
use crate::words::Language;

#[derive(Default, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

impl Next {
    fn address(&self) -> &str {
        self.next.as_deref().and_then(within).unwrap_or("/trade")
    }
}

fn sign_in_page(language: Language, fields: &Fields, next: &str, problem: Option<&str>) -> Markup {
    let say = |key| language.say(key);
    let form = Form { language, fields, faults: &[] };
    let shape =
        |kind, autocomplete| Shape { kind, autocomplete: Some(autocomplete), width: 20, ..Shape::default() };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            @if let Some(problem) = problem {
                div class="govuk-error-summary" tabindex="-1" autofocus { div role="alert" {
                    h2 class="govuk-error-summary__title" { (say("error-title")) }
                    div class="govuk-error-summary__body" { p class="govuk-body" { (say(problem)) } }
                } }
            }
            h1 class="govuk-heading-l" { (say("portal-sign-in")) }
            @if next != "/trade" { (inset(&html! { (say("sign-in-kept")) })) }
            form method="post" action={ "/trade/sign-in?next=" (super::session::escaped(next)) } novalidate {
                (form.input("login", "item-login", None, shape(None, "username webauthn")))
                div class="portal-passkey" hidden data-passkey="sign-in" data-next=(next)
                    data-failed=(say("passkey-failed")) data-nameless=(say("passkey-nameless")) {
                    button type="button" class="govuk-button govuk-button--secondary" { (say("passkey-sign-in")) }
                    p class="govuk-error-message" role="alert" hidden {}
                }
                (form.input("password", "item-password", None, shape(Some("password"), "current-password")))
                (form.input("code", "item-code", Some("item-code-hint"), Shape {
                    autocomplete: Some("one-time-code"), ..Shape::number(10)
                }))
                (button(&say("portal-sign-in")))
            }
            p class="govuk-body" { (say("sign-in-how")) }
        } }
    };
    let title = say("portal-sign-in");
    let title = if problem.is_some() { format!("{}: {title}", say("error-word")) } else { title };
    page(&Frame { language, person: None, title, address: "/trade/sign-in", back: None }, &content)
}

pub(super) async fn form(language: Language, Query(next): Query<Next>) -> Markup {
    sign_in_page(language, &Fields::default(), next.address(), None)
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    language: Language,
    Query(next): Query<Next>,
    jar: CookieJar,
    fields: Fields,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let refused = |status: StatusCode, problem| {
        (status, sign_in_page(language, &fields, next.address(), Some(problem))).into_response()
    };
    let login = fields.get("login").parse::<Login>();
    let guarded = format!("trade/{}", login.as_ref().map_or("", Login::as_str));
    if !state.store.count_sign_in(&guarded, now).await? {
        return Ok(refused(StatusCode::TOO_MANY_REQUESTS, "sign-in-wait"));
    }
    let person = match &login {
        Ok(login) => state.store.person(login).await?,
        Err(_) => None,
    };
    let hash = person.as_ref().map(|p| p.password.clone());
    // An unknown person takes as long as a wrong password.
    let right =
        verify_password_aside(fields.raw("password").to_owned(), hash).await.map_err(Refusal::failed)?;
    let step = match &person {
        Some(person) if right => step(&state, person, fields.get("code"))?,
        _ => None,
    };
    let (cookie, session, csrf) = new_session(&state);
    let begun = match (&person, step) {
        (Some(person), Some(step)) => {
            let with = SignedWith::OneTime(step);
            state.store.begin_person_session(&session, &person.login, &csrf, &with, now).await?
        }
        _ => false,
    };
    if !begun {
        let who = login.map_or_else(|_| String::new(), |login| login.to_string());
        state.store.audit(now, CONSOLE, &Noted::SignInFailed, &who).await?;
        return Ok(refused(StatusCode::UNAUTHORIZED, "portal-sign-in-failed"));
    }
    state.store.forgive_sign_ins(&guarded).await?;
    Ok((jar.add(cookie), Redirect::to(next.address())).into_response())
}

/// The step of a person's one-time password, if it is one.
fn step(state: &AppState, person: &PersonRow, code: &str) -> Result<Option<i64>, Refusal> {
    let Some(sealed) = &person.totp else { return Ok(None) };
    let secret = state.vault.unseal(&sealed_for(&person.login), sealed)?;
    Ok(OneTime::of(&secret, &person.login)?.step(&digits(code), state.clock.now()))
}

/// A code as apps show it, `123 456`.
pub(super) fn digits(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    jar: CookieJar,
    posted: Posted,
) -> Result<Response, Refusal> {
    state.store.end_person_session(&posted.person.session).await?;
    Ok((jar.remove(no_session()), Redirect::to("/trade/sign-in")).into_response())
}
