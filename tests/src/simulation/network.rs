//! Messages on their way: lost, late, doubled and out of order.

use std::collections::BTreeMap;
use std::time::Duration;

/// What an edge asks or tells central.
#[derive(Clone, Debug)]
pub(super) enum ToCentral {
    /// For what differs from these sums, or for all.
    Snapshot(Option<Vec<u8>>),
    /// For deltas.
    Range(u64, u64),
    /// For a lease, sealed.
    Lease(Vec<u8>),
    /// For the rotations of central's key.
    Keys,
    /// A sealed step of a passage, with its number in the edge's journal.
    Passage(u64, Vec<u8>),
}

/// What an edge gets.
#[derive(Clone, Debug)]
pub(super) enum ToEdge {
    /// A sealed record of central's, or what pretends to be one.
    Record(Vec<u8>),
    /// A query has ended.
    SnapshotEnd,
    /// A query has ended.
    RangeEnd,
    /// Central has committed the step with this number.
    Ack(u64),
}

/// Either.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// From an edge.
    Up(usize, ToCentral),
    /// To an edge.
    Down(usize, ToEdge),
}

/// Chance without a state to share: the n-th number of a salt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    salt: u64,
    drawn: u64,
}

impl Chance {
    /// Of a salt.
    pub(super) fn new(salt: u64) -> Self {
        Self { salt, drawn: 0 }
    }

    /// The next number (SplitMix64).
    pub(super) fn next(&mut self) -> u64 {
        self.drawn += 1;
        let mut z = self.salt.wrapping_add(self.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, part: u8) -> bool {
        self.next() % 100 < u64::from(part)
    }
}

/// The network.
#[derive(Default)]
pub(super) struct Network {
    flying: BTreeMap<(Duration, u64), Message>,
    sent: u64,
    /// Messages lost, in percent.
    pub(super) loss: u8,
    /// Messages that arrive twice, in percent; none once healed.
    pub(super) doubled: u8,
}

impl Network {
    /// Send at `now`; it arrives when it arrives, if it does.
    pub(super) fn send(&mut self, now: Duration, message: Message, chance: &mut Chance) {
        if chance.percent(self.loss) {
            return;
        }
        let copies = if chance.percent(self.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            // Mostly quick, at times later than a query waits for.
            let millis = match chance.below(20) {
                0 => 200 + chance.below(4_000),
                1..=3 => 20 + chance.below(400),
                _ => 1 + chance.below(20),
            };
            self.sent += 1;
            self.flying.insert((now + Duration::from_millis(millis as u64), self.sent), message.clone());
        }
    }

    /// The next message that arrives not later than `until`.
    pub(super) fn arrival(&mut self, until: Duration) -> Option<(Duration, Message)> {
        let (&key, _) = self.flying.first_key_value().filter(|((at, _), _)| *at <= until)?;
        self.flying.remove(&key).map(|message| (key.0, message))
    }

    /// What was on its way is lost.
    pub(super) fn drop_all(&mut self, lost: impl Fn(&Message) -> bool) {
        self.flying.retain(|_, message| !lost(message));
    }
}
