//! What the rules of the place keep no longer rolls off: in small transactions, so that nobody waits for it. The audit stays, and
//! so does whatever is not over.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;

use crate::storage::statement::rows;
use crate::storage::{Change, Noted, StorageError, Store, Write};

/// Rows that one transaction takes of each kind.
const AT_ONCE: i64 = 250;

/// What rolls off: the rows that go, by their table's key, oldest first.
const CONSIGNMENTS: &str = "SELECT ccrn FROM consignments WHERE lodged_at < $1 AND changed_at < $1 AND NOT EXISTS \
    (SELECT 1 FROM movements m WHERE m.id = consignments.movement AND (m.changed_at >= $1 OR m.expected_arrival >= $1 OR (m.arrived_at IS NOT NULL AND m.departed_at IS NULL AND m.cancelled_at IS NULL))) \
    ORDER BY lodged_at LIMIT $2";
const MOVEMENTS: &str = "SELECT id FROM movements WHERE expected_arrival < $1 AND changed_at < $1 AND valid_until < $1 \
    AND (arrived_at IS NULL OR departed_at IS NOT NULL OR cancelled_at IS NOT NULL) AND NOT EXISTS \
    (SELECT 1 FROM consignments c WHERE c.movement = movements.id) ORDER BY expected_arrival LIMIT $2";
const REQUESTS: &str = "SELECT id FROM requests WHERE accepted_at < $1 AND NOT EXISTS \
    (SELECT 1 FROM request_parts p WHERE p.request = requests.id AND p.outcomes IS NULL) ORDER BY accepted_at LIMIT $2";

/// A kind of rows, and the tables that name them by a column.
struct Kind {
    go: &'static str,
    of: &'static [(&'static str, &'static str)],
}

const KINDS: [Kind; 3] = [
    Kind {
        go: CONSIGNMENTS,
        of: &[("seals", "ccrn"), ("consignment_versions", "ccrn"), ("consignments", "ccrn")],
    },
    Kind { go: MOVEMENTS, of: &[("movement_versions", "id"), ("movements", "id")] },
    Kind { go: REQUESTS, of: &[("request_parts", "request"), ("requests", "id")] },
];

/// Take away some of what was last changed before a moment; gives how many rows went.
pub(crate) struct RollOff {
    pub(crate) before: UtcMillis,
    pub(crate) at: UtcMillis,
}

impl Change for RollOff {
    type Done = u64;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let mut gone = 0;
            for kind in &KINDS {
                gone += write.roll_off(kind, self.before).await?;
            }
            gone += write.roll_off_events(self.before, self.at).await?;
            gone += write.roll_off_deliveries(self.before, AT_ONCE).await?;
            Ok(gone)
        })
    }
}

impl Write<'_> {
    async fn roll_off(&mut self, kind: &Kind, before: UtcMillis) -> Result<u64, StorageError> {
        let keys: Vec<String> =
            sqlx::query_scalar(kind.go).bind(before.0).bind(AT_ONCE).fetch_all(&mut *self.tx).await?;
        if keys.is_empty() {
            return Ok(0);
        }
        for (table, column) in kind.of {
            let statement = rows(&format!("DELETE FROM {table} WHERE {column} IN "), keys.len(), 1);
            let query = keys.iter().fold(sqlx::query(AssertSqlSafe(statement)), |q, key| q.bind(key.clone()));
            query.execute(&mut *self.tx).await?;
        }
        Ok(keys.len() as u64)
    }

    async fn roll_off_events(&mut self, before: UtcMillis, at: UtcMillis) -> Result<u64, StorageError> {
        let seqs: Vec<i64> = sqlx::query_scalar("SELECT seq FROM events WHERE at < $1 ORDER BY at LIMIT $2")
            .bind(before.0)
            .bind(AT_ONCE)
            .fetch_all(&mut *self.tx)
            .await?;
        if seqs.is_empty() {
            return Ok(0);
        }
        self.roll_off_untold(&seqs, at).await?;
        let statement = rows("DELETE FROM events WHERE seq IN ", seqs.len(), 1);
        let query = seqs.iter().fold(sqlx::query(AssertSqlSafe(statement)), |query, seq| query.bind(*seq));
        query.execute(&mut *self.tx).await?;
        Ok(seqs.len() as u64)
    }
}

impl Store {
    /// Take away everything that was last changed before a moment, a little at a time; gives how many rows went.
    pub async fn roll_off(&self, before: UtcMillis, now: UtcMillis) -> Result<u64, StorageError> {
        let mut all = 0;
        loop {
            match self.change(RollOff { before, at: now }).await? {
                0 if all == 0 => return Ok(0),
                0 => {
                    self.audit(now, "retention", &Noted::RollOff { rows: all }, "").await?;
                    return Ok(all);
                }
                gone => all += gone,
            }
            // Others who wait come first.
            tokio::task::yield_now().await;
        }
    }
}
