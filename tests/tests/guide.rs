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

#[test]
fn the_client_in_python_is_told_by_a_webhook() {
    let here = "[messages]\nwebhooks = { allow_http = true, allow_private = true }\n";
    let office = Office::start_with(None, here, |_| Ok(())).unwrap();
    let client = guide().join("client.py");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let said = run(&office, &sandbox(&office), "python3", &[client.to_str().unwrap(), "listen", &port]);
    let lines: Vec<&str> = said.lines().collect();
    let ccrn = lines[0].strip_prefix("lodged: ").unwrap();
    assert_eq!(lines[1..], [format!("told: lodged {ccrn}")], "{said}");
}

/// What the client makes of requests that somebody else has sent.
const FORGERIES: &str = r#"
import client
secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
body = b'{"test": 2432232314}'
def try_it(body=body, now=at, secret=secret, **other):
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": str(at),
               "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    headers.update({name.replace("_", "-"): value for name, value in other.items()})
    try:
        print("taken:", client.verified(secret, headers, body, now))
    except client.Forged as forged:
        print("refused:", forged)
try_it()
try_it(body=b'{"test": 2432232315}')
try_it(webhook_signature="v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
try_it(webhook_signature="")
try_it(webhook_signature="v1,ü")
try_it(webhook_id="msg_other")
try_it(secret="whsec_" + "A" * 32)
try_it(now=at + 301)
try_it(now=at - 301)
try_it(webhook_timestamp=str(at + 200), now=at + 200)
try_it(webhook_timestamp="soon")
"#;

#[test]
fn the_client_in_python_takes_no_forged_altered_or_old_webhook() {
    let output = Command::new("python3")
        .args(["-c", FORGERIES])
        .env("PYTHONPATH", guide())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("CLEARLANE_TOKEN", "none")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let (fits, late) = (
        "refused: the signature does not fit",
        "refused: sent at another time: perhaps an old request, sent again",
    );
    let expected =
        ["taken: {'test': 2432232314}", fits, fits, fits, fits, fits, fits, late, late, fits, late];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
