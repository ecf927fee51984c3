//! An edge's disk under `kill -9`: a process that applies deltas, uses directives up and records passages without end is
//! killed two hundred times, and each time what it has confirmed must be there and nothing may be there that central never said.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clearance::directive::{ActionCode, Directive, Window};
use clearance::ids::{Digest, Epoch, PassageId, Revision, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::merkle::Buckets;
use clearance::passage::{PassageEvent, PassageStep};
use clearance::publisher::{DirectiveSet, apply};
use clearance::replicate::{DirectiveOp, Head};
use edge::directives::{Cache, ClaimError};
use edge::outbox::{Outbox, OutboxLimits};

/// Names the folder in the environment of the process that is killed.
const FOLDER: &str = "CLEARLANE_KILLED_EDGE";

const KILLS: u32 = 200;

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
    let (outbox, _) = Outbox::open(&folder.join("outbox"), OutboxLimits::default()).unwrap();
    (Cache::open(&folder.join("directives")).unwrap(), outbox)
}

/// What is killed: not a test by itself.
#[test]
#[ignore = "the process that the other test starts and kills"]
fn killed() {
    let folder = std::env::var_os(FOLDER).expect("started by the other test");
    let (cache, outbox) = open(Path::new(&folder));
    let mut out = std::io::stdout();
    let mut revision = cache.held().map_or(0, |head| head.revision.0);
    if revision == 0 {
        // Thrown away, it is fetched anew, as a lane would.
        revision = cache.found().floor.revision.0.max(1);
        let mut set = DirectiveSet::new();
        (1..=revision).for_each(|r| apply(&mut set, &mut Buckets::default(), &ops(r), Revision(r)));
        cache.replace_all(&set.into_values().collect::<Vec<_>>(), head(revision)).unwrap();
    }
    loop {
        revision += 1;
        cache.apply(&[(ops(revision), head(revision))]).unwrap();
        writeln!(out, "\napplied {revision}").unwrap();
        cache
            .mark_used(&format!("m{revision}").parse().unwrap(), &mark(revision), passage(revision))
            .unwrap();
        writeln!(out, "\nused {revision}").unwrap();
        let event = PassageEvent {
            site: "north".parse().unwrap(),
            lane: "lane-1".parse().unwrap(),
            edge: "edge-1".parse().unwrap(),
            passage: passage(revision),
            step: 0,
            at: UtcMillis(revision as i64),
            what: PassageStep::Left,
        };
        outbox.record(&event).unwrap();
        writeln!(out, "\nrecorded {revision}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_confirmed() {
    let dir = tempfile::TempDir::new().unwrap();
    let (mut applied, mut used, mut recorded) = (0, Vec::new(), Vec::new());
    let mut roots = vec![Buckets::default().root()];
    let (mut set, mut buckets) = (DirectiveSet::new(), Buckets::default());
    let mut thrown_away = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Different moments of its life: while it opens, at its first writes, later.
        let patience = Duration::from_micros(u64::from(kill.wrapping_mul(7919) % 90) * 700);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(patience + Duration::from_millis(8));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for line in lines.map_while(Result::ok) {
            let Some((what, number)) = line.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "applied" => applied = applied.max(number),
                "used" => used.push(number),
                "recorded" => recorded.push(number),
                _ => {}
            }
        }
        killer.join().unwrap();
        let (cache, outbox) = open(dir.path());
        let found = cache.found();
        assert!(found.floor.revision.0 >= applied, "kill {kill}: the floor fell behind {applied}");
        match found.held {
            Some((at, root)) => {
                assert!(at.revision.0 >= applied, "kill {kill}: {applied} was confirmed, {at:?} is held");
                assert_eq!(at, head(at.revision.0));
                while (roots.len() as u64) <= at.revision.0 {
                    let next = roots.len() as u64;
                    apply(&mut set, &mut buckets, &ops(next), Revision(next));
                    roots.push(buckets.root());
                }
                assert_eq!(root, roots[at.revision.0 as usize], "kill {kill}: not what central said");
            }
            None => thrown_away += 1,
        }
        if found.held.is_some() {
            for revision in used.iter().rev().take(5) {
                let claim =
                    cache.mark_used(&format!("m{revision}").parse().unwrap(), &mark(*revision), passage(0));
                assert!(
                    matches!(claim, Err(ClaimError::AlreadyUsed(_))),
                    "kill {kill}: {revision} {claim:?}"
                );
            }
        }
        let waiting: Vec<i64> = outbox.oldest(usize::MAX).iter().map(|(_, event)| event.at.0).collect();
        for number in &recorded {
            assert!(waiting.contains(&(*number as i64)), "kill {kill}: passage {number} is lost");
        }
        let mut once = waiting.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), waiting.len(), "kill {kill}: a passage is there twice");
    }
    assert!(applied > 100 && recorded.len() > 100, "{applied} deltas and {} passages", recorded.len());
    assert!(thrown_away < KILLS / 2, "the cache was thrown away {thrown_away} times");
}
