//! Central is killed again and again while a company's system lodges in bulk: what was acknowledged is there, nothing twice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tests::world::office::{NO_LIMIT, Office, consignment};

/// Consignments in all; `CLEARLANE_LODGINGS` asks for more.
const LODGINGS: usize = 1_000;
/// Consignments of one request.
const TOGETHER: usize = 20;
/// Systems that lodge at the same time.
const CLIENTS: usize = 4;
/// Longest time for everything.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_and_nothing_is_there_twice() {
    let asked =
        std::env::var("CLEARLANE_LODGINGS").ok().map(|n| n.parse().expect("CLEARLANE_LODGINGS is a number"));
    let requests = asked.unwrap_or(LODGINGS) / TOGETHER;
    let office = Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap();
    let done = AtomicUsize::new(0);
    let lodging = futures::future::join_all((0..CLIENTS).map(async |client| {
        let mut acknowledged = BTreeMap::new();
        for number in (client..requests).step_by(CLIENTS) {
            acknowledged.extend(lodge(&office, number).await);
            done.fetch_add(1, Ordering::SeqCst);
        }
        acknowledged
    }));
    let killing = async {
        let mut chance = ChaCha8Rng::seed_from_u64(5);
        let mut kills = 0;
        while done.load(Ordering::SeqCst) < requests {
            tokio::time::sleep(Duration::from_millis(chance.random_range(20..400))).await;
            tokio::task::block_in_place(|| office.restart().unwrap());
            kills += 1;
        }
        kills
    };
    let (acknowledged, kills) = tokio::time::timeout(PATIENCE, futures::future::join(lodging, killing))
        .await
        .expect("it comes to an end");
    let acknowledged: BTreeMap<String, String> = acknowledged.into_iter().flatten().collect();
    assert!(kills > 1, "central was killed {kills} times only");
    assert_eq!(acknowledged.len(), requests * TOGETHER, "each is acknowledged under a number of its own");
    let stored = stored(&office).await;
    assert_eq!(stored.len(), acknowledged.len(), "none is there twice, and none that nobody was told of");
    assert_eq!(stored.into_iter().collect::<BTreeMap<_, _>>(), acknowledged);
    office.kill();
    office.command(&["fsck"]).unwrap();
    office.command(&["audit", "verify"]).unwrap();
}

/// Lodge the consignments of one request, however often that takes; gives what each was acknowledged as: its CCRN, and its goods.
async fn lodge(office: &Office, number: usize) -> Vec<(String, String)> {
    let body: Vec<Value> = (0..TOGETHER).map(|n| consignment(number * TOGETHER + n)).collect();
    let accepted = until(StatusCode::ACCEPTED, || {
        office
            .request(Method::POST, "/api/v1/consignments/batch")
            .header("idempotency-key", format!("request-{number}"))
            .json(&body)
    })
    .await;
    let path = format!("/api/v1/requests/{}", accepted["id"].as_str().unwrap());
    loop {
        let state = until(StatusCode::OK, || office.request(Method::GET, &path)).await;
        if state["status"] == "completed" {
            let items = state["items"].as_array().unwrap();
            let ccrn = |item: &Value| item["ccrn"].as_str().expect("each is lodged").to_owned();
            let goods = |item: &Value| item["description"].as_str().unwrap().to_owned();
            return items.iter().map(ccrn).zip(body.iter().map(goods)).collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ask until central is there and gives the answer that is due.
async fn until(due: StatusCode, request: impl Fn() -> reqwest::RequestBuilder) -> Value {
    loop {
        match Office::answer(request()).await {
            Ok((status, text)) if status == due => return serde_json::from_str(&text).unwrap(),
            Ok((status, text)) => panic!("{status}: {text}"),
            // Killed: it did not answer, or not whole.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Every consignment that is stored: its CCRN, and its goods.
async fn stored(office: &Office) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut path = "/api/v1/consignments?limit=100".to_owned();
    loop {
        let page = until(StatusCode::OK, || office.request(Method::GET, &path)).await;
        for item in page["items"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            assert!(found.insert((text(&item["ccrn"]), text(&item["consignment"]["description"]))));
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/consignments?limit=100&before={next}"),
            None => return found,
        }
    }
}
