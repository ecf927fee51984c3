//! What the screening engine is told of a movement: what is stored of it, and what is known from before.

use std::collections::BTreeMap;

use clearance::ids::{SiteId, UtcMillis};
use risk::facts;

use crate::storage::screening::{Acquaintance, Known};
use crate::storage::trade::{Carrying, ConsignmentRow};
use crate::storage::{StorageError, Store, data};
use crate::trade::{GoodsLine, Load, Place, TraderId};

/// Where a movement crosses that names no control point.
const ANY: &str = "any";

/// The facts of a movement at a moment.
pub(crate) async fn of(
    store: &Store,
    place: &Place,
    carrying: &Carrying,
    now: UtcMillis,
) -> Result<facts::Facts, StorageError> {
    let movement = &carrying.movement;
    let mut past = Past { store, now, known: BTreeMap::new(), companies: BTreeMap::new() };
    let mut consignments = Vec::new();
    for row in carrying.consignments.iter().filter(|row| !row.cancelled) {
        consignments.push(past.consignment(row).await?);
    }
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
            history: past.of(&Acquaintance::Vehicle(vehicle.mark.to_string())).await?,
            mark: vehicle.mark,
            mainland_mark: vehicle.mainland_mark,
            trailers: vehicle.trailers,
        },
        carrier: past.company(&movement.trader).await?,
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

/// What is known from before, each looked up once.
struct Past<'a> {
    store: &'a Store,
    now: UtcMillis,
    known: BTreeMap<Acquaintance, Known>,
    companies: BTreeMap<String, Option<String>>,
}

impl Past<'_> {
    async fn of(&mut self, who: &Acquaintance) -> Result<facts::History, StorageError> {
        if let Some(known) = self.known.get(who) {
            return Ok(known.history(self.now));
        }
        let known = self.store.known(who).await?;
        self.known.insert(who.clone(), known);
        Ok(known.history(self.now))
    }

    async fn party(&mut self, name: &str, address: &str) -> Result<facts::Party, StorageError> {
        let history = self.of(&Acquaintance::party(name)).await?;
        Ok(facts::Party { name: name.to_owned(), address: address.to_owned(), history })
    }

    /// A company of the trade; none for what was there before there were companies.
    async fn company(&mut self, trader: &str) -> Result<Option<facts::Party>, StorageError> {
        let name = match self.companies.get(trader) {
            Some(name) => name.clone(),
            None => match trader.parse::<TraderId>() {
                Ok(id) => self.store.trader(&id).await?.map(|row| row.name),
                Err(_) => None,
            },
        };
        self.companies.insert(trader.to_owned(), name.clone());
        match name {
            Some(name) => self.party(&name, "").await.map(Some),
            None => Ok(None),
        }
    }

    async fn consignment(&mut self, row: &ConsignmentRow) -> Result<facts::Consignment, StorageError> {
        let said = &row.consignment;
        Ok(facts::Consignment {
            ccrn: row.ccrn.to_string(),
            version: row.version,
            packages: said.packages,
            package_kind: said.package_kind.clone(),
            description: said.description.clone(),
            consignor: self.party(&said.consignor.name, &said.consignor.address).await?,
            consignee: self.party(&said.consignee.name, &said.consignee.address).await?,
            shipper: self.company(&row.trader).await?,
            hs_code: said.hs_code.clone(),
            origin: said.origin.clone(),
            value_hkd: said.value_hkd,
            net_weight_kg: said.net_weight_kg,
            goods: said.goods.iter().map(line).collect(),
            transhipment: said.transhipment,
        })
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
