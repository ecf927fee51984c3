//! Movements that still come, as the selectors' queue shows them.

use std::collections::BTreeMap;

use clearance::ids::{SiteId, UtcMillis};
use sqlx::AssertSqlSafe;

use super::{ClaimRow, DecisionRow};
use crate::storage::statement::{ROWS, rows};
use crate::storage::trade::{
    Carrying, ConsignmentRow, MovementRow, consignment_row, consignments, in_force, movements,
};
use crate::storage::{StorageError, Store};
use crate::workbench::decision::Stamp;

/// Which movements are asked for.
#[derive(Clone, Debug)]
pub struct AwaitedIn {
    /// The control point; none: all.
    pub site: Option<SiteId>,
    /// Expected from.
    pub from: UtcMillis,
    /// Expected until.
    pub until: UtcMillis,
    /// At most, the first expected first.
    pub most: u32,
}

/// A movement that still comes.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// It and what it carries.
    pub carrying: Carrying,
    /// Its decisions, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// Who works on it.
    pub claim: Option<ClaimRow>,
}

impl Awaited {
    /// What somebody who looks at it now has seen.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            version: i64::from(self.carrying.movement.version()),
            cargo: self.carrying.consignments.iter().map(|row| i64::from(row.version)).sum(),
            decision: self.decisions.last().map(DecisionRow::stamp),
        }
    }
}

impl Store {
    /// Movements that no lane has signalled for yet, by expected arrival; nothing of a sandbox.
    pub async fn awaited(&self, find: &AwaitedIn, now: UtcMillis) -> Result<Vec<Awaited>, StorageError> {
        let statement = movements(
            "WHERE expected_arrival BETWEEN $1 AND $2 AND sandbox = 0 AND cancelled_at IS NULL AND departed_at IS NULL \
             AND signalled IS NULL AND ($3 = '' OR site || '' IN ($3, '')) ORDER BY expected_arrival, id LIMIT $4",
        );
        let found: Vec<MovementRow> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(find.from.0)
            .bind(find.until.0)
            .bind(find.site.as_ref().map_or("", SiteId::as_str))
            .bind(i64::from(find.most))
            .fetch_all(&self.pool)
            .await?;
        self.with_decisions(found, now).await
    }

    /// One movement as the queue shows it, whether it still comes or not.
    pub async fn awaited_one(&self, id: &str, now: UtcMillis) -> Result<Option<Awaited>, StorageError> {
        let statement = movements("WHERE id = $1 AND sandbox = 0");
        let found: Vec<MovementRow> =
            sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_all(&self.pool).await?;
        Ok(self.with_decisions(found, now).await?.pop())
    }

    async fn with_decisions(
        &self,
        found: Vec<MovementRow>,
        now: UtcMillis,
    ) -> Result<Vec<Awaited>, StorageError> {
        let ids: Vec<String> = found.iter().map(|row| row.id.clone()).collect();
        let mut cargo = self.cargo_of(&ids).await?;
        let mut decisions: BTreeMap<String, Vec<DecisionRow>> = BTreeMap::new();
        for decision in self.decisions(&ids).await? {
            decisions.entry(decision.movement.clone()).or_default().push(decision);
        }
        let mut claims: BTreeMap<String, ClaimRow> =
            self.claims(&ids, now).await?.into_iter().map(|claim| (claim.movement.clone(), claim)).collect();
        let mut notices: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut awaited = Vec::with_capacity(found.len());
        for movement in found {
            if !notices.contains_key(&movement.site) {
                let notice = in_force(&mut *self.pool.acquire().await?, &movement.site, now).await?;
                notices.insert(movement.site.clone(), notice);
            }
            let id = movement.id.clone();
            let notice = notices.get(&movement.site).cloned().flatten();
            let consignments = cargo.remove(&id).unwrap_or_default();
            awaited.push(Awaited {
                carrying: Carrying { movement, consignments, notice },
                decisions: decisions.remove(&id).unwrap_or_default(),
                claim: claims.remove(&id),
            });
        }
        Ok(awaited)
    }

    async fn cargo_of(&self, ids: &[String]) -> Result<BTreeMap<String, Vec<ConsignmentRow>>, StorageError> {
        let mut cargo: BTreeMap<String, Vec<ConsignmentRow>> = BTreeMap::new();
        for some in ids.chunks(ROWS) {
            let statement =
                format!("{} ORDER BY ccrn", rows(&consignments("WHERE movement IN "), some.len(), 1));
            let query = some.iter().fold(sqlx::query(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
            for row in &query.fetch_all(&self.pool).await? {
                let row = consignment_row(row)?;
                cargo.entry(row.movement.clone().unwrap_or_default()).or_default().push(row);
            }
        }
        Ok(cargo)
    }

    /// The marks of some movements, by id.
    pub async fn marks_of(&self, ids: &[String]) -> Result<BTreeMap<String, String>, StorageError> {
        let mut marks = BTreeMap::new();
        for some in ids.chunks(ROWS) {
            let statement = rows("SELECT id, mark FROM movements WHERE id IN ", some.len(), 1);
            let query =
                some.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
            let found: Vec<(String, String)> = query.fetch_all(&self.pool).await?;
            marks.extend(found);
        }
        Ok(marks)
    }
}
