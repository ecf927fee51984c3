//! Declarations: lodging, bundling and following them over HTTP, on each engine, beside a bare insert of the same bytes
//! into the same engine.
//!
//! Central is a process of its own; the load comes from this one. Every commit is durable before it is answered.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};
use tests::world::office::{NO_LIMIT, Office, consignment};
use tests::world::postgres::Postgres;

use super::{lookups, ms, print, spread};

/// Single lodgings of the run without a limit.
const SINGLE: usize = 12_000;
/// Clients that lodge at the same time.
const CLIENTS: usize = 64;
/// Lodgings a second that are asked for.
const SINGLE_LIMIT: f64 = 1_500.0;
/// How long the run at half of that takes, seconds.
const STEADY: usize = 10;
/// Consignments of one bulk request.
const BULK: usize = 10_000;
/// Bundles.
const BUNDLES: usize = 5_000;
/// What one multi-row insert takes.
pub(super) const ROWS: usize = 50;

#[derive(Clone, Copy, Debug)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// Every figure of declarations; `stored`: consignments among which to look things up.
pub(super) async fn declarations(stored: usize) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    ways_in(Engine::Sqlite, None).await?;
    match Postgres::start() {
        Ok(server) => ways_in(Engine::Postgres, Some(&server.url())).await?,
        Err(why) => print("declarations_postgresql", json!({ "skipped": why })),
    }
    lookups::looks(stored).await
}

async fn ways_in(engine: Engine, database: Option<&str>) -> anyhow::Result<()> {
    let office = Office::start_with(database, NO_LIMIT, |_| Ok(()))?;
    let bare = Bare::open(engine, database, office.folder()).await?;
    single(engine, &office, &bare).await?;
    steady(engine, &office).await?;
    bulk(engine, &office, &bare).await?;
    bundles(engine, &office).await?;
    feed(engine, &office).await
}

/// Lodge one by one, as fast as it goes.
async fn single(engine: Engine, office: &Office, bare: &Bare) -> anyhow::Result<()> {
    let started = Instant::now();
    let times = each(SINGLE, |number| lodge(office, number)).await?;
    let rate = SINGLE as f64 / started.elapsed().as_secs_f64();
    let peer = bare.one_by_one(2_000).await?;
    print(
        &format!("lodge_single_{}", engine.name()),
        json!({ "per_s": rate.round(), "limit_per_s": SINGLE_LIMIT, "clients": CLIENTS, "ms": spread(times),
            "peer_bare_insert_per_s": peer.round(), "ratio": rate / peer }),
    );
    Ok(())
}

pub(super) async fn lodge(office: &Office, number: usize) -> anyhow::Result<String> {
    let lodged =
        Office::ask(office.request(Method::POST, "/api/v1/consignments").json(&consignment(number))).await?;
    Ok(lodged["ccrn"].as_str().context("no ccrn")?.to_owned())
}

/// Do something many times from [`CLIENTS`] clients; the milliseconds that each took.
async fn each<T>(many: usize, work: impl AsyncFn(usize) -> anyhow::Result<T>) -> anyhow::Result<Vec<f64>> {
    let work = &work;
    stream::iter(0..many)
        .map(|number| async move {
            let started = Instant::now();
            work(number).await?;
            anyhow::Ok(ms(started.elapsed()))
        })
        .buffer_unordered(CLIENTS)
        .try_collect()
        .await
}

/// Lodge at half the rate, each at its moment, whether the one before was answered or not; time runs from that moment.
async fn steady(engine: Engine, office: &Office) -> anyhow::Result<()> {
    let rate = SINGLE_LIMIT / 2.0;
    let (begun, many) = (Instant::now(), (rate * STEADY as f64) as usize);
    let times: Vec<f64> = stream::iter(0..many)
        .map(|number| async move {
            let due = begun + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            lodge(office, number).await?;
            anyhow::Ok(ms(due.elapsed()))
        })
        .buffer_unordered(many)
        .try_collect()
        .await?;
    print(
        &format!("lodge_steady_{}", engine.name()),
        json!({ "per_s": rate, "ms": spread(times), "limit_p99_ms": 50.0 }),
    );
    Ok(())
}

/// Lodge many in one request; done when each is acknowledged.
async fn bulk(engine: Engine, office: &Office, bare: &Bare) -> anyhow::Result<()> {
    let body = Value::Array((0..BULK).map(consignment).collect());
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        let accepted =
            Office::ask(office.request(Method::POST, "/api/v1/consignments/batch").json(&body)).await?;
        let request = format!("/api/v1/requests/{}", accepted["id"].as_str().context("no request")?);
        let answered = started.elapsed();
        loop {
            let state = Office::ask(office.request(Method::GET, &request)).await?;
            if state["status"] == "completed" {
                ensure!(state["accepted"] == BULK, "not every consignment was lodged: {state:.300}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        seconds.push((started.elapsed().as_secs_f64(), answered.as_secs_f64()));
    }
    seconds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (whole, answered) = seconds[seconds.len() / 2];
    let peer = bare.together(BULK).await?;
    let rate = BULK as f64 / whole;
    print(
        &format!("lodge_bulk_{}", engine.name()),
        json!({ "per_s": rate.round(), "limit_per_s": 10_000, "accepted_after_s": answered, "acknowledged_after_s": whole,
            "peer_bare_insert_per_s": peer.round(), "ratio": rate / peer }),
    );
    Ok(())
}

async fn bundles(engine: Engine, office: &Office) -> anyhow::Result<()> {
    let ccrns: Vec<String> = stream::iter(0..BUNDLES)
        .map(|number| lodge(office, number))
        .buffer_unordered(CLIENTS)
        .try_collect()
        .await?;
    let arrival = jiff::Timestamp::now().checked_add(Duration::from_mins(30))?.to_string();
    let started = Instant::now();
    let times = each(BUNDLES, |number| {
        let body = json!({ "ccrns": [ccrns[number]], "mark": mark(number), "site": "north", "expected_arrival": arrival });
        async move { Office::ask(office.request(Method::POST, "/api/v1/bundles").json(&body)).await }
    })
    .await?;
    let rate = BUNDLES as f64 / started.elapsed().as_secs_f64();
    print(
        &format!("bundle_{}", engine.name()),
        json!({ "per_s": rate.round(), "limit_per_s": 1_000, "clients": CLIENTS, "ms": spread(times) }),
    );
    Ok(())
}

/// A registration mark of Hong Kong's form, another for each number below two million.
pub(super) fn mark(number: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
    let (serial, prefix) = (number % 9_999 + 1, number / 9_999);
    let letter = |place: usize| LETTERS[place % LETTERS.len()] as char;
    format!("{}{}{serial}", letter(prefix / LETTERS.len()), letter(prefix))
}

async fn feed(engine: Engine, office: &Office) -> anyhow::Result<()> {
    let mut times = Vec::new();
    let (mut after, mut read) = (0, 0);
    for _ in 0..20 {
        let started = Instant::now();
        let path = format!("/api/v1/events?after={after}&limit=1000");
        let page = Office::ask(office.request(Method::GET, &path)).await?;
        times.push(ms(started.elapsed()));
        let events = page["events"].as_array().context("no events")?;
        ensure!(events.len() == 1_000, "a page of the feed has {} events", events.len());
        read += events.len();
        after = page["next"].as_u64().context("no cursor")?;
    }
    print(
        &format!("feed_1000_{}", engine.name()),
        json!({ "ms": spread(times), "limit_ms": 20.0, "events": read }),
    );
    Ok(())
}

/// The same bytes, in a table of their own without an index beyond the key, in the same engine with the same durability.
struct Bare(AnyPool);

impl Bare {
    async fn open(engine: Engine, database: Option<&str>, folder: &Path) -> anyhow::Result<Self> {
        let file = format!("sqlite://{}?mode=rwc", folder.join("bare.sqlite").display());
        let pool = AnyPoolOptions::new().max_connections(1).connect(database.unwrap_or(&file)).await?;
        if matches!(engine, Engine::Sqlite) {
            sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").execute(&pool).await?;
        }
        sqlx::raw_sql("CREATE TABLE bare (key TEXT PRIMARY KEY, body TEXT NOT NULL)").execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Rows a second, each in a transaction of its own, from one connection.
    async fn one_by_one(&self, many: usize) -> anyhow::Result<f64> {
        let started = Instant::now();
        for number in 0..many {
            sqlx::query("INSERT INTO bare (key, body) VALUES ($1, $2)")
                .bind(format!("one-{number}"))
                .bind(consignment(number).to_string())
                .execute(&self.0)
                .await?;
        }
        Ok(many as f64 / started.elapsed().as_secs_f64())
    }

    /// Rows a second, all in one transaction.
    async fn together(&self, many: usize) -> anyhow::Result<f64> {
        let started = Instant::now();
        let mut tx = self.0.begin().await?;
        for numbers in (0..many).collect::<Vec<_>>().chunks(ROWS) {
            let mut query = sqlx::query(AssertSqlSafe(inserting(
                "INSERT INTO bare (key, body) VALUES ",
                2,
                numbers.len(),
            )));
            for number in numbers {
                query = query.bind(format!("many-{number}")).bind(consignment(*number).to_string());
            }
            query.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(many as f64 / started.elapsed().as_secs_f64())
    }
}

/// A statement that inserts `rows` rows of `columns` values.
pub(super) fn inserting(head: &str, columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    format!("{head}{}", (0..rows).map(row).collect::<Vec<_>>().join(", "))
}
