//! The site's log of directives: appended in the transaction of the change, read by lanes.

use clearance::directive::DirectiveEntry;
use clearance::ids::{Digest, Epoch, Revision, SiteId};
use clearance::mark::RegistrationMark;
use clearance::merkle::{self, BUCKETS, BucketSet, Buckets, bucket_of};
use clearance::publisher::{EPOCHS_BEFORE, Moment, seal_delta, wanted};
use clearance::replicate::{DirectiveOp, Head};
use sqlx::{AnyConnection, AnyExecutor};

use super::{Committed, StorageError, Store, Write, data, epochs};

impl Write<'_> {
    /// Append one delta. It is published when the transaction commits.
    pub(crate) async fn append(
        &mut self,
        site: &SiteId,
        ops: Vec<DirectiveOp>,
    ) -> Result<Head, StorageError> {
        let head = head_of(&mut self.tx, site).await?;
        let sealed = seal_delta(&self.store.signer, site, &head, ops.clone());
        for op in &ops {
            let before = entry_of(&mut *self.tx, site, op.mark()).await?;
            if let Some(after) = op.applied(before.as_ref(), sealed.head.revision) {
                self.put(site, before.as_ref(), &after).await?;
            }
        }
        sqlx::query("INSERT INTO log (site, epoch, revision, hash, sealed) VALUES ($1, $2, $3, $4, $5)")
            .bind(site.as_str())
            .bind(sealed.head.epoch.0 as i64)
            .bind(sealed.head.revision.0 as i64)
            .bind(sealed.head.hash.to_string())
            .bind(&sealed.bytes)
            .execute(&mut *self.tx)
            .await?;
        self.committed.push(Committed { site: site.clone(), head: sealed.head, sealed: sealed.bytes });
        Ok(sealed.head)
    }

    /// The directive of a mark.
    pub(crate) async fn entry(
        &mut self,
        site: &SiteId,
        mark: &RegistrationMark,
    ) -> Result<Option<DirectiveEntry>, StorageError> {
        entry_of(&mut *self.tx, site, mark).await
    }

    /// Store an entry and bring its bucket's sum up to date.
    async fn put(
        &mut self,
        site: &SiteId,
        before: Option<&DirectiveEntry>,
        after: &DirectiveEntry,
    ) -> Result<(), StorageError> {
        let mark = &after.directive.mark;
        let bucket = bucket_of(mark);
        sqlx::query("INSERT INTO entries (site, mark, entry, bucket) VALUES ($1, $2, $3, $4) ON CONFLICT (site, mark) DO UPDATE SET entry = excluded.entry, bucket = excluded.bucket")
            .bind(site.as_str())
            .bind(mark.as_str())
            .bind(serde_json::to_string(after).map_err(data)?)
            .bind(i64::from(bucket))
            .execute(&mut *self.tx)
            .await?;
        let known: Option<String> =
            sqlx::query_scalar("SELECT sum FROM buckets WHERE site = $1 AND bucket = $2")
                .bind(site.as_str())
                .bind(i64::from(bucket))
                .fetch_optional(&mut *self.tx)
                .await?;
        let mut sum: Digest = known.map_or(Ok(Digest::default()), |sum| sum.parse()).map_err(data)?;
        for entry in before.into_iter().chain([after]) {
            merkle::add(&mut sum, merkle::leaf(entry));
        }
        put_sum(&mut self.tx, site, bucket, sum).await
    }
}

async fn put_sum(
    connection: &mut AnyConnection,
    site: &SiteId,
    bucket: u8,
    sum: Digest,
) -> Result<(), StorageError> {
    sqlx::query("INSERT INTO buckets (site, bucket, sum) VALUES ($1, $2, $3) ON CONFLICT (site, bucket) DO UPDATE SET sum = excluded.sum")
        .bind(site.as_str())
        .bind(i64::from(bucket))
        .bind(sum.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn head_of(connection: &mut AnyConnection, site: &SiteId) -> Result<Head, StorageError> {
    let epoch = epochs::current(connection).await?;
    end_of(connection, site, epoch).await
}

/// Where the log of one epoch stands, or ended.
async fn end_of(connection: &mut AnyConnection, site: &SiteId, epoch: Epoch) -> Result<Head, StorageError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT revision, hash FROM log WHERE site = $1 AND epoch = $2 ORDER BY revision DESC LIMIT 1",
    )
    .bind(site.as_str())
    .bind(epoch.0 as i64)
    .fetch_optional(connection)
    .await?;
    let Some((revision, hash)) = row else { return Ok(Head { epoch, ..Head::default() }) };
    Ok(Head { epoch, revision: Revision(revision as u64), hash: hash.parse().map_err(data)? })
}

async fn buckets_of(connection: &mut AnyConnection, site: &SiteId) -> Result<Buckets, StorageError> {
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT bucket, sum FROM buckets WHERE site = $1")
        .bind(site.as_str())
        .fetch_all(connection)
        .await?;
    let mut sums = [Digest::default(); BUCKETS];
    for (bucket, sum) in rows {
        let place = usize::try_from(bucket).ok().and_then(|bucket| sums.get_mut(bucket));
        *place.ok_or_else(|| data(format!("bucket {bucket}")))? = sum.parse().map_err(data)?;
    }
    Ok(Buckets::from_sums(&sums))
}

async fn moment_of(connection: &mut AnyConnection, site: &SiteId) -> Result<(Moment, Buckets), StorageError> {
    let head = head_of(connection, site).await?;
    let buckets = buckets_of(connection, site).await?;
    let mut before = Vec::new();
    let earlier: Vec<i64> = sqlx::query_scalar(
        "SELECT epoch FROM (SELECT 1 AS epoch UNION SELECT epoch FROM epochs) WHERE epoch < $1 ORDER BY epoch DESC LIMIT $2",
    )
    .bind(head.epoch.0 as i64)
    .bind(EPOCHS_BEFORE as i64)
    .fetch_all(&mut *connection)
    .await?;
    for epoch in earlier {
        before.push(end_of(connection, site, Epoch(epoch as u64)).await?);
    }
    Ok((Moment { head, root: buckets.root(), before }, buckets))
}

async fn entry_of<'e>(
    executor: impl AnyExecutor<'e>,
    site: &SiteId,
    mark: &RegistrationMark,
) -> Result<Option<DirectiveEntry>, StorageError> {
    let entry: Option<String> = sqlx::query_scalar("SELECT entry FROM entries WHERE site = $1 AND mark = $2")
        .bind(site.as_str())
        .bind(mark.as_str())
        .fetch_optional(executor)
        .await?;
    entry.map(|e| serde_json::from_str(&e).map_err(data)).transpose()
}

impl Store {
    /// Where a site's log stands.
    pub async fn head(&self, site: &SiteId) -> Result<Head, StorageError> {
        head_of(&mut *self.pool.acquire().await?, site).await
    }

    /// What a lease for a site vouches for now: where its log stands, and the root of its set there.
    pub async fn vouched(&self, site: &SiteId) -> Result<(Head, Digest), StorageError> {
        let mut tx = self.read().await?;
        let head = head_of(&mut tx, site).await?;
        Ok((head, buckets_of(&mut tx, site).await?.root()))
    }

    /// The directive of a mark.
    pub async fn entry(
        &self,
        site: &SiteId,
        mark: &RegistrationMark,
    ) -> Result<Option<DirectiveEntry>, StorageError> {
        entry_of(&self.pool, site, mark).await
    }

    /// The directives of a site that whoever holds `held` lacks, from one moment: all where nothing is said to be held.
    pub async fn snapshot(
        &self,
        site: &SiteId,
        held: Option<&Buckets>,
    ) -> Result<(Moment, BucketSet, Vec<DirectiveEntry>), StorageError> {
        let mut tx = self.read().await?;
        let (moment, ours) = moment_of(&mut tx, site).await?;
        let lacking = wanted(&ours, held);
        let mut entries: Vec<String> = Vec::new();
        if lacking == BucketSet::ALL {
            entries = sqlx::query_scalar("SELECT entry FROM entries WHERE site = $1 ORDER BY mark")
                .bind(site.as_str())
                .fetch_all(&mut *tx)
                .await?;
        } else {
            for bucket in lacking.iter() {
                let some: Vec<String> = sqlx::query_scalar(
                    "SELECT entry FROM entries WHERE site = $1 AND bucket = $2 ORDER BY mark",
                )
                .bind(site.as_str())
                .bind(i64::from(bucket))
                .fetch_all(&mut *tx)
                .await?;
                entries.extend(some);
            }
        }
        let entries =
            entries.iter().map(|e| serde_json::from_str(e).map_err(data)).collect::<Result<_, _>>()?;
        Ok((moment, lacking, entries))
    }

    /// Give entries that were stored before there were buckets their bucket, and the buckets their sums.
    pub(super) async fn fill_buckets(&self) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        let sites: Vec<String> = sqlx::query_scalar("SELECT DISTINCT site FROM entries WHERE bucket < 0")
            .fetch_all(&mut *write.tx)
            .await?;
        for site in sites {
            let site: SiteId = site.parse().map_err(data)?;
            let rows: Vec<String> = sqlx::query_scalar("SELECT entry FROM entries WHERE site = $1")
                .bind(site.as_str())
                .fetch_all(&mut *write.tx)
                .await?;
            let mut buckets = Buckets::default();
            for row in rows {
                let entry: DirectiveEntry = serde_json::from_str(&row).map_err(data)?;
                let mark = &entry.directive.mark;
                buckets.change(mark, None, Some(&entry));
                sqlx::query("UPDATE entries SET bucket = $1 WHERE site = $2 AND mark = $3")
                    .bind(i64::from(bucket_of(mark)))
                    .bind(site.as_str())
                    .bind(mark.as_str())
                    .execute(&mut *write.tx)
                    .await?;
            }
            for bucket in buckets.differing(&Buckets::default()).iter() {
                put_sum(&mut write.tx, &site, bucket, buckets.sum(bucket)).await?;
            }
        }
        write.commit().await
    }

    /// Sealed deltas `from..=to` of the current epoch, at most 1000.
    pub async fn range(
        &self,
        site: &SiteId,
        from: Revision,
        to: Revision,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let rows = sqlx::query_scalar(
            "SELECT sealed FROM log WHERE site = $1 AND epoch = $2 AND revision BETWEEN $3 AND $4 ORDER BY revision LIMIT 1000",
        )
        .bind(site.as_str())
        .bind(self.epoch().await?.0 as i64)
        .bind(from.0.min(i64::MAX as u64) as i64)
        .bind(to.0.min(i64::MAX as u64) as i64)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Hashes of a site's log in order, to check the chain.
    pub async fn chain(&self, site: &SiteId) -> Result<Vec<Digest>, StorageError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT hash FROM log WHERE site = $1 AND epoch = $2 ORDER BY revision")
                .bind(site.as_str())
                .bind(self.epoch().await?.0 as i64)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|h| h.parse().map_err(data)).collect()
    }
}
