//! Everything central keeps, behind one module: SQLite embedded, no SQL elsewhere.
//!
//! Invariants
//! - revisions of a site's log are dense: given out in the transaction that commits the change, one writer at a time;
//! - a (passage, step) is stored once; a release uses up its directive in the transaction that stores it;
//! - an order, its audit line and its sealed bytes are stored together, before it is sent.

mod audit;
pub mod check;
mod epochs;
mod log;
mod officers;
mod orders;
mod passages;
mod submissions;
mod twins;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use audit::{AuditRow, COMMAND_LINE, CONSOLE, Noted};
use clearance::ids::SiteId;
use clearance::wire::Signer;
pub use epochs::EpochReason;
pub use officers::{OfficerRow, SessionRow};
pub use orders::{CannotUndo, NewOrder, OrderReason, OrderRow, OrderState};
pub use passages::{CorrectionRow, PassageRow, Stored};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
pub use submissions::{BundleError, Consignment, MovementRow};
use tokio::sync::{Mutex, MutexGuard, broadcast};
pub use twins::Twin;

/// Why something could not be stored or found.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// Its form.
    #[error("the database cannot be brought to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Something stored cannot be understood.
    #[error("stored data cannot be read: {0}; was the database written by a newer version?")]
    Data(String),
}

pub(crate) fn data(error: impl std::fmt::Display) -> StorageError {
    StorageError::Data(error.to_string())
}

/// A delta that was committed, ready to be published.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Of which site.
    pub site: SiteId,
    /// The signed envelope.
    pub sealed: Vec<u8>,
}

/// The store.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    /// SQLite has one writer; waiting here is fairer than in its busy handler.
    writer: Arc<Mutex<()>>,
    signer: Arc<Signer>,
    committed: broadcast::Sender<Committed>,
}

/// A write in progress.
pub(crate) struct Write<'a> {
    tx: Transaction<'static, Sqlite>,
    committed: Vec<Committed>,
    store: &'a Store,
    _turn: MutexGuard<'a, ()>,
}

impl Write<'_> {
    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        self.tx.commit().await?;
        for delta in self.committed {
            // Nobody listening: lanes ask for what they miss.
            let _ = self.store.committed.send(delta);
        }
        Ok(())
    }
}

impl Store {
    /// Open, or make, the database at `path`. `signer` seals the log.
    pub async fn open(path: &Path, signer: Arc<Signer>) -> Result<Self, StorageError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that was acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        sqlx::query("INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', '1')").execute(&pool).await?;
        let (committed, _) = broadcast::channel(4096);
        let store = Self { pool, writer: Arc::new(Mutex::new(())), signer, committed };
        store.fill_buckets().await?;
        Ok(store)
    }

    /// Deltas as they are committed.
    pub fn committed(&self) -> broadcast::Receiver<Committed> {
        self.committed.subscribe()
    }

    /// The key that seals what goes to the lanes.
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    pub(crate) async fn write(&self) -> Result<Write<'_>, StorageError> {
        let turn = self.writer.lock().await;
        let tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { tx, committed: Vec::new(), store: self, _turn: turn })
    }
}
