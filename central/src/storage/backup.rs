//! A copy of the whole database, made while central goes on, and bringing it back.
//!
//! Beside the copy lies a manifest: what it is a copy of, its digest, and where the audit ended. What was brought back begins a
//! new history for the lanes: they may have seen more than the copy holds.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clearance::ids::{Epoch, UtcMillis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::Connection as _;

use super::{Anchor, Database, StorageError, Store};

/// What a copy is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of central that made it.
    pub central: String,
    /// `sqlite` or `postgresql`: it is brought back into the same.
    pub engine: String,
    /// When it was begun, milliseconds since 1970.
    pub made_at: i64,
    /// The history that was being written.
    pub epoch: Epoch,
    /// Where the audit ended when the copy was begun, or later.
    pub audit: Anchor,
    /// Bytes of the copy.
    pub bytes: u64,
    /// SHA-256 of the copy, in hexadecimal.
    pub sha256: String,
}

/// Why no copy could be made or brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// Something is there already.
    #[error("{0} is there already; nothing is overwritten")]
    Exists(String),
    /// The manifest does not say what it should.
    #[error("{0}: {1}")]
    Manifest(PathBuf, String),
    /// The copy is not what its manifest says.
    #[error("{0} is damaged or not whole: its digest is not the one of its manifest")]
    Damaged(PathBuf),
    /// A program of PostgreSQL.
    #[error("{program}: {why}")]
    Program {
        /// Which.
        program: &'static str,
        /// What went wrong, and how to mend it.
        why: String,
    },
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

fn manifest_of(copy: &Path) -> PathBuf {
    beside(copy, ".json")
}

/// The path with this at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

impl Database {
    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    async fn copy_to(&self, out: &Path) -> Result<(), BackupError> {
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.connect_to_look().await?;
                sqlx::query("VACUUM INTO $1")
                    .bind(out.display().to_string())
                    .execute(&mut connection)
                    .await?;
                connection.close().await?;
                Ok(())
            }
            Self::Postgres(url) => {
                program("pg_dump", &["--format=custom", "--no-owner", "--file"], out, &["--dbname", url])
            }
        }
    }

    async fn is_empty(&self) -> Result<bool, BackupError> {
        match self {
            // A journal that was left behind would be applied to what is brought back.
            Self::Sqlite(path) => {
                Ok(!["", "-wal", "-shm", "-journal"].iter().any(|end| beside(path, end).exists()))
            }
            Self::Postgres(_) => {
                let mut connection = self.connect_to_look().await?;
                let tables: i64 = sqlx::query_scalar(
                    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema()",
                )
                .fetch_one(&mut connection)
                .await?;
                connection.close().await?;
                Ok(tables == 0)
            }
        }
    }

    fn bring_back(&self, copy: &Path) -> Result<(), BackupError> {
        match self {
            Self::Sqlite(path) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(|e| BackupError::File(folder.to_owned(), e))?;
                }
                fs::copy(copy, path).map_err(|e| BackupError::File(path.clone(), e))?;
                sync(path)
            }
            Self::Postgres(url) => {
                program("pg_restore", &["--no-owner", "--exit-on-error", "--dbname", url], copy, &[])
            }
        }
    }
}

/// Run a program of PostgreSQL's client: `words`, a file, `more`.
fn program(name: &'static str, words: &[&str], file: &Path, more: &[&str]) -> Result<(), BackupError> {
    let failed = |why: String| BackupError::Program { program: name, why };
    let output = Command::new(name).args(words).arg(file).args(more).output();
    let output = output.map_err(|e| failed(format!("{e}; install postgresql-client")))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Wait until a file, and its name in its folder, are on the disk.
fn sync(path: &Path) -> Result<(), BackupError> {
    let at = |e| BackupError::File(path.to_owned(), e);
    File::open(path).and_then(|file| file.sync_all()).map_err(at)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(at),
        None => Ok(()),
    }
}

fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let at = |e| BackupError::File(path.to_owned(), e);
    let (mut file, mut hash, mut buffer) = (File::open(path).map_err(at)?, Sha256::new(), vec![0; 1 << 20]);
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).map_err(at)? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    Ok((bytes, clearance::ids::Digest(hash.finalize().into()).to_string()))
}

impl Store {
    /// Copy the whole database, as it is at one moment, while others go on with it. The copy appears under its name when it is whole.
    pub async fn back_up(
        &self,
        database: &Database,
        out: &Path,
        at: UtcMillis,
    ) -> Result<Manifest, BackupError> {
        let manifest = manifest_of(out);
        for path in [out, &manifest] {
            if path.exists() {
                return Err(BackupError::Exists(path.display().to_string()));
            }
        }
        let (epoch, audit) = (self.epoch().await?, self.audit_anchor(at).await?);
        let unfinished = beside(out, ".unfinished");
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(|e| BackupError::File(unfinished.clone(), e))?;
        }
        database.copy_to(&unfinished).await?;
        let (bytes, sha256) = digest(&unfinished)?;
        let said = Manifest {
            central: env!("CARGO_PKG_VERSION").to_owned(),
            engine: database.name().to_owned(),
            made_at: at.0,
            epoch,
            audit,
            bytes,
            sha256,
        };
        let text = serde_json::to_string_pretty(&said).map_err(super::data)?;
        fs::write(&manifest, text).map_err(|e| BackupError::File(manifest.clone(), e))?;
        sync(&manifest)?;
        sync(&unfinished)?;
        fs::rename(&unfinished, out).map_err(|e| BackupError::File(out.to_owned(), e))?;
        sync(out)?;
        Ok(said)
    }
}

/// Bring a copy back into a database that is not there or empty. Begin a new history before central runs on it.
pub async fn bring_back(database: &Database, copy: &Path) -> Result<Manifest, BackupError> {
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
    if !database.is_empty().await? {
        return Err(BackupError::Exists(database.label()));
    }
    database.bring_back(copy)?;
    Ok(manifest)
}
