//! Taking an invitation: a password, and an authenticator app.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use maud::{Markup, html};

use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button};
use super::refusal::Refusal;
use super::session::new_session;
use super::sign_in::digits;
use super::slip::qr_code;
use crate::officers::{PasswordError, hash_password, token_hash};
use crate::people::{OneTime, sealed_for};
use crate::state::AppState;
use crate::storage::{InvitationRow, SignedWith};
use crate::trade::{Fault, Faulty};
use crate::words::Language;

async fn invitation(state: &AppState, token: &str) -> Result<(InvitationRow, OneTime), Refusal> {
    let row = state.store.invited(&token_hash(token), state.clock.now()).await?.ok_or(Refusal::NotFound)?;
    let secret = state.vault.unseal(&sealed_for(&row.login), &row.totp)?;
    let one_time = OneTime::of(&secret, &row.login)?;
    Ok((row, one_time))
}

fn invitation_page(
    language: Language,
    invitation: &InvitationRow,
    one_time: &OneTime,
    faults: &[Faulty],
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let fields = Fields::default();
    let form = Form { language, fields: &fields, faults };
    let new_password =
        Shape { kind: Some("password"), autocomplete: Some("new-password"), width: 20, ..Shape::default() };
    let code = Shape { autocomplete: Some("one-time-code"), ..Shape::number(10) };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (language.say_with("invitation-title", &[("company", &invitation.company)])) }
            p class="govuk-body" { (language.say_with("invitation-login", &[("login", &invitation.login)])) }
            form method="post" novalidate {
                h2 class="govuk-heading-m" { (say("invitation-password")) }
                input type="text" name="username" value=(invitation.login) autocomplete="username" hidden readonly;
                (form.input("password", "item-password", Some("item-password-hint"), new_password))
                h2 class="govuk-heading-m" { (say("invitation-app")) }
                p class="govuk-body" { (say("invitation-app-how")) }
                div class="portal-qr" { (qr_code(&one_time.url(), &say("invitation-qr"))?) }
                p class="govuk-body" { (say("invitation-secret")) }
                p class="portal-code" { (one_time.secret()) }
                (form.input("code", "item-code", Some("item-code-hint"), code))
                (button(&say("invitation-take")))
            }
        } }
    };
    let title = form.title(&say("invitation"));
    Ok(page(&Frame { language, person: None, title, address: "/trade/sign-in", back: None }, &content))
}

pub(super) async fn form(
    State(state): State<AppState>,
    language: Language,
    Path(token): Path<String>,
) -> Result<Markup, Refusal> {
    let (row, one_time) = invitation(&state, &token).await?;
    invitation_page(language, &row, &one_time, &[])
}

pub(super) async fn take(
    State(state): State<AppState>,
    language: Language,
    Path(token): Path<String>,
    jar: CookieJar,
    fields: Fields,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let (row, one_time) = invitation(&state, &token).await?;
    let mut faults = Vec::new();
    let password = fields.raw("password").to_owned();
    let hash =
        tokio::task::spawn_blocking(move || hash_password(&password)).await.map_err(Refusal::failed)?;
    let hash = match hash {
        Ok(hash) => Some(hash),
        Err(PasswordError::Length) => {
            faults.push(Faulty::at("password", Fault::Number { least: 10, most: 200 }));
            None
        }
        Err(error @ PasswordError::Hash(_)) => return Err(error.into()),
    };
    let step = one_time.step(&digits(fields.get("code")), now);
    if step.is_none() {
        faults.push(Faulty::at("code", Fault::Unknown { known: String::new() }));
    }
    let (Some(hash), Some(step)) = (hash, step) else {
        let again = invitation_page(language, &row, &one_time, &faults)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
    };
    // Less one: the same one-time password opens the first session.
    if !state.store.take_invitation(&token_hash(&token), &hash, step - 1, now).await? {
        return Err(Refusal::NotFound);
    }
    let (cookie, session, csrf) = new_session(&state);
    let with = SignedWith::OneTime(step);
    if !state.store.begin_person_session(&session, &row.login, &csrf, &with, now).await? {
        return Ok(Redirect::to("/trade/sign-in").into_response());
    }
    Ok((jar.add(cookie), Redirect::to("/trade/account")).into_response())
}
