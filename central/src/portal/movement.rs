//! Changing a crossing, in one step each: another vehicle, another time or place, other consignments.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::{MovementId, UtcMillis};
use maud::{Markup, html};

use super::bundle::{load_choices, read_ccrns, read_load, read_when, when_fields};
use super::date::typed;
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, button, inset};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, id_of};
use super::terms;
use super::vehicles::{read_vehicle, vehicle_fields};
use crate::ccrn::Ccrn;
use crate::operations::relation;
use crate::state::AppState;
use crate::storage::trade::{Carrying, Refused, Revision};
use crate::trade::policy::{Act, trade_may};
use crate::trade::{Faulty, Load, Vehicle};
use crate::words::Language;

/// What is changed.
#[derive(Clone, Copy)]
enum Part {
    Vehicle,
    Time,
    Load,
}

impl Part {
    /// Its address, the key of its title, and that of what was done.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Vehicle => ("vehicle", "swap-title", "swapped"),
            Self::Time => ("time", "time-title", "moved"),
            Self::Load => ("consignments", "load-title", "reloaded"),
        }
    }
}

/// What a form needs to be shown.
struct Changing {
    carrying: Carrying,
    vehicles: Vec<Vehicle>,
}

async fn changing(state: &AppState, person: &SignedIn, id: &str) -> Result<Changing, Refusal> {
    let carrying = state.operations.movement(&person.caller, id_of(id)?).await?;
    if !trade_may(Act::ReviseMovement, relation(&carrying, &person.caller.trader)) {
        return Err(Refusal::NotFound);
    }
    Ok(Changing { carrying, vehicles: state.store.vehicles(&person.caller.trader).await? })
}

fn form_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    part: Part,
    changing: &Changing,
    form: Form<'_>,
) -> Markup {
    let (name, title, _) = part.words();
    let back = format!("/trade/movements/{}", changing.carrying.movement.id);
    let address = format!("{back}/{name}");
    let fields = match part {
        Part::Vehicle => vehicle(language, &changing.vehicles, form),
        Part::Time => when_fields(state, form),
        Part::Load => load(state, language, &changing.carrying, form),
    };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (language.say(title)) }
            (inset(&html! { (language.say("change-reassessed")) }))
            form method="post" action=(address) novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="version" value=(changing.carrying.movement.version());
                (fields)
                (button(&language.say("change-save")))
            }
        } }
    };
    let title = form.title(&language.say(title));
    page(&Frame { language, person: Some(person), title, address: &address, back: Some(&back) }, &content)
}

fn vehicle(language: Language, vehicles: &[Vehicle], form: Form<'_>) -> Markup {
    let own: Vec<_> = vehicles.iter().map(|v| (v.mark.to_string(), v.mark.spaced())).collect();
    html! {
        @if !own.is_empty() { (form.select("/vehicle", "item-vehicle", None, &language.say("other-vehicle"), &own)) }
        details class="govuk-details" open[form.fields.get("/vehicle").is_empty()] {
            summary class="govuk-details__summary" {
                span class="govuk-details__summary-text" { (language.say("other-vehicle")) }
            }
            div class="govuk-details__text" { (vehicle_fields(form)) }
        }
    }
}

fn load(state: &AppState, language: Language, carrying: &Carrying, form: Form<'_>) -> Markup {
    let carried: Vec<_> = carrying
        .consignments
        .iter()
        .map(|row| {
            let ccrn = row.ccrn.as_str();
            (
                ccrn.to_owned(),
                terms::spaced(ccrn),
                Some(row.consignment.description.chars().take(80).collect()),
            )
        })
        .collect();
    html! {
        (form.radios("/load", "item-load-question", &load_choices(state, language)))
        @if !carried.is_empty() { (form.checkboxes("/remove", "item-remove", &carried)) }
        (form.area("/add", "item-add", Some("item-ccrns-hint"), 3))
    }
}

fn present(state: &AppState, part: Part, carrying: &Carrying) -> Fields {
    let mut fields = Fields::default();
    let row = &carrying.movement;
    match part {
        Part::Vehicle => {}
        Part::Time => {
            let (day, time) = typed(state.operations.place(), UtcMillis(row.expected_arrival));
            fields.set("/expected_arrival", day);
            fields.set("/time", time);
            fields.set("/site", row.site.clone());
        }
        Part::Load => fields.set(
            "/load",
            match row.load() {
                Load::Consignments => "consignments".to_owned(),
                Load::Empty => "empty".to_owned(),
                Load::Exempt(code) => code,
            },
        ),
    }
    fields
}

async fn show(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    id: &str,
    part: Part,
) -> Result<Markup, Refusal> {
    let changing = changing(state, person, id).await?;
    let fields = present(state, part, &changing.carrying);
    let form = Form { language, fields: &fields, faults: &[] };
    Ok(form_page(state, language, person, part, &changing, form))
}

pub(super) async fn vehicle_form(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    show(&state, language, &person, &id, Part::Vehicle).await
}

pub(super) async fn time_form(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    show(&state, language, &person, &id, Part::Time).await
}

pub(super) async fn load_form(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    show(&state, language, &person, &id, Part::Load).await
}

/// What a form asks to be different.
fn read(state: &AppState, fields: &Fields, part: Part, changing: &Changing) -> Result<Revision, Vec<Faulty>> {
    let mut revision = Revision::default();
    match part {
        Part::Vehicle => {
            let chosen =
                changing.vehicles.iter().find(|v| v.mark.as_str() == fields.get("/vehicle")).cloned();
            revision.vehicle = Some(chosen.map_or_else(|| read_vehicle(fields), Ok)?);
        }
        Part::Time => {
            revision.expected_arrival = Some(read_when(state, fields).map_err(|wrong| vec![wrong])?);
            let site = fields.filled("/site").map(|id| id.parse()).transpose();
            revision.site = Some(site.map_err(|_| vec![Faulty::at("/site", crate::trade::Fault::Site)])?);
        }
        Part::Load => {
            let load = read_load(fields).map_err(|wrong| vec![wrong])?;
            revision.load = Some(load).filter(|load| *load != changing.carrying.movement.load());
            revision.add = read_ccrns(fields, "/add")?;
            revision.remove =
                fields.all("/remove").iter().filter_map(|text| text.parse::<Ccrn>().ok()).collect();
        }
    }
    Ok(revision)
}

async fn save(
    state: &AppState,
    language: Language,
    posted: &Posted,
    id: &str,
    part: Part,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let changing = changing(state, person, id).await?;
    let again = |faults: &[Faulty]| {
        let form = Form { language, fields, faults };
        let page = form_page(state, language, person, part, &changing, form);
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    let revision = match read(state, fields, part, &changing) {
        Ok(revision) => revision,
        Err(faults) => return Ok(again(&faults)),
    };
    let seen = fields.get("version").parse().map_err(|_| Refusal::NoForm)?;
    let movement: MovementId = id.parse().map_err(|_| Refusal::NotFound)?;
    match state.operations.revise(&person.caller, &movement, revision, Some(seen)).await {
        Ok(_) => {
            let (_, _, done) = part.words();
            Ok(Redirect::to(&format!("/trade/movements/{id}?done={done}")).into_response())
        }
        Err(Refused::Faults(faults)) => Ok(again(&faults)),
        Err(refused) => Err(refused.into()),
    }
}

pub(super) async fn swap(
    State(state): State<AppState>,
    language: Language,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    save(&state, language, &posted, &id, Part::Vehicle).await
}

pub(super) async fn reschedule(
    State(state): State<AppState>,
    language: Language,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    save(&state, language, &posted, &id, Part::Time).await
}

pub(super) async fn reload(
    State(state): State<AppState>,
    language: Language,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    save(&state, language, &posted, &id, Part::Load).await
}
