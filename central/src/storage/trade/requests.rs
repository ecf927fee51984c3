//! Many consignments handed in together. Accepted, they are durable; a task lodges them in parts, and what came of a part is
//! stored in the transaction that lodges it: killed at any moment, central lodges each once.

use clearance::ids::UtcMillis;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, StorageError, Store, Write, data};
use crate::trade::batch::Origin;
use crate::trade::{Caller, Consignment, Faulty, TraderId};

/// Items that are lodged in one transaction: short enough that nobody else waits long.
pub(crate) const PART: usize = 500;

/// A consignment as it was read: as it is to be lodged, or what is wrong with it.
pub type Item = Result<Consignment, Vec<Faulty>>;

/// An item, and where it stands in the file that it came in, if it came in one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandedIn {
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it says.
    #[serde(flatten)]
    pub item: Item,
}

impl From<Item> for HandedIn {
    fn from(item: Item) -> Self {
        Self { origin: None, item }
    }
}

/// What came of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemOutcome {
    /// It was lodged under this number.
    Lodged(Ccrn),
    /// Something is wrong with it.
    Refused(Vec<Faulty>),
}

/// What came of an item that was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Its place in the request, from 0.
    #[serde(skip)]
    pub index: usize,
    /// Where it stands in its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: ItemOutcome,
}

/// A request as it stands.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// Its id.
    pub id: String,
    /// When it was accepted.
    pub accepted_at: UtcMillis,
    /// How many consignments it has.
    pub items: usize,
    /// What came of them so far, in their order.
    pub outcomes: Vec<Acknowledged>,
    /// Why it was set aside, if it was: what has no outcome is not lodged any more.
    pub failed: Option<String>,
}

impl RequestRow {
    /// Whether something came of each.
    pub fn is_completed(&self) -> bool {
        self.outcomes.len() == self.items
    }
}

/// Take consignments in.
pub(crate) struct Accept {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) items: Vec<HandedIn>,
    pub(crate) at: UtcMillis,
}

impl Change for Accept {
    type Done = String;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<String, StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO requests (id, trader, who, sandbox, evidence, accepted_at, items) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(self.id.clone())
            .bind(self.caller.trader.as_str().to_owned())
            .bind(self.caller.who.clone())
            .bind(i64::from(self.caller.sandbox))
            .bind(self.caller.evidence.clone())
            .bind(self.at.0)
            .bind(self.items.len() as i64)
            .execute(&mut *write.tx)
            .await?;
            for (number, part) in self.items.chunks(PART).enumerate() {
                sqlx::query(
                    "INSERT INTO request_parts (request, first, items, trader) VALUES ($1, $2, $3, $4)",
                )
                .bind(self.id.clone())
                .bind((number * PART) as i64)
                .bind(serde_json::to_string(part).map_err(data)?)
                .bind(self.caller.trader.as_str().to_owned())
                .execute(&mut *write.tx)
                .await?;
            }
            write.take_turn(self.caller.trader.as_str()).await?;
            write
                .audit(self.at, &self.caller.who, &Noted::Accept { items: self.items.len() }, &self.id)
                .await?;
            Ok(self.id)
        })
    }
}

impl Store {
    /// A company's request; none if it is not there, or not theirs.
    pub async fn request(&self, trader: &TraderId, id: &str) -> Result<Option<RequestRow>, StorageError> {
        let mut tx = self.read().await?;
        let row: Option<(i64, i64, Option<String>)> =
            sqlx::query_as("SELECT accepted_at, items, failed FROM requests WHERE id = $1 AND trader = $2")
                .bind(id.to_owned())
                .bind(trader.as_str().to_owned())
                .fetch_optional(&mut *tx)
                .await?;
        let Some((accepted_at, items, failed)) = row else { return Ok(None) };
        let parts: Vec<(i64, String)> = sqlx::query_as(
            "SELECT first, outcomes FROM request_parts WHERE request = $1 AND outcomes IS NOT NULL ORDER BY first",
        )
        .bind(id.to_owned())
        .fetch_all(&mut *tx)
        .await?;
        let mut outcomes = Vec::new();
        for (first, part) in parts {
            let part: Vec<Acknowledged> = serde_json::from_str(&part).map_err(data)?;
            let numbered = (first as usize..).zip(part);
            outcomes.extend(numbered.map(|(index, item)| Acknowledged { index, ..item }));
        }
        Ok(Some(RequestRow {
            id: id.to_owned(),
            accepted_at: UtcMillis(accepted_at),
            items: items as usize,
            outcomes,
            failed,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::Fault;
    use crate::trade::batch::Format;

    #[test]
    fn what_was_stored_before_files_were_taken_is_read_and_what_is_stored_now_is_read_again() {
        let before = r#"[{"Err":[{"pointer":"/packages","fault":"required"}]}]"#;
        let items: Vec<HandedIn> = serde_json::from_str(before).unwrap();
        assert!(items[0].origin.is_none());
        assert_eq!(items[0].item.as_ref().unwrap_err(), &[Faulty::at("/packages", Fault::Required)]);
        assert_eq!(serde_json::to_string(&items).unwrap(), before);
        let before = r#"[{"refused":[]},{"refused":[{"pointer":"","fault":"date"}]}]"#;
        let outcomes: Vec<Acknowledged> = serde_json::from_str(before).unwrap();
        assert_eq!(serde_json::to_string(&outcomes).unwrap(), before);
        let reference = Some("PO-1".to_owned());
        let origin = Some(Origin { format: Format::Xlsx, row: 7, goods: vec![7, 8], reference });
        let outcome = ItemOutcome::Refused(vec![Faulty::at("/goods/1/origin", Fault::Country)]);
        let now = Acknowledged { index: 0, origin, outcome };
        let again: Acknowledged = serde_json::from_str(&serde_json::to_string(&now).unwrap()).unwrap();
        assert_eq!(again, now);
    }
}
