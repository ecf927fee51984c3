//! A company's contact. Its addresses are kept in line with it, in the same transaction: one that stays goes on where it is in the
//! feed, a new one begins with what happens next.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use sqlx::Row as _;

use super::{Channel, Wanted, stored};
use crate::storage::trade::Refused;
use crate::storage::{Change, Noted, StorageError, Store, Write, data};
use crate::trade::contact::Contact;
use crate::trade::{Caller, Topic, TraderId};

/// A company and its contact.
#[derive(Clone, Debug)]
pub struct CompanyRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is a sandbox.
    pub sandbox: bool,
    /// Version of the contact; 0: it was never given.
    pub version: u32,
    /// The contact.
    pub contact: Contact,
}

/// How an address of a contact stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AddressRow {
    channel: String,
    /// The address.
    pub address: String,
    /// When something was last taken there, milliseconds since 1970.
    pub delivered_at: Option<i64>,
    /// Since when nothing is taken there.
    pub failing_since: Option<i64>,
    /// Why.
    pub last_error: Option<String>,
}

impl AddressRow {
    /// The way there.
    pub fn channel(&self) -> Result<Channel, StorageError> {
        Channel::of_name(&self.channel)
    }
}

/// Give a company another contact; gives its version.
pub(crate) struct PutContact {
    pub(crate) caller: Caller,
    pub(crate) contact: Contact,
    /// The version that the caller has seen.
    pub(crate) seen: Option<u32>,
    pub(crate) at: UtcMillis,
}

impl Change for PutContact {
    type Done = u32;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<u32, Refused>> {
        Box::pin(async move {
            let trader = self.caller.trader.as_str();
            let now: Option<i64> = sqlx::query_scalar("SELECT version FROM contacts WHERE trader = $1")
                .bind(trader.to_owned())
                .fetch_optional(&mut *write.tx)
                .await?;
            let now = now.unwrap_or(0) as u32;
            if self.seen.is_some_and(|seen| seen != now) {
                return Err(Refused::Version { now });
            }
            sqlx::query(
                "INSERT INTO contacts (trader, version, body, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT (trader) \
                 DO UPDATE SET version = excluded.version, body = excluded.body, changed_at = excluded.changed_at",
            )
            .bind(trader.to_owned())
            .bind(i64::from(now) + 1)
            .bind(serde_json::to_string(&self.contact).map_err(data)?)
            .bind(self.at.0)
            .execute(&mut *write.tx)
            .await?;
            let emails = self
                .contact
                .emails
                .iter()
                .map(|told| (told.address.as_str(), told.news.as_slice(), told.own));
            write.keep_addresses(trader, Channel::Email, &emails.collect::<Vec<_>>(), self.at).await?;
            let mobiles = self
                .contact
                .mobiles
                .iter()
                .map(|told| (told.number.as_str(), told.news.as_slice(), told.own));
            write.keep_addresses(trader, Channel::Sms, &mobiles.collect::<Vec<_>>(), self.at).await?;
            write.audit(self.at, &self.caller.who, &Noted::PutContact, trader).await?;
            Ok(now + 1)
        })
    }
}

impl Write<'_> {
    async fn keep_addresses(
        &mut self,
        trader: &str,
        channel: Channel,
        told: &[(&str, &[Topic], bool)],
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let before: Vec<(String, String)> =
            sqlx::query_as("SELECT id, address FROM outlets WHERE trader = $1 AND channel = $2")
                .bind(trader.to_owned())
                .bind(channel.name())
                .fetch_all(&mut *self.tx)
                .await?;
        for (id, address) in &before {
            if !told.iter().any(|(kept, ..)| kept == address) {
                self.remove_outlet(id).await?;
            }
        }
        for (address, topics, own) in told {
            if let Some((id, _)) = before.iter().find(|(_, known)| known == address) {
                sqlx::query("UPDATE outlets SET topics = $1, own = $2 WHERE id = $3")
                    .bind(stored(topics)?)
                    .bind(i64::from(*own))
                    .bind(id.clone())
                    .execute(&mut *self.tx)
                    .await?;
            } else {
                let id = format!("a-{}", uuid::Uuid::now_v7().simple());
                let wanted = Wanted { channel, topics: topics.to_vec(), own: *own };
                self.add_outlet(&id, trader, address, &wanted, None, at).await?;
            }
        }
        Ok(())
    }

    /// Add an address, which is told of what happens from now on.
    pub(super) async fn add_outlet(
        &mut self,
        id: &str,
        trader: &str,
        address: &str,
        wanted: &Wanted,
        secret: Option<Vec<u8>>,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let reached: Option<i64> = sqlx::query_scalar("SELECT MAX(seq) FROM events WHERE trader = $1")
            .bind(trader.to_owned())
            .fetch_one(&mut *self.tx)
            .await?;
        sqlx::query(
            "INSERT INTO outlets (id, trader, channel, address, topics, own, secret, created_at, reached) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id.to_owned())
        .bind(trader.to_owned())
        .bind(wanted.channel.name())
        .bind(address.to_owned())
        .bind(stored(&wanted.topics)?)
        .bind(i64::from(wanted.own))
        .bind(secret)
        .bind(at.0)
        .bind(reached.unwrap_or(0))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Forget an address, and what came of what it was sent.
    pub(super) async fn remove_outlet(&mut self, id: &str) -> Result<(), StorageError> {
        for statement in ["DELETE FROM deliveries WHERE outlet = $1", "DELETE FROM outlets WHERE id = $1"] {
            sqlx::query(statement).bind(id.to_owned()).execute(&mut *self.tx).await?;
        }
        Ok(())
    }
}

impl Store {
    /// A company and its contact.
    pub async fn company(&self, id: &TraderId) -> Result<Option<CompanyRow>, StorageError> {
        let row = sqlx::query(
            "SELECT t.id, t.name, t.sandbox, c.version, c.body FROM traders t LEFT JOIN contacts c ON c.trader = t.id WHERE t.id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(company).transpose()
    }

    /// How the addresses of a company's contact stand.
    pub async fn addresses(&self, trader: &TraderId) -> Result<Vec<AddressRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT channel, address, delivered_at, failing_since, last_error FROM outlets \
             WHERE trader = $1 AND channel <> 'webhook' ORDER BY channel, address",
        )
        .bind(trader.as_str())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}

fn company(row: &sqlx::any::AnyRow) -> Result<CompanyRow, StorageError> {
    let body: Option<String> = row.try_get("body")?;
    let contact = body.map(|body| serde_json::from_str(&body).map_err(data)).transpose()?;
    Ok(CompanyRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        sandbox: row.try_get::<i64, _>("sandbox")? != 0,
        version: row.try_get::<Option<i64>, _>("version")?.unwrap_or(0) as u32,
        contact: contact.unwrap_or_default(),
    })
}
