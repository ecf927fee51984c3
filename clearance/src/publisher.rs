//! Central's side of replication, without I/O: the next delta of a log, what it does to the set, and the pages of a
//! snapshot.

use std::collections::BTreeMap;

use crate::directive::DirectiveEntry;
use crate::ids::{Digest, Revision, SiteId};
use crate::mark::RegistrationMark;
use crate::merkle::{BucketSet, Buckets};
use crate::replicate::{Delta, DirectiveOp, Head, LeaseGrant, LeaseRequest, SnapshotPage};
use crate::wire::Signer;

/// Bytes of directives in one page, so that a page with its signature stays below 48 KiB, which Zenoh carries whole.
const PAGE_BYTES: usize = 44 * 1024;

/// Ends of earlier epochs that a snapshot tells: an edge that was away for longer is let in by an officer.
pub const EPOCHS_BEFORE: usize = 32;

/// Entries in one page, however short.
pub const ENTRIES_PER_PAGE: usize = 400;

/// A delta ready to be stored and published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDelta {
    /// The signed envelope.
    pub bytes: Vec<u8>,
    /// Where the log stands after it.
    pub head: Head,
}

/// The delta that follows `head`.
pub fn seal_delta(signer: &Signer, site: &SiteId, head: &Head, ops: Vec<DirectiveOp>) -> SealedDelta {
    let revision = head.revision.next();
    let delta = Delta { site: site.clone(), epoch: head.epoch, revision, prev_hash: head.hash, ops };
    let (bytes, hash) = signer.seal(&delta);
    SealedDelta { bytes, head: Head { epoch: head.epoch, revision, hash } }
}

/// Every directive of a site, by Hong Kong mark.
pub type DirectiveSet = BTreeMap<RegistrationMark, DirectiveEntry>;

/// Change the set, and its buckets, as the delta with this revision says. Edges do the same (see [`DirectiveOp::applied`]).
pub fn apply(set: &mut DirectiveSet, buckets: &mut Buckets, ops: &[DirectiveOp], revision: Revision) {
    for op in ops {
        let before = set.get(op.mark());
        if let Some(after) = op.applied(before, revision) {
            buckets.change(op.mark(), before, Some(&after));
            set.insert(op.mark().clone(), after);
        }
    }
}

/// A moment of a site's log, as snapshots give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Where the log stands.
    pub head: Head,
    /// Root of the set there ([`Buckets::root`]).
    pub root: Digest,
    /// How the epochs before ended, newest first, at most [`EPOCHS_BEFORE`].
    pub before: Vec<Head>,
}

/// The buckets that an edge must be given: those in which it differs, all when it does not say what it holds.
pub fn wanted(ours: &Buckets, held: Option<&Buckets>) -> BucketSet {
    held.map_or(BucketSet::ALL, |held| ours.differing(held))
}

/// The entries of `buckets` at a moment as signed pages; one empty page where there are none. `entries` are those of
/// these buckets and no others.
pub fn seal_snapshot(
    signer: &Signer,
    site: &SiteId,
    moment: &Moment,
    buckets: BucketSet,
    entries: &[DirectiveEntry],
) -> Vec<Vec<u8>> {
    let chunks = paged(entries);
    let pages = chunks.len() as u32;
    let page = |(number, entries): (usize, &&[DirectiveEntry])| {
        let page = SnapshotPage {
            site: site.clone(),
            epoch: moment.head.epoch,
            revision: moment.head.revision,
            head_hash: moment.head.hash,
            page: number as u32,
            pages,
            entries: entries.to_vec(),
            before: moment.before.clone(),
            root: moment.root,
            buckets,
        };
        signer.seal(&page).0
    };
    chunks.iter().enumerate().map(page).collect()
}

/// Cut into runs that fit a page each; one empty run when there is nothing.
fn paged(entries: &[DirectiveEntry]) -> Vec<&[DirectiveEntry]> {
    let mut chunks = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, entry) in entries.iter().enumerate() {
        let length = minicbor::to_vec(entry).map_or(PAGE_BYTES, |bytes| bytes.len());
        if at > from && (bytes + length > PAGE_BYTES || at - from == ENTRIES_PER_PAGE) {
            chunks.push(&entries[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += length;
    }
    chunks.push(&entries[from..]);
    chunks
}

/// The answer to a lease request that was verified: whoever holds the set with this root at this head may release on it for
/// `ttl_ms`.
pub fn seal_grant(signer: &Signer, request: LeaseRequest, head: &Head, root: Digest, ttl_ms: u64) -> Vec<u8> {
    let grant = LeaseGrant {
        site: request.site,
        edge: request.edge,
        epoch: head.epoch,
        revision: head.revision,
        head_hash: head.hash,
        nonce: request.nonce,
        ttl_ms,
        root,
    };
    signer.seal(&grant).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive::{ActionCode, Directive, DirectiveStatus, Window};
    use crate::ids::{Epoch, MovementId, PassageId, UtcMillis};
    use crate::wire::{RecordKind, TrustStore, Verified};

    fn longest_entry() -> DirectiveEntry {
        DirectiveEntry {
            directive: Directive {
                movement: "m".repeat(64).parse().unwrap(),
                mark: "粤".repeat(10).parse().unwrap(),
                mainland_mark: Some("港".repeat(10).parse().unwrap()),
                action: ActionCode::Release,
                window: Window { from: UtcMillis(i64::MAX - 1), until: UtcMillis(i64::MAX) },
                more: None,
            },
            status: DirectiveStatus::Used { passage: PassageId([255; 16]) },
            revision: Revision(u64::MAX),
        }
    }

    #[test]
    fn pages_of_the_longest_entries_fit_in_48_kib() {
        let signer = Signer::from_secret(&[1; 32]);
        let head = Head { epoch: Epoch(u64::MAX), revision: Revision(u64::MAX), hash: Digest([255; 32]) };
        let site = "s".repeat(64).parse().unwrap();
        let moment = Moment { head, root: Digest([255; 32]), before: vec![head; EPOCHS_BEFORE] };
        let mut entries = vec![longest_entry(); 450];
        entries[7].directive.more = crate::directive::Untold::of(&"x".repeat(900));
        let pages = seal_snapshot(&signer, &site, &moment, BucketSet::ALL, &entries);
        assert!(pages.len() > 1);
        assert!(pages.iter().all(|p| p.len() <= 48 * 1024), "{}", pages[0].len());
        assert_eq!(seal_snapshot(&signer, &site, &moment, BucketSet::NONE, &[]).len(), 1);
    }

    #[test]
    fn ops_for_another_movement_of_the_same_vehicle_change_nothing() {
        let directive = longest_entry().directive;
        let (mark, movement) = (directive.mark.clone(), directive.movement.clone());
        let other: MovementId = "another".parse().unwrap();
        let (mut set, mut buckets) = (DirectiveSet::new(), Buckets::default());
        let status = |set: &DirectiveSet| set[&mark].status;
        apply(&mut set, &mut buckets, &[DirectiveOp::Put(directive)], Revision(1));
        assert_eq!(status(&set), DirectiveStatus::Active);
        let passage = PassageId([1; 16]);
        apply(
            &mut set,
            &mut buckets,
            &[DirectiveOp::Use { movement: other, mark: mark.clone(), passage }],
            Revision(2),
        );
        assert_eq!(status(&set), DirectiveStatus::Active);
        apply(
            &mut set,
            &mut buckets,
            &[DirectiveOp::Use { movement, mark: mark.clone(), passage }],
            Revision(3),
        );
        assert_eq!(status(&set), DirectiveStatus::Used { passage });
        assert_eq!(buckets, Buckets::of(set.values()));
    }

    #[test]
    fn each_delta_names_the_hash_of_the_one_before() {
        let signer = Signer::from_secret(&[1; 32]);
        let trust = TrustStore::new().trusting(signer.public(), &RecordKind::CENTRAL);
        let site = "site".parse().unwrap();
        let first = seal_delta(&signer, &site, &Head::default(), vec![]);
        let second = seal_delta(&signer, &site, &first.head, vec![]);
        let second: Verified<Delta> = trust.open(&second.bytes).unwrap();
        assert_eq!(second.record().prev_hash, trust.open::<Delta>(&first.bytes).unwrap().hash());
        assert_eq!(second.record().revision, Revision(2));
    }
}
