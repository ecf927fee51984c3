//! Officers' orders: stored with their sealed bytes and an audit line before they are sent.

use clearance::ids::{Digest, LaneId, Nonce, OfficerId, PassageId, SiteId, UtcMillis};
use clearance::order::{ORDER_LIFETIME_MS, Order, Verdict};

use super::{StorageError, Store, Write, data};

/// What an officer wants.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// For which passage.
    pub passage: PassageId,
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub officer: OfficerId,
    /// Why, in the officer's words or choice.
    pub reason: String,
    /// Random.
    pub nonce: Nonce,
    /// Now.
    pub at: UtcMillis,
}

/// An order as stored.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct OrderRow {
    /// Its nonce.
    pub nonce: String,
    /// Who.
    pub officer: String,
    /// What, as JSON.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When, milliseconds since 1970.
    pub issued: i64,
    /// `sent`, `obeyed`, or why it was refused.
    pub state: String,
}

/// Why a decision cannot be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum CannotUndo {
    /// Unknown passage.
    #[error("no such passage")]
    Unknown,
    /// Somebody was faster.
    #[error("{0} has decided about this vehicle already")]
    DecidedBy(String),
    /// The vehicle is gone.
    #[error("the vehicle has left; the read can still be corrected for the record")]
    VehicleLeft,
    /// The boom is open.
    #[error("the gate has opened: a release cannot be taken back; stop the vehicle by other means")]
    GateOpened,
    /// There is nothing to take back.
    #[error("there is no order to take back")]
    NothingToUndo,
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Site, lane, whether it waits, when it left, signal given.
type Standing = (String, String, i64, Option<i64>, Option<String>);

impl Store {
    /// Store an order for a passage that waits (or, to withdraw, for one that was decided) and give its sealed bytes.
    pub async fn give_order(&self, new: NewOrder) -> Result<(SiteId, LaneId, Vec<u8>), CannotUndo> {
        let mut write = self.write().await?;
        let row: Option<Standing> =
            sqlx::query_as("SELECT site, lane, waiting, left_at, signal FROM passages WHERE id = ?")
                .bind(new.passage.to_string())
                .fetch_optional(&mut *write.tx)
                .await
                .map_err(StorageError::from)?;
        let (site, lane, waiting, left, signal) = row.ok_or(CannotUndo::Unknown)?;
        let before = last_order(&mut write, new.passage).await?;
        match new.verdict {
            _ if left.is_some() => return Err(CannotUndo::VehicleLeft),
            Verdict::Act(_) if waiting == 0 => {
                let who = before.map_or_else(|| "the lane".to_owned(), |o| o.officer);
                return Err(CannotUndo::DecidedBy(who));
            }
            Verdict::Withdraw if before.is_none() => return Err(CannotUndo::NothingToUndo),
            Verdict::Withdraw if signal.as_deref() == Some("proceed") => return Err(CannotUndo::GateOpened),
            Verdict::Act(_) | Verdict::Withdraw => {}
        }
        let site: SiteId = site.parse().map_err(data)?;
        let lane: LaneId = lane.parse().map_err(data)?;
        let order = Order {
            site: site.clone(),
            lane: lane.clone(),
            passage: new.passage,
            verdict: new.verdict,
            officer: new.officer,
            issued: new.at,
            expires: new.at.plus_millis(ORDER_LIFETIME_MS),
            nonce: new.nonce,
        };
        let (sealed, _): (Vec<u8>, Digest) = self.signer.seal(&order);
        write.insert_order(&order, &new.reason, &sealed).await?;
        write.commit().await?;
        Ok((site, lane, sealed))
    }

    /// Orders of a passage, oldest first.
    pub async fn orders(&self, passage: PassageId) -> Result<Vec<OrderRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT nonce, officer, verdict, reason, issued, state FROM orders WHERE passage = ? ORDER BY issued",
        )
        .bind(passage.to_string())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Orders sent and not yet answered, that still stand at `now`.
    pub async fn pending_orders(
        &self,
        now: UtcMillis,
    ) -> Result<Vec<(String, String, Vec<u8>)>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT site, lane, sealed FROM orders WHERE state = 'sent' AND expires > ? LIMIT 1000",
        )
        .bind(now.0)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Passages whose order ran out unanswered wait again.
    pub async fn expire_orders(&self, now: UtcMillis) -> Result<u64, StorageError> {
        let mut write = self.write().await?;
        sqlx::query(
            "UPDATE passages SET waiting = 1 WHERE left_at IS NULL AND id IN (SELECT passage FROM orders WHERE state = 'sent' AND expires <= ?)",
        )
        .bind(now.0)
        .execute(&mut *write.tx)
        .await?;
        let done = sqlx::query("UPDATE orders SET state = 'the lane did not answer in time' WHERE state = 'sent' AND expires <= ?")
            .bind(now.0)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await?;
        Ok(done.rows_affected())
    }
}

async fn last_order(write: &mut Write<'_>, passage: PassageId) -> Result<Option<OrderRow>, StorageError> {
    let row = sqlx::query_as(
        "SELECT nonce, officer, verdict, reason, issued, state FROM orders WHERE passage = ? ORDER BY issued DESC LIMIT 1",
    )
    .bind(passage.to_string())
    .fetch_optional(&mut *write.tx)
    .await?;
    Ok(row)
}

impl Write<'_> {
    async fn insert_order(&mut self, order: &Order, reason: &str, sealed: &[u8]) -> Result<(), StorageError> {
        let verdict = serde_json::to_string(&order.verdict).map_err(data)?;
        sqlx::query("INSERT INTO orders (nonce, passage, site, lane, officer, verdict, reason, issued, expires, sealed, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sent')")
            .bind(order.nonce.to_string())
            .bind(order.passage.to_string())
            .bind(order.site.as_str())
            .bind(order.lane.as_str())
            .bind(order.officer.as_str())
            .bind(&verdict)
            .bind(reason)
            .bind(order.issued.0)
            .bind(order.expires.0)
            .bind(sealed)
            .execute(&mut *self.tx)
            .await?;
        self.touch(order.passage, "UPDATE passages SET waiting = 0, changed = ? WHERE id = ?").await?;
        let what = format!("order {} ({reason})", verdict.replace(['"', '{', '}'], ""));
        self.audit(order.issued, order.officer.as_str(), &what, &order.passage.to_string()).await
    }

    pub(super) async fn settle_order(&mut self, nonce: &str, state: &str) -> Result<(), StorageError> {
        sqlx::query("UPDATE orders SET state = ? WHERE nonce = ?")
            .bind(state)
            .bind(nonce)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
