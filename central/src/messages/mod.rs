//! Everybody concerned is told: by webhooks, e-mail and SMS. See `docs/design/declarations.md`.
//!
//! Whatever is sent comes from the feed, which was written in the transaction of the change; nothing is written there for whoever is
//! told. Each address reads the feed at its own pace.

mod attempt;
mod config;
mod courier;
mod mail;
pub(crate) mod receiver;
mod schedule;
mod signature;
mod sms;
mod text;
mod webhook;

pub use config::{MessagesConfig, SmsConfig, SmtpConfig, SmtpTls, WebhooksConfig};
pub(crate) use courier::{deliver, sealed_for};
pub use signature::Secret;

use mail::Mail;
use sms::Sms;
use webhook::Webhooks;

use crate::storage::messages::Channel;

/// The ways by which news leaves, opened.
pub struct Channels {
    webhooks: Option<Webhooks>,
    mail: Option<Mail>,
    sms: Option<Sms>,
    /// Where pages are; no slash at its end.
    public_url: Option<String>,
}

impl Channels {
    /// Open the ways that a configuration names; reads their files.
    pub fn open(config: &MessagesConfig) -> anyhow::Result<Self> {
        crate::choose_cryptography();
        Ok(Self {
            webhooks: config.webhooks.map(Webhooks::open).transpose()?,
            mail: config.smtp.as_ref().map(Mail::open).transpose()?,
            sms: config.sms.as_ref().map(Sms::open).transpose()?,
            public_url: config.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
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
