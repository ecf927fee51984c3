//! Reporting how a seal is.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use super::terms;
use crate::ccrn::Ccrn;
use crate::state::AppState;
use crate::trade::news::SealState;
use crate::trade::{Fault, Faulty};
use crate::words::Language;

/// As many characters as a seal's number has at most.
const MOST: usize = 64;

fn form_page(language: Language, person: &SignedIn, ccrn: &Ccrn, form: Form<'_>) -> Markup {
    let say = |key| language.say(key);
    let states = [SealState::Intact, SealState::Broken, SealState::Missing]
        .map(|state| (state.name().to_owned(), say(terms::seal(state)), None));
    let address = format!("/trade/seals/{}", ccrn.as_str());
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (say("seal-report")) }
            p class="govuk-body" { (say("ccrn")) " " span class="portal-mono" { (terms::spaced(ccrn.as_str())) } }
            p class="govuk-body" { (say("seal-what")) }
            form method="post" action=(address) novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                (form.input("/seal", "item-seal", None, Shape::code(20)))
                (form.radios("/state", "item-seal-state", &states))
                (button(&say("seal-send")))
            }
        } }
    };
    let title = form.title(&say("seal-report"));
    let frame =
        Frame { language, person: Some(person), title, address: &address, back: Some("/trade/movements") };
    page(&frame, &content)
}

pub(super) async fn form(
    language: Language,
    person: SignedIn,
    Path(ccrn): Path<String>,
) -> Result<Markup, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let fields = Fields::default();
    Ok(form_page(language, &person, &ccrn, Form { language, fields: &fields, faults: &[] }))
}

pub(super) async fn report(
    State(state): State<AppState>,
    language: Language,
    Path(ccrn): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let mut faults = Vec::new();
    let seal = fields.get("/seal");
    if seal.is_empty() {
        faults.push(Faulty::at("/seal", Fault::Required));
    } else if seal.chars().count() > MOST {
        faults.push(Faulty::at("/seal", Fault::TooLong { most: MOST }));
    }
    let how = SealState::of_name(fields.get("/state"));
    if how.is_none() {
        faults.push(Faulty::at("/state", Fault::Required));
    }
    let (Some(how), true) = (how, faults.is_empty()) else {
        let page = form_page(language, &person, &ccrn, Form { language, fields: &fields, faults: &faults });
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    state.operations.report_own_seal(&person.caller, &ccrn, seal, how).await?;
    Ok(Redirect::to("/trade/movements?done=sealed").into_response())
}
