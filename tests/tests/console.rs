//! A doubtful read, an officer in a real browser, the gate that obeys, and the correction as training data.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::time::Duration;

use clearance::passage::Outcome;
use serde_json::Value;
use tests::world::browser::{browser, screenshots};
use tests::world::lane::Pace;
use tests::world::play::{PACE, play, render};
use tests::world::queue::trucks;
use tests::world::site::{Site, SiteOptions};

/// What the officer corrects the mainland plate to.
const CORRECTED: &str = "粤ZH243港";

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_corrects_a_read_the_gate_obeys_and_the_correction_is_exported() {
    let mut node = browser("console.mjs").unwrap();
    let queue = trucks();
    let dirty = queue.iter().filter(|t| t.dirty).cloned().collect::<Vec<_>>();
    let mark = dirty[0].mark;
    let films = tempfile::TempDir::new().unwrap();
    let footage = render(&dirty, films.path(), |_, _| {}).unwrap();
    let site = Site::start(SiteOptions { lanes: 1, ..SiteOptions::default() }).await.unwrap();
    site.declare(&dirty[0]).await.unwrap();
    site.follows(1).await.unwrap();

    node.arg(site.console().unwrap()).arg(screenshots(films.path())).args([mark, CORRECTED]);
    let officer = tokio::task::spawn_blocking(move || node.output().unwrap());
    let patient = Pace { patience: Some(Duration::from_secs(150)), ..PACE };
    let played = play(&site, &dirty, footage, patient, |_| {}).await.unwrap();
    let officer = officer.await.unwrap();
    assert!(officer.status.success(), "{}", String::from_utf8_lossy(&officer.stderr));
    let seen: Value = serde_json::from_slice(&officer.stdout).unwrap();
    assert_eq!(seen["errors"], serde_json::json!([]), "the browser complains");
    assert!(seen["refused"].as_str().unwrap().contains("<b>"), "{seen}");

    assert_eq!(
        played[0].decision,
        Some(Outcome::Referred),
        "the lane itself releases nothing that it cannot read"
    );
    assert_eq!(site.gates[0].view().borrow().raised, 1, "the officer's order raised the boom, once");
    site.delivered().await.unwrap();
    // The release used up the directive of the mark that the officer read.
    site.follows(2).await.unwrap();

    let out = films.path().join("export");
    let from = site.folder().join("central/examples");
    let manifest = datasets::export::export(&from, &out, datasets::export::Format::Csv, 1).unwrap();
    assert!(serde_json::to_string(&manifest).unwrap().contains("sha256"));
    let labels = std::fs::read_to_string(out.join("labels.csv")).unwrap();
    assert!(labels.contains(CORRECTED), "{labels}");
    assert_eq!(
        labels.lines().count(),
        2,
        "the heading and one plate: what is no plate is no example of one: {labels}"
    );
    site.edge.stop().await;
}
