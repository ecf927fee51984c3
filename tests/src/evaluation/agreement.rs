//! Our rules against the shared script, on the shared photographs: the same labels and the same reads must give the same
//! figures. Skipped where the shared folder is not.

use std::path::Path;
use std::process::Command;

use super::acceptance::Acceptance;
use super::labels::LabelledSet;
use super::reads::{Reads, from_line};
use super::scoring::{Verdict, score};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
const THRESHOLD: f64 = 0.6;

/// Reads as bad as reads get, the same in every run: boxes moved by up to a plate's height, characters changed, plates
/// left out, others made up.
fn bad_reads(set: &LabelledSet) -> Vec<String> {
    let picture = |(i, picture): (usize, &super::labels::Picture)| {
        let plate = |(j, label): (usize, &super::labels::Label)| {
            let n = i * 7 + j * 3;
            let (dx, dy) = ((n % 5) as f32 * 0.1, (n % 3) as f32 * 0.15);
            let b = label.bounds;
            let (x0, x1) = (b.x0 + dx * (b.x1 - b.x0), b.x1 + dx * (b.x1 - b.x0));
            let (y0, y1) = (b.y0 + dy * (b.y1 - b.y0), b.y1 + dy * (b.y1 - b.y0));
            let mark = if n % 4 == 0 { label.text.replace('8', "B") } else { label.text.to_lowercase() };
            (n % 11 > 0).then(|| {
                serde_json::json!({ "mark": mark, "jurisdiction": "other", "confidence": (n % 10) as f32 / 10.0,
                    "corners": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] })
            })
        };
        let plates: Vec<_> = picture.labels.iter().enumerate().filter_map(plate).collect();
        serde_json::json!({ "image": picture.path, "ms": 1.5 * (i % 9) as f64, "plates": plates }).to_string()
    };
    set.pictures.iter().enumerate().filter(|(i, _)| i % 13 > 0).map(picture).collect()
}

#[test]
fn the_shared_script_gives_the_same_figures() {
    let folder = Path::new(SHARED).join("data/plates/hk_cross_boundary_2019");
    let script = Path::new(SHARED).join("tools/score_plates.py");
    if !folder.is_dir() || !script.is_file() {
        eprintln!("skipped: {SHARED} is not here");
        return;
    }
    let set = LabelledSet::load(&folder).unwrap();
    let lines = bad_reads(&set);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let theirs = Command::new("python3")
        .arg(&script)
        .arg(&folder)
        .arg(file.path())
        .args(["--threshold", &THRESHOLD.to_string()])
        .output()
        .unwrap();
    assert!(theirs.status.success(), "{}", String::from_utf8_lossy(&theirs.stderr));

    let reads: Reads = lines.iter().map(|line| from_line(line).unwrap()).collect();
    let scored = score(&set, &reads);
    let mut groups = 0;
    for line in String::from_utf8(theirs.stdout).unwrap().lines() {
        let theirs: serde_json::Value = serde_json::from_str(line).unwrap();
        let group = theirs["group"].as_str().unwrap();
        let here = |v: &&Verdict<'_>| group == "all" || v.label.group() == group;
        let ours = Acceptance::of(scored.verdicts.iter().filter(here), THRESHOLD);
        let figures = [ours.recall_iou50, ours.exact, ours.r#yield, ours.error];
        let wanted = ["recall_iou50", "exact", "yield", "error"].map(|key| theirs[key].as_f64().unwrap());
        assert_eq!(figures, wanted, "{group}");
        assert_eq!(theirs["plates"], ours.plates, "{group}");
        if group == "all" {
            assert_eq!(theirs["spurious"], scored.spurious.len());
        }
        groups += 1;
    }
    assert!(groups > 3);
}
