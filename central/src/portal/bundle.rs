//! The form that bundles consignments with a vehicle, or declares an empty one.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::consignment::{draft_note, once};
use super::date::{choices, moment, named_day, read as read_moment};
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button, other_button};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use super::terms;
use super::vehicles::{lines_of, read_vehicle, vehicle_fields};
use crate::ccrn::Ccrn;
use crate::operations::Bundling;
use crate::state::AppState;
use crate::storage::trade::Refused;
use crate::trade::{Direction, Fault, Faulty, Load, Vehicle};
use crate::words::Language;

const ADDRESS: &str = "/trade/movements/new";

/// What a link fills in.
#[derive(Default, Deserialize)]
pub(super) struct Given {
    ccrn: Option<String>,
    mark: Option<String>,
}

/// The fields of where and when a vehicle crosses.
pub(super) fn when_fields(state: &AppState, form: Form<'_>) -> Markup {
    let say = |key| form.language.say(key);
    let place = state.operations.place();
    let now = state.clock.now();
    let sites: Vec<_> =
        state.operations.sites().iter().map(|s| (s.to_string(), site_name(s.as_str()))).collect();
    let days: Vec<_> =
        choices(place, now).into_iter().map(|day| (day.to_string(), named_day(form.language, day))).collect();
    let time = Shape { kind: Some("time"), width: 5, ..Shape::default() };
    html! {
        (form.select("/site", "item-site", Some("item-site-hint"), &say("any-site"), &sites))
        (form.select("/expected_arrival", "item-expected-arrival", None, &say("choose-day"), &days))
        (form.input("/time", "item-time", Some("item-time-hint"), time))
    }
}

/// A control point's id as a name: `lok-ma-chau` is Lok Ma Chau.
pub(super) fn site_name(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    id.split(['-', '_']).map(word).collect::<Vec<_>>().join(" ")
}

/// When a vehicle is expected, as it was typed.
pub(super) fn read_when(state: &AppState, fields: &Fields) -> Result<UtcMillis, Faulty> {
    read_moment(state.operations.place(), fields.get("/expected_arrival"), fields.get("/time"))
        .map_err(|fault| Faulty::at("/expected_arrival", fault))
}

/// The numbers in a field, a line each.
pub(super) fn read_ccrns(fields: &Fields, name: &str) -> Result<Vec<Ccrn>, Vec<Faulty>> {
    let mut faults = Vec::new();
    let mut ccrns = Vec::new();
    for (i, line) in lines_of(fields.get(name)).enumerate() {
        match line.parse() {
            Ok(ccrn) => ccrns.push(ccrn),
            Err(_) => faults.push(Faulty::at(format!("{name}/{i}"), Fault::Ccrn)),
        }
    }
    if faults.is_empty() { Ok(ccrns) } else { Err(faults) }
}

/// What a vehicle carries: consignments, nothing, or what is exempt.
pub(super) fn load_choices(state: &AppState, language: Language) -> Vec<(String, String, Option<String>)> {
    let say = |key| language.say(key);
    let exemptions = state.operations.place().exemptions(state.clock.now()).map(|e| {
        let words = match language {
            Language::English => &e.en,
            Language::Traditional => &e.zh_hant,
            Language::Simplified => &e.zh_hans,
        };
        (e.code.clone(), words.clone(), Some(say("load-exempt-hint")))
    });
    let own = [("consignments", "load-consignments"), ("empty", "load-empty")];
    own.map(|(value, words)| (value.to_owned(), say(words), None)).into_iter().chain(exemptions).collect()
}

/// What a vehicle carries, as it was chosen.
pub(super) fn read_load(fields: &Fields) -> Result<Load, Faulty> {
    match fields.get("/load") {
        "" => Err(Faulty::at("/load", Fault::Required)),
        "consignments" => Ok(Load::Consignments),
        "empty" => Ok(Load::Empty),
        code => Ok(Load::Exempt(code.to_owned())),
    }
}

fn form_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    vehicles: &[Vehicle],
    form: Form<'_>,
    kept_at: Option<i64>,
) -> Markup {
    let say = |key| language.say(key);
    let place = state.operations.place();
    let own: Vec<_> = vehicles.iter().map(|v| (v.mark.to_string(), v.mark.spaced())).collect();
    let directions = [Direction::Inbound, Direction::Outbound]
        .map(|d| (d.name().to_owned(), say(terms::direction(d)), None));
    let minutes = place.rules(state.clock.now()).cut_off_minutes.to_string();
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (say("bundle-title")) }
            p class="govuk-body" { (language.say_with("bundle-what", &[("minutes", &minutes)])) }
            @if let Some(at) = kept_at { (draft_note(language, person, ADDRESS, &moment(language, place, UtcMillis(at)))) }
            form method="post" action=(ADDRESS) novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="once" value=(once(form.fields));
                h2 class="govuk-heading-m" { (say("vehicle")) }
                @if !own.is_empty() {
                    (form.select("/vehicle", "item-vehicle", None, &say("other-vehicle"), &own))
                }
                @if own.is_empty() { (vehicle_fields(form)) }
                @else {
                    // Open where something in it is wrong, or there is no choice.
                    details class="govuk-details" open[form.fields.get("/vehicle").is_empty()] {
                        summary class="govuk-details__summary" {
                            span class="govuk-details__summary-text" { (say("other-vehicle")) }
                        }
                        div class="govuk-details__text" { (vehicle_fields(form)) }
                    }
                }
                h2 class="govuk-heading-m" { (say("item-load")) }
                (form.radios("/load", "item-load-question", &load_choices(state, language)))
                (form.area("/ccrns", "item-ccrns", Some("item-ccrns-hint"), 4))
                (form.radios("/direction", "item-empty-direction", &directions))
                h2 class="govuk-heading-m" { (say("crossing")) }
                (when_fields(state, form))
                (button(&say("bundle-send")))
                (other_button("keep", &say("keep-draft")))
            }
        } }
    };
    let title = form.title(&say("bundle-title"));
    let frame =
        Frame { language, person: Some(person), title, address: ADDRESS, back: Some("/trade/movements") };
    page(&frame, &content)
}

pub(super) async fn blank(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(given): Query<Given>,
) -> Result<Markup, Refusal> {
    let vehicles = state.store.vehicles(&person.caller.trader).await?;
    let draft = state.store.draft(&person.caller.who, ADDRESS).await?;
    let mut fields = draft.as_ref().map(|(body, _)| Fields::of_draft(body)).unwrap_or_default();
    if let Some(ccrn) = given.ccrn.as_deref().and_then(|text| text.parse::<Ccrn>().ok()) {
        let others = lines_of(fields.get("/ccrns")).filter(|line| line.parse().as_ref() != Ok(&ccrn));
        let all: Vec<_> = others.chain([ccrn.as_str().to_owned()]).collect();
        fields.set("/ccrns", all.join("\n"));
        fields.set("/load", "consignments");
    }
    let known = |mark: &str| vehicles.iter().any(|v| v.mark.as_str() == mark);
    match given.mark.as_deref() {
        Some(mark) if known(mark) => fields.set("/vehicle", mark),
        // Whoever has one truck drives it.
        _ if vehicles.len() == 1 && !fields.has("/vehicle") => {
            fields.set("/vehicle", vehicles[0].mark.to_string());
        }
        _ => {}
    }
    if !fields.has("/expected_arrival") {
        fields.set("/expected_arrival", state.operations.place().day(state.clock.now()).to_string());
    }
    let form = Form { language, fields: &fields, faults: &[] };
    Ok(form_page(&state, language, &person, &vehicles, form, draft.map(|(_, at)| at)))
}

/// What a form asks for, or everything that is wrong with it.
fn read(state: &AppState, fields: &Fields, vehicles: &[Vehicle]) -> Result<Bundling, Vec<Faulty>> {
    let mut faults = Vec::new();
    let chosen = vehicles.iter().find(|v| v.mark.as_str() == fields.get("/vehicle")).cloned();
    let vehicle = chosen.map_or_else(|| read_vehicle(fields), Ok).map_err(|wrong| faults.extend(wrong)).ok();
    let load = read_load(fields).map_err(|wrong| faults.push(wrong)).ok();
    let ccrns = match load {
        Some(Load::Consignments) => read_ccrns(fields, "/ccrns"),
        // Numbers that were typed before the truck was said to be empty: not silently left behind.
        Some(_) if !fields.get("/ccrns").is_empty() => Err(vec![Faulty::at("/load", Fault::Load)]),
        _ => Ok(Vec::new()),
    };
    let ccrns = ccrns.map_err(|wrong| faults.extend(wrong)).unwrap_or_default();
    if load == Some(Load::Consignments)
        && ccrns.is_empty()
        && !faults.iter().any(|f| f.pointer.starts_with("/ccrns"))
    {
        faults.push(Faulty::at("/ccrns", Fault::Required));
    }
    let direction = match fields.get("/direction") {
        "inbound" => Some(Direction::Inbound),
        "outbound" => Some(Direction::Outbound),
        _ => None,
    };
    let empty = load.as_ref().is_some_and(|load| *load != Load::Consignments);
    if empty && direction.is_none() {
        faults.push(Faulty::at("/direction", Fault::Required));
    }
    let site = fields.filled("/site").map(|id| id.parse()).transpose();
    let site = site.map_err(|_| faults.push(Faulty::at("/site", Fault::Site))).ok();
    let expected_arrival = read_when(state, fields).map_err(|wrong| faults.push(wrong)).ok();
    match (vehicle, load, site, expected_arrival) {
        (Some(vehicle), Some(load), Some(site), Some(expected_arrival)) if faults.is_empty() => {
            let direction = direction.filter(|_| empty);
            Ok(Bundling { vehicle, site, expected_arrival, load, direction, ccrns })
        }
        _ => Err(faults),
    }
}

pub(super) async fn bundle(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = &posted;
    let caller = &person.caller;
    if fields.has("keep") {
        state.store.keep_draft(&caller.who, ADDRESS, &fields.draft(), state.clock.now()).await?;
        return Ok(Redirect::to("/trade?done=kept").into_response());
    }
    let vehicles = state.store.vehicles(&caller.trader).await?;
    let again = |faults: &[Faulty]| {
        let form = Form { language, fields, faults };
        let page = form_page(&state, language, person, &vehicles, form, None);
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    let bundling = match read(&state, fields, &vehicles) {
        Ok(bundling) => bundling,
        Err(faults) => return Ok(again(&faults)),
    };
    match state.operations.bundle_once(caller, bundling, posted.once()).await {
        Ok(movement) => {
            state.store.drop_draft(&caller.who, ADDRESS).await?;
            Ok(Redirect::to(&format!("/trade/movements/{}?done=bundled", movement.as_str())).into_response())
        }
        Err(Refused::Faults(faults)) => Ok(again(&faults)),
        Err(refused) => Err(refused.into()),
    }
}
