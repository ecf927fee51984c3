//! A company's vehicles.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::consignments::Done;
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use crate::state::AppState;
use crate::trade::{Faulty, Vehicle};
use crate::words::Language;

/// The fields of a vehicle.
pub(super) fn vehicle_fields(form: Form<'_>) -> Markup {
    html! {
        (form.input("/mark", "item-mark", Some("item-mark-hint"), Shape::code(10)))
        (form.input("/mainland_mark", "item-mainland-mark", Some("item-mainland-mark-hint"), Shape::code(10)))
        (form.area("/trailers", "item-trailers", Some("item-trailers-hint"), 2))
    }
}

/// The vehicle of these fields.
pub(super) fn read_vehicle(fields: &Fields) -> Result<Vehicle, Vec<Faulty>> {
    let trailers: Vec<String> = lines_of(fields.get("/trailers")).collect();
    Vehicle::parse(fields.get("/mark"), Some(fields.get("/mainland_mark")), &trailers)
}

/// What stands in a field of several lines: people separate by lines or commas.
pub(super) fn lines_of(text: &str) -> impl Iterator<Item = String> {
    text.split(['\n', ',', ';', '，', '、']).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// The fields filled in with a vehicle.
pub(super) fn fill(fields: &mut Fields, vehicle: &Vehicle) {
    let trailers: Vec<_> = vehicle.trailers.iter().map(ToString::to_string).collect();
    fields.set("/mark", vehicle.mark.to_string());
    fields.set("/mainland_mark", vehicle.mainland_mark.as_ref().map(ToString::to_string).unwrap_or_default());
    fields.set("/trailers", trailers.join("\n"));
}

/// Which vehicle is to be changed.
#[derive(Deserialize)]
pub(super) struct Which {
    mark: Option<String>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(which): Query<Which>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let vehicles = state.store.vehicles(&person.caller.trader).await?;
    let mut fields = Fields::default();
    if let Some(vehicle) = vehicles.iter().find(|v| Some(v.mark.as_str()) == which.mark.as_deref()) {
        fill(&mut fields, vehicle);
    }
    Ok(vehicles_page(language, &person, &vehicles, &fields, &[], &was.tell(language)))
}

fn vehicles_page(
    language: Language,
    person: &SignedIn,
    vehicles: &[Vehicle],
    fields: &Fields,
    faults: &[Faulty],
    was: &Markup,
) -> Markup {
    let say = |key| language.say(key);
    let form = Form { language, fields, faults };
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            (was)
            h1 class="govuk-heading-l" { (say("chapter-vehicles")) }
            @if vehicles.is_empty() { p class="govuk-body" { (say("vehicles-none")) } }
            @for vehicle in vehicles { (row(language, person, vehicle)) }
            h2 class="govuk-heading-m" { (say("vehicle-save-title")) }
            form method="post" action="/trade/vehicles" novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                (vehicle_fields(form))
                (button(&say("vehicle-save")))
            }
        } }
    };
    let title = form.title(&say("chapter-vehicles"));
    page(&Frame { language, person: Some(person), title, address: "/trade/vehicles", back: None }, &content)
}

fn row(language: Language, person: &SignedIn, vehicle: &Vehicle) -> Markup {
    let mark = vehicle.mark.as_str();
    let others = vehicle.mainland_mark.iter().chain(&vehicle.trailers);
    let others: Vec<_> = others.map(clearance::mark::RegistrationMark::spaced).collect();
    html! {
        div class="portal-row" {
            div {
                strong class="portal-mono" { (vehicle.mark.spaced()) }
                div class="govuk-hint" { (others.join(" · ")) }
            }
            div class="portal-actions" {
                a class="govuk-link" href={ "/trade/movements/new?mark=" (mark) } {
                    (language.say("bundle-title")) span class="govuk-visually-hidden" { " " (mark) }
                }
                a class="govuk-link" href={ "/trade/vehicles?mark=" (mark) } {
                    (language.say("change")) span class="govuk-visually-hidden" { " " (mark) }
                }
                form method="post" action="/trade/vehicles/remove" {
                    input type="hidden" name="csrf" value=(person.csrf);
                    input type="hidden" name="mark" value=(mark);
                    button class="portal-button-link" {
                        (language.say("remove")) span class="govuk-visually-hidden" { " " (mark) }
                    }
                }
            }
        }
    }
}

pub(super) async fn save(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let (trader, who) = (&person.caller.trader, &person.caller.who);
    match read_vehicle(&fields) {
        Ok(vehicle) => {
            state.store.put_vehicle(trader, &vehicle, who, state.clock.now()).await?;
            Ok(Redirect::to("/trade/vehicles?done=saved").into_response())
        }
        Err(faults) => {
            let vehicles = state.store.vehicles(trader).await?;
            let page = vehicles_page(language, &person, &vehicles, &fields, &faults, &html! {});
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

pub(super) async fn remove(State(state): State<AppState>, posted: Posted) -> Result<Redirect, Refusal> {
    let Posted { person, fields } = posted;
    let (trader, who) = (&person.caller.trader, &person.caller.who);
    if !state.store.remove_vehicle(trader, fields.get("mark"), who, state.clock.now()).await? {
        return Err(Refusal::NotFound);
    }
    Ok(Redirect::to("/trade/vehicles?done=removed"))
}
