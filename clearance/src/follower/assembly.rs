//! Pages of one moment, put together.

use std::collections::BTreeMap;

use crate::directive::DirectiveEntry;
use crate::ids::{Digest, Revision};
use crate::replicate::{Head, SnapshotPage};

/// A snapshot of which some pages have come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembly {
    head: Option<Head>,
    prev_head: Option<(Revision, Digest)>,
    total: u32,
    pages: BTreeMap<u32, Vec<DirectiveEntry>>,
}

/// A snapshot of which every page has come.
pub(super) struct Whole {
    pub(super) head: Head,
    pub(super) prev_head: Option<(Revision, Digest)>,
    pub(super) entries: Vec<DirectiveEntry>,
}

impl Assembly {
    /// Take a page; gives the snapshot once it is whole. Pages of different moments do not mix: the newest wins.
    pub(super) fn take(&mut self, page: SnapshotPage) -> Option<Whole> {
        let head = Head { epoch: page.epoch, revision: page.revision, hash: page.head_hash };
        if self.head != Some(head) {
            let newer = self.head.is_none_or(|h| (h.epoch, h.revision) < (head.epoch, head.revision));
            if !newer {
                return None;
            }
            *self = Self {
                head: Some(head),
                prev_head: page.prev_head,
                total: page.pages,
                pages: BTreeMap::new(),
            };
        }
        if page.pages != self.total || page.prev_head != self.prev_head {
            return None;
        }
        self.pages.insert(page.page, page.entries);
        if self.pages.len() < self.total as usize {
            return None;
        }
        let pages = std::mem::take(self).pages;
        Some(Whole { head, prev_head: page.prev_head, entries: pages.into_values().flatten().collect() })
    }
}
