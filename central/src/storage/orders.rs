//! Officers' orders: stored with their sealed bytes and an audit line before they are sent.

use clearance::ids::{Digest, LaneId, Nonce, OfficerId, PassageId, SiteId, UtcMillis};
use clearance::order::{ORDER_LIFETIME_MS, Order, Verdict};

use serde::{Deserialize, Serialize};

use super::{Noted, StorageError, Store, Write, data};

/// Why an officer decides without the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderReason {
    /// The vehicle was identified by camera.
    IdentityChecked,
    /// The officer spoke to the driver.
    SpokeToDriver,
    /// The officer saw the documents.
    DocumentsSeen,
}

impl OrderReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::IdentityChecked, Self::SpokeToDriver, Self::DocumentsSeen];
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// The lane has not answered yet.
    Sent,
    /// The lane carried it out.
    Obeyed,
    /// It ran out before the lane answered.
    Unanswered,
    /// The lane did not carry it out, and said why.
    Refused(String),
}

const SENT: &str = "sent";
const OBEYED: &str = "obeyed";
const UNANSWERED: &str = "unanswered";
const REFUSED: &str = "refused: ";

impl OrderState {
    fn stored(&self) -> String {
        match self {
            Self::Sent => SENT.to_owned(),
            Self::Obeyed => OBEYED.to_owned(),
            Self::Unanswered => UNANSWERED.to_owned(),
            Self::Refused(why) => format!("{REFUSED}{why}"),
        }
    }

    /// Whether this version writes a state so.
    pub(super) fn is_stored(text: &str) -> bool {
        Self::of_stored(text).stored() == text
    }

    fn of_stored(text: &str) -> Self {
        match text {
            SENT => Self::Sent,
            OBEYED => Self::Obeyed,
            UNANSWERED => Self::Unanswered,
            other => Self::Refused(other.strip_prefix(REFUSED).unwrap_or(other).to_owned()),
        }
    }
}

/// What an officer wants.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// For which passage.
    pub passage: PassageId,
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub officer: OfficerId,
    /// Why; none for an order that takes another back.
    pub reason: Option<OrderReason>,
    /// Random.
    pub nonce: Nonce,
    /// Now.
    pub at: UtcMillis,
}

/// An order as stored.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// Who.
    pub officer: String,
    /// What.
    pub verdict: Verdict,
    /// Why; none for an order that takes another back.
    pub reason: Option<OrderReason>,
    /// What became of it.
    pub state: OrderState,
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
    /// Nobody had to.
    #[error("the lane has decided about this vehicle by itself already")]
    DecidedByLane,
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
            sqlx::query_as("SELECT site, lane, waiting, left_at, signal FROM passages WHERE id = $1")
                .bind(new.passage.to_string())
                .fetch_optional(&mut *write.tx)
                .await
                .map_err(StorageError::from)?;
        let (site, lane, waiting, left, signal) = row.ok_or(CannotUndo::Unknown)?;
        let before = last_officer(&mut write, new.passage).await?;
        match new.verdict {
            _ if left.is_some() => return Err(CannotUndo::VehicleLeft),
            Verdict::Act(_) if waiting == 0 => {
                return Err(before.map_or(CannotUndo::DecidedByLane, CannotUndo::DecidedBy));
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
        write.insert_order(&order, new.reason, &sealed).await?;
        write.commit().await?;
        Ok((site, lane, sealed))
    }

    /// Orders of a passage, oldest first.
    pub async fn orders(&self, passage: PassageId) -> Result<Vec<OrderRow>, StorageError> {
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT officer, verdict, reason, state FROM orders WHERE passage = $1 ORDER BY issued",
        )
        .bind(passage.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(officer, verdict, reason, state)| {
                Ok(OrderRow {
                    officer,
                    verdict: serde_json::from_str(&verdict).map_err(data)?,
                    // Whatever another version kept is no reason to hide the order.
                    reason: serde_json::from_str(&reason).unwrap_or_default(),
                    state: OrderState::of_stored(&state),
                })
            })
            .collect()
    }

    /// Orders sent and not yet answered, that still stand at `now`.
    pub async fn pending_orders(
        &self,
        now: UtcMillis,
    ) -> Result<Vec<(String, String, Vec<u8>)>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT site, lane, sealed FROM orders WHERE state = 'sent' AND expires > $1 LIMIT 1000",
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
            "UPDATE passages SET waiting = 1 WHERE left_at IS NULL AND id IN (SELECT passage FROM orders WHERE state = 'sent' AND expires <= $1)",
        )
        .bind(now.0)
        .execute(&mut *write.tx)
        .await?;
        let done = sqlx::query("UPDATE orders SET state = $1 WHERE state = 'sent' AND expires <= $2")
            .bind(UNANSWERED)
            .bind(now.0)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await?;
        Ok(done.rows_affected())
    }
}

/// Who gave the last order for a passage.
async fn last_officer(write: &mut Write<'_>, passage: PassageId) -> Result<Option<String>, StorageError> {
    let officer =
        sqlx::query_scalar("SELECT officer FROM orders WHERE passage = $1 ORDER BY issued DESC LIMIT 1")
            .bind(passage.to_string())
            .fetch_optional(&mut *write.tx)
            .await?;
    Ok(officer)
}

impl Write<'_> {
    async fn insert_order(
        &mut self,
        order: &Order,
        reason: Option<OrderReason>,
        sealed: &[u8],
    ) -> Result<(), StorageError> {
        let verdict = serde_json::to_string(&order.verdict).map_err(data)?;
        sqlx::query("INSERT INTO orders (nonce, passage, site, lane, officer, verdict, reason, issued, expires, sealed, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'sent')")
            .bind(order.nonce.to_string())
            .bind(order.passage.to_string())
            .bind(order.site.as_str())
            .bind(order.lane.as_str())
            .bind(order.officer.as_str())
            .bind(&verdict)
            .bind(serde_json::to_string(&reason).map_err(data)?)
            .bind(order.issued.0)
            .bind(order.expires.0)
            .bind(sealed)
            .execute(&mut *self.tx)
            .await?;
        self.touch(order.passage, "UPDATE passages SET waiting = 0, changed = $1 WHERE id = $2").await?;
        let what = Noted::Order { verdict: order.verdict, reason };
        self.audit(order.issued, order.officer.as_str(), &what, &order.passage.to_string()).await
    }

    pub(super) async fn settle_order(&mut self, nonce: &str, state: OrderState) -> Result<(), StorageError> {
        sqlx::query("UPDATE orders SET state = $1 WHERE nonce = $2")
            .bind(state.stored())
            .bind(nonce)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_an_order_is_read_as_it_was_stored() {
        for state in [
            OrderState::Sent,
            OrderState::Obeyed,
            OrderState::Unanswered,
            OrderState::Refused("obeyed".to_owned()),
        ] {
            assert_eq!(OrderState::of_stored(&state.stored()), state);
        }
    }
}
