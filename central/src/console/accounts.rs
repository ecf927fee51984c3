//! Officers' accounts, for admins.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::OfficerId;
use maud::{Markup, html};
use serde::Deserialize;

use super::notice::{Notice, Told};
use super::page::{Frame, page};
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::officers::{Deed, PasswordError, Role, hash_password};
use crate::state::AppState;
use crate::storage::{Noted, OfficerRow};
use crate::words::Language;

#[derive(Deserialize)]
pub(super) struct AccountForm {
    csrf: String,
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    password: String,
    disabled: Option<bool>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::ManageOfficers, None)?;
    accounts_page(&state, &officer, language, None).await
}

async fn accounts_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    problem: Option<Notice>,
) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let officers = state.store.officers().await?;
    let content = html! {
        h1 { (say("officers")) }
        @if let Some(problem) = problem { (Told::from(problem).panel(language)) }
        table {
            thead { tr { th { (say("name")) } th { (say("role")) } th {} } }
            tbody { @for row in &officers { (account(language, officer, row)) } }
        }
        h2 { (say("add-officer")) }
        form method="post" class="panel stack" {
            input type="hidden" name="csrf" value=(officer.csrf);
            label { (say("name")) input name="name" required maxlength="64"; }
            label { (say("role")) select name="role" {
                @for role in Role::ALL.into_iter().filter(|r| *r != Role::Trade) {
                    option value=(role) { (say(terms::role(role))) }
                }
            } }
            label { (say("password")) input name="password" type="password" required minlength="10" autocomplete="new-password"; }
            button class="primary" { (say("save")) }
        }
    };
    Ok(page(
        &Frame {
            language,
            officer: Some(officer),
            page: "officers",
            works: false,
            address: "/console/officers",
        },
        &content,
    ))
}

fn account(language: Language, officer: &SignedIn, row: &OfficerRow) -> Markup {
    let (label, next) = if row.disabled() { ("enable", false) } else { ("disable", true) };
    let role = row.role.parse().map_or_else(|_| row.role.clone(), |role| language.say(terms::role(role)));
    html! {
        tr { td { (row.name) } td { (role) } td {
            @if row.name != officer.actor.name {
                form method="post" {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    input type="hidden" name="name" value=(row.name);
                    input type="hidden" name="disabled" value=(next);
                    button { (language.say(label)) }
                }
            }
        } }
    }
}

pub(super) async fn save(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Form(form): Form<AccountForm>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::ManageOfficers, Some(&form.csrf))?;
    if let Err(problem) = change(&state, &officer, &form).await? {
        return Ok(accounts_page(&state, &officer, language, Some(problem)).await?.into_response());
    }
    Ok(Redirect::to("/console/officers").into_response())
}

/// The inner error is for the admin to read.
async fn change(
    state: &AppState,
    officer: &SignedIn,
    form: &AccountForm,
) -> Result<Result<(), Notice>, Refusal> {
    let Ok(name) = form.name.parse::<OfficerId>() else { return Ok(Err(Notice::AccountName)) };
    let noted = if let Some(disabled) = form.disabled {
        state.store.disable_officer(name.as_str(), disabled).await?;
        if disabled { Noted::DisableOfficer } else { Noted::EnableOfficer }
    } else {
        let Ok(role) = form.role.parse::<Role>() else { return Ok(Err(Notice::AccountRole)) };
        let hash = match hash_password(&form.password) {
            Ok(hash) => hash,
            Err(PasswordError::Length) => return Ok(Err(Notice::AccountPassword)),
            Err(error @ PasswordError::Hash(_)) => return Err(Refusal::Failed(error.to_string())),
        };
        state.store.put_officer(name.as_str(), role.name(), &hash).await?;
        Noted::PutOfficer
    };
    state.store.audit(state.clock.now(), &officer.actor.name, &noted, name.as_str()).await?;
    Ok(Ok(()))
}
