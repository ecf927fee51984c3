//! One movement, as tests and unit examples of rules begin with.

use clearance::ids::UtcMillis;

use crate::assessment::{Confidentiality, Measure};
use crate::facts::{Consignment, Direction, Facts, History, Load, Party, Vehicle};
use crate::lists::{Entry, ListHeader, ListKind};

/// A movement that nothing is held against: one consignment of toys from a known shipper.
#[expect(clippy::expect_used, reason = "constant names and a constant time, which a test reads")]
pub fn facts() -> Facts {
    let known = History { passages: 40, inspections: 2, finds: 0, known_days: 400 };
    let party = |name: &str| Party { name: name.to_owned(), address: "1 Road".to_owned(), history: known };
    Facts {
        movement: "movement-1".parse().expect("a name"),
        version: 1,
        assessed: UtcMillis(1_795_744_800_000),
        direction: Direction::Inbound,
        control_point: "lok-ma-chau".parse().expect("a name"),
        arrival: "2026-11-27T16:30:00".parse().expect("a time"),
        lodged: UtcMillis(1_795_744_000_000),
        lead_minutes: 400,
        load: Load::Consignments,
        vehicle: Vehicle {
            mark: "XY9999".parse().expect("a mark"),
            mainland_mark: None,
            trailers: Vec::new(),
            history: known,
        },
        carrier: Some(party("Swift Haulage")),
        driver: None,
        consignments: vec![Consignment {
            ccrn: "CCRN1".to_owned(),
            version: 1,
            packages: 20,
            package_kind: "CT".to_owned(),
            description: "toys".to_owned(),
            consignor: party("Playful Factory"),
            consignee: party("Happy Shop"),
            shipper: None,
            hs_code: Some("950300".to_owned()),
            origin: Some("CN".to_owned()),
            value_hkd: Some(20_000),
            net_weight_kg: Some(300),
            goods: Vec::new(),
            transhipment: false,
        }],
    }
}

/// The header of a list that demands an inspection.
pub fn header(list: &str, kind: ListKind) -> ListHeader {
    ListHeader {
        list: list.to_owned(),
        version: 1,
        kind,
        measure: Measure::Inspect,
        source: "intelligence".to_owned(),
        confidentiality: Confidentiality::Selectors,
        matching: kind.usual_matching(),
    }
}

/// An entry that always holds.
pub fn entry(entry: &str, name: &str) -> Entry {
    Entry {
        entry: entry.to_owned(),
        name: name.to_owned(),
        from: None,
        until: None,
        measure: None,
        source: None,
    }
}
