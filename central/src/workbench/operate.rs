//! What the pages do: checked against the rules of the place, and left to the store.

use clearance::directive::Window;
use clearance::ids::{MovementId, UtcMillis};

use super::decision::Stamp;
use super::engine;
use super::form::Choice;
use crate::state::{AppState, CentralEvent};
use crate::storage::StorageError;
use crate::storage::trade::Carrying;
use crate::storage::workbench::{Decide, Decided, NotDecided, Second, Seconded};

/// When a code given now serves; none if the declaration is not complete.
fn window(state: &AppState, carrying: &Carrying, now: UtcMillis) -> Option<Window> {
    let place = state.operations.place();
    let readiness = carrying.readiness(place, now);
    let until = carrying.movement.expires(place, now);
    readiness.declared.then_some(Window { from: readiness.earliest, until })
}

/// Give a movement a code.
pub(super) async fn decide(
    state: &AppState,
    movement: &MovementId,
    seen: Stamp,
    choice: &Choice,
    by: &str,
) -> Result<Decided, NotDecided> {
    let at = state.clock.now();
    let carrying = state.store.carrying(movement.as_str(), at).await?.ok_or(NotDecided::NotFound)?;
    let window = window(state, &carrying, at).ok_or(NotDecided::NotDeclared)?;
    let said = engine::latest(state, &[movement.to_string()]).await?;
    let decide = Decide {
        movement: movement.clone(),
        seen,
        code: choice.code,
        window,
        engine: said.get(movement.as_str()).and_then(|said| said.code),
        reason: choice.reason.clone(),
        basis: choice.basis,
        instructions: choice.instructions.clone(),
        by: by.to_owned(),
        at,
    };
    let decided = state.store.change(decide).await?;
    tell(state);
    Ok(decided)
}

/// Be the second pair of eyes.
pub(super) async fn second(
    state: &AppState,
    decision: &str,
    agrees: bool,
    note: &str,
    by: &str,
) -> Result<Seconded, NotDecided> {
    let at = state.clock.now();
    let row = state.store.decision(decision).await?.ok_or(NotDecided::NotFound)?;
    let carrying = state.store.carrying(&row.movement, at).await?.ok_or(NotDecided::NotFound)?;
    let window = window(state, &carrying, at).ok_or(NotDecided::NotDeclared)?;
    let (decision, note, by) = (decision.to_owned(), note.to_owned(), by.to_owned());
    let seconded = state.store.change(Second { decision, agrees, window, note, by, at }).await?;
    tell(state);
    Ok(seconded)
}

/// Let the pages that are open fetch themselves again.
pub(super) fn tell(state: &AppState) {
    // Nobody listening: no page is open.
    let _ = state.events.send(CentralEvent::Declared);
}

/// The movement's mark, for what is told; empty if it is gone.
pub(super) async fn mark_of(state: &AppState, movement: &MovementId) -> Result<String, StorageError> {
    Ok(state.store.movement(movement).await?.map_or_else(String::new, |row| row.mark))
}
