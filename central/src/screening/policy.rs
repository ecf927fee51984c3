//! Putting policies and watch lists into the store: everything is checked before it is taken, for what is in force goes on if not.

use std::sync::Arc;

use clearance::ids::{Digest, UtcMillis};
use jiff::tz::TimeZone;
use risk::lists::{ImportError, List, ListHeader, ListIndex, import};
use risk::{Engine, Policy, PolicyError};

use crate::storage::screening::{ApprovePolicy, NotApproved, PolicyRow, PutList, PutPolicy};
use crate::storage::{StorageError, Store, data};

/// Why a policy or a list is not taken. What is in force goes on.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The list's file.
    #[error(transparent)]
    List(#[from] ImportError),
    /// Things that do not fit, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Policy(Vec<PolicyError>),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A list that is to be stored.
#[derive(Clone, Debug)]
pub struct ImportList {
    /// What it is.
    pub header: ListHeader,
    /// Its entries, CSV.
    pub file: Vec<u8>,
}

/// Read a list and store it; gives the digest by which a policy names it.
pub async fn put_list(
    store: &Store,
    zone: &TimeZone,
    list: ImportList,
    by: &str,
    at: UtcMillis,
) -> Result<Digest, NotTaken> {
    let ImportList { header, file } = list;
    let digest = import(header.clone(), &file, zone)?.digest();
    store.change(PutList { header, digest, body: file, by: by.to_owned(), at }).await?;
    Ok(digest)
}

/// Check a policy with its lists and store it; it is in force when somebody else approves it. Gives its version.
pub async fn put_policy(
    store: &Store,
    zone: &TimeZone,
    policy: Policy,
    by: &str,
    at: UtcMillis,
) -> Result<u32, NotTaken> {
    compile(store, zone, policy.clone()).await?;
    Ok(store.change(PutPolicy { policy, by: by.to_owned(), at }).await?)
}

/// Approve a policy: it is in force from now on.
pub async fn approve(store: &Store, version: u32, by: &str, at: UtcMillis) -> Result<(), NotApproved> {
    store.change(ApprovePolicy { version, by: by.to_owned(), at }).await
}

/// Make a stored policy ready.
pub(super) async fn ready(store: &Store, zone: &TimeZone, row: &PolicyRow) -> Result<Arc<Engine>, NotTaken> {
    compile(store, zone, row.policy()?).await.map(Arc::new)
}

pub(super) async fn compile(store: &Store, zone: &TimeZone, policy: Policy) -> Result<Engine, NotTaken> {
    let mut stored = Vec::new();
    for wanted in &policy.lists {
        // One that is not there is told by the engine, with everything else.
        if let Some(row) = store.watch_list(&wanted.digest).await? {
            stored.push((row.header()?, row.body));
        }
    }
    let zone = zone.clone();
    // A million entries take seconds.
    let made = tokio::task::spawn_blocking(move || {
        let lists = stored
            .into_iter()
            .map(|(header, body)| import(header, &body, &zone))
            .collect::<Result<Vec<List>, ImportError>>()?;
        let indexes: Vec<_> =
            lists.into_iter().map(|list| Arc::new(ListIndex::new(Arc::new(list)))).collect();
        Engine::new(policy, &indexes).map_err(NotTaken::Policy)
    });
    made.await.map_err(|error| NotTaken::from(data(error)))?
}
