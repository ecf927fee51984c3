//! From one shift to the next: who hands what to whom.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::clock::moment;
use super::decision::LONGEST_TEXT;
use super::form::Fields;
use super::operate;
use super::told::{News, Told, problems};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::{Deed, Role};
use crate::state::AppState;
use crate::storage::workbench::{HandOver, HandoverRow, TakeHandover};
use crate::words::Language;

const ADDRESS: &str = "/console/workbench/handover";

#[derive(Default)]
struct Typed {
    id: String,
    to: String,
    note: String,
    left_out: Vec<String>,
    problems: Vec<String>,
    told: Told,
}

fn fresh_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(told): Query<Told>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let typed = Typed { id: fresh_id(), told, ..Typed::default() };
    handover_page(&state, &officer, language, &typed).await
}

/// Whom work can be handed to: everybody else who may give codes.
async fn others(state: &AppState, me: &str) -> Result<Vec<String>, Refusal> {
    let may = |role: &str| role.parse::<Role>().is_ok_and(|role| role.may(Deed::AssignAction));
    let officers = state.store.officers().await?;
    Ok(officers
        .into_iter()
        .filter(|o| !o.disabled() && o.name != me && may(&o.role))
        .map(|o| o.name)
        .collect())
}

async fn handover_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    typed: &Typed,
) -> Result<Markup, Refusal> {
    let now = state.clock.now();
    let me = officer.actor.name.as_str();
    let mine = state.store.claimed_by(me).await?;
    let others = others(state, me).await?;
    let rows = state.store.handovers().await?;
    let ids: Vec<String> = mine
        .iter()
        .map(|claim| claim.movement.clone())
        .chain(rows.iter().flat_map(|row| row.movements.clone()))
        .collect();
    let marks = state.store.marks_of(&ids).await?;
    let say = |key: &str| language.say(key);
    let content = html! {
        p { a href="/console/workbench" { "‹ " (say("wb-title")) } }
        h1 { (say("wb-handover")) }
        (typed.told.panel(language))
        (problems(language, &typed.problems))
        @for row in rows.iter().filter(|row| row.to == me && row.taken_at.is_none()) {
            section class="panel second" {
                h2 { (language.say_with("wb-handed-to-you", &[("whom", &row.from)])) }
                (items(row, &marks))
                form method="post" action={ (ADDRESS) "/" (row.id) "/taken" } {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    button class="primary" { (say("wb-have-it")) }
                }
            }
        }
        form method="post" class="panel decision" {
            h2 { (say("wb-hand-over")) }
            input type="hidden" name="csrf" value=(officer.csrf);
            input type="hidden" name="id" value=(typed.id);
            label { (say("wb-to-whom")) select name="to" required {
                option value="" { "—" }
                @for name in &others { option value=(name) selected[*name == typed.to] { (name) } }
            } }
            label { (say("wb-handover-note")) textarea name="note" rows="4" maxlength=(LONGEST_TEXT) required { (typed.note) } }
            fieldset {
                legend { (say("wb-open-items")) }
                @if mine.is_empty() { p class="soft" { (say("wb-no-open-items")) } }
                @for claim in &mine {
                    label class="row" {
                        input type="checkbox" name="m" value=(claim.movement) checked[!typed.left_out.contains(&claim.movement)];
                        span class="inline-mark" { (marks.get(&claim.movement).map_or("?", String::as_str)) }
                        span class="soft" { (moment(claim.at, now)) }
                    }
                }
            }
            div { button class="primary" { (say("wb-hand-over")) } }
        }
        h2 { (say("wb-handovers")) }
        @if rows.is_empty() { p class="soft" { (say("wb-no-handovers")) } } @else {
            div class="wide" tabindex="0" role="region" aria-label=(say("wb-handovers")) { table {
                thead { tr { @for head in ["time", "wb-from-to", "wb-handover-note", "wb-received"] { th scope="col" { (say(head)) } } } }
                tbody { @for row in &rows { tr {
                    td { (moment(row.at, now)) }
                    td { (row.from) " → " (row.to) }
                    td { (items(row, &marks)) }
                    td { @match row.taken_at { Some(at) => { (moment(at, now)) } None => { span class="warn" { (say("wb-not-taken-yet")) } } } }
                } } }
            } }
        }
    };
    let frame = Frame { language, officer: Some(officer), page: "workbench", works: true, address: ADDRESS };
    Ok(page(&frame, &content))
}

fn items(row: &HandoverRow, marks: &BTreeMap<String, String>) -> Markup {
    html! {
        p class="note-text" { (row.note) }
        @if !row.movements.is_empty() { p {
            @for id in &row.movements {
                a href={ "/console/workbench/movements/" (id) } class="inline-mark" { (marks.get(id).map_or("?", String::as_str)) } " "
            }
        } }
    }
}

pub(super) async fn hand_over(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let me = officer.actor.name.as_str();
    let (to, note, id) = (fields.get("to"), fields.get("note"), fields.get("id"));
    let mut wrong = Vec::new();
    if !others(&state, me).await?.iter().any(|name| name == to) {
        wrong.push(language.say("wb-problem-no-recipient"));
    }
    if note.is_empty() {
        wrong.push(language.say("wb-problem-no-handover-note"));
    }
    if note.chars().count() > LONGEST_TEXT || note.contains('\0') {
        wrong.push(language.say_with("wb-problem-long-note", &[("most", &LONGEST_TEXT.to_string())]));
    }
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::ForeignForm);
    }
    // Only what is one's own can be handed over.
    let mine: Vec<String> =
        state.store.claimed_by(me).await?.into_iter().map(|claim| claim.movement).collect();
    let (movements, left_out): (Vec<String>, Vec<String>) =
        mine.into_iter().partition(|movement| fields.all("m").any(|sent| sent == movement));
    if !wrong.is_empty() {
        let (id, to, note) = (id.to_owned(), to.to_owned(), note.to_owned());
        let typed = Typed { id, to, note, left_out, problems: wrong, told: Told::default() };
        return Ok(handover_page(&state, &officer, language, &typed).await?.into_response());
    }
    let (id, to, note, by) = (id.to_owned(), to.to_owned(), note.to_owned(), me.to_owned());
    state.store.change(HandOver { id, to, note, movements, by, at: state.clock.now() }).await?;
    operate::tell(&state);
    Ok(Redirect::to(&Told::address(ADDRESS, News::HandedOver, None)).into_response())
}

pub(super) async fn taken(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AssignAction, Some(Fields(fields).get("csrf")))?;
    let by = officer.actor.name.clone();
    state.store.change(TakeHandover { id, by, at: state.clock.now() }).await?;
    operate::tell(&state);
    Ok(Redirect::to(&Told::address(ADDRESS, News::HandoverTaken, None)).into_response())
}
