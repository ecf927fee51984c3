//! The keys of the random draw, one for each day at the place.

use clearance::ids::UtcMillis;
use jiff::civil::Date;
use sqlx::FromRow;

use super::SCREENING;
use crate::storage::{Noted, StorageError, Store};

/// The key of a day.
#[derive(Clone, Debug, FromRow)]
pub struct DrawRow {
    /// Which day at the place, `YYYY-MM-DD`.
    pub day: String,
    /// SHA-256 of the key: what is told beforehand.
    pub commitment: String,
    /// The key, sealed.
    pub key: Vec<u8>,
    /// When it was made.
    pub made_at: i64,
}

impl Store {
    /// The key of a day.
    pub async fn draw_key(&self, day: Date) -> Result<Option<DrawRow>, StorageError> {
        let row = sqlx::query_as("SELECT day, commitment, key, made_at FROM screening_draws WHERE day = $1")
            .bind(day.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// Store the key of a day, unless another central was faster, and tell its commitment in the audit; gives the one that counts.
    pub async fn put_draw_key(
        &self,
        day: Date,
        commitment: &str,
        sealed: &[u8],
        at: UtcMillis,
    ) -> Result<DrawRow, StorageError> {
        let mut write = self.write().await?;
        let put = sqlx::query(
            "INSERT INTO screening_draws (day, commitment, key, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (day) DO NOTHING",
        )
        .bind(day.to_string())
        .bind(commitment.to_owned())
        .bind(sealed.to_vec())
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        if put.rows_affected() == 1 {
            let noted = Noted::CommitDraw { commitment: commitment.to_owned() };
            write.audit(at, SCREENING, &noted, &day.to_string()).await?;
        }
        write.commit().await?;
        self.draw_key(day).await?.ok_or_else(|| StorageError::Lost(format!("the draw's key of {day}")))
    }

    /// The keys of the days from one on, by day.
    pub async fn draw_keys(&self, from: Date, most: u32) -> Result<Vec<DrawRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT day, commitment, key, made_at FROM screening_draws WHERE day >= $1 ORDER BY day LIMIT $2",
        )
        .bind(from.to_string())
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
