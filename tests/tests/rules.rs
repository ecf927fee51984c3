//! The life of a rule in a real browser: from a draft with a mistake, over its simulation and another officer's approval, to its first
//! hit, and out of force again.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::world::browser::{browser, screenshots};
use tests::world::office::{NO_LIMIT, Office, consignment};

const PASSWORD: &str = "a long password";

/// Lodge and bundle toys of a value; gives the movement.
async fn announce(office: &Office, number: usize, value: u32) -> String {
    let post = |path: &str, body: Value| Office::ask(office.request(Method::POST, path).json(&body));
    let mut toys = consignment(number);
    toys["description"] = json!("toys of plastic");
    toys["value_hkd"] = json!(value);
    let lodged = post("/api/v1/consignments", toys).await.unwrap();
    let arrival = jiff::Timestamp::now().checked_add(Duration::from_mins(50)).unwrap();
    let mark = format!("RL{}", 1000 + number);
    let body = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": "north", "expected_arrival": arrival.to_string() });
    post("/api/v1/bundles", body).await.unwrap()["movement"].as_str().unwrap().to_owned()
}

/// The movement gets this code in the end.
async fn gets(office: &Office, movement: &str, code: &str) {
    let http = reqwest::Client::new();
    for _ in 0..400 {
        let address = format!("{}/api/v1/movements/{movement}", office.address());
        let seen = Office::ask(http.get(address).bearer_auth(&office.selector)).await.unwrap();
        if seen["action"] == code {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{movement} did not get {code}");
}

async fn walk(
    office: &Arc<Office>,
    language: &'static str,
    phase: &'static str,
    movement: &str,
    shots: &Path,
) -> Value {
    let (office, movement, shots) = (Arc::clone(office), movement.to_owned(), shots.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut node = browser("rules.mjs").unwrap();
        let arguments = [language, phase, PASSWORD, &movement];
        let walked = node.arg(office.address()).arg(&shots).args(arguments).output().unwrap();
        assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
        let seen: Value = serde_json::from_slice(&walked.stdout).unwrap();
        for trouble in ["errors", "violations", "keys"] {
            assert_eq!(seen[trouble], json!([]), "{trouble}");
        }
        seen
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_from_its_draft_to_its_first_hit_and_out_of_force_again() {
    for language in ["en", "zh-Hant", "zh-Hans"] {
        let office = Arc::new(Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap());
        for name in ["lam", "ng"] {
            office.officer(name, "selector", PASSWORD).unwrap();
        }
        let file = office.folder().join("policy.json");
        std::fs::write(&file, r#"{"version": 1}"#).unwrap();
        let words = ["risk", "policy", file.to_str().unwrap(), "--officer", "lam"];
        let version = office.command_given(&words, PASSWORD).unwrap();
        office.command_given(&["risk", "approve", version.trim(), "--officer", "ng"], PASSWORD).unwrap();
        let dear = announce(&office, 1, 80_000).await;
        let cheap = announce(&office, 2, 900).await;
        for movement in [&dear, &cheap] {
            gets(&office, movement, "release").await;
        }
        let folder = tempfile::TempDir::new().unwrap();
        let shots = screenshots(folder.path());
        let written = walk(&office, language, "write", &dear, &shots).await;
        assert!(written["told"].as_str().unwrap().contains("value_hkd"), "{written}");
        assert_eq!(written["own"], 0, "nobody approves what they have written");
        // What was open before is hit, and the other goes.
        gets(&office, &dear, "inspect").await;
        gets(&office, &cheap, "release").await;
        let next = announce(&office, 3, 90_000).await;
        gets(&office, &next, "inspect").await;
        let hit = walk(&office, language, "hit", &dear, &shots).await;
        assert!(hit["mark"].as_str().unwrap().contains("RL"), "{hit}");
        assert!(hit["reason"].as_str().unwrap().contains("dear-toys"), "{hit}");
        gets(&office, &dear, "release").await;
        gets(&office, &next, "release").await;
    }
}
