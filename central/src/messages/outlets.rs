//! What a company does about how it is told: its contact and its webhooks. The one way in for the API and the pages, as
//! [`Operations`](crate::operations::Operations) is for declarations.

use std::sync::Arc;

use clearance::ids::UtcMillis;

use super::{Channels, Secret, sealed_for};
use crate::clock::Clock;
use crate::secrets::Vault;
use crate::storage::Store;
use crate::storage::messages::{
    AddWebhook, AddressRow, Channel, CompanyRow, DeliveryRow, DeliveryState, PauseWebhook, PutContact,
    RemoveWebhook, Replay, ReplayOne, RollSecret, WebhookRow,
};
use crate::storage::trade::{Conflict, Refused};
use crate::trade::contact::Contact;
use crate::trade::policy::{Act, Relation, trade_may};
use crate::trade::{Caller, Fault, Topic};

/// From where a webhook is told once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplayFrom {
    /// Where it stands: it goes on.
    Here,
    /// After a place in the feed.
    Place(i64),
    /// Whatever happened at this moment or later.
    Moment(UtcMillis),
}

/// A webhook whose secret was made, which is shown this once.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) secret: Secret,
}

/// Contacts and webhooks of companies.
#[derive(Clone)]
pub struct Outlets {
    store: Store,
    clock: Clock,
    channels: Arc<Channels>,
    vault: Vault,
}

impl Outlets {
    /// Over a store; `channels`: the ways that are open, `vault`: under what secrets are sealed.
    pub fn new(store: Store, clock: Clock, channels: Arc<Channels>, vault: Vault) -> Self {
        Self { store, clock, channels, vault }
    }

    /// Whether a way is open.
    pub(crate) fn is_open(&self, channel: Channel) -> bool {
        self.channels.has(channel)
    }

    /// The caller's company and its contact, and how its addresses stand.
    pub(crate) async fn company(&self, caller: &Caller) -> Result<(CompanyRow, Vec<AddressRow>), Refused> {
        may(Act::KeepOutlets)?;
        let company = self.store.company(&caller.trader).await?.ok_or(Refused::NotFound("company"))?;
        Ok((company, self.store.addresses(&caller.trader).await?))
    }

    /// Name whom the company wants told; gives the contact's version. `seen`: the version that the caller has seen.
    pub(crate) async fn put_contact(
        &self,
        caller: &Caller,
        contact: Contact,
        seen: Option<u32>,
    ) -> Result<u32, Refused> {
        may(Act::KeepOutlets)?;
        let faults = contact.faults();
        if !faults.is_empty() {
            return Err(Refused::Faults(faults));
        }
        let (caller, at) = (caller.clone(), self.clock.now());
        self.store.change(PutContact { caller, contact, seen, at }).await
    }

    /// The company's webhooks, in the order in which they were added.
    pub(crate) async fn webhooks(&self, caller: &Caller) -> Result<Vec<WebhookRow>, Refused> {
        may(Act::KeepOutlets)?;
        Ok(self.store.webhooks(&caller.trader).await?)
    }

    /// One of them.
    pub(crate) async fn webhook(&self, caller: &Caller, id: &str) -> Result<WebhookRow, Refused> {
        may(Act::KeepOutlets)?;
        self.store.webhook(&caller.trader, id).await?.ok_or(Refused::NotFound("webhook"))
    }

    /// Add a webhook, which is told of what happens from now on.
    pub(crate) async fn add(&self, caller: &Caller, url: &str, topics: Vec<Topic>) -> Result<Made, Refused> {
        may(Act::KeepOutlets)?;
        let open = self.channels.webhooks().ok_or(Refused::Standing(Conflict::NoWebhooks))?;
        let url = if url.is_empty() {
            Err(Refused::fault("/url", Fault::Required))
        } else {
            open.receiver(url).map_err(|error| Refused::fault("/url", error.into()))
        }?;
        if topics.is_empty() {
            return Err(Refused::fault("/news", Fault::NoNews));
        }
        let id = format!("w-{}", uuid::Uuid::now_v7().simple());
        let (made, secret) = self.fresh(id.clone());
        let (caller, at) = (caller.clone(), self.clock.now());
        self.store.change(AddWebhook { caller, id, url, topics, secret, at }).await?;
        Ok(made)
    }

    /// A secret, and as it is stored.
    fn fresh(&self, id: String) -> (Made, Vec<u8>) {
        let secret = Secret::fresh();
        let sealed = self.vault.seal(&sealed_for(&id), secret.bytes());
        (Made { id, secret }, sealed)
    }

    /// Take a webhook away.
    pub(crate) async fn remove(&self, caller: &Caller, id: &str) -> Result<(), Refused> {
        may(Act::KeepOutlets)?;
        let (caller, id, at) = (caller.clone(), id.to_owned(), self.clock.now());
        self.store.change(RemoveWebhook { caller, id, at }).await
    }

    /// Give a webhook another secret; the present one signs beside it for a day.
    pub(crate) async fn roll(&self, caller: &Caller, id: &str) -> Result<Made, Refused> {
        may(Act::KeepOutlets)?;
        let (made, secret) = self.fresh(id.to_owned());
        let (caller, id, at) = (caller.clone(), id.to_owned(), self.clock.now());
        self.store.change(RollSecret { caller, id, secret, at }).await?;
        Ok(made)
    }

    /// Tell a webhook nothing more, until it is replayed.
    pub(crate) async fn pause(&self, caller: &Caller, id: &str) -> Result<(), Refused> {
        may(Act::KeepOutlets)?;
        let (caller, id, at) = (caller.clone(), id.to_owned(), self.clock.now());
        self.store.change(PauseWebhook { caller, id, at }).await
    }

    /// Tell a webhook everything once more, or go on with one that is paused.
    pub(crate) async fn replay(&self, caller: &Caller, id: &str, from: ReplayFrom) -> Result<(), Refused> {
        may(Act::KeepOutlets)?;
        let after = match from {
            ReplayFrom::Here => None,
            ReplayFrom::Place(after) => Some(after),
            ReplayFrom::Moment(since) => self.store.place_before(&caller.trader, since).await?,
        };
        let (caller, id, at) = (caller.clone(), id.to_owned(), self.clock.now());
        self.store.change(Replay { caller, id, after, at }).await
    }

    /// Tell a webhook one piece of news once more, by its place in the feed.
    pub(crate) async fn replay_one(&self, caller: &Caller, id: &str, seq: i64) -> Result<(), Refused> {
        may(Act::KeepOutlets)?;
        let (caller, id, at) = (caller.clone(), id.to_owned(), self.clock.now());
        self.store.change(ReplayOne { caller, id, seq, at }).await
    }

    /// What came of what a webhook was sent, latest first, before a place in the feed.
    pub(crate) async fn deliveries(
        &self,
        caller: &Caller,
        id: &str,
        state: Option<DeliveryState>,
        before: i64,
        most: u32,
    ) -> Result<Vec<DeliveryRow>, Refused> {
        let webhook = self.webhook(caller, id).await?;
        Ok(self.store.deliveries(&webhook.id, state, before, most).await?)
    }
}

/// A company's own contact and webhooks: how somebody stands to a consignment plays no part.
fn may(act: Act) -> Result<(), Refused> {
    if trade_may(act, Relation::Stranger) { Ok(()) } else { Err(Refused::NotFound("company")) }
}
