//! One page for a movement: everything an officer needs to give it a code, and the form that does.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::clock::{clock, moment};
use super::decision::{DecisionState, LONGEST_TEXT};
use super::engine::{self, Said};
use super::form::Draft;
use super::listed::{self, Listed};
use super::told::{Told, problems};
use super::{cargo, histories, route, similar, terms};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::console::terms::action;
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::trade::Refused;
use crate::storage::workbench::{Awaited, DecisionRow, InspectionRow};
use crate::trade::movement::Inspection;
use crate::trade::policy::Act;
use crate::words::Language;

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Query(told): Query<Told>,
) -> Result<Response, Refusal> {
    movement_page(&state, &officer, language, &id, &Shown { told, ..Shown::default() }).await
}

/// What the page shows beside the movement.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) told: Told,
    pub(super) problems: Vec<String>,
    pub(super) draft: Draft,
}

pub(super) async fn movement_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    id: &str,
    shown: &Shown,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    officer.allow_act(Act::SeeReasons, None)?;
    // Every look at what customs thinks of a movement leaves a line.
    match state.operations.look_at_risk(officer.actor.role, &officer.actor.name, id).await {
        Ok(_) => {}
        Err(Refused::NotFound(_)) => return Err(Refusal::NotFound),
        Err(error) => return Err(Refusal::Failed(error.to_string())),
    }
    let now = state.clock.now();
    let awaited = state.store.awaited_one(id, now).await?.ok_or(Refusal::NotFound)?;
    let said = engine::latest(state, std::slice::from_ref(&awaited.carrying.movement.id)).await?.remove(id);
    let listed = match &said {
        Some(said) => listed::look_up(state, said).await?,
        None => Listed::new(),
    };
    let parties = histories::parties(state, &awaited).await?;
    let passages = histories::passages(state, &awaited).await?;
    let cases = similar::cases(state, &awaited).await?;
    let inspections = state.store.inspections(id).await?;
    let sites: Vec<String> = state.operations.sites().iter().map(ToString::to_string).collect();
    let say = |key: &str| language.say(key);
    let content = html! {
        p { a href="/console/workbench" { "‹ " (say("wb-title")) } }
        (shown.told.panel(language))
        (problems(language, &shown.problems))
        (heading(state, language, &awaited, now))
        div class="bench" {
            div class="facts" {
                section class="panel" { h2 { (say("wb-declaration")) }
                    (trailers(language, &awaited))
                    @if awaited.carrying.consignments.is_empty() { p { (cargo::summary(language, &awaited.carrying)) } }
                    (cargo::declaration(language, &awaited.carrying.consignments)) }
                section class="panel" { h2 { (say("wb-parties")) } (histories::table(language, &parties, now)) }
                section class="panel" { h2 { (say("wb-similar")) } (similar::table(language, &cases, now)) }
                section class="panel" { h2 { (say("wb-passages")) } (histories::passages_table(language, &passages, now)) }
                section class="panel" { h2 { (say("wb-route")) } (route::map(language, &sites, &awaited, &passages)) }
            }
            div class="deciding" {
                section class="panel" { h2 { (say("wb-reasons")) } (reasons(language, said.as_ref(), &listed)) }
                (decision(state, officer, language, &awaited, shown, now))
                section class="panel" { h2 { (say("wb-decisions")) } (decisions(language, &awaited.decisions, now))
                    (outcomes(language, &inspections, now)) }
            }
        }
        p class="soft" { (say("wb-keys-movement")) }
    };
    let address = format!("/console/workbench/movements/{id}");
    let frame = Frame { language, officer: Some(officer), page: "workbench", works: true, address: &address };
    Ok(page(&frame, &content).into_response())
}

fn heading(state: &AppState, language: Language, awaited: &Awaited, now: UtcMillis) -> Markup {
    let movement = &awaited.carrying.movement;
    let status = awaited.carrying.status(state.operations.place(), now);
    html! {
        div class="row head" {
            h1 { span class="mark" { (movement.spaced_mark()) }
                @if let Some(mainland) = &movement.mainland_mark { " " span class="mark soft" { (mainland) } } }
            @match movement.given() {
                Some(code) => { span class=(terms::lamp(code)) { (language.say(action(code))) } }
                None => { span class="code" { (language.say("wb-not-assessed")) } }
            }
            span { (terms::status(language, status)) }
            span { (language.say("wb-arrives-in")) " " (clock(movement.expected_arrival, now)) " (" (moment(movement.expected_arrival, now)) ")" }
            span { (cargo::direction(language, &movement.direction)) " · " @if movement.site.is_empty() { (language.say("wb-any-site")) } @else { (movement.site) } }
        }
    }
}

fn trailers(language: Language, awaited: &Awaited) -> Markup {
    let trailers = awaited.carrying.movement.vehicle().map(|vehicle| vehicle.trailers).unwrap_or_default();
    html! {
        @if !trailers.is_empty() {
            p { (language.say("wb-trailers")) ": " @for trailer in &trailers { span class="inline-mark" { (trailer.spaced()) } " " } }
        }
    }
}

fn reasons(language: Language, said: Option<&Said>, listed: &Listed) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @match said {
            None => { p class="soft" { (say("wb-no-engine")) } }
            Some(said) => {
                p {
                    @match said.code {
                        Some(code) => { (say("wb-proposes")) " " span class=(terms::lamp(code)) { (say(action(code))) } }
                        None => { strong class="warn" { (say("wb-proposes-nothing")) } }
                    }
                    @if let Some(score) = said.score { " " (language.say_with("wb-likely", &[("number", &format!("{:.0}", score * 100.0))])) } }
                ol class="reasons" {
                    @for why in said.because(language, listed) {
                        li { (why.what) " " span class="soft" { (say(action(why.code))) }
                            @if !why.details.is_empty() { ul class="details soft" { @for detail in &why.details { li { (detail) } } } }
                        }
                    }
                }
                @if !said.contributions().is_empty() {
                    p class="soft" {
                        @match said.scored() {
                            Some(ccrn) => { (language.say_with("wb-moved-of", &[("known", ccrn)])) }
                            None => { (say("wb-moved")) }
                        }
                    }
                    ul class="reasons" {
                        @for contribution in said.contributions() {
                            @if let Some(ground) = engine::ground(language, contribution) {
                                li { (ground) " " span class="soft" { (format!("{:+.2}", contribution.weight.as_f64())) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What can be done now: decide, look second, or nothing and why.
fn decision(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    awaited: &Awaited,
    shown: &Shown,
    now: UtcMillis,
) -> Markup {
    let say = |key: &str| language.say(key);
    let movement = &awaited.carrying.movement;
    let me = officer.actor.name.as_str();
    let waiting = awaited.decisions.last().filter(|last| last.state == DecisionState::Waiting);
    let closed = movement.signalled().is_some() || movement.is_over();
    let declared = awaited.carrying.readiness(state.operations.place(), now).declared;
    let taken_by = awaited.claim.as_ref().map(|claim| claim.officer.as_str());
    let address = format!("/console/workbench/movements/{}", movement.id);
    html! {
        @if let Some(waiting) = waiting { (second(officer, language, waiting)) }
        section class="panel" id="decide" {
            h2 { (say("wb-decide")) }
            @if closed { p { (say("wb-closed")) } }
            @else if !declared { p class="warn" { (say("wb-problem-not-declared")) } }
            @else {
                form method="post" action={ (address) (if taken_by == Some(me) { "/let-go" } else { "/take" }) } class="row" {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    @match taken_by {
                        Some(by) if by == me => { strong { (say("wb-taken-by-me")) } button { (say("wb-let-go")) } }
                        Some(by) => {
                            span class="warn" { (language.say_with("wb-problem-taken-by", &[("whom", by)])) }
                            @if officer.actor.role.may(Deed::LeadShift) { button name="over" value="yes" { (say("wb-take-over")) } }
                        }
                        None => { button id="take" { (say("wb-take")) " " kbd { "T" } } }
                    }
                }
                form method="post" action={ (address) "/decide" } {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    input type="hidden" name="seen" value=(awaited.stamp());
                    (shown.draft.fields(language, false))
                    div class="row" { button class="primary" { (say("wb-give")) } span class="soft" { (say("wb-downgrade-note")) } }
                }
            }
        }
    }
}

/// The second pair of eyes.
fn second(officer: &SignedIn, language: Language, waiting: &DecisionRow) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        section class="panel second" {
            h2 { (say("wb-second")) }
            p { strong { (waiting.by) } " " (say("wb-asks-for")) " " span class=(terms::lamp(waiting.code)) { (say(action(waiting.code))) }
                @if let Some(held) = waiting.held { " · " (say("wb-until-then")) " " span class=(terms::lamp(held)) { (say(action(held))) } } }
            blockquote { (waiting.reason) }
            @if waiting.by == officer.actor.name { p class="soft" { (say("wb-waits-for-another")) } }
            @else {
                form method="post" action={ "/console/workbench/decisions/" (waiting.id) "/second" } class="decision" {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    label { (say("wb-second-note")) textarea name="note" rows="2" maxlength=(LONGEST_TEXT) {} }
                    div class="row" {
                        button class="release" name="agrees" value="yes" { (say("wb-agree")) }
                        button name="agrees" value="no" { (say("wb-disagree")) }
                    }
                }
            }
        }
    }
}

/// Everything that was decided, the latest first.
fn decisions(language: Language, rows: &[DecisionRow], now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @if rows.is_empty() { p class="soft" { (say("wb-no-decisions")) } }
        ol class="decisions" {
            @for row in rows.iter().rev() {
                li {
                    span class=(terms::lamp(row.code)) { (say(action(row.code))) } " " (say(terms::state(row.state)))
                    div class="soft" { (moment(row.at, now)) " · " (row.by) " · " (say(terms::basis(row.basis))) }
                    div { (row.reason) }
                    @if !row.instructions.is_empty() { div { em { (say("wb-instructions")) ": " (row.instructions) } } }
                    @if let (Some(by), Some(at)) = (&row.second_by, row.second_at) {
                        div class="soft" { (say("wb-second")) ": " (by) " · " (moment(at, now)) @if let Some(note) = row.second_note.as_ref().filter(|n| !n.is_empty()) { " · " (note) } }
                    }
                }
            }
        }
    }
}

/// What inspections gave.
fn outcomes(language: Language, rows: &[InspectionRow], now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @if !rows.is_empty() {
            h3 { (say("wb-inspections")) }
            ol class="decisions" {
                @for row in rows.iter().rev() {
                    li {
                        strong class=(if row.result == Inspection::Found { "stop" } else { "go" }) { (say(terms::inspection(row.result))) }
                        div class="soft" { (moment(row.at, now)) " · " (row.by) }
                        @for category in &row.categories { div { (say(&format!("bay-category-{category}"))) } }
                        @if !row.quantity.is_empty() { div { (row.quantity) } }
                        @if !row.note.is_empty() { div { (row.note) } }
                    }
                }
            }
        }
    }
}

/// Back to a movement's page, to be told there.
pub(super) fn back(id: &str, news: super::told::News) -> Response {
    Redirect::to(&Told::address(&format!("/console/workbench/movements/{id}"), news, None)).into_response()
}
