//! Changing a bundle: another vehicle, another place or time, consignments added or taken away; or all of it taken back. Each
//! in one step, and each assessed anew.

use std::collections::BTreeSet;

use clearance::ids::{MovementId, SiteId, UtcMillis};
use futures::future::BoxFuture;

use super::{Refused, look};
use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, Write, data};
use crate::trade::news::Doer;
use crate::trade::{Caller, Fault, Load, News, Vehicle};

/// What is to be different. What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// Another vehicle.
    pub vehicle: Option<Vehicle>,
    /// Another control point; `Some(None)`: whichever it comes to.
    pub site: Option<Option<SiteId>>,
    /// Another time.
    pub expected_arrival: Option<UtcMillis>,
    /// Empty, exempt, or with consignments.
    pub load: Option<Load>,
    /// Consignments to take on.
    pub add: Vec<Ccrn>,
    /// Consignments to leave.
    pub remove: Vec<Ccrn>,
}

/// Change a movement.
pub(crate) struct Revise {
    pub(crate) caller: Caller,
    pub(crate) movement: MovementId,
    pub(crate) revision: Revision,
    /// The version that the caller has seen.
    pub(crate) seen: Option<u32>,
    pub(crate) at: UtcMillis,
}

impl Change for Revise {
    type Done = u32;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u32, Refused>> {
        Box::pin(async move {
            let Self { caller, revision, at, .. } = self;
            let by = Doer::of(&caller);
            let id = self.movement.as_str();
            let before = write.own_movement(&caller, id, self.seen).await?;
            let carried = look::carried(&mut write.tx, id).await?;
            let concerned_before: BTreeSet<String> = carried.iter().map(|row| row.trader.clone()).collect();
            for (i, ccrn) in revision.remove.iter().enumerate() {
                if !carried.iter().any(|row| row.ccrn == *ccrn) {
                    return Err(Refused::fault(format!("/remove/{i}"), Fault::UnknownCcrn));
                }
            }
            let stays = carried.iter().filter(|row| !revision.remove.contains(&row.ccrn)).count();
            let direction = carried.iter().find(|row| !revision.remove.contains(&row.ccrn));
            let direction = direction.map(|row| row.consignment.direction);
            let (direction, _) = write.may_be_bundled(&caller, &revision.add, direction).await?;
            let load = revision.load.clone().unwrap_or_else(|| before.load());
            let carries = stays + revision.add.len();
            if carries > 0 && load != Load::Consignments {
                return Err(Refused::fault("/load", Fault::Load));
            }
            write.keep_version(&before, &carried, &caller.who, at).await?;
            write.tie(&revision.remove, None).await?;
            write.tie(&revision.add, Some(id)).await?;
            let vehicle = match &revision.vehicle {
                Some(vehicle) => vehicle.clone(),
                None => before.vehicle()?,
            };
            // The cut-off runs anew for whatever customs has not seen yet: not for what is taken away.
            let renewed = revision.vehicle.is_some() || !revision.add.is_empty() || revision.load.is_some();
            let version = before.version() + 1;
            let site = match &revision.site {
                Some(site) => site.as_ref().map_or(String::new(), SiteId::to_string),
                None => before.site.clone(),
            };
            sqlx::query(
                "UPDATE movements SET site = $1, mark = $2, mainland_mark = $3, trailers = $4, load = $5, direction = $6, \
                 expected_arrival = $7, bundled_at = $8, changed_at = $9, version = $10, evidence = $11 WHERE id = $12",
            )
            .bind(site)
            .bind(vehicle.mark.to_string())
            .bind(vehicle.mainland_mark.as_ref().map(ToString::to_string))
            .bind(serde_json::to_string(&vehicle.trailers).map_err(data)?)
            .bind(load.stored().to_owned())
            .bind(if carries > 0 { direction.name() } else { before.direction.as_str() }.to_owned())
            .bind(revision.expected_arrival.map_or(before.expected_arrival, |at| at.0))
            .bind(if renewed { at.0 } else { before.bundled_at })
            .bind(at.0)
            .bind(i64::from(version))
            .bind(caller.evidence.clone())
            .bind(id.to_owned())
            .execute(&mut *write.tx)
            .await?;
            write.audit(at, &caller.who, &Noted::Revise { version }, id).await?;
            for ccrn in &revision.remove {
                if let Some(row) = carried.iter().find(|row| row.ccrn == *ccrn) {
                    let news = News::Unbundled { movement: id.to_owned() };
                    write.tell(&row.trader, at, ccrn.as_str(), &news, &by).await?;
                }
            }
            let news = if before.mark == vehicle.mark.as_str() {
                News::Rebundled { movement: id.to_owned(), version }
            } else {
                News::Swapped {
                    movement: id.to_owned(),
                    from: before.mark.clone(),
                    to: vehicle.mark.to_string(),
                }
            };
            write.tell_concerned(id, at, &news, &by).await?;
            for trader in concerned_before {
                if !write.is_concerned(id, &trader).await? {
                    write.tell(&trader, at, id, &news, &by).await?;
                }
            }
            write.reassess(id, None, (&caller.who, &by), at).await?;
            // The lanes must forget the vehicle of before, whatever else it is declared for.
            write.expect_marks([before.mark.parse().map_err(data)?, vehicle.mark], at).await?;
            Ok(version)
        })
    }
}

/// Take a movement back; its consignments can be bundled anew.
pub(crate) struct CancelMovement {
    pub(crate) caller: Caller,
    pub(crate) movement: MovementId,
    pub(crate) seen: Option<u32>,
    pub(crate) at: UtcMillis,
}

impl Change for CancelMovement {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let (id, at, who) = (self.movement.as_str(), self.at, self.caller.who.as_str());
            let by = Doer::of(&self.caller);
            let before = write.own_movement(&self.caller, id, self.seen).await?;
            let carried = look::carried(&mut write.tx, id).await?;
            write.keep_version(&before, &carried, who, at).await?;
            let news = News::Status {
                movement: id.to_owned(),
                status: crate::trade::MovementStatus::Cancelled,
                report: None,
                earliest: None,
            };
            write.tell_concerned(id, at, &news, &by).await?;
            let ccrns: Vec<Ccrn> = carried.iter().map(|row| row.ccrn.clone()).collect();
            for row in &carried {
                let news = News::Unbundled { movement: id.to_owned() };
                write.tell(&row.trader, at, row.ccrn.as_str(), &news, &by).await?;
            }
            write.tie(&ccrns, None).await?;
            if before.action.is_some() {
                write.withdraw(id, who, at).await?;
            }
            sqlx::query("UPDATE movements SET cancelled_at = $1, changed_at = $1, version = version + 1 WHERE id = $2")
                .bind(at.0)
                .bind(id.to_owned())
                .execute(&mut *write.tx)
                .await?;
            write.audit(at, who, &Noted::CancelMovement, id).await?;
            write.expect(&before.mark.parse().map_err(data)?, at).await?;
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn own_movement(
        &mut self,
        caller: &Caller,
        id: &str,
        seen: Option<u32>,
    ) -> Result<look::MovementRow, Refused> {
        let row = look::movement(&mut self.tx, id).await?;
        let row =
            row.filter(|row| row.trader == caller.trader.as_str()).ok_or(Refused::NotFound("movement"))?;
        match seen {
            Some(seen) if seen != row.version() => Err(Refused::Version { now: row.version() }),
            _ => self.open_movement(&row.id).await,
        }
    }

    async fn is_concerned(&mut self, movement: &str, trader: &str) -> Result<bool, Refused> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT trader FROM movements WHERE id = $1 AND trader = $2 \
             UNION SELECT trader FROM consignments WHERE movement = $1 AND trader = $2",
        )
        .bind(movement.to_owned())
        .bind(trader.to_owned())
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(found.is_some())
    }

    async fn keep_version(
        &mut self,
        row: &look::MovementRow,
        carried: &[look::ConsignmentRow],
        who: &str,
        at: UtcMillis,
    ) -> Result<(), Refused> {
        let ccrns: Vec<&str> = carried.iter().map(|row| row.ccrn.as_str()).collect();
        let body = serde_json::json!({
            "vehicle": row.vehicle()?, "site": row.site, "expected_arrival": row.expected_arrival,
            "load": row.load(), "direction": row.direction, "ccrns": ccrns,
        });
        sqlx::query(
            "INSERT INTO movement_versions (id, version, body, evidence, replaced_by, replaced_at) \
             SELECT id, version, $2, evidence, $3, $4 FROM movements WHERE id = $1",
        )
        .bind(row.id.clone())
        .bind(body.to_string())
        .bind(who.to_owned())
        .bind(at.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
