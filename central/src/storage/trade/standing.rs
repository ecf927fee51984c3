//! Lists of what stands somewhere. Where something stands follows from facts, the time and what it carries; the facts' part of it is
//! an expression that an index has, and the rest is looked at for each.

use clearance::ids::UtcMillis;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use super::{ConsignmentRow, MovementRow, look};
use crate::storage::{StorageError, Store};
use crate::trade::place::Place;
use crate::trade::{MovementStatus, TraderId};

/// Where a consignment stands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsignmentStatus {
    /// Lodged, and with no vehicle.
    Lodged,
    /// It travels with a vehicle.
    Bundled,
    /// Taken back.
    Cancelled,
}

impl ConsignmentStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lodged, Self::Bundled, Self::Cancelled];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lodged => "lodged",
            Self::Bundled => "bundled",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Word for word as the indexes have them (migration 12).
const CONSIGNMENT: &str =
    "(CASE WHEN cancelled = 1 THEN 'cancelled' WHEN movement IS NULL THEN 'lodged' ELSE 'bundled' END)";
const MOVEMENT: &str = "(CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled' WHEN departed_at IS NOT NULL THEN 'departed' \
     WHEN inspected IS NOT NULL THEN 'inspected' WHEN signalled = 'released' THEN 'released' WHEN signalled IS NOT NULL THEN 'directed' \
     WHEN arrived_at IS NOT NULL THEN 'arrived' WHEN action IS NOT NULL THEN 'assessed' ELSE 'bundled' END)";

/// Movements that are looked at for one page: whether nothing is missing is seen on each only.
const LOOKED_AT: u32 = 1_000;

/// A position in a list: the time by which it is ordered, and the number or id.
pub type Position = (i64, String);

/// A position as it stands in an address.
pub(crate) fn position((at, id): &Position) -> String {
    format!("{at}_{id}")
}

/// A position as it stood in an address.
pub(crate) fn read_position(text: &str) -> Option<Position> {
    let (at, id) = text.split_once('_')?;
    Some((at.parse().ok()?, id.to_owned()))
}

/// Some of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Latest first.
    pub items: Vec<T>,
    /// After which the next page begins; none: there are no more.
    pub next: Option<Position>,
}

impl Store {
    /// A trader's consignments that stand somewhere, latest first.
    pub async fn consignments_at(
        &self,
        trader: &TraderId,
        status: ConsignmentStatus,
        before: Option<Position>,
        most: u32,
    ) -> Result<Page<ConsignmentRow>, StorageError> {
        let (at, ccrn) = before.unwrap_or((i64::MAX, String::new()));
        let statement = look::consignments(&format!(
            "WHERE trader = $1 AND {CONSIGNMENT} = $2 AND (lodged_at, ccrn) < ($3, $4) ORDER BY lodged_at DESC, ccrn DESC LIMIT $5"
        ));
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(trader.as_str())
            .bind(status.name())
            .bind(at)
            .bind(ccrn)
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        let items: Vec<_> = rows.iter().map(look::consignment_row).collect::<Result<_, _>>()?;
        let full = items.len() == most as usize;
        let next = items.last().filter(|_| full).map(|row| (row.lodged_at.0, row.ccrn.to_string()));
        Ok(Page { items, next })
    }

    /// A trader's movements that stand somewhere at `now`, by expected arrival, latest first.
    pub async fn movements_at(
        &self,
        trader: &TraderId,
        status: MovementStatus,
        before: Option<Position>,
        most: u32,
        (place, now): (&Place, UtcMillis),
    ) -> Result<Page<MovementRow>, StorageError> {
        use MovementStatus::{Assessed, Bundled, Expired, Lodged, Ready};
        let (mut items, mut next, mut looked_at) = (Vec::new(), before, 0);
        loop {
            let (standings, over): (&[&str], _) = match status {
                Lodged => (&[], None),
                Expired => (&["assessed", "bundled"], Some(true)),
                Assessed => (&["assessed"], Some(false)),
                Bundled | Ready => (&["bundled"], Some(false)),
                _ => (&[status.name()], None),
            };
            let mut rows = Vec::new();
            for standing in standings {
                let of = Standing { name: standing, over, ended: place.ended(now) };
                rows.extend(self.movements_standing(trader, &of, next.clone(), most).await?);
            }
            rows.sort_by(|a: &MovementRow, b| (b.expected_arrival, &b.id).cmp(&(a.expected_arrival, &a.id)));
            rows.truncate(most as usize);
            let last = rows.len() < most as usize;
            for row in rows {
                next = Some((row.expected_arrival, row.id.clone()));
                looked_at += 1;
                let fits = !matches!(status, Bundled | Ready)
                    || self.with_load(row.clone(), now).await?.status(place, now) == status;
                items.extend(fits.then_some(row));
                if items.len() == most as usize {
                    return Ok(Page { items, next });
                }
            }
            if last {
                return Ok(Page { items, next: None });
            }
            if looked_at >= LOOKED_AT {
                return Ok(Page { items, next });
            }
        }
    }

    async fn movements_standing(
        &self,
        trader: &TraderId,
        of: &Standing<'_>,
        before: Option<Position>,
        most: u32,
    ) -> Result<Vec<MovementRow>, StorageError> {
        let (at, id) = before.unwrap_or((i64::MAX, String::new()));
        let (from, to) = match of.over {
            None => (i64::MIN, i64::MAX),
            Some(true) => (i64::MIN, of.ended.0),
            Some(false) => (of.ended.0.saturating_add(1), i64::MAX),
        };
        let statement = look::movements(&format!(
            "WHERE trader = $1 AND {MOVEMENT} = $2 AND (expected_arrival, id) < ($3, $4) AND expected_arrival BETWEEN $5 AND $6 \
             ORDER BY expected_arrival DESC, id DESC LIMIT $7"
        ));
        let rows = sqlx::query_as(AssertSqlSafe(statement))
            .bind(trader.as_str())
            .bind(of.name)
            .bind(at)
            .bind(id)
            .bind(from)
            .bind(to)
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }
}

/// Movements that a statement gives.
struct Standing<'a> {
    name: &'a str,
    /// Whether their time must be over, or must not.
    over: Option<bool>,
    /// Whatever was expected then or before is over.
    ended: UtcMillis,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clearance::wire::Signer;

    use super::*;
    use crate::storage::Database;

    #[tokio::test]
    async fn an_index_has_each_standing_and_each_mark() {
        let dir = tempfile::TempDir::new().unwrap();
        let database = Database::Sqlite(dir.path().join("central.sqlite"));
        let store = Store::open(&database, &[], Arc::new(Signer::from_secret(&[1; 32]))).await.unwrap();
        for (table, expression, (at, id), index) in [
            (
                "consignments",
                CONSIGNMENT,
                ("lodged_at", "ccrn"),
                "consignments_by_standing (trader=? AND <expr>=?",
            ),
            (
                "movements",
                MOVEMENT,
                ("expected_arrival", "id"),
                "movements_by_standing (trader=? AND <expr>=?",
            ),
            (
                "movements",
                "mark",
                ("expected_arrival", "id"),
                "movements_of_trader_by_mark (trader=? AND mark=?",
            ),
        ] {
            let statement = format!(
                "EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE trader = $1 AND {expression} = $2 AND ({at}, {id}) < ($3, $4) \
                 ORDER BY {at} DESC, {id} DESC LIMIT 50"
            );
            let plan = plan(&store, &statement).await;
            assert!(plan.contains(index), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        let numbers =
            look::consignments("WHERE ccrn >= $1 AND ccrn < $3 AND trader || '' = $4 ORDER BY ccrn LIMIT $5");
        let plan = plan(&store, &format!("EXPLAIN QUERY PLAN {numbers}")).await;
        assert!(plan.contains("(ccrn>? AND ccrn<?)"), "{plan}");
    }

    async fn plan(store: &Store, statement: &str) -> String {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(statement)).fetch_all(&store.pool).await.unwrap();
        plan.into_iter().map(|(.., step)| step).collect()
    }
}
