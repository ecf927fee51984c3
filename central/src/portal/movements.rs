//! A company's crossings: the list, one of them with what it lacks and from whom, taking one back.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::{MovementId, UtcMillis};
use maud::{Markup, html};

use super::bundle::site_name;
use super::consignments::{A_PAGE, Done, Wanted, confirm_page, history, search};
use super::date::moment;
use super::frame::{Frame, page};
use super::parts::{Line, lines, link_button, list as summary, older};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, id_of};
use super::terms;
use crate::operations::relation;
use crate::state::AppState;
use crate::storage::trade::{Carrying, Find, MovementRow};
use crate::trade::policy::{Act, trade_may};
use crate::trade::readiness::Need;
use crate::trade::{Load, MovementStatus};
use crate::words::Language;

/// A crossing in a list.
async fn line(state: &AppState, language: Language, row: MovementRow) -> Result<Line, Refusal> {
    let (place, now) = (state.operations.place(), state.clock.now());
    let carrying = state.store.with_load(row, now).await?;
    let (row, at) = (&carrying.movement, carrying.status(place, now));
    let mark = row.vehicle()?.mark;
    let site = if row.site.is_empty() { language.say("any-site") } else { site_name(&row.site) };
    Ok(Line {
        to: Some(format!("/trade/movements/{}", row.id)),
        name: html! { span class="portal-mono" { (mark.spaced()) } },
        hint: Some(html! { (moment(language, place, UtcMillis(row.expected_arrival))) " · " (site) }),
        status: terms::status_tag(language, at),
    })
}

/// The crossings that are still to come or under way, of the latest.
pub(super) async fn under_way(
    state: &AppState,
    language: Language,
    person: &SignedIn,
) -> Result<Vec<Line>, Refusal> {
    let find = Find { most: 20, ..Find::default() };
    let mut shown = Vec::new();
    for row in state.operations.movements(&person.caller, &find).await? {
        if !row.is_over() {
            shown.push(line(state, language, row).await?);
        }
    }
    Ok(shown)
}

pub(super) async fn list(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(wanted): Query<Wanted>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let mut rows = state.operations.movements(&person.caller, &wanted.find()).await?;
    let more = rows.len() > A_PAGE as usize;
    rows.truncate(A_PAGE as usize);
    let last = rows.last().filter(|_| more);
    let next = last.map(|row| wanted.older("/trade/movements", &(row.expected_arrival, row.id.clone())));
    let mut shown = Vec::new();
    for row in rows {
        shown.push(line(&state, language, row).await?);
    }
    let content = html! {
        (was.tell(language))
        h1 class="govuk-heading-l" { (language.say("chapter-movements")) }
        div class="govuk-button-group" { (link_button("/trade/movements/new", &language.say("bundle-title"), false)) }
        (search(language, "/trade/movements", &wanted.q, "search-movements-hint"))
        @if shown.is_empty() { p class="govuk-body" { (language.say("nothing-found")) } }
        (lines(&shown))
        (older(language, next))
    };
    let title = language.say("chapter-movements");
    Ok(page(
        &Frame { language, person: Some(&person), title, address: "/trade/movements", back: None },
        &content,
    ))
}

pub(super) async fn one(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let carrying = state.operations.movement(&person.caller, id_of(&id)?).await?;
    let events = state.store.history(&person.caller.trader, &carrying.movement.id).await?;
    let mark = carrying.movement.vehicle()?.mark;
    let address = format!("/trade/movements/{}", carrying.movement.id);
    let content = html! {
        (was.tell(language))
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            h1 class="govuk-heading-l portal-mono" { (mark.spaced()) }
            (standing(&state, language, &carrying))
            (details(&state, language, &person, &carrying)?)
            h2 class="govuk-heading-m" { (language.say("past")) }
            (history(language, &state, &events))
        } }
    };
    let title = language.say_with("movement-title", &[("mark", &mark.spaced())]);
    let frame =
        Frame { language, person: Some(&person), title, address: &address, back: Some("/trade/movements") };
    Ok(page(&frame, &content))
}

/// Where it stands, where to report, from when it may cross, and what is missing from whom.
fn standing(state: &AppState, language: Language, carrying: &Carrying) -> Markup {
    let (place, now) = (state.operations.place(), state.clock.now());
    let at = carrying.status(place, now);
    let readiness = carrying.readiness(place, now);
    let report = carrying.movement.signalled().map(crate::trade::movement::Signalled::report);
    html! {
        p class="portal-status" { (terms::status_tag(language, at)) }
        @if let Some(report) = report.filter(|_| !matches!(at, MovementStatus::Departed | MovementStatus::Cancelled)) {
            p class="govuk-heading-m" { (language.say(terms::report(report))) }
        }
        @if at.is_open() {
            p class="govuk-body-l" {
                (language.say_with("earliest", &[("at", &moment(language, place, readiness.earliest))]))
            }
            h2 class="govuk-heading-m" { (language.say("readiness")) }
            @if readiness.ready { p class="govuk-body" { (language.say("readiness-all")) } }
            (lines(&needs(state, language, &readiness.tree)))
        }
    }
}

/// The tree, a line each; what is made up of others follows with them.
fn needs(state: &AppState, language: Language, tree: &Need) -> Vec<Line> {
    let place = state.operations.place();
    let mut shown = Vec::new();
    for need in &tree.of {
        shown.push(Line {
            to: None,
            name: html! { (terms::requirement(language, &need.requirement)) },
            hint: None,
            status: terms::standing(language, place, need),
        });
        shown.extend(needs(state, language, need));
    }
    shown
}

fn details(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    carrying: &Carrying,
) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let row = &carrying.movement;
    let place = state.operations.place();
    let address = format!("/trade/movements/{}", row.id);
    let relation = relation(carrying, &person.caller.trader);
    let open =
        carrying.status(place, state.clock.now()).is_open() && trade_may(Act::ReviseMovement, relation);
    let vehicle = row.vehicle()?;
    let marks: Vec<_> = [Some(&vehicle.mark), vehicle.mainland_mark.as_ref()]
        .into_iter()
        .flatten()
        .chain(&vehicle.trailers)
        .collect();
    let change = |part: &str, words: &str| {
        html! { @if open { " " a class="govuk-link portal-change" href={ (address) "/" (part) } { (say(words)) } } }
    };
    let site = if row.site.is_empty() { say("any-site") } else { site_name(&row.site) };
    let rows = vec![
        (
            say("vehicle"),
            html! {
                @for (i, mark) in marks.iter().enumerate() { @if i > 0 { " · " } span class="portal-mono" { (mark.spaced()) } }
                (change("vehicle", "swap-title"))
            },
        ),
        (
            say("crossing"),
            html! {
                (moment(language, place, UtcMillis(row.expected_arrival))) ", " (site) (change("time", "time-title"))
            },
        ),
        (
            say("item-load"),
            html! { (load(state, language, carrying)) (change("consignments", "load-title")) },
        ),
    ];
    Ok(html! {
        h2 class="govuk-heading-m" { (say("crossing")) }
        (summary(&rows))
        @if open { p class="govuk-body" { a class="govuk-link" href={ (address) "/cancel" } { (say("cancel-movement")) } } }
    })
}

/// What it carries. Packages and their description are for its carrier and its shippers.
fn load(state: &AppState, language: Language, carrying: &Carrying) -> Markup {
    let say = |key| language.say(key);
    match carrying.movement.load() {
        Load::Empty => html! { (say("load-empty")) },
        Load::Exempt(code) => html! {
            (super::bundle::load_choices(state, language).into_iter().find(|(c, ..)| *c == code).map_or(code, |(_, words, _)| words))
        },
        Load::Consignments => html! {
            ul class="govuk-list" { @for row in &carrying.consignments {
                li {
                    span class="portal-mono" { (terms::spaced(row.ccrn.as_str())) }
                    @if row.cancelled { " " (super::parts::tag(&say("status-cancelled"), "red")) }
                    br;
                    (row.consignment.packages) " " (row.consignment.package_kind) ", " (row.consignment.description)
                    br;
                    a class="govuk-link" href={ "/trade/seals/" (row.ccrn.as_str()) } { (say("seal-report")) }
                }
            } }
        },
    }
}

pub(super) async fn confirm(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    let carrying = state.operations.movement(&person.caller, id_of(&id)?).await?;
    let back = format!("/trade/movements/{}", carrying.movement.id);
    let mark = carrying.movement.vehicle()?.mark.spaced();
    let title = language.say_with("cancel-movement-title", &[("mark", &mark)]);
    let what = language.say("cancel-movement-what");
    let version = carrying.movement.version();
    Ok(confirm_page(language, &person, (&format!("{back}/cancel"), &back), (&title, &what), version))
}

pub(super) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let id: MovementId = id.parse().map_err(|_| Refusal::NotFound)?;
    let seen = posted.fields.get("version").parse().map_err(|_| Refusal::NoForm)?;
    state.operations.cancel_movement(&posted.person.caller, &id, Some(seen)).await?;
    Ok(Redirect::to(&format!("/trade/movements/{}?done=cancelled", id.as_str())).into_response())
}
