//! What the lanes and the inspection bays report of a movement.

use clearance::ids::{MovementId, UtcMillis};
use clearance::passage::{DecisionRecord, Outcome, PassageEvent};
use futures::future::BoxFuture;

use super::{Conflict, Refused, look};
use crate::storage::screening::Happened;
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::movement::{Inspection, Signalled};
use crate::trade::news::Doer;
use crate::trade::{MovementStatus, News};

impl Write<'_> {
    /// A lane has decided about a passage of this movement.
    pub(crate) async fn note_decided(
        &mut self,
        event: &PassageEvent,
        record: &DecisionRecord,
        movement: &MovementId,
    ) -> Result<(), StorageError> {
        let id = movement.as_str();
        sqlx::query("UPDATE passages SET movement = $1 WHERE id = $2")
            .bind(id.to_owned())
            .bind(event.passage.to_string())
            .execute(&mut *self.tx)
            .await?;
        let Some(row) = look::movement(&mut self.tx, id).await? else { return Ok(()) };
        let signalled = match record.outcome {
            Outcome::Released => Some(Signalled::Released),
            Outcome::Directed(code) => Some(Signalled::Directed(code)),
            Outcome::Referred => None,
        };
        if row.signalled().is_some() && signalled.is_none() {
            return Ok(());
        }
        if row.signalled().is_none() && signalled.is_some() {
            self.remember(id, Happened::Passage, event.at).await?;
        }
        self.note_arrival(id, signalled, event.at).await?;
        let status = signalled.map_or(MovementStatus::Arrived, Signalled::status);
        let report = signalled.map(Signalled::report);
        if row.signalled() != signalled || !row.has_begun() {
            let news = News::Status { movement: id.to_owned(), status, report, earliest: None };
            self.tell_concerned(id, event.at, &news, &Doer::authority()).await?;
        }
        Ok(())
    }

    /// The vehicle of a passage has left the lane: released, it has crossed; and its next crossing may be expected.
    pub(crate) async fn note_left(&mut self, event: &PassageEvent) -> Result<(), StorageError> {
        let id: Option<Option<String>> = sqlx::query_scalar("SELECT movement FROM passages WHERE id = $1")
            .bind(event.passage.to_string())
            .fetch_optional(&mut *self.tx)
            .await?;
        let Some(id) = id.flatten() else { return Ok(()) };
        let Some(row) = look::movement(&mut self.tx, &id).await? else { return Ok(()) };
        if row.signalled() == Some(Signalled::Released) && !row.is_over() {
            self.note_departure(&id, event.at).await?;
            let status = MovementStatus::Departed;
            let news = News::Status { movement: id.clone(), status, report: None, earliest: None };
            self.tell_concerned(&id, event.at, &news, &Doer::authority()).await?;
        }
        self.expect(&row.mark.parse().map_err(data)?, event.at).await
    }

    /// The vehicle is at the lane, which has shown this, if anything.
    pub(super) async fn note_arrival(
        &mut self,
        id: &str,
        signalled: Option<Signalled>,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE movements SET arrived_at = COALESCE(arrived_at, $1), signalled = COALESCE($2, signalled), \
             signalled_at = CASE WHEN $2 IS NULL THEN signalled_at ELSE $1 END, changed_at = $1 WHERE id = $3",
        )
        .bind(at.0)
        .bind(signalled.map(Signalled::stored))
        .bind(id.to_owned())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// It was inspected, with this result.
    pub(super) async fn note_inspection(
        &mut self,
        id: &str,
        result: Inspection,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE movements SET inspected = $1, inspected_at = $2, changed_at = $2 WHERE id = $3")
            .bind(result.name())
            .bind(at.0)
            .bind(id.to_owned())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// It has left.
    pub(super) async fn note_departure(&mut self, id: &str, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query("UPDATE movements SET departed_at = $1, changed_at = $1 WHERE id = $2")
            .bind(at.0)
            .bind(id.to_owned())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

/// What an inspection of a movement gave, at the bay or after its release.
pub(crate) struct RecordInspection {
    pub(crate) movement: MovementId,
    pub(crate) result: Inspection,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for RecordInspection {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let row = look::movement(&mut write.tx, id).await?.ok_or(Refused::NotFound("movement"))?;
            let directed = matches!(row.signalled(), Some(Signalled::Directed(_)));
            if !directed && !write.is_audited(id).await? {
                return Err(Refused::Standing(Conflict::NotDirected));
            }
            let inspection = Happened::Inspection { result: self.result, before: row.inspected() };
            write.remember(id, inspection, self.at).await?;
            write.note_inspection(id, self.result, self.at).await?;
            write.audit(self.at, &self.by, &Noted::Inspected(self.result), id).await?;
            // To the trade a crossing that is audited is one that was let go.
            if !directed {
                return Ok(());
            }
            let status = MovementStatus::Inspected;
            let news = News::Status { movement: id.to_owned(), status, report: None, earliest: None };
            write.tell_concerned(id, self.at, &news, &Doer::authority()).await?;
            Ok(())
        })
    }
}
