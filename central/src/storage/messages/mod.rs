//! Who is told, and how far: contacts, webhooks, deliveries.
//!
//! Invariants
//! - what was reached in the feed was tried at least once, or nobody wanted it; what was tried has a row that says what came of it;
//! - an address is served by the central that has leased it, and by no other until the lease is over; whatever a person changes about
//!   an address ends the lease;
//! - a delivery that rolls off before it was made has failed, and is shown as such.

mod contacts;
mod deliveries;
mod rolled;
mod wanted;
mod webhooks;

pub(crate) use contacts::PutContact;
pub use contacts::{AddressRow, CompanyRow};
pub(crate) use deliveries::{Claim, Leased, Outcome, Record, Release, Tried};
pub use deliveries::{DeliveryRow, DeliveryState};
pub(crate) use wanted::Wanted;
pub(crate) use webhooks::{AddWebhook, PauseWebhook, RemoveWebhook, Replay, ReplayOne, RollSecret};
pub use webhooks::{WebhookRow, WebhookState};

use serde::Serialize;

use super::{StorageError, data};
use crate::trade::Topic;

/// A way by which news leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A request to a company's system.
    Webhook,
    /// An e-mail.
    Email,
    /// An SMS.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Email, Self::Sms];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    fn of_name(name: &str) -> Result<Self, StorageError> {
        let known = Self::ALL.into_iter().find(|channel| channel.name() == name);
        known.ok_or_else(|| data(format!("{name} is no way by which news leaves")))
    }
}

fn topics(text: &str) -> Result<Vec<Topic>, StorageError> {
    serde_json::from_str(text).map_err(data)
}

fn stored(topics: &[Topic]) -> Result<String, StorageError> {
    serde_json::to_string(topics).map_err(data)
}
