//! Many movements, one code, one reason. What cannot be decided stays checked, with why.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::MovementId;

use super::decision::Stamp;
use super::form::{Draft, Fields};
use super::operate;
use super::queue::{Filled, Filter, queue_page};
use super::told::{Told, problem};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::workbench::Decided;
use crate::words::Language;

/// As many as are decided together.
const MOST: usize = 100;

/// A movement as the form sends it.
fn checked(value: &str) -> Option<(MovementId, Stamp)> {
    let (id, stamp) = value.split_once('|')?;
    Some((id.parse().ok()?, stamp.parse().ok()?))
}

pub(super) async fn decide(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let hours = fields.get("hours").parse().ok();
    let filter = Filter::of(&state, Some(fields.get("view")), Some(fields.get("site")), hours);
    let draft = Draft::of(&fields);
    let chosen: Vec<(MovementId, Stamp)> = fields.all("m").filter_map(checked).collect();
    let mut filled = Filled { draft: draft.clone(), ..Filled::default() };
    let mut wrong = draft.check(language).err().unwrap_or_default();
    if chosen.is_empty() {
        wrong.push(language.say("wb-problem-none-checked"));
    }
    if chosen.len() > MOST {
        wrong.push(language.say_with("wb-problem-too-many", &[("most", &MOST.to_string())]));
    }
    match draft.check(language) {
        Ok(choice) if wrong.is_empty() => {
            let (mut given, mut waits) = (0, 0);
            for (movement, stamp) in chosen {
                match operate::decide(&state, &movement, stamp, &choice, &officer.actor.name).await {
                    Ok(Decided::Given) => given += 1,
                    Ok(Decided::Waits(_)) => waits += 1,
                    Err(why) => {
                        let mark = operate::mark_of(&state, &movement).await?;
                        filled.problems.push(format!("{mark}: {}", problem(language, &why)));
                        filled.checked.push(movement.to_string());
                    }
                }
            }
            if filled.problems.is_empty() {
                let address = Told::address_of_many(&filter.address(), given, waits);
                return Ok(Redirect::to(&address).into_response());
            }
            filled.told = Told::of_many(given, waits);
            filled.partly = true;
        }
        _ => {
            filled.problems = wrong;
            filled.checked = chosen.into_iter().map(|(movement, _)| movement.to_string()).collect();
        }
    }
    Ok(queue_page(&state, &officer, language, &filter, &filled).await?.into_response())
}
