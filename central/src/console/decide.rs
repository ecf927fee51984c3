//! An officer decides: keeps the read, orders the lane, takes an order back.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::directive::ActionCode;
use clearance::ids::{Nonce, OfficerId, PassageId};
use clearance::mark::RegistrationMark;
use clearance::order::Verdict;
use rand::RngExt as _;

use super::address::escaped;
use super::notice::{Notice, Told};
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::examples::{self, Labelling};
use crate::officers::Deed;
use crate::state::{AppState, CentralEvent, Outgoing};
use crate::storage::{CannotUndo, NewOrder, OrderReason};

/// Number that stands for the vehicle itself: its mark as the officer knows it when no picture shows it. No passage has so
/// many plates.
pub(super) const VEHICLE: u32 = 9_999;

/// Marks by plate number; `None` where the officer could not read it either.
type Marks = Vec<(u32, Option<RegistrationMark>)>;

/// What an officer wants with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// Only to put the reading right.
    KeepRead,
    /// An order for the lane too.
    Order(ActionCode, OrderReason),
}

impl Choice {
    fn of(form: &BTreeMap<String, String>) -> Result<Self, Notice> {
        let action = match form.get("verdict").map(String::as_str) {
            Some("release") => ActionCode::Release,
            Some("inspect") => ActionCode::Inspect,
            Some("documents") => ActionCode::Documents,
            Some("read") => return Ok(Self::KeepRead),
            _ => return Err(Notice::NothingChosen),
        };
        let key = form.get("reason").ok_or(Notice::NoReason)?;
        let reason = OrderReason::ALL.into_iter().find(|r| terms::order_reason(*r) == key);
        Ok(Self::Order(action, reason.ok_or(Notice::NoReason)?))
    }
}

pub(super) async fn decide(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<PassageId>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::DecidePassage, Some(form.get("csrf").map_or("", String::as_str)))?;
    let (marks, choice) = match (marks(&form), Choice::of(&form)) {
        (Ok(marks), Ok(choice)) => (marks, choice),
        (Err(problem), _) => return Ok(back(id, &problem)),
        (_, Err(problem)) => return Ok(back(id, &problem.into())),
    };
    // Before the order: a release uses up the directive of the mark that the officer read.
    keep_read(&state, &officer, id, &marks, choice == Choice::KeepRead).await?;
    let told = match choice {
        Choice::KeepRead => Notice::ReadKept.into(),
        Choice::Order(action, reason) => {
            told(order(&state, &officer, id, Verdict::Act(action), Some(reason)).await)
        }
    };
    let _ = state.events.send(CentralEvent::Passage(id));
    Ok(back(id, &told))
}

pub(super) async fn undo(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(id): Path<PassageId>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::DecidePassage, Some(form.get("csrf").map_or("", String::as_str)))?;
    Ok(back(id, &told(order(&state, &officer, id, Verdict::Withdraw, None).await)))
}

fn told(ordered: Result<(), CannotUndo>) -> Told {
    ordered.map_or_else(Told::from, |()| Notice::OrderSent.into())
}

/// Back to the passage, to be told there.
fn back(id: PassageId, told: &Told) -> Response {
    let about = told.about.as_ref().map_or_else(String::new, |about| format!("&about={}", escaped(about)));
    let key = told.notice.key();
    Redirect::to(&format!("/console/queue?passage={id}&notice={key}{about}")).into_response()
}

fn marks(form: &BTreeMap<String, String>) -> Result<Marks, Told> {
    let mut marks = Vec::new();
    for (key, text) in form {
        let Some(number) = key.strip_prefix("mark_").and_then(|n| n.parse().ok()) else { continue };
        if form.contains_key(&format!("not_plate_{number}")) || (number == VEHICLE && text.trim().is_empty())
        {
            continue;
        }
        let mark = match text.trim() {
            "" => None,
            text => Some(text.parse::<RegistrationMark>().map_err(|e| Told::no_mark(text, &e))?),
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
    reason: Option<OrderReason>,
) -> Result<(), CannotUndo> {
    let name: OfficerId =
        officer.actor.name.parse().map_err(|e| CannotUndo::Storage(crate::storage::data(e)))?;
    let new = NewOrder {
        passage,
        verdict,
        officer: name,
        reason,
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
        let refused = marks(&form(&[("mark_0", "<script>")])).unwrap_err();
        assert_eq!(refused.notice, Notice::MarkCharacter);
        assert_eq!(refused.about.as_deref(), Some("<script>"));
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
    fn an_order_needs_a_verdict_and_a_reason() {
        let form =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let choice = |pairs: &[(&str, &str)]| Choice::of(&form(pairs));
        assert_eq!(
            choice(&[("verdict", "release"), ("reason", "why-spoke-to-driver")]),
            Ok(Choice::Order(ActionCode::Release, OrderReason::SpokeToDriver))
        );
        assert_eq!(choice(&[("verdict", "read")]), Ok(Choice::KeepRead));
        assert_eq!(choice(&[("verdict", "release"), ("reason", "because")]), Err(Notice::NoReason));
        assert_eq!(choice(&[("verdict", "detain")]), Err(Notice::NothingChosen));
    }
}
