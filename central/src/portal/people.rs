//! A company's people: whoever is signed in invites and locks out colleagues.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button, done, tag};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use crate::people::{self, Login};
use crate::state::AppState;
use crate::storage::PersonRow;
use crate::trade::{Fault, Faulty};
use crate::words::Language;

pub(super) async fn people(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
) -> Result<Markup, Refusal> {
    people_page(&state, language, &person, &Fields::default(), &[], None).await
}

async fn people_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    fields: &Fields,
    faults: &[Faulty],
    link: Option<&str>,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let colleagues = state.store.people(&person.caller.trader).await?;
    let form = Form { language, fields, faults };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            @if let Some(link) = link {
                (done(language, &say("people-invited")))
                p class="govuk-body" { (say("people-link")) }
                p class="portal-code" { (link) }
            }
            h1 class="govuk-heading-l" { (say("people")) }
            @for colleague in &colleagues { (row(language, person, colleague)) }
            h2 class="govuk-heading-m" { (say("people-invite")) }
            form method="post" action="/trade/people" novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                (form.input("login", "item-login", Some("item-login-hint"), Shape { width: 20, ..Shape::default() }))
                (button(&say("people-invite")))
            }
        } }
    };
    let title = form.title(&say("people"));
    let frame = Frame {
        language,
        person: Some(person),
        title,
        address: "/trade/people",
        back: Some("/trade/account"),
    };
    Ok(page(&frame, &content))
}

fn row(language: Language, person: &SignedIn, colleague: &PersonRow) -> Markup {
    let (words, colour) = match colleague {
        row if row.disabled() => ("person-locked", "red"),
        row if row.has_joined() => ("person-active", "green"),
        _ => ("person-invited", "yellow"),
    };
    let action = if colleague.disabled() { "person-unlock" } else { "person-lock" };
    html! {
        form method="post" action="/trade/people/lock" class="portal-row" {
            input type="hidden" name="csrf" value=(person.csrf);
            input type="hidden" name="login" value=(colleague.login);
            input type="hidden" name="locked" value=(if colleague.disabled() { "no" } else { "yes" });
            div { strong { (colleague.login) } " " (tag(&language.say(words), colour)) }
            @if colleague.login != person.caller.who {
                button type="submit" class="govuk-button govuk-button--secondary" {
                    (language.say(action)) span class="govuk-visually-hidden" { " " (colleague.login) }
                }
            }
        }
    }
}

pub(super) async fn invite(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let (caller, now) = (&person.caller, state.clock.now());
    let path = match fields.get("login").parse::<Login>() {
        // Whoever has joined chooses a new password with customs' help only: no colleague takes their place.
        Ok(login) if state.store.has_joined(&login).await? => None,
        Ok(login) => {
            people::invite(&state.store, &state.vault, &login, &caller.trader, &caller.who, now).await?
        }
        Err(_) => None,
    };
    if let Some(path) = path {
        let link = format!("{}{path}", state.portal.origin);
        let page = people_page(&state, language, &person, &Fields::default(), &[], Some(&link)).await?;
        return Ok(page.into_response());
    }
    let faults = [Faulty::at("login", Fault::Unknown { known: String::new() })];
    let page = people_page(&state, language, &person, &fields, &faults, None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

pub(super) async fn lock(State(state): State<AppState>, posted: Posted) -> Result<Redirect, Refusal> {
    let Posted { person, fields } = posted;
    let login = fields.get("login").parse::<Login>().map_err(|_| Refusal::NotFound)?;
    // Nobody locks themselves out by mistake.
    if login.as_str() == person.caller.who {
        return Err(Refusal::NoForm);
    }
    let (trader, locked) = (&person.caller.trader, fields.get("locked") == "yes");
    if !state.store.disable_person(trader, &login, locked, &person.caller.who, state.clock.now()).await? {
        return Err(Refusal::NotFound);
    }
    Ok(Redirect::to("/trade/people"))
}
