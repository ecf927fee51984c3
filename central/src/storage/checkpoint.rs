//! SQLite writes to the end of its log, and now and then what the log says goes to its places in the file. Left to itself, the commit that
//! makes the log long does that, and whoever waits for it waits for thousands of pages all over the disk. Here a task does it beside
//! the commits, which go on meanwhile; should it not keep up, a commit does it still (`wal_autocheckpoint`).

use std::time::Duration;

use sqlx::AnyPool;
use tokio::sync::watch;

use super::engine::{Database, Engine};

/// Between two times.
const PAUSE: Duration = Duration::from_millis(250);

/// Told at each commit.
pub(super) type Commits = watch::Sender<()>;

/// Begin, if the engine is one that needs it. It ends with the last of those that commit.
pub(super) fn begin(database: &Database, pool: &AnyPool) -> Commits {
    let (commits, told) = watch::channel(());
    if database.engine() == Engine::Sqlite {
        tokio::spawn(keep_short(pool.clone(), told));
    }
    commits
}

/// By a connection of the pool: when that is closed nobody has the file open any more.
async fn keep_short(pool: AnyPool, mut told: watch::Receiver<()>) {
    while told.changed().await.is_ok() {
        // Passive: it waits for nobody, and nobody for it.
        if let Err(error) = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await {
            if pool.is_closed() {
                return;
            }
            // Commits do it themselves then.
            tracing::debug!(%error, "the log of the database was not shortened");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
