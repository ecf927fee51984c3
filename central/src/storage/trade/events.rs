//! What happened, for those concerned.

use clearance::ids::UtcMillis;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::storage::statement::{ROWS, rows};
use crate::storage::{StorageError, Store, Write, data};
use crate::trade::news::Doer;
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
    /// Who did it; nobody is told in the feed.
    #[serde(skip)]
    pub by: Doer,
}

impl Write<'_> {
    /// Tell a trader. What was before there were traders concerns nobody.
    pub(crate) async fn tell(
        &mut self,
        trader: &str,
        at: UtcMillis,
        subject: &str,
        news: &News,
        by: &Doer,
    ) -> Result<(), StorageError> {
        self.tell_each(trader, at, &[subject.to_owned()], news, by).await
    }

    /// Tell a trader the same of many.
    pub(crate) async fn tell_each(
        &mut self,
        trader: &str,
        at: UtcMillis,
        subjects: &[String],
        news: &News,
        by: &Doer,
    ) -> Result<(), StorageError> {
        if trader.is_empty() {
            return Ok(());
        }
        let what = serde_json::to_string(news).map_err(data)?;
        for some in subjects.chunks(ROWS) {
            let statement = rows(
                "INSERT INTO events (trader, at, subject, what, by_trader, by_who) VALUES ",
                6,
                some.len(),
            );
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for subject in some {
                query = query.bind(trader.to_owned()).bind(at.0).bind(subject.clone()).bind(what.clone());
                query = query.bind(by.trader.clone()).bind(by.who.clone());
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
        by: &Doer,
    ) -> Result<(), StorageError> {
        let traders: Vec<String> = sqlx::query_scalar(
            "SELECT trader FROM movements WHERE id = $1 UNION SELECT trader FROM consignments WHERE movement = $1",
        )
        .bind(movement.to_owned())
        .fetch_all(&mut *self.tx)
        .await?;
        for trader in traders {
            self.tell(&trader, at, movement, news, by).await?;
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
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, at, subject, what, by_trader, by_who FROM events WHERE trader = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(trader.as_str())
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }

    /// After which place in a trader's feed everything lies that happened at a moment or later; none: nothing has.
    pub(crate) async fn place_before(
        &self,
        trader: &TraderId,
        since: UtcMillis,
    ) -> Result<Option<i64>, StorageError> {
        // What a lane was slow to tell lies behind what happened later: the first place, wherever the others are.
        let first: Option<i64> =
            sqlx::query_scalar("SELECT MIN(seq) FROM events WHERE trader = $1 AND at >= $2")
                .bind(trader.as_str())
                .bind(since.0)
                .fetch_one(&self.pool)
                .await?;
        Ok(first.map(|seq| seq - 1))
    }

    /// A trader's news before a place in its feed, latest first, at most `most`.
    pub async fn latest_news(
        &self,
        trader: &TraderId,
        before: i64,
        most: u32,
    ) -> Result<Vec<EventRow>, StorageError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, at, subject, what, by_trader, by_who FROM events WHERE trader = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        )
        .bind(trader.as_str())
        .bind(before)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }

    /// Some pieces of a trader's news by their places, as far as they are kept.
    pub(crate) async fn pieces_of_news(
        &self,
        trader: &TraderId,
        seqs: &[i64],
    ) -> Result<Vec<EventRow>, StorageError> {
        let mut found = Vec::with_capacity(seqs.len());
        for some in seqs.chunks(ROWS) {
            let these = rows("seq IN ", some.len(), 1);
            let trader_at = some.len() + 1;
            let statement = format!(
                "SELECT seq, at, subject, what, by_trader, by_who FROM events WHERE {these} AND trader = ${trader_at}"
            );
            let query =
                some.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |query, seq| query.bind(*seq));
            let rows: Vec<Row> = query.bind(trader.as_str().to_owned()).fetch_all(&self.pool).await?;
            found.extend(rows.into_iter().map(event).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// A trader's news about a consignment or a movement, latest first, at most 200.
    pub async fn history(&self, trader: &TraderId, subject: &str) -> Result<Vec<EventRow>, StorageError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, at, subject, what, by_trader, by_who FROM events WHERE subject = $1 AND trader = $2 ORDER BY seq DESC LIMIT 200",
        )
        .bind(subject)
        .bind(trader.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(event).collect()
    }
}

type Row = (i64, i64, String, String, String, String);

fn event((seq, at, subject, what, trader, who): Row) -> Result<EventRow, StorageError> {
    Ok(EventRow {
        seq,
        at,
        subject,
        news: serde_json::from_str(&what).map_err(data)?,
        by: Doer { trader, who },
    })
}
