//! What the rules of the place keep no longer rolls off: in small transactions, so that nobody waits for it. The audit stays, and
//! so does whatever is not over.

use std::time::Duration;

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use crate::storage::statement::rows;
use crate::storage::{Change, Noted, StorageError, Store, Write};

/// Rows that one transaction takes, at least and at most.
const LEAST: i64 = 10;
const MOST: i64 = 250;

/// As long as one transaction should take: whoever lodges waits for one, and for the one that takes the next rows and theirs.
const A_MOMENT: Duration = Duration::from_millis(5);

/// So many times as long as it took nothing is taken away then. It still takes away many more in a day than are lodged in one.
const REST: u32 = 4;

/// What rolls off: the rows that go, by their table's key, oldest first.
const CONSIGNMENTS: &str = "SELECT ccrn FROM consignments WHERE lodged_at < $1 AND changed_at < $1 AND NOT EXISTS \
    (SELECT 1 FROM movements m WHERE m.id = consignments.movement AND (m.changed_at >= $1 OR m.expected_arrival >= $1 OR (m.arrived_at IS NOT NULL AND m.departed_at IS NULL AND m.cancelled_at IS NULL))) \
    ORDER BY lodged_at LIMIT $2";
const MOVEMENTS: &str = "SELECT id FROM movements WHERE expected_arrival < $1 AND changed_at < $1 AND valid_until < $1 \
    AND (arrived_at IS NULL OR departed_at IS NOT NULL OR cancelled_at IS NOT NULL) AND NOT EXISTS \
    (SELECT 1 FROM consignments c WHERE c.movement = movements.id) ORDER BY expected_arrival LIMIT $2";
const REQUESTS: &str = "SELECT id FROM requests WHERE accepted_at < $1 AND NOT EXISTS \
    (SELECT 1 FROM request_parts p WHERE p.request = requests.id AND p.outcomes IS NULL AND requests.failed IS NULL) ORDER BY accepted_at LIMIT $2";

/// Pictures of passages whose declaration is not kept either. A passage's id begins with its time (a UUID of version 7). The passages
/// themselves stay: the log names those that have used a directive up, and a step that comes once more must be known.
const PICTURES: &str = "DELETE FROM evidence WHERE digest IN (SELECT digest FROM evidence WHERE passage < $1 AND NOT EXISTS \
    (SELECT 1 FROM passages p WHERE p.id = evidence.passage AND (p.waiting = 1 OR EXISTS (SELECT 1 FROM movements m WHERE m.id = p.movement))) \
    ORDER BY passage LIMIT $2)";

/// What was decided outlives what was declared: an assessment holds all that it rests on, and can be made again without it.
const ASSESSMENTS: &str = "SELECT movement FROM assessments WHERE latest = 1 AND at < $1 AND NOT EXISTS \
    (SELECT 1 FROM movements m WHERE m.id = assessments.movement) ORDER BY at LIMIT $2";
const DECISIONS: &str = "SELECT id FROM decisions WHERE at < $1 AND NOT EXISTS \
    (SELECT 1 FROM movements m WHERE m.id = decisions.movement) ORDER BY at LIMIT $2";

/// From when on something is kept; what was last changed before rolls off.
#[derive(Clone, Copy, Debug)]
pub struct KeptSince {
    /// Declarations, and what came of them.
    pub declarations: UtcMillis,
    /// What was decided of them, and why.
    pub decisions: UtcMillis,
}

impl KeptSince {
    fn of(&self, kind: &Kind) -> UtcMillis {
        if kind.decided { self.decisions } else { self.declarations }
    }
}

/// A kind of rows, and the tables that name them by a column.
struct Kind {
    go: &'static str,
    of: &'static [(&'static str, &'static str)],
    /// Whether it is what was decided.
    decided: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        decided: false,
        go: CONSIGNMENTS,
        of: &[("seals", "ccrn"), ("consignment_versions", "ccrn"), ("consignments", "ccrn")],
    },
    Kind {
        decided: false,
        go: MOVEMENTS,
        of: &[
            ("rule_hits", "movement"),
            ("claims", "movement"),
            ("inspections", "movement"),
            ("inspection_photographs", "movement"),
            ("movement_versions", "id"),
            ("movements", "id"),
        ],
    },
    Kind { decided: false, go: REQUESTS, of: &[("request_parts", "request"), ("requests", "id")] },
    Kind { decided: true, go: ASSESSMENTS, of: &[("assessments", "movement")] },
    Kind { decided: true, go: DECISIONS, of: &[("decisions", "id")] },
];

/// Take away some of what is kept no longer; gives how many rows went.
pub(crate) struct RollOff {
    pub(crate) kept: KeptSince,
    pub(crate) at: UtcMillis,
    /// Rows, at most.
    pub(crate) most: i64,
}

impl Change for RollOff {
    type Done = u64;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let (mut gone, before) = (0, self.kept.declarations);
            // One kind after the other: while consignments go, every movement would be looked at for those that have none any more.
            for kind in &KINDS {
                if gone == 0 {
                    gone = write.roll_off(kind, self.kept.of(kind), self.most).await?;
                }
            }
            if gone == 0 {
                gone = write.roll_off_events(before, self.at, self.most).await?;
            }
            if gone == 0 {
                gone = write.roll_off_pictures(before, self.most).await?;
            }
            if gone == 0 {
                gone = write.roll_off_deliveries(before, self.most).await?;
            }
            if gone > 0 {
                // In the transaction that takes them away: however central dies, none is gone without a line.
                write.audit(self.at, "retention", &Noted::RollOff { rows: gone }, "").await?;
            }
            Ok(gone)
        })
    }
}

impl Write<'_> {
    async fn roll_off_pictures(&mut self, before: UtcMillis, most: i64) -> Result<u64, StorageError> {
        let done = sqlx::query(PICTURES)
            .bind(format!("{:012x}", before.0.max(0)))
            .bind(most)
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected())
    }

    async fn roll_off(&mut self, kind: &Kind, before: UtcMillis, most: i64) -> Result<u64, StorageError> {
        let keys: Vec<String> =
            sqlx::query_scalar(kind.go).bind(before.0).bind(most).fetch_all(&mut *self.tx).await?;
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

    async fn roll_off_events(
        &mut self,
        before: UtcMillis,
        at: UtcMillis,
        most: i64,
    ) -> Result<u64, StorageError> {
        let seqs: Vec<i64> = sqlx::query_scalar("SELECT seq FROM events WHERE at < $1 ORDER BY at LIMIT $2")
            .bind(before.0)
            .bind(most)
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
    /// Take away everything that is kept no longer, a little at a time; gives how many rows went.
    pub async fn roll_off(&self, kept: KeptSince, now: UtcMillis) -> Result<u64, StorageError> {
        let (mut all, mut most) = (0, LEAST);
        loop {
            let began = Instant::now();
            match self.change(RollOff { kept, at: now, most }).await? {
                0 => return Ok(all),
                gone => all += gone,
            }
            let took = began.elapsed();
            most = if took > A_MOMENT { (most / 2).max(LEAST) } else { (most + LEAST).min(MOST) };
            tokio::time::sleep(REST * took).await;
        }
    }
}
