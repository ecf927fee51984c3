//! Everything central keeps, behind one module: SQLite embedded, no SQL elsewhere.
//!
//! Invariants
//! - revisions of a site's log are dense: given out in the transaction that commits the change, one writer at a time;
//! - a (passage, step) is stored once; a release uses up its directive in the transaction that stores it;
//! - an order, its audit line and its sealed bytes are stored together, before it is sent.

mod log;
mod officers;
mod orders;
mod passages;
mod submissions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clearance::ids::{Epoch, SiteId, UtcMillis};
use clearance::wire::Signer;
pub use officers::{OfficerRow, SessionRow};
pub use orders::{CannotUndo, NewOrder, OrderRow};
pub use passages::{CorrectionRow, PassageRow, Stored};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
pub use submissions::{BundleError, Consignment, MovementRow};
use tokio::sync::{Mutex, MutexGuard, broadcast};

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
    epoch: Epoch,
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

    pub(crate) async fn audit(
        &mut self,
        at: UtcMillis,
        who: &str,
        what: &str,
        subject: &str,
    ) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO audit (at, who, what, subject) VALUES (?, ?, ?, ?)")
            .bind(at.0)
            .bind(who)
            .bind(what)
            .bind(subject)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

/// Who did what.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct AuditRow {
    /// When, milliseconds since 1970.
    pub at: i64,
    /// Officer or client.
    pub who: String,
    /// What.
    pub what: String,
    /// To what.
    pub subject: String,
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
        let epoch: String =
            sqlx::query_scalar("SELECT value FROM meta WHERE key = 'epoch'").fetch_one(&pool).await?;
        let epoch = Epoch(epoch.parse().map_err(data)?);
        let (committed, _) = broadcast::channel(4096);
        Ok(Self { pool, writer: Arc::new(Mutex::new(())), signer, epoch, committed })
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

    /// The latest lines of who did what.
    pub async fn audit_lines(&self, most: u32) -> Result<Vec<AuditRow>, StorageError> {
        let rows = sqlx::query_as("SELECT at, who, what, subject FROM audit ORDER BY id DESC LIMIT ?")
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }

    /// Note who did what, by itself.
    pub async fn audit(
        &self,
        at: UtcMillis,
        who: &str,
        what: &str,
        subject: &str,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        write.audit(at, who, what, subject).await?;
        write.commit().await
    }
}
