//! Lodging what was handed in together: one part after the other, a part of each company in turn, so that nobody waits for all that
//! somebody else has handed in. A part that fails for a reason of its own is tried again later, while others go on; after a few
//! tries its request is set aside with the reason.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;

use super::{Acknowledged, HandedIn, ItemOutcome};
use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::Caller;

/// As often as a part is tried.
const MOST_TRIES: i64 = 3;

/// Milliseconds before a part is tried again, for each time it was tried.
const AGAIN_MS: i64 = 10_000;

/// Of a part that is not tried any more.
const NEVER: i64 = i64::MAX;

/// Which part of a request.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Place {
    request: String,
    first: i64,
    trader: String,
}

/// Why nothing was carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCarriedOut {
    /// A part, for a reason of its own.
    #[error("request {} from item {}: {why}", .part.request, .part.first)]
    Part {
        /// Which.
        part: Place,
        /// Why.
        why: StorageError,
    },
    /// No part can be.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Lodge the next part of any request. `false`: none is to be lodged now.
pub(crate) struct CarryOut {
    /// Makes a number for a consignment.
    pub(crate) number: fn() -> Ccrn,
    pub(crate) at: UtcMillis,
}

impl Change for CarryOut {
    type Done = bool;
    type Refused = NotCarriedOut;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<bool, NotCarriedOut>> {
        Box::pin(async move {
            let Some(part) = write.next_part(self.at).await? else { return Ok(false) };
            match write.carry_out(&part, self.number, self.at).await {
                Ok(()) => Ok(true),
                Err(why) if why.is_passing() => Err(why.into()),
                Err(why) => Err(NotCarriedOut::Part { part, why }),
            }
        })
    }
}

/// Put a part off that has failed, or set its request aside when it was tried often enough. `true`: it was set aside.
pub(crate) struct PutOff {
    pub(crate) part: Place,
    pub(crate) why: String,
    pub(crate) at: UtcMillis,
}

impl Change for PutOff {
    type Done = bool;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<bool, StorageError>> {
        Box::pin(async move {
            let Place { request, first, trader } = self.part;
            let tries: i64 = sqlx::query_scalar(
                "UPDATE request_parts SET tries = tries + 1, not_before = $1 + (tries + 1) * $2 WHERE request = $3 AND first = $4 RETURNING tries",
            )
            .bind(self.at.0)
            .bind(AGAIN_MS)
            .bind(request.clone())
            .bind(first)
            .fetch_one(&mut *write.tx)
            .await?;
            let is_over = tries >= MOST_TRIES;
            if is_over {
                sqlx::query("UPDATE requests SET failed = $1 WHERE id = $2")
                    .bind(self.why.clone())
                    .bind(request.clone())
                    .execute(&mut *write.tx)
                    .await?;
                sqlx::query(
                    "UPDATE request_parts SET not_before = $1 WHERE request = $2 AND outcomes IS NULL",
                )
                .bind(NEVER)
                .bind(request.clone())
                .execute(&mut *write.tx)
                .await?;
                write.audit(self.at, "central", &Noted::SetAside { why: self.why }, &request).await?;
            }
            write.next_turn(&trader).await?;
            Ok(is_over)
        })
    }
}

impl Write<'_> {
    /// Give a company that hands something in its turn, after those that wait already.
    pub(super) async fn take_turn(&mut self, trader: &str) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO request_turns (trader, turn) SELECT $1, COALESCE(MAX(turn), 0) + 1 FROM request_turns WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(trader.to_owned())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// A company has had its turn: it comes after all others, or, with nothing left, not at all.
    async fn next_turn(&mut self, trader: &str) -> Result<(), StorageError> {
        let done = sqlx::query(
            "DELETE FROM request_turns WHERE trader = $1 AND NOT EXISTS \
             (SELECT 1 FROM request_parts p WHERE p.trader = $1 AND p.outcomes IS NULL AND p.not_before < $2)",
        )
        .bind(trader.to_owned())
        .bind(NEVER)
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            sqlx::query(
                "UPDATE request_turns SET turn = (SELECT MAX(turn) + 1 FROM request_turns) WHERE trader = $1",
            )
            .bind(trader.to_owned())
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn next_part(&mut self, at: UtcMillis) -> Result<Option<Place>, StorageError> {
        let part = sqlx::query_as(
            // CROSS: SQLite takes the companies first, in their order, and stops at the first part.
            "SELECT p.request, p.first, p.trader FROM request_turns t CROSS JOIN request_parts p \
             WHERE p.trader = t.trader AND p.outcomes IS NULL AND p.not_before <= $1 ORDER BY t.turn, t.trader, p.request, p.first LIMIT 1",
        )
        .bind(at.0)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(part)
    }

    async fn carry_out(
        &mut self,
        part: &Place,
        number: fn() -> Ccrn,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let caller = self.who_asked(&part.request).await?;
        let items: String =
            sqlx::query_scalar("SELECT items FROM request_parts WHERE request = $1 AND first = $2")
                .bind(part.request.clone())
                .bind(part.first)
                .fetch_one(&mut *self.tx)
                .await?;
        let items: Vec<HandedIn> = serde_json::from_str(&items).map_err(data)?;
        let mut lodged = Vec::with_capacity(items.len());
        let mut outcomes = Vec::with_capacity(items.len());
        for (index, HandedIn { origin, item }) in items.into_iter().enumerate() {
            let outcome = match item {
                Ok(consignment) => {
                    let ccrn = number();
                    lodged.push((ccrn.clone(), consignment));
                    ItemOutcome::Lodged(ccrn)
                }
                Err(faults) => ItemOutcome::Refused(faults),
            };
            outcomes.push(Acknowledged { index, origin, outcome });
        }
        self.lodge(&caller, &lodged, at).await?;
        sqlx::query("UPDATE request_parts SET outcomes = $1, items = '' WHERE request = $2 AND first = $3")
            .bind(serde_json::to_string(&outcomes).map_err(data)?)
            .bind(part.request.clone())
            .bind(part.first)
            .execute(&mut *self.tx)
            .await?;
        self.next_turn(&part.trader).await
    }

    async fn who_asked(&mut self, request: &str) -> Result<Caller, StorageError> {
        let (trader, who, sandbox, evidence): (String, String, i64, Option<String>) =
            sqlx::query_as("SELECT trader, who, sandbox, evidence FROM requests WHERE id = $1")
                .bind(request.to_owned())
                .fetch_one(&mut *self.tx)
                .await?;
        let trader = trader.parse().map_err(data)?;
        Ok(Caller { trader, who, sandbox: sandbox != 0, evidence })
    }
}
