//! Histories of central's log: beginning a new one, changing the key that signs it, and officers' acceptance of it for an
//! edge that has seen something else.

use clearance::follower::Quarantine;
use clearance::ids::{EdgeId, Epoch, OfficerId, SiteId, UtcMillis};
use clearance::replicate::{ForkAccepted, KeyRotation};
use clearance::wire::PublicKey;
use sqlx::AnyConnection;

use super::{COMMAND_LINE, Noted, StorageError, Store, Write, data};

/// 2026-01-01T00:00:00Z, milliseconds since 1970.
const FIRST_EPOCH: i64 = 1_767_225_600_000;

/// Why a new history is begun.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochReason {
    /// The database was brought back from a copy.
    Restored,
    /// Another central took over.
    Failover,
    /// The signing key was replaced.
    KeyRotated,
    /// An officer settled a contradiction of this history.
    ForkAccepted,
}

impl EpochReason {
    /// As it is kept and typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Failover => "failover",
            Self::KeyRotated => "key_rotated",
            Self::ForkAccepted => "fork_accepted",
        }
    }
}

/// The history that is being written. Asked in every transaction, so that a process which another one has left behind never
/// writes into a history that is over.
pub(super) async fn current(connection: &mut AnyConnection) -> Result<Epoch, StorageError> {
    let epoch: String =
        sqlx::query_scalar("SELECT value FROM meta WHERE key = 'epoch'").fetch_one(connection).await?;
    Ok(Epoch(epoch.parse().map_err(data)?))
}

impl Write<'_> {
    /// Begin a new history. The sets stay as they are; every site's log begins anew at revision 1.
    ///
    /// Its number is one that was never given out before, though this database may not remember: brought back twice from one
    /// copy, it would count to the same number twice, and two histories would bear it. So numbers follow the clock, in
    /// milliseconds since [`FIRST_EPOCH`], and rise in any case.
    pub(super) async fn begin_epoch(
        &mut self,
        why: &EpochReason,
        who: &str,
        at: UtcMillis,
    ) -> Result<Epoch, StorageError> {
        let by_clock = u64::try_from(at.0 - FIRST_EPOCH).unwrap_or(0);
        let epoch = Epoch((current(&mut self.tx).await?.0 + 1).max(by_clock));
        sqlx::query("UPDATE meta SET value = $1 WHERE key = 'epoch'")
            .bind(epoch.0.to_string())
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("INSERT INTO epochs (epoch, began, who, why) VALUES ($1, $2, $3, $4)")
            .bind(epoch.0 as i64)
            .bind(at.0)
            .bind(who)
            .bind(why.name())
            .execute(&mut *self.tx)
            .await?;
        self.audit(at, who, &Noted::BeginEpoch(why.clone()), &epoch.0.to_string()).await?;
        Ok(epoch)
    }
}

impl Store {
    /// The history that is being written.
    pub async fn epoch(&self) -> Result<Epoch, StorageError> {
        current(&mut *self.pool.acquire().await?).await
    }

    /// Begin a new history, as after a restore. Edges that have seen more than it holds are quarantined until an officer
    /// accepts it for them.
    pub async fn begin_epoch(
        &self,
        why: &EpochReason,
        who: &str,
        at: UtcMillis,
    ) -> Result<Epoch, StorageError> {
        let mut write = self.write().await?;
        let epoch = write.begin_epoch(why, who, at).await?;
        write.commit().await?;
        Ok(epoch)
    }

    /// Hand over to another key: a rotation sealed with the present one, and a new history for the other to sign.
    pub async fn rotate_key(&self, next: PublicKey, at: UtcMillis) -> Result<(u64, Epoch), StorageError> {
        let mut write = self.write().await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(serial) FROM rotations").fetch_one(&mut *write.tx).await?;
        let serial = last.unwrap_or(0) as u64 + 1;
        let epoch = write.begin_epoch(&EpochReason::KeyRotated, COMMAND_LINE, at).await?;
        let (sealed, _) = self.signer.seal(&KeyRotation { serial, next, epoch, at });
        sqlx::query("INSERT INTO rotations (serial, retired, next, sealed) VALUES ($1, $2, $3, $4)")
            .bind(serial as i64)
            .bind(self.signer.public().to_string())
            .bind(next.to_string())
            .bind(sealed)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await?;
        Ok((serial, epoch))
    }

    /// Every rotation, oldest first, as sealed.
    pub async fn rotations(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM rotations ORDER BY serial").fetch_all(&self.pool).await?)
    }

    /// The key that was last handed over to; `None` if none ever was.
    pub async fn handed_over_to(&self) -> Result<Option<PublicKey>, StorageError> {
        let newest: Option<String> =
            sqlx::query_scalar("SELECT next FROM rotations ORDER BY serial DESC LIMIT 1")
                .fetch_optional(&self.pool)
                .await?;
        newest.map(|next| next.parse().map_err(data)).transpose()
    }

    /// Accept central's history for an edge that is quarantined over it. Unless the contradiction is that the edge has not
    /// been in the present one, a new one is begun, for an edge never goes back. Gives the history that the edge may enter.
    pub async fn accept_fork(
        &self,
        edge: (&SiteId, &EdgeId),
        contradiction: Quarantine,
        officer: &OfficerId,
        reason: &str,
        at: UtcMillis,
    ) -> Result<Epoch, StorageError> {
        let (site, edge) = edge;
        let mut write = self.write().await?;
        let mut epoch = current(&mut write.tx).await?;
        let enters = matches!(contradiction, Quarantine::LostHistory(met, _) if met <= epoch);
        if !enters {
            epoch = write.begin_epoch(&EpochReason::ForkAccepted, officer.as_str(), at).await?;
        }
        let accepted = ForkAccepted {
            site: site.clone(),
            edge: edge.clone(),
            epoch,
            officer: officer.clone(),
            reason: reason.to_owned(),
            at,
        };
        sqlx::query("INSERT INTO accepted_forks (site, edge, epoch, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT (site, edge, epoch) DO UPDATE SET sealed = excluded.sealed")
            .bind(site.as_str())
            .bind(edge.as_str())
            .bind(epoch.0 as i64)
            .bind(self.signer.seal(&accepted).0)
            .execute(&mut *write.tx)
            .await?;
        let noted = Noted::AcceptFork { epoch, reason: reason.to_owned() };
        write.audit(at, officer.as_str(), &noted, &format!("{site}/{edge}")).await?;
        write.commit().await?;
        Ok(epoch)
    }

    /// The acceptance that waits for this edge, as sealed.
    pub async fn pending_acceptance(
        &self,
        site: &SiteId,
        edge: &EdgeId,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let sealed = sqlx::query_scalar(
            "SELECT sealed FROM accepted_forks WHERE site = $1 AND edge = $2 AND followed = 0 ORDER BY epoch DESC LIMIT 1",
        )
        .bind(site.as_str())
        .bind(edge.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(sealed)
    }

    /// The edge has followed into `epoch`.
    pub async fn acceptance_followed(
        &self,
        site: &SiteId,
        edge: &EdgeId,
        epoch: Epoch,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE accepted_forks SET followed = 1 WHERE site = $1 AND edge = $2 AND epoch <= $3 AND followed = 0")
            .bind(site.as_str())
            .bind(edge.as_str())
            .bind(epoch.0 as i64)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
