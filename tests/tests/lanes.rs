//! Whole lanes: trucks on RTSP streams, gates on Modbus TCP, central as a process that is killed.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::time::Duration;

use central::clock::Clock;
use central::screening::{approve, put_policy};
use clearance::decide::Reason;
use clearance::ids::Digest;
use clearance::passage::Outcome;
use reqwest::Method;
use risk::policy::ScoreUse;
use risk::{Policy, Probability};
use serde_json::json;
use tests::world::play::{PACE, play, render};
use tests::world::queue::{Declared, Truck, trucks};
use tests::world::site::{Site, SiteOptions};

/// Trucks of the demo's queue, by their stories.
fn from_queue(stories: &[&str]) -> Vec<Truck> {
    let queue = trucks();
    let with = |story: &&str| queue.iter().find(|t| t.story == *story).expect("a known story").clone();
    stories.iter().map(with).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_go_on_while_central_is_dead_and_nothing_is_lost_or_counted_twice() {
    let trucks = from_queue(&[
        "both plates agree, code release",
        "one plate only, code release",
        "code inspect",
        "nobody declared it",
    ]);
    let films = tempfile::TempDir::new().unwrap();
    let mut footage = render(&trucks, films.path(), |_, _| {}).unwrap();
    let mut site = Site::start(SiteOptions { lanes: 1, ..SiteOptions::default() }).await.unwrap();
    for truck in &trucks {
        site.declare(truck).await.unwrap();
    }
    site.follows(3).await.unwrap();
    let rest = footage.split_off(1);
    let mut played = play(&site, &trucks[..1], footage, PACE, |_| {}).await.unwrap();
    site.kill_central();
    played.extend(play(&site, &trucks[1..], rest, PACE, |_| {}).await.unwrap());
    assert!(played.iter().all(|p| p.as_expected), "{played:#?}");
    assert!(site.edge.waiting().0 > 0, "what central has not heard waits");

    site.restart_central().unwrap();
    site.delivered().await.unwrap();
    // Three assignments and three uses, for inspection uses a directive up too: a passage counted twice would have used one
    // again.
    site.follows(6).await.unwrap();
    assert_eq!(site.edge.replica().borrow().head.revision.0, 6);
    let feed = site.call(Method::GET, "/api/v1/passages", "selector", &json!({})).await.unwrap();
    let passages = feed["passages"].as_array().unwrap();
    let ids: BTreeSet<_> = passages.iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!((passages.len(), ids.len()), (4, 4), "{feed:#}");
    let mut outcomes: Vec<_> = passages.iter().map(|p| p["decision"]["outcome"].to_string()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["\"referred\"", "\"released\"", "\"released\"", "{\"directed\":\"inspect\"}"]);
    site.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_released_once_central_has_been_silent_for_the_length_of_a_lease() {
    let mut trucks = from_queue(&["code release"]);
    (trucks[0].expected, trucks[0].expected_reasons) = (Outcome::Referred, &[Reason::LeaseStale]);
    let films = tempfile::TempDir::new().unwrap();
    let footage = render(&trucks, films.path(), |_, _| {}).unwrap();
    let options = SiteOptions { lanes: 1, lease_ms: 2_000, ..SiteOptions::default() };
    let mut site = Site::start(options).await.unwrap();
    site.declare(&trucks[0]).await.unwrap();
    site.follows(1).await.unwrap();
    site.kill_central();
    site.stale().await.unwrap();
    let played = play(&site, &trucks, footage, PACE, |_| {}).await.unwrap();
    assert!(played[0].as_expected, "{played:#?}");
    assert_eq!(site.gates[0].view().borrow().raised, 0, "the boom has never been raised");
    site.edge.stop().await;
}

/// Central is well and vouches for its lanes, and screening takes no decision: the policy wants a score, and the model is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_truck_that_screening_could_not_assess_is_referred_and_never_released() {
    let mut trucks = from_queue(&["code release"]);
    trucks[0].declared = Declared::Screened;
    (trucks[0].expected, trucks[0].expected_reasons) = (Outcome::Referred, &[Reason::NoDirective]);
    let films = tempfile::TempDir::new().unwrap();
    let footage = render(&trucks, films.path(), |_, _| {}).unwrap();
    let more = "risk_model = \"no-bundle\"".to_owned();
    let site = Site::start(SiteOptions { lanes: 1, more, ..SiteOptions::default() }).await.unwrap();
    let (config, store) = site.store().await.unwrap();
    // It holds nothing against anybody: whoever was assessed by it would be released.
    let score =
        ScoreUse { model: Digest::of(b"no bundle"), red: Some(Probability::ONE), yellow: None, blue: None };
    let policy = Policy { score: Some(score), ..Policy::default() };
    let (zone, now) = (config.place().unwrap().zone, Clock::system().now());
    let version = put_policy(&store, &zone, policy, "chan", now).await.unwrap();
    approve(&store, version, "wong", now).await.unwrap();
    let movement = site.movement(&trucks[0]).await.unwrap();
    let refused = async {
        loop {
            if let Some(row) = store.assessment(&movement).await.unwrap() {
                break row.decision().unwrap().assessment;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let refused = tokio::time::timeout(Duration::from_mins(1), refused).await.unwrap();
    assert!(refused.is_unassessed(), "{refused:?}");
    site.follows(0).await.unwrap();
    let played = play(&site, &trucks, footage, PACE, |_| {}).await.unwrap();
    assert!(played[0].as_expected, "{played:#?}");
    assert_eq!(site.gates[0].view().borrow().raised, 0, "the boom has never been raised");
    site.delivered().await.unwrap();
    let feed = site.call(Method::GET, "/api/v1/passages", "selector", &json!({})).await.unwrap();
    let decision = &feed["passages"][0]["decision"];
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&json!("referred"), &json!("no_directive")),
        "{feed:#}"
    );
    assert_eq!(store.movement(&movement.parse().unwrap()).await.unwrap().unwrap().action, None);
    site.edge.stop().await;
}
