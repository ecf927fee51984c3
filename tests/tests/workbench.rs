//! A selector's morning at the workbench in a real browser, from sign-in to ten decided movements; another officer's second look;
//! an inspection at the bay on a phone's screen; and what figures tell of the model.
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
use risk::policy::{RandomShares, ScoreUse};
use risk::{Policy, Probability};
use serde_json::{Value, json};
use tests::world::browser::{browser, screenshots};
use tests::world::network::comes;
use tests::world::office::{NO_LIMIT, Office, consignment};

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

/// A lane sends the vehicles of movements to the bay.
async fn direct(office: &Office, movements: &[String]) {
    let config = Config::load(&office.config()).unwrap();
    let store = open_store(&config, Arc::new(keys::load(&config.key_file).unwrap())).await.unwrap();
    for (number, movement) in movements.iter().enumerate() {
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
            passage: PassageId([number as u8; 16]),
            step: 0,
            at: Clock::system().now(),
            what,
        };
        store.store_event(&event).await.unwrap();
    }
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

        direct(&office, &movements[..1]).await;
        let photograph = folder.path().join("photograph.jpg");
        image::RgbImage::from_fn(1600, 1200, |x, y| image::Rgb([(x / 8) as u8, (y / 8) as u8, 90]))
            .save(&photograph)
            .unwrap();
        tokio::task::spawn_blocking(move || walk(&office, language, "bay", &[&photograph], &shots))
            .await
            .unwrap();
    }
}

/// The least number of scores that drift is told of, and some more.
const TRUCKS: usize = 204;

/// A model that scores declarations from another country than those it was trained on, all of them drawn for inspection; every third
/// holds something. Selectors are shown how far it is off.
#[tokio::test(flavor = "multi_thread")]
async fn selectors_see_what_the_model_said_beside_what_was_found() {
    let bundle = models::bundles_folder().join("risk-1");
    let score = ScoreUse {
        model: risk::score::Scorer::load(&bundle).unwrap().digest(),
        red: Some(Probability::from_millionths(20_000).unwrap()),
        yellow: None,
        blue: None,
    };
    let policy = Policy {
        score: Some(score),
        random: RandomShares { inspect: Probability::ONE, ..RandomShares::default() },
        ..Policy::default()
    };
    let more = format!("{NO_LIMIT}risk_model = \"{}\"\n", bundle.display());
    let office = Office::start_with(None, &more, |config| {
        Office::watch_list(config, &["Gloomy Trading".to_owned()])?;
        Office::policy(config, &policy)
    })
    .unwrap();
    let mut movements = Vec::new();
    for number in 0..TRUCKS {
        movements.push(announce(&office, number, 50).await);
    }
    let http = reqwest::Client::new();
    let path = |movement: &str, what: &str| format!("{}/api/v1/movements/{movement}{what}", office.address());
    for movement in &movements {
        comes("the code", async || {
            let seen = Office::ask(http.get(path(movement, "")).bearer_auth(&office.selector)).await.unwrap();
            (!seen["action"].is_null()).then_some(())
        })
        .await
        .unwrap();
    }
    let inspected = &movements[..60];
    direct(&office, inspected).await;
    let inspector = office.command(&["token", "create", "bay", "--role", "inspector"]).unwrap();
    for (number, movement) in inspected.iter().enumerate() {
        let result = json!({ "result": if number % 3 == 0 { "found" } else { "nothing_found" } });
        let request = http.put(path(movement, "/inspection")).bearer_auth(inspector.trim()).json(&result);
        let (status, text) = Office::answer(request).await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
    }
    // It looks at the model when it starts, and then every minute.
    office.restart().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let shots = screenshots(folder.path());
    tokio::task::spawn_blocking(move || {
        for language in ["en", "zh-Hant", "zh-Hans"] {
            let seen = walk(&office, language, "model", &[], &shots);
            assert_eq!(seen["inspected"], 60, "{seen}");
            assert_eq!(seen["indices"], 2, "{seen}");
            assert_eq!(seen["stillOpen"], true, "{seen}");
            assert!(seen["rows"].as_u64().unwrap() >= 1, "{seen}");
        }
    })
    .await
    .unwrap();
}
