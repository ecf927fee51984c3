//! The outbox's way to central: Zenoh queries.

use std::time::Duration;

use clearance::ids::SiteId;
use clearance::topic;
use tokio::sync::watch;
use zenoh::Session;
use zenoh::query::ConsolidationMode;

use super::delivery::{Courier, Door, NotTaken};

/// How long central may take to commit.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends through the session of the link, whenever there is one.
#[derive(Clone, Debug)]
pub struct ZenohCourier {
    session: watch::Receiver<Option<Session>>,
    passages: String,
    evidence: String,
}

impl ZenohCourier {
    /// For this site, over the link's session (see `directives::Link::session`).
    pub fn new(session: watch::Receiver<Option<Session>>, site: &SiteId) -> Self {
        Self { session, passages: topic::passages(site), evidence: topic::evidence(site) }
    }
}

impl Courier for ZenohCourier {
    async fn ask(&self, door: Door, payload: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
        let unreachable = |error: &dyn std::fmt::Display| NotTaken::Unreachable(error.to_string());
        let session = self.session.borrow().clone();
        let session = session.ok_or_else(|| unreachable(&"not connected yet"))?;
        let key = match door {
            Door::Passages => &self.passages,
            Door::Evidence => &self.evidence,
        };
        let replies = session
            .get(key)
            .payload(payload)
            .consolidation(ConsolidationMode::None)
            .timeout(TIMEOUT)
            .await
            .map_err(|error| unreachable(&error))?;
        let reply = replies.recv_async().await.map_err(|_| unreachable(&"no reply"))?;
        match reply.into_result() {
            Ok(sample) => Ok(sample.payload().to_bytes().into_owned()),
            // Zenoh itself reports a query that ran out of time as an error reply.
            Err(error) => match error.payload().try_to_string() {
                Ok(text) if text == "Timeout" => Err(unreachable(&"no reply in time")),
                Ok(text) => Err(NotTaken::Refused(text.chars().take(200).collect())),
                Err(_) => Err(NotTaken::Refused("an error that is no text".to_owned())),
            },
        }
    }
}
