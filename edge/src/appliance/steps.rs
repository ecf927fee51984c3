//! Numbers of the steps of passages. A number counts when its step is on the disk: what the disk refuses leaves no gap
//! behind it, which central would take for a step that was lost.

use std::collections::VecDeque;

use clearance::ids::PassageId;
use clearance::passage::{PassageEvent, PassageStep};

use crate::outbox::{Durable, Outbox, OutboxError};

/// Passages whose steps are counted; a step of an older one starts at [`FOREIGN_STEP`].
const COUNTED: usize = 64;

/// Steps of a passage that this run of the program did not begin are numbered from here, out of the way of those that
/// were recorded before.
const FOREIGN_STEP: u32 = 1 << 20;

/// The next step of the latest passages.
#[derive(Default)]
pub(super) struct Steps(VecDeque<(PassageId, u32)>);

impl Steps {
    /// Make a step durable under its passage's next number; gives it as it was, or would have been, recorded.
    pub(super) fn record(
        &mut self,
        outbox: &Outbox,
        passage: PassageId,
        what: PassageStep,
        event: impl FnOnce(u32, PassageStep) -> PassageEvent,
    ) -> (PassageEvent, Result<Durable, OutboxError>) {
        let next = self.next(passage, &what);
        let event = event(*next, what);
        let recorded = outbox.record(&event);
        if recorded.is_ok() {
            *next += 1;
        }
        (event, recorded)
    }

    fn next(&mut self, passage: PassageId, what: &PassageStep) -> &mut u32 {
        let known = self.0.iter().position(|(of, _)| *of == passage);
        let at = known.unwrap_or_else(|| {
            if self.0.len() >= COUNTED {
                self.0.pop_front();
            }
            let first = match what {
                // A passage of before the last start, or one long gone.
                PassageStep::OrderRefused { order, .. } => {
                    FOREIGN_STEP + u32::from(u16::from_be_bytes([order.0[0], order.0[1]]))
                }
                _ => 0,
            };
            self.0.push_back((passage, first));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

#[cfg(test)]
mod tests {
    use clearance::ids::{Nonce, UtcMillis};

    use super::*;
    use crate::outbox::OutboxLimits;

    struct Bench {
        _dir: tempfile::TempDir,
        outbox: Outbox,
        steps: Steps,
    }

    impl Bench {
        /// With room for a few steps.
        fn new() -> Self {
            let dir = tempfile::TempDir::new().unwrap();
            let limits = OutboxLimits { passage_bytes: 800, segment_bytes: 200, ..OutboxLimits::default() };
            let outbox = Outbox::open(dir.path(), limits).unwrap().0;
            Self { _dir: dir, outbox, steps: Steps::default() }
        }

        fn record(&mut self, passage: u8, what: PassageStep) -> Option<u32> {
            let passage = PassageId([passage; 16]);
            let (event, recorded) =
                self.steps.record(&self.outbox, passage, what, |step, what| PassageEvent {
                    site: "site".parse().unwrap(),
                    lane: "lane".parse().unwrap(),
                    edge: "edge".parse().unwrap(),
                    passage,
                    step,
                    at: UtcMillis(0),
                    what,
                });
            recorded.ok().map(|_| event.step)
        }

        fn make_room(&self) {
            self.outbox.oldest(100).iter().for_each(|(number, _)| {
                // The disk is full: that central has it cannot be noted either, but the room is given back.
                let _ = self.outbox.acknowledge(*number);
            });
        }
    }

    #[test]
    fn a_step_that_the_disk_refused_leaves_no_gap() {
        let mut bench = Bench::new();
        let mut next = 0;
        while let Some(step) = bench.record(1, PassageStep::Left) {
            assert_eq!(step, next);
            next += 1;
        }
        assert!(next > 2);
        assert_eq!(bench.record(1, PassageStep::Left), None, "still full");
        bench.make_room();
        assert_eq!(bench.record(1, PassageStep::Left), Some(next));
    }

    #[test]
    fn a_passage_whose_first_step_was_refused_begins_with_0_all_the_same() {
        let mut bench = Bench::new();
        while bench.record(1, PassageStep::Left).is_some() {}
        assert_eq!(bench.record(2, PassageStep::Left), None);
        bench.make_room();
        let refused = PassageStep::OrderRefused { order: Nonce([7; 16]), why: "late".to_owned() };
        assert_eq!(bench.record(2, refused.clone()), Some(0));
        // Nobody knows how many steps a passage of an earlier run has.
        assert_eq!(bench.record(3, refused), Some(FOREIGN_STEP + 0x0707));
        assert_eq!(bench.record(3, PassageStep::Left), Some(FOREIGN_STEP + 0x0708));
    }
}
