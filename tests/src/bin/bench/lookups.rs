//! Looking things up among as many consignments as a busy year brings, and taking away those that are kept no longer while others
//! lodge. In SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use central::ccrn::Ccrn;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rand::RngExt as _;
use reqwest::Method;
use serde_json::json;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};
use tests::world::office::{NO_LIMIT, Office, consignment};

use super::declarations::{ROWS, inserting, lodge, mark};
use super::{ms, print, spread};

/// Consignments of each movement among the many.
const CARRIED: usize = 5;
/// Look-ups of each kind.
const LOOKS: usize = 300;
/// Of so many consignments one is taken away, and no more than this: as many as become too old on a busy day.
const TAKEN_OF: usize = 5;
const TAKEN: usize = 100_000;
/// Between two lodgings while others are taken away.
const PACE: Duration = Duration::from_millis(20);
/// How often it is looked how many are left.
const LOOK: Duration = Duration::from_secs(2);

/// The address at which the consignment of a number is looked for.
type Address = fn(usize) -> String;

/// The look-ups alone.
pub(super) async fn lookups(stored: usize) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    looks(stored).await
}

/// Find things among `stored` consignments, in SQLite.
pub(super) async fn looks(stored: usize) -> anyhow::Result<()> {
    let mut filled = Duration::ZERO;
    let office = Office::start_with(None, NO_LIMIT, |config| {
        let file = config.with_file_name("data").join("central.sqlite");
        let started = Instant::now();
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(fill(&file, stored)))?;
        filled = started.elapsed();
        Ok(())
    })?;
    let bytes = std::fs::metadata(office.folder().join("data/central.sqlite"))?.len();
    print(
        "stored",
        json!({ "consignments": stored, "movements": stored / CARRIED, "bytes": bytes, "filled_in_s": filled.as_secs_f64() }),
    );
    let kinds: [(&str, Address); 5] = [
        ("list", |_| "/api/v1/consignments?limit=50".to_owned()),
        ("ccrn", |n| format!("/api/v1/consignments/{}", ccrn(n))),
        ("mark", |n| format!("/api/v1/movements?search={}&limit=50", mark(n / CARRIED % 2_000_000))),
        ("consignee", |n| format!("/api/v1/consignments?search=Kowloon%20Assembly%20{n}%20&limit=50")),
        ("readiness", |n| format!("/api/v1/movements/m-{}", n / CARRIED)),
    ];
    for (kind, path) in kinds {
        let times = look(&office, stored, path).await.with_context(|| kind)?;
        print(
            &format!("look_{kind}"),
            json!({ "ms": spread(times), "limit_p99_ms": 50.0, "stored": stored }),
        );
    }
    take_away(&office, stored).await
}

/// The oldest have been kept long enough: they are taken away while a client lodges at its pace, and does not wait.
async fn take_away(office: &Office, stored: usize) -> anyhow::Result<()> {
    // Four were lodged in a millisecond: none is parted from those, nor from its movement.
    let old = TAKEN.min(stored / TAKEN_OF) / (4 * CARRIED) * (4 * CARRIED);
    office.kill();
    let pool = open(&office.folder().join("data/central.sqlite")).await?;
    let before = jiff::Timestamp::now().as_millisecond() - 100 * 86_400_000;
    for (table, time, many) in
        [("consignments", "lodged_at", old), ("movements", "expected_arrival", old / CARRIED)]
    {
        let statement = format!(
            "UPDATE {table} SET {time} = $1, changed_at = $1 WHERE rowid IN (SELECT rowid FROM {table} ORDER BY {time} LIMIT $2)"
        );
        sqlx::query(AssertSqlSafe(statement)).bind(before).bind(many as i64).execute(&pool).await?;
    }
    let left = async || -> anyhow::Result<i64> {
        let left = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM consignments WHERE lodged_at = $1) + (SELECT COUNT(*) FROM movements WHERE expected_arrival = $1)",
        );
        Ok(left.bind(before).fetch_one(&pool).await?)
    };
    let rows = left().await?;
    ensure!(rows > 0, "nothing is old");
    office.restart()?;
    let (started, mut times) = (Instant::now(), Vec::new());
    let (mut every, mut looking) = (tokio::time::interval(PACE), tokio::time::interval(LOOK));
    // Each at its moment, whether the one before was answered or not.
    let mut lodging = FuturesUnordered::new();
    loop {
        tokio::select! {
            _ = every.tick() => lodging.push(async {
                let began = Instant::now();
                lodge(office, 0).await?;
                anyhow::Ok(ms(began.elapsed()))
            }),
            Some(took) = lodging.next() => times.push(took?),
            _ = looking.tick() => if left().await? == 0 { break },
        }
    }
    let took = started.elapsed().as_secs_f64();
    print(
        "lodge_while_rolling_off",
        json!({ "ms": spread(times), "limit_p99_ms": 50.0, "rows": rows, "rows_per_s": (rows as f64 / took).round(), "s": took }),
    );
    Ok(())
}

async fn open(file: &Path) -> anyhow::Result<AnyPool> {
    Ok(AnyPoolOptions::new().max_connections(1).connect(&format!("sqlite://{}", file.display())).await?)
}

async fn look(office: &Office, stored: usize, path: Address) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..LOOKS {
        let number = rand::rng().random_range(0..stored / CARRIED * CARRIED);
        let request = office.request(Method::GET, &path(number));
        let started = Instant::now();
        let found = Office::ask(request).await?;
        times.push(ms(started.elapsed()));
        ensure!(!found["items"].as_array().is_some_and(Vec::is_empty), "nothing at {}", path(number));
    }
    Ok(times)
}

/// The number of the `n`th of many: spread over all numbers, as random ones are.
pub(super) fn ccrn(n: usize) -> String {
    let spread = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 36u64.pow(12);
    // Not every number makes one; the next that does is no other's, as far apart as they lie.
    (spread..).find_map(Ccrn::from_number).map(|ccrn| ccrn.to_string()).unwrap_or_default()
}

/// Put consignments, and a movement for each [`CARRIED`] of them, straight into the database.
async fn fill(file: &Path, stored: usize) -> anyhow::Result<()> {
    let pool = open(file).await?;
    // Nobody else is there yet, and nothing is lost if this fails.
    sqlx::raw_sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000").execute(&pool).await?;
    let (now, mut from) = (jiff::Timestamp::now().as_millisecond(), 0);
    while from < stored {
        let until = stored.min(from + 2_000 * ROWS);
        let mut tx = pool.begin().await?;
        for numbers in (from / CARRIED..until.div_ceil(CARRIED)).collect::<Vec<_>>().chunks(ROWS) {
            insert_movements(&mut tx, numbers, now).await?;
        }
        for numbers in (from..until).collect::<Vec<_>>().chunks(ROWS) {
            insert_consignments(&mut tx, numbers, now).await?;
        }
        tx.commit().await?;
        from = until;
        eprint!("\rstored {until}/{stored} ");
    }
    eprintln!();
    pool.close().await;
    Ok(())
}

async fn insert_consignments(
    tx: &mut sqlx::AnyConnection,
    numbers: &[usize],
    now: i64,
) -> anyhow::Result<()> {
    const HEAD: &str = "INSERT INTO consignments (ccrn, body, lodged_by, lodged_at, trader, consignee, movement, changed_at) VALUES ";
    let mut query = sqlx::query(AssertSqlSafe(inserting(HEAD, 8, numbers.len())));
    for number in numbers {
        // Over the sixty days before today, the last lodged the latest.
        let at = now - 60 * 86_400_000 + *number as i64 / 4;
        query = query
            .bind(ccrn(*number))
            .bind(consignment(*number).to_string())
            .bind("trade")
            .bind(at)
            .bind("trade")
            .bind(format!("kowloon assembly {number} ltd"))
            .bind(format!("m-{}", number / CARRIED))
            .bind(at);
    }
    query.execute(tx).await?;
    Ok(())
}

async fn insert_movements(tx: &mut sqlx::AnyConnection, numbers: &[usize], now: i64) -> anyhow::Result<()> {
    const HEAD: &str = "INSERT INTO movements (id, site, mark, expected_arrival, created_at, trader, bundled_at, changed_at) VALUES ";
    let mut query = sqlx::query(AssertSqlSafe(inserting(HEAD, 8, numbers.len())));
    for number in numbers {
        let at = now - 60 * 86_400_000 + *number as i64;
        query = query
            .bind(format!("m-{number}"))
            .bind("north")
            .bind(mark(number % 2_000_000))
            .bind(at)
            .bind(at)
            .bind("trade")
            .bind(at)
            .bind(at);
    }
    query.execute(tx).await?;
    Ok(())
}

/// How many consignments to look among: what the disk has room for, ten million at most.
pub(super) fn as_many_as_fit(wanted: usize) -> usize {
    /// Bytes that each takes with its share of a movement and the indexes, with room to spare.
    const EACH: u64 = 2_000;
    let free =
        std::process::Command::new("df").args(["--output=avail", "-B1"]).arg(std::env::temp_dir()).output();
    let free =
        free.ok().and_then(|o| String::from_utf8(o.stdout).ok()?.lines().nth(1)?.trim().parse::<u64>().ok());
    free.map_or(wanted, |free| wanted.min((free / EACH) as usize))
}
