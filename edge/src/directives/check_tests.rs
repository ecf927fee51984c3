//! Each thing that can be wrong with a cache folder is done to a sound one, and found.

use std::path::PathBuf;

use clearance::directive::{ActionCode, Directive, DirectiveStatus, Window};
use clearance::follower::Quarantine;
use clearance::ids::{Digest, Epoch, PassageId, Revision, UtcMillis};
use clearance::replicate::DirectiveOp;
use tempfile::TempDir;

use super::*;
use crate::directives::Cache;

fn directive(number: u64) -> Directive {
    Directive {
        movement: format!("m{number}").parse().unwrap(),
        mark: format!("AB{number}").parse().unwrap(),
        mainland_mark: number.is_multiple_of(2).then(|| format!("粤Z{number:04}港").parse().unwrap()),
        action: ActionCode::Release,
        window: Window { from: UtcMillis(0), until: UtcMillis(1_000) },
        more: None,
    }
}

fn entry_of(number: u64) -> DirectiveEntry {
    DirectiveEntry { directive: directive(number), status: DirectiveStatus::Active, revision: Revision(1) }
}

fn head(revision: u64) -> Head {
    Head { epoch: Epoch(1), revision: Revision(revision), hash: Digest([revision as u8; 32]) }
}

/// A folder as a real cache leaves it: a snapshot, some deltas, two directives used.
struct Lain(TempDir);

impl Lain {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let entries: Vec<_> = (1..=20).map(entry_of).collect();
        cache.replace_all(&entries, head(20)).unwrap();
        for number in 21..=30 {
            cache.apply(&[(vec![DirectiveOp::Put(directive(number))], head(number))]).unwrap();
        }
        for number in [2, 3] {
            let used = directive(number);
            cache.mark_used(&used.movement, &used.mark, PassageId([number as u8; 16])).unwrap();
        }
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn found(&self) -> Vec<&'static str> {
        let scratch = TempDir::new().unwrap();
        let mut report = Report::default();
        check(self.0.path(), scratch.path(), &mut report).unwrap();
        assert!(
            report
                .findings
                .iter()
                .all(|f| !f.what.is_empty() && f.place.contains(&*self.0.path().to_string_lossy()))
        );
        let mut found: Vec<_> = report.findings.iter().map(|f| f.check).collect();
        found.dedup();
        found
    }

    /// Change rows of the set that counts, as no program of ours does.
    fn change(&self, work: impl FnOnce(&sled::Db)) {
        let tree = generation::open_tree(&self.path("gen-1")).unwrap();
        work(&tree);
        tree.flush().unwrap();
    }

    fn flip(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        bytes[at] ^= 0x10;
        fs::write(self.path(name), bytes).unwrap();
    }
}

fn key(number: u64) -> Vec<u8> {
    entry::hong_kong_key(&directive(number).mark)
}

#[test]
fn what_a_cache_leaves_is_sound_and_stays_as_it_is() {
    let lain = Lain::new();
    let before = fs::read(lain.path("gen-1/db")).unwrap();
    assert_eq!(lain.found(), [""; 0]);
    assert_eq!(fs::read(lain.path("gen-1/db")).unwrap(), before);
    let scratch = TempDir::new().unwrap();
    let mut report = Report::default();
    check(lain.0.path(), scratch.path(), &mut report).unwrap();
    assert_eq!(
        report.checked,
        [("floor slots", 2), ("used directives", 2), ("directives", 30), ("index rows", 15)]
    );
    assert!(check(&lain.path("nothing"), scratch.path(), &mut report).is_ok(), "an edge that never ran");
}

#[test]
fn a_cache_in_use_is_left_alone() {
    let lain = Lain::new();
    let cache = Cache::open(lain.0.path()).unwrap();
    let refused = refuse_if_running(lain.0.path()).unwrap_err();
    assert!(
        matches!(&refused, CannotCheck::Running(_)) && refused.to_string().contains("stop it first"),
        "{refused}"
    );
    drop(cache);
    refuse_if_running(lain.0.path()).unwrap();
}

#[test]
fn changed_lost_and_swapped_rows_are_found() {
    let lain = Lain::new();
    lain.change(|tree| {
        let mut value = tree.get(key(5)).unwrap().unwrap().to_vec();
        value[9] ^= 1;
        tree.insert(key(5), value).unwrap();
    });
    assert_eq!(lain.found(), ["cache-value", "cache-sum"]);

    let lain = Lain::new();
    lain.change(|tree| {
        let (one, other) = (tree.get(key(5)).unwrap().unwrap(), tree.get(key(7)).unwrap().unwrap());
        tree.insert(key(5), other).unwrap();
        tree.insert(key(7), one).unwrap();
    });
    assert_eq!(lain.found(), ["cache-value", "cache-sum"]);

    let lain = Lain::new();
    lain.change(|tree| drop(tree.remove(key(5)).unwrap()));
    assert_eq!(lain.found(), ["cache-sum"]);
    let lain = Lain::new();
    lain.change(|tree| drop(tree.remove(key(6)).unwrap()));
    assert_eq!(lain.found(), ["cache-index", "cache-sum"], "its index row leads nowhere");
    let lain = Lain::new();
    lain.change(|tree| drop(tree.remove(entry::mainland_key(&entry_of(6)).unwrap()).unwrap()));
    assert_eq!(lain.found(), ["cache-index", "cache-sum"]);
    let lain = Lain::new();
    lain.change(|tree| drop(tree.insert("x", "y").unwrap()));
    assert_eq!(lain.found(), ["cache-place", "cache-sum"]);
    let lain = Lain::new();
    lain.change(|tree| drop(tree.remove(META).unwrap()));
    assert_eq!(lain.found(), ["cache-sum"]);
    // Sealed for its key, with another's content: only a program at fault could write that.
    let lain = Lain::new();
    lain.change(|tree| drop(tree.insert(key(5), entry::seal(&key(5), &entry_of(7))).unwrap()));
    assert_eq!(lain.found(), ["cache-place", "cache-sum"]);
}

#[test]
fn an_older_set_is_found_and_so_is_another_history() {
    let lain = Lain::new();
    let older = TempDir::new().unwrap();
    copy_folder(&lain.path("gen-1"), older.path()).unwrap();
    Cache::open(lain.0.path()).unwrap().apply(&[(vec![], head(31))]).unwrap();
    fs::remove_dir_all(lain.path("gen-1")).unwrap();
    copy_folder(older.path(), &lain.path("gen-1")).unwrap();
    assert_eq!(lain.found(), ["cache-behind-floor"]);

    let lain = Lain::new();
    lain.change(|tree| {
        let meta: Meta = entry::open(META, &tree.get(META).unwrap().unwrap()).unwrap();
        let other = Meta { head: Head { hash: Digest([0xee; 32]), ..meta.head }, ..meta };
        tree.insert(META, entry::seal(META, &other)).unwrap();
    });
    assert_eq!(lain.found(), ["cache-behind-floor"]);
}

#[test]
fn a_pointer_that_leads_nowhere_is_found_and_so_is_what_was_left_over() {
    for (text, expected) in [
        ("gen-7\n", vec!["cache-pointer", "cache-left-over"]),
        ("gen-", vec!["cache-pointer", "cache-left-over"]),
    ] {
        let lain = Lain::new();
        fs::write(lain.path(CURRENT), text).unwrap();
        assert_eq!(lain.found(), expected, "{text:?}");
    }
    let lain = Lain::new();
    fs::remove_file(lain.path(CURRENT)).unwrap();
    assert_eq!(lain.found(), ["cache-none", "cache-left-over"]);
    let lain = Lain::new();
    fs::create_dir(lain.path("gen-2")).unwrap();
    fs::write(lain.path("CURRENT.partial"), "gen-2").unwrap();
    assert_eq!(lain.found(), ["cache-left-over"]);
}

#[test]
fn the_floor_is_checked_slot_by_slot() {
    for slot in [0, 4096] {
        for at in [0, 3, 20, 40, 100] {
            let lain = Lain::new();
            lain.flip("floor", slot + at);
            assert_eq!(lain.found(), ["floor-slot"], "slot at {slot}, byte {at}");
        }
    }
    let lain = Lain::new();
    lain.flip("floor", 1);
    lain.flip("floor", 4096 + 1);
    assert_eq!(lain.found(), ["floor-lost"]);
    let lain = Lain::new();
    let bytes = fs::read(lain.path("floor")).unwrap();
    fs::write(lain.path("floor"), &bytes[..4000]).unwrap();
    assert_eq!(lain.found(), ["floor-slot"], "the second slot is cut off");

    let first = TempDir::new().unwrap();
    Cache::open(first.path()).unwrap().replace_all(&[entry_of(1)], head(1)).unwrap();
    let mut lain = Lain(first);
    lain.flip("floor", 4096 + 20);
    assert!(
        lain.found().starts_with(&["floor-slot"]),
        "the very first write was torn: nothing was held before"
    );
    lain = Lain::new();
    lain.flip("floor", 4096 + 20);
    fs::write(
        lain.path("floor"),
        [vec![1; 4096], fs::read(lain.path("floor")).unwrap()[4096..].to_vec()].concat(),
    )
    .unwrap();
    assert_eq!(lain.found(), ["floor-lost"]);
}

#[test]
fn marks_of_used_directives_are_checked_frame_by_frame() {
    let lain = Lain::new();
    let whole = fs::read(lain.path("used")).unwrap();
    fs::write(lain.path("used"), &whole[..whole.len() - 1]).unwrap();
    assert_eq!(lain.found(), ["used-torn"]);
    fs::write(lain.path("used"), &whole).unwrap();
    lain.flip("used", 14);
    assert_eq!(lain.found(), ["used-damaged"]);
    fs::write(lain.path("used"), [&whole[..], &frame::frame(b"no mark")].concat()).unwrap();
    assert_eq!(lain.found(), ["used-damaged"]);
    let again = Lain::new();
    let used = directive(2);
    fs::remove_file(again.path("used")).unwrap();
    Cache::open(again.0.path()).unwrap().mark_used(&used.movement, &used.mark, PassageId([99; 16])).unwrap();
    let other = fs::read(again.path("used")).unwrap();
    fs::write(lain.path("used"), [whole, other].concat()).unwrap();
    assert_eq!(lain.found(), ["used-twice"]);
}

#[test]
fn whatever_byte_of_the_tree_rots_it_is_found_or_changes_nothing() {
    let lain = Lain::new();
    let bytes = fs::read(lain.path("gen-1/db")).unwrap();
    let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut found = 0;
    for at in written.iter().step_by(written.len().div_ceil(60)) {
        lain.flip("gen-1/db", *at);
        if lain.found().is_empty() {
            let scratch = TempDir::new().unwrap();
            copy_folder(&lain.path("gen-1"), scratch.path()).unwrap();
            assert_eq!(
                rows(scratch.path()).unwrap().len(),
                46,
                "byte {at}: 30 directives, 15 index rows, where it stands"
            );
        } else {
            found += 1;
        }
        fs::write(lain.path("gen-1/db"), &bytes).unwrap();
    }
    assert!(found > 0, "some of these bytes matter");
    fs::write(lain.path("gen-1/db"), &bytes[..bytes.len() / 2]).unwrap();
    let truncated = lain.found();
    fs::write(lain.path("gen-1/db"), b"").unwrap();
    assert!(!truncated.is_empty() || bytes[bytes.len() / 2..].iter().all(|b| *b == 0), "{truncated:?}");
    assert!(!lain.found().is_empty(), "an empty file");
}

#[test]
fn the_note_of_a_quarantine_is_checked_and_one_that_is_whole_is_no_finding() {
    let lain = Lain::new();
    Cache::open(lain.0.path()).unwrap().quarantine(Quarantine::Fork(Revision(7))).unwrap();
    assert_eq!(lain.found(), [""; 0]);
    for at in 0..fs::read(lain.path("quarantine")).unwrap().len() {
        lain.flip("quarantine", at);
        assert_eq!(lain.found(), ["quarantine-damaged"], "byte {at}");
        lain.flip("quarantine", at);
    }
    fs::write(lain.path("quarantine"), b"").unwrap();
    assert_eq!(lain.found(), ["quarantine-damaged"], "an empty file");
    fs::write(lain.path("quarantine.partial"), b"half").unwrap();
    fs::remove_file(lain.path("quarantine")).unwrap();
    assert_eq!(lain.found(), ["cache-left-over"]);
}
