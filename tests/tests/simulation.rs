//! The replication protocol under seeded faults: seeds of which none may fail, bugs of which each must be found, and runs that
//! failed once and were mended.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tests::simulation::{Kind, Mode, Mutation, Op, plan, run};

/// Steps of each run here; `cargo run -p tests --bin simulate` runs more and longer ones.
const STEPS: usize = 1000;

#[test]
fn no_invariant_is_broken_whatever_fails() {
    for seed in 1..=120 {
        let outcome = run(&plan(seed, STEPS), Mode::Liveness, None);
        assert_eq!(outcome.violation, None, "seed {seed}: simulate --from {seed} --seeds 1 shortens it");
    }
}

#[test]
fn every_planted_bug_is_found() {
    for mutation in Mutation::all() {
        // The rarest, that a set is fetched in vain while another is held, shows in one seed of 150.
        let found = (1..=600)
            .any(|seed| run(&plan(seed, STEPS), Mode::Liveness, Some(*mutation)).violation.is_some());
        assert!(found, "{mutation:?} goes unnoticed");
    }
}

fn holds(kinds: &[Kind]) {
    for salt in 0..200u64 {
        let ops: Vec<Op> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| Op { kind: *kind, salt: salt * 1000 + i as u64 })
            .collect();
        assert_eq!(run(&ops, Mode::Liveness, None).violation, None, "salt {salt}");
    }
}

/// Two histories must not bear one number, though the copy that both were brought back from counts to the same.
#[test]
fn central_brought_back_twice_from_one_copy() {
    holds(&[
        Kind::Backup,
        Kind::Pass(1500),
        Kind::Restore,
        Kind::Put { site: 1, mark: 0, release: true },
        Kind::Restore,
        Kind::Put { site: 1, mark: 2, release: true },
        Kind::Pass(1200),
        Kind::Restore,
    ]);
}

/// The note of a quarantine that a full disk did not let go must go later, or the next start is quarantined for nothing.
#[test]
fn a_quarantine_is_lifted_while_the_disk_is_full() {
    holds(&[
        Kind::Backup,
        Kind::Pass(1080),
        Kind::Put { site: 0, mark: 1, release: true },
        Kind::Restore,
        Kind::Pass(942),
        Kind::Pass(1821),
        Kind::Pass(677),
        Kind::FullDisk { edge: 0 },
        Kind::Accept { edge: 0 },
        Kind::Pass(1782),
    ]);
}

/// An edge that meets a key it does not know asks for the rotations, whichever record bears it.
#[test]
fn the_key_is_rotated_before_an_edge_has_anything() {
    holds(&[
        Kind::Pass(2226),
        Kind::RotateKey,
        Kind::Put { site: 0, mark: 1, release: true },
        Kind::Pass(2000),
    ]);
}

/// The power goes between a set and its floor, comes back, and goes again: what was served in between must be the floor.
#[test]
fn a_set_that_is_ahead_of_its_floor_raises_it_before_it_is_served() {
    assert_eq!(run(&plan(2096, 520), Mode::Liveness, None).violation, None);
}

/// A set that was applied wrongly has no lease until it is mended.
#[test]
fn a_delta_is_applied_wrongly_and_the_power_goes() {
    holds(&[
        Kind::Pass(2172),
        Kind::Rot { edge: 3 },
        Kind::Put { site: 1, mark: 0, release: true },
        Kind::Pass(2053),
        Kind::Pass(1446),
        Kind::CrashEdge { edge: 3 },
        Kind::Pass(900),
    ]);
}
