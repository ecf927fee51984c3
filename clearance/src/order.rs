//! An officer's order for one passage, signed by central on that officer's behalf.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::directive::ActionCode;
use crate::ids::{LaneId, Nonce, OfficerId, PassageId, SiteId, UtcMillis};

/// How long an order stands (choice): an officer decides about the vehicle that is there now.
pub const ORDER_LIFETIME_MS: i64 = 30_000;

/// What the officer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Treat the vehicle as this code says.
    #[n(0)]
    Act(#[n(0)] ActionCode),
    /// Take the earlier order back: refer the vehicle again.
    #[n(1)]
    Withdraw,
}

/// One order, good for one passage at one lane, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Order {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The lane.
    #[n(1)]
    pub lane: LaneId,
    /// The passage; no other vehicle.
    #[n(2)]
    pub passage: PassageId,
    /// What to do.
    #[n(3)]
    pub verdict: Verdict,
    /// Who says so.
    #[n(4)]
    pub officer: OfficerId,
    /// When it was given.
    #[n(5)]
    pub issued: UtcMillis,
    /// First moment it no longer counts.
    #[n(6)]
    pub expires: UtcMillis,
    /// Told apart by this: a repeated order is obeyed once.
    #[n(7)]
    pub nonce: Nonce,
}
