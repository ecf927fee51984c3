//! Electronic locks of consignments in transhipment: what the first control point has inspected and sealed, the second need not
//! inspect again, as long as the seal is intact.

use clearance::ids::{SiteId, UtcMillis};
use futures::future::BoxFuture;
use serde::Serialize;

use super::{Conflict, Refused, look};
use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, StorageError, Store, Write};
use crate::trade::News;
use crate::trade::news::{Doer, SealState};

/// A seal as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct SealRow {
    /// Its number.
    pub seal: String,
    /// Control point where the consignment was inspected and sealed; empty: it was sealed without an inspection.
    pub inspected_at_site: String,
    /// When it was put on, milliseconds since 1970.
    pub fixed_at: i64,
    /// `intact`, `broken` or `missing`.
    pub state: String,
    /// When that was last reported.
    pub reported_at: i64,
}

/// Put a seal on.
pub(crate) struct FixSeal {
    pub(crate) ccrn: Ccrn,
    pub(crate) seal: String,
    /// Where it was inspected, if it was.
    pub(crate) inspected_at: Option<SiteId>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for FixSeal {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let row = look::consignment(&mut write.tx, &self.ccrn)
                .await?
                .ok_or(Refused::NotFound("consignment"))?;
            let done = sqlx::query(
                "INSERT INTO seals (ccrn, seal, inspected_at_site, fixed_at, state, reported_by, reported_at) \
                 VALUES ($1, $2, $3, $4, 'intact', $5, $4) ON CONFLICT DO NOTHING",
            )
            .bind(self.ccrn.as_str().to_owned())
            .bind(self.seal.clone())
            .bind(self.inspected_at.map_or(String::new(), |site| site.to_string()))
            .bind(self.at.0)
            .bind(self.by.clone())
            .execute(&mut *write.tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(Refused::Standing(Conflict::Exists));
            }
            let by = (self.by.as_str(), &Doer::authority());
            write.tell_of_seal(&row, self.seal, SealState::Intact, by, self.at).await?;
            Ok(())
        })
    }
}

/// Report how a seal is. Broken or missing, the movement it travels with is assessed anew; it never becomes intact again.
pub(crate) struct ReportSeal {
    pub(crate) ccrn: Ccrn,
    pub(crate) seal: String,
    pub(crate) state: SealState,
    /// Name of the officer or of whoever else reports it.
    pub(crate) who: String,
    pub(crate) by: Doer,
    pub(crate) at: UtcMillis,
}

impl Change for ReportSeal {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let row = look::consignment(&mut write.tx, &self.ccrn)
                .await?
                .ok_or(Refused::NotFound("consignment"))?;
            let done = sqlx::query(
                "UPDATE seals SET state = $1, reported_by = $2, reported_at = $3 WHERE ccrn = $4 AND seal = $5 AND (state = 'intact' OR $1 <> 'intact')",
            )
            .bind(self.state.name())
            .bind(self.who.clone())
            .bind(self.at.0)
            .bind(self.ccrn.as_str().to_owned())
            .bind(self.seal.clone())
            .execute(&mut *write.tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(Refused::NotFound("intact seal"));
            }
            let by = (self.who.as_str(), &self.by);
            write.tell_of_seal(&row, self.seal, self.state, by, self.at).await?;
            if self.state != SealState::Intact
                && let Some(movement) = &row.movement
            {
                write.reassess(movement, Some(&self.ccrn), by, self.at).await?;
            }
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn tell_of_seal(
        &mut self,
        row: &look::ConsignmentRow,
        seal: String,
        state: SealState,
        (who, by): (&str, &Doer),
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let noted = Noted::Seal { seal: seal.clone(), state };
        self.audit(at, who, &noted, row.ccrn.as_str()).await?;
        let news = News::Seal { seal, state };
        self.tell(&row.trader, at, row.ccrn.as_str(), &news, by).await?;
        match &row.movement {
            Some(movement) => self.tell_concerned(movement, at, &news, by).await,
            None => Ok(()),
        }
    }
}

impl Store {
    /// The seals of a consignment, oldest first.
    pub async fn seals(&self, ccrn: &Ccrn) -> Result<Vec<SealRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT seal, inspected_at_site, fixed_at, state, reported_at FROM seals WHERE ccrn = $1 ORDER BY fixed_at, seal",
        )
        .bind(ccrn.as_str())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Whether every consignment of a movement lies under an intact seal that another control point has put on after an
    /// inspection: then it is not inspected twice.
    pub async fn is_under_seal(&self, movement: &str, here: &str) -> Result<bool, StorageError> {
        let (carried, sealed): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN EXISTS (SELECT 1 FROM seals s WHERE s.ccrn = c.ccrn AND s.state = 'intact' \
             AND s.inspected_at_site <> '' AND s.inspected_at_site <> $1) \
             AND NOT EXISTS (SELECT 1 FROM seals s WHERE s.ccrn = c.ccrn AND s.state <> 'intact') THEN 1 END) \
             FROM consignments c WHERE c.movement = $2 AND c.cancelled = 0",
        )
        .bind(here)
        .bind(movement)
        .fetch_one(&self.pool)
        .await?;
        Ok(carried > 0 && carried == sealed)
    }
}
