//! An edge's disk: what survives a power cut, and how writing it can fail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use clearance::follower::Quarantine;
use clearance::ids::{MovementId, PassageId, Revision};
use clearance::passage::PassageEvent;
use clearance::publisher::DirectiveSet;
use clearance::replicate::Head;

use crate::simulation::network::Chance;

/// States that the store may come back with after a power cut, for it promises nothing.
pub(super) const UNSYNCED: usize = 4;

/// Why a write did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum Trouble {
    /// The disk refused it; nothing was written.
    Refused,
    /// The power went.
    PowerCut,
}

/// What a store holds.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) set: Arc<DirectiveSet>,
    pub(super) head: Head,
    /// The revision that was applied wrongly, if one was and was not mended since.
    pub(super) wrong: Option<Revision>,
}

/// What survives a power cut, and how writing it can fail.
pub(super) struct Disk {
    pub(super) store: VecDeque<Held>,
    pub(super) floor: Head,
    pub(super) used: BTreeMap<MovementId, PassageId>,
    pub(super) journal: BTreeMap<u64, PassageEvent>,
    pub(super) next_number: u64,
    pub(super) quarantine: Option<Quarantine>,
    pub(super) rotations: Vec<Vec<u8>>,
    pub(super) full: bool,
    /// The power goes at the write after so many.
    pub(super) cut_after: Option<u8>,
}

impl Disk {
    /// A write is about to be done; `Err` if it is not, and whether it was done nevertheless when the power went.
    pub(super) fn write(&mut self, chance: &mut Chance, ignore_full: bool) -> Result<(), (Trouble, bool)> {
        if self.full && !ignore_full {
            return Err((Trouble::Refused, false));
        }
        match self.cut_after {
            Some(0) => {
                self.cut_after = None;
                Err((Trouble::PowerCut, chance.percent(50)))
            }
            Some(left) => {
                self.cut_after = Some(left - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
