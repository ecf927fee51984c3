//! Everything central keeps, behind one module: SQLite embedded or PostgreSQL, no SQL elsewhere.
//!
//! Invariants
//! - revisions of a site's log are dense: given out in the transaction that commits the change, one writer at a time;
//! - a (passage, step) is stored once; a release uses up its directive in the transaction that stores it;
//! - an order, its audit line and its sealed bytes are stored together, before it is sent.

mod audit;
mod backup;
pub mod check;
mod checkpoint;
mod clients;
mod engine;
mod epochs;
mod group;
mod log;
pub mod messages;
mod officers;
mod orders;
mod passages;
mod people;
mod programs;
mod restore;
pub mod screening;
mod sign_ins;
mod statement;
pub mod trade;
mod twins;
pub mod workbench;

use std::sync::Arc;

pub use audit::{Anchor, AuditRow, Broken, COMMAND_LINE, CONSOLE, Noted};
pub use backup::{BackupError, Manifest};
use clearance::ids::SiteId;
use clearance::replicate::Head;
use clearance::wire::Signer;
pub use clients::{ClientRow, MOST_LIVE, NotGood};
pub(crate) use clients::{IssueClient, NotIssued, Proof, RevokeClient};
pub use engine::Database;
pub(crate) use engine::Engine;
pub use epochs::EpochReason;
pub(crate) use group::Change;
use group::Group;
pub use officers::{OfficerRow, SessionRow};
pub use orders::{CannotUndo, NewOrder, OrderReason, OrderRow, OrderState};
pub use passages::{CorrectionRow, PassageRow, Stored};
pub use people::{InvitationRow, Invitee, PasskeyRow, PersonRow, PersonSession, SignedWith};
pub use restore::{Restored, bring_back};
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::{Mutex, MutexGuard, Notify, broadcast};
pub use twins::Twin;

/// Why something could not be stored or found.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// Its form.
    #[error("the database cannot be brought to this version: {0}")]
    Migration(sqlx::migrate::MigrateError),
    /// It was written by a later version.
    #[error(
        "the database was written by a newer central (its form is {0}); run that central on it, or bring a copy of before back"
    )]
    Newer(i64),
    /// A transaction did not come to its end.
    #[error("nothing was stored: {0}")]
    Lost(String),
    /// A copy was being brought back.
    #[error(
        "{0}: a restore was interrupted, and this is not whole or in a history that is over; run `central restore` again"
    )]
    HalfRestored(String),
    /// Something stored cannot be understood.
    #[error("stored data cannot be read: {0}; was the database written by a newer version?")]
    Data(String),
}

impl StorageError {
    /// Why a database could not be brought to this version.
    fn of_migration(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => Self::Newer(version),
            other => Self::Migration(other),
        }
    }

    /// Whether it comes from the database being away, full or busy, rather than from what was to be stored.
    pub(crate) fn is_passing(&self) -> bool {
        use sqlx::Error;
        match self {
            Self::Lost(_) | Self::Migration(_) | Self::Newer(_) | Self::HalfRestored(_) => true,
            Self::Data(_) => false,
            Self::Database(error) => match error {
                Error::Io(_)
                | Error::Tls(_)
                | Error::Protocol(_)
                | Error::PoolTimedOut
                | Error::PoolClosed
                | Error::WorkerCrashed => true,
                Error::Database(error) => error.code().is_some_and(|code| engine::is_passing(&code)),
                _ => false,
            },
        }
    }
}

pub(crate) fn data(error: impl std::fmt::Display) -> StorageError {
    StorageError::Data(error.to_string())
}

/// A delta that was committed, ready to be published.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Of which site.
    pub site: SiteId,
    /// Where the site's log stands with it.
    pub head: Head,
    /// The signed envelope.
    pub sealed: Vec<u8>,
}

/// The store.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    engine: Engine,
    /// There is one writer; waiting here is fairer than in the engine.
    writer: Arc<Mutex<()>>,
    group: Group,
    signer: Arc<Signer>,
    /// The control points served.
    sites: Arc<[SiteId]>,
    committed: broadcast::Sender<Committed>,
    /// Rung when a movement that is to be assessed was committed.
    bundled: Arc<Notify>,
    /// Told at each commit.
    commits: checkpoint::Commits,
}

/// A write in progress.
pub(crate) struct Write<'a> {
    tx: Transaction<'static, Any>,
    committed: Vec<Committed>,
    /// The end of the audit's chain, once it was asked for.
    audited: Option<audit::End>,
    /// Whether a movement is to be assessed, for the first time or anew.
    to_assess: bool,
    store: &'a Store,
    _turn: MutexGuard<'a, ()>,
}

/// A place in a write to go back to.
pub(crate) struct Savepoint {
    committed: usize,
    audited: Option<audit::End>,
}

impl Write<'_> {
    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        self.tx.commit().await?;
        self.store.commits.send_replace(());
        if self.to_assess {
            self.store.bundled.notify_one();
        }
        for delta in self.committed {
            // Nobody listening: lanes ask for what they miss.
            let _ = self.store.committed.send(delta);
        }
        Ok(())
    }

    async fn savepoint(&mut self) -> Result<Savepoint, StorageError> {
        sqlx::query("SAVEPOINT change").execute(&mut *self.tx).await?;
        Ok(Savepoint { committed: self.committed.len(), audited: self.audited.clone() })
    }

    async fn keep(&mut self) -> Result<(), StorageError> {
        sqlx::query("RELEASE SAVEPOINT change").execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn undo(&mut self, to: Savepoint) -> Result<(), StorageError> {
        sqlx::query("ROLLBACK TO SAVEPOINT change").execute(&mut *self.tx).await?;
        self.committed.truncate(to.committed);
        self.audited = to.audited;
        self.keep().await
    }
}

impl Store {
    /// Open a database, or make the file of one. `signer` seals the logs of the `sites`.
    pub async fn open(
        database: &Database,
        sites: &[SiteId],
        signer: Arc<Signer>,
    ) -> Result<Self, StorageError> {
        let pool = database.open().await?;
        let commits = checkpoint::begin(database, &pool);
        Self::over(pool, database, sites, signer, commits).await
    }

    /// Open what a restore is filling.
    async fn open_stage(
        database: &Database,
        sites: &[SiteId],
        signer: Arc<Signer>,
    ) -> Result<Self, StorageError> {
        // Its files are moved away when it is full: nobody else may have them open.
        let pool = database.open_stage().await?;
        Self::over(pool, database, sites, signer, checkpoint::Commits::default()).await
    }

    async fn over(
        pool: AnyPool,
        database: &Database,
        sites: &[SiteId],
        signer: Arc<Signer>,
        commits: checkpoint::Commits,
    ) -> Result<Self, StorageError> {
        let (committed, _) = broadcast::channel(4096);
        let (group, jobs) = Group::channel();
        let engine = database.engine();
        let store = Self {
            pool,
            engine,
            writer: Arc::default(),
            group,
            signer,
            sites: sites.into(),
            committed,
            bundled: Arc::default(),
            commits,
        };
        store.first_rows().await?;
        // The task's own handle cannot hand in: else it would never end.
        let served = Self { group: Group::channel().0, ..store.clone() };
        tokio::spawn(jobs.serve(served));
        Ok(store)
    }

    /// What a new or an older database still lacks.
    async fn first_rows(&self) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', '1') ON CONFLICT DO NOTHING")
            .execute(&self.pool)
            .await?;
        self.fill_buckets().await?;
        self.chain_audit().await
    }

    /// The control points served.
    pub(crate) fn sites(&self) -> &[SiteId] {
        &self.sites
    }

    /// Deltas as they are committed.
    pub fn committed(&self) -> broadcast::Receiver<Committed> {
        self.committed.subscribe()
    }

    /// Wait until a movement that is to be assessed is committed here.
    pub(crate) async fn bundled(&self) {
        self.bundled.notified().await;
    }

    /// The key that seals what goes to the lanes.
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    pub(crate) async fn write(&self) -> Result<Write<'_>, StorageError> {
        let turn = self.writer.lock().await;
        let tx = self.engine.begin_write(&self.pool).await?;
        Ok(Write { tx, committed: Vec::new(), audited: None, to_assess: false, store: self, _turn: turn })
    }

    /// A transaction that sees one moment.
    async fn read(&self) -> Result<Transaction<'static, Any>, StorageError> {
        Ok(self.engine.begin_read(&self.pool).await?)
    }
}
