//! What happened to a consignment or a crossing, as everybody concerned is told: feed, webhooks, e-mail, SMS.

use clearance::ids::UtcMillis;
use serde::{Deserialize, Serialize};

use super::movement::MovementStatus;
use super::trader::{Caller, TraderId};
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
    /// A webhook that failed for days, or is gone, is told nothing more until it is replayed.
    WebhookPaused {
        /// Which.
        webhook: String,
    },
}

/// Who has done what is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doer {
    /// Of which company of the trade; empty: customs, a lane or central itself.
    pub trader: String,
    /// Sign-in name or system; empty where nobody of the trade did it.
    pub who: String,
}

impl Doer {
    /// Nobody of the trade: customs, a lane, central itself. The trade is never told which officer it was.
    pub fn authority() -> Self {
        Self::default()
    }

    /// Somebody of the trade.
    pub fn of(caller: &Caller) -> Self {
        Self { trader: caller.trader.to_string(), who: caller.who.clone() }
    }

    /// Whether it was somebody of this company.
    pub fn is_of(&self, trader: &TraderId) -> bool {
        self.trader == trader.as_str()
    }
}

/// What news is about: by this a company chooses who is told what.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A consignment was lodged.
    Lodged,
    /// It was amended.
    Amended,
    /// It was taken back.
    ConsignmentCancelled,
    /// A vehicle was bundled.
    Bundled,
    /// Consignments, place or time of a movement were changed.
    Rebundled,
    /// A consignment lost its vehicle.
    Unbundled,
    /// Another vehicle takes over.
    Swapped,
    /// It is assessed again.
    Reassessed,
    /// It stands elsewhere now.
    Status,
    /// The driver is told where to report.
    Report,
    /// A seal.
    Seal,
    /// A webhook is paused.
    WebhookPaused,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Lodged,
        Self::Amended,
        Self::ConsignmentCancelled,
        Self::Bundled,
        Self::Rebundled,
        Self::Unbundled,
        Self::Swapped,
        Self::Reassessed,
        Self::Status,
        Self::Report,
        Self::Seal,
        Self::WebhookPaused,
    ];

    /// What somebody must act on.
    pub const TO_ACT_ON: [Self; 7] = [
        Self::ConsignmentCancelled,
        Self::Unbundled,
        Self::Swapped,
        Self::Reassessed,
        Self::Report,
        Self::Seal,
        Self::WebhookPaused,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lodged => "lodged",
            Self::Amended => "amended",
            Self::ConsignmentCancelled => "consignment_cancelled",
            Self::Bundled => "bundled",
            Self::Rebundled => "rebundled",
            Self::Unbundled => "unbundled",
            Self::Swapped => "swapped",
            Self::Reassessed => "reassessed",
            Self::Status => "status",
            Self::Report => "report",
            Self::Seal => "seal",
            Self::WebhookPaused => "webhook_paused",
        }
    }
}

impl News {
    /// What it is about, as closely as can be told.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Lodged => Topic::Lodged,
            Self::Amended { .. } => Topic::Amended,
            Self::ConsignmentCancelled => Topic::ConsignmentCancelled,
            Self::Bundled { .. } => Topic::Bundled,
            Self::Rebundled { .. } => Topic::Rebundled,
            Self::Unbundled { .. } => Topic::Unbundled,
            Self::Swapped { .. } => Topic::Swapped,
            Self::Reassessed { .. } => Topic::Reassessed,
            Self::Status { report: Some(_), .. } => Topic::Report,
            Self::Status { report: None, .. } => Topic::Status,
            Self::Seal { .. } => Topic::Seal,
            Self::WebhookPaused { .. } => Topic::WebhookPaused,
        }
    }

    /// Whether somebody who asked for these topics is told. Whoever asks for every status is told of reports, too.
    pub fn is_of(&self, topics: &[Topic]) -> bool {
        let topic = self.topic();
        topics.contains(&topic) || (topic == Topic::Report && topics.contains(&Topic::Status))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_tells_where_to_report_is_a_report_and_a_status() {
        let status = |report| News::Status {
            movement: "m-1".to_owned(),
            status: MovementStatus::Directed,
            report,
            earliest: None,
        };
        assert!(status(Some(Report::Inspection)).is_of(&[Topic::Report]));
        assert!(status(Some(Report::Inspection)).is_of(&[Topic::Status]));
        assert!(status(None).is_of(&[Topic::Status]));
        assert!(!status(None).is_of(&[Topic::Report]));
        assert!(!News::Lodged.is_of(&Topic::TO_ACT_ON));
    }

    #[test]
    fn topics_are_typed_as_they_are_named() {
        for topic in Topic::ALL {
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.name());
        }
    }
}
