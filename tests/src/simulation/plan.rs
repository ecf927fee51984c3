//! From a seed to what happens.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Edges of the first site; the second has one.
pub(super) const EDGES: usize = 4;

/// Marks that trucks bear, at each site.
pub(super) const MARKS: usize = 4;

/// One thing that happens. `salt` is the chance it brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What.
    pub kind: Kind,
    /// Chance.
    pub salt: u64,
}

/// What happens. Edges and marks are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "edges, sites and marks are numbers, and their names say which")]
pub enum Kind {
    /// Time passes, milliseconds; messages travel.
    Pass(u16),
    /// Central puts a directive for a mark at a site.
    Put { site: u8, mark: u8, release: bool },
    /// Central takes the mark's directive back.
    Revoke { site: u8, mark: u8 },
    /// A truck stands at an edge; it has left a moment later. With `crash_after`, the power goes at that write.
    Truck { edge: u8, mark: u8, crash_after: Option<u8> },
    /// The line to an edge is cut, or mended.
    Partition { edge: u8 },
    /// From now on this part of the messages is lost, in percent.
    Loss(u8),
    /// The power of an edge goes and comes back.
    CrashEdge { edge: u8 },
    /// The power of an edge goes at its n-th write from now.
    CrashAtWrite { edge: u8, after: u8 },
    /// Central is killed; it runs again after so many milliseconds.
    CrashCentral(u16),
    /// Central is killed just after its next commit, before anybody hears of it.
    CrashCentralAfterCommit,
    /// An edge's disk is full, or has room again.
    FullDisk { edge: u8 },
    /// An edge's store loses an entry and does not notice.
    Rot { edge: u8 },
    /// An edge's store finds that it is damaged.
    StoreFault { edge: u8 },
    /// An edge's wall clock jumps, seconds.
    ClockJump { edge: u8, seconds: i16 },
    /// Central's database is copied.
    Backup,
    /// Central's database is brought back from the copy.
    Restore,
    /// Central signs with another key from now on.
    RotateKey,
    /// An officer settles what an edge is quarantined over.
    Accept { edge: u8 },
    /// Somebody sends an edge a record of his own making.
    Forge { edge: u8 },
    /// Somebody sends an edge something that was sent before, to anybody.
    Replay { edge: u8 },
    /// Somebody sends an edge something that was sent before, with a bit changed.
    Flip { edge: u8 },
}

/// `steps` things, drawn from `seed`.
pub fn plan(seed: u64, steps: usize) -> Vec<Op> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Each run has its own temper: some calm, some in which everything fails at once.
    let temper: f64 = rng.random_range(0.05..1.3);
    let mut ops = Vec::with_capacity(steps + 4);
    while ops.len() < steps {
        let kind = kind(&mut rng, temper);
        ops.push(Op { kind, salt: rng.random() });
        // Where power went with a truck at the gate, the same truck is soon there again.
        if let Kind::Truck { edge, mark, crash_after: Some(_) } = kind {
            for kind in [Kind::Pass(rng.random_range(1..400)), Kind::Truck { edge, mark, crash_after: None }]
            {
                ops.push(Op { kind, salt: rng.random() });
            }
        }
    }
    ops.truncate(steps);
    ops
}

fn kind(rng: &mut ChaCha8Rng, temper: f64) -> Kind {
    let usual: [(f64, u8); 5] = [(40.0, 0), (12.0, 1), (5.0, 2), (14.0, 3), (1.0, 17)];
    let faults: [(f64, u8); 16] = [
        (3.0, 4),
        (1.0, 5),
        (1.5, 6),
        (1.5, 7),
        (1.0, 8),
        (1.0, 9),
        (1.5, 10),
        (1.0, 11),
        (0.5, 12),
        (1.0, 13),
        (0.6, 14),
        (0.25, 15),
        (0.25, 16),
        (2.5, 18),
        (3.0, 19),
        (2.0, 20),
    ];
    let weights = usual.iter().copied().chain(faults.map(|(weight, what)| (weight * temper, what)));
    let total: f64 = weights.clone().map(|(weight, _)| weight).sum();
    let mut at = rng.random_range(0.0..total);
    let mut chosen = 0;
    for (weight, what) in weights {
        if at < weight {
            chosen = what;
            break;
        }
        at -= weight;
    }
    let edge = rng.random_range(0..EDGES as u8);
    let site = u8::from(rng.random_bool(0.2));
    let mark = rng.random_range(0..MARKS as u8);
    match chosen {
        1 => Kind::Put { site, mark, release: rng.random_bool(0.75) },
        2 => Kind::Revoke { site, mark },
        3 => {
            let crash_after = rng.random_bool(0.15 * temper.min(1.0)).then(|| rng.random_range(0..5));
            Kind::Truck { edge, mark, crash_after }
        }
        4 => Kind::Partition { edge },
        5 => Kind::Loss(*[0, 0, 10, 30, 60].get(rng.random_range(0..5)).unwrap_or(&0)),
        6 => Kind::CrashEdge { edge },
        7 => Kind::CrashAtWrite { edge, after: rng.random_range(0..6) },
        8 => Kind::CrashCentral(rng.random_range(100..15_000)),
        9 => Kind::CrashCentralAfterCommit,
        10 => Kind::FullDisk { edge },
        11 => Kind::Rot { edge },
        12 => Kind::StoreFault { edge },
        13 => Kind::ClockJump { edge, seconds: rng.random_range(-3_000..3_000) },
        14 => Kind::Backup,
        15 => Kind::Restore,
        16 => Kind::RotateKey,
        17 => Kind::Accept { edge },
        18 => Kind::Forge { edge },
        19 => Kind::Replay { edge },
        20 => Kind::Flip { edge },
        _ => Kind::Pass(rng.random_range(1..2_500)),
    }
}
