//! What the screening engine is told of a movement: what is stored of it, and what is known from before.

use std::collections::BTreeMap;

use clearance::ids::{SiteId, UtcMillis};
use risk::facts;

use crate::storage::screening::{Acquaintance, Known};
use crate::storage::trade::{Carrying, ConsignmentRow, Names};
use crate::storage::{StorageError, Store, data};
use crate::trade::{GoodsLine, Load, Place};

/// Where a movement crosses that names no control point.
const ANY: &str = "any";

/// The facts of a movement at a moment, with what is known from before of everybody in it.
pub(crate) fn of(
    past: &Past,
    place: &Place,
    carrying: &Carrying,
    now: UtcMillis,
) -> Result<facts::Facts, StorageError> {
    let movement = &carrying.movement;
    let consignments = carrying.counting().map(|row| past.consignment(row, now)).collect();
    let arrival = UtcMillis(movement.expected_arrival);
    let changes = carrying.consignments.iter().map(|row| row.changed_at);
    let lodged = changes.max().unwrap_or(UtcMillis(movement.bundled_at));
    let vehicle = movement.vehicle()?;
    Ok(facts::Facts {
        movement: movement.id.parse().map_err(data)?,
        version: movement.version(),
        assessed: now,
        direction: match movement.direction.as_str() {
            "outbound" => facts::Direction::Outbound,
            _ => facts::Direction::Inbound,
        },
        control_point: control_point(movement.site())?,
        arrival: place.zone.to_datetime(timestamp(arrival)?),
        lodged,
        lead_minutes: (arrival.0 - lodged.0).div_euclid(60_000),
        load: match movement.load() {
            Load::Consignments => facts::Load::Consignments,
            Load::Empty => facts::Load::Empty,
            Load::Exempt(_) => facts::Load::Exempt,
        },
        vehicle: facts::Vehicle {
            history: past.of(&Acquaintance::Vehicle(vehicle.mark.to_string()), now),
            mark: vehicle.mark,
            mainland_mark: vehicle.mainland_mark,
            trailers: vehicle.trailers,
        },
        carrier: past.company(&movement.trader, now),
        driver: None,
        consignments,
    })
}

fn control_point(site: Option<SiteId>) -> Result<SiteId, StorageError> {
    site.map_or_else(|| ANY.parse().map_err(data), Ok)
}

fn timestamp(at: UtcMillis) -> Result<jiff::Timestamp, StorageError> {
    jiff::Timestamp::from_millisecond(at.0).map_err(data)
}

/// What is known from before of everybody in some movements.
pub(crate) struct Past {
    known: BTreeMap<Acquaintance, Known>,
    /// Names of companies of the trade, by their ids.
    companies: Names,
}

impl Past {
    /// Look everybody up, each once.
    pub(crate) async fn look_up(store: &Store, movements: &[Carrying]) -> Result<Self, StorageError> {
        let companies = store.names_of(&movements.iter().flat_map(Carrying::companies).collect()).await?;
        let all = movements.iter().flat_map(|it| Acquaintance::of(it, &companies)).collect();
        Ok(Self { known: store.known(&all).await?, companies })
    }

    fn of(&self, who: &Acquaintance, now: UtcMillis) -> facts::History {
        self.known.get(who).copied().unwrap_or_default().history(now)
    }

    fn party(&self, name: &str, address: &str, now: UtcMillis) -> facts::Party {
        let history = self.of(&Acquaintance::party(name), now);
        facts::Party { name: name.to_owned(), address: address.to_owned(), history }
    }

    /// A company of the trade; none for what was there before there were companies.
    fn company(&self, trader: &str, now: UtcMillis) -> Option<facts::Party> {
        self.companies.get(trader).map(|name| self.party(name, "", now))
    }

    fn consignment(&self, row: &ConsignmentRow, now: UtcMillis) -> facts::Consignment {
        let said = &row.consignment;
        facts::Consignment {
            ccrn: row.ccrn.to_string(),
            version: row.version,
            packages: said.packages,
            package_kind: said.package_kind.clone(),
            description: said.description.clone(),
            consignor: self.party(&said.consignor.name, &said.consignor.address, now),
            consignee: self.party(&said.consignee.name, &said.consignee.address, now),
            shipper: self.company(&row.trader, now),
            hs_code: said.hs_code.clone(),
            origin: said.origin.clone(),
            value_hkd: said.value_hkd,
            net_weight_kg: said.net_weight_kg,
            goods: said.goods.iter().map(line).collect(),
            transhipment: said.transhipment,
        }
    }
}

fn line(line: &GoodsLine) -> facts::GoodsLine {
    facts::GoodsLine {
        description: line.description.clone(),
        hs_code: line.hs_code.clone(),
        origin: line.origin.clone(),
        value_hkd: line.value_hkd,
        net_weight_kg: line.net_weight_kg,
    }
}
