//! What is known of the parties and the vehicle from before.

use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::clock::moment;
use crate::console::terms::outcome;
use crate::state::AppState;
use crate::storage::workbench::{Awaited, PartyHistory};
use crate::storage::{PassageRow, StorageError};
use crate::trade::consignment::fold;
use crate::words::Language;

/// As many parties of each kind as are looked up; a consolidated load has hundreds.
const MOST_PARTIES: usize = 8;

/// Passages that are shown.
const MOST_PASSAGES: u32 = 10;

/// Somebody with a history.
pub(super) struct Party {
    /// The key of what they are.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) history: PartyHistory,
}

/// Names of one kind, each once.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if names.len() < MOST_PARTIES && names.iter().all(|known| fold(known) != fold(name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The history of everybody who has to do with a movement.
pub(super) async fn parties(state: &AppState, awaited: &Awaited) -> Result<Vec<Party>, StorageError> {
    let (movement, rows) = (&awaited.carrying.movement, &awaited.carrying.consignments);
    let (store, id) = (&state.store, movement.id.as_str());
    let history = store.vehicle_history(&movement.mark, id).await?;
    let mut parties = vec![Party { kind: "wb-vehicle", name: movement.mark.clone(), history }];
    let company =
        |trader: String| async move { store.trader_name(&trader).await.map(|name| name.unwrap_or(trader)) };
    let history = store.carrier_history(&movement.trader, id).await?;
    parties.push(Party { kind: "wb-carrier", name: company(movement.trader.clone()).await?, history });
    for trader in names(rows.iter().map(|row| row.trader.as_str())) {
        let history = store.shipper_history(&trader, id).await?;
        parties.push(Party { kind: "wb-shipper", name: company(trader).await?, history });
    }
    for name in names(rows.iter().map(|row| row.consignment.consignor.name.as_str())) {
        let history = store.consignor_history(&fold(&name), id).await?;
        parties.push(Party { kind: "wb-consignor", name, history });
    }
    for name in names(rows.iter().map(|row| row.consignment.consignee.name.as_str())) {
        let history = store.consignee_history(&fold(&name), id).await?;
        parties.push(Party { kind: "wb-consignee", name, history });
    }
    Ok(parties)
}

/// Parties as a table.
pub(super) fn table(language: Language, parties: &[Party], now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    let heads = ["wb-party", "wb-crossings", "wb-inspected", "wb-finds", "wb-first-seen"];
    html! {
        div class="wide" tabindex="0" role="region" aria-label=(say("wb-parties")) {
            table {
                thead { tr { @for (i, head) in heads.into_iter().enumerate() { th scope="col" class=[((1..=3).contains(&i)).then_some("number")] { (say(head)) } } } }
                tbody { @for party in parties { tr {
                    td { span class="soft" { (say(party.kind)) } br; (party.name) }
                    td class="number" { (party.history.crossings) }
                    td class="number" { (party.history.inspected) }
                    td class={ "number" @if party.history.found > 0 { " stop" } } { (party.history.found) }
                    td { @match party.history.first_seen {
                        Some(at) => { (moment(at, now)) }
                        None => { span class="warn" { (say("wb-never-seen")) } }
                    } }
                } } }
            }
        }
    }
}

/// Earlier passages of the vehicle.
pub(super) async fn passages(state: &AppState, awaited: &Awaited) -> Result<Vec<PassageRow>, StorageError> {
    match awaited.carrying.movement.mark.parse() {
        Ok(mark) => state.store.passages_of(&mark, MOST_PASSAGES).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// Those as a table.
pub(super) fn passages_table(language: Language, passages: &[PassageRow], now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @if passages.is_empty() { p class="soft" { (say("wb-no-passages")) } } @else {
            table {
                thead { tr { @for head in ["time", "lane", "outcome"] { th scope="col" { (say(head)) } } } }
                tbody { @for row in passages { tr {
                    td { a href={ "/console/queue?passage=" (row.id) } { (moment(row.began, now)) } }
                    td { (row.site) " · " (row.lane) }
                    td { @if let Some(decision) = &row.decision { (say(outcome(decision.outcome))) } }
                } } }
            }
        }
    }
}
