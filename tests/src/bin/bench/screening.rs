//! Screening: from lodging to a released directive at the lane with nobody in between, and assessing everything open again while others
//! lodge. Central is a process of its own, and every commit is durable.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clearance::decide::Lease;
use clearance::ids::UtcMillis;
use edge::link::ReplicaStatus;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use risk::policy::{ListUse, RandomShares, Rule, ScoreUse};
use risk::score::Scorer;
use risk::{Measure, Policy, Probability};
use serde_json::{Value, json};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};
use tests::world::office::{NO_LIMIT, Office, consignment};
use tests::world::queue::{Declared, Truck, trucks};
use tests::world::site::{Site, SiteOptions};

use super::declarations::{ROWS, inserting, lodge, mark};
use super::{ms, print, spread};

/// Movements that are open when a rule changes.
pub(super) const OPEN: usize = 100_000;
/// Trucks that are declared one after the other.
const TRUCKS: usize = 300;
/// Rules in force.
const RULES: usize = 200;
/// Companies on the watch list.
const LISTED: usize = 10_000;
/// Lodgings a second while everything is assessed again, and before.
const RATE: f64 = 50.0;
/// How long they are measured before, seconds.
const BEFORE: f64 = 30.0;
/// Within what everything open is assessed again, seconds, and by how much that may slow lodging.
const AGAIN_LIMIT_S: f64 = 300.0;
const SLOWER_LIMIT: f64 = 0.10;
/// How long a movement may take to be decided before something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every figure of screening; `open`: movements that are assessed again.
pub(super) async fn screening(open: usize) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    to_the_lane().await?;
    again(open).await
}

/// Rules about goods and parties, of which none holds for what is declared here; a draw of one in a hundred, and a score.
fn policy(list: ListUse, rules: usize) -> anyhow::Result<Policy> {
    let rule = |number: usize| Rule {
        id: format!("rule-{number}"),
        version: 1,
        condition: match number % 4 {
            0 => format!(
                "consignments.exists(c, c.hs_code.startsWith('{:04}') && c.origin == 'KP')",
                number % 9_999
            ),
            1 => format!("value_hkd > {} && net_weight_kg < {number}", 90_000_000 + number),
            2 => format!(
                "consignments.exists(c, c.consignee.finds > {} && c.value_hkd > 1000000)",
                3 + number % 7
            ),
            _ => format!("hour >= 22 && carrier.finds > {} && consignments.size() > 3", 2 + number % 5),
        },
        measure: Measure::Inspect,
        from: UtcMillis(0),
        until: None,
    };
    let part = |of| Probability::ratio(of, 1_000);
    let model = Scorer::load(&models::bundles_folder().join("risk-1"))?.digest();
    Ok(Policy {
        lists: vec![list],
        rules: (0..rules).map(rule).collect(),
        score: Some(ScoreUse { model, red: Some(part(995)), yellow: None, blue: None }),
        random: RandomShares { inspect: part(10), ..RandomShares::default() },
        ..Policy::default()
    })
}

fn listed() -> Vec<String> {
    (0..LISTED).map(|number| format!("Wanted {} Trading {number} Company", mark(number))).collect()
}

/// In central's configuration: the model that scores.
fn scored() -> String {
    format!("risk_model = \"{}\"\n", models::bundles_folder().join("risk-1").display())
}

/// One truck after the other is lodged, bundled, assessed, and released at the lane.
async fn to_the_lane() -> anyhow::Result<()> {
    let site = Site::start(SiteOptions { lanes: 1, more: scored(), ..SiteOptions::default() }).await?;
    site.follows(0).await?;
    let list = Office::watch_list(site.config(), &listed())?;
    Office::policy(site.config(), &policy(list, RULES)?)?;
    let like = trucks().into_iter().next().context("no truck")?;
    let (mut times, mut from_bundle, mut stopped) = (vec![], vec![], 0);
    for number in 0..=TRUCKS {
        let truck = Truck {
            // A few hundred marks, as long as the program.
            mark: mark(number).leak(),
            mainland_registered: None,
            declared: Declared::Nothing,
            ..like.clone()
        };
        let arrived = arrival(&site, number as u64 + 1);
        let started = Instant::now();
        let movement = site.movement(&truck).await?;
        let bundled = Instant::now();
        let at = tokio::time::timeout(PATIENCE, arrived).await.context("no directive came")??;
        let told = site
            .call(Method::GET, &format!("/api/v1/movements/{movement}"), "selector", &Value::Null)
            .await?;
        // The first waits until the policy is in force.
        match told["action"].as_str() {
            _ if number == 0 => {}
            Some("release") => {
                times.push(ms(at.duration_since(started)));
                from_bundle.push(ms(at.saturating_duration_since(bundled)));
            }
            Some(_) => stopped += 1,
            None => anyhow::bail!("a directive without a code: {told}"),
        }
    }
    ensure!(times.len() > TRUCKS / 2, "{stopped} of {TRUCKS} were not released");
    print(
        "lodged_to_released_at_the_lane_ms",
        json!({ "spread": spread(times), "from_bundle": spread(from_bundle), "limit_p99": 300.0, "rules": RULES, "listed": LISTED,
            "not_released": stopped }),
    );
    site.edge.stop().await;
    Ok(())
}

/// When the edge holds what came with a revision, vouched for.
fn arrival(site: &Site, revision: u64) -> tokio::task::JoinHandle<Instant> {
    let mut replica = site.edge.replica();
    tokio::spawn(async move {
        let there =
            |status: &ReplicaStatus| status.head.revision.0 >= revision && status.lease() == Lease::Live;
        let _ = replica.wait_for(there).await;
        Instant::now()
    })
}

/// Everything open is assessed again after a rule has changed, while a client lodges at its pace, and does not wait.
async fn again(open: usize) -> anyhow::Result<()> {
    let mut first = None;
    let more = format!("{}{NO_LIMIT}", scored());
    let office = Office::start_with(None, &more, |config| {
        first = Some(Office::watch_list(config, &listed())?);
        let file = config.with_file_name("data").join("central.sqlite");
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(fill(&file, open)))
    })?;
    let list = first.context("no list")?;
    let pool = looking(&office.folder().join("data/central.sqlite")).await?;
    let started = Instant::now();
    Office::policy(&office.config(), &policy(list.clone(), RULES)?)?;
    decided(&pool, 1, open).await?;
    let at_first = started.elapsed().as_secs_f64();

    let before = lodging(&office, async {
        tokio::time::sleep(Duration::from_secs_f64(BEFORE)).await;
        Ok(())
    })
    .await?;
    Office::policy(&office.config(), &policy(list, RULES + 1)?)?;
    let started = Instant::now();
    let mut took = 0.0;
    let during = lodging(&office, async {
        decided(&pool, 2, open).await?;
        took = started.elapsed().as_secs_f64();
        Ok(())
    })
    .await?;
    let slower = during.middle() / before.middle() - 1.0;
    print(
        "assessed_again",
        json!({ "movements": open, "s": took, "limit_s": AGAIN_LIMIT_S * open as f64 / OPEN as f64, "per_s": (open as f64 / took).round(),
            "first_assessed_per_s": (open as f64 / at_first).round(), "lodging_before": before.told(), "lodging_during": during.told(),
            "lodging_slower": slower, "limit_slower": SLOWER_LIMIT }),
    );
    Ok(())
}

/// What lodging took.
struct Lodged {
    times: Vec<f64>,
    seconds: f64,
}

impl Lodged {
    fn middle(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn told(&self) -> Value {
        json!({ "asked_per_s": RATE, "answered_per_s": self.times.len() as f64 / self.seconds, "ms": spread(self.times.clone()) })
    }
}

/// Lodge, each at its moment, whether the one before was answered or not, until something is over.
async fn lodging(office: &Office, until: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Lodged> {
    let begun = Instant::now();
    let over = std::cell::Cell::new(false);
    let over = &over;
    let lodged = async {
        stream::iter(0..)
            .map(|number| f64::from(number) / RATE)
            .take_while(|_| std::future::ready(!over.get()))
            .map(|due| async move {
                let due = begun + Duration::from_secs_f64(due);
                tokio::time::sleep_until(due.into()).await;
                if over.get() {
                    return anyhow::Ok(None);
                }
                lodge(office, 0).await?;
                anyhow::Ok(Some((ms(due.elapsed()), begun.elapsed())))
            })
            .buffer_unordered(1_000)
            .try_collect::<Vec<_>>()
            .await
    };
    let until = async {
        let done = until.await;
        over.set(true);
        done
    };
    let (lodged, done) = tokio::join!(lodged, until);
    done?;
    let lodged: Vec<(f64, Duration)> = lodged?.into_iter().flatten().collect();
    let seconds = lodged.iter().map(|(_, at)| at.as_secs_f64()).fold(f64::MIN_POSITIVE, f64::max);
    Ok(Lodged { times: lodged.into_iter().map(|(took, _)| took).collect(), seconds })
}

/// Wait until everything was assessed by a version of the policy. Looks by the index that central looks by too: a count over all movements
/// every half a second would be a load of its own, beside which nobody lodges in earnest.
async fn decided(pool: &AnyPool, policy: i64, open: usize) -> anyhow::Result<()> {
    const LEFT: &str =
        "FROM movements WHERE screened < $1 AND signalled IS NULL AND cancelled_at IS NULL AND sandbox = 0";
    let (mut least, mut since) = (i64::MAX, Instant::now());
    loop {
        let first: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT CAST(screened AS BIGINT) {LEFT} LIMIT 1")))
                .bind(policy)
                .fetch_optional(pool)
                .await?;
        if first.is_none() {
            return Ok(());
        }
        if since.elapsed() > 3 * PATIENCE {
            let left: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) {LEFT}")))
                .bind(policy)
                .fetch_one(pool)
                .await?;
            ensure!(
                left < least,
                "{left} of {open} movements are not assessed by policy {policy}, and nothing goes on"
            );
            (least, since) = (left, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn looking(file: &Path) -> anyhow::Result<AnyPool> {
    Ok(AnyPoolOptions::new().max_connections(1).connect(&format!("sqlite://{}", file.display())).await?)
}

/// Put movements that are expected in the next hours straight into the database, each with a consignment.
async fn fill(file: &Path, open: usize) -> anyhow::Result<()> {
    const MOVEMENTS: &str = "INSERT INTO movements (id, site, mark, expected_arrival, created_at, trader, bundled_at, changed_at) VALUES ";
    const CONSIGNMENTS: &str = "INSERT INTO consignments (ccrn, body, lodged_by, lodged_at, trader, consignee, movement, changed_at) VALUES ";
    let pool = looking(file).await?;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut tx = pool.begin().await?;
    for numbers in (0..open).collect::<Vec<_>>().chunks(ROWS) {
        let mut query = sqlx::query(AssertSqlSafe(inserting(MOVEMENTS, 8, numbers.len())));
        for number in numbers {
            // Over the days that begin in two hours, a thousand an hour as at a busy control point: none arrives meanwhile.
            let arrival = now + 2 * 3_600_000 + *number as i64 * 3_456;
            query = query
                .bind(format!("m-{number}"))
                .bind("north")
                .bind(mark(*number))
                .bind(arrival)
                .bind(now)
                .bind("trade")
                .bind(now)
                .bind(now);
        }
        query.execute(&mut *tx).await?;
        let mut query = sqlx::query(AssertSqlSafe(inserting(CONSIGNMENTS, 8, numbers.len())));
        for number in numbers {
            query = query
                .bind(super::lookups::ccrn(*number))
                .bind(consignment(*number).to_string())
                .bind("trade")
                .bind(now)
                .bind("trade")
                .bind(format!("kowloon assembly {number} ltd"))
                .bind(format!("m-{number}"))
                .bind(now);
        }
        query.execute(&mut *tx).await?;
    }
    tx.commit().await?;
    pool.close().await;
    Ok(())
}
