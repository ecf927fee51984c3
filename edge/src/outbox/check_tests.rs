//! Each thing that can be wrong with journal and pictures is done to sound ones, and found.

use std::path::PathBuf;

use clearance::decide::Reason;
use clearance::ids::{Epoch, Revision, UtcMillis};
use clearance::passage::{DecisionRecord, EvidenceKind, Outcome, PlateEvidence};
use clearance::read::{Certainty, PlateLayout};
use tempfile::TempDir;

use super::*;
use crate::outbox::{EvidenceStore, Outbox, OutboxLimits};

const JPEG: &[u8] = b"\xff\xd8 picture \xff\xd9";

fn event(passage: u8, step: u32, what: PassageStep) -> PassageEvent {
    PassageEvent {
        site: "site".parse().unwrap(),
        lane: "lane".parse().unwrap(),
        edge: "edge".parse().unwrap(),
        passage: PassageId([passage; 16]),
        step,
        at: UtcMillis(0),
        what,
    }
}

fn decided(picture: Digest) -> PassageStep {
    let plate = PlateEvidence {
        candidates: Vec::new(),
        certainty: Certainty::Ambiguous,
        layout: PlateLayout::SingleRow,
        corners: [0.0; 8],
        frames: 3,
        crop: None,
        picture: Some(picture),
    };
    PassageStep::Decided(DecisionRecord {
        outcome: Outcome::Referred,
        reason: Reason::NoPlate,
        movement: None,
        order: None,
        plates: vec![plate],
        epoch: Epoch(1),
        revision: Revision(1),
        model: Digest([0; 32]),
    })
}

/// As an edge that cannot reach central leaves it: three passages of two steps and their pictures, the first step
/// acknowledged.
struct Lain(TempDir);

impl Lain {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (outbox, _) = Outbox::open(&dir.path().join("outbox"), OutboxLimits::default()).unwrap();
        let pictures = EvidenceStore::open(&dir.path().join("evidence"), 1 << 20).unwrap();
        for passage in 0..3 {
            let jpeg = [JPEG, &[passage], b"\xff\xd9"].concat();
            let digest = pictures.put(PassageId([passage; 16]), EvidenceKind::Picture, &jpeg).unwrap();
            outbox.record(&event(passage, 0, decided(digest))).unwrap();
            outbox.record(&event(passage, 1, PassageStep::Left)).unwrap();
        }
        outbox.acknowledge(outbox.oldest(1)[0].0).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn segment(&self) -> PathBuf {
        self.path("outbox/0000000000000000.segment")
    }

    fn picture(&self) -> PathBuf {
        let name = names(&self.path("evidence")).unwrap().remove(0);
        self.path("evidence").join(name)
    }

    fn change(&self, work: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let bytes = fs::read(self.segment()).unwrap();
        fs::write(self.segment(), work(bytes)).unwrap();
    }

    fn append(&self, entry: &Entry) {
        let framed = frame::frame(&minicbor::to_vec(entry).unwrap());
        self.change(|bytes| [bytes, framed].concat());
    }

    fn report(&self, edge: &str) -> Report {
        let (site, edge) = ("site".parse().unwrap(), edge.parse().unwrap());
        let mut report = Report::default();
        let journal = journal(&self.path("outbox"), Some((&site, &edge)), &mut report).unwrap();
        pictures(&self.path("evidence"), &journal, &mut report).unwrap();
        report
    }

    fn found(&self) -> Vec<&'static str> {
        self.report("edge").findings.iter().map(|f| f.check).collect()
    }
}

#[test]
fn what_an_edge_leaves_is_sound() {
    let report = Lain::new().report("edge");
    assert_eq!(report.findings, []);
    assert_eq!(report.checked, [("outbox segments", 1), ("steps", 6), ("pictures", 3)]);
}

#[test]
fn acknowledgements_outlive_the_segments_they_are_for() {
    let dir = TempDir::new().unwrap();
    let limits = OutboxLimits { segment_bytes: 200, ..OutboxLimits::default() };
    for round in 0..4 {
        let (outbox, _) = Outbox::open(dir.path(), limits).unwrap();
        for step in 0..20 {
            outbox.record(&event(round, step, PassageStep::Left)).unwrap();
            let oldest = outbox.oldest(10);
            if oldest.len() == 10 {
                outbox.acknowledge(oldest[0].0).unwrap();
            }
        }
        drop(outbox);
        let mut report = Report::default();
        journal(dir.path(), None, &mut report).unwrap();
        assert_eq!(report.findings, [], "round {round}");
    }
}

#[test]
fn torn_and_rotten_bytes_are_found() {
    let lain = Lain::new();
    let whole = fs::read(lain.segment()).unwrap();
    for cut in 1..whole.len() {
        lain.change(|_| whole[..cut].to_vec());
        let found = lain.found();
        assert!(found.iter().all(|f| *f == "outbox-torn"), "cut at {cut}: {found:?}");
    }
    for at in (0..whole.len() - 20).step_by(7) {
        let mut rotten = whole.clone();
        rotten[at] ^= 4;
        lain.change(|_| rotten);
        assert_eq!(lain.found(), ["outbox-damaged"], "byte {at}");
    }
}

#[test]
fn steps_that_contradict_each_other_are_found() {
    let lain = Lain::new();
    lain.append(&Entry::Step(3, Box::new(event(9, 0, PassageStep::Left))));
    assert_eq!(lain.found(), ["outbox-numbers"]);
    let lain = Lain::new();
    lain.append(&Entry::Acked(400));
    assert_eq!(lain.found(), ["outbox-acked-beyond"]);
    let lain = Lain::new();
    lain.append(&Entry::Step(50, Box::new(event(2, 1, decided(Digest([1; 32]))))));
    assert_eq!(lain.found(), ["outbox-step-twice"]);
    let lain = Lain::new();
    lain.change(|bytes| [bytes, frame::frame(b"neither")].concat());
    assert_eq!(lain.found(), ["outbox-unreadable"]);
    let report = Lain::new().report("another");
    assert!(report.findings.len() == 6 && report.findings.iter().all(|f| f.check == "outbox-foreign"));
}

#[test]
fn files_that_are_no_segment_are_found() {
    let lain = Lain::new();
    fs::write(lain.path("outbox/copy.segment"), "").unwrap();
    fs::write(lain.path("outbox/probe.partial"), "").unwrap();
    assert_eq!(lain.found(), ["outbox-damaged", "outbox-left-over"]);
}

#[test]
fn pictures_that_are_damaged_unnamed_or_cut_off_are_found() {
    let lain = Lain::new();
    let (path, bytes) = (lain.picture(), fs::read(lain.picture()).unwrap());
    let mut rotten = bytes.clone();
    rotten[4] ^= 1;
    fs::write(&path, rotten).unwrap();
    assert_eq!(lain.found(), ["evidence-unnamed"], "the digest tells");
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(lain.found(), ["evidence-damaged", "evidence-unnamed"]);
    for wrong in [Vec::new(), b"GIF89a".to_vec(), vec![0xff; MAX_PICTURE + 1]] {
        fs::write(&path, wrong).unwrap();
        assert_eq!(lain.found()[0], "evidence-damaged");
    }
    fs::write(&path, &bytes).unwrap();
    fs::copy(&path, lain.path("evidence/holiday.jpg")).unwrap();
    fs::write(lain.path("evidence/x.jpg.partial"), "half").unwrap();
    assert_eq!(lain.found(), ["evidence-name", "outbox-left-over"]);
    let twin = path.to_string_lossy().replace("-p.jpg", "-c.jpg");
    fs::copy(&path, twin).unwrap();
    assert_eq!(lain.found()[0], "evidence-name");
}
