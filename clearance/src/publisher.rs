//! Central's side of replication, without I/O: the next delta of a log, what it does to the set, and the pages of a
//! snapshot.

use std::collections::BTreeMap;

use crate::directive::DirectiveEntry;
use crate::ids::{Digest, Revision, SiteId};
use crate::mark::RegistrationMark;
use crate::replicate::{Delta, DirectiveOp, Head, SnapshotPage};
use crate::wire::Signer;

/// Directives in one page: fewer than 240 bytes each, so that a page stays below 48 KiB, which Zenoh carries whole.
pub const ENTRIES_PER_PAGE: usize = 200;

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

/// Change the set as the delta with this revision says. Edges do the same (see [`DirectiveOp::applied`]).
pub fn apply(set: &mut DirectiveSet, ops: &[DirectiveOp], revision: Revision) {
    for op in ops {
        if let Some(entry) = op.applied(set.get(op.mark()), revision) {
            set.insert(op.mark().clone(), entry);
        }
    }
}

/// The whole set at `head` as signed pages; one empty page for an empty set.
pub fn seal_snapshot(
    signer: &Signer,
    site: &SiteId,
    head: &Head,
    entries: &[DirectiveEntry],
    prev_head: Option<(Revision, Digest)>,
) -> Vec<Vec<u8>> {
    let chunks: Vec<&[DirectiveEntry]> =
        if entries.is_empty() { vec![&[]] } else { entries.chunks(ENTRIES_PER_PAGE).collect() };
    let pages = chunks.len() as u32;
    let page = |(number, entries): (usize, &&[DirectiveEntry])| {
        let page = SnapshotPage {
            site: site.clone(),
            epoch: head.epoch,
            revision: head.revision,
            head_hash: head.hash,
            page: number as u32,
            pages,
            entries: entries.to_vec(),
            prev_head,
        };
        signer.seal(&page).0
    };
    chunks.iter().enumerate().map(page).collect()
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
        let prev = Some((Revision(u64::MAX), Digest([255; 32])));
        let pages = seal_snapshot(&signer, &site, &head, &vec![longest_entry(); 450], prev);
        assert_eq!(pages.len(), 3);
        assert!(pages.iter().all(|p| p.len() <= 48 * 1024), "{}", pages[0].len());
        assert_eq!(seal_snapshot(&signer, &site, &head, &[], None).len(), 1);
    }

    #[test]
    fn ops_for_another_movement_of_the_same_vehicle_change_nothing() {
        let directive = longest_entry().directive;
        let (mark, movement) = (directive.mark.clone(), directive.movement.clone());
        let other: MovementId = "another".parse().unwrap();
        let mut set = DirectiveSet::new();
        let status = |set: &DirectiveSet| set[&mark].status;
        apply(&mut set, &[DirectiveOp::Put(directive)], Revision(1));
        assert_eq!(status(&set), DirectiveStatus::Active);
        let passage = PassageId([1; 16]);
        apply(&mut set, &[DirectiveOp::Use { movement: other, mark: mark.clone(), passage }], Revision(2));
        assert_eq!(status(&set), DirectiveStatus::Active);
        apply(&mut set, &[DirectiveOp::Use { movement, mark: mark.clone(), passage }], Revision(3));
        assert_eq!(status(&set), DirectiveStatus::Used { passage });
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
