//! `central fsck`: checks everything central keeps, says what each finding means and what mends it, and changes nothing.
//! The database is opened for reading only, so a central that runs is not disturbed; what it writes meanwhile is not seen.

mod log;
mod messages;
mod orders;
mod passages;
mod people;
mod systems;
mod tables;

use std::path::PathBuf;

use clearance::finding::{Check, Finding, Report};
use clearance::replicate::KeyRotation;
use clearance::wire::{PublicKey, RecordKind, Signer, TrustStore};
use sqlx::AnyConnection;

use super::{Database, Engine};
use crate::secrets::Vault;

/// What mends a table of which part is gone: nothing can make it up again.
pub(super) const FROM_BACKUP: &str =
    "stop central, keep a copy of the database, restore the last backup that `central fsck` calls sound";

const ROTATION: Check = Check::damage(
    "rotation",
    "an edge that knows only the key of before cannot follow to the present one: it has no lease any more",
    "put the present public key into the configurations of edges that were away at that time",
);
const DATABASE: Check = Check::damage(
    "database",
    "SQLite itself finds the file damaged: some rows cannot be believed",
    FROM_BACKUP,
);
const REFERENCE: Check = Check::damage(
    "reference",
    "a row points to one that is not there: it was removed by other means than central",
    FROM_BACKUP,
);

/// How many lines SQLite may give about a damaged file.
const MOST_LINES: usize = 100;

/// Why a database cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CannotCheck {
    /// There is none.
    #[error("{}: there is no such database; `central run` makes one in the data_dir of the configuration", .0.display())]
    Missing(PathBuf),
    /// Another version's.
    #[error("{database}: {why}")]
    Version {
        /// Which.
        database: String,
        /// Which, and what to do.
        why: String,
    },
    /// It cannot be opened or read.
    #[error("{database}: {source}; check the disk or the server, and whether you may read it")]
    Open {
        /// Which.
        database: String,
        /// What the engine said.
        source: sqlx::Error,
    },
}

/// What the checks share.
struct Checking {
    connection: AnyConnection,
    engine: Engine,
    trust: TrustStore,
    /// Opens what lies sealed, if the key is at hand.
    vault: Option<Vault>,
    report: Report,
}

impl Checking {
    fn found(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }
}

/// Check a database whose log and orders `signer` has sealed. With `vault`, whether the secrets in it open, too.
pub async fn check(
    database: &Database,
    signer: &Signer,
    vault: Option<&Vault>,
) -> Result<Report, CannotCheck> {
    if let Database::Sqlite(path) = database
        && !path.exists()
    {
        return Err(CannotCheck::Missing(path.clone()));
    }
    let label = database.label();
    let open = |source| CannotCheck::Open { database: label.clone(), source };
    let connection = database.connect_to_look().await.map_err(open)?;
    let trust = TrustStore::new().trusting(signer.public(), &RecordKind::CENTRAL);
    let (engine, vault) = (database.engine(), vault.cloned());
    let mut checking = Checking { connection, engine, trust, vault, report: Report::default() };
    match checking.run(&label).await {
        Ok(()) => {}
        Err(Stopped::Database(source)) if is_damage(&source) => {
            checking.found(DATABASE.found(&label, format!("{source}; what follows it was not looked at")));
        }
        Err(Stopped::Database(source)) => return Err(open(source)),
        Err(Stopped::Version(why)) => return Err(CannotCheck::Version { database: label, why }),
    }
    Ok(checking.report)
}

/// Why the checks did not come to their end.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Version(String),
}

fn is_damage(error: &sqlx::Error) -> bool {
    // SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extension; a value that SQLite let in with another type.
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|c| c.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
        || matches!(error, sqlx::Error::ColumnDecode { .. })
}

impl Checking {
    async fn run(&mut self, label: &str) -> Result<(), Stopped> {
        // One moment for all of it, whatever a running central writes.
        sqlx::raw_sql(self.engine.begin_look()).execute(&mut self.connection).await?;
        if self.engine == Engine::Sqlite {
            self.pragmas(label).await?;
        }
        self.version().await?;
        self.retired_keys().await?;
        let said = self.log().await?;
        self.tables(&said).await?;
        self.passages(&said).await?;
        self.pictures().await?;
        self.orders().await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Believe what keys of before have signed, each as far as it has signed the next one over.
    async fn retired_keys(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(i64, String, String, Vec<u8>)> =
            sqlx::query_as("SELECT serial, retired, next, sealed FROM rotations ORDER BY serial")
                .fetch_all(&mut self.connection)
                .await?;
        for (serial, retired, next, sealed) in rows {
            let Some(key) = retired.parse::<PublicKey>().ok() else {
                self.found(ROTATION.found(format!("rotations {serial}"), "the retired key is no key"));
                continue;
            };
            let alone = TrustStore::new().trusting(key, &RecordKind::CENTRAL);
            match alone.open::<KeyRotation>(&sealed) {
                Ok(said) if said.record().next.to_string() == next => {
                    self.trust = std::mem::take(&mut self.trust).trusting(key, &RecordKind::CENTRAL);
                }
                Ok(_) => {
                    self.found(ROTATION.found(format!("rotations {serial}"), "it names another next key"));
                }
                Err(error) => self.found(ROTATION.found(format!("rotations {serial}"), error)),
            }
        }
        Ok(())
    }

    async fn pragmas(&mut self, label: &str) -> Result<(), Stopped> {
        let lines: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut self.connection).await?;
        for line in lines.iter().filter(|line| *line != "ok").take(MOST_LINES) {
            self.found(DATABASE.found(label, line));
        }
        let missing: Vec<(String, Option<i64>, String, i64)> =
            sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut self.connection).await?;
        for (table, row, parent, _) in missing {
            let row = row.map_or_else(String::new, |row| format!(" row {row}"));
            self.found(REFERENCE.found(format!("{table}{row}"), format!("what it names is not in {parent}")));
        }
        Ok(())
    }

    /// Every table must be as this version of central makes it, or the checks say nothing.
    async fn version(&mut self) -> Result<(), Stopped> {
        let known: Vec<i64> = self
            .engine
            .migrator()
            .iter()
            .filter(|m| !m.migration_type.is_down_migration())
            .map(|m| m.version)
            .collect();
        let applied: Vec<i64> =
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
                .fetch_all(&mut self.connection)
                .await?;
        if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
            let why = format!("written by a newer central (its form is {newer}); check it with that central");
            return Err(Stopped::Version(why));
        }
        if applied.len() < known.len() {
            let why = "written by an older central; start this central on it once, then check".to_owned();
            return Err(Stopped::Version(why));
        }
        Ok(())
    }
}

/// Close to what [`Store`](super::Store) keeps: for tests, so that what they damage was written by central itself.
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
