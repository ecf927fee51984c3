//! A restore that stops after each of its steps: central does not run on what it left, and the same command finishes it.

use tempfile::TempDir;

use super::*;
use crate::storage::Noted;

#[path = "../../../../tests/src/world/postgres.rs"]
#[allow(unreachable_pub, reason = "public where the other crate has it")]
mod postgres;

const AT: UtcMillis = UtcMillis(1_800_000_000_000);

/// Where a restore stops.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stops {
    /// While the copy is put in.
    Copying,
    /// Before a history is begun.
    Copied,
    /// Before it takes its place.
    Begun,
}

fn signer() -> Arc<Signer> {
    Arc::new(Signer::from_secret(&[6; 32]))
}

async fn open(database: &Database) -> Result<Store, StorageError> {
    Store::open(database, &[], signer()).await
}

/// A copy of a database with a line in its audit.
async fn copy(database: &Database, folder: &Path) -> PathBuf {
    let (store, copy) = (open(database).await.unwrap(), folder.join("copy"));
    store.audit(AT, "chan", &Noted::SignIn, "").await.unwrap();
    store.back_up(database, &copy, AT).await.unwrap();
    store.pool.close().await;
    copy
}

async fn stopped(database: &Database, copy: &Path, stops: Stops) {
    let restoring = Restoring::of(database, copy).unwrap();
    match (stops, database) {
        (Stops::Copying, Database::Sqlite(path)) => {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = fs::read(copy).unwrap();
            fs::write(unfinished(path), &bytes[..bytes.len() / 2]).unwrap();
            fs::write(beside(&unfinished(path), "-wal"), "of another try").unwrap();
        }
        (Stops::Copying, Database::Postgres(_)) => assert!(restoring.mark().await.unwrap()),
        (Stops::Copied, _) => restoring.copy_in().await.unwrap(),
        (Stops::Begun, _) => {
            restoring.copy_in().await.unwrap();
            restoring.begin_history(&[], signer(), AT).await.unwrap();
        }
    }
}

/// Stop at each step in a database of its own, and finish.
async fn interrupted(copy: &Path, fresh: impl Fn(Stops) -> Database) {
    for stops in [Stops::Copying, Stops::Copied, Stops::Begun] {
        let database = fresh(stops);
        stopped(&database, copy, stops).await;
        // Of PostgreSQL, the history is the last step.
        if stops == Stops::Begun && matches!(database, Database::Postgres(_)) {
            assert!(open(&database).await.unwrap().epoch().await.unwrap() > Epoch(1));
            continue;
        }
        let refused = open(&database).await.err().unwrap();
        assert!(matches!(refused, StorageError::HalfRestored(_)), "{stops:?}: {refused}");
        let restored = bring_back(&database, copy, &[], signer(), AT).await.unwrap();
        assert!(restored.epoch > Epoch(1), "{stops:?}");
        let store = open(&database).await.unwrap();
        assert_eq!(store.epoch().await.unwrap(), restored.epoch);
        assert!(store.verify_audit(Some(&restored.manifest.audit)).await.unwrap().is_ok());
        let again = bring_back(&database, copy, &[], signer(), AT).await.unwrap_err();
        assert!(matches!(again, BackupError::Exists(_)), "{again}");
    }
}

#[tokio::test]
async fn a_restore_may_stop_anywhere_on_sqlite() {
    let dir = TempDir::new().unwrap();
    let copy = copy(&Database::Sqlite(dir.path().join("central.sqlite")), dir.path()).await;
    interrupted(&copy, |stops| Database::Sqlite(dir.path().join(format!("{stops:?}/central.sqlite")))).await;
}

#[tokio::test]
async fn a_restore_may_stop_anywhere_on_postgresql() {
    let server = match postgres::Postgres::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let dir = TempDir::new().unwrap();
    let copy = copy(&Database::Postgres(server.url()), dir.path()).await;
    let fresh = |stops| {
        let name = format!("{stops:?}").to_lowercase();
        Database::Postgres(server.another(&name).unwrap())
    };
    interrupted(&copy, fresh).await;
}

#[tokio::test]
async fn a_copy_whose_audit_is_not_the_one_of_its_manifest_is_not_run_on() {
    let dir = TempDir::new().unwrap();
    let copy = copy(&Database::Sqlite(dir.path().join("central.sqlite")), dir.path()).await;
    let path = manifest_of(&copy);
    let text = fs::read_to_string(&path).unwrap();
    let mut manifest: Manifest = serde_json::from_str(&text).unwrap();
    manifest.audit.line += 1;
    fs::write(&path, serde_json::to_string(&manifest).unwrap()).unwrap();
    let database = Database::Sqlite(dir.path().join("elsewhere.sqlite"));
    let refused = bring_back(&database, &copy, &[], signer(), AT).await.unwrap_err();
    assert!(matches!(refused, BackupError::Audit(..)), "{refused}");
    assert!(matches!(open(&database).await.err().unwrap(), StorageError::HalfRestored(_)));
}

#[tokio::test]
async fn what_a_backup_that_died_has_left_is_replaced_and_nothing_else_is() {
    let dir = TempDir::new().unwrap();
    let database = Database::Sqlite(dir.path().join("central.sqlite"));
    let store = open(&database).await.unwrap();
    let out = dir.path().join("copy");
    // It died between the manifest and the copy's name.
    fs::write(manifest_of(&out), "{}").unwrap();
    fs::write(beside(&out, ".unfinished"), "half a copy").unwrap();
    store.back_up(&database, &out, AT).await.unwrap();
    assert!(Restoring::of(&database, &out).is_ok() && !beside(&out, ".unfinished").exists());
    // Somebody has taken the copy elsewhere and left its manifest.
    fs::remove_file(&out).unwrap();
    let kept = fs::read_to_string(manifest_of(&out)).unwrap();
    let refused = store.back_up(&database, &out, AT).await.unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    assert_eq!(fs::read_to_string(manifest_of(&out)).unwrap(), kept);
}
