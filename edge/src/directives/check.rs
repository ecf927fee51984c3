//! Checks the cache folder as it lies on the disk and changes nothing in it. sled writes when it opens, so a copy is
//! opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use clearance::directive::DirectiveEntry;
use clearance::finding::{Check, Report};
use clearance::mark::RegistrationMark;
use clearance::replicate::Head;

use super::cache::CacheFault;
use super::entry::{self, META, Meta, SetSum};
use super::floor::{self, Slot};
use super::generation::{self, CURRENT, PREFIX, guarded};
use super::quarantine;
use super::used;
use crate::fsck::CannotCheck;
use crate::outbox::{disk::PARTIAL, frame};

const REBUILT: &str = "the cache is fetched whole from central at the next start; until then the lanes release nothing by \
                       themselves. If it comes back, check the disk";

const POINTER: Check =
    Check::damage("cache-pointer", "no set of directives can be found: every lane holds", REBUILT);
const UNOPENED: Check =
    Check::damage("cache-unopened", "the set of directives cannot be read: every lane holds", REBUILT);
const VALUE: Check =
    Check::damage("cache-value", "a directive is not what was stored: a look-up of it is refused", REBUILT);
const PLACE: Check =
    Check::damage("cache-place", "a directive lies under another's key and is never given out", REBUILT);
const INDEX: Check = Check::damage(
    "cache-index",
    "a truck is not found by its mainland mark, or found by one that is not its own",
    REBUILT,
);
const SUM: Check =
    Check::damage("cache-sum", "a directive was lost or came back older, as after a crash of sled", REBUILT);
const BEHIND: Check = Check::damage(
    "cache-behind-floor",
    "the set is older than what this edge once held: what was revoked since would count again, so it is not believed",
    REBUILT,
);
const NONE: Check = Check::remains(
    "cache-none",
    "this edge held a set of directives before and holds none: it was thrown away after a fault",
    REBUILT,
);
const LEFT_OVER: Check = Check::remains(
    "cache-left-over",
    "an attempt that was cut off, or a set that was replaced",
    "the next start removes it",
);
const FLOOR_SLOT: Check = Check::remains(
    "floor-slot",
    "one of the two records of the highest revision ever held is damaged, as by a write that was cut off; the other counts",
    "the next revision from central writes it anew",
);
const FLOOR_LOST: Check = Check::damage(
    "floor-lost",
    "nothing says how far this edge was: an older set would be believed after a crash",
    "the next revision from central writes it; check the disk",
);
const USED_DAMAGED: Check = Check::damage(
    "used-damaged",
    "it is not known which directives were used here: until central's log says so, one could be used twice",
    "central's log brings the mark back when it has the passage; compare the console's passages of today, check the disk",
);
const USED_TORN: Check = Check::remains(
    "used-torn",
    "a mark was being written when the power went: never confirmed, so the gate was not opened on it; or the last mark rotted",
    "the next start cuts it off; where there was no power cut, check the disk",
);
const USED_TWICE: Check = Check::damage(
    "used-twice",
    "two passages claim the same directive: one vehicle more than was cleared may have passed",
    "look both passages up in the console; an officer has to decide",
);

const QUARANTINE: Check = Check::damage(
    "quarantine-damaged",
    "this edge is quarantined and it is not known why: its lanes release nothing by themselves",
    "an officer accepts central's history for this edge in the console, with a reason; check the disk",
);

/// Refuse while an edge runs: sled locks the set that counts.
pub(crate) fn refuse_if_running(root: &Path) -> Result<(), CannotCheck> {
    for number in numbers(root)? {
        let path = generation::folder(root, number).join("db");
        let Ok(file) = File::open(&path) else { continue };
        // Given back at once: an edge that starts now must not find it taken.
        if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
            return Err(CannotCheck::Running(path.display().to_string()));
        }
    }
    Ok(())
}

/// Check the cache folder `root`, copies of which are made in `scratch`.
pub(crate) fn check(root: &Path, scratch: &Path, report: &mut Report) -> Result<(), CannotCheck> {
    if !root.exists() {
        return Ok(());
    }
    let floor = check_floor(&root.join("floor"), report)?;
    check_used(&root.join("used"), report)?;
    check_quarantine(&root.join("quarantine"), report)?;
    let current = current(root, floor, report)?;
    let numbers = numbers(root)?;
    for number in &numbers {
        if Some(*number) != current {
            report.findings.push(
                LEFT_OVER.found(generation::folder(root, *number).display(), "a set that does not count"),
            );
        }
    }
    for name in names(root)?.iter().filter(|name| name.ends_with(&format!(".{PARTIAL}"))) {
        report.findings.push(LEFT_OVER.found(root.join(name).display(), "a file that was not finished"));
    }
    if let Some(number) = current.filter(|number| numbers.contains(number)) {
        check_set(&generation::folder(root, number), scratch, floor, report)?;
    }
    Ok(())
}

/// Which set counts.
fn current(root: &Path, floor: Head, report: &mut Report) -> Result<Option<u64>, CannotCheck> {
    let path = root.join(CURRENT);
    let Some(bytes) = read(&path)? else {
        if floor != Head::default() {
            report
                .findings
                .push(NONE.found(path.display(), format!("missing, though {} was held", at(floor))));
        }
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let number = text.strip_suffix('\n').and_then(|t| t.strip_prefix(PREFIX)).and_then(|n| n.parse().ok());
    match number {
        Some(number) if generation::folder(root, number).is_dir() => {}
        Some(number) => {
            report
                .findings
                .push(POINTER.found(path.display(), format!("names {PREFIX}{number}, which is not there")));
        }
        None => {
            let start: String = text.chars().take(40).collect();
            report
                .findings
                .push(POINTER.found(path.display(), format!("holds {start:?} instead of a folder's name")));
        }
    }
    Ok(number)
}

fn check_floor(path: &Path, report: &mut Report) -> Result<Head, CannotCheck> {
    let Some(bytes) = read(path)? else { return Ok(Head::default()) };
    let slots = floor::slots(&bytes);
    let newest = slots.iter().filter_map(Slot::written).max_by_key(|(writes, _)| *writes);
    report.count("floor slots", 2);
    let Some((writes, head)) = newest else {
        // The first write goes to the second slot.
        if let [Slot::Empty, Slot::Damaged] = slots {
            report.findings.push(
                FLOOR_SLOT.found(format!("{} slot 1", path.display()), "the first record was not finished"),
            );
        } else if bytes.iter().any(|byte| *byte != 0) {
            report.findings.push(FLOOR_LOST.found(path.display(), "both slots are damaged"));
        }
        return Ok(Head::default());
    };
    for (number, slot) in slots.iter().enumerate() {
        let wrong = match slot {
            Slot::Damaged => Some("the checksum does not fit".to_owned()),
            // See above.
            Slot::Empty if writes > 1 => Some(format!("empty after {writes} writes")),
            Slot::Written(earlier, other) if *earlier != writes => {
                let follows =
                    *earlier + 1 == writes && (other.epoch, other.revision) < (head.epoch, head.revision);
                (!follows).then(|| {
                    format!("write {earlier} at {}, beside write {writes} at {}", at(*other), at(head))
                })
            }
            Slot::Empty | Slot::Written(..) => None,
        };
        if let Some(wrong) = wrong {
            report.findings.push(FLOOR_SLOT.found(format!("{} slot {number}", path.display()), wrong));
        }
    }
    Ok(head)
}

fn check_used(path: &Path, report: &mut Report) -> Result<(), CannotCheck> {
    let Some(bytes) = read(path)? else { return Ok(()) };
    let found = frame::scan(&bytes);
    for range in &found.damaged {
        report.findings.push(
            USED_DAMAGED.found(path.display(), format!("bytes {} to {} are no mark", range.start, range.end)),
        );
    }
    if found.sound < bytes.len() {
        let torn = bytes.len() - found.sound;
        report.findings.push(USED_TORN.found(path.display(), format!("its last {torn} bytes are no mark")));
    }
    report.count("used directives", found.frames.len() as u64);
    let mut by = BTreeMap::new();
    for payload in &found.frames {
        let Some((movement, passage)) = used::decoded(payload) else {
            report.findings.push(USED_DAMAGED.found(path.display(), "a whole frame that is no mark"));
            continue;
        };
        if let Some(other) = by.insert(movement.clone(), passage).filter(|other| *other != passage) {
            report.findings.push(
                USED_TWICE
                    .found(path.display(), format!("movement {movement}: passages {other} and {passage}")),
            );
        }
    }
    Ok(())
}

/// A note that is whole is no finding: it says how the edge is, and so does `edge status`.
fn check_quarantine(path: &Path, report: &mut Report) -> Result<(), CannotCheck> {
    let Some(bytes) = read(path)? else { return Ok(()) };
    report.count("notes of a quarantine", 1);
    if quarantine::opened(&bytes).is_none() {
        report.findings.push(QUARANTINE.found(path.display(), "the checksum does not fit"));
    }
    Ok(())
}

/// Everything in a tree, by key.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn check_set(folder: &Path, scratch: &Path, floor: Head, report: &mut Report) -> Result<(), CannotCheck> {
    let copy = scratch.join("set");
    copy_folder(folder, &copy).map_err(|source| CannotCheck::disk(&copy, source))?;
    match guarded(|| rows(&copy)) {
        Ok(rows) => check_rows(&folder.display().to_string(), &rows, floor, report),
        Err(fault) => report.findings.push(UNOPENED.found(folder.display(), fault)),
    }
    Ok(())
}

fn rows(folder: &Path) -> Result<Rows, CacheFault> {
    let tree = generation::open_tree(folder)?;
    tree.iter()
        .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(CacheFault::from))
        .collect()
}

fn check_rows(place: &str, rows: &Rows, floor: Head, report: &mut Report) {
    let mut sum = SetSum::default();
    let mut index = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    for (key, sealed) in rows.iter().filter(|(key, _)| key.as_slice() != META) {
        sum.toggle(key, sealed);
        let row = format!("{place} {:?}", String::from_utf8_lossy(key));
        match key.first() {
            Some(b'h') => match entry::open::<DirectiveEntry>(key, sealed) {
                None => report.findings.push(VALUE.found(row, "the checksum does not fit")),
                Some(found) if entry::hong_kong_key(&found.directive.mark) != *key => {
                    report
                        .findings
                        .push(PLACE.found(row, format!("the directive of {}", found.directive.mark)));
                }
                Some(found) => {
                    report.count("directives", 1);
                    wanted.extend(entry::mainland_key(&found).map(|key| (key, found.directive.mark)));
                }
            },
            Some(b'm') => match entry::open::<RegistrationMark>(key, sealed) {
                None => report.findings.push(VALUE.found(row, "the checksum does not fit")),
                Some(mark) => {
                    index.insert(key.clone(), mark);
                }
            },
            _ => report.findings.push(PLACE.found(row, "a key of no kind that is stored here")),
        }
    }
    report.count("index rows", index.len() as u64);
    check_index(place, &index, &wanted, report);
    check_meta(place, rows, sum, floor, report);
}

fn check_index(
    place: &str,
    index: &BTreeMap<Vec<u8>, RegistrationMark>,
    wanted: &BTreeSet<(Vec<u8>, RegistrationMark)>,
    report: &mut Report,
) {
    let shown = |key: &[u8]| format!("{place} {:?}", String::from_utf8_lossy(key));
    for (key, mark) in wanted {
        if index.get(key) != Some(mark) {
            report
                .findings
                .push(INDEX.found(shown(key), format!("no row leads to {mark} from its mainland mark")));
        }
    }
    for (key, mark) in index {
        if !wanted.contains(&(key.clone(), mark.clone())) {
            report
                .findings
                .push(INDEX.found(shown(key), format!("leads to {mark}, whose directive does not say so")));
        }
    }
}

fn check_meta(place: &str, rows: &Rows, sum: SetSum, floor: Head, report: &mut Report) {
    let meta = rows.get(META).map(|sealed| entry::open::<Meta>(META, sealed));
    match meta {
        None => report.findings.push(SUM.found(place, "nothing says where the set stands")),
        Some(None) => {
            report.findings.push(VALUE.found(format!("{place} \"!meta\""), "the checksum does not fit"));
        }
        Some(Some(meta)) => {
            if meta.sum != sum {
                report
                    .findings
                    .push(SUM.found(place, format!("the rows do not add up to {}", at(meta.head))));
            }
            if (meta.head.epoch, meta.head.revision) < (floor.epoch, floor.revision) {
                report
                    .findings
                    .push(BEHIND.found(place, format!("at {}, once at {}", at(meta.head), at(floor))));
            } else if meta.head.epoch == floor.epoch
                && meta.head.revision == floor.revision
                && meta.head.hash != floor.hash
            {
                report
                    .findings
                    .push(BEHIND.found(place, format!("another history than the floor's at {}", at(floor))));
            }
        }
    }
}

fn at(head: Head) -> String {
    format!("epoch {}, revision {}", head.epoch.0, head.revision.0)
}

fn numbers(root: &Path) -> Result<Vec<u64>, CannotCheck> {
    let number = |name: &String| name.strip_prefix(PREFIX).and_then(|n| n.parse().ok());
    Ok(names(root)?.iter().filter_map(number).collect())
}

fn names(root: &Path) -> Result<Vec<String>, CannotCheck> {
    crate::fsck::names(root)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, CannotCheck> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CannotCheck::disk(path, source)),
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy_folder(&item.path(), &target)?;
        } else {
            fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
