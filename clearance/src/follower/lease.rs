//! Asking for leases, and from when they count.

use std::collections::VecDeque;
use std::time::Duration;

use crate::ids::{Digest, Nonce, Revision};
use crate::replicate::{Head, LeaseGrant};

use super::RETRY;

/// The longest lease believed, whatever central says.
const LONGEST: Duration = Duration::from_mins(15);

/// Requests that may be under way at once; an answer to an older one is late and worth nothing.
const UNDER_WAY: usize = 4;

/// Requests under way and the grant that waits for its head.
#[derive(Debug, Default)]
pub(super) struct LeaseClock {
    asked: VecDeque<(Nonce, Duration)>,
    next_ask: Duration,
    waiting: Option<Waiting>,
}

/// A grant whose head is not held yet, or not known to be held alike.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    head: Head,
    root: Digest,
    until: Duration,
}

/// A grant whose head is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) revision: Revision,
    pub(super) until: Duration,
    /// Whether the set held there is the one that is vouched for.
    pub(super) same: bool,
}

impl LeaseClock {
    /// Ask at once.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.next_ask = now;
    }

    /// Whether to ask now; true once per due moment.
    pub(super) fn is_due(&mut self, now: Duration) -> bool {
        let due = now >= self.next_ask;
        if due {
            self.next_ask = now + RETRY;
        }
        due
    }

    /// A request goes out.
    pub(super) fn sent(&mut self, now: Duration, nonce: Nonce) {
        self.asked.push_back((nonce, now));
        if self.asked.len() > UNDER_WAY {
            self.asked.pop_front();
        }
    }

    /// A grant came; its head if it answers a request of ours, and answers it for the first time.
    pub(super) fn granted(&mut self, now: Duration, grant: &LeaseGrant) -> Option<Head> {
        let place = self.asked.iter().position(|(nonce, _)| *nonce == grant.nonce)?;
        let (_, sent) = self.asked.remove(place)?;
        let ttl = Duration::from_millis(grant.ttl_ms).min(LONGEST);
        self.next_ask = now + ttl / 3;
        let head = Head { epoch: grant.epoch, revision: grant.revision, hash: grant.head_hash };
        self.waiting = Some(Waiting { head, root: grant.root, until: sent + ttl });
        Some(head)
    }

    /// The waiting grant, once its head is held and the root of the set there is known: `root_at` gives it.
    pub(super) fn settle(&mut self, root_at: impl Fn(Head) -> Option<Digest>) -> Option<Settled> {
        let Waiting { head, root, until } = self.waiting?;
        let same = root_at(head)? == root;
        self.waiting = None;
        Some(Settled { revision: head.revision, until, same })
    }

    /// The head that the waiting grant vouches for.
    pub(super) fn waiting_for(&self) -> Option<Head> {
        self.waiting.map(|waiting| waiting.head).filter(|head| head.revision > Revision(0))
    }

    /// The grant that came is worth nothing.
    pub(super) fn drop_grant(&mut self) {
        self.waiting = None;
    }

    /// No request and no grant counts any more.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
        self.waiting = None;
        self.next_ask = Duration::ZERO;
    }
}
