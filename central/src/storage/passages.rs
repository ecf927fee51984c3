//! Passages as the lanes report them, their pictures, and officers' corrections.

use clearance::directive::{DirectiveEntry, DirectiveStatus};
use clearance::ids::{Digest, PassageId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::passage::{DecisionRecord, Evidence, Outcome, PassageEvent, PassageStep};
use clearance::read::Certainty;
use clearance::replicate::DirectiveOp;
use sqlx::Row as _;

use super::{Noted, OrderState, StorageError, Store, Write, data};

/// Whether an event was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It was.
    New,
    /// It had been stored before; nothing changed.
    Again,
}

/// A passage as it stands.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PassageRow {
    /// Which.
    pub id: PassageId,
    /// Control point.
    pub site: String,
    /// Lane.
    pub lane: String,
    /// When it began, milliseconds since 1970.
    pub began: i64,
    /// The last decision.
    pub decision: Option<DecisionRecord>,
    /// The last signal given.
    pub signal: Option<String>,
    /// Microseconds from frame to signal.
    pub frame_to_signal_us: Option<i64>,
    /// When it left, milliseconds since 1970.
    pub left_at: Option<i64>,
    /// Whether it waits for an officer.
    pub waiting: bool,
    /// Position in the feed of changes.
    pub changed: i64,
}

/// What an officer read.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct CorrectionRow {
    /// Which plate of the passage.
    pub plate: i64,
    /// The mark; none if it could not be read.
    pub mark: Option<String>,
    /// Who.
    pub officer: String,
    /// When.
    pub at: i64,
}

pub(super) fn passage_row(row: &sqlx::any::AnyRow) -> Result<PassageRow, StorageError> {
    let decision: Option<String> = row.try_get("decision")?;
    Ok(PassageRow {
        id: row.try_get::<String, _>("id")?.parse().map_err(data)?,
        site: row.try_get("site")?,
        lane: row.try_get("lane")?,
        began: row.try_get("began")?,
        decision: decision.map(|d| serde_json::from_str(&d).map_err(data)).transpose()?,
        signal: row.try_get("signal")?,
        frame_to_signal_us: row.try_get("frame_to_signal_us")?,
        left_at: row.try_get("left_at")?,
        waiting: row.try_get::<i64, _>("waiting")? != 0,
        changed: row.try_get("changed")?,
    })
}

impl Store {
    /// Store a step of a passage, once.
    pub async fn store_event(&self, event: &PassageEvent) -> Result<Stored, StorageError> {
        let mut write = self.write().await?;
        let what = serde_json::to_string(&event.what).map_err(data)?;
        let stored =
            sqlx::query("INSERT INTO passage_events (passage, step, at, what) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                .bind(event.passage.to_string())
                .bind(i64::from(event.step))
                .bind(event.at.0)
                .bind(what)
                .execute(&mut *write.tx)
                .await?;
        if stored.rows_affected() == 0 {
            return Ok(Stored::Again);
        }
        write.fold(event).await?;
        write.commit().await?;
        Ok(Stored::New)
    }

    /// Store a picture, once. The caller has checked its digest.
    pub async fn store_evidence(&self, evidence: &Evidence) -> Result<(), StorageError> {
        let write = self.write().await?;
        let mut write = write;
        sqlx::query("INSERT INTO evidence (digest, passage, kind, jpeg) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .bind(evidence.digest.to_string())
            .bind(evidence.passage.to_string())
            .bind(format!("{:?}", evidence.kind))
            .bind(&evidence.jpeg)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// A picture.
    pub async fn evidence(&self, digest: Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let jpeg = sqlx::query_scalar("SELECT jpeg FROM evidence WHERE digest = $1")
            .bind(digest.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(jpeg)
    }

    /// A passage.
    pub async fn passage(&self, id: PassageId) -> Result<Option<PassageRow>, StorageError> {
        let row = sqlx::query("SELECT * FROM passages WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(passage_row).transpose()
    }

    /// Every step of a passage.
    pub async fn steps(&self, id: PassageId) -> Result<Vec<(UtcMillis, PassageStep)>, StorageError> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT at, what FROM passage_events WHERE passage = $1 ORDER BY step")
                .bind(id.to_string())
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter()
            .map(|(at, what)| Ok((UtcMillis(at), serde_json::from_str(&what).map_err(data)?)))
            .collect()
    }

    /// Passages that wait for an officer, oldest first.
    pub async fn waiting(&self) -> Result<Vec<PassageRow>, StorageError> {
        let rows = sqlx::query("SELECT * FROM passages WHERE waiting = 1 ORDER BY began LIMIT 200")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(passage_row).collect()
    }

    /// The latest passages, newest first.
    pub async fn latest(&self, most: u32) -> Result<Vec<PassageRow>, StorageError> {
        let rows = sqlx::query("SELECT * FROM passages ORDER BY began DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(passage_row).collect()
    }

    /// Passages changed after `cursor`, in order of change, at most 500.
    pub async fn changed_since(&self, cursor: i64) -> Result<Vec<PassageRow>, StorageError> {
        let rows = sqlx::query("SELECT * FROM passages WHERE changed > $1 ORDER BY changed LIMIT 500")
            .bind(cursor)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(passage_row).collect()
    }

    /// Note what an officer read on plates of a passage.
    pub async fn correct(
        &self,
        passage: PassageId,
        marks: &[(u32, Option<RegistrationMark>)],
        officer: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        for (plate, mark) in marks {
            sqlx::query("INSERT INTO corrections (passage, plate, mark, officer, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (passage, plate, at) DO UPDATE SET mark = excluded.mark, officer = excluded.officer")
                .bind(passage.to_string())
                .bind(i64::from(*plate))
                .bind(mark.as_ref().map(RegistrationMark::as_str))
                .bind(officer)
                .bind(at.0)
                .execute(&mut *write.tx)
                .await?;
            let read = Noted::Read { plate: *plate, mark: mark.clone() };
            write.audit(at, officer, &read, &passage.to_string()).await?;
        }
        write.commit().await
    }

    /// What officers read of a passage, latest last.
    pub async fn corrections(&self, passage: PassageId) -> Result<Vec<CorrectionRow>, StorageError> {
        let rows =
            sqlx::query_as("SELECT plate, mark, officer, at FROM corrections WHERE passage = $1 ORDER BY at")
                .bind(passage.to_string())
                .fetch_all(&self.pool)
                .await?;
        Ok(rows)
    }

    /// A waiting passage needs no officer any more (it left, and somebody has looked at it).
    pub async fn dismiss(
        &self,
        passage: PassageId,
        officer: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        write.touch(passage, "UPDATE passages SET waiting = 0, changed = $1 WHERE id = $2").await?;
        write.audit(at, officer, &Noted::Dismiss, &passage.to_string()).await?;
        write.commit().await
    }
}

impl Write<'_> {
    /// Bring the passage's row up to date with a new event.
    async fn fold(&mut self, event: &PassageEvent) -> Result<(), StorageError> {
        let id = event.passage.to_string();
        sqlx::query("INSERT INTO passages (id, site, lane, began, changed) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING")
            .bind(&id)
            .bind(event.site.as_str())
            .bind(event.lane.as_str())
            .bind(event.at.0)
            .execute(&mut *self.tx)
            .await?;
        self.touch(event.passage, "UPDATE passages SET changed = $1 WHERE id = $2").await?;
        match &event.what {
            PassageStep::Decided(record) => self.fold_decision(event, record, &id).await,
            PassageStep::Signalled { signal, frame_to_signal_us } => {
                let signal = serde_json::to_string(signal).map_err(data)?;
                sqlx::query("UPDATE passages SET signal = $1, frame_to_signal_us = COALESCE($2, frame_to_signal_us) WHERE id = $3")
                    .bind(signal.trim_matches('"'))
                    .bind(frame_to_signal_us.map(|us| us.min(i64::MAX as u64) as i64))
                    .bind(&id)
                    .execute(&mut *self.tx)
                    .await?;
                Ok(())
            }
            PassageStep::Left => {
                sqlx::query("UPDATE passages SET left_at = $1 WHERE id = $2")
                    .bind(event.at.0)
                    .bind(&id)
                    .execute(&mut *self.tx)
                    .await?;
                self.note_left(event).await
            }
            PassageStep::OrderRefused { order, why } => {
                // The vehicle still waits: the order did nothing.
                sqlx::query("UPDATE passages SET waiting = 1 WHERE id = $1 AND left_at IS NULL")
                    .bind(&id)
                    .execute(&mut *self.tx)
                    .await?;
                self.settle_order(&order.to_string(), OrderState::Refused(why.clone())).await
            }
            PassageStep::SignalFailed(_) => Ok(()),
        }
    }

    async fn fold_decision(
        &mut self,
        event: &PassageEvent,
        record: &DecisionRecord,
        id: &str,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE passages SET decision = $1, waiting = $2 WHERE id = $3")
            .bind(serde_json::to_string(record).map_err(data)?)
            .bind(i64::from(record.outcome == Outcome::Referred))
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        if let Some(order) = &record.order {
            self.settle_order(&order.nonce.to_string(), OrderState::Obeyed).await?;
        }
        self.note_marks(event, record).await?;
        let passed = match record.outcome {
            Outcome::Released => true,
            // A directive is for one movement: sent to inspection by it, the vehicle has had it.
            Outcome::Directed(_) => record.movement.is_some(),
            Outcome::Referred => false,
        };
        for entry in self.concerned(event, record, id).await? {
            self.note_decided(event, record, &entry.directive.movement).await?;
            if passed {
                let op = DirectiveOp::Use {
                    movement: entry.directive.movement,
                    mark: entry.directive.mark.clone(),
                    passage: event.passage,
                };
                self.append(&event.site, vec![op]).await?;
                self.forget_elsewhere(&event.site, &entry.directive.mark).await?;
            }
        }
        Ok(())
    }

    /// The directives that a decision is about, and that a release uses up, which every lane must be told: of the movement it
    /// names, or else of the marks that an officer, or the lane for certain, has read.
    async fn concerned(
        &mut self,
        event: &PassageEvent,
        record: &DecisionRecord,
        id: &str,
    ) -> Result<Vec<DirectiveEntry>, StorageError> {
        let marks: Vec<String> = if let Some(movement) = &record.movement {
            sqlx::query_scalar("SELECT mark FROM movements WHERE id = $1")
                .bind(movement.as_str())
                .fetch_all(&mut *self.tx)
                .await?
        } else {
            let read: Vec<String> = sqlx::query_scalar(
                "SELECT DISTINCT mark FROM corrections WHERE passage = $1 AND mark IS NOT NULL",
            )
            .bind(id)
            .fetch_all(&mut *self.tx)
            .await?;
            let certain = record.plates.iter().filter(|p| p.certainty == Certainty::Certain);
            let certain = certain.filter_map(|p| p.candidates.first()).map(|c| c.mark.as_str().to_owned());
            if read.is_empty() { certain.collect() } else { read }
        };
        let mut used = Vec::new();
        for mark in marks {
            let entry: Option<String> =
                sqlx::query_scalar("SELECT entry FROM entries WHERE site = $1 AND mark = $2")
                    .bind(event.site.as_str())
                    .bind(&mark)
                    .fetch_optional(&mut *self.tx)
                    .await?;
            let Some(entry) = entry else { continue };
            let entry: DirectiveEntry = serde_json::from_str(&entry).map_err(data)?;
            let named = record.movement.as_ref().is_none_or(|movement| *movement == entry.directive.movement);
            if named && entry.status == DirectiveStatus::Active {
                used.push(entry);
            }
        }
        Ok(used)
    }

    /// Move a passage to the end of the feed of changes; `sql` takes the new position and the id.
    pub(super) async fn touch(&mut self, passage: PassageId, sql: &'static str) -> Result<(), StorageError> {
        let position: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(changed), 0) + 1 FROM passages")
            .fetch_one(&mut *self.tx)
            .await?;
        sqlx::query(sql).bind(position).bind(passage.to_string()).execute(&mut *self.tx).await?;
        Ok(())
    }
}
