//! A copy of the whole database, made while central goes on. Beside it lies a manifest: what it is a copy of, its digest, and where
//! the audit ended.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clearance::ids::{Epoch, UtcMillis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::Connection as _;

use super::{Anchor, Broken, Database, StorageError, Store, programs};

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
    /// The audit of a copy is not sound.
    #[error("{0}: its audit is broken: {1}; bring another copy back, into another database")]
    Audit(PathBuf, Broken),
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

pub(super) fn manifest_of(copy: &Path) -> PathBuf {
    beside(copy, ".json")
}

/// The path with this at its end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

impl Database {
    pub(super) fn name(&self) -> &'static str {
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
                programs::run("pg_dump", &["--format=custom", "--no-owner", "--file"], out, url)
            }
        }
    }
}

/// Wait until a file, and its name in its folder, are on the disk.
pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    let at = |e| BackupError::File(path.to_owned(), e);
    File::open(path).and_then(|file| file.sync_all()).map_err(at)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(at),
        None => Ok(()),
    }
}

pub(super) fn digest(path: &Path) -> Result<(u64, String), BackupError> {
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
        let (manifest, unfinished) = (manifest_of(out), beside(out, ".unfinished"));
        if out.exists() {
            return Err(BackupError::Exists(out.display().to_string()));
        }
        // Of a copy that was being made when its central died: the manifest comes first, and the copy was never whole under its name.
        let left = unfinished.exists();
        // A manifest alone is somebody's, who has taken its copy elsewhere.
        if manifest.exists() && !left {
            return Err(BackupError::Exists(manifest.display().to_string()));
        }
        for path in [&manifest, &unfinished].into_iter().filter(|path| path.exists()) {
            fs::remove_file(path).map_err(|e| BackupError::File(path.clone(), e))?;
        }
        let (epoch, audit) = (self.epoch().await?, self.audit_anchor(at).await?);
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
