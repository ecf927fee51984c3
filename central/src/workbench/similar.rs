//! Cases that are alike, with what came of them.

use std::collections::BTreeMap;

use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::cargo::{headings, headings_of};
use super::clock::moment;
use super::terms;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::workbench::{Awaited, Case};
use crate::trade::consignment::fold;
use crate::trade::movement::Inspection;
use crate::words::Language;

/// As many as are shown.
const MOST: usize = 12;

/// As many of each kind as are looked at.
const OF_EACH: u32 = 20;

/// In what a case is alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    Vehicle,
    Consignee(String),
    Heading(String),
}

/// A case and everything in which it is alike.
#[derive(Debug)]
pub(super) struct Alike {
    pub(super) case: Case,
    pub(super) in_what: Vec<Likeness>,
}

/// In what a case is like a movement.
fn likeness(awaited: &Awaited, headings: &[String], consignees: &[String], case: &Case) -> Vec<Likeness> {
    let mut found = Vec::new();
    if case.mark == awaited.carrying.movement.mark {
        found.push(Likeness::Vehicle);
    }
    if let Some(consignment) = &case.consignment {
        if consignees.contains(&consignment.folded_consignee()) {
            found.push(Likeness::Consignee(consignment.consignee.name.clone()));
        }
        let own = headings_of(consignment);
        found.extend(headings.iter().filter(|heading| own.contains(heading)).cloned().map(Likeness::Heading));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Rows of one movement together; finds first, then what is alike in most, then the latest.
fn ranked(cases: Vec<(Case, Vec<Likeness>)>) -> Vec<Alike> {
    let mut by_movement: BTreeMap<String, Alike> = BTreeMap::new();
    for (case, in_what) in cases.into_iter().filter(|(_, in_what)| !in_what.is_empty()) {
        let entry =
            by_movement.entry(case.movement.clone()).or_insert_with(|| Alike { case, in_what: Vec::new() });
        entry.in_what.extend(in_what);
        entry.in_what.sort_unstable();
        entry.in_what.dedup();
    }
    let mut all: Vec<Alike> = by_movement.into_values().collect();
    all.sort_by_key(|alike| {
        let inspected = match alike.case.inspected {
            Some(Inspection::Found) => 0,
            Some(Inspection::NothingFound) => 1,
            None => 2,
        };
        (inspected, std::cmp::Reverse(alike.in_what.len()), std::cmp::Reverse(alike.case.at))
    });
    all.truncate(MOST);
    all
}

/// Cases like a movement.
pub(super) async fn cases(state: &AppState, awaited: &Awaited) -> Result<Vec<Alike>, StorageError> {
    let rows = &awaited.carrying.consignments;
    let headings = headings(rows);
    let mut consignees: Vec<String> = rows.iter().map(|row| fold(&row.consignment.consignee.name)).collect();
    consignees.sort_unstable();
    consignees.dedup();
    let mut cases = state.store.cases_of_vehicle(&awaited.carrying.movement.mark, OF_EACH).await?;
    for name in consignees.iter().take(3) {
        cases.extend(state.store.cases_of_consignee(name, OF_EACH).await?);
    }
    if !headings.is_empty() {
        cases.extend(state.store.inspected_cases().await?);
    }
    let own = &awaited.carrying.movement.id;
    let with = cases.into_iter().filter(|case| case.movement != *own).map(|case| {
        let in_what = likeness(awaited, &headings, &consignees, &case);
        (case, in_what)
    });
    Ok(ranked(with.collect()))
}

/// Those as a table.
pub(super) fn table(language: Language, cases: &[Alike], now: UtcMillis) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        @if cases.is_empty() { p class="soft" { (say("wb-no-similar")) } } @else {
            div class="wide" tabindex="0" role="region" aria-label=(say("wb-similar")) {
                table {
                    thead { tr { @for head in ["wb-vehicle", "wb-alike-in", "wb-goods", "outcome"] { th scope="col" { (say(head)) } } } }
                    tbody { @for alike in cases { tr {
                        td {
                            a href={ "/console/workbench/movements/" (alike.case.movement) } { (alike.case.mark) }
                            div class="soft" { (moment(alike.case.at, now)) }
                        }
                        td { @for likeness in &alike.in_what { div { (in_words(language, likeness)) } } }
                        td { @if let Some(consignment) = &alike.case.consignment { (consignment.description) } }
                        td {
                            @match (alike.case.inspected, alike.case.signalled) {
                                (Some(result), _) => { span class=(if result == Inspection::Found { "stop" } else { "go" }) { (say(terms::inspection(result))) } }
                                (None, Some(signalled)) => { (say(terms::signalled(signalled))) }
                                (None, None) => { "—" }
                            }
                        }
                    } } }
                }
            }
        }
    }
}

fn in_words(language: Language, likeness: &Likeness) -> String {
    match likeness {
        Likeness::Vehicle => language.say("wb-alike-vehicle"),
        Likeness::Consignee(name) => format!("{}: {name}", language.say("wb-consignee")),
        Likeness::Heading(heading) => format!("HS {heading}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(movement: &str, at: i64, inspected: Option<Inspection>) -> Case {
        let (movement, mark) = (movement.to_owned(), "AB1234".to_owned());
        Case { movement, mark, at, signalled: None, inspected, consignment: None }
    }

    #[test]
    fn finds_come_first_and_a_movement_is_shown_once() {
        let heading = || vec![Likeness::Heading("8471".to_owned())];
        let both = vec![Likeness::Vehicle, Likeness::Consignee("x".to_owned())];
        let ranked = ranked(vec![
            (case("a", 5, None), heading()),
            (case("b", 1, Some(Inspection::Found)), heading()),
            (case("c", 9, Some(Inspection::NothingFound)), heading()),
            (case("d", 2, Some(Inspection::NothingFound)), both),
            (case("b", 1, Some(Inspection::Found)), vec![Likeness::Vehicle]),
            (case("e", 1, None), Vec::new()),
        ]);
        let order: Vec<_> = ranked.iter().map(|alike| alike.case.movement.as_str()).collect();
        assert_eq!(order, ["b", "d", "c", "a"]);
        assert_eq!(ranked[0].in_what.len(), 2);
    }
}
