//! Passkeys: the two steps of registering one and of signing in with one, for the page's script.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde_json::{Value, json};
use webauthn_rs::prelude::Uuid;

use super::fields::Fields;
use super::refusal::Refusal;
use super::session::{Posted, new_session};
use crate::officers::{new_token, token_hash};
use crate::people::{Begun, Login, PasskeyError};
use crate::state::AppState;
use crate::storage::{CONSOLE, Noted, PasskeyRow, SignedWith};

/// Time to touch an authenticator, milliseconds.
const CEREMONY_MS: i64 = 5 * 60_000;

/// As many passkeys as a person has.
const MOST: usize = 20;

fn keys(rows: &[PasskeyRow]) -> Vec<String> {
    rows.iter().map(|row| row.key.clone()).collect()
}

/// Keep what the second step needs; gives what the script needs.
async fn begun(state: &AppState, login: &str, begun: Begun) -> Result<Json<Value>, Refusal> {
    let ceremony = new_token();
    let until = state.clock.now().plus_millis(CEREMONY_MS);
    state.store.begin_ceremony(&token_hash(&ceremony), login, &begun.state, until).await?;
    Ok(Json(json!({ "ceremony": ceremony, "challenge": begun.challenge })))
}

/// Begin to register a passkey for whoever is signed in.
pub(super) async fn begin(State(state): State<AppState>, posted: Posted) -> Result<Json<Value>, Refusal> {
    let login = &posted.person.caller.who;
    let person = login.parse::<Login>().map_err(Refusal::failed)?;
    let person = state.store.person(&person).await?.ok_or(Refusal::NotFound)?;
    let known = state.store.passkeys(login).await?;
    if known.len() >= MOST {
        return Err(Refusal::TooMany);
    }
    let handle = Uuid::parse_str(&person.handle).map_err(Refusal::failed)?;
    begun(&state, login, state.portal.passkeys.register(handle, login, &keys(&known))?).await
}

/// End a registration.
pub(super) async fn register(State(state): State<AppState>, posted: Posted) -> Result<Response, Refusal> {
    let (login, now) = (&posted.person.caller.who, state.clock.now());
    let ceremony = token_hash(posted.fields.get("ceremony"));
    let kept = state.store.end_ceremony(&ceremony, now).await?.filter(|(of, _)| of == login);
    let Some((_, kept)) = kept else { return Ok(not_taken("the registration is over; begin anew")) };
    let key = match state.portal.passkeys.registered(posted.fields.get("answer"), &kept) {
        Ok(key) => key,
        Err(error) => return Ok(not_taken(error)),
    };
    let name: String =
        posted.fields.filled("name").unwrap_or_else(|| "–".to_owned()).chars().take(60).collect();
    if !state.store.add_passkey(login, key, &name, now).await? {
        return Ok(not_taken("it is registered already"));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The script shows its own words; these are for whoever looks into it.
fn not_taken(why: impl ToString) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "why": why.to_string() }))).into_response()
}

/// Begin a sign-in. Somebody unknown and somebody without a passkey are told alike.
pub(super) async fn challenge(State(state): State<AppState>, fields: Fields) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let none = || not_taken("no passkey for this name");
    let Ok(login) = fields.get("login").parse::<Login>() else { return Ok(none()) };
    let Some(person) = state.store.person(&login).await? else { return Ok(none()) };
    let known = state.store.passkeys(&person.login).await?;
    if known.is_empty() {
        return Ok(none());
    }
    // Nobody fills the table with ceremonies that are never ended.
    if !state.store.count_sign_in(&format!("passkey/{login}"), now).await? {
        return Err(Refusal::TooMany);
    }
    Ok(begun(&state, &person.login, state.portal.passkeys.challenge(&keys(&known))?).await?.into_response())
}

/// End a sign-in.
pub(super) async fn answer(
    State(state): State<AppState>,
    jar: CookieJar,
    fields: Fields,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let Some((login, kept)) = state.store.end_ceremony(&token_hash(fields.get("ceremony")), now).await?
    else {
        return Ok(not_taken("the sign-in is over; begin anew"));
    };
    let known = state.store.passkeys(&login).await?;
    let signed = match state.portal.passkeys.signed_in(fields.get("answer"), &kept, &keys(&known)) {
        Ok(signed) => signed,
        Err(error) => return failed(&state, &login, &error).await,
    };
    let (cookie, session, csrf) = new_session(&state);
    let with = SignedWith::Passkey(signed.0, signed.1);
    let allowed = match login.parse::<Login>() {
        Ok(login) => state.store.person(&login).await?.is_some(),
        Err(_) => false,
    };
    if !allowed || !state.store.begin_person_session(&session, &login, &csrf, &with, now).await? {
        return Ok(not_taken("this person may not sign in"));
    }
    state.store.forgive_sign_ins(&format!("passkey/{login}")).await?;
    Ok((jar.add(cookie), StatusCode::NO_CONTENT).into_response())
}

async fn failed(state: &AppState, login: &str, error: &PasskeyError) -> Result<Response, Refusal> {
    state.store.audit(state.clock.now(), CONSOLE, &Noted::SignInFailed, login).await?;
    Ok(not_taken(error))
}
