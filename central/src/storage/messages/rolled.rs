//! What rolls off with the feed: a delivery that was not made until then has failed.

use clearance::ids::UtcMillis;
use sqlx::AssertSqlSafe;

use super::Wanted;
use crate::storage::statement::rows;
use crate::storage::{StorageError, Write, data};
use crate::trade::News;
use crate::trade::news::Doer;

/// What is said of a delivery whose news is kept no longer.
pub(super) const ROLLED_OFF: &str = "the news was kept no longer before it could be delivered";

/// News that an address was not told of.
#[derive(sqlx::FromRow)]
struct Untold {
    id: String,
    trader: String,
    address: String,
    channel: String,
    topics: String,
    own: i64,
    seq: i64,
    what: String,
    by_trader: String,
    by_who: String,
}

impl Write<'_> {
    /// News is about to roll off: whoever was not told of it yet never will be.
    pub(in crate::storage) async fn roll_off_untold(
        &mut self,
        seqs: &[i64],
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let Some(last) = seqs.iter().max() else { return Ok(()) };
        let statement = "SELECT COUNT(*) FROM outlets WHERE reached < $1";
        let behind: i64 = sqlx::query_scalar(statement).bind(*last).fetch_one(&mut *self.tx).await?;
        let ours = rows("WHERE seq IN ", seqs.len(), 1);
        // Its number comes after those of the news.
        let (now, why) = (seqs.len() + 1, seqs.len() + 2);
        let waiting = format!(
            "UPDATE deliveries SET state = 'failed', next_at = NULL, changed_at = ${now}, error = ${why} {ours} AND state = 'retrying'"
        );
        let query = seqs.iter().fold(sqlx::query(AssertSqlSafe(waiting)), |query, seq| query.bind(*seq));
        query.bind(at.0).bind(ROLLED_OFF).execute(&mut *self.tx).await?;
        if behind == 0 {
            return Ok(());
        }
        let untold = format!(
            "SELECT o.id, o.trader, o.address, o.channel, o.topics, o.own, e.seq, e.what, e.by_trader, e.by_who FROM events e JOIN outlets o ON o.trader = e.trader AND o.reached < e.seq {} ORDER BY e.seq",
            ours.replace("WHERE seq", "WHERE e.seq")
        );
        let query = seqs.iter().fold(sqlx::query_as(AssertSqlSafe(untold)), |query, seq| query.bind(*seq));
        let untold: Vec<Untold> = query.fetch_all(&mut *self.tx).await?;
        for row in untold {
            let wanted = Wanted::read(&row.channel, &row.topics, row.own)?;
            let news: News = serde_json::from_str(&row.what).map_err(data)?;
            let (company, by) =
                (row.trader.parse().map_err(data)?, Doer { trader: row.by_trader, who: row.by_who });
            if wanted.takes((&company, &row.address), &news, &by) {
                self.fail_untold(&row.id, row.seq, at).await?;
            }
        }
        Ok(())
    }

    async fn fail_untold(&mut self, outlet: &str, seq: i64, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO deliveries (outlet, seq, state, attempts, error, first_at, changed_at) \
             VALUES ($1, $2, 'failed', 0, $3, $4, $4) ON CONFLICT DO NOTHING",
        )
        .bind(outlet.to_owned())
        .bind(seq)
        .bind(ROLLED_OFF)
        .bind(at.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Forget what came of deliveries that were last tried before a moment; gives how many.
    pub(in crate::storage) async fn roll_off_deliveries(
        &mut self,
        before: UtcMillis,
        most: i64,
    ) -> Result<u64, StorageError> {
        let old: Vec<(String, i64)> = sqlx::query_as(
            "SELECT outlet, seq FROM deliveries WHERE changed_at < $1 AND state <> 'retrying' ORDER BY changed_at LIMIT $2",
        )
        .bind(before.0)
        .bind(most)
        .fetch_all(&mut *self.tx)
        .await?;
        for (outlet, seq) in &old {
            sqlx::query("DELETE FROM deliveries WHERE outlet = $1 AND seq = $2")
                .bind(outlet.clone())
                .bind(*seq)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(old.len() as u64)
    }
}
