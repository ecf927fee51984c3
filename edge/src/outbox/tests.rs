use std::fs;

use clearance::ids::{PassageId, UtcMillis};
use clearance::passage::{PassageEvent, PassageStep};
use tempfile::TempDir;

use super::{Outbox, OutboxError, OutboxLimits};

fn event(step: u32) -> PassageEvent {
    PassageEvent {
        site: "site".parse().unwrap(),
        lane: "lane".parse().unwrap(),
        edge: "edge".parse().unwrap(),
        passage: PassageId([1; 16]),
        step,
        at: UtcMillis(0),
        what: PassageStep::Left,
    }
}

fn steps(outbox: &Outbox) -> Vec<u32> {
    outbox.oldest(100).iter().map(|(_, e)| e.step).collect()
}

#[test]
fn what_was_recorded_survives_a_restart_and_what_was_acknowledged_does_not() {
    let dir = TempDir::new().unwrap();
    let (outbox, _) = Outbox::open(dir.path(), OutboxLimits::default()).unwrap();
    for step in 0..5 {
        assert_eq!(outbox.record(&event(step)).unwrap().passage(), PassageId([1; 16]));
    }
    let first = outbox.oldest(1)[0].0;
    outbox.acknowledge(first).unwrap();
    drop(outbox);
    let (again, report) = Outbox::open(dir.path(), OutboxLimits::default()).unwrap();
    assert_eq!(steps(&again), [1, 2, 3, 4]);
    assert_eq!(report, super::OpenReport::default());
}

#[test]
fn a_segment_cut_anywhere_gives_a_prefix_and_takes_more() {
    let dir = TempDir::new().unwrap();
    let whole = dir.path().join("whole");
    let (outbox, _) = Outbox::open(&whole, OutboxLimits::default()).unwrap();
    for step in 0..3 {
        outbox.record(&event(step)).unwrap();
    }
    drop(outbox);
    let file =
        fs::read_dir(&whole).unwrap().map(|e| e.unwrap().path()).find(|p| p.extension().is_some()).unwrap();
    let bytes = fs::read(&file).unwrap();
    for cut in 0..=bytes.len() {
        let folder = dir.path().join(format!("cut-{cut}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file.file_name().unwrap()), &bytes[..cut]).unwrap();
        let (outbox, _) = Outbox::open(&folder, OutboxLimits::default()).unwrap();
        let survivors = steps(&outbox);
        assert!([0, 1, 2].starts_with(&survivors), "cut at {cut}: {survivors:?}");
        outbox.record(&event(9)).unwrap();
        drop(outbox);
        let (outbox, _) = Outbox::open(&folder, OutboxLimits::default()).unwrap();
        assert_eq!(steps(&outbox), [&survivors[..], &[9]].concat(), "cut at {cut}");
    }
}

#[test]
fn a_full_outbox_says_so() {
    let dir = TempDir::new().unwrap();
    let (outbox, _) =
        Outbox::open(dir.path(), OutboxLimits { passage_bytes: 600, ..OutboxLimits::default() }).unwrap();
    let error = (0..).find_map(|step| outbox.record(&event(step)).err()).unwrap();
    assert!(matches!(error, OutboxError::Full { .. }), "{error}");
}
