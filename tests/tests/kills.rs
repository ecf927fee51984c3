//! An edge's disk under `kill -9` and under power cuts: a process that applies deltas, uses directives up and records
//! passages without end is killed hundreds of times, and each time what it has confirmed must be there and nothing may be
//! there that central never said. When the power goes, what was not synced is lost, torn or reordered as well; sometimes
//! the disk was full before, or refused to sync.
//!
//! `CLEARLANE_CUTS` sets how often the power goes (150 unless it is set), `CLEARLANE_SEED` when and with what.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use clearance::directive::{ActionCode, Directive, Window};
use clearance::finding::Grade;
use clearance::follower::Quarantine;
use clearance::ids::{Digest, Epoch, PassageId, Revision, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::merkle::Buckets;
use clearance::passage::{PassageEvent, PassageStep};
use clearance::publisher::{DirectiveSet, apply};
use clearance::replicate::{DirectiveOp, Head, KeyRotation, LeaseGrant};
use clearance::wire::{Signer, WireError};
use edge::directives::{Cache, ClaimError};
use edge::link::CentralKeys;
use edge::outbox::{Outbox, OutboxLimits};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tests::disk::{Disk, missing};

/// Names the folder in the environment of the process that is killed.
const FOLDER: &str = "CLEARLANE_KILLED_EDGE";

const KILLS: u32 = 200;

/// After this an edge gives its store up and is started anew. A node waits longer.
const STORE_HANGS: Duration = Duration::from_secs(20);

fn set(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn mark(revision: u64) -> RegistrationMark {
    format!("AB{}", 1000 + revision % 40).parse().unwrap()
}

fn ops(revision: u64) -> Vec<DirectiveOp> {
    vec![DirectiveOp::Put(Directive {
        movement: format!("m{revision}").parse().unwrap(),
        mark: mark(revision),
        mainland_mark: None,
        action: ActionCode::Release,
        window: Window { from: UtcMillis(0), until: UtcMillis(i64::MAX) },
        more: None,
    })]
}

fn head(revision: u64) -> Head {
    Head { epoch: Epoch(1), revision: Revision(revision), hash: Digest::of(&revision.to_be_bytes()) }
}

fn passage(number: u64) -> PassageId {
    let mut id = PassageId::default();
    id.0[..8].copy_from_slice(&number.to_be_bytes());
    id
}

fn open(folder: &Path) -> (Cache, Outbox) {
    let limits = OutboxLimits { segment_bytes: 4096, ..OutboxLimits::default() };
    let (outbox, _) = Outbox::open(&folder.join("outbox"), limits).unwrap();
    (Cache::open(&folder.join("directives")).unwrap(), outbox)
}

/// Thrown away, the set is fetched anew, as a lane would: not behind the floor. Gives where it stands then.
fn fetched(cache: &Cache) -> Option<u64> {
    if let Some(held) = cache.held() {
        return Some(held.revision.0);
    }
    let revision = cache.found().floor.revision.0.max(1);
    let mut set = DirectiveSet::new();
    (1..=revision).for_each(|r| apply(&mut set, &mut Buckets::default(), &ops(r), Revision(r)));
    let entries: Vec<_> = set.into_values().collect();
    cache.replace_all(&entries, head(revision)).is_ok().then_some(revision)
}

/// What is killed: not a test by itself.
#[test]
#[ignore = "the process that the other tests start and kill"]
fn killed() {
    let folder = std::env::var_os(FOLDER).expect("started by the other tests");
    let (cache, outbox) = open(Path::new(&folder));
    let say = |what: &str, revision: u64| {
        let mut out = std::io::stdout();
        writeln!(out, "\n{what} {revision}").unwrap();
        out.flush().unwrap();
    };
    // What fails is tried again with what comes next: a full disk has room again at some time.
    loop {
        if cache.waits_for_store().is_some_and(|waits| waits > STORE_HANGS) {
            say("hangs", 1);
            return;
        }
        let Some(revision) = fetched(&cache).map(|revision| revision + 1) else { continue };
        if cache.apply(&[(ops(revision), head(revision))]).is_err() {
            cache.reset();
            continue;
        }
        say("applied", revision);
        let movement = format!("m{revision}").parse().unwrap();
        if cache.mark_used(&movement, &mark(revision), passage(revision)).is_ok() {
            say("used", revision);
        }
        let event = PassageEvent {
            site: "north".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: passage(revision),
            step: 0,
            at: UtcMillis(revision as i64),
            what: PassageStep::Left,
        };
        if outbox.record(&event).is_ok() {
            say("recorded", revision);
        }
        if revision.is_multiple_of(3)
            && let Some((number, event)) = outbox.oldest(1).first()
        {
            say("delivered", event.at.0 as u64);
            let _ = outbox.acknowledge(*number);
        }
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["killed", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A process that does not outlive whoever watches it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What was confirmed by all processes so far.
#[derive(Default)]
struct Confirmed {
    applied: u64,
    used: Vec<u64>,
    recorded: BTreeSet<i64>,
    delivered: BTreeSet<i64>,
    set: DirectiveSet,
    buckets: Buckets,
    /// The root at each revision.
    roots: Vec<Digest>,
    thrown_away: u32,
    /// Lives that ended because the store did not come to an end.
    hangs: u64,
}

impl Confirmed {
    /// Hear what a process says until it is gone.
    fn hear(&mut self, said: ChildStdout) {
        let lines = BufReader::new(said).lines();
        for line in lines.map_while(Result::ok) {
            let Some((what, number)) = line.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "applied" => self.applied = self.applied.max(number),
                "used" => self.used.push(number),
                "recorded" => drop(self.recorded.insert(number as i64)),
                "delivered" => drop(self.delivered.insert(number as i64)),
                "hangs" => self.hangs += 1,
                _ => {}
            }
        }
    }

    fn root(&mut self, revision: u64) -> Digest {
        while (self.roots.len() as u64) <= revision {
            let next = self.roots.len() as u64;
            if next > 0 {
                apply(&mut self.set, &mut self.buckets, &ops(next), Revision(next));
            }
            self.roots.push(self.buckets.root());
        }
        self.roots[revision as usize]
    }

    fn add_to(&self, sums: &mut [u64; 5]) {
        let counts = [
            self.applied,
            self.recorded.len() as u64,
            self.delivered.len() as u64,
            u64::from(self.thrown_away),
            self.hangs,
        ];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    /// Look at what is on the disk; `when` says after what.
    fn check(&mut self, folder: &Path, when: &str) {
        let (cache, outbox) = open(folder);
        let found = cache.found();
        let applied = self.applied;
        assert!(found.floor.revision.0 >= applied, "{when}: the floor fell behind {applied}");
        if let Some((at, root)) = found.held {
            assert!(at.revision.0 >= applied, "{when}: {applied} was confirmed, {at:?} is held");
            assert_eq!(at, head(at.revision.0));
            assert_eq!(root, self.root(at.revision.0), "{when}: not what central said");
        } else {
            self.thrown_away += 1;
            fetched(&cache).expect("the set can be fetched anew");
        }
        for revision in self.used.iter().rev().take(5) {
            let claim =
                cache.mark_used(&format!("m{revision}").parse().unwrap(), &mark(*revision), passage(0));
            assert!(matches!(claim, Err(ClaimError::AlreadyUsed(_))), "{when}: {revision} {claim:?}");
        }
        let waiting: Vec<i64> = outbox.oldest(usize::MAX).iter().map(|(_, event)| event.at.0).collect();
        for number in self.recorded.difference(&self.delivered) {
            assert!(waiting.contains(number), "{when}: passage {number} is lost");
        }
        let once: BTreeSet<_> = waiting.iter().collect();
        assert_eq!(once.len(), waiting.len(), "{when}: a passage is there twice");
    }
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_confirmed() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut confirmed = Confirmed::default();
    let mut kill = 0;
    // On a busy machine a life is too short for much: then there are more of them.
    while kill < KILLS || (kill < 5 * KILLS && (confirmed.applied <= 100 || confirmed.recorded.len() <= 100))
    {
        let mut child = spawn(dir.path());
        // Different moments of its life: while it opens, at its first writes, later.
        let patience = Duration::from_micros(u64::from(kill.wrapping_mul(7919) % 90) * 700);
        let stdout = child.stdout.take();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(patience + Duration::from_millis(8));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        confirmed.hear(stdout.unwrap());
        killer.join().unwrap();
        confirmed.check(dir.path(), &format!("kill {kill}"));
        kill += 1;
    }
    let Confirmed { applied, recorded, thrown_away, .. } = confirmed;
    assert!(applied > 100 && recorded.len() > 100, "{applied} deltas and {} passages", recorded.len());
    assert!(thrown_away < kill / 2, "the cache was thrown away {thrown_away} times");
}

#[test]
fn power_cuts_lose_nothing_that_was_confirmed_whatever_becomes_of_what_was_not_synced() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("CLEARLANE_SKIP_NOTHING").is_none(), "cannot be skipped here: {why}");
        eprintln!("skipped: {why}");
        return;
    }
    let (cuts, seed) = (set("CLEARLANE_CUTS", 150), set("CLEARLANE_SEED", 1));
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut disk = Disk::new().unwrap();
    let mut confirmed = Confirmed::default();
    let mut sums = [0; 5];
    for cut in 0..cuts {
        // What is made once is in danger once: now and then a disk is new.
        if cut % 15 == 14 {
            disk = Disk::new().unwrap();
            confirmed.add_to(&mut sums);
            confirmed = Confirmed::default();
        }
        // While it opens, at its first writes, later.
        let reach = [40, 150, 400][chance.random_range(0..3)];
        disk.cut_after(chance.random_range(1..=reach));
        let mut child = spawn(disk.path());
        let stdout = child.stdout.take().unwrap();
        let trouble = chance.random_range(0..4);
        std::thread::scope(|scope| {
            let disk = &disk;
            scope.spawn(move || {
                // Ends what is heard, too, when this fails.
                let _child = Killed(child);
                if trouble < 2 {
                    let until = disk.changes() + 30;
                    disk.changes_reach(until);
                    if trouble == 0 {
                        disk.fill(true);
                    } else {
                        disk.refuse_sync(true);
                    }
                    disk.changes_reach(until + 20);
                    disk.fill(false);
                    disk.refuse_sync(false);
                }
                disk.goes_dark();
            });
            confirmed.hear(stdout);
            // On a full disk it may end by itself.
            disk.cut();
        });
        disk.power_cycle(&mut chance).unwrap();
        let when = format!("seed {seed}, cut {cut}");
        let report = edge::fsck::check(disk.path(), None).unwrap();
        let damage = report.findings.iter().filter(|f| f.grade == Grade::Damage);
        // What sled holds may be damaged, and is fetched anew.
        let damage: Vec<_> = damage.filter(|f| !f.check.starts_with("cache")).collect();
        assert!(damage.is_empty(), "{when}: {damage:#?}");
        confirmed.check(disk.path(), &when);
    }
    confirmed.add_to(&mut sums);
    let [applied, recorded, delivered, thrown_away, hangs] = sums;
    eprintln!(
        "{cuts} cuts, seed {seed}: {applied} deltas, {recorded} passages, {delivered} delivered, cache rebuilt {thrown_away} times, store hung {hangs} times"
    );
    // A few cuts may all come before anything was confirmed.
    let much = applied > cuts && recorded > cuts && thrown_away < cuts;
    assert!(much || cuts < 100, "{applied} deltas, {recorded} passages, no set outlived a cut");
}

#[test]
fn a_quarantine_and_a_key_that_were_confirmed_outlive_a_power_cut() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("CLEARLANE_SKIP_NOTHING").is_none(), "cannot be skipped here: {why}");
        eprintln!("skipped: {why}");
        return;
    }
    let mut chance = ChaCha8Rng::seed_from_u64(set("CLEARLANE_SEED", 1));
    let signer = |number: u64| Signer::from_secret(&Digest::of(&number.to_be_bytes()).0);
    let mut disk = Disk::new().unwrap();
    // The number of the last rotation confirmed; whether a quarantine was confirmed, and nothing begun since.
    let (mut rotated, mut quarantined) = (0u64, Some(false));
    for cut in 0..60 {
        disk.cut_after(chance.random_range(1..40));
        let path = disk.path().to_owned();
        // Until the power goes. Nothing of it is open afterwards.
        let mut work = || -> anyhow::Result<()> {
            let keys = CentralKeys::open(&[signer(0).public()], &path.join("rotations"))?;
            let cache = Cache::open(&path.join("directives"))?;
            loop {
                let serial = rotated + 1;
                let rotation = KeyRotation {
                    serial,
                    next: signer(serial).public(),
                    epoch: Epoch(serial),
                    at: UtcMillis(0),
                };
                keys.follow(&signer(rotated).seal(&rotation).0)?;
                anyhow::ensure!(!disk.is_dark(), "the power has gone");
                rotated = serial;
                let wanted = quarantined != Some(true);
                quarantined = None;
                if wanted {
                    cache.quarantine(Quarantine::Fork(Revision(serial)))?;
                } else {
                    cache.lift_quarantine()?;
                }
                quarantined = Some(wanted);
            }
        };
        work().unwrap_err();
        disk.power_cycle(&mut chance).unwrap();
        let found = Cache::open(&disk.path().join("directives")).unwrap().found();
        if let Some(wanted) = quarantined {
            assert_eq!(found.quarantine.is_some(), wanted, "cut {cut}");
        }
        assert_ne!(
            found.quarantine,
            Some(Quarantine::NoteDamaged),
            "cut {cut}: a note is whole or not there"
        );
        quarantined = Some(found.quarantine.is_some());
        let keys = CentralKeys::open(&[signer(0).public()], &disk.path().join("rotations")).unwrap();
        let believes = |number: u64| {
            let rotation =
                KeyRotation { serial: 0, next: signer(0).public(), epoch: Epoch(0), at: UtcMillis(0) };
            let opened = keys.open_record::<LeaseGrant>(&signer(number).seal(&rotation).0);
            !matches!(opened, Err(WireError::UnknownKey(_)))
        };
        // The one that was under way may have been kept.
        rotated = (rotated..=rotated + 1).rev().find(|number| believes(*number)).expect("a key was lost");
    }
    assert!(rotated > 60, "{rotated} rotations");
}
