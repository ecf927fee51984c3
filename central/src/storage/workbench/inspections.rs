//! What the bays report: outcomes with what was done and found, and photographs.

use clearance::ids::{Digest, MovementId, SiteId, UtcMillis};
use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use crate::storage::trade::{Conflict, MovementRow, RecordInspection, Refused, movement, movements};
use crate::storage::{Change, Noted, StorageError, Store, Write, data};
use crate::trade::movement::{Inspection, Signalled};

/// Vehicles that a bay's list shows.
const MOST_DIRECTED: i64 = 100;

/// As many photographs as are kept of one movement.
pub(crate) const MOST_PHOTOGRAPHS: i64 = 40;

/// What an inspection gave, with what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionRow {
    /// The form's id.
    pub id: String,
    /// Of which movement.
    pub movement: String,
    /// What it gave.
    pub result: Inspection,
    /// What was done: items of the checklist.
    pub checklist: Vec<String>,
    /// What was found: categories.
    pub categories: Vec<String>,
    /// How much, in the officer's words.
    pub quantity: String,
    /// Anything else.
    pub note: String,
    /// Who inspected.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at: i64,
}

/// A photograph without its picture.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Photograph {
    /// SHA-256 of the picture as it is kept.
    pub digest: String,
    /// In pixels.
    pub width: i64,
    /// In pixels.
    pub height: i64,
    /// Who took it.
    pub by_whom: String,
    /// When it was sent, milliseconds since 1970.
    pub at: i64,
}

/// A vehicle that was sent to a bay.
#[derive(Clone, Debug)]
pub struct Directed {
    /// The movement.
    pub movement: MovementRow,
    /// When the lane signalled, milliseconds since 1970.
    pub at: i64,
    /// For the inspecting officer.
    pub instructions: String,
}

/// An inspection is over. The form that says so may be sent again: the first one counts.
pub(crate) struct Inspected {
    pub(crate) row: InspectionRow,
    pub(crate) movement: MovementId,
}

impl Change for Inspected {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let row = self.row;
            let stored = sqlx::query(
                "INSERT INTO inspections (id, movement, result, checklist, categories, quantity, note, by_whom, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            )
            .bind(row.id)
            .bind(self.movement.to_string())
            .bind(row.result.name())
            .bind(serde_json::to_string(&row.checklist).map_err(data)?)
            .bind(serde_json::to_string(&row.categories).map_err(data)?)
            .bind(row.quantity)
            .bind(row.note)
            .bind(row.by.clone())
            .bind(row.at)
            .execute(&mut *write.tx)
            .await?;
            if stored.rows_affected() == 0 {
                return Ok(());
            }
            let (result, at) = (row.result, UtcMillis(row.at));
            RecordInspection { movement: self.movement, result, by: row.by, at }.apply(write).await
        })
    }
}

/// Keep a photograph; one that is there already is kept once.
pub(crate) struct KeepPhotograph {
    pub(crate) movement: MovementId,
    /// Of the file as it was taken.
    pub(crate) taken: Digest,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) jpeg: Vec<u8>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for KeepPhotograph {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let id = self.movement.to_string();
            let row = movement(&mut write.tx, &id).await?.ok_or(Refused::NotFound("movement"))?;
            if !matches!(row.signalled(), Some(Signalled::Directed(_))) {
                return Err(Refused::Standing(Conflict::NotDirected));
            }
            let kept: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM inspection_photographs WHERE movement = $1")
                    .bind(id.clone())
                    .fetch_one(&mut *write.tx)
                    .await?;
            if kept >= MOST_PHOTOGRAPHS {
                return Err(Refused::fault(
                    "/photographs",
                    crate::trade::Fault::TooMany { most: MOST_PHOTOGRAPHS as usize },
                ));
            }
            let stored = sqlx::query(
                "INSERT INTO inspection_photographs (movement, taken, digest, width, height, jpeg, by_whom, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            )
            .bind(id.clone())
            .bind(self.taken.to_string())
            .bind(Digest::of(&self.jpeg).to_string())
            .bind(i64::from(self.width))
            .bind(i64::from(self.height))
            .bind(self.jpeg)
            .bind(self.by.clone())
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            if stored.rows_affected() > 0 {
                write.audit(self.at, &self.by, &Noted::Photograph, &id).await?;
            }
            Ok(())
        })
    }
}

impl Store {
    /// Vehicles that a control point's lanes have directed and that have not left, the longest waiting first; `inspected`: those
    /// that were, latest first, or those that were not.
    pub async fn directed(
        &self,
        site: &SiteId,
        inspected: bool,
        since: UtcMillis,
    ) -> Result<Vec<Directed>, StorageError> {
        let order = if inspected { "signalled_at DESC" } else { "signalled_at" };
        let done = if inspected { "IS NOT NULL" } else { "IS NULL" };
        // One for whichever control point is where its passage was.
        let statement = format!(
            "{} WHERE signalled_at > $2 AND signalled IN ('documents', 'inspect', 'escort', 'detain') AND inspected {done} \
             AND departed_at IS NULL AND cancelled_at IS NULL AND sandbox = 0 \
             AND (site = $1 OR (site = '' AND EXISTS (SELECT 1 FROM passages p WHERE p.movement = movements.id AND p.site = $1))) \
             ORDER BY {order}, id LIMIT $3",
            movements("").replacen("SELECT id,", "SELECT signalled_at, id,", 1)
        );
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(site.as_str())
            .bind(since.0)
            .bind(MOST_DIRECTED)
            .fetch_all(&self.pool)
            .await?;
        let mut directed = Vec::with_capacity(rows.len());
        for row in &rows {
            let movement: MovementRow = sqlx::FromRow::from_row(row)?;
            let instructions = self.instructions(&movement.id).await?;
            directed.push(Directed { at: row.try_get("signalled_at")?, instructions, movement });
        }
        Ok(directed)
    }

    /// What the officer who gave a movement its code wants the inspecting officer to know; empty if nothing.
    pub async fn instructions(&self, movement: &str) -> Result<String, StorageError> {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT instructions FROM decisions WHERE movement = $1 AND state IN ('given', 'approved', 'waiting') AND instructions <> '' \
             ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(movement)
        .fetch_optional(&self.pool)
        .await?;
        Ok(text.unwrap_or_default())
    }

    /// What inspections of a movement gave, oldest first.
    pub async fn inspections(&self, movement: &str) -> Result<Vec<InspectionRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT id, movement, result, checklist, categories, quantity, note, by_whom, at FROM inspections WHERE movement = $1 ORDER BY at, id",
        )
        .bind(movement)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let result: String = row.try_get("result")?;
                Ok(InspectionRow {
                    id: row.try_get("id")?,
                    movement: row.try_get("movement")?,
                    result: Inspection::of_name(&result)
                        .ok_or_else(|| data(format!("{result:?} is no result")))?,
                    checklist: serde_json::from_str(&row.try_get::<String, _>("checklist")?).map_err(data)?,
                    categories: serde_json::from_str(&row.try_get::<String, _>("categories")?)
                        .map_err(data)?,
                    quantity: row.try_get("quantity")?,
                    note: row.try_get("note")?,
                    by: row.try_get("by_whom")?,
                    at: row.try_get("at")?,
                })
            })
            .collect()
    }

    /// The photographs of a movement, oldest first.
    pub async fn photographs(&self, movement: &str) -> Result<Vec<Photograph>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT digest, width, height, by_whom, at FROM inspection_photographs WHERE movement = $1 ORDER BY at, taken",
        )
        .bind(movement)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
