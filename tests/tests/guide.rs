//! The examples of the guide, run as a reader would run them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::world::office::Office;

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide")
}

/// Run a program as the guide says; gives what it prints.
fn run(office: &Office, token: &str, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("CLEARLANE", office.address())
        .env("CLEARLANE_TOKEN", token)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn sandbox(office: &Office) -> String {
    office
        .command(&[
            "token",
            "create",
            "acme-training",
            "--role",
            "trade",
            "--trader",
            "acme-training",
            "--sandbox",
        ])
        .unwrap()
}

#[test]
fn the_client_in_python_lodges_bundles_amends_and_cancels() {
    let office = Office::start(None).unwrap();
    let client = guide().join("client.py");
    let said = run(&office, &sandbox(&office), "python3", &[client.to_str().unwrap()]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "refused: 422 /packages", "{said}");
    assert!(lines[1].starts_with("lodged: "), "{said}");
    assert!(lines[2].starts_with("status: ") && lines[2].ends_with("declared: True"), "{said}");
    assert_eq!(lines[3], "stale: 412", "{said}");
    assert!(lines[4].starts_with("events: ") && lines[4] != "events: 0 next: 0", "{said}");
    assert_eq!(lines[5], "cancelled: cancelled", "{said}");
}

#[test]
fn the_curl_of_the_guide_lodges() {
    let office = Office::start(None).unwrap();
    let text = std::fs::read_to_string(guide().join("integrators.md")).unwrap();
    let curl = text
        .split("```sh\n")
        .filter_map(|part| part.split("```").next())
        .find(|block| block.starts_with("curl"))
        .expect("the guide has an example with curl");
    let token = sandbox(&office);
    let lodged = run(&office, &token, "bash", &["-c", curl]);
    assert!(lodged.contains("\"ccrn\""), "{lodged}");
    assert_eq!(run(&office, &token, "bash", &["-c", curl]), lodged, "the same key gives the same CCRN");
}

#[test]
fn the_file_of_the_guide_is_lodged() {
    let office = Office::start(None).unwrap();
    let text = std::fs::read_to_string(guide().join("integrators.md")).unwrap();
    let block = text
        .split("```sh\n")
        .filter_map(|part| part.split("```").next())
        .find(|block| block.contains("examples/consignments.csv"))
        .expect("the guide has an example with a file");
    let folder = tempfile::TempDir::new().unwrap();
    let block = block.replace("docs/guide", guide().to_str().unwrap());
    let token = sandbox(&office);
    let script = format!("set -e; cd {}; {block}", folder.path().display());
    let accepted = run(&office, &token, "bash", &["-c", &script]);
    let template = std::fs::read(folder.path().join("template.csv")).unwrap();
    assert!(template.starts_with(b"\xef\xbb\xbfTraderAssignedReferenceID,"));
    let id = accepted.split('"').nth(3).unwrap_or_else(|| panic!("{accepted}"));
    let look = format!(
        "for _ in $(seq 100); do curl -sS $CLEARLANE/api/v1/requests/{id} -H \"Authorization: Bearer $CLEARLANE_TOKEN\" | tee last \
         | grep -q completed && break; sleep 0.1; done; cat last"
    );
    let state = run(&office, &token, "bash", &["-c", &format!("cd {}; {look}", folder.path().display())]);
    assert!(state.contains("\"accepted\":3") && state.contains("\"reference\":\"PO-4713\""), "{state}");
}
