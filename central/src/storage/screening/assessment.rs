//! What was decided of movements, with everything that it rests on.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use jiff::civil::Date;
use risk::Decision;
use sqlx::{AssertSqlSafe, FromRow};

use crate::storage::statement::rows;
use crate::storage::trade::TAKEN_BACK;
use crate::storage::{Change, StorageError, Store, Write, data};
use crate::trade::movement::Inspection;

/// Who gives codes by screening.
pub const SCREENING: &str = "screening";

/// An assessment as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct AssessmentRow {
    /// Of which movement.
    pub movement: String,
    /// Which of its assessments, from 1.
    pub number: i64,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// By which version of the policy.
    pub policy: i64,
    body: String,
}

impl AssessmentRow {
    /// What was decided, and what it rests on.
    pub fn decision(&self) -> Result<Decision, StorageError> {
        serde_json::from_str(&self.body).map_err(data)
    }
}

macro_rules! assessments {
    ($rest:literal) => {
        concat!("SELECT movement, number, at, policy, body FROM assessments ", $rest)
    };
}

impl Store {
    /// The latest assessment of a movement.
    pub async fn assessment(&self, movement: &str) -> Result<Option<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!("WHERE movement = $1 AND latest = 1"));
        Ok(rows.bind(movement).fetch_optional(&self.pool).await?)
    }

    /// The latest assessments of some movements.
    pub async fn latest_assessments(&self, movements: &[String]) -> Result<Vec<AssessmentRow>, StorageError> {
        if movements.is_empty() {
            return Ok(Vec::new());
        }
        let statement = rows(assessments!("WHERE latest = 1 AND movement IN "), movements.len(), 1);
        let query =
            movements.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// The latest assessment of each movement that was assessed since a moment, before a place in their order: the newest first.
    pub async fn past_assessments(
        &self,
        since: UtcMillis,
        (at, movement): (i64, &str),
        most: u32,
    ) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!(
            "WHERE latest = 1 AND at >= $1 AND (at < $2 OR (at = $2 AND movement < $3)) ORDER BY at DESC, movement DESC LIMIT $4"
        ));
        Ok(rows.bind(since.0).bind(at).bind(movement).bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// The latest assessment of each movement that was inspected, with what that gave: the newest inspections first.
    pub async fn inspected_assessments(
        &self,
        most: u32,
    ) -> Result<Vec<(AssessmentRow, Inspection)>, StorageError> {
        #[derive(FromRow)]
        struct Inspected {
            #[sqlx(flatten)]
            row: AssessmentRow,
            inspected: String,
        }
        let rows: Vec<Inspected> = sqlx::query_as(
            "SELECT a.movement, a.number, a.at, a.policy, a.body, m.inspected FROM movements m \
             JOIN assessments a ON a.movement = m.id AND a.latest = 1 \
             WHERE m.inspected_at IS NOT NULL ORDER BY m.inspected_at DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        let known = |it: Inspected| Some((it.row, Inspection::of_name(&it.inspected)?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// All assessments of a movement, the first first.
    pub async fn assessments(&self, movement: &str) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!("WHERE movement = $1 ORDER BY number"));
        Ok(rows.bind(movement).fetch_all(&self.pool).await?)
    }

    /// Assessments of what was expected on a day, after a place in the order in which they were made.
    pub async fn assessments_of_day(
        &self,
        day: Date,
        (at, movement, number): (i64, &str, i64),
        most: u32,
    ) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!(
            "WHERE day = $1 AND at >= $2 AND (at, movement, number) > ($2, $3, $4) ORDER BY at, movement, number LIMIT $5"
        ));
        let rows = rows.bind(day.to_string()).bind(at).bind(movement).bind(number).bind(i64::from(most));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Assessments after a place, in the order of movements: to make them all again.
    pub async fn assessments_after(
        &self,
        (movement, number): (&str, i64),
        most: u32,
    ) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!(
            "WHERE movement > $1 OR (movement = $1 AND number > $2) ORDER BY movement, number LIMIT $3"
        ));
        Ok(rows.bind(movement).bind(number).bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// Movements that are to be assessed under a policy: those never assessed as they are first, then by expected arrival; with whether an
    /// earlier assessment of each stands. A vehicle that waits at the lane is among them until the lane has signalled; one that was expected
    /// at `ended` or before, and whose declaration so serves no more, is not.
    pub async fn to_screen(
        &self,
        policy: u32,
        (now, ended): (UtcMillis, UtcMillis),
        most: u32,
    ) -> Result<Vec<(String, bool)>, StorageError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, screened FROM movements WHERE screened < $1 AND screen_after <= $2 AND expected_arrival > $4 AND signalled IS NULL \
             AND departed_at IS NULL AND cancelled_at IS NULL AND sandbox = 0 ORDER BY screened, expected_arrival LIMIT $3",
        )
        .bind(i64::from(policy))
        .bind(now.0)
        .bind(i64::from(most))
        .bind(ended.0)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, screened)| (id, screened > 0)).collect())
    }
}

/// Put a movement off: what is missing may come without anybody changing it.
pub(crate) struct ScreenLater {
    pub(crate) movement: String,
    pub(crate) after: UtcMillis,
}

impl Change for ScreenLater {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("UPDATE movements SET screen_after = $1 WHERE id = $2")
                .bind(self.after.0)
                .bind(self.movement)
                .execute(&mut *write.tx)
                .await?;
            Ok(())
        })
    }
}

/// Have everything that still comes assessed again by the policy in force, after what was never assessed.
pub(crate) struct ScreenAllAgain {
    pub(crate) policy: u32,
    /// What was expected then or before comes no more.
    pub(crate) ended: UtcMillis,
}

impl Change for ScreenAllAgain {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { write.screen_again(self.policy, TAKEN_BACK, self.ended).await })
    }
}

/// Let what earlier policies have left behind stand with the others: what is assessed again goes by its arrival, not by how long ago
/// it was assessed last.
pub(crate) struct ScreenTogether {
    pub(crate) policy: u32,
    /// What was expected then or before comes no more.
    pub(crate) ended: UtcMillis,
}

impl Change for ScreenTogether {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { write.screen_again(self.policy, i64::from(self.policy) - 1, self.ended).await })
    }
}

impl Write<'_> {
    /// Whatever was assessed, by a policy `below` a version, was so by the one before this.
    async fn screen_again(&mut self, policy: u32, below: i64, ended: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE movements SET screened = $1 WHERE screened > 0 AND screened < $2 AND screened <> $1 AND expected_arrival > $3 \
             AND signalled IS NULL AND cancelled_at IS NULL AND sandbox = 0",
        )
        .bind(i64::from(policy) - 1)
        .bind(below)
        .bind(ended.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use clearance::wire::Signer;

    use super::*;
    use crate::storage::Database;

    #[tokio::test]
    async fn what_is_assessed_again_goes_by_its_arrival_whatever_it_was_assessed_by_last() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::Sqlite(folder.path().join("central.sqlite"));
        let store = Store::open(&database, &[], Arc::new(Signer::from_secret(&[1; 32]))).await.unwrap();
        for (id, screened, arrival) in [
            ("later", 2_i64, 300_i64),
            ("sooner", 4, 100),
            ("between", 3, 200),
            ("new", 0, 400),
            ("over", 2, 50),
            ("taken back", TAKEN_BACK, 100),
        ] {
            sqlx::query(
                "INSERT INTO movements (id, site, mark, direction, expected_arrival, created_at, screened) \
                 VALUES ($1, 'north', 'AB1', 'inbound', $2, 0, $3)",
            )
            .bind(id)
            .bind(arrival)
            .bind(screened)
            .execute(&store.pool)
            .await
            .unwrap();
        }
        let ended = UtcMillis(50);
        let due = async |policy| {
            let due = store.to_screen(policy, (UtcMillis(0), ended), 10).await.unwrap();
            due.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(due(5).await, ["new", "later", "between", "sooner"], "by how long ago they were assessed");
        store.change(ScreenTogether { policy: 5, ended }).await.unwrap();
        assert_eq!(due(5).await, ["new", "sooner", "between", "later"]);
        assert_eq!(due(4).await, ["new"], "it is the one before that has assessed them");
        store.change(ScreenAllAgain { policy: 4, ended }).await.unwrap();
        assert_eq!(due(4).await, ["new", "sooner", "between", "later"]);
    }
}
