//! The records that carry directives from central to the lanes. The rules are in `docs/design/replication.md`.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::directive::{Directive, DirectiveEntry, DirectiveStatus};
use crate::ids::{
    Digest, EdgeId, Epoch, MovementId, Nonce, OfficerId, PassageId, Revision, SiteId, UtcMillis,
};
use crate::mark::RegistrationMark;
use crate::merkle::BucketSet;
use crate::wire::PublicKey;

/// One change to the set of directives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum DirectiveOp {
    /// A new directive for its mark; it replaces the mark's earlier one.
    #[n(0)]
    Put(#[n(0)] Directive),
    /// The directive of this movement no longer counts. A tombstone: it stays until replaced.
    #[n(1)]
    Revoke {
        /// The movement.
        #[n(0)]
        movement: MovementId,
        /// Its Hong Kong mark.
        #[n(1)]
        mark: RegistrationMark,
    },
    /// A passage somewhere has used the directive of this movement.
    #[n(2)]
    Use {
        /// The movement.
        #[n(0)]
        movement: MovementId,
        /// Its Hong Kong mark.
        #[n(1)]
        mark: RegistrationMark,
        /// The passage.
        #[n(2)]
        passage: PassageId,
    },
}

impl DirectiveOp {
    /// The Hong Kong mark whose directive changes.
    pub fn mark(&self) -> &RegistrationMark {
        match self {
            Self::Put(directive) => &directive.mark,
            Self::Revoke { mark, .. } | Self::Use { mark, .. } => mark,
        }
    }

    /// The entry of this mark after the change, given the one before; `None` when nothing changes. The one meaning of
    /// an op, for central and for every lane.
    pub fn applied(&self, before: Option<&DirectiveEntry>, revision: Revision) -> Option<DirectiveEntry> {
        let changed = |movement: &MovementId, status| {
            before.filter(|entry| entry.directive.movement == *movement).map(|entry| DirectiveEntry {
                directive: entry.directive.clone(),
                status,
                revision,
            })
        };
        match self {
            Self::Put(directive) => Some(DirectiveEntry {
                directive: directive.clone(),
                status: DirectiveStatus::Active,
                revision,
            }),
            Self::Revoke { movement, .. } => changed(movement, DirectiveStatus::Revoked),
            Self::Use { movement, passage, .. } => {
                changed(movement, DirectiveStatus::Used { passage: *passage })
            }
        }
    }
}

/// Where a history stands: the last delta and its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Head {
    /// The history.
    #[n(0)]
    pub epoch: Epoch,
    /// Its last revision; 0 before the first.
    #[n(1)]
    pub revision: Revision,
    /// Hash of that delta; all zero before the first.
    #[n(2)]
    pub hash: Digest,
}

/// One revision of a site's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Delta {
    /// The site; a record for another is refused.
    #[n(0)]
    pub site: SiteId,
    /// The history.
    #[n(1)]
    pub epoch: Epoch,
    /// Dense, from 1.
    #[n(2)]
    pub revision: Revision,
    /// Hash of the delta before (its signed payload); all zero before the first.
    #[n(3)]
    pub prev_hash: Digest,
    /// What changes.
    #[n(4)]
    pub ops: Vec<DirectiveOp>,
}

/// Part of the set at one revision: of all of it, or of those buckets in which the asking edge differs. Pages are numbered
/// from 0 to `pages` - 1; an empty set has one page. Each page is signed and says of which whole it is a part, so a manifest
/// apart would say nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct SnapshotPage {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The history.
    #[n(1)]
    pub epoch: Epoch,
    /// The revision all pages are at.
    #[n(2)]
    pub revision: Revision,
    /// Hash of the delta with that revision.
    #[n(3)]
    pub head_hash: Digest,
    /// This page.
    #[n(4)]
    pub page: u32,
    /// How many there are.
    #[n(5)]
    pub pages: u32,
    /// Its directives, of no other buckets than `buckets`.
    #[n(6)]
    pub entries: Vec<DirectiveEntry>,
    /// How the epochs before ended, newest first: what an edge may have seen at most to follow into this one.
    #[n(7)]
    pub before: Vec<Head>,
    /// Root of the whole set ([`crate::merkle`]) at that revision.
    #[n(8)]
    pub root: Digest,
    /// The buckets whose entries these pages are, all of them; the others are as the asking edge has said it holds them.
    #[n(9)]
    pub buckets: BucketSet,
}

/// An edge asks to be vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct LeaseRequest {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// Who asks.
    #[n(1)]
    pub edge: EdgeId,
    /// Random; the grant must repeat it.
    #[n(2)]
    pub nonce: Nonce,
}

/// Central vouches: whoever holds exactly this head may release on it for `ttl_ms` from the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct LeaseGrant {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// For whom.
    #[n(1)]
    pub edge: EdgeId,
    /// The history.
    #[n(2)]
    pub epoch: Epoch,
    /// Central's head.
    #[n(3)]
    pub revision: Revision,
    /// Its hash.
    #[n(4)]
    pub head_hash: Digest,
    /// Of the request.
    #[n(5)]
    pub nonce: Nonce,
    /// Milliseconds, from when the request was sent, on the edge's monotonic clock.
    #[n(6)]
    pub ttl_ms: u64,
    /// Root of the set at that head ([`crate::merkle`]): an edge whose own differs has no lease and mends itself first.
    #[n(7)]
    pub root: Digest,
}

/// Central signs with another key from now on. Signed with the one before; a new epoch goes with it, so that whatever an
/// edge is given afterwards bears the new signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeyRotation {
    /// Numbers the rotations of a central from 1.
    #[n(0)]
    pub serial: u64,
    /// The key that is believed from now on.
    #[n(1)]
    pub next: PublicKey,
    /// The first epoch that it signs: of the one before, nothing is believed any more.
    #[n(2)]
    pub epoch: Epoch,
    /// When.
    #[n(3)]
    pub at: UtcMillis,
}

/// An officer has looked at a contradiction and accepts central's newer history: the edge may enter that epoch though it does
/// not hold what the edge has seen. The only way out of a quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct ForkAccepted {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The edge.
    #[n(1)]
    pub edge: EdgeId,
    /// The epoch that may be entered; later than the one that was left.
    #[n(2)]
    pub epoch: Epoch,
    /// Who.
    #[n(3)]
    pub officer: OfficerId,
    /// Why, in the officer's words.
    #[n(4)]
    pub reason: String,
    /// When.
    #[n(5)]
    pub at: UtcMillis,
}
