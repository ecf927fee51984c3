//! Pages of one moment, put together.

use std::collections::BTreeMap;

use crate::directive::DirectiveEntry;
use crate::ids::Digest;
use crate::merkle::{BucketSet, Buckets, bucket_of};
use crate::replicate::{Head, SnapshotPage};

/// The most pages of a snapshot: more directives than any site will have, and a bound for what a lie can make an edge hold.
const MOST_PAGES: u32 = 100_000;

/// A snapshot of which some pages have come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembly {
    of: Option<Of>,
    pages: BTreeMap<u32, Vec<DirectiveEntry>>,
}

/// What all pages of a snapshot have in common.
#[derive(Clone, Debug, PartialEq)]
struct Of {
    head: Head,
    before: Vec<Head>,
    root: Digest,
    buckets: BucketSet,
    pages: u32,
}

/// A snapshot of which every page has come.
pub(super) struct Whole {
    pub(super) head: Head,
    pub(super) before: Vec<Head>,
    pub(super) root: Digest,
    pub(super) buckets: BucketSet,
    pub(super) entries: Vec<DirectiveEntry>,
}

/// Signed, and yet no snapshot.
pub(super) struct Senseless;

impl Assembly {
    /// Take a page; gives the snapshot once it is whole. Pages of different moments do not mix: the newest wins.
    pub(super) fn take(&mut self, page: SnapshotPage) -> Result<Option<Whole>, Senseless> {
        let belongs = |entry: &DirectiveEntry| page.buckets.contains(bucket_of(&entry.directive.mark));
        let numbered = page.page < page.pages && page.pages <= MOST_PAGES;
        if !numbered || !page.entries.iter().all(belongs) {
            return Err(Senseless);
        }
        let of = Of {
            head: Head { epoch: page.epoch, revision: page.revision, hash: page.head_hash },
            before: page.before,
            root: page.root,
            buckets: page.buckets,
            pages: page.pages,
        };
        if self.of.as_ref() != Some(&of) {
            let position = |of: &Of| (of.head.epoch, of.head.revision);
            if self.of.as_ref().is_some_and(|known| position(known) > position(&of)) {
                return Ok(None);
            }
            *self = Self { of: Some(of.clone()), pages: BTreeMap::new() };
        }
        self.pages.insert(page.page, page.entries);
        if self.pages.len() < of.pages as usize {
            return Ok(None);
        }
        let entries: Vec<_> = std::mem::take(self).pages.into_values().flatten().collect();
        let Of { head, before, root, buckets, .. } = of;
        if buckets == BucketSet::ALL && Buckets::of(&entries).root() != root {
            return Err(Senseless);
        }
        Ok(Some(Whole { head, before, root, buckets, entries }))
    }
}
