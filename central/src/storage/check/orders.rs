//! Officers' orders: each row is what was signed.

use clearance::finding::Check;
use clearance::order::Order;
use futures::TryStreamExt as _;

use super::{Checking, FROM_BACKUP, Stopped};
use crate::storage::OrderReason;
use crate::storage::orders::OrderState;

const SEAL: Check = Check::damage(
    "order-seal",
    "what an officer ordered is not what this central signed: it proves nothing, and no lane obeys it",
    FROM_BACKUP,
);
const ROW: Check = Check::damage(
    "order-differs",
    "the console shows another order than the one that was signed and sent",
    "the signed bytes count: correct the row by them; look for whoever changed it",
);
const STATE: Check = Check::damage(
    "order-state",
    "it is not known what became of an order",
    "look at the steps of its passage, and correct the row by them",
);

#[derive(sqlx::FromRow)]
struct Row {
    nonce: String,
    passage: String,
    site: String,
    lane: String,
    officer: String,
    verdict: String,
    reason: String,
    issued: i64,
    expires: i64,
    sealed: Vec<u8>,
    state: String,
}

impl Row {
    /// Columns that do not say what was signed.
    fn differing(&self, order: &Order) -> Vec<&'static str> {
        let verdict = serde_json::from_str(&self.verdict).ok();
        [
            ("nonce", self.nonce == order.nonce.to_string()),
            ("passage", self.passage == order.passage.to_string()),
            ("site", self.site == order.site.as_str()),
            ("lane", self.lane == order.lane.as_str()),
            ("officer", self.officer == order.officer.as_str()),
            ("verdict", verdict == Some(order.verdict)),
            ("issued", self.issued == order.issued.0),
            ("expires", self.expires == order.expires.0),
        ]
        .into_iter()
        .filter_map(|(column, same)| (!same).then_some(column))
        .collect()
    }
}

impl Checking {
    pub(super) async fn orders(&mut self) -> Result<(), Stopped> {
        let mut findings = Vec::new();
        let mut count = 0;
        let mut rows = sqlx::query_as::<_, Row>("SELECT * FROM orders").fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            count += 1;
            let place = format!("orders {}", row.nonce);
            match self.trust.open::<Order>(&row.sealed) {
                Err(error) => findings.push(SEAL.found(&place, error)),
                Ok(order) => {
                    let differing = row.differing(order.record());
                    if !differing.is_empty() {
                        findings.push(ROW.found(&place, format!("differs in {}", differing.join(", "))));
                    }
                }
            }
            if !OrderState::is_stored(&row.state) {
                findings.push(STATE.found(&place, format!("its state is {:?}", row.state)));
            }
            if serde_json::from_str::<Option<OrderReason>>(&row.reason).is_err() {
                findings.push(STATE.found(&place, format!("its reason is {}", row.reason)));
            }
        }
        drop(rows);
        self.report.count("orders", count);
        findings.into_iter().for_each(|finding| self.found(finding));
        Ok(())
    }
}
