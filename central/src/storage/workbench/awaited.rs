//! Movements that still come, as the selectors' queue shows them.

use std::collections::BTreeMap;

use clearance::directive::ActionCode;
use clearance::ids::{SiteId, UtcMillis};
use sqlx::AssertSqlSafe;

use super::{ClaimRow, DecisionRow};
use crate::storage::screening::SCREENING;
use crate::storage::statement::{ROWS, rows};
use crate::storage::trade::{
    Carrying, ConsignmentRow, MovementRow, consignment_row, consignments, in_force, movements,
};
use crate::storage::{StorageError, Store};
use crate::workbench::decision::{Stamp, strictness};

/// What of the queue is looked at. Each movement that still comes is in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Without a code; or screening would stop it: that is an officer's to confirm, with a reason.
    Decide,
    /// Waiting for a second pair of eyes.
    Second,
    /// With a code, still to come.
    Coded,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Decide, Self::Second, Self::Coded];

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Second => "second",
            Self::Coded => "coded",
        }
    }

    /// As it was asked for.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// What holds of its movements.
    fn condition(self) -> String {
        let waits = "id IN (SELECT movement FROM decisions WHERE state = 'waiting')";
        let to_confirm = format!("COALESCE(action_by, '') = '{SCREENING}' AND action <> 'release'");
        let to_decide = format!("(action IS NULL OR ({to_confirm}))");
        match self {
            Self::Second => waits.to_owned(),
            Self::Decide => format!("(NOT {waits} AND {to_decide})"),
            Self::Coded => format!("(NOT {waits} AND NOT {to_decide})"),
        }
    }
}

/// Where and when movements are expected.
#[derive(Clone, Debug)]
pub struct AwaitedIn {
    /// The control point; none: all.
    pub site: Option<SiteId>,
    /// Expected from.
    pub from: UtcMillis,
    /// Expected until.
    pub until: UtcMillis,
}

/// How many still come.
#[derive(Clone, Debug, Default)]
pub struct Coming {
    /// In the views, in the order of [`View::ALL`].
    pub views: [i64; 3],
    /// Without a code, and at the lane or expected soon.
    pub urgent: i64,
    /// Of these, the one that comes first.
    pub next: Option<MovementRow>,
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

/// What no lane has signalled for yet, in a window of time at a control point. The index `movements_awaited` has its first half word for
/// word.
const AWAITED: &str = "signalled IS NULL AND cancelled_at IS NULL AND departed_at IS NULL AND sandbox = 0 \
    AND expected_arrival BETWEEN $1 AND $2 AND ($3 = '' OR site || '' IN ($3, ''))";

/// Nobody has given it a code, and it is at the lane or expected by `$4`.
const URGENT: &str = "action IS NULL AND (arrived_at IS NOT NULL OR expected_arrival <= $4)";

impl Store {
    /// Movements of a view, at most so many: those without a code first, of those the ones at the lane and then the first expected;
    /// then those with the strictest codes. Nothing of a sandbox.
    pub async fn awaited(
        &self,
        find: &AwaitedIn,
        view: View,
        most: u32,
        now: UtcMillis,
    ) -> Result<Vec<Awaited>, StorageError> {
        let codes = ActionCode::ALL.map(|code| format!("WHEN '{}' THEN {}", code.code(), strictness(code)));
        // What is to be shown is found in the index, and only that is read.
        let statement = movements(&format!(
            "WHERE id IN (SELECT id FROM movements WHERE {AWAITED} AND {} ORDER BY \
             CASE WHEN action IS NOT NULL THEN 2 WHEN arrived_at IS NULL THEN 1 ELSE 0 END, \
             CASE action {} ELSE 0 END DESC, expected_arrival, id LIMIT $4)",
            view.condition(),
            codes.join(" ")
        ));
        let found: Vec<MovementRow> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(find.from.0)
            .bind(find.until.0)
            .bind(find.site.as_ref().map_or("", SiteId::as_str))
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        self.with_decisions(found, now).await
    }

    /// How many still come, however many that are; `soon`: until when those without a code are urgent.
    pub async fn coming(&self, find: &AwaitedIn, soon: UtcMillis) -> Result<Coming, StorageError> {
        let counts =
            [View::Decide.condition(), View::Second.condition(), View::Coded.condition(), URGENT.to_owned()];
        let counts = counts
            .map(|holds| format!("CAST(COALESCE(SUM(CASE WHEN {holds} THEN 1 ELSE 0 END), 0) AS BIGINT)"));
        let statement = format!("SELECT {} FROM movements WHERE {AWAITED}", counts.join(", "));
        let site = find.site.as_ref().map_or("", SiteId::as_str);
        let (decide, second, coded, urgent) = sqlx::query_as(AssertSqlSafe(statement))
            .bind(find.from.0)
            .bind(find.until.0)
            .bind(site)
            .bind(soon.0)
            .fetch_one(&self.pool)
            .await?;
        let first = movements(&format!(
            "WHERE {AWAITED} AND {URGENT} ORDER BY CASE WHEN arrived_at IS NULL THEN 1 ELSE 0 END, expected_arrival, id LIMIT 1"
        ));
        let next = sqlx::query_as(AssertSqlSafe(first))
            .bind(find.from.0)
            .bind(find.until.0)
            .bind(site)
            .bind(soon.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(Coming { views: [decide, second, coded], urgent, next })
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
