//! Bundling: a vehicle, what it carries, where and when.

use std::collections::BTreeSet;

use clearance::ids::{MovementId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use futures::future::BoxFuture;

use super::{Refused, look};
use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::news::Doer;
use crate::trade::{Caller, Direction, Fault, Faulty, Load, News, Vehicle};

/// Bundle consignments with a vehicle, or declare it empty.
pub(crate) struct Bundle {
    pub(crate) caller: Caller,
    pub(crate) id: MovementId,
    pub(crate) vehicle: Vehicle,
    /// None: whichever control point it comes to.
    pub(crate) site: Option<SiteId>,
    pub(crate) expected_arrival: UtcMillis,
    pub(crate) load: Load,
    /// Which way; consignments have their own.
    pub(crate) direction: Option<Direction>,
    pub(crate) ccrns: Vec<Ccrn>,
    pub(crate) at: UtcMillis,
}

impl Change for Bundle {
    type Done = MovementId;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<MovementId, Refused>> {
        Box::pin(async move {
            let (direction, shippers) =
                write.may_be_bundled(&self.caller, &self.ccrns, self.direction).await?;
            let id = self.id.as_str().to_owned();
            sqlx::query(
                "INSERT INTO movements (id, site, mark, mainland_mark, trailers, load, direction, expected_arrival, \
                 created_at, bundled_at, changed_at, trader, sandbox, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10, $11, $12)",
            )
            .bind(id.clone())
            .bind(self.site.as_ref().map_or(String::new(), SiteId::to_string))
            .bind(self.vehicle.mark.as_str().to_owned())
            .bind(self.vehicle.mainland_mark.as_ref().map(ToString::to_string))
            .bind(serde_json::to_string(&self.vehicle.trailers).map_err(data)?)
            .bind(self.load.stored().to_owned())
            .bind(direction.name())
            .bind(self.expected_arrival.0)
            .bind(self.at.0)
            .bind(self.caller.trader.as_str().to_owned())
            .bind(i64::from(self.caller.sandbox))
            .bind(self.caller.evidence.clone())
            .execute(&mut *write.tx)
            .await?;
            write.tie(&self.ccrns, Some(&id)).await?;
            write.to_assess = true;
            write.audit(self.at, &self.caller.who, &Noted::Bundle, &id).await?;
            let by = Doer::of(&self.caller);
            let news = News::Bundled { movement: id.clone(), mark: self.vehicle.mark.to_string() };
            for trader in shippers
                .iter()
                .map(String::as_str)
                .chain([self.caller.trader.as_str()])
                .collect::<BTreeSet<_>>()
            {
                write.tell(trader, self.at, &id, &news, &by).await?;
            }
            Ok(self.id)
        })
    }
}

impl Write<'_> {
    /// Whether these consignments may go with the caller's vehicle: which way they go, and whose they are.
    pub(super) async fn may_be_bundled(
        &mut self,
        caller: &Caller,
        ccrns: &[Ccrn],
        direction: Option<Direction>,
    ) -> Result<(Direction, BTreeSet<String>), Refused> {
        let (mut faults, mut seen, mut shippers) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut way = direction;
        for (i, ccrn) in ccrns.iter().enumerate() {
            let mut fault = |fault| faults.push(Faulty::at(format!("/ccrns/{i}"), fault));
            if !seen.insert(ccrn) {
                fault(Fault::Repeated);
                continue;
            }
            let row = look::consignment(&mut self.tx, ccrn).await?;
            // Whose training data it is does not matter to a vehicle in training; real cargo does not exist there.
            let Some(row) = row.filter(|row| row.sandbox == caller.sandbox) else {
                fault(Fault::UnknownCcrn);
                continue;
            };
            if row.cancelled {
                fault(Fault::Cancelled);
            } else if row.movement.is_some() {
                fault(Fault::AlreadyBundled);
            } else if way.is_some_and(|way| way != row.consignment.direction) {
                fault(Fault::OtherDirection);
            }
            way = way.or(Some(row.consignment.direction));
            shippers.insert(row.trader);
        }
        if faults.is_empty() {
            Ok((way.unwrap_or(Direction::Inbound), shippers))
        } else {
            Err(Refused::Faults(faults))
        }
    }

    /// Tie consignments to a movement, or to none.
    pub(super) async fn tie(&mut self, ccrns: &[Ccrn], movement: Option<&str>) -> Result<(), StorageError> {
        for ccrn in ccrns {
            sqlx::query("UPDATE consignments SET movement = $1 WHERE ccrn = $2")
                .bind(movement.map(str::to_owned))
                .bind(ccrn.as_str().to_owned())
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }

    /// Marks whose lanes must be told of a change.
    pub(super) async fn expect_marks(
        &mut self,
        marks: impl IntoIterator<Item = RegistrationMark>,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        for mark in marks {
            self.expect(&mark, at).await?;
        }
        Ok(())
    }
}
