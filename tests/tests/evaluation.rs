//! The engineer's evaluation, as it is run: rendered trucks under every condition, figures on stdout, a report to look at.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use datasets::clip::Condition;
use serde_json::Value;
use tempfile::TempDir;

fn evaluate(out: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evaluate")).arg("--out").arg(out).args(arguments).output().unwrap()
}

#[test]
fn rendered_trucks_are_read_under_every_condition_and_what_went_wrong_is_shown() {
    let folder = TempDir::new().unwrap();
    let done = evaluate(folder.path(), &["--rendered", "1", "--expected", "50"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("figures.jsonl")).unwrap(), text);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |figure: &'static str| lines.iter().filter(move |line| line["figure"] == figure);

    let said: BTreeSet<_> = of("condition")
        .filter(|line| line["condition"] == "labelled")
        .filter_map(|line| line["bin"].as_str())
        .collect();
    assert_eq!(said, Condition::ALL.iter().map(|(name, _)| *name).collect());
    let day = of("condition").find(|line| line["bin"] == "day").unwrap();
    assert_eq!(
        (day["plates"].as_u64(), day["exact"].as_f64()),
        (Some(12), Some(1.0)),
        "a truck by day is read"
    );
    assert_eq!(of("reliability_of_characters").count(), 1);
    let count = |line: &Value, key: &str| line[key].as_u64().unwrap();
    for line in of("causes") {
        let parts =
            ["exact", "not_found", "corners", "reader"].iter().map(|key| count(line, key)).sum::<u64>();
        assert_eq!(parts, count(line, "plates"), "{line}");
    }
    for (figure, beside) in
        [("grammar_prior", "false_accepts"), ("expected_vehicles", "false_accepts_unconstrained")]
    {
        assert!(of(figure).count() > 0 && of(figure).all(|line| line[beside].is_number()), "{figure}");
    }
    assert!(of("target").all(|line| line["kept"].is_boolean() && line["limit"].is_object()));

    let page = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(page.contains("infrared") && page.contains("motion-blur"));
    let all = of("plates").find(|line| line["group"] == "all").unwrap();
    let misread = ((1.0 - all["exact"].as_f64().unwrap()) * all["plates"].as_f64().unwrap()).round() as usize;
    let shown = std::fs::read_dir(folder.path().join("failures")).unwrap().count();
    let spurious = of("spurious").find_map(|line| line["spurious"].as_u64()).unwrap() as usize;
    assert_eq!(shown, misread + spurious, "a crop for each");
}

#[test]
fn a_set_that_cannot_be_read_is_named_before_anything_is_measured() {
    let folder = TempDir::new().unwrap();
    let empty = TempDir::new().unwrap();
    let done = evaluate(folder.path(), &[empty.path().to_str().unwrap()]);
    let why = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2));
    assert!(why.contains("labels.csv") && done.stdout.is_empty(), "{why}");
    assert_eq!(evaluate(folder.path(), &[]).status.code(), Some(2), "a set or rendered trucks");
}
