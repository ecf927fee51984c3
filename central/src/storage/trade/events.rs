//! What happened, for those concerned.

use clearance::ids::UtcMillis;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::storage::statement::{ROWS, rows};
use crate::storage::{StorageError, Store, Write, data};
use crate::trade::{News, TraderId};

/// A piece of news in a trader's feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EventRow {
    /// Its place in the feed; rises, with gaps.
    pub seq: i64,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// CCRN or movement that it is about.
    pub subject: String,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

impl Write<'_> {
    /// Tell a trader. What was before there were traders concerns nobody.
    pub(crate) async fn tell(
        &mut self,
        trader: &str,
        at: UtcMillis,
        subject: &str,
        news: &News,
    ) -> Result<(), StorageError> {
        self.tell_each(trader, at, &[subject.to_owned()], news).await
    }

    /// Tell a trader the same of many.
    pub(crate) async fn tell_each(
        &mut self,
        trader: &str,
        at: UtcMillis,
        subjects: &[String],
        news: &News,
    ) -> Result<(), StorageError> {
        if trader.is_empty() {
            return Ok(());
        }
        let what = serde_json::to_string(news).map_err(data)?;
        for some in subjects.chunks(ROWS) {
            let statement = rows("INSERT INTO events (trader, at, subject, what) VALUES ", 4, some.len());
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for subject in some {
                query = query.bind(trader.to_owned()).bind(at.0).bind(subject.clone()).bind(what.clone());
            }
            query.execute(&mut *self.tx).await?;
        }
        Ok(())
    }

    /// Tell everybody whom a movement concerns: its carrier, and the shippers of what it carries.
    pub(crate) async fn tell_concerned(
        &mut self,
        movement: &str,
        at: UtcMillis,
        news: &News,
    ) -> Result<(), StorageError> {
        let traders: Vec<String> = sqlx::query_scalar(
            "SELECT trader FROM movements WHERE id = $1 UNION SELECT trader FROM consignments WHERE movement = $1",
        )
        .bind(movement.to_owned())
        .fetch_all(&mut *self.tx)
        .await?;
        for trader in traders {
            self.tell(&trader, at, movement, news).await?;
        }
        Ok(())
    }
}

impl Store {
    /// A trader's news after a place in its feed, in order, at most `most`.
    pub async fn news(
        &self,
        trader: &TraderId,
        after: i64,
        most: u32,
    ) -> Result<Vec<EventRow>, StorageError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT seq, at, subject, what FROM events WHERE trader = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(trader.as_str())
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }

    /// A trader's news before a place in its feed, latest first, at most `most`.
    pub async fn latest_news(
        &self,
        trader: &TraderId,
        before: i64,
        most: u32,
    ) -> Result<Vec<EventRow>, StorageError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT seq, at, subject, what FROM events WHERE trader = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        )
        .bind(trader.as_str())
        .bind(before)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }

    /// A trader's news about a consignment or a movement, latest first, at most 200.
    pub async fn history(&self, trader: &TraderId, subject: &str) -> Result<Vec<EventRow>, StorageError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT seq, at, subject, what FROM events WHERE subject = $1 AND trader = $2 ORDER BY seq DESC LIMIT 200",
        )
        .bind(subject)
        .bind(trader.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }
}

fn event((seq, at, subject, what): (i64, i64, String, String)) -> Result<EventRow, StorageError> {
    Ok(EventRow { seq, at, subject, news: serde_json::from_str(&what).map_err(data)? })
}
