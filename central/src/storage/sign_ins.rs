//! Sign-ins that failed. One counts as failed from the moment it is looked at until it has succeeded: whoever sends many at once,
//! to several centrals, guesses no more often.

use clearance::ids::UtcMillis;

use super::{StorageError, Store};
use crate::officers::{token_hash, wait_ms};

/// Failures are forgotten after a day without another.
const REMEMBERED_MS: i64 = 86_400_000;

impl Store {
    /// A sign-in for `name` is about to be looked at, and counts as failed until [`forgive_sign_ins`](Self::forgive_sign_ins).
    /// `false`: too many have failed, and it must wait.
    pub async fn count_sign_in(&self, name: &str, at: UtcMillis) -> Result<bool, StorageError> {
        let tried = token_hash(name);
        let mut write = self.write().await?;
        let before: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, last_at FROM failed_sign_ins WHERE tried = $1")
                .bind(tried.clone())
                .fetch_optional(&mut *write.tx)
                .await?;
        if before.is_some_and(|(failures, last)| wait_ms(failures, UtcMillis(last), at) > 0) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO failed_sign_ins (tried, failures, last_at) VALUES ($1, 1, $2) ON CONFLICT (tried) DO UPDATE SET \
             failures = CASE WHEN failed_sign_ins.last_at < $3 THEN 1 ELSE failed_sign_ins.failures + 1 END, last_at = excluded.last_at",
        )
        .bind(tried)
        .bind(at.0)
        .bind(at.0 - REMEMBERED_MS)
        .execute(&mut *write.tx)
        .await?;
        write.commit().await?;
        Ok(true)
    }

    /// A sign-in for `name` succeeded: those that failed before count no more.
    pub async fn forgive_sign_ins(&self, name: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM failed_sign_ins WHERE tried = $1")
            .bind(token_hash(name))
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// Forget failures of long ago.
    pub(crate) async fn forget_failed_sign_ins(&self, at: UtcMillis) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM failed_sign_ins WHERE last_at < $1")
            .bind(at.0 - REMEMBERED_MS)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }
}
