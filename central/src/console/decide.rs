//! An officer decides: keeps the read, orders the lane, takes an order back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::directive::ActionCode;
use clearance::ids::{Nonce, OfficerId, PassageId};
use clearance::mark::RegistrationMark;
use clearance::order::Verdict;
use rand::RngExt as _;

use super::session::{Refusal, SignedIn};
use crate::examples::{self, Labelling};
use crate::officers::Deed;
use crate::state::{AppState, CentralEvent, Outgoing};
use crate::storage::{CannotUndo, NewOrder};

/// Number that stands for the vehicle itself: its mark as the officer knows it when no picture shows it. No passage has so
/// many plates.
pub(super) const VEHICLE: u32 = 9_999;

/// Marks by plate number; `None` where the officer could not read it either.
type Marks = Vec<(u32, Option<RegistrationMark>)>;

pub(super) async fn decide(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<PassageId>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::DecidePassage, Some(form.get("csrf").map_or("", String::as_str)))?;
    let marks = match marks(&form) {
        Ok(marks) => marks,
        Err(problem) => return Ok(back(id, "problem", &problem)),
    };
    let action = match form.get("verdict").map(String::as_str) {
        Some("release") => Some(ActionCode::Release),
        Some("inspect") => Some(ActionCode::Inspect),
        Some("documents") => Some(ActionCode::Documents),
        Some("read") => None,
        _ => return Ok(back(id, "problem", "?")),
    };
    // Before the order: a release uses up the directive of the mark that the officer read.
    keep_read(&state, &officer, id, &marks, action.is_none()).await?;
    if let Some(action) = action {
        let reason = form.get("reason").map_or("", String::as_str);
        if let Err(problem) = order(&state, &officer, id, Verdict::Act(action), reason).await {
            return Ok(back(id, "problem", &problem.to_string()));
        }
    }
    let _ = state.events.send(CentralEvent::Passage(id));
    Ok(match action {
        Some(_) => back(id, "done", "order-sent"),
        None => back(id, "done", "read-kept"),
    })
}

pub(super) async fn undo(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<PassageId>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::DecidePassage, Some(form.get("csrf").map_or("", String::as_str)))?;
    Ok(match order(&state, &officer, id, Verdict::Withdraw, "undo").await {
        Ok(()) => back(id, "done", "order-sent"),
        Err(problem) => back(id, "problem", &problem.to_string()),
    })
}

fn back(id: PassageId, key: &str, value: &str) -> Response {
    let query = [("passage", id.to_string()), (key, value.to_owned())];
    let text: Vec<String> = query.iter().map(|(k, v)| format!("{k}={}", escaped(v))).collect();
    Redirect::to(&format!("/console/queue?{}", text.join("&"))).into_response()
}

/// Percent-encoding of a query value (RFC 3986: all but unreserved characters).
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(b as char);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

fn marks(form: &BTreeMap<String, String>) -> Result<Marks, String> {
    let mut marks = Vec::new();
    for (key, text) in form {
        let Some(number) = key.strip_prefix("mark_").and_then(|n| n.parse().ok()) else { continue };
        if form.contains_key(&format!("not_plate_{number}")) || (number == VEHICLE && text.trim().is_empty())
        {
            continue;
        }
        let mark = match text.trim() {
            "" => None,
            text => Some(text.parse::<RegistrationMark>().map_err(|e| format!("{text}: {e}"))?),
        };
        marks.push((number, mark));
    }
    Ok(marks)
}

async fn order(
    state: &AppState,
    officer: &SignedIn,
    passage: PassageId,
    verdict: Verdict,
    reason: &str,
) -> Result<(), CannotUndo> {
    let name: OfficerId =
        officer.actor.name.parse().map_err(|e| CannotUndo::Storage(crate::storage::data(e)))?;
    let new = NewOrder {
        passage,
        verdict,
        officer: name,
        reason: reason.chars().take(200).collect(),
        nonce: Nonce(rand::rng().random()),
        at: state.clock.now(),
    };
    let (site, lane, sealed) = state.store.give_order(new).await?;
    // Nobody listening: the order is sent again from the store.
    let _ = state.orders.send(Outgoing { site, lane, sealed });
    Ok(())
}

async fn keep_read(
    state: &AppState,
    officer: &SignedIn,
    id: PassageId,
    marks: &Marks,
    only_read: bool,
) -> Result<(), Refusal> {
    let (now, name) = (state.clock.now(), officer.actor.name.as_str());
    let passage = state.store.passage(id).await?.ok_or(Refusal::NotFound)?;
    state.store.correct(id, marks, name, now).await?;
    let officer: OfficerId =
        name.parse().map_err(|e: clearance::ids::NameError| Refusal::Failed(e.to_string()))?;
    let labelling = Labelling { officer: &officer, at: now, licence: &state.examples_licence };
    examples::keep(&state.store, &state.examples, &passage, marks, labelling)
        .await
        .map_err(|e| Refusal::Failed(e.to_string()))?;
    if only_read && passage.left_at.is_some() {
        state.store.dismiss(id, name, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_give_marks_by_plate_and_name_what_is_wrong() {
        let form =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let good = marks(&form(&[("mark_0", " ab 123"), ("mark_1", ""), ("verdict", "read")])).unwrap();
        assert_eq!(good, [(0, Some("AB123".parse().unwrap())), (1, None)]);
        assert!(marks(&form(&[("mark_0", "<script>")])).unwrap_err().contains("<script>"));
    }

    #[test]
    fn what_is_no_plate_is_left_out_and_the_vehicles_mark_needs_no_picture() {
        let form =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let pairs =
            [("mark_0", "L"), ("not_plate_0", "on"), ("mark_1", "粤ZH248港"), ("mark_9999", "ts 8496")];
        let found = marks(&form(&pairs)).unwrap();
        assert_eq!(
            found,
            [(1, Some("粤ZH248港".parse().unwrap())), (VEHICLE, Some("TS8496".parse().unwrap()))]
        );
        assert_eq!(marks(&form(&[("mark_9999", " ")])).unwrap(), []);
    }

    #[test]
    fn query_values_are_escaped() {
        assert_eq!(escaped("a b&c=粤"), "a%20b%26c%3D%E7%B2%A4");
    }
}
