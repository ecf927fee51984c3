//! Who works on which movement, and what goes from one shift to the next.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::NotDecided;
use crate::storage::statement::{ROWS, rows};
use crate::storage::{Change, Noted, StorageError, Store, Write, data};

/// Somebody who has taken a movement up and done nothing with it for as long keeps nobody else from it.
pub(super) const LIVE_MS: i64 = 15 * 60_000;

/// Hand-overs shown.
const MOST_HANDOVERS: i64 = 20;

/// Who works on a movement.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimRow {
    /// Which.
    pub movement: String,
    /// Who.
    pub officer: String,
    /// Since when, milliseconds since 1970.
    pub at: i64,
}

/// What went from one officer to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverRow {
    /// Its id.
    pub id: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// In the words of who hands over.
    pub note: String,
    /// The movements that go with it.
    pub movements: Vec<String>,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// When it was taken, milliseconds since 1970.
    pub taken_at: Option<i64>,
}

/// Take a movement up.
pub(crate) struct Claim {
    pub(crate) movement: String,
    pub(crate) by: String,
    /// Even if another has.
    pub(crate) over: bool,
    pub(crate) at: UtcMillis,
}

impl Change for Claim {
    type Done = ();
    type Refused = NotDecided;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), NotDecided>> {
        Box::pin(async move {
            let (id, by, at) = (self.movement.as_str(), self.by.as_str(), self.at);
            if crate::storage::trade::movement(&mut write.tx, id).await?.is_none_or(|row| row.sandbox()) {
                return Err(NotDecided::NotFound);
            }
            let holder: Option<(String, i64)> =
                sqlx::query_as("SELECT officer, at FROM claims WHERE movement = $1")
                    .bind(id.to_owned())
                    .fetch_optional(&mut *write.tx)
                    .await?;
            let own = holder.as_ref().is_some_and(|(officer, _)| officer == by);
            match holder {
                Some((officer, since)) if !own && !self.over && since > at.0 - LIVE_MS => {
                    return Err(NotDecided::TakenBy { by: officer });
                }
                _ => {}
            }
            write.claim(id, by, at).await?;
            if !own {
                write.audit(at, by, &Noted::Claim, id).await?;
            }
            Ok(())
        })
    }
}

/// Let a movement go that was taken up.
pub(crate) struct LetGo {
    pub(crate) movement: String,
    pub(crate) by: String,
}

impl Change for LetGo {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM claims WHERE movement = $1 AND officer = $2")
                .bind(self.movement)
                .bind(self.by)
                .execute(&mut *write.tx)
                .await?;
            Ok(())
        })
    }
}

/// Open work goes to another officer, who has it from now on.
pub(crate) struct HandOver {
    /// Of the form: sent again, it changes nothing.
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) note: String,
    pub(crate) movements: Vec<String>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for HandOver {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let stored = sqlx::query(
                "INSERT INTO handovers (id, from_whom, to_whom, note, movements, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(self.id.clone())
            .bind(self.by.clone())
            .bind(self.to.clone())
            .bind(self.note)
            .bind(serde_json::to_string(&self.movements).map_err(data)?)
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            if stored.rows_affected() == 0 {
                return Ok(());
            }
            for movement in &self.movements {
                write.claim(movement, &self.to, self.at).await?;
            }
            write.audit(self.at, &self.by, &Noted::HandOver { to: self.to }, &self.id).await
        })
    }
}

/// Whoever was handed work says that they have it.
pub(crate) struct TakeHandover {
    pub(crate) id: String,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for TakeHandover {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let movements: Option<String> = sqlx::query_scalar(
                "SELECT movements FROM handovers WHERE id = $1 AND to_whom = $2 AND taken_at IS NULL",
            )
            .bind(self.id.clone())
            .bind(self.by.clone())
            .fetch_optional(&mut *write.tx)
            .await?;
            let Some(movements) = movements else { return Ok(()) };
            sqlx::query("UPDATE handovers SET taken_at = $1 WHERE id = $2")
                .bind(self.at.0)
                .bind(self.id)
                .execute(&mut *write.tx)
                .await?;
            // What lay until the shift began is theirs from now on, unless somebody took it up meanwhile.
            for movement in serde_json::from_str::<Vec<String>>(&movements).map_err(data)? {
                sqlx::query("UPDATE claims SET at = $1 WHERE movement = $2 AND officer = $3")
                    .bind(self.at.0)
                    .bind(movement)
                    .bind(self.by.clone())
                    .execute(&mut *write.tx)
                    .await?;
            }
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn claim(&mut self, movement: &str, officer: &str, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO claims (movement, officer, at) VALUES ($1, $2, $3) ON CONFLICT (movement) DO UPDATE SET officer = excluded.officer, at = excluded.at",
        )
        .bind(movement.to_owned())
        .bind(officer.to_owned())
        .bind(at.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Nobody works on it any more.
    pub(super) async fn let_go(&mut self, movement: &str) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM claims WHERE movement = $1")
            .bind(movement.to_owned())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Who works on some movements at a moment.
    pub async fn claims(&self, movements: &[String], now: UtcMillis) -> Result<Vec<ClaimRow>, StorageError> {
        let mut found = Vec::new();
        for some in movements.chunks(ROWS) {
            let statement =
                rows("SELECT movement, officer, at FROM claims WHERE movement IN ", some.len(), 1);
            let statement = format!("{statement} AND at > {}", now.0 - LIVE_MS);
            let query =
                some.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
            found.extend(query.fetch_all(&self.pool).await?);
        }
        Ok(found)
    }

    /// The movements that an officer has taken up.
    pub async fn claimed_by(&self, officer: &str) -> Result<Vec<ClaimRow>, StorageError> {
        let rows = sqlx::query_as("SELECT movement, officer, at FROM claims WHERE officer = $1 ORDER BY at")
            .bind(officer)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }

    /// The latest hand-overs, latest first.
    pub async fn handovers(&self) -> Result<Vec<HandoverRow>, StorageError> {
        type Row = (String, String, String, String, String, i64, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, from_whom, to_whom, note, movements, at, taken_at FROM handovers ORDER BY at DESC LIMIT $1",
        )
        .bind(MOST_HANDOVERS)
        .fetch_all(&self.pool)
        .await?;
        let row = |(id, from, to, note, movements, at, taken_at): Row| {
            let movements = serde_json::from_str(&movements).map_err(data)?;
            Ok(HandoverRow { id, from, to, note, movements, at, taken_at })
        };
        rows.into_iter().map(row).collect()
    }

    /// How many hand-overs wait for an officer.
    pub async fn handovers_for(&self, officer: &str) -> Result<i64, StorageError> {
        let count =
            sqlx::query_scalar("SELECT COUNT(*) FROM handovers WHERE to_whom = $1 AND taken_at IS NULL")
                .bind(officer)
                .fetch_one(&self.pool)
                .await?;
        Ok(count)
    }
}
