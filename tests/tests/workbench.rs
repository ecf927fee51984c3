//! A selector's morning at the workbench in a real browser, from sign-in to ten decided movements; another officer's second look; and
//! an inspection at the bay on a phone's screen.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use central::clock::Clock;
use central::config::Config;
use central::{keys, open_store};
use clearance::decide::Reason;
use clearance::directive::ActionCode;
use clearance::ids::{Digest, Epoch, PassageId, Revision};
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use reqwest::Method;
use serde_json::{Value, json};
use tests::world::browser::{browser, screenshots};
use tests::world::office::{Office, consignment};

const PASSWORD: &str = "a long password";

/// Announce a vehicle with a consignment, expected in some minutes; gives its movement.
async fn announce(office: &Office, number: usize, minutes: u64) -> String {
    let post = |path: &str, body: Value| Office::ask(office.request(Method::POST, path).json(&body));
    let lodged = post("/api/v1/consignments", consignment(number)).await.unwrap();
    let arrival = jiff::Timestamp::now().checked_add(Duration::from_mins(minutes)).unwrap();
    let mark = format!("WB{}", 1000 + number);
    let body = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": "north", "expected_arrival": arrival.to_string() });
    post("/api/v1/bundles", body).await.unwrap()["movement"].as_str().unwrap().to_owned()
}

/// A lane sends the vehicle of a movement to the bay.
async fn direct(office: &Office, movement: &str) {
    let config = Config::load(&office.config()).unwrap();
    let store = open_store(&config, Arc::new(keys::load(&config.key_file).unwrap())).await.unwrap();
    let what = PassageStep::Decided(DecisionRecord {
        outcome: Outcome::Directed(ActionCode::Inspect),
        reason: Reason::Directive,
        movement: Some(movement.parse().unwrap()),
        order: None,
        plates: Vec::new(),
        epoch: Epoch(1),
        revision: Revision(1),
        model: Digest([0; 32]),
    });
    let event = PassageEvent {
        site: "north".parse().unwrap(),
        lane: "lane-1".parse().unwrap(),
        edge: "edge-1".parse().unwrap(),
        passage: PassageId([7; 16]),
        step: 0,
        at: Clock::system().now(),
        what,
    };
    store.store_event(&event).await.unwrap();
}

/// Walk a phase in the browser; gives what was seen.
fn walk(office: &Office, language: &str, phase: &str, more: &[&Path], shots: &Path) -> Value {
    let mut node = browser("workbench.mjs").unwrap();
    let walked =
        node.arg(office.address()).arg(shots).args([language, phase, PASSWORD]).args(more).output().unwrap();
    assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
    let seen: Value = serde_json::from_slice(&walked.stdout).unwrap();
    for trouble in ["errors", "violations", "keys"] {
        assert_eq!(seen[trouble], json!([]), "{trouble}");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selectors_morning_from_sign_in_to_ten_decided_movements_and_the_bay() {
    for language in ["en", "zh-Hant"] {
        let office = Office::start(None).unwrap();
        for (name, role) in [("lam", "selector"), ("ng", "selector"), ("yip", "inspector")] {
            office.officer(name, role, PASSWORD).unwrap();
        }
        let mut movements = Vec::new();
        for number in 0..14 {
            movements.push(announce(&office, number, 50 + 11 * number as u64).await);
        }
        let folder = tempfile::TempDir::new().unwrap();
        let shots = screenshots(folder.path());
        let (morning, office) = tokio::task::spawn_blocking({
            let shots = shots.clone();
            move || (walk(&office, language, "morning", &[], &shots), office)
        })
        .await
        .unwrap();
        assert_eq!(morning["decided"], 10, "{morning}");
        let left = |when: &str| morning[when].as_i64().unwrap();
        assert_eq!(left("before") - left("after"), 10, "{morning}");

        direct(&office, &movements[0]).await;
        let photograph = folder.path().join("photograph.jpg");
        image::RgbImage::from_fn(1600, 1200, |x, y| image::Rgb([(x / 8) as u8, (y / 8) as u8, 90]))
            .save(&photograph)
            .unwrap();
        tokio::task::spawn_blocking(move || walk(&office, language, "bay", &[&photograph], &shots))
            .await
            .unwrap();
    }
}
