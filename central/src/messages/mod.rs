//! Everybody concerned is told: by webhooks, e-mail and SMS. See `docs/design/declarations.md`.
//!
//! Whatever is sent comes from the feed, which was written in the transaction of the change; nothing is written there for whoever is
//! told. Each address reads the feed at its own pace.

mod attempt;
pub(crate) mod config;
mod courier;
mod mail;
mod outlets;
pub(crate) mod receiver;
mod schedule;
mod signature;
mod sms;
mod text;
mod webhook;

pub use config::{MessagesConfig, SmsConfig, SmtpConfig, SmtpTls, WebhooksConfig};
pub(crate) use courier::{deliver, sealed_for};
pub use outlets::Outlets;
pub(crate) use outlets::{Made, ReplayFrom};
pub use signature::Secret;

use mail::Mail;
use sms::Sms;
use webhook::Webhooks;

use crate::portal::PortalConfig;
use crate::storage::messages::Channel;

/// The ways by which news leaves, opened.
pub struct Channels {
    webhooks: Option<Webhooks>,
    mail: Option<Mail>,
    sms: Option<Sms>,
    /// Where pages are, if that was said; no slash at its end.
    origin: Option<String>,
}

impl Channels {
    /// Open the ways that a configuration names; reads their files. What is sent links to the pages of `portal`, as far as it says
    /// where they are.
    pub fn open(config: &MessagesConfig, portal: &PortalConfig) -> anyhow::Result<Self> {
        crate::choose_cryptography();
        Ok(Self {
            webhooks: config.webhooks.map(Webhooks::open).transpose()?,
            mail: config.smtp.as_ref().map(Mail::open).transpose()?,
            sms: config.sms.as_ref().map(Sms::open).transpose()?,
            origin: portal.origin.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// Whether a way is open.
    pub fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Webhook => self.webhooks.is_some(),
            Channel::Email => self.mail.is_some(),
            Channel::Sms => self.sms.is_some(),
        }
    }

    /// What sends to webhooks, if that way is open.
    pub(crate) fn webhooks(&self) -> Option<&Webhooks> {
        self.webhooks.as_ref()
    }

    /// The ways that are open.
    fn open_ones(&self) -> Vec<Channel> {
        Channel::ALL.into_iter().filter(|&channel| self.has(channel)).collect()
    }
}
