//! The sites' logs: dense, chained, signed, and what they add up to.

use std::collections::BTreeMap;

use clearance::directive::{ActionCode, DirectiveEntry, DirectiveStatus};
use clearance::finding::Check;
use clearance::ids::{Digest, Epoch, MovementId, PassageId, Revision, SiteId};
use clearance::mark::RegistrationMark;
use clearance::merkle::Buckets;
use clearance::replicate::{Delta, DirectiveOp, Head};
use futures::TryStreamExt as _;

use super::{Checking, FROM_BACKUP, Stopped};

const NEW_EPOCH: &str = "restore the last backup that `central fsck` calls sound and begin a new epoch: lanes that saw more stop \
                         trusting until an officer has looked; do not renumber rows";

const GAP: Check = Check::damage(
    "log-gap",
    "a revision is missing: lanes that ask for it are given a snapshot instead",
    NEW_EPOCH,
);
const SEAL: Check =
    Check::damage("log-seal", "a delta is not what this central signed: every lane refuses it", NEW_EPOCH);
const HASH: Check = Check::damage(
    "log-hash",
    "the hash beside a delta is not its own: the next delta would name a wrong one and every lane would be quarantined",
    NEW_EPOCH,
);
const CHAIN: Check = Check::damage(
    "log-chain",
    "a delta does not follow the one before it: every lane that comes past here is quarantined",
    NEW_EPOCH,
);
const PLACE: Check = Check::damage("log-place", "a delta lies in another's row", NEW_EPOCH);
const EPOCH: Check = Check::damage(
    "log-epoch",
    "the log holds an epoch that central has not begun: lanes follow nothing",
    FROM_BACKUP,
);
const ENTRIES: Check = Check::damage(
    "entries",
    "a snapshot gives lanes other directives than the log: lanes that took one differ from lanes that followed",
    "stop central and delete the site's rows of entries that differ; assign those movements their codes again",
);

const SUMS: Check = Check::damage(
    "bucket-sum",
    "every lane of the site is told that it differs, mends what is whole, and has no lease",
    "stop central and delete the site's rows of buckets, then set bucket = -1 in its entries: the next start fills both in",
);

/// What the logs say, for the checks of what refers to them.
#[derive(Default)]
pub(super) struct Said {
    /// What became of each movement's directive.
    pub(super) movements: BTreeMap<MovementId, Movement>,
    /// Passages that used a directive, and which.
    pub(super) used: Vec<(PassageId, MovementId)>,
    /// Some delta could not be read: what is missing here may be its doing.
    pub(super) holes: bool,
}

/// What the log says of a movement.
pub(super) struct Movement {
    /// Its code, unless it was taken back.
    pub(super) action: Option<ActionCode>,
    /// Whether a lane would still release on it.
    pub(super) active: bool,
}

/// The set of all sites.
type Set = BTreeMap<(SiteId, RegistrationMark), DirectiveEntry>;

impl Checking {
    pub(super) async fn log(&mut self) -> Result<Said, Stopped> {
        let mut said = Said::default();
        let mut set = Set::new();
        let mut at: Option<(String, i64, Head)> = None;
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT site, epoch, revision FROM log ORDER BY site, epoch, revision")
                .fetch_all(&mut self.connection)
                .await?;
        let current: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'epoch'")
            .fetch_optional(&mut self.connection)
            .await?;
        let current: Option<i64> = current.and_then(|epoch| epoch.parse().ok()).filter(|epoch| *epoch > 0);
        if current.is_none() {
            self.found(EPOCH.found("meta epoch", "it is no number from 1 on"));
        }
        self.report.count("deltas", rows.len() as u64);
        for (site, epoch, revision) in rows {
            let place = format!("log {site} epoch {epoch} revision {revision}");
            if current.is_some_and(|current| epoch > current) {
                self.found(
                    EPOCH.found(&place, format!("the current epoch is {}", current.unwrap_or_default())),
                );
            }
            let head = match &at {
                Some((of, in_epoch, head)) if *of == site && *in_epoch == epoch => *head,
                _ => Head { epoch: Epoch(epoch as u64), ..Head::default() },
            };
            if revision as u64 != head.revision.0 + 1 {
                said.holes = true;
                self.found(GAP.found(&place, format!("follows revision {}", head.revision.0)));
            }
            let dense = revision as u64 == head.revision.0 + 1;
            let (hash, sealed): (String, Vec<u8>) = sqlx::query_as(
                "SELECT hash, sealed FROM log WHERE site = $1 AND epoch = $2 AND revision = $3",
            )
            .bind(&site)
            .bind(epoch)
            .bind(revision)
            .fetch_one(&mut self.connection)
            .await?;
            let hash = self.delta(
                &place,
                (&site, epoch, revision),
                &hash,
                &sealed,
                (head, dense),
                &mut set,
                &mut said,
            );
            let head = Head { epoch: Epoch(epoch as u64), revision: Revision(revision as u64), hash };
            at = Some((site, epoch, head));
        }
        self.entries(&set).await?;
        self.buckets().await?;
        for entry in set.into_values() {
            let active = entry.status == DirectiveStatus::Active;
            if let Some(movement) = said.movements.get_mut(&entry.directive.movement) {
                movement.active = active;
            }
        }
        Ok(said)
    }

    /// Check one delta and add it to the set; gives the hash that the next one must name.
    #[expect(clippy::too_many_arguments, reason = "a row, what came before it, and where it goes")]
    fn delta(
        &mut self,
        place: &str,
        (site, epoch, revision): (&str, i64, i64),
        hash: &str,
        sealed: &[u8],
        (head, dense): (Head, bool),
        set: &mut Set,
        said: &mut Said,
    ) -> Digest {
        let delta = match self.trust.open::<Delta>(sealed) {
            Ok(delta) => delta,
            Err(error) => {
                said.holes = true;
                self.found(SEAL.found(place, error));
                return hash.parse().unwrap_or_default();
            }
        };
        let own = delta.hash();
        if hash != own.to_string() {
            self.found(HASH.found(place, format!("the row says {hash}, the delta is {own}")));
        }
        let delta = delta.into_record();
        if delta.site.as_str() != site || delta.epoch.0 != epoch as u64 || delta.revision.0 != revision as u64
        {
            let whose =
                format!("the delta of {} epoch {} revision {}", delta.site, delta.epoch.0, delta.revision.0);
            said.holes = true;
            self.found(PLACE.found(place, whose));
        } else if dense && delta.prev_hash != head.hash {
            self.found(
                CHAIN.found(place, format!("names {}, the one before is {}", delta.prev_hash, head.hash)),
            );
        }
        for op in &delta.ops {
            said.take(op);
            let key = (delta.site.clone(), op.mark().clone());
            if let Some(after) = op.applied(set.get(&key), delta.revision) {
                set.insert(key, after);
            }
        }
        own
    }

    /// The sums that leases vouch with, against the entries that snapshots give.
    async fn buckets(&mut self) -> Result<(), Stopped> {
        let mut own: BTreeMap<String, Buckets> = BTreeMap::new();
        let mut rows = sqlx::query_as::<_, (String, String)>("SELECT site, entry FROM entries")
            .fetch(&mut self.connection);
        while let Some((site, entry)) = rows.try_next().await? {
            // One that cannot be read is found beside the log.
            let Ok(entry) = serde_json::from_str::<DirectiveEntry>(&entry) else { continue };
            own.entry(site).or_default().change(&entry.directive.mark, None, Some(&entry));
        }
        drop(rows);
        for (site, buckets) in own {
            let rows: Vec<(i64, String)> = sqlx::query_as("SELECT bucket, sum FROM buckets WHERE site = $1")
                .bind(&site)
                .fetch_all(&mut self.connection)
                .await?;
            let mut kept = Buckets::default();
            for (bucket, sum) in rows {
                if let Ok(bucket) = bucket.try_into() {
                    kept.set(bucket, sum.parse().unwrap_or_default());
                }
            }
            for bucket in buckets.differing(&kept).iter() {
                self.found(
                    SUMS.found(format!("buckets {site} {bucket}"), "its sum is not that of its directives"),
                );
            }
        }
        Ok(())
    }

    async fn entries(&mut self, set: &Set) -> Result<(), Stopped> {
        let mut seen = 0;
        let mut wrong = Vec::new();
        let mut rows = sqlx::query_as::<_, (String, String, String)>("SELECT site, mark, entry FROM entries")
            .fetch(&mut self.connection);
        while let Some((site, mark, entry)) = rows.try_next().await? {
            let key = site.parse().ok().zip(mark.parse().ok());
            let said = key.and_then(|key| set.get(&key));
            let entry: Result<DirectiveEntry, _> = serde_json::from_str(&entry);
            seen += u64::from(said.is_some());
            let what = match (said, entry) {
                (Some(said), Ok(entry)) if entry == *said => continue,
                (Some(said), Ok(entry)) => format!("is {entry:?}; the log gives {said:?}"),
                (Some(_), Err(error)) => format!("cannot be read: {error}"),
                (None, _) => "the log gives none".to_owned(),
            };
            wrong.push(ENTRIES.found(format!("entries {site} {mark}"), what));
        }
        drop(rows);
        self.report.count("directives", set.len() as u64);
        if seen < set.len() as u64 {
            for (site, mark) in set.keys() {
                let there: Option<i64> =
                    sqlx::query_scalar("SELECT 1 FROM entries WHERE site = $1 AND mark = $2")
                        .bind(site.as_str())
                        .bind(mark.as_str())
                        .fetch_optional(&mut self.connection)
                        .await?;
                if there.is_none() {
                    wrong.push(
                        ENTRIES.found(format!("entries {site} {mark}"), "missing, though the log gives one"),
                    );
                }
            }
        }
        wrong.into_iter().for_each(|finding| self.found(finding));
        Ok(())
    }
}

impl Said {
    fn take(&mut self, op: &DirectiveOp) {
        match op {
            DirectiveOp::Put(directive) => {
                let movement = Movement { action: Some(directive.action), active: false };
                self.movements.insert(directive.movement.clone(), movement);
            }
            DirectiveOp::Revoke { movement, .. } => {
                self.movements.insert(movement.clone(), Movement { action: None, active: false });
            }
            DirectiveOp::Use { movement, passage, .. } => self.used.push((*passage, movement.clone())),
        }
    }
}
