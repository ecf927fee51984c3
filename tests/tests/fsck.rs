//! `edge fsck`, `central fsck` and `edge status` on what a real run leaves, a killed central included.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tests::world::play::{PACE, play, render};
use tests::world::queue::trucks;
use tests::world::site::{Site, SiteOptions};

/// The command `name` of this build.
fn command(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.exists()).unwrap()
}

fn run(name: &str, words: &[&str], config: &Path) -> Output {
    Command::new(command(name)).args(words).arg("--json").arg("--config").arg(config).output().unwrap()
}

/// Exit code, and the JSON lines.
fn lines(output: &Output) -> (Option<i32>, Vec<Value>) {
    let text = String::from_utf8_lossy(&output.stdout);
    (output.status.code(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn assert_sound(name: &str, config: &Path) -> Value {
    let output = run(name, &["fsck"], config);
    let (code, lines) = lines(&output);
    assert_eq!(code, Some(0), "{name}: {lines:#?} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0]["checked"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_real_run_leaves_is_sound_and_a_damaged_byte_of_it_is_not() {
    let queue = trucks();
    let stories = ["code release", "nobody declared it"];
    let trucks: Vec<_> =
        stories.iter().map(|s| queue.iter().find(|t| t.story == *s).unwrap().clone()).collect();
    let films = tempfile::TempDir::new().unwrap();
    let mut footage = render(&trucks, films.path(), |_, _| {}).unwrap();
    let mut site = Site::start(SiteOptions { lanes: 1, ..SiteOptions::default() }).await.unwrap();
    let folder = site.folder().to_owned();
    let (central, edge) = (folder.join("central.toml"), folder.join("edge.toml"));
    for truck in &trucks {
        site.declare(truck).await.unwrap();
    }
    site.follows(1).await.unwrap();
    let rest = footage.split_off(1);
    play(&site, &trucks[..1], footage, PACE, |_| {}).await.unwrap();
    site.delivered().await.unwrap();

    // While everything runs: central can be checked, an edge cannot, and says how it is instead.
    let checked = assert_sound("central", &central);
    assert_eq!((checked["deltas"].clone(), checked["passages"].clone()), (2.into(), 1.into()));
    let running = run("edge", &["fsck"], &edge);
    assert_eq!(running.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&running.stderr).contains("an edge is running"));
    let status: Value = serde_json::from_slice(&run("edge", &["status"], &edge).stdout).unwrap();
    assert_eq!(
        (&status["revision"], &status["outbox"], &status["why"]),
        (&2.into(), &0.into(), &Value::Null),
        "{status:#}"
    );

    // A passage that central does not hear of waits at the edge.
    site.kill_central();
    play(&site, &trucks[1..], rest, PACE, |_| {}).await.unwrap();
    site.edge.stop().await;
    assert_sound("central", &central);
    let mut patience = 100;
    while run("edge", &["fsck"], &edge).status.code() == Some(2) {
        patience -= 1;
        assert!(patience > 0, "the edge keeps its lock");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let checked = assert_sound("edge", &edge);
    assert!(checked["steps"].as_u64() > Some(0) && checked["pictures"].as_u64() > Some(0), "{checked}");
    assert_eq!((&checked["directives"], &checked["used directives"]), (&1.into(), &1.into()));

    let floor = folder.join("edge/directives/floor");
    let mut bytes = std::fs::read(&floor).unwrap();
    bytes[4096] ^= 1;
    std::fs::write(&floor, bytes).unwrap();
    let (code, found) = lines(&run("edge", &["fsck"], &edge));
    assert_eq!((code, &found[0]["check"], &found[1]["findings"]), (Some(1), &"floor-slot".into(), &1.into()));
}
