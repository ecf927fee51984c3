//! Sending, as far as it is stored: which addresses have something to be told, who sends to them, what came of it.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::rolled::ROLLED_OFF;
use super::{Channel, Wanted};
use crate::storage::trade::EventRow;
use crate::storage::{Change, StorageError, Store, Write, data};
use crate::trade::news::Doer;
use crate::trade::{News, TraderId};

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It was taken.
    Delivered,
    /// It was not, and is tried again.
    Retrying,
    /// It was not, and is tried no more.
    Failed,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Delivered, Self::Retrying, Self::Failed];

    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        }
    }
}

/// A delivery as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeliveryRow {
    /// Its place in the feed.
    pub seq: i64,
    state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What was answered last.
    pub status: Option<i64>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// When it was first tried, milliseconds since 1970.
    pub first_at: i64,
    /// When it was last tried.
    pub changed_at: i64,
    /// When it is tried again.
    pub next_at: Option<i64>,
}

impl DeliveryRow {
    /// How it stands.
    pub fn state(&self) -> Result<DeliveryState, StorageError> {
        let known = DeliveryState::ALL.into_iter().find(|state| state.name() == self.state);
        known.ok_or_else(|| data(format!("{} is no state of a delivery", self.state)))
    }
}

/// An address that this central serves now.
#[derive(Clone, Debug)]
pub(crate) struct Leased {
    pub(crate) id: String,
    pub(crate) trader: TraderId,
    pub(crate) company: String,
    pub(crate) sandbox: bool,
    pub(crate) address: String,
    pub(crate) wanted: Wanted,
    /// Sealed secrets that sign now.
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) reached: i64,
    pub(crate) failures: u32,
    pub(crate) failing_since: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct LeasedRow {
    id: String,
    trader: String,
    name: String,
    sandbox: i64,
    channel: String,
    address: String,
    topics: String,
    own: i64,
    secret: Option<Vec<u8>>,
    previous_secret: Option<Vec<u8>>,
    previous_until: i64,
    reached: i64,
    failures: i64,
    failing_since: Option<i64>,
}

impl LeasedRow {
    fn read(self, at: UtcMillis) -> Result<Leased, StorageError> {
        let previous = self.previous_secret.filter(|_| self.previous_until > at.0);
        Ok(Leased {
            trader: self.trader.parse().map_err(data)?,
            wanted: Wanted::read(&self.channel, &self.topics, self.own)?,
            secrets: self.secret.into_iter().chain(previous).collect(),
            id: self.id,
            company: self.name,
            sandbox: self.sandbox != 0,
            address: self.address,
            reached: self.reached,
            failures: self.failures as u32,
            failing_since: self.failing_since.map(UtcMillis),
        })
    }
}

/// Take some addresses over, as far as no other central serves them; gives those that are ours now.
pub(crate) struct Claim {
    pub(crate) ids: Vec<String>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
    pub(crate) until: UtcMillis,
}

impl Change for Claim {
    type Done = Vec<Leased>;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Vec<Leased>, StorageError>> {
        Box::pin(async move {
            let mut ours = Vec::with_capacity(self.ids.len());
            for id in &self.ids {
                let done = sqlx::query(
                    "UPDATE outlets SET leased_by = $1, leased_until = $2, served_at = $3 \
                     WHERE id = $4 AND leased_until <= $3 AND paused_at IS NULL",
                )
                .bind(self.by.clone())
                .bind(self.until.0)
                .bind(self.at.0)
                .bind(id.clone())
                .execute(&mut *write.tx)
                .await?;
                if done.rows_affected() == 0 {
                    continue;
                }
                let row: LeasedRow = sqlx::query_as(
                    "SELECT o.id, o.trader, t.name, t.sandbox, o.channel, o.address, o.topics, o.own, o.secret, o.previous_secret, \
                     o.previous_until, o.reached, o.failures, o.failing_since FROM outlets o JOIN traders t ON t.id = o.trader WHERE o.id = $1",
                )
                .bind(id.clone())
                .fetch_one(&mut *write.tx)
                .await?;
                ours.push(row.read(self.at)?);
            }
            Ok(ours)
        })
    }
}

/// What came of a delivery.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was taken. `outage`: nothing was for a while; whatever waits is tried at once.
    Delivered { status: Option<u16>, outage: bool },
    /// It was not, and is tried again, or has failed.
    Failed { status: Option<u16>, why: String, next: Option<UtcMillis> },
}

/// Note what came of a delivery; `false`: somebody else serves the address now, and nothing was noted.
pub(crate) struct Record {
    pub(crate) outlet: String,
    pub(crate) by: String,
    pub(crate) seq: i64,
    pub(crate) outcome: Outcome,
    /// Nothing is sent there before.
    pub(crate) resume: UtcMillis,
    /// It is told nothing more, and its company is told so.
    pub(crate) pause: bool,
    pub(crate) at: UtcMillis,
}

impl Change for Record {
    type Done = bool;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<bool, StorageError>> {
        Box::pin(async move {
            let (failed, error) = match &self.outcome {
                Outcome::Delivered { .. } => (false, None),
                Outcome::Failed { why, .. } => (true, Some(why.clone())),
            };
            let done = sqlx::query(
                "UPDATE outlets SET reached = CASE WHEN reached < $1 THEN $1 ELSE reached END, resume_at = $2, \
                 failures = CASE WHEN $3 = 1 THEN failures + 1 ELSE 0 END, \
                 failing_since = CASE WHEN $3 = 1 THEN COALESCE(failing_since, $4) END, last_error = $5, \
                 delivered_at = CASE WHEN $3 = 1 THEN delivered_at ELSE $4 END, \
                 paused_at = CASE WHEN $6 = 1 THEN $4 END WHERE id = $7 AND leased_by = $8",
            )
            .bind(self.seq)
            .bind(self.resume.0)
            .bind(i64::from(failed))
            .bind(self.at.0)
            .bind(error)
            .bind(i64::from(self.pause))
            .bind(self.outlet.clone())
            .bind(self.by.clone())
            .execute(&mut *write.tx)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            write.note_delivery(&self).await?;
            if let Outcome::Delivered { outage: true, .. } = self.outcome {
                write.try_at_once(&self.outlet, self.at).await?;
            }
            if self.pause {
                write.tell_of_pause(&self.outlet, self.at).await?;
            }
            Ok(true)
        })
    }
}

impl Write<'_> {
    async fn note_delivery(&mut self, record: &Record) -> Result<(), StorageError> {
        let (state, status, error, next) = match &record.outcome {
            // It rolled off while it was under way, and nobody can send it again.
            Outcome::Failed { status, next: Some(_), .. } if !self.is_kept(record.seq).await? => {
                (DeliveryState::Failed, *status, Some(ROLLED_OFF.to_owned()), None)
            }
            Outcome::Delivered { status, .. } => (DeliveryState::Delivered, *status, None, None),
            Outcome::Failed { status, why, next: Some(next) } => {
                (DeliveryState::Retrying, *status, Some(why.clone()), Some(next.0))
            }
            Outcome::Failed { status, why, next: None } => {
                (DeliveryState::Failed, *status, Some(why.clone()), None)
            }
        };
        sqlx::query(
            "INSERT INTO deliveries (outlet, seq, state, attempts, status, error, first_at, changed_at, next_at) \
             VALUES ($1, $2, $3, 1, $4, $5, $6, $6, $7) ON CONFLICT (outlet, seq) DO UPDATE SET state = excluded.state, \
             attempts = deliveries.attempts + 1, status = excluded.status, error = excluded.error, \
             changed_at = excluded.changed_at, next_at = excluded.next_at",
        )
        .bind(record.outlet.clone())
        .bind(record.seq)
        .bind(state.name())
        .bind(status.map(i64::from))
        .bind(error)
        .bind(record.at.0)
        .bind(next)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn is_kept(&mut self, seq: i64) -> Result<bool, StorageError> {
        let kept: Option<i64> = sqlx::query_scalar("SELECT seq FROM events WHERE seq = $1")
            .bind(seq)
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(kept.is_some())
    }

    async fn try_at_once(&mut self, outlet: &str, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE deliveries SET next_at = $1 WHERE outlet = $2 AND state = 'retrying' AND next_at > $1",
        )
        .bind(at.0)
        .bind(outlet.to_owned())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn tell_of_pause(&mut self, outlet: &str, at: UtcMillis) -> Result<(), StorageError> {
        let trader: String = sqlx::query_scalar("SELECT trader FROM outlets WHERE id = $1")
            .bind(outlet.to_owned())
            .fetch_one(&mut *self.tx)
            .await?;
        let news = News::WebhookPaused { webhook: outlet.to_owned() };
        self.tell(&trader, at, outlet, &news, &Doer::authority()).await
    }
}

/// Let an address go. `reached`: up to where nobody wanted what came.
pub(crate) struct Release {
    pub(crate) outlet: String,
    pub(crate) by: String,
    pub(crate) reached: i64,
}

impl Change for Release {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "UPDATE outlets SET leased_by = '', leased_until = 0, reached = CASE WHEN reached < $1 THEN $1 ELSE reached END \
                 WHERE id = $2 AND leased_by = $3",
            )
            .bind(self.reached)
            .bind(self.outlet)
            .bind(self.by)
            .execute(&mut *write.tx)
            .await?;
            Ok(())
        })
    }
}

/// A delivery that was tried before.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(crate) struct Tried {
    pub(crate) seq: i64,
    pub(crate) attempts: i64,
    pub(crate) first_at: i64,
}

/// As many addresses as one look gives, those that were served longest ago first.
const LOOK: i64 = 256;

impl Store {
    /// Addresses that have something to be told now and are served by nobody, with their companies; those served longest ago first.
    pub(crate) async fn to_be_told(
        &self,
        at: UtcMillis,
        open: &[Channel],
    ) -> Result<Vec<(String, String)>, StorageError> {
        let [webhook, email, sms] = Channel::ALL.map(|way| if open.contains(&way) { way.name() } else { "" });
        let rows = sqlx::query_as(
            "SELECT o.id, o.trader FROM outlets o JOIN traders t ON t.id = o.trader \
             WHERE o.paused_at IS NULL AND o.resume_at <= $1 AND o.leased_until <= $1 AND t.disabled = 0 AND o.channel IN ($2, $3, $4) AND \
             (o.reached < (SELECT MAX(e.seq) FROM events e WHERE e.trader = o.trader) OR \
             EXISTS (SELECT 1 FROM deliveries d WHERE d.outlet = o.id AND d.state = 'retrying' AND d.next_at <= $1)) \
             ORDER BY o.served_at, o.id LIMIT $5",
        )
        .bind(at.0)
        .bind(webhook)
        .bind(email)
        .bind(sms)
        .bind(LOOK)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// What is to be tried again now, in the order of the feed.
    pub(crate) async fn to_be_retried(
        &self,
        outlet: &str,
        at: UtcMillis,
    ) -> Result<Vec<Tried>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT seq, attempts, first_at FROM deliveries WHERE outlet = $1 AND state = 'retrying' AND next_at <= $2 \
             ORDER BY seq LIMIT 100",
        )
        .bind(outlet.to_owned())
        .bind(at.0)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// One piece of news of a company, unless it was rolled off.
    pub(crate) async fn piece_of_news(
        &self,
        trader: &TraderId,
        seq: i64,
    ) -> Result<Option<EventRow>, StorageError> {
        Ok(self.news(trader, seq - 1, 1).await?.into_iter().next().filter(|event| event.seq == seq))
    }

    /// What came of what was sent to a webhook, latest first, before a place in the feed; in one state or in any.
    pub async fn deliveries(
        &self,
        webhook: &str,
        state: Option<DeliveryState>,
        before: i64,
        most: u32,
    ) -> Result<Vec<DeliveryRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT seq, state, attempts, status, error, first_at, changed_at, next_at FROM deliveries \
             WHERE outlet = $1 AND seq < $2 AND ($3 = '' OR state = $3) ORDER BY seq DESC LIMIT $4",
        )
        .bind(webhook.to_owned())
        .bind(before)
        .bind(state.map_or("", DeliveryState::name))
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
