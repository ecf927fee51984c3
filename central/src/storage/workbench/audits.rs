//! Audits after a release: crossings that were let go and are looked into once they are over.

use clearance::ids::UtcMillis;
use sqlx::{AssertSqlSafe, Row as _};

use crate::storage::trade::{MovementRow, movements};
use crate::storage::{StorageError, Store, Write};

/// A released crossing that is over, whose latest assessment asks for an audit. Nothing of a sandbox is assessed. The index
/// `assessments_to_audit` has the inner half word for word.
const DUE: &str = "signalled = 'released' AND departed_at IS NOT NULL \
    AND id IN (SELECT movement FROM assessments WHERE latest = 1 AND measure = 'audit')";

/// A crossing that is to be audited.
#[derive(Clone, Debug)]
pub struct ToAudit {
    /// The movement.
    pub movement: MovementRow,
    /// When it was released.
    pub released: UtcMillis,
}

impl Store {
    /// Crossings that are to be audited and were not yet, the longest waiting first, and how many there are.
    pub async fn to_audit(&self, most: u32) -> Result<(Vec<ToAudit>, i64), StorageError> {
        let statement = format!(
            "{} WHERE {DUE} AND inspected IS NULL ORDER BY signalled_at, id LIMIT $1",
            movements("").replacen("SELECT id,", "SELECT signalled_at, id,", 1)
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(i64::from(most)).fetch_all(&self.pool).await?;
        let due = rows.iter().map(|row| {
            let movement = sqlx::FromRow::from_row(row)?;
            Ok(ToAudit { movement, released: UtcMillis(row.try_get("signalled_at")?) })
        });
        Ok((due.collect::<Result<_, StorageError>>()?, self.audits_due().await?))
    }

    /// How many crossings are to be audited and were not yet.
    pub async fn audits_due(&self) -> Result<i64, StorageError> {
        let statement = format!("SELECT COUNT(*) FROM movements WHERE {DUE} AND inspected IS NULL");
        Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&self.pool).await?)
    }

    /// Whether a crossing is one that is audited, whether it was already or not.
    pub async fn is_audited(&self, movement: &str) -> Result<bool, StorageError> {
        let found: i64 =
            sqlx::query_scalar(AssertSqlSafe(one())).bind(movement).fetch_one(&self.pool).await?;
        Ok(found > 0)
    }
}

impl Write<'_> {
    /// The same, in a transaction.
    pub(crate) async fn is_audited(&mut self, movement: &str) -> Result<bool, StorageError> {
        let query = sqlx::query_scalar(AssertSqlSafe(one())).bind(movement.to_owned());
        let found: i64 = query.fetch_one(&mut *self.tx).await?;
        Ok(found > 0)
    }
}

fn one() -> String {
    format!("SELECT COUNT(*) FROM movements WHERE id = $1 AND {DUE}")
}
