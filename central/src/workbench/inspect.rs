//! An inspection at the bay: what was declared, what to look for, what was done, what was found. Nothing of why customs chose it.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::MovementId;
use maud::{Markup, html};
use serde::Deserialize;

use super::clock::moment;
use super::decision::LONGEST_TEXT;
use super::form::Fields;
use super::told::{News, Told, problems};
use super::{cargo, operate, terms};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::console::terms::action;
use crate::state::AppState;
use crate::storage::trade::{Carrying, Conflict, Refused};
use crate::storage::workbench::{Inspected, InspectionRow, Photograph};
use crate::trade::movement::{Inspection, Signalled};
use crate::trade::policy::Act;
use crate::words::Language;

/// The list of crossings that are to be audited.
const AUDITS: &str = "/console/workbench/audits";

/// What is done at an inspection.
const CHECKLIST: [&str; 7] = ["documents", "seals", "vehicle", "trailer", "packages", "scan", "goods"];

/// What may be found.
const CATEGORIES: [&str; 9] = [
    "undeclared",
    "misdescribed",
    "undervalued",
    "quantity",
    "prohibited",
    "drugs",
    "tobacco",
    "counterfeit",
    "other",
];

#[derive(Deserialize)]
pub(super) struct Asked {
    site: Option<String>,
    #[serde(flatten)]
    told: Told,
}

/// What an officer has typed so far.
#[derive(Default)]
pub(super) struct Typed {
    told: Told,
    pub(super) problems: Vec<String>,
    pub(super) site: String,
    id: String,
    result: Option<Inspection>,
    checklist: Vec<&'static str>,
    categories: Vec<&'static str>,
    quantity: String,
    note: String,
}

impl Typed {
    /// Nothing typed yet, by somebody of a control point.
    pub(super) fn at(site: Option<String>) -> Self {
        Self { site: site.unwrap_or_default(), ..Self::default() }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let typed = Typed { told: asked.told, ..Typed::at(asked.site) };
    inspection_page(&state, &officer, language, &id, typed).await
}

pub(super) async fn inspection_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    id: &str,
    mut typed: Typed,
) -> Result<Response, Refusal> {
    officer.allow_act(Act::Inspect, None)?;
    let carrying = match state.operations.look_at_risk(officer.actor.role, &officer.actor.name, id).await {
        Ok(carrying) if !carrying.movement.sandbox() => carrying,
        Ok(_) | Err(Refused::NotFound(_)) => return Err(Refusal::NotFound),
        Err(error) => return Err(Refusal::Failed(error.to_string())),
    };
    // A control point that is not ours is nobody's way back.
    typed.site = state
        .operations
        .sites()
        .iter()
        .map(ToString::to_string)
        .find(|s| *s == typed.site)
        .unwrap_or_default();
    if typed.id.is_empty() {
        typed.id = uuid::Uuid::now_v7().simple().to_string();
    }
    let now = state.clock.now();
    let instructions = state.store.instructions(id).await?;
    let inspections = state.store.inspections(id).await?;
    let photographs = state.store.photographs(id).await?;
    let movement = &carrying.movement;
    let directed = matches!(movement.signalled(), Some(Signalled::Directed(_)));
    let audited = !directed && state.store.is_audited(id).await?;
    let say = |key: &str| language.say(key);
    let content = html! {
        div class="bay" {
            @if audited { p { a href=(AUDITS) { "‹ " (say("wb-audit-title")) } } }
            @else { p { a href={ "/console/bay?site=" (typed.site) } { "‹ " (say("bay-title")) } } }
            (typed.told.panel(language))
            (problems(language, &typed.problems))
            h1 { span class="mark" { (movement.spaced_mark()) }
                @if let Some(mainland) = &movement.mainland_mark { " " span class="mark soft" { (mainland) } } }
            @if let Some(Signalled::Directed(code)) = movement.signalled() { p { span class=(terms::lamp(code)) { (say(action(code))) } } }
            @if audited { p { strong { (say("wb-audit-of-this")) } } }
            section class="panel" { h2 { (say("bay-instructions")) }
                @if instructions.is_empty() { p class="soft" { (say("bay-no-instructions")) } } @else { p class="instructions" { (instructions) } } }
            details class="panel" { summary { (say("wb-declaration")) " (" (carrying.consignments.len()) ")" }
                @if carrying.consignments.is_empty() { p { (cargo::summary(language, &carrying)) } }
                (cargo::declaration(language, &carrying.consignments)) }
            (earlier(language, &inspections, now))
            @if directed || audited {
                @if directed { (pictures(officer, language, id, &typed, &photographs)) }
                (outcome_form(officer, language, &carrying, &typed))
            } @else { p class="panel" { (say("bay-not-directed")) } }
        }
    };
    let address = format!("/console/bay/{id}?site={}", typed.site);
    let frame = Frame { language, officer: Some(officer), page: "bay", works: true, address: &address };
    Ok(page(&frame, &content).into_response())
}

fn earlier(language: Language, rows: &[InspectionRow], now: clearance::ids::UtcMillis) -> Markup {
    html! {
        @for row in rows.iter().rev() {
            section class="panel" {
                strong class=(if row.result == Inspection::Found { "stop" } else { "go" }) { (language.say(terms::inspection(row.result))) }
                div class="soft" { (moment(row.at, now)) " · " (row.by) }
                @for category in &row.categories { div { (language.say(&format!("bay-category-{category}"))) } }
                @if !row.quantity.is_empty() { div { (row.quantity) } }
                @if !row.note.is_empty() { div class="note-text" { (row.note) } }
            }
        }
    }
}

fn pictures(officer: &SignedIn, language: Language, id: &str, typed: &Typed, kept: &[Photograph]) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        section class="panel" {
            h2 { (say("bay-photographs")) " (" (kept.len()) ")" }
            div class="shots" {
                @for (number, photograph) in (1..).zip(kept) {
                    a href={ "/console/bay/photographs/" (photograph.digest) } {
                        img src={ "/console/bay/photographs/" (photograph.digest) } alt={ (say("bay-photograph")) " " (number) } loading="lazy";
                    }
                }
            }
            form method="post" action={ "/console/bay/" (id) "/photographs?site=" (typed.site) } enctype="multipart/form-data" class="decision" {
                input type="hidden" name="csrf" value=(officer.csrf);
                label { (say("bay-add-photographs")) input type="file" name="photograph" accept="image/jpeg,image/png" multiple required; }
                button { (say("bay-send-photographs")) }
                p class="soft" { (say("bay-photographs-note")) }
            }
        }
    }
}

fn outcome_form(officer: &SignedIn, language: Language, carrying: &Carrying, typed: &Typed) -> Markup {
    let say = |key: &str| language.say(key);
    let check = |name: &'static str, family: &str, word: &'static str, on: bool| {
        html! { label class="check" { input type="checkbox" name=(name) value=(word) checked[on]; (say(&format!("{family}{word}"))) } }
    };
    html! {
        form method="post" action={ "/console/bay/" (carrying.movement.id) "/outcome" } class="panel decision" {
            input type="hidden" name="csrf" value=(officer.csrf);
            input type="hidden" name="id" value=(typed.id);
            input type="hidden" name="site" value=(typed.site);
            fieldset { legend { (say("bay-checklist")) }
                @for item in CHECKLIST { (check("check", "bay-check-", item, typed.checklist.contains(&item))) } }
            fieldset { legend { (say("bay-outcome")) }
                @for result in [Inspection::NothingFound, Inspection::Found] {
                    label class="check" { input type="radio" name="result" value=(result.name()) checked[typed.result == Some(result)] required; (say(terms::inspection(result))) }
                }
            }
            fieldset { legend { (say("bay-categories")) }
                @for category in CATEGORIES { (check("category", "bay-category-", category, typed.categories.contains(&category))) } }
            label { (say("bay-quantity")) input name="quantity" maxlength="100" value=(typed.quantity); }
            label { (say("bay-note")) textarea name="note" rows="3" maxlength=(LONGEST_TEXT) { (typed.note) } }
            button class="primary" { (say("bay-record")) }
        }
    }
}

pub(super) async fn outcome(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow_act(Act::Inspect, Some(fields.get("csrf")))?;
    let movement: MovementId = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut typed = Typed {
        site: fields.get("site").to_owned(),
        id: fields.get("id").to_owned(),
        result: Inspection::of_name(fields.get("result")),
        checklist: fields.among("check", &CHECKLIST),
        categories: fields.among("category", &CATEGORIES),
        quantity: fields.get("quantity").to_owned(),
        note: fields.get("note").to_owned(),
        ..Typed::default()
    };
    if typed.id.len() != 32 || !typed.id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::ForeignForm);
    }
    typed.problems = wrong(language, &typed);
    if let (Some(result), true) = (typed.result, typed.problems.is_empty()) {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let row = InspectionRow {
            id: typed.id.clone(),
            movement: id.clone(),
            result,
            checklist: texts(&typed.checklist),
            categories: texts(&typed.categories),
            quantity: typed.quantity.clone(),
            note: typed.note.clone(),
            by: officer.actor.name.clone(),
            at: state.clock.now().0,
        };
        match state.store.change(Inspected { row, movement: movement.clone() }).await {
            Ok(()) => {
                operate::tell(&state);
                let row = state.store.movement(&movement).await?.ok_or(Refusal::NotFound)?;
                let address = match row.signalled() {
                    Some(Signalled::Released) => AUDITS.to_owned(),
                    _ => format!("/console/bay?site={}", crate::console::escaped(&typed.site)),
                };
                let address = Told::address(&address, News::Inspected, Some(&row.mark));
                return Ok(Redirect::to(&address).into_response());
            }
            Err(why) => typed.problems = vec![refusal(language, why)?],
        }
    }
    inspection_page(&state, &officer, language, &id, typed).await
}

/// Everything that is wrong with an outcome.
fn wrong(language: Language, typed: &Typed) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |wrong: bool, key: &str| {
        if wrong {
            problems.push(language.say_with(key, &[("most", &LONGEST_TEXT.to_string())]));
        }
    };
    note(typed.result.is_none(), "bay-problem-no-result");
    note(typed.checklist.is_empty(), "bay-problem-nothing-done");
    note(typed.result == Some(Inspection::Found) && typed.categories.is_empty(), "bay-problem-no-category");
    note(
        typed.result == Some(Inspection::NothingFound) && !typed.categories.is_empty(),
        "bay-problem-contradiction",
    );
    note(typed.quantity.chars().count() > 100, "bay-problem-quantity");
    note(typed.note.chars().count() > LONGEST_TEXT, "wb-problem-long-note");
    note(typed.note.contains('\0') || typed.quantity.contains('\0'), "wb-problem-null");
    problems
}

/// Why something was not kept, for the officer.
pub(super) fn refusal(language: Language, why: Refused) -> Result<String, Refusal> {
    match why {
        Refused::NotFound(_) => Err(Refusal::NotFound),
        Refused::Standing(Conflict::NotDirected) => Ok(language.say("bay-not-directed")),
        Refused::Faults(_) => Ok(language.say("bay-problem-too-many-photographs")),
        Refused::Standing(_) | Refused::Version { .. } | Refused::Storage(_) => {
            tracing::error!(%why, "an inspection was not stored");
            Ok(language.say("wb-problem-failed"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;

    #[test]
    fn each_item_and_category_has_words() {
        let words = CHECKLIST.map(|item| format!("bay-check-{item}")).into_iter();
        let words: Vec<String> = words.chain(CATEGORIES.map(|c| format!("bay-category-{c}"))).collect();
        for language in Language::ALL {
            let known = keys(language);
            assert!(words.iter().all(|word| known.contains(&word.as_str())), "{}", language.tag());
        }
    }

    #[test]
    fn a_find_needs_a_category_and_an_outcome_something_that_was_done() {
        let typed = |result, checklist: Vec<&'static str>, categories: Vec<&'static str>| {
            wrong(Language::English, &Typed { result, checklist, categories, ..Typed::default() }).len()
        };
        assert_eq!(typed(None, vec![], vec![]), 2);
        assert_eq!(typed(Some(Inspection::Found), vec!["goods"], vec![]), 1);
        assert_eq!(typed(Some(Inspection::Found), vec!["goods"], vec!["drugs"]), 0);
        assert_eq!(typed(Some(Inspection::NothingFound), vec!["goods"], vec!["drugs"]), 1);
        assert_eq!(typed(Some(Inspection::NothingFound), vec!["goods"], vec![]), 0);
    }
}
