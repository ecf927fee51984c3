//! Webhooks of companies. Nobody sees another's: every statement names the company.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use serde::Serialize;

use super::{Channel, Wanted, topics};
use crate::storage::trade::{Conflict, Refused};
use crate::storage::{Change, Noted, StorageError, Store, Write};
use crate::trade::{Caller, Topic, TraderId};

/// As many webhooks as a company has.
const MOST: i64 = 5;

/// For how long the secret of before still signs, milliseconds.
const BOTH_SIGN_MS: i64 = 86_400_000;

/// A webhook as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WebhookRow {
    /// Its id.
    pub id: String,
    /// Where it leads.
    pub address: String,
    topics: String,
    /// When it was added, milliseconds since 1970.
    pub created_at: i64,
    /// Up to where in the feed everything was tried at least once.
    pub reached: i64,
    /// When something was last taken.
    pub delivered_at: Option<i64>,
    /// Since when nothing is taken.
    pub failing_since: Option<i64>,
    /// Why.
    pub last_error: Option<String>,
    /// Since when it is told nothing more.
    pub paused_at: Option<i64>,
    /// Until when the secret of before signs, too.
    pub previous_until: i64,
}

/// How a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It takes what it is told, or was told nothing yet.
    Active,
    /// It takes nothing at present; it is tried again.
    Failing,
    /// It is told nothing until it is replayed.
    Paused,
}

impl WebhookRow {
    /// How it stands.
    pub fn state(&self) -> WebhookState {
        match (self.paused_at, self.failing_since) {
            (Some(_), _) => WebhookState::Paused,
            (None, Some(_)) => WebhookState::Failing,
            (None, None) => WebhookState::Active,
        }
    }

    /// Of what it is told.
    pub fn topics(&self) -> Result<Vec<Topic>, StorageError> {
        topics(&self.topics)
    }
}

macro_rules! webhooks {
    ($rest:literal) => {
        concat!(
            "SELECT id, address, topics, created_at, reached, delivered_at, failing_since, last_error, paused_at, previous_until \
             FROM outlets WHERE trader = $1 AND channel = 'webhook' ",
            $rest
        )
    };
}

/// Add a webhook.
pub(crate) struct AddWebhook {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) topics: Vec<Topic>,
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    pub(crate) at: UtcMillis,
}

impl Change for AddWebhook {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let trader = self.caller.trader.as_str();
            let (all, same): (i64, i64) = sqlx::query_as(
                "SELECT COUNT(*), COUNT(CASE WHEN address = $2 THEN 1 END) FROM outlets WHERE trader = $1 AND channel = 'webhook'",
            )
            .bind(trader.to_owned())
            .bind(self.url.clone())
            .fetch_one(&mut *write.tx)
            .await?;
            if same > 0 {
                return Err(Refused::Standing(Conflict::Exists));
            }
            if all >= MOST {
                return Err(Refused::Standing(Conflict::TooManyWebhooks));
            }
            let wanted = Wanted { channel: Channel::Webhook, topics: self.topics, own: true };
            write.add_outlet(&self.id, trader, &self.url, &wanted, Some(self.secret), self.at).await?;
            write.audit(self.at, &self.caller.who, &Noted::AddWebhook, &self.id).await?;
            Ok(())
        })
    }
}

/// Take a webhook away.
pub(crate) struct RemoveWebhook {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) at: UtcMillis,
}

impl Change for RemoveWebhook {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            write.webhook(&self.caller.trader, &self.id).await?;
            write.remove_outlet(&self.id).await?;
            write.audit(self.at, &self.caller.who, &Noted::RemoveWebhook, &self.id).await?;
            Ok(())
        })
    }
}

/// Tell a webhook nothing more, until it is replayed.
pub(crate) struct PauseWebhook {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) at: UtcMillis,
}

impl Change for PauseWebhook {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let webhook = write.webhook(&self.caller.trader, &self.id).await?;
            if webhook.paused_at.is_some() {
                return Ok(());
            }
            sqlx::query("UPDATE outlets SET paused_at = $1, leased_by = '', leased_until = 0 WHERE id = $2")
                .bind(self.at.0)
                .bind(self.id.clone())
                .execute(&mut *write.tx)
                .await?;
            write.audit(self.at, &self.caller.who, &Noted::PauseWebhook, &self.id).await?;
            Ok(())
        })
    }
}

/// Give a webhook another secret; the present one signs beside it for a day.
pub(crate) struct RollSecret {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    pub(crate) at: UtcMillis,
}

impl Change for RollSecret {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            write.webhook(&self.caller.trader, &self.id).await?;
            sqlx::query(
                "UPDATE outlets SET previous_secret = secret, previous_until = $1, secret = $2 WHERE id = $3",
            )
            .bind(self.at.0 + BOTH_SIGN_MS)
            .bind(self.secret)
            .bind(self.id.clone())
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &self.caller.who, &Noted::RollSecret, &self.id).await?;
            Ok(())
        })
    }
}

/// Tell a webhook everything once more from a place in the feed, or, without one, go on where it stands.
pub(crate) struct Replay {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) after: Option<i64>,
    pub(crate) at: UtcMillis,
}

impl Change for Replay {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let webhook = write.webhook(&self.caller.trader, &self.id).await?;
            let after = self.after.unwrap_or(webhook.reached).min(webhook.reached);
            // What is told anew begins anew; what waits before that place is tried at once.
            sqlx::query("DELETE FROM deliveries WHERE outlet = $1 AND seq > $2")
                .bind(self.id.clone())
                .bind(after)
                .execute(&mut *write.tx)
                .await?;
            sqlx::query("UPDATE deliveries SET next_at = $1 WHERE outlet = $2 AND state = 'retrying'")
                .bind(self.at.0)
                .bind(self.id.clone())
                .execute(&mut *write.tx)
                .await?;
            sqlx::query(
                "UPDATE outlets SET reached = $1, failures = 0, failing_since = NULL, last_error = NULL, resume_at = 0, \
                 paused_at = NULL, leased_by = '', leased_until = 0 WHERE id = $2",
            )
            .bind(after)
            .bind(self.id.clone())
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &self.caller.who, &Noted::ReplayWebhook { after }, &self.id).await?;
            Ok(())
        })
    }
}

/// Tell a webhook one piece of news once more.
pub(crate) struct ReplayOne {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) at: UtcMillis,
}

impl Change for ReplayOne {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let trader = &self.caller.trader;
            let webhook = write.webhook(trader, &self.id).await?;
            if webhook.paused_at.is_some() {
                return Err(Refused::Standing(Conflict::Paused));
            }
            let known: Option<i64> =
                sqlx::query_scalar("SELECT seq FROM events WHERE seq = $1 AND trader = $2")
                    .bind(self.seq)
                    .bind(trader.as_str().to_owned())
                    .fetch_optional(&mut *write.tx)
                    .await?;
            known.ok_or(Refused::NotFound("event in your feed; is it kept no longer?"))?;
            sqlx::query(
                "INSERT INTO deliveries (outlet, seq, state, attempts, first_at, changed_at, next_at) \
                 VALUES ($1, $2, 'retrying', 0, $3, $3, $3) ON CONFLICT (outlet, seq) DO UPDATE SET state = excluded.state, \
                 attempts = 0, first_at = excluded.first_at, changed_at = excluded.changed_at, next_at = excluded.next_at",
            )
            .bind(self.id.clone())
            .bind(self.seq)
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            sqlx::query("UPDATE outlets SET resume_at = 0, leased_by = '', leased_until = 0 WHERE id = $1")
                .bind(self.id.clone())
                .execute(&mut *write.tx)
                .await?;
            let noted = Noted::ReplayWebhook { after: self.seq - 1 };
            write.audit(self.at, &self.caller.who, &noted, &self.id).await?;
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn webhook(&mut self, trader: &TraderId, id: &str) -> Result<WebhookRow, Refused> {
        let row = sqlx::query_as(webhooks!("AND id = $2"))
            .bind(trader.as_str().to_owned())
            .bind(id.to_owned())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.ok_or(Refused::NotFound("webhook"))
    }
}

impl Store {
    /// A company's webhooks, in the order in which they were added.
    pub async fn webhooks(&self, trader: &TraderId) -> Result<Vec<WebhookRow>, StorageError> {
        let rows = sqlx::query_as(webhooks!("ORDER BY created_at, id"))
            .bind(trader.as_str())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }

    /// One of a company's webhooks.
    pub async fn webhook(&self, trader: &TraderId, id: &str) -> Result<Option<WebhookRow>, StorageError> {
        let row = sqlx::query_as(webhooks!("AND id = $2"))
            .bind(trader.as_str())
            .bind(id.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }
}
