//! The records that carry directives from central to the lanes. The rules are in `docs/design/replication.md`.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::directive::{Directive, DirectiveEntry, DirectiveStatus};
use crate::ids::{Digest, EdgeId, Epoch, MovementId, Nonce, PassageId, Revision, SiteId};
use crate::mark::RegistrationMark;

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

/// Part of the whole set at one revision. Pages are numbered from 0 to `pages` - 1; an empty set has one page.
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
    /// Its directives.
    #[n(6)]
    pub entries: Vec<DirectiveEntry>,
    /// Head of the epoch before, and its revision: what an edge must have seen to follow into this epoch.
    #[n(7)]
    pub prev_head: Option<(Revision, Digest)>,
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
}
