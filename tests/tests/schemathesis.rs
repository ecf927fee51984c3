//! The API against its own description, by a tester that is not ours: Schemathesis reads `central/golden/openapi.json`, makes up
//! requests that fit it and requests that do not, and looks at every answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::world::office::{NO_LIMIT, Office};

/// Requests made up for each operation.
const EXAMPLES: &str = "25";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Let it ask what `token` may ask.
fn finds_nothing(office: &Office, token: &str) {
    let program = here("schemathesis/.venv/bin/schemathesis");
    assert!(program.exists(), "{} is missing: run make setup-tests", program.display());
    let output = Command::new(program)
        .current_dir(office.folder())
        .args(["--config-file", here("schemathesis/schemathesis.toml").to_str().unwrap(), "run"])
        .arg(here("../central/golden/openapi.json"))
        .args(["--url", office.address(), "--max-examples", EXAMPLES, "--seed", "1"])
        .args(["--no-color", "--header", &format!("Authorization: Bearer {token}")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_company_system_finds_the_api_as_described() {
    let office = Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap();
    finds_nothing(&office, &office.trade);
}

#[test]
fn a_selectors_system_finds_the_api_as_described() {
    let office = Office::start_with(None, NO_LIMIT, |_| Ok(())).unwrap();
    finds_nothing(&office, &office.selector);
}
