//! Contingency notices: while one is in force, what the trade owes is waived. Published with a reference, a start and an end.

use clearance::ids::{SiteId, UtcMillis};
use futures::future::BoxFuture;
use serde::Serialize;
use sqlx::AnyConnection;

use super::{Conflict, Refused};
use crate::storage::{Change, Noted, StorageError, Store, Write};

/// A notice to publish.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its published reference, such as `GN 123/2026`.
    pub reference: String,
    /// Where; none: at every control point.
    pub site: Option<SiteId>,
    /// From when.
    pub begins: UtcMillis,
    /// Until when.
    pub ends: UtcMillis,
    /// Why, for the public.
    pub reason: String,
}

/// A notice as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct NoticeRow {
    /// Reference.
    pub reference: String,
    /// Where; empty: everywhere.
    pub site: String,
    /// From when, milliseconds since 1970.
    pub begins: i64,
    /// Until when.
    pub ends: i64,
    /// Why.
    pub reason: String,
    /// When it was withdrawn.
    pub withdrawn_at: Option<i64>,
}

/// Publish a notice.
pub(crate) struct PublishNotice {
    pub(crate) notice: Notice,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for PublishNotice {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let notice = self.notice;
            let done = sqlx::query(
                "INSERT INTO notices (reference, site, begins, ends, reason, published_by, published_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            )
            .bind(notice.reference.clone())
            .bind(notice.site.map_or(String::new(), |site| site.to_string()))
            .bind(notice.begins.0)
            .bind(notice.ends.0)
            .bind(notice.reason)
            .bind(self.by.clone())
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(Refused::Standing(Conflict::Exists));
            }
            write.audit(self.at, &self.by, &Noted::PublishNotice, &notice.reference).await?;
            Ok(())
        })
    }
}

/// The reference of the notice in force at a control point (empty: not known which), if there is one.
pub(crate) async fn in_force(
    connection: &mut AnyConnection,
    site: &str,
    at: UtcMillis,
) -> Result<Option<String>, StorageError> {
    let reference = sqlx::query_scalar(
        "SELECT reference FROM notices WHERE begins <= $1 AND ends > $1 AND withdrawn_at IS NULL AND site IN ('', $2) ORDER BY begins LIMIT 1",
    )
    .bind(at.0)
    .bind(site.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(reference)
}

impl Store {
    /// Every notice, latest first, at most 200.
    pub async fn notices(&self) -> Result<Vec<NoticeRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT reference, site, begins, ends, reason, withdrawn_at FROM notices ORDER BY begins DESC LIMIT 200",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Withdraw a notice from now on. `false`: there is none in force or to come.
    pub async fn withdraw_notice(
        &self,
        reference: &str,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let done = sqlx::query(
            "UPDATE notices SET withdrawn_at = $1 WHERE reference = $2 AND withdrawn_at IS NULL AND ends > $1",
        )
        .bind(at.0)
        .bind(reference.to_owned())
        .execute(&mut *write.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        write.audit(at, by, &Noted::WithdrawNotice, reference).await?;
        write.commit().await?;
        Ok(true)
    }
}
