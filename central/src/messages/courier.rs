//! Sends the news on. Every central has a courier; which of them serves an address is settled in the store, by a lease that is over by
//! itself when a central dies. An address is served by one visit at a time, in the order of the feed; addresses are served beside
//! each other, so that one that is slow keeps nobody else waiting, and no company takes all the places.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clearance::ids::UtcMillis;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::attempt::{Attempt, Failure};
use super::schedule::{self, Chance};
use super::signature::Secret;
use super::sms::Order;
use super::text::Reader;
use super::webhook::Message;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::messages::{Channel, Claim, Leased, Outcome, Record, Release, Tried};
use crate::storage::trade::EventRow;
use crate::words::Language;

/// How often it is looked for what is to be sent.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Addresses that one central serves at the same time.
const AT_ONCE: usize = 64;

/// Of these, addresses of one company.
const OF_A_COMPANY: usize = 4;

/// For how long an address is leased, milliseconds: a visit, the last attempt of it, and room for clocks that differ.
const LEASE_MS: i64 = 40_000;

/// For how long a visit begins attempts.
const VISIT: Duration = Duration::from_secs(12);

/// What one attempt may take, whatever the way.
const ATTEMPT: Duration = Duration::from_secs(15);

/// News that is read at once.
const PAGE: u32 = 100;

/// Send the news on, for as long as central runs.
pub(crate) async fn deliver(state: AppState) {
    let courier = Courier { state, places: Places::default() };
    let mut visits = JoinSet::new();
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            Some(more) = visits.join_next() => if !matches!(more, Ok(true)) { continue },
        }
        if let Err(error) = courier.set_out(&mut visits).await {
            tracing::error!(%error, "news waits to be sent on");
        }
    }
}

#[derive(Clone)]
struct Courier {
    state: AppState,
    places: Places,
}

impl Courier {
    /// Begin visits wherever something is to be told, as far as there is room.
    async fn set_out(&self, visits: &mut JoinSet<bool>) -> Result<(), StorageError> {
        let (open, at) = (self.state.channels.open_ones(), self.state.clock.now());
        let room = AT_ONCE.saturating_sub(visits.len());
        if open.is_empty() || room == 0 {
            return Ok(());
        }
        let mut chosen = BTreeMap::new();
        for (id, trader) in self.state.store.to_be_told(at, &open).await? {
            if chosen.len() == room {
                break;
            }
            if let Some(place) = self.places.take(trader) {
                chosen.insert(id, place);
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        let (ids, until) = (chosen.keys().cloned().collect(), at.plus_millis(LEASE_MS));
        // Of this claim alone: what an earlier one of ours was, somebody may have ended.
        let by = uuid::Uuid::new_v4().to_string();
        let claim = Claim { ids, by: by.clone(), at, until };
        for leased in self.state.store.change(claim).await? {
            let Some(place) = chosen.remove(&leased.id) else { continue };
            let visit = Visit { courier: self.clone(), by: by.clone(), began: Instant::now(), leased };
            visits.spawn(async move {
                let more = visit.run().await;
                drop(place);
                more
            });
        }
        Ok(())
    }
}

/// How many addresses of each company are being served.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<BTreeMap<String, usize>>>);

impl Places {
    fn take(&self, company: String) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(company.clone()).or_default();
        if *count >= OF_A_COMPANY {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), company })
    }
}

/// A place of a company, given back when it is dropped.
struct Place {
    places: Places,
    company: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.company) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.company);
            }
        }
    }
}

/// Why a visit ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything was told.
    Told,
    /// Its time is over, and there is more.
    Late,
    /// Nothing is sent there for a while.
    Failing,
    /// Somebody else has the address now.
    Lost,
}

/// One address being served.
struct Visit {
    courier: Courier,
    /// By which the lease is known.
    by: String,
    began: Instant,
    leased: Leased,
}

impl Visit {
    /// Tell what there is to tell; whether there is more.
    async fn run(mut self) -> bool {
        let end = match self.tell_all().await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(%error, address = self.leased.id, "what was sent is not noted; it may be sent again");
                End::Failing
            }
        };
        if end != End::Lost {
            let (outlet, by) = (self.leased.id.clone(), self.by.clone());
            let release = Release { outlet, by, reached: self.leased.reached };
            if let Err(error) = self.courier.state.store.change(release).await {
                tracing::warn!(%error, address = self.leased.id, "the address is free when its lease is over");
            }
        }
        end == End::Late
    }

    async fn tell_all(&mut self) -> Result<End, StorageError> {
        let store = self.courier.state.store.clone();
        loop {
            let retried = store.to_be_retried(&self.leased.id, self.now()).await?;
            let end = if retried.is_empty() {
                let news = store.news(&self.leased.trader, self.leased.reached, PAGE).await?;
                if news.is_empty() {
                    return Ok(End::Told);
                }
                self.tell_news(news).await?
            } else {
                self.tell_again(retried).await?
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    async fn tell_again(&mut self, retried: Vec<Tried>) -> Result<Option<End>, StorageError> {
        for tried in retried {
            let event = self.courier.state.store.piece_of_news(&self.leased.trader, tried.seq).await?;
            // Rolled off meanwhile: noted as failed in the same transaction.
            let Some(event) = event else { continue };
            if let Some(end) = self.tell(&event, Some(tried)).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn tell_news(&mut self, news: Vec<EventRow>) -> Result<Option<End>, StorageError> {
        for event in news {
            if self.wants(&event)
                && let Some(end) = self.tell(&event, None).await?
            {
                return Ok(Some(end));
            }
            self.leased.reached = self.leased.reached.max(event.seq);
        }
        Ok(None)
    }

    /// Whether an address is told of something. What people are sent days later is of no use: the way was closed meanwhile.
    fn wants(&self, event: &EventRow) -> bool {
        let late = self.now().0 - event.at > schedule::TRIED_MS;
        let leased = &self.leased;
        leased.wanted.takes((&leased.trader, &leased.address), &event.news, &event.by)
            && (leased.wanted.channel == Channel::Webhook || !late)
    }

    /// Tell one piece of news and note what came of it.
    async fn tell(&mut self, event: &EventRow, tried: Option<Tried>) -> Result<Option<End>, StorageError> {
        if self.began.elapsed() > VISIT {
            return Ok(Some(End::Late));
        }
        let sent = tokio::time::timeout(ATTEMPT, self.send(event)).await;
        let attempt = sent.unwrap_or_else(|_| Attempt::Failed(Failure::said(None, "it took too long")));
        let record = self.judge(event.seq, attempt, tried);
        let (pause, failed) = (record.pause, matches!(record.outcome, Outcome::Failed { .. }));
        if !self.courier.state.store.change(record).await? {
            return Ok(Some(End::Lost));
        }
        if pause {
            tracing::warn!(webhook = self.leased.id, company = %self.leased.trader, "a webhook is paused");
        }
        if failed {
            return Ok(Some(End::Failing));
        }
        (self.leased.failures, self.leased.failing_since) = (0, None);
        Ok(None)
    }

    /// What becomes of a delivery, and of the address.
    fn judge(&self, seq: i64, attempt: Attempt, tried: Option<Tried>) -> Record {
        let (now, chance) = (self.now(), Chance(rand::random()));
        let attempts = tried.map_or(0, |tried| tried.attempts as u32) + 1;
        let first = tried.map_or(now, |tried| UtcMillis(tried.first_at));
        let gone = matches!(attempt, Attempt::Gone(_));
        let (outcome, retry) = match attempt {
            Attempt::Delivered(status) => {
                (Outcome::Delivered { status, outage: self.leased.failures >= schedule::OUTAGE }, None)
            }
            Attempt::Failed(Failure { status, why }) => {
                let next = schedule::next_try(attempts, first, now, chance);
                (Outcome::Failed { status, why, next }, next)
            }
            Attempt::Refused(Failure { status, why }) | Attempt::Gone(Failure { status, why }) => {
                (Outcome::Failed { status, why, next: None }, None)
            }
        };
        let failed = matches!(outcome, Outcome::Failed { .. });
        let given_up = failed && schedule::is_given_up(self.leased.failing_since.unwrap_or(now), now);
        Record {
            outlet: self.leased.id.clone(),
            by: self.by.clone(),
            seq,
            outcome,
            resume: if failed { schedule::resume(self.leased.failures + 1, retry, now, chance) } else { now },
            pause: self.leased.wanted.channel == Channel::Webhook && (gone || given_up),
            at: now,
        }
    }

    async fn send(&self, event: &EventRow) -> Attempt {
        let id = format!("e-{}-{}", event.seq, event.at);
        let sent = match self.leased.wanted.channel {
            Channel::Webhook => self.send_to_webhook(event, id).await,
            Channel::Email => self.send_by_mail(event, &id).await,
            Channel::Sms => self.send_by_sms(event, &id).await,
        };
        sent.unwrap_or_else(Attempt::Failed)
    }

    async fn send_to_webhook(&self, event: &EventRow, id: String) -> Result<Attempt, Failure> {
        let webhooks = self.courier.state.channels.webhooks.as_ref().ok_or_else(closed)?;
        let sealed_for = sealed_for(&self.leased.id);
        let unsealed =
            self.leased.secrets.iter().map(|sealed| self.courier.state.vault.unseal(&sealed_for, sealed));
        let secrets: Vec<Secret> = unsealed
            .map(|secret| secret.map(Secret::of))
            .collect::<Result<_, _>>()
            .map_err(|e| Failure::new(None, &e))?;
        let message = Message {
            url: &self.leased.address,
            secrets: &secrets,
            id,
            seconds: self.now().0 / 1000,
            sandbox: self.leased.sandbox,
            event,
        };
        Ok(webhooks.send(message).await)
    }

    async fn send_by_mail(&self, event: &EventRow, id: &str) -> Result<Attempt, Failure> {
        let mail = self.courier.state.channels.mail.as_ref().ok_or_else(closed)?;
        let letter = self.reader(self.language().await?).letter(event);
        Ok(mail.send(&self.leased.address, id, UtcMillis(event.at), &letter).await)
    }

    async fn send_by_sms(&self, event: &EventRow, id: &str) -> Result<Attempt, Failure> {
        let sms = self.courier.state.channels.sms.as_ref().ok_or_else(closed)?;
        let text = self.reader(self.language().await?).sms(event);
        // One message goes to one number.
        let id = format!("{id}.{}", self.leased.id);
        Ok(sms.send(&Order { to: &self.leased.address, text, id }).await)
    }

    /// In which language the company is told now.
    async fn language(&self) -> Result<Language, Failure> {
        let company = self.courier.state.store.company(&self.leased.trader).await;
        let company = company.map_err(|e| Failure::new(None, &e))?;
        Ok(company.and_then(|row| Language::of_tag(&row.contact.language)).unwrap_or(Language::English))
    }

    fn reader(&self, language: Language) -> Reader<'_> {
        Reader {
            language,
            company: &self.leased.company,
            sandbox: self.leased.sandbox,
            zone: self.courier.state.operations.place().zone.clone(),
            origin: self.courier.state.channels.origin.as_deref(),
        }
    }

    fn now(&self) -> UtcMillis {
        self.courier.state.clock.now()
    }
}

fn closed() -> Failure {
    Failure::said(None, "this central does not send that way")
}

/// For what the secret of a webhook is sealed.
pub(crate) fn sealed_for(webhook: &str) -> String {
    format!("webhook/{webhook}")
}
