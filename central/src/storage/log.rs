//! The site's log of directives: appended in the transaction of the change, read by lanes.

use clearance::directive::DirectiveEntry;
use clearance::ids::{Digest, Revision, SiteId};
use clearance::mark::RegistrationMark;
use clearance::publisher::seal_delta;
use clearance::replicate::{DirectiveOp, Head};
use sqlx::{Sqlite, SqliteExecutor};

use super::{Committed, StorageError, Store, Write, data};

impl Write<'_> {
    /// Append one delta. It is published when the transaction commits.
    pub(crate) async fn append(
        &mut self,
        site: &SiteId,
        ops: Vec<DirectiveOp>,
    ) -> Result<Head, StorageError> {
        let head = head_of(&mut *self.tx, site, self.store).await?;
        let sealed = seal_delta(&self.store.signer, site, &head, ops.clone());
        for op in &ops {
            let before = entry_of(&mut *self.tx, site, op.mark()).await?;
            if let Some(after) = op.applied(before.as_ref(), sealed.head.revision) {
                sqlx::query("INSERT OR REPLACE INTO entries (site, mark, entry) VALUES (?, ?, ?)")
                    .bind(site.as_str())
                    .bind(op.mark().as_str())
                    .bind(serde_json::to_string(&after).map_err(data)?)
                    .execute(&mut *self.tx)
                    .await?;
            }
        }
        sqlx::query("INSERT INTO log (site, epoch, revision, hash, sealed) VALUES (?, ?, ?, ?, ?)")
            .bind(site.as_str())
            .bind(sealed.head.epoch.0 as i64)
            .bind(sealed.head.revision.0 as i64)
            .bind(sealed.head.hash.to_string())
            .bind(&sealed.bytes)
            .execute(&mut *self.tx)
            .await?;
        self.committed.push(Committed { site: site.clone(), sealed: sealed.bytes });
        Ok(sealed.head)
    }
}

async fn head_of<'e>(
    executor: impl SqliteExecutor<'e> + sqlx::Executor<'e, Database = Sqlite>,
    site: &SiteId,
    store: &Store,
) -> Result<Head, StorageError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT revision, hash FROM log WHERE site = ? AND epoch = ? ORDER BY revision DESC LIMIT 1",
    )
    .bind(site.as_str())
    .bind(store.epoch.0 as i64)
    .fetch_optional(executor)
    .await?;
    let Some((revision, hash)) = row else {
        return Ok(Head { epoch: store.epoch, ..Head::default() });
    };
    Ok(Head { epoch: store.epoch, revision: Revision(revision as u64), hash: hash.parse().map_err(data)? })
}

async fn entry_of<'e>(
    executor: impl SqliteExecutor<'e>,
    site: &SiteId,
    mark: &RegistrationMark,
) -> Result<Option<DirectiveEntry>, StorageError> {
    let entry: Option<String> = sqlx::query_scalar("SELECT entry FROM entries WHERE site = ? AND mark = ?")
        .bind(site.as_str())
        .bind(mark.as_str())
        .fetch_optional(executor)
        .await?;
    entry.map(|e| serde_json::from_str(&e).map_err(data)).transpose()
}

impl Store {
    /// Where a site's log stands.
    pub async fn head(&self, site: &SiteId) -> Result<Head, StorageError> {
        head_of(&self.pool, site, self).await
    }

    /// The directive of a mark.
    pub async fn entry(
        &self,
        site: &SiteId,
        mark: &RegistrationMark,
    ) -> Result<Option<DirectiveEntry>, StorageError> {
        entry_of(&self.pool, site, mark).await
    }

    /// All directives of a site, with the head they are at, from one moment.
    pub async fn snapshot(&self, site: &SiteId) -> Result<(Head, Vec<DirectiveEntry>), StorageError> {
        let mut tx = self.pool.begin().await?;
        let head = head_of(&mut *tx, site, self).await?;
        let entries: Vec<String> =
            sqlx::query_scalar("SELECT entry FROM entries WHERE site = ? ORDER BY mark")
                .bind(site.as_str())
                .fetch_all(&mut *tx)
                .await?;
        let entries =
            entries.iter().map(|e| serde_json::from_str(e).map_err(data)).collect::<Result<_, _>>()?;
        Ok((head, entries))
    }

    /// Sealed deltas `from..=to` of the current epoch, at most 1000.
    pub async fn range(
        &self,
        site: &SiteId,
        from: Revision,
        to: Revision,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let rows = sqlx::query_scalar(
            "SELECT sealed FROM log WHERE site = ? AND epoch = ? AND revision BETWEEN ? AND ? ORDER BY revision LIMIT 1000",
        )
        .bind(site.as_str())
        .bind(self.epoch.0 as i64)
        .bind(from.0.min(i64::MAX as u64) as i64)
        .bind(to.0.min(i64::MAX as u64) as i64)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Hashes of a site's log in order, to check the chain.
    pub async fn chain(&self, site: &SiteId) -> Result<Vec<Digest>, StorageError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT hash FROM log WHERE site = ? AND epoch = ? ORDER BY revision")
                .bind(site.as_str())
                .bind(self.epoch.0 as i64)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|h| h.parse().map_err(data)).collect()
    }
}
