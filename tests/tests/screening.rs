//! The guide to screening, followed as a selector would: with the commands, over a central that runs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::world::office::{NO_LIMIT, Office, consignment};

const PASSWORD: &str = "a long password";

fn guide(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/screening").join(name);
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_puts_a_policy_into_force_and_a_listed_company_is_inspected() {
    let office = Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap();
    for officer in ["chan", "wong"] {
        office.command_given(&["officer", "add", officer, "--role", "selector"], PASSWORD).unwrap();
    }
    office.command_given(&["officer", "add", "lee", "--role", "officer"], PASSWORD).unwrap();
    let list = [&*guide("wanted.json"), &*guide("wanted.csv")];
    let put = |officer: &str, password: &str| {
        office.command_given(&["risk", "list", list[0], list[1], "--officer", officer], password)
    };
    let wrong = put("chan", "another password").unwrap_err().to_string();
    assert!(wrong.contains("wrong password"), "{wrong}");
    let not_theirs = put("lee", PASSWORD).unwrap_err().to_string();
    assert!(not_theirs.contains("does not assign"), "{not_theirs}");
    let digest = put("chan", PASSWORD).unwrap();

    let policy = std::fs::read_to_string(guide("policy.json")).unwrap().replace("DIGEST", digest.trim());
    let file = office.folder().join("policy.json");
    std::fs::write(&file, &policy).unwrap();
    let draw_up =
        || office.command_given(&["risk", "policy", file.to_str().unwrap(), "--officer", "chan"], PASSWORD);
    std::fs::write(&file, policy.replace("value_hkd >", "valeu_hkd >")).unwrap();
    let misspelt = draw_up().unwrap_err().to_string();
    assert!(misspelt.contains("light-and-dear") && misspelt.contains("valeu_hkd"), "{misspelt}");
    // Nobody is drawn, so that this test knows what comes.
    let undrawn = policy.replace("\"inspect\": 10000", "\"inspect\": 0").replace(": 20000", ": 0");
    std::fs::write(&file, undrawn).unwrap();
    let version = draw_up().unwrap();
    let unseen = ["risk", "approve", version.trim(), "--officer", "wong"];
    let unseen = office.command_given(&unseen, PASSWORD).unwrap_err().to_string();
    assert!(unseen.contains("light-and-dear 1 (documents)") && unseen.contains("--seen"), "{unseen}");
    let approve = |officer: &str| {
        office.command_given(&["risk", "approve", version.trim(), "--seen", "--officer", officer], PASSWORD)
    };
    let own = approve("chan").unwrap_err().to_string();
    assert!(own.contains("somebody else"), "{own}");
    approve("wong").unwrap();
    let policies = office.command(&["risk", "policies"]).unwrap();
    assert!(policies.contains("by chan") && policies.contains("approved by wong"), "{policies}");

    let http = reqwest::Client::new();
    for (number, name, mark, code) in [
        (1, "Gloomy Tradng Co. Ltd", "GL1", "inspect"),
        (2, "阴沉贸易有限公司", "GL2", "detain"),
        (3, "Happy Shop", "GL3", "release"),
    ] {
        let mut declared = consignment(number);
        declared["consignor"]["name"] = json!(name);
        let lodged =
            Office::ask(office.request(Method::POST, "/api/v1/consignments").json(&declared)).await.unwrap();
        let bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": "north",
            "expected_arrival": jiff::Timestamp::now().to_string() });
        let bundled =
            Office::ask(office.request(Method::POST, "/api/v1/bundles").json(&bundle)).await.unwrap();
        let movement = bundled["movement"].as_str().unwrap();
        let mut action = json!(null);
        for _ in 0..200 {
            let address = format!("{}/api/v1/movements/{movement}", office.address());
            let seen = Office::ask(http.get(address).bearer_auth(&office.selector)).await.unwrap();
            action = seen["action"].clone();
            if !action.is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(action, json!(code), "{name}");
    }
    let replayed = office.command(&["risk", "replay"]).unwrap();
    assert!(replayed.contains("3 decided again the same, 0 not"), "{replayed}");
    let early = office.command(&["risk", "reveal", "2999-01-01"]).unwrap_err().to_string();
    assert!(early.contains("not over yet"), "{early}");
}
