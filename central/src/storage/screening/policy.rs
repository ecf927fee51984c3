//! Policies and watch lists.

use clearance::ids::{Digest, UtcMillis};
use futures::future::BoxFuture;
use risk::lists::ListHeader;
use risk::{Canonical as _, Policy};
use sqlx::FromRow;

use crate::storage::{Change, Noted, StorageError, Store, Write, data};

/// A version of what screening decides by.
#[derive(Clone, Debug, FromRow)]
pub struct PolicyRow {
    version: i64,
    /// SHA-256 of its canonical bytes.
    pub digest: String,
    body: String,
    /// Who has drawn it up.
    pub put_by: String,
    /// When.
    pub put_at: i64,
    /// Who has approved it; none: it is not in force.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<i64>,
}

impl PolicyRow {
    /// Its version.
    pub fn version(&self) -> u32 {
        self.version as u32
    }

    /// The policy.
    pub fn policy(&self) -> Result<Policy, StorageError> {
        serde_json::from_str(&self.body).map_err(data)
    }
}

/// A watch list as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct ListRow {
    /// SHA-256 of its content.
    pub digest: String,
    /// Its name.
    pub name: String,
    header: String,
    /// Its entries, CSV.
    pub body: Vec<u8>,
    /// Who has put it there.
    pub put_by: String,
    /// When.
    pub put_at: i64,
}

impl ListRow {
    /// What the list is.
    pub fn header(&self) -> Result<ListHeader, StorageError> {
        serde_json::from_str(&self.header).map_err(data)
    }
}

macro_rules! policies {
    ($rest:literal) => {
        concat!(
            "SELECT version, digest, body, put_by, put_at, approved_by, approved_at FROM screening_policies ",
            $rest
        )
    };
}

impl Store {
    /// The version of the policy in force: the latest that was approved. It is asked for all the time, the policy itself is not.
    pub async fn policy_in_force(&self) -> Result<Option<u32>, StorageError> {
        let version: Option<i64> =
            sqlx::query_scalar("SELECT MAX(version) FROM screening_policies WHERE approved_by IS NOT NULL")
                .fetch_one(&self.pool)
                .await?;
        Ok(version.map(|version| version as u32))
    }

    /// The policy in force, if there is one.
    pub(crate) async fn current_policy(&self) -> Result<Option<Policy>, StorageError> {
        let Some(version) = self.policy_in_force().await? else { return Ok(None) };
        self.policy(version).await?.map(|row| row.policy()).transpose()
    }

    /// A version.
    pub async fn policy(&self, version: u32) -> Result<Option<PolicyRow>, StorageError> {
        let rows = sqlx::query_as(policies!("WHERE version = $1"));
        Ok(rows.bind(i64::from(version)).fetch_optional(&self.pool).await?)
    }

    /// The latest versions, the last first, in force or not.
    pub async fn policies(&self, most: u32) -> Result<Vec<PolicyRow>, StorageError> {
        let rows = sqlx::query_as(policies!("ORDER BY version DESC LIMIT $1"));
        Ok(rows.bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// A list by its digest.
    pub async fn watch_list(&self, digest: &Digest) -> Result<Option<ListRow>, StorageError> {
        let row = sqlx::query_as(
            "SELECT digest, name, header, body, put_by, put_at FROM screening_lists WHERE digest = $1",
        )
        .bind(digest.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }
}

/// Why a policy is not approved.
#[derive(Debug, thiserror::Error)]
pub enum NotApproved {
    /// There is none.
    #[error("there is no policy of that version")]
    Unknown,
    /// Whoever has drawn it up.
    #[error("{0} has drawn it up; somebody else approves it")]
    OwnWork(String),
    /// It was approved already.
    #[error("{0} has approved it already")]
    Already(String),
    /// A later one is in force.
    #[error("a later version is in force already; draw it up anew")]
    Superseded,
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for NotApproved {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Draw up a policy; it is in force when somebody else approves it. Gives its version.
pub(crate) struct PutPolicy {
    pub(crate) policy: Policy,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for PutPolicy {
    type Done = u32;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u32, StorageError>> {
        Box::pin(async move {
            let version = insert_policy(write, self.policy, &self.by, self.at).await?;
            Ok(version)
        })
    }
}

/// Store it under the next version.
pub(super) async fn insert_policy(
    write: &mut Write<'_>,
    policy: Policy,
    by: &str,
    at: UtcMillis,
) -> Result<u32, StorageError> {
    let latest: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM screening_policies").fetch_one(&mut *write.tx).await?;
    let version = latest.unwrap_or(0) as u32 + 1;
    let policy = Policy { version, ..policy };
    sqlx::query(
        "INSERT INTO screening_policies (version, digest, body, put_by, put_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(i64::from(version))
    .bind(policy.digest().to_string())
    .bind(serde_json::to_string(&policy).map_err(data)?)
    .bind(by.to_owned())
    .bind(at.0)
    .execute(&mut *write.tx)
    .await?;
    write.audit(at, by, &Noted::PutPolicy, &version.to_string()).await?;
    Ok(version)
}

/// The second pair of eyes: the policy is in force from now on.
pub(crate) struct ApprovePolicy {
    pub(crate) version: u32,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for ApprovePolicy {
    type Done = ();
    type Refused = NotApproved;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), NotApproved>> {
        Box::pin(async move {
            let row: Option<PolicyRow> = sqlx::query_as(policies!("WHERE version = $1"))
                .bind(i64::from(self.version))
                .fetch_optional(&mut *write.tx)
                .await?;
            let row = row.ok_or(NotApproved::Unknown)?;
            if let Some(by) = row.approved_by {
                return Err(NotApproved::Already(by));
            }
            if row.put_by == self.by {
                return Err(NotApproved::OwnWork(self.by));
            }
            let later: Option<i64> = sqlx::query_scalar(
                "SELECT MAX(version) FROM screening_policies WHERE approved_by IS NOT NULL AND version > $1",
            )
            .bind(i64::from(self.version))
            .fetch_one(&mut *write.tx)
            .await?;
            if later.is_some() {
                return Err(NotApproved::Superseded);
            }
            sqlx::query(
                "UPDATE screening_policies SET approved_by = $1, approved_at = $2 WHERE version = $3",
            )
            .bind(self.by.clone())
            .bind(self.at.0)
            .bind(i64::from(self.version))
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &self.by, &Noted::ApprovePolicy, &self.version.to_string()).await?;
            Ok(())
        })
    }
}

/// Store a watch list; a policy may name it from now on.
pub(crate) struct PutList {
    pub(crate) header: ListHeader,
    /// Of what is read from `body`.
    pub(crate) digest: Digest,
    pub(crate) body: Vec<u8>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for PutList {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO screening_lists (digest, name, header, body, put_by, put_at) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (digest) DO NOTHING",
            )
            .bind(self.digest.to_string())
            .bind(self.header.list.clone())
            .bind(serde_json::to_string(&self.header).map_err(data)?)
            .bind(self.body)
            .bind(self.by.clone())
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &self.by, &Noted::PutList, &self.header.list).await?;
            Ok(())
        })
    }
}
