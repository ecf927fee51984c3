//! An officer gives a code, takes a movement up, lets it go, looks second.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::MovementId;

use super::decision::{LONGEST_TEXT, Stamp};
use super::form::{Draft, Fields};
use super::movement::{Shown, back, movement_page};
use super::operate;
use super::told::{News, Told, problem};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::workbench::{Claim, LetGo, NotDecided};
use crate::words::Language;

fn movement_id(id: &str) -> Result<MovementId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

pub(super) async fn decide(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let movement = movement_id(&id)?;
    let draft = Draft::of(&fields);
    let seen: Stamp = fields.get("seen").parse().map_err(|_| Refusal::ForeignForm)?;
    let problems = match draft.check(language) {
        Err(problems) => problems,
        Ok(choice) => match operate::decide(&state, &movement, seen, &choice, &officer.actor.name).await {
            Ok(decided) => {
                let mark = operate::mark_of(&state, &movement).await?;
                let address = Told::address("/console/workbench", decided.into(), Some(&mark));
                return Ok(Redirect::to(&address).into_response());
            }
            Err(NotDecided::NotFound) => return Err(Refusal::NotFound),
            Err(why) => vec![problem(language, &why)],
        },
    };
    movement_page(&state, &officer, language, &id, &Shown { problems, draft, ..Shown::default() }).await
}

pub(super) async fn take(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let over = !fields.get("over").is_empty();
    if over {
        officer.allow(Deed::LeadShift, None)?;
    }
    movement_id(&id)?;
    let (by, at) = (officer.actor.name.clone(), state.clock.now());
    match state.store.change(Claim { movement: id.clone(), by, over, at }).await {
        Ok(()) => {
            operate::tell(&state);
            Ok(back(&id, News::Taken))
        }
        Err(NotDecided::NotFound) => Err(Refusal::NotFound),
        Err(why) => {
            let problems = vec![problem(language, &why)];
            movement_page(&state, &officer, language, &id, &Shown { problems, ..Shown::default() }).await
        }
    }
}

pub(super) async fn let_go(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AssignAction, Some(Fields(fields).get("csrf")))?;
    movement_id(&id)?;
    state.store.change(LetGo { movement: id.clone(), by: officer.actor.name.clone() }).await?;
    operate::tell(&state);
    Ok(back(&id, News::LetGo))
}

pub(super) async fn second(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let decision = state.store.decision(&id).await?.ok_or(Refusal::NotFound)?;
    let (agrees, note) = (fields.get("agrees") == "yes", fields.get("note"));
    let problem = if !agrees && note.is_empty() {
        language.say("wb-problem-no-note")
    } else if note.chars().count() > LONGEST_TEXT || note.contains('\0') {
        language.say_with("wb-problem-long-note", &[("most", &LONGEST_TEXT.to_string())])
    } else {
        match operate::second(&state, &id, agrees, note, &officer.actor.name).await {
            Ok(seconded) => return Ok(back(&decision.movement, seconded.into())),
            Err(why) => problem(language, &why),
        }
    };
    let shown = Shown { problems: vec![problem], ..Shown::default() };
    movement_page(&state, &officer, language, &decision.movement, &shown).await
}
