//! Changes that a client may ask for again when it has heard no answer: the reply is stored in the transaction of the change, so
//! that the same request is never carried out twice, however central died.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AnyConnection;

use super::{Conflict, Refused};
use crate::storage::{Change, StorageError, Store, Write, data};

/// How long a reply is kept, milliseconds.
const KEPT_MS: i64 = 86_400_000;

/// What tells a repeated request from another.
#[derive(Clone, Debug)]
pub struct OnceKey {
    /// Whose.
    pub client: String,
    /// The key that the client has chosen.
    pub key: String,
    /// Digest of the request's body.
    pub request: String,
}

/// A change that is made once for its key; asked for again, it gives what it gave the first time.
pub(crate) struct Once<C> {
    pub(crate) key: Option<OnceKey>,
    pub(crate) change: C,
    pub(crate) at: UtcMillis,
}

impl<C> Change for Once<C>
where
    C: Change,
    C::Done: Serialize + DeserializeOwned + Sync,
    Refused: From<C::Refused>,
{
    type Done = C::Done;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<C::Done, Refused>> {
        Box::pin(async move {
            let Some(key) = self.key else { return Ok(self.change.apply(write).await?) };
            if let Some(before) = write.reply(&key).await? {
                return before.replayed(&key);
            }
            let done = self.change.apply(write).await?;
            write.keep_reply(&key, &serde_json::to_string(&done).map_err(data)?, self.at).await?;
            Ok(done)
        })
    }
}

/// What was replied under a key.
#[derive(sqlx::FromRow)]
struct Reply {
    /// Digest of the request that it was the reply to.
    request: String,
    body: String,
}

impl Reply {
    /// What it said, if this is the same request.
    fn replayed<T: DeserializeOwned>(&self, key: &OnceKey) -> Result<T, Refused> {
        if self.request != key.request {
            return Err(Refused::Standing(Conflict::KeyReused));
        }
        Ok(serde_json::from_str(&self.body).map_err(data)?)
    }
}

async fn reply(connection: &mut AnyConnection, key: &OnceKey) -> Result<Option<Reply>, StorageError> {
    let row = sqlx::query_as("SELECT request, body FROM replies WHERE client = $1 AND key = $2")
        .bind(key.client.clone())
        .bind(key.key.clone())
        .fetch_optional(connection)
        .await?;
    Ok(row)
}

impl Write<'_> {
    async fn reply(&mut self, key: &OnceKey) -> Result<Option<Reply>, StorageError> {
        reply(&mut self.tx, key).await
    }

    async fn keep_reply(&mut self, key: &OnceKey, body: &str, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO replies (client, key, request, status, body, at) VALUES ($1, $2, $3, 200, $4, $5)",
        )
        .bind(key.client.clone())
        .bind(key.key.clone())
        .bind(key.request.clone())
        .bind(body.to_owned())
        .bind(at.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

impl Store {
    /// What was given the first time, if this request was carried out before. Looked for before anything is checked: what was
    /// right then may not be any more (a day goes by), and is answered as it was all the same. Whether it was carried out is
    /// decided in the transaction, for another like it may be on its way.
    pub(crate) async fn replayed<T: DeserializeOwned>(
        &self,
        key: Option<&OnceKey>,
    ) -> Result<Option<T>, Refused> {
        let Some(key) = key else { return Ok(None) };
        let before = reply(&mut *self.pool.acquire().await?, key).await?;
        before.map(|before| before.replayed(key)).transpose()
    }

    /// Forget replies of more than a day ago.
    pub async fn forget_replies(&self, now: UtcMillis) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM replies WHERE at < $1")
            .bind(now.0 - KEPT_MS)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }
}
