//! Signing in and out, and who is signed in.

use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use maud::{Markup, html};
use serde::Deserialize;

use super::address::within_console;
use super::page::{Frame, page};
use crate::officers::{Actor, Deed, Role, new_token, token_hash, verify_password_aside};
use crate::state::AppState;
use crate::storage::{CONSOLE, Noted, StorageError};
use crate::trade::policy::{Act, customs_may};
use crate::words::Language;

const COOKIE: &str = "session";

/// A session ends after this long, however busy: one shift.
const LONGEST_MS: i64 = 12 * 3_600_000;

/// And after this long without use.
const IDLE_MS: i64 = 30 * 60_000;

/// How often the last use is noted.
const NOTE_MS: i64 = 60_000;

/// An officer who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) actor: Actor,
    pub(crate) csrf: String,
}

impl SignedIn {
    /// Refuse what the role does not allow, or a form that did not come from one of our pages.
    pub(crate) fn allow(&self, deed: Deed, csrf: Option<&str>) -> Result<(), Refusal> {
        if csrf.is_some_and(|token| token != self.csrf) {
            return Err(Refusal::ForeignForm);
        }
        if self.actor.role.may(deed) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// The same for what the policy of declarations says.
    pub(crate) fn allow_act(&self, act: Act, csrf: Option<&str>) -> Result<(), Refusal> {
        if csrf.is_some_and(|token| token != self.csrf) {
            return Err(Refusal::ForeignForm);
        }
        if customs_may(act, self.actor.role) { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}

/// Why a page is not shown.
#[derive(Debug)]
pub(crate) enum Refusal {
    SignInFirst,
    Forbidden,
    /// The form is of another session, or of somebody else's page.
    ForeignForm,
    NotFound,
    Failed(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The words, by their key, that a response still lacks: whoever refuses does not know the reader's language.
#[derive(Clone, Copy)]
struct Untold(&'static str);

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::SignInFirst => return Redirect::to("/console/sign-in").into_response(),
            Self::Forbidden => (StatusCode::FORBIDDEN, "not-allowed"),
            Self::ForeignForm => (StatusCode::FORBIDDEN, "foreign-form"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Failed(error) => {
                tracing::error!(error, "a page failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "failed")
            }
        };
        (status, Extension(Untold(words))).into_response()
    }
}

/// Tell a refusal in the reader's language.
pub(super) async fn tell_refusals(language: Language, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(Untold(words)) = response.extensions().get().copied() else { return response };
    let content = html! {
        div class="panel" {
            p class="stop" role="alert" { (language.say(words)) }
            p { a href="/console/queue" { (language.say("back-to-queue")) } }
        }
    };
    let frame = Frame { language, officer: None, page: "refusal", works: false, address: "/console/queue" };
    (response.status(), page(&frame, &content)).into_response()
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let jar = CookieJar::from_headers(&parts.headers);
        let token = jar.get(COOKIE).map(|c| token_hash(c.value())).ok_or(Refusal::SignInFirst)?;
        let session = state.store.session(&token).await?.ok_or(Refusal::SignInFirst)?;
        let now = state.clock.now();
        if now.0 - session.began > LONGEST_MS || now.0 - session.seen > IDLE_MS {
            state.store.end_session(&token).await?;
            return Err(Refusal::SignInFirst);
        }
        if now.0 - session.seen > NOTE_MS {
            state.store.touch_session(&token, now).await?;
        }
        let role =
            session.role.parse().map_err(|e: crate::officers::UnknownRole| Refusal::Failed(e.to_string()))?;
        Ok(Self {
            actor: Actor { name: session.officer, role, trader: None, sandbox: false },
            csrf: session.csrf,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    name: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Csrf {
    csrf: String,
}

fn sign_in_page(language: Language, problem: Option<&str>) -> Markup {
    let say = |key| language.say(key);
    let content = html! {
        div class="sign-in" {
            form method="post" class="panel stack" {
                h1 { (say("sign-in")) }
                @if let Some(problem) = problem { p role="alert" class="stop" { (say(problem)) } }
                label { (say("name")) input name="name" autocomplete="username" autofocus required; }
                label { (say("password")) input name="password" type="password" autocomplete="current-password" required; }
                button class="primary" { (say("sign-in")) }
            }
        }
    };
    page(
        &Frame { language, officer: None, page: "sign-in", works: false, address: "/console/sign-in" },
        &content,
    )
}

pub(super) async fn form(language: Language) -> Markup {
    sign_in_page(language, None)
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    language: Language,
    jar: CookieJar,
    Form(form): Form<SignInForm>,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let guarded = format!("console/{}", form.name);
    if !state.store.count_sign_in(&guarded, now).await? {
        return Ok(
            (StatusCode::TOO_MANY_REQUESTS, sign_in_page(language, Some("sign-in-wait"))).into_response()
        );
    }
    let officer = state.store.officer(&form.name).await?.filter(|o| !o.disabled());
    let hash = officer.as_ref().map(|o| o.password.clone());
    let right =
        verify_password_aside(form.password, hash).await.map_err(|e| Refusal::Failed(e.to_string()))?;
    if !right {
        state
            .store
            .audit(now, CONSOLE, &Noted::SignInFailed, &form.name.chars().take(64).collect::<String>())
            .await?;
        return Ok((StatusCode::UNAUTHORIZED, sign_in_page(language, Some("sign-in-failed"))).into_response());
    }
    state.store.forgive_sign_ins(&guarded).await?;
    let first = officer.and_then(|officer| officer.role.parse().ok()).map_or("/console/queue", first_page);
    let token = new_token();
    state.store.begin_session(&token_hash(&token), &form.name, &new_token(), now).await?;
    let cookie = Cookie::build((COOKIE, token)).path("/console").http_only(true).same_site(SameSite::Strict);
    Ok((jar.add(cookie), Redirect::to(first)).into_response())
}

/// Where somebody's work is.
fn first_page(role: Role) -> &'static str {
    match role {
        Role::Selector | Role::Supervisor => "/console/workbench",
        Role::Inspector => "/console/bay",
        Role::Officer | Role::Engineer | Role::Admin | Role::Trade => "/console/queue",
    }
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    officer: SignedIn,
    jar: CookieJar,
    Form(form): Form<Csrf>,
) -> Result<Response, Refusal> {
    if form.csrf != officer.csrf {
        return Err(Refusal::ForeignForm);
    }
    if let Some(cookie) = jar.get(COOKIE) {
        state.store.end_session(&token_hash(cookie.value())).await?;
    }
    let gone = Cookie::build(COOKIE).path("/console");
    Ok((jar.remove(gone), Redirect::to("/console/sign-in")).into_response())
}

#[derive(Deserialize)]
pub(super) struct Back {
    back: Option<String>,
}

/// Choose a language, and go on with the page that was being read.
pub(super) async fn language(jar: CookieJar, Path(tag): Path<String>, Query(asked): Query<Back>) -> Response {
    let back = asked.back.as_deref().and_then(within_console).unwrap_or("/console/queue");
    (jar.add(Language::chosen(&tag, "/console")), Redirect::to(back)).into_response()
}
