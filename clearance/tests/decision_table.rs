//! The decision for every combination of what can be read, known and working, against a golden file.
//!
//! `UPDATE_GOLDEN=1 cargo nextest run -p clearance` rewrites the file; the diff is what a reviewer judges.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;

use clearance::decide::{Decision, LaneFault, LaneState, Lease, decide};
use clearance::directive::{ActionCode, Directive, DirectiveEntry, DirectiveStatus, DirectiveView, Window};
use clearance::geometry::Quad;
use clearance::ids::{Epoch, PassageId, Revision, UtcMillis};
use clearance::read::{Candidate, Certainty, FusedPlate, FusedRead, PlateLayout};

const NOW: UtcMillis = UtcMillis(1_800_000_000_000);
const MARK: &str = "AB1234";
const MAINLAND: &str = "粤ZN537港";

/// The Hong Kong plate as read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum First {
    Certain,
    Ambiguous,
    Absent,
    NotSeen,
}

/// The second plate as read, against the one registered with the vehicle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Second {
    NotSeen,
    Agrees,
    Contradicts,
    AmbiguousFits,
    AmbiguousDoesNotFit,
    Unreadable,
    OfAnotherVehicle,
    AnotherHongKongMark,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Active(ActionCode),
    Absent,
    Revoked,
    Early,
    Late,
    Used,
}

fn plate(mark: &str, certainty: Certainty, layout: PlateLayout) -> FusedPlate {
    let candidates = match certainty {
        Certainty::Absent => vec![],
        Certainty::Certain => vec![Candidate { mark: mark.parse().unwrap(), probability: 0.999 }],
        Certainty::Ambiguous => vec![Candidate { mark: mark.parse().unwrap(), probability: 0.6 }],
    };
    FusedPlate { certainty, candidates, layout, corners: Quad::rectangle(0.0, 0.0, 100.0, 30.0), frames: 5 }
}

fn read(first: First, second: Second) -> FusedRead {
    let light = |mark, certainty| plate(mark, certainty, PlateLayout::SingleRow);
    let dark = |mark, certainty| plate(mark, certainty, PlateLayout::CrossBoundary);
    let first = match first {
        First::Certain => Some(light(MARK, Certainty::Certain)),
        First::Ambiguous => Some(light(MARK, Certainty::Ambiguous)),
        First::Absent => Some(light(MARK, Certainty::Absent)),
        First::NotSeen => None,
    };
    let second = match second {
        Second::NotSeen => None,
        Second::Agrees => Some(dark(MAINLAND, Certainty::Certain)),
        Second::Contradicts => Some(dark("粤ZX111港", Certainty::Certain)),
        Second::AmbiguousFits => Some(dark(MAINLAND, Certainty::Ambiguous)),
        Second::AmbiguousDoesNotFit => Some(dark("粤ZX111港", Certainty::Ambiguous)),
        Second::Unreadable => Some(dark(MAINLAND, Certainty::Absent)),
        Second::OfAnotherVehicle => Some(dark("粤ZB222港", Certainty::Certain)),
        Second::AnotherHongKongMark => Some(light("CD5678", Certainty::Certain)),
    };
    FusedRead { passage: PassageId([7; 16]), plates: first.into_iter().chain(second).collect() }
}

fn entry(mark: &str, mainland: &str, known: Known) -> DirectiveEntry {
    let hour = 3_600_000;
    let window = match known {
        Known::Early => Window { from: NOW.plus_millis(1), until: NOW.plus_millis(hour) },
        Known::Late => Window { from: NOW.plus_millis(-hour), until: NOW },
        _ => Window { from: NOW, until: NOW.plus_millis(1) },
    };
    let action = if let Known::Active(action) = known { action } else { ActionCode::Release };
    let status = match known {
        Known::Revoked => DirectiveStatus::Revoked,
        Known::Used => DirectiveStatus::Used { passage: PassageId([9; 16]) },
        _ => DirectiveStatus::Active,
    };
    let directive = Directive {
        movement: format!("m-{}", mark.to_lowercase()).parse().unwrap(),
        mark: mark.parse().unwrap(),
        mainland_mark: Some(mainland.parse().unwrap()),
        action,
        window,
        more: None,
    };
    DirectiveEntry { directive, status, revision: Revision(3) }
}

fn view(known: Known) -> DirectiveView {
    let mut entries = vec![entry("EF9", "粤ZB222港", Known::Active(ActionCode::Release))];
    if known != Known::Absent {
        entries.push(entry(MARK, MAINLAND, known));
    }
    DirectiveView { epoch: Epoch(1), revision: Revision(3), entries }
}

const FIRST: [First; 4] = [First::Certain, First::Ambiguous, First::Absent, First::NotSeen];
const SECOND: [Second; 8] = [
    Second::NotSeen,
    Second::Agrees,
    Second::Contradicts,
    Second::AmbiguousFits,
    Second::AmbiguousDoesNotFit,
    Second::Unreadable,
    Second::OfAnotherVehicle,
    Second::AnotherHongKongMark,
];
const KNOWN: [Known; 10] = [
    Known::Active(ActionCode::Release),
    Known::Active(ActionCode::Documents),
    Known::Active(ActionCode::Inspect),
    Known::Active(ActionCode::Escort),
    Known::Active(ActionCode::Detain),
    Known::Absent,
    Known::Revoked,
    Known::Early,
    Known::Late,
    Known::Used,
];

fn every_row(mut visit: impl FnMut(First, Second, Known, Lease, LaneState, Decision)) {
    let lanes =
        std::iter::once(LaneState::Ready).chain(LaneFault::ALL.map(LaneState::Fault)).collect::<Vec<_>>();
    for first in FIRST {
        for second in SECOND {
            for known in KNOWN {
                for lease in [Lease::Live, Lease::Stale] {
                    for lane in &lanes {
                        let decision = decide(&read(first, second), &view(known), lease, *lane, NOW);
                        visit(first, second, known, lease, *lane, decision);
                    }
                }
            }
        }
    }
}

#[test]
fn the_table_is_the_golden_one() {
    let mut table = String::from("# plate | second plate | directive | lease | lane => decision, reason\n");
    every_row(|first, second, known, lease, lane, decision| {
        let what = match &decision {
            Decision::Release(_) => "RELEASE".to_owned(),
            Decision::Direct { action, .. } => format!("direct {action}"),
            Decision::Refer { .. } => "refer".to_owned(),
        };
        let reason = decision.reason();
        writeln!(table, "{first:?} | {second:?} | {known:?} | {lease:?} | {lane:?} => {what}, {reason:?}")
            .unwrap();
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/decision-table.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    for (line, (got, want)) in table.lines().zip(golden.lines()).enumerate() {
        assert_eq!(got, want, "line {}", line + 1);
    }
    assert_eq!(table.lines().count(), golden.lines().count());
}

#[test]
fn a_release_needs_everything() {
    let mut releases = 0;
    every_row(|first, second, known, lease, lane, decision| {
        if let Decision::Release(warrant) = decision {
            releases += 1;
            assert_eq!(first, First::Certain);
            assert!(matches!(
                second,
                Second::NotSeen | Second::Agrees | Second::AmbiguousFits | Second::Unreadable
            ));
            assert_eq!(known, Known::Active(ActionCode::Release));
            assert_eq!(lease, Lease::Live);
            assert_eq!(lane, LaneState::Ready);
            assert!(warrant.is_valid_at(NOW));
            assert!(!warrant.is_valid_at(warrant.expires()));
            assert!(!warrant.is_valid_at(NOW.plus_millis(-1)), "a clock set back does not revive it");
        }
    });
    assert_eq!(releases, 4);
}

#[test]
fn nothing_but_a_release_code_shows_proceed() {
    every_row(|_, _, _, _, _, decision| {
        let proceeds = decision.signal() == clearance::decide::Signal::Proceed;
        assert_eq!(proceeds, matches!(decision, Decision::Release(_)));
    });
}
