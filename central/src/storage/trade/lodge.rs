//! Lodging, amending and taking back consignments.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::{Conflict, Refused};
use crate::ccrn::Ccrn;
use crate::storage::statement::{ROWS, rows};
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::news::Doer;
use crate::trade::{Caller, Consignment, News};

/// Lodge one consignment under a number that was made for it.
pub(crate) struct Lodge {
    pub(crate) caller: Caller,
    pub(crate) ccrn: Ccrn,
    pub(crate) consignment: Consignment,
    pub(crate) at: UtcMillis,
}

impl Change for Lodge {
    type Done = Ccrn;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Ccrn, StorageError>> {
        Box::pin(async move {
            let lodged = [(self.ccrn, self.consignment)];
            write.lodge(&self.caller, &lodged, self.at).await?;
            let [(ccrn, _)] = lodged;
            Ok(ccrn)
        })
    }
}

/// Lodge many consignments, all or none.
pub(crate) struct LodgeMany {
    pub(crate) caller: Caller,
    pub(crate) consignments: Vec<(Ccrn, Consignment)>,
    pub(crate) at: UtcMillis,
}

impl Change for LodgeMany {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { write.lodge(&self.caller, &self.consignments, self.at).await })
    }
}

impl Write<'_> {
    /// Store consignments that were checked.
    pub(crate) async fn lodge(
        &mut self,
        caller: &Caller,
        lodged: &[(Ccrn, Consignment)],
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        const INSERT: &str = "INSERT INTO consignments (ccrn, body, lodged_by, lodged_at, trader, sandbox, consignee, consignor, changed_at, evidence) VALUES ";
        for some in lodged.chunks(ROWS) {
            let mut query = sqlx::query(AssertSqlSafe(rows(INSERT, 10, some.len())));
            for (ccrn, consignment) in some {
                query = query
                    .bind(ccrn.as_str().to_owned())
                    .bind(serde_json::to_string(consignment).map_err(data)?)
                    .bind(caller.who.clone())
                    .bind(at.0)
                    .bind(caller.trader.as_str().to_owned())
                    .bind(i64::from(caller.sandbox))
                    .bind(consignment.folded_consignee())
                    .bind(consignment.folded_consignor())
                    .bind(at.0)
                    .bind(caller.evidence.clone());
            }
            query.execute(&mut *self.tx).await?;
        }
        let subjects: Vec<String> = lodged.iter().map(|(ccrn, _)| ccrn.to_string()).collect();
        self.audit_each(at, &caller.who, subjects.iter().map(|to| (Noted::Lodge, to.clone()))).await?;
        self.tell_each(caller.trader.as_str(), at, &subjects, &News::Lodged, &Doer::of(caller)).await
    }
}

/// Amend a consignment, bundled or not.
pub(crate) struct Amend {
    pub(crate) caller: Caller,
    pub(crate) ccrn: Ccrn,
    pub(crate) consignment: Consignment,
    /// The version that the caller has seen.
    pub(crate) seen: Option<u32>,
    pub(crate) at: UtcMillis,
}

impl Change for Amend {
    type Done = u32;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u32, Refused>> {
        Box::pin(async move {
            let row = write.own_consignment(&self.caller, &self.ccrn, self.seen).await?;
            if let Some(movement) = &row.movement {
                write.open_movement(movement).await?;
                if row.consignment.direction != self.consignment.direction {
                    // A CCRN has a direction: the other consignments of the vehicle go that way.
                    return Err(Refused::fault("/direction", crate::trade::Fault::OtherDirection));
                }
            }
            let version = row.version + 1;
            sqlx::query(
                "INSERT INTO consignment_versions (ccrn, version, body, evidence, replaced_by, replaced_at) \
                 SELECT ccrn, version, body, evidence, $1, $2 FROM consignments WHERE ccrn = $3",
            )
            .bind(self.caller.who.clone())
            .bind(self.at.0)
            .bind(self.ccrn.as_str().to_owned())
            .execute(&mut *write.tx)
            .await?;
            sqlx::query(
                "UPDATE consignments SET body = $1, consignee = $2, consignor = $3, version = $4, changed_at = $5, evidence = $6 WHERE ccrn = $7",
            )
            .bind(serde_json::to_string(&self.consignment).map_err(data)?)
            .bind(self.consignment.folded_consignee())
            .bind(self.consignment.folded_consignor())
            .bind(i64::from(version))
            .bind(self.at.0)
            .bind(self.caller.evidence.clone())
            .bind(self.ccrn.as_str().to_owned())
            .execute(&mut *write.tx)
            .await?;
            let who = self.caller.who.as_str();
            write.audit(self.at, who, &Noted::Amend { version }, self.ccrn.as_str()).await?;
            let news = News::Amended { version };
            let by = Doer::of(&self.caller);
            write.tell(self.caller.trader.as_str(), self.at, self.ccrn.as_str(), &news, &by).await?;
            if let Some(movement) = &row.movement {
                write.reassess(movement, Some(&self.ccrn), (who, &by), self.at).await?;
            }
            Ok(version)
        })
    }
}

/// Take a consignment back. What is bundled stays with its vehicle, which is held until its carrier has unbundled it.
pub(crate) struct CancelConsignment {
    pub(crate) caller: Caller,
    pub(crate) ccrn: Ccrn,
    pub(crate) seen: Option<u32>,
    pub(crate) at: UtcMillis,
}

impl Change for CancelConsignment {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let row = write.own_consignment(&self.caller, &self.ccrn, self.seen).await?;
            if let Some(movement) = &row.movement {
                write.open_movement(movement).await?;
            }
            sqlx::query("UPDATE consignments SET cancelled = 1, version = version + 1, changed_at = $1 WHERE ccrn = $2")
                .bind(self.at.0)
                .bind(self.ccrn.as_str().to_owned())
                .execute(&mut *write.tx)
                .await?;
            let who = self.caller.who.as_str();
            write.audit(self.at, who, &Noted::CancelConsignment, self.ccrn.as_str()).await?;
            let trader = self.caller.trader.as_str();
            let by = Doer::of(&self.caller);
            write.tell(trader, self.at, self.ccrn.as_str(), &News::ConsignmentCancelled, &by).await?;
            if let Some(movement) = &row.movement {
                write.reassess(movement, Some(&self.ccrn), (who, &by), self.at).await?;
            }
            Ok(())
        })
    }
}

impl Write<'_> {
    /// The caller's own consignment, to change.
    async fn own_consignment(
        &mut self,
        caller: &Caller,
        ccrn: &Ccrn,
        seen: Option<u32>,
    ) -> Result<super::ConsignmentRow, Refused> {
        let row = super::look::consignment(&mut self.tx, ccrn).await?;
        let own = |row: &super::ConsignmentRow| row.trader == caller.trader.as_str();
        let row = row.filter(own).ok_or(Refused::NotFound("consignment"))?;
        if row.cancelled {
            return Err(Refused::Standing(Conflict::Cancelled));
        }
        match seen {
            Some(seen) if seen != row.version => Err(Refused::Version { now: row.version }),
            _ => Ok(row),
        }
    }
}
