//! What happened to a consignment or a crossing, as everybody concerned is told: feed, webhooks, e-mail, SMS.

use clearance::ids::UtcMillis;
use serde::{Deserialize, Serialize};

use super::movement::MovementStatus;
use crate::ccrn::Ccrn;

/// Where a driver reports, and for what; never why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Go on.
    Proceed,
    /// Documents are looked at.
    Documents,
    /// The cargo is looked at.
    Inspection,
    /// An escort goes along.
    Escort,
    /// Wait for an officer.
    Wait,
}

/// A piece of news. Nothing in it tells why customs decided as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum News {
    /// A consignment was lodged.
    Lodged,
    /// It was amended.
    Amended {
        /// Its version now.
        version: u32,
    },
    /// It was taken back.
    ConsignmentCancelled,
    /// A vehicle was bundled with consignments, or declared empty.
    Bundled {
        /// The movement.
        movement: String,
        /// The vehicle.
        mark: String,
    },
    /// Consignments were added or taken away, or place or time changed.
    Rebundled {
        /// The movement.
        movement: String,
        /// Its version now.
        version: u32,
    },
    /// A consignment travels with no vehicle any more.
    Unbundled {
        /// With which it did.
        movement: String,
    },
    /// Another vehicle takes over.
    Swapped {
        /// The movement.
        movement: String,
        /// The vehicle of before.
        from: String,
        /// The vehicle now.
        to: String,
    },
    /// Something that it carries was amended, so it is assessed again.
    Reassessed {
        /// The movement.
        movement: String,
        /// Which consignment, if one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        ccrn: Option<Ccrn>,
    },
    /// It stands elsewhere now.
    Status {
        /// The movement.
        movement: String,
        /// Where.
        status: MovementStatus,
        /// Where the driver reports, once that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<Report>,
        /// The earliest moment at which it may cross, once assessed (milliseconds since 1970).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>)]
        earliest: Option<UtcMillis>,
    },
    /// A seal was put on, or reported broken or missing.
    Seal {
        /// Its number.
        seal: String,
        /// How it is.
        state: SealState,
    },
}

/// How a seal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealState {
    /// As it was put on.
    Intact,
    /// Broken or tampered with.
    Broken,
    /// Not there.
    Missing,
}

impl SealState {
    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Broken => "broken",
            Self::Missing => "missing",
        }
    }

    /// As it was stored or typed.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Intact, Self::Broken, Self::Missing].into_iter().find(|s| s.name() == name)
    }
}
