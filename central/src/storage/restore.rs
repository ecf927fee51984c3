//! Bringing a copy back. It may be interrupted anywhere: until the copy is whole, its audit is sound and a new history is begun,
//! central does not run on it, and the same command takes up where it was.
//!
//! - SQLite: everything is done under another name; the last step gives the file its own.
//! - PostgreSQL: a table marks the database before anything else is in it, and goes in the transaction that begins the history.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clearance::ids::{Epoch, SiteId, UtcMillis};
use clearance::wire::Signer;
use sqlx::Connection as _;

use super::backup::{beside, digest, manifest_of, sync};
use super::{BackupError, COMMAND_LINE, Database, EpochReason, Manifest, StorageError, Store, programs};

/// Tables in a database of PostgreSQL, without the mark.
const TABLES: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> 'restoring'";
/// Whether a program whose central was killed still fills the database.
const IS_FILLED: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg_restore'";
const IS_MARKED: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'restoring'";

/// How often it is looked whether it still does.
const LOOK: Duration = Duration::from_millis(500);

/// What was brought back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its manifest.
    pub manifest: Manifest,
    /// The history that begins with it.
    pub epoch: Epoch,
}

/// Bring a copy back into a database that is not there or empty, and begin a new history for the lanes.
pub async fn bring_back(
    database: &Database,
    copy: &Path,
    sites: &[SiteId],
    signer: Arc<Signer>,
    at: UtcMillis,
) -> Result<Restored, BackupError> {
    let restoring = Restoring::of(database, copy)?;
    restoring.copy_in().await?;
    let epoch = restoring.begin_history(sites, signer, at).await?;
    restoring.take_place().await?;
    Ok(Restored { manifest: restoring.manifest, epoch })
}

/// A copy on its way back.
struct Restoring<'a> {
    database: &'a Database,
    copy: &'a Path,
    manifest: Manifest,
}

impl<'a> Restoring<'a> {
    /// Check that the copy is what its manifest says.
    fn of(database: &'a Database, copy: &'a Path) -> Result<Self, BackupError> {
        let path = manifest_of(copy);
        let text = fs::read_to_string(&path).map_err(|e| BackupError::File(path.clone(), e))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|e| BackupError::Manifest(path.clone(), e.to_string()))?;
        if manifest.engine != database.name() {
            let why = format!("a copy of {} is not brought back into {}", manifest.engine, database.name());
            return Err(BackupError::Manifest(path, why));
        }
        if digest(copy)? != (manifest.bytes, manifest.sha256.clone()) {
            return Err(BackupError::Damaged(copy.to_owned()));
        }
        Ok(Self { database, copy, manifest })
    }

    /// Where the next steps happen.
    fn stage(&self) -> Database {
        match self.database {
            Database::Sqlite(path) => Database::Sqlite(unfinished(path)),
            Database::Postgres(url) => Database::Postgres(url.clone()),
        }
    }

    /// Put the copy into the stage, whole or not at all.
    async fn copy_in(&self) -> Result<(), BackupError> {
        match self.database {
            Database::Sqlite(path) => {
                self.nothing_is_there(path)?;
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(|e| BackupError::File(folder.to_owned(), e))?;
                }
                let stage = unfinished(path);
                for file in files(&stage).filter(|file| file.exists()) {
                    fs::remove_file(&file).map_err(|e| BackupError::File(file, e))?;
                }
                fs::copy(self.copy, &stage).map_err(|e| BackupError::File(stage.clone(), e))?;
                sync(&stage)
            }
            Database::Postgres(url) => {
                // One that an interrupted restore has started, and that was not to be seen yet, may be faster than ours, which then
                // does nothing: it is a single transaction.
                for last in [false, true] {
                    if !self.mark().await? {
                        break;
                    }
                    match programs::run("pg_restore", &["--no-owner", "--single-transaction"], self.copy, url)
                    {
                        Err(error) if !last => {
                            tracing::warn!(%error, "looking whether an interrupted restore was faster");
                        }
                        done => return done,
                    }
                }
                Ok(())
            }
        }
    }

    /// Mark the database. `false`: this copy is in it already.
    async fn mark(&self) -> Result<bool, BackupError> {
        let mut connection = self.database.connect_to_look().await?;
        while sqlx::query_scalar::<_, i64>(IS_FILLED).fetch_one(&mut connection).await? > 0 {
            tracing::warn!("pg_restore of a restore that was interrupted still runs; waiting for its end");
            tokio::time::sleep(LOOK).await;
        }
        let tables: i64 = sqlx::query_scalar(TABLES).fetch_one(&mut connection).await?;
        let marked: i64 = sqlx::query_scalar(IS_MARKED).fetch_one(&mut connection).await?;
        let exists = || BackupError::Exists(self.database.label());
        if tables > 0 {
            if marked == 0 {
                return Err(exists());
            }
            let of: Option<String> =
                sqlx::query_scalar("SELECT copy FROM restoring").fetch_optional(&mut connection).await?;
            return if of.as_deref() == Some(&self.manifest.sha256) { Ok(false) } else { Err(exists()) };
        }
        let mut tx = connection.begin().await?;
        sqlx::raw_sql("CREATE TABLE IF NOT EXISTS restoring (copy TEXT NOT NULL); DELETE FROM restoring")
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO restoring (copy) VALUES ($1)")
            .bind(self.manifest.sha256.clone())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        connection.close().await?;
        Ok(true)
    }

    /// Check the audit of what is in the stage, and begin a new history: lanes may have seen more than the copy holds.
    async fn begin_history(
        &self,
        sites: &[SiteId],
        signer: Arc<Signer>,
        at: UtcMillis,
    ) -> Result<Epoch, BackupError> {
        let store = Store::open_stage(&self.stage(), sites, signer).await?;
        if let Err(broken) = store.verify_audit(Some(&self.manifest.audit)).await? {
            return Err(BackupError::Audit(self.copy.to_owned(), broken));
        }
        let mut write = store.write().await?;
        let epoch = write.begin_epoch(&EpochReason::Restored, COMMAND_LINE, at).await?;
        if matches!(self.database, Database::Postgres(_)) {
            sqlx::raw_sql("DROP TABLE restoring").execute(&mut *write.tx).await?;
        }
        write.commit().await?;
        store.pool.close().await;
        Ok(epoch)
    }

    /// Give what is in the stage its own name.
    async fn take_place(&self) -> Result<(), BackupError> {
        let Database::Sqlite(path) = self.database else { return Ok(()) };
        let stage = unfinished(path);
        let mut connection = self.stage().connect_to_change().await?;
        // Everything into the one file that is renamed.
        sqlx::raw_sql("PRAGMA journal_mode = DELETE").execute(&mut connection).await?;
        connection.close().await?;
        self.nothing_is_there(path)?;
        sync(&stage)?;
        fs::rename(&stage, path).map_err(|e| BackupError::File(path.clone(), e))?;
        sync(path)
    }

    fn nothing_is_there(&self, path: &Path) -> Result<(), BackupError> {
        // A journal that was left behind would be applied to what is brought back.
        let there = files(path).any(|file| file.exists());
        if there { Err(BackupError::Exists(self.database.label())) } else { Ok(()) }
    }
}

/// A database of SQLite while it is brought back.
fn unfinished(path: &Path) -> PathBuf {
    beside(path, ".restoring")
}

/// The files of a database of SQLite.
fn files(path: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal", "-shm", "-journal"].iter().map(|end| beside(path, end))
}

impl Database {
    /// Refuse a database that a restore was to fill and has not yet: what is there is not whole, or in a history that is over.
    pub(super) async fn is_not_half_restored(&self) -> Result<(), StorageError> {
        let half = match self {
            Self::Sqlite(path) => !path.exists() && unfinished(path).exists(),
            Self::Postgres(_) => {
                let mut connection = self.connect_to_look().await?;
                let marked: i64 = sqlx::query_scalar(IS_MARKED).fetch_one(&mut connection).await?;
                connection.close().await?;
                marked > 0
            }
        };
        if half { Err(StorageError::HalfRestored(self.label())) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "restore/tests.rs"]
mod tests;
