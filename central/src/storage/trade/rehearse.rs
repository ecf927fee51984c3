//! Crossings of sandboxes, taken through what customs and the lane would do with them.

use clearance::directive::ActionCode;
use clearance::ids::{MovementId, UtcMillis};
use futures::future::BoxFuture;
use sqlx::Row as _;

use super::{Refused, look};
use crate::storage::{Change, StorageError, Store, Write, data};
use crate::trade::movement::Signalled;
use crate::trade::news::{Doer, Report};
use crate::trade::rehearsal::{NextStep, Rehearsed};
use crate::trade::{MovementStatus, News};

/// As many crossings of sandboxes as are looked at together.
const MOST: i64 = 500;

impl Store {
    /// Crossings of sandboxes that are neither over nor forgotten: id, mark, and how far each has come.
    pub(crate) async fn rehearsals(
        &self,
        now: UtcMillis,
    ) -> Result<Vec<(MovementId, String, Rehearsed)>, StorageError> {
        const QUERY: &str = "SELECT id, mark, valid_from, expected_arrival, action, signalled, signalled_at, inspected_at FROM movements \
            WHERE sandbox = 1 AND departed_at IS NULL AND cancelled_at IS NULL AND expected_arrival BETWEEN $1 AND $2 \
            ORDER BY expected_arrival LIMIT $3";
        // Before: expired. After: nobody waits for it yet.
        let (from, to) = (now.plus_millis(-7 * 86_400_000), now.plus_millis(15 * 86_400_000));
        let rows = sqlx::query(QUERY).bind(from.0).bind(to.0).bind(MOST).fetch_all(&self.pool).await?;
        rows.iter().map(rehearsed).collect()
    }
}

fn rehearsed(row: &sqlx::any::AnyRow) -> Result<(MovementId, String, Rehearsed), StorageError> {
    let action: Option<String> = row.try_get("action")?;
    let signalled: Option<String> = row.try_get("signalled")?;
    let at: Option<i64> = row.try_get("signalled_at")?;
    let crossing = Rehearsed {
        valid_from: UtcMillis(row.try_get("valid_from")?),
        expected_arrival: UtcMillis(row.try_get("expected_arrival")?),
        action: action.as_deref().and_then(ActionCode::of_code),
        signalled: signalled.as_deref().and_then(Signalled::of_stored).zip(at.map(UtcMillis)),
        inspected: row.try_get::<Option<i64>, _>("inspected_at")?.map(UtcMillis),
    };
    Ok((row.try_get::<String, _>("id")?.parse().map_err(data)?, row.try_get("mark")?, crossing))
}

/// Take a crossing of a sandbox one step further; customs' own step, the assessment, goes the way of every other.
pub(crate) struct Rehearse {
    pub(crate) movement: MovementId,
    pub(crate) step: NextStep,
    pub(crate) at: UtcMillis,
}

impl Change for Rehearse {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let row = look::movement(&mut write.tx, id).await?.filter(look::MovementRow::sandbox);
            let row = row.ok_or(Refused::NotFound("movement"))?;
            if row.is_over() {
                return Ok(());
            }
            let (status, report) = write.rehearse(id, self.step, self.at).await?;
            let news = News::Status { movement: id.to_owned(), status, report, earliest: None };
            write.tell_concerned(id, self.at, &news, &Doer::authority()).await?;
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn rehearse(
        &mut self,
        id: &str,
        step: NextStep,
        at: UtcMillis,
    ) -> Result<(MovementStatus, Option<Report>), StorageError> {
        match step {
            NextStep::Assess(_) => Ok((MovementStatus::Ready, None)),
            NextStep::Arrive(signalled) => {
                self.note_arrival(id, Some(signalled), at).await?;
                Ok((signalled.status(), Some(signalled.report())))
            }
            NextStep::Inspect(result) => {
                self.note_inspection(id, result, at).await?;
                Ok((MovementStatus::Inspected, None))
            }
            NextStep::Depart => {
                self.note_departure(id, at).await?;
                Ok((MovementStatus::Departed, None))
            }
        }
    }
}
