//! Checks journal and pictures as they lie on the disk and changes nothing there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use clearance::finding::{Check, Report};
use clearance::ids::{Digest, EdgeId, PassageId, SiteId};
use clearance::passage::{EvidenceKind, PassageEvent, PassageStep};

use super::disk::PARTIAL;
use super::journal::{self, Entry};
use super::{MAX_PICTURE, evidence, frame};
use crate::fsck::{CannotCheck, names};

const TORN: Check = Check::remains(
    "outbox-torn",
    "a step was being written when the power went: never confirmed, so no signal was given on it; or the last step rotted",
    "the next start cuts it off; where there was no power cut, check the disk",
);
const DAMAGED: Check = Check::damage(
    "outbox-damaged",
    "steps of passages may be lost; a passage in the console may lack one",
    "all other steps are delivered; compare the console's passages with the lane's recordings, check the disk",
);
const UNREADABLE: Check = Check::damage(
    "outbox-unreadable",
    "a step is whole and cannot be understood: it was written by another version, or by somebody else",
    "start the version that wrote it until the outbox is empty",
);
const NUMBERS: Check = Check::damage(
    "outbox-numbers",
    "a step has a number that was given out before: one of the two is not delivered",
    "keep a copy of the outbox folder and report it: this is a fault of the software",
);
const ACKED_BEYOND: Check = Check::damage(
    "outbox-acked-beyond",
    "central is said to have a step that was never recorded here: a segment is missing or is somebody else's",
    "look in the console whether the passages of that time are complete; restore the missing segment from a copy",
);
const STEP_TWICE: Check = Check::damage(
    "outbox-step-twice",
    "two different steps of a passage have the same number: central stores only the first",
    "look the passage up in the console; keep a copy of the outbox folder and report it",
);
const FOREIGN: Check = Check::damage(
    "outbox-foreign",
    "central refuses a step of another site or signed by another edge, and all steps behind it wait",
    "give this folder back to the edge it belongs to, or correct site and edge in the configuration",
);
const LEFT_OVER: Check = Check::remains(
    "outbox-left-over",
    "a file that was not finished",
    "the next start writes over it or removes it",
);
const PICTURE: Check = Check::damage(
    "evidence-damaged",
    "the picture is cut off or not a picture: an officer sees nothing on it",
    "the passage itself is complete; remove the file",
);
const PICTURE_UNNAMED: Check = Check::damage(
    "evidence-unnamed",
    "no step of its passage names a picture with these bytes: it is damaged, or its step could not be written",
    "remove the file: central would keep a picture that nobody finds",
);
const PICTURE_NAME: Check = Check::damage(
    "evidence-name",
    "a picture whose name says nothing is never delivered",
    "remove it, or move it away if somebody put it there",
);

/// For whom the steps must be; `None`: not known.
pub(crate) type Expected<'a> = Option<(&'a SiteId, &'a EdgeId)>;

/// What the journal says of a passage.
#[derive(Default)]
struct Told {
    steps: BTreeMap<u32, PassageEvent>,
    pictures: BTreeSet<Digest>,
}

/// What is known while the journal is read from its beginning.
#[derive(Default)]
pub(crate) struct Journal {
    passages: BTreeMap<PassageId, Told>,
    /// The highest number given out so far, and whether by a step.
    highest: Option<u64>,
    stepped: bool,
    damaged: bool,
}

impl Journal {
    /// Read one more segment, in order.
    pub(crate) fn segment(&mut self, place: &str, bytes: &[u8], expected: Expected<'_>, report: &mut Report) {
        let found = frame::scan(bytes);
        for range in &found.damaged {
            self.damaged = true;
            report
                .findings
                .push(DAMAGED.found(place, format!("bytes {} to {} are no frame", range.start, range.end)));
        }
        if found.sound < bytes.len() {
            report.findings.push(
                TORN.found(place, format!("its last {} bytes are no frame", bytes.len() - found.sound)),
            );
        }
        for payload in &found.frames {
            match minicbor::decode(payload) {
                Ok(Entry::Step(number, event)) => self.step(place, number, *event, expected, report),
                Ok(Entry::Acked(number)) => self.acked(place, number, report),
                Err(error) => {
                    self.damaged = true;
                    report.findings.push(UNREADABLE.found(place, error));
                }
            }
        }
    }

    fn step(
        &mut self,
        place: &str,
        number: u64,
        event: PassageEvent,
        expected: Expected<'_>,
        report: &mut Report,
    ) {
        report.count("steps", 1);
        if let Some(highest) = self.highest.filter(|highest| number <= *highest) {
            report
                .findings
                .push(NUMBERS.found(place, format!("step number {number} after number {highest}")));
        }
        self.highest = self.highest.max(Some(number));
        self.stepped = true;
        if let Some((site, edge)) = expected
            && (event.site != *site || event.edge != *edge)
        {
            let whose =
                format!("a step of site {}, edge {}; this is {edge} at {site}", event.site, event.edge);
            report.findings.push(FOREIGN.found(place, whose));
        }
        let told = self.passages.entry(event.passage).or_default();
        if let PassageStep::Decided(record) = &event.what {
            told.pictures
                .extend(record.plates.iter().flat_map(|plate| plate.crop.into_iter().chain(plate.picture)));
        }
        let (passage, step) = (event.passage, event.step);
        if told.steps.insert(step, event.clone()).is_some_and(|other| other != event) {
            report.findings.push(STEP_TWICE.found(place, format!("step {step} of passage {passage}")));
        }
    }

    fn acked(&mut self, place: &str, number: u64, report: &mut Report) {
        // Before the first step that is left, acknowledgements are for steps whose segments are gone. A step that rotted
        // is reported already.
        let beyond = self.stepped && !self.damaged && self.highest.is_some_and(|highest| number > highest);
        if beyond {
            let highest = self.highest.unwrap_or_default();
            report.findings.push(
                ACKED_BEYOND.found(place, format!("step {number} acknowledged, the last is {highest}")),
            );
        }
        self.highest = self.highest.max(Some(number));
    }
}

/// Check the journal in `folder`.
pub(crate) fn journal(
    folder: &Path,
    expected: Expected<'_>,
    report: &mut Report,
) -> Result<Journal, CannotCheck> {
    let mut journal = Journal::default();
    let mut segments = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let number = name.strip_suffix(journal::EXTENSION).and_then(|n| n.strip_suffix('.'));
        match number.map(|n| u64::from_str_radix(n, 16)) {
            Some(Ok(number)) => segments.push((number, path)),
            Some(Err(_)) => {
                report
                    .findings
                    .push(DAMAGED.found(path.display(), "a segment whose name is no number is never read"));
            }
            None if name.ends_with(&format!(".{PARTIAL}")) || name == "probe" => {
                report.findings.push(LEFT_OVER.found(path.display(), "not part of the journal"));
            }
            None => {}
        }
    }
    segments.sort_unstable();
    report.count("outbox segments", segments.len() as u64);
    for (_, path) in segments {
        let bytes = fs::read(&path).map_err(|source| CannotCheck::disk(&path, source))?;
        journal.segment(&path.display().to_string(), &bytes, expected, report);
    }
    Ok(journal)
}

/// Check the pictures in `folder` against what the journal says of their passages.
pub(crate) fn pictures(folder: &Path, journal: &Journal, report: &mut Report) -> Result<(), CannotCheck> {
    let mut numbers = BTreeSet::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let place = path.display();
        let Some((number, passage, _)) = evidence::parse(&name) else {
            if name.ends_with(&format!(".{PARTIAL}")) {
                report.findings.push(LEFT_OVER.found(place, "a picture that was not finished"));
            } else if name.ends_with(evidence::EXTENSION) {
                report.findings.push(PICTURE_NAME.found(place, "no number, passage and kind in its name"));
            }
            continue;
        };
        report.count("pictures", 1);
        if !numbers.insert(number) {
            report.findings.push(
                PICTURE_NAME.found(&place, "another picture has its number: one of the two is not delivered"),
            );
        }
        let bytes = fs::read(&path).map_err(|source| CannotCheck::disk(&path, source))?;
        if let Some(wrong) = wrong_with(&bytes) {
            report.findings.push(PICTURE.found(&place, wrong));
        }
        // With step 0, every step of the passage is still here: segments go from the oldest on.
        let told = journal.passages.get(&passage).filter(|told| told.steps.contains_key(&0));
        let digest = Digest::of(&bytes);
        if told.is_some_and(|told| !told.pictures.contains(&digest)) {
            report
                .findings
                .push(PICTURE_UNNAMED.found(&place, format!("its digest is {digest}, passage {passage}")));
        }
    }
    Ok(())
}

/// What can be told of a JPEG without decoding it.
pub(crate) fn wrong_with(jpeg: &[u8]) -> Option<String> {
    match jpeg {
        [] => Some("empty".to_owned()),
        _ if jpeg.len() > MAX_PICTURE => {
            Some(format!("{} bytes, more than the {MAX_PICTURE} that travel", jpeg.len()))
        }
        [0xff, 0xd8, .., 0xff, 0xd9] => None,
        [0xff, 0xd8, ..] => Some("a JPEG without its end".to_owned()),
        _ => Some("no JPEG".to_owned()),
    }
}

/// Number, passage and kind in the name of a picture's file.
pub(crate) fn picture_name(name: &str) -> Option<(u64, PassageId, EvidenceKind)> {
    evidence::parse(name)
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
