//! The two engines under the store: SQLite, embedded, for one machine; PostgreSQL for several centrals behind a balancer.
//!
//! Statements are written once, in what both understand: `$1` for parameters, `ON CONFLICT`, integers of 64 bits, text, bytes.
//! What only one of them has is here.
//!
//! Invariant: one writer at a time, over all processes. SQLite has no other way; on PostgreSQL a lock in the transaction
//! sees to it, because revisions and the audit's chain must be dense in the order of commits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};

use super::StorageError;

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The advisory lock of writers; any number that nobody else in the database takes.
const WRITERS: &str = "SELECT pg_advisory_xact_lock(4922512137)";

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of SQLite; made if it is not there.
    Sqlite(PathBuf),
    /// A database of PostgreSQL that is there, as `postgres://user:password@host/name`.
    Postgres(String),
}

impl Database {
    /// Its name for people, without a password.
    pub fn label(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => {
                let (open, _) = super::programs::apart(url);
                match open.rsplit_once('@') {
                    Some((_, place)) => format!("postgres://{place}"),
                    None => open,
                }
            }
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    pub(super) fn url(&self, options: &str) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}?{options}", percent_encoded(path)),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Open it and bring it to this version's form.
    pub(super) async fn open(&self) -> Result<AnyPool, StorageError> {
        sqlx::any::install_default_drivers();
        self.is_not_half_restored().await?;
        self.open_stage().await
    }

    /// The same, whatever a restore has left there.
    pub(super) async fn open_stage(&self) -> Result<AnyPool, StorageError> {
        let engine = self.engine();
        let pool = self.pool(engine.connections(), "mode=rwc").await?;
        engine.migrator().run(&pool).await.map_err(StorageError::of_migration)?;
        Ok(pool)
    }

    /// One connection that changes nothing.
    pub(super) async fn connect_to_look(&self) -> Result<AnyConnection, sqlx::Error> {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url("mode=ro")).await
    }

    /// One connection, beside no other.
    pub(super) async fn connect_to_change(&self) -> Result<AnyConnection, sqlx::Error> {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url("mode=rw")).await
    }

    async fn pool(&self, connections: u32, options: &str) -> Result<AnyPool, StorageError> {
        sqlx::any::install_default_drivers();
        let engine = self.engine();
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| Box::pin(async move { engine.prepare(connection).await }))
            .connect(&self.url(options))
            .await?;
        Ok(pool)
    }
}

/// A path as it stands in an address: what means something there is escaped.
fn percent_encoded(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '%' => out.push_str("%25"),
            '?' => out.push_str("%3F"),
            '#' => out.push_str("%23"),
            c => out.push(c),
        }
        out
    })
}

/// Whether an engine's code says that it cannot now, whatever is asked of it.
pub(super) fn is_passing(code: &str) -> bool {
    if code.len() == 5 {
        // PostgreSQL: the connection, rolled back, resources, locks, an operator, the system.
        return ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    // SQLite: busy, locked, out of memory, read-only, interrupted, the disk, full, cannot open, the lock's protocol.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5..=10 | 13..=15))
}

/// What distinguishes the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(super) fn migrator(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        }
    }

    fn connections(self) -> u32 {
        match self {
            Self::Sqlite => 4,
            Self::Postgres => 16,
        }
    }

    async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if self == Self::Sqlite {
            // FULL: a commit that was acknowledged survives a power cut.
            sqlx::raw_sql(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA mmap_size = 1073741824; \
                 PRAGMA wal_autocheckpoint = 8000",
            )
            .execute(connection)
            .await?;
        }
        Ok(())
    }

    /// A transaction of the only writer.
    pub(super) async fn begin_write(self, pool: &AnyPool) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self {
            Self::Sqlite => pool.begin_with("BEGIN IMMEDIATE").await,
            Self::Postgres => {
                let mut tx = pool.begin().await?;
                sqlx::raw_sql(WRITERS).execute(&mut *tx).await?;
                Ok(tx)
            }
        }
    }

    /// A transaction that sees one moment and changes nothing.
    pub(super) async fn begin_read(self, pool: &AnyPool) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self {
            Self::Sqlite => pool.begin().await,
            Self::Postgres => pool.begin_with(self.begin_look()).await,
        }
    }

    /// What begins a transaction that sees one moment.
    pub(super) fn begin_look(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}
