//! One mark at two lanes within a short time: one of the two vehicles bears another's plate, or a plate was misread. Both
//! passages are flagged for the officers; whichever lane comes second refers the vehicle, for the directive is used up.

use clearance::ids::{PassageId, UtcMillis};
use clearance::passage::{DecisionRecord, PassageEvent};
use clearance::read::Certainty;

use super::{StorageError, Store, Write};

/// How long one vehicle needs at least from one lane's reading to another's (choice): out of the lane, around and in again.
const WITHIN_MS: i64 = 120_000;

/// How long marks are kept: a lane that was cut off delivers its passages when it is back, weeks later at most.
const KEPT_MS: i64 = 30 * 86_400_000;

/// Where else a mark was.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Twin {
    /// The other passage.
    pub other: String,
    /// The mark.
    pub mark: String,
    /// The other lane.
    pub lane: String,
    /// When it was there, milliseconds since 1970.
    pub at: i64,
}

impl Write<'_> {
    /// Note the marks that a lane is certain of, and flag the passages of other lanes that had one of them.
    pub(super) async fn note_marks(
        &mut self,
        event: &PassageEvent,
        record: &DecisionRecord,
    ) -> Result<(), StorageError> {
        let certain = record.plates.iter().filter(|plate| plate.certainty == Certainty::Certain);
        for mark in certain.filter_map(|plate| plate.candidates.first()).map(|candidate| &candidate.mark) {
            let others: Vec<(String, String, i64)> = sqlx::query_as(
                "SELECT passage, lane, at FROM passage_marks \
                 WHERE site = $1 AND mark = $2 AND at BETWEEN $3 AND $4 AND lane <> $5 AND passage <> $6",
            )
            .bind(event.site.as_str())
            .bind(mark.as_str())
            .bind(event.at.0.saturating_sub(WITHIN_MS))
            .bind(event.at.0.saturating_add(WITHIN_MS))
            .bind(event.lane.as_str())
            .bind(event.passage.to_string())
            .fetch_all(&mut *self.tx)
            .await?;
            for (other, lane, at) in others {
                let ours = event.passage.to_string();
                self.flag(&ours, &other, mark.as_str(), &lane, at).await?;
                self.flag(&other, &ours, mark.as_str(), event.lane.as_str(), event.at.0).await?;
                if let Ok(other) = other.parse() {
                    self.touch(other, "UPDATE passages SET changed = $1 WHERE id = $2").await?;
                }
            }
            sqlx::query(
                "INSERT INTO passage_marks (site, mark, at, passage, lane) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(event.site.as_str())
            .bind(mark.as_str())
            .bind(event.at.0)
            .bind(event.passage.to_string())
            .bind(event.lane.as_str())
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn flag(
        &mut self,
        passage: &str,
        other: &str,
        mark: &str,
        lane: &str,
        at: i64,
    ) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO twins (passage, other, mark, lane, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
            .bind(passage)
            .bind(other)
            .bind(mark)
            .bind(lane)
            .bind(at)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Where else the marks of a passage were within a short time.
    pub async fn twins(&self, passage: PassageId) -> Result<Vec<Twin>, StorageError> {
        let rows =
            sqlx::query_as("SELECT other, mark, lane, at FROM twins WHERE passage = $1 ORDER BY at, other")
                .bind(passage.to_string())
                .fetch_all(&self.pool)
                .await?;
        Ok(rows)
    }

    /// Forget marks so old at `now` that no passage still to be delivered can meet them.
    pub async fn forget_marks(&self, now: UtcMillis) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM passage_marks WHERE at < $1")
            .bind(now.0.saturating_sub(KEPT_MS))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
