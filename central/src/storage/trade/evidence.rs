//! The signed payloads that declarations came in.

use crate::ccrn::Ccrn;
use crate::storage::{StorageError, Store};

impl Store {
    /// The JWS of a version of a consignment; `None`: there is no such version, `Some(None)`: it was not signed.
    pub async fn consignment_evidence(
        &self,
        ccrn: &Ccrn,
        version: u32,
    ) -> Result<Option<Option<String>>, StorageError> {
        let found = sqlx::query_scalar(
            "SELECT evidence FROM consignments WHERE ccrn = $1 AND version = $2 \
             UNION ALL SELECT evidence FROM consignment_versions WHERE ccrn = $1 AND version = $2",
        )
        .bind(ccrn.as_str())
        .bind(i64::from(version))
        .fetch_optional(&self.pool)
        .await?;
        Ok(found)
    }
}
