//! A newcomer's path through the trade's portal in a real browser on a phone's screen, in each language: invitation, passkey, consignment,
//! vehicle, released: in training, where central plays customs and the lane, and at a lane that films the truck.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use clearance::directive::ActionCode;
use clearance::passage::Outcome;
use serde_json::{Value, json};
use tests::world::browser::{browser, screenshots};
use tests::world::office::Office;
use tests::world::play::{PACE, play, render};
use tests::world::queue::trucks;
use tests::world::site::{Site, SiteOptions};

/// The browser, on its way from an invitation; `link`: as `central person invite` prints it.
fn newcomer(
    address: &str,
    link: &str,
    (language, mark, mainland): (&str, &str, Option<&str>),
    shots: &Path,
) -> Command {
    let mut node = browser("portal.mjs").unwrap();
    // Passkeys are good for names only, so localhost; the link may name another port.
    node.arg(address.replace("127.0.0.1", "localhost"))
        .arg(shots)
        .args([language, link[link.find("/trade/").unwrap()..].trim(), mark])
        .args(mainland);
    node
}

/// What was seen: the last line.
fn seen(walked: &std::process::Output) -> Value {
    assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
    let said = String::from_utf8_lossy(&walked.stdout);
    let seen: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    for trouble in ["errors", "violations", "foreign", "keys"] {
        assert_eq!(seen[trouble], json!([]), "{trouble}");
    }
    seen
}

#[test]
fn a_newcomer_gets_from_an_invitation_to_a_released_truck_in_every_language() {
    let messages = "messages = { webhooks = { allow_http = true, allow_private = true } }\n";
    let office = Office::start_with(None, messages, |_| Ok(())).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    // Marks that end in none of the numbers that training directs to an inspection.
    for (language, mark, released) in
        [("en", "AB1231", "released"), ("zh-Hant", "AB1232", "放行"), ("zh-Hans", "AB1233", "放行")]
    {
        let login = format!("learner-{}", language.to_lowercase());
        let invite = ["person", "invite", &login, "--trader", "acme-training", "--sandbox"];
        let link = office.command(&invite).unwrap();
        let walk = (language, mark, None);
        let walked = newcomer(office.address(), &link, walk, &screenshots(folder.path())).output().unwrap();
        assert_eq!(seen(&walked)["seen"].as_array().unwrap().last().unwrap(), released);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truck_that_was_announced_in_the_portal_is_released_at_the_lane() {
    let truck = trucks().into_iter().find(|t| t.expected == Outcome::Released).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let footage = render(std::slice::from_ref(&truck), folder.path(), |_, _| {}).unwrap();
    let site = Site::start(SiteOptions { lanes: 1, ..SiteOptions::default() }).await.unwrap();
    let link = site.invite("shipper").unwrap();
    let walk = ("en", truck.mark, truck.mainland_registered);
    let mut node = newcomer(&site.console().unwrap(), &link, walk, &screenshots(folder.path()));
    let mut browser = node.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap());
    let mut movement = String::new();
    let (movement, mut lines) = tokio::task::spawn_blocking(move || {
        lines.read_line(&mut movement).unwrap();
        (movement, lines)
    })
    .await
    .unwrap();
    assert!(movement.starts_with("m-"), "the browser did not announce the vehicle");
    site.assign(movement.trim(), ActionCode::Release, "nothing against it").await.unwrap();
    site.follows(1).await.unwrap();
    let played = play(&site, std::slice::from_ref(&truck), footage, PACE, |_| {}).await.unwrap();
    assert_eq!(played[0].decision, Some(Outcome::Released), "{:?}", played[0].reason);
    let mut walked = tokio::task::spawn_blocking(move || browser.wait_with_output().unwrap()).await.unwrap();
    lines.read_to_end(&mut walked.stdout).unwrap();
    let statuses = &seen(&walked)["seen"];
    assert_eq!(statuses.as_array().unwrap().last().unwrap(), "released", "{statuses}");
    site.edge.stop().await;
}
