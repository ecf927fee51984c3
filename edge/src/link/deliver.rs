//! Delivery to central, at least once: what is acknowledged is forgotten, what is not is sent again. Central counts
//! each step once.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use clearance::ids::Digest;
use clearance::topic;
use clearance::wire::Record;
use zenoh::Session;

use super::Identity;
use crate::outbox::{EvidenceStore, Outbox};

/// How long central may take to store and acknowledge.
const PATIENCE: Duration = Duration::from_secs(10);
/// Without news the outbox is looked at so often.
const IDLE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Steps read from the outbox at once.
const BATCH: usize = 64;

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
}

/// Deliver passages for ever, in the order in which they were recorded.
pub(super) async fn passages(identity: Arc<Identity>, session: Session, outbox: Arc<Outbox>) {
    let key = topic::passages(&identity.site);
    let mut backoff = pauses();
    loop {
        let batch = outbox.oldest(BATCH);
        if batch.is_empty() {
            let _ = tokio::time::timeout(IDLE, outbox.recorded()).await;
            continue;
        }
        for (number, event) in batch {
            if !deliver(&identity, &session, &key, &event).await {
                tokio::time::sleep(backoff.next().unwrap_or(LONGEST_PAUSE)).await;
                break;
            }
            backoff = pauses();
            let outbox = Arc::clone(&outbox);
            let noted = tokio::task::spawn_blocking(move || outbox.acknowledge(number)).await;
            if let Ok(Err(error)) = noted {
                tracing::warn!(%error, "a delivered step may be delivered once more after a restart");
            }
        }
    }
}

/// Deliver pictures for ever.
pub(super) async fn pictures(identity: Arc<Identity>, session: Session, store: Arc<EvidenceStore>) {
    let key = topic::evidence(&identity.site);
    let mut backoff = pauses();
    loop {
        let reader = Arc::clone(&store);
        let oldest = tokio::task::spawn_blocking(move || reader.oldest()).await.ok().flatten();
        let Some((number, evidence)) = oldest else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if deliver(&identity, &session, &key, &evidence).await {
            backoff = pauses();
            let store = Arc::clone(&store);
            let _ = tokio::task::spawn_blocking(move || store.acknowledge(number)).await;
        } else {
            tokio::time::sleep(backoff.next().unwrap_or(LONGEST_PAUSE)).await;
        }
    }
}

/// Send a record; whether central acknowledged exactly these bytes.
async fn deliver<T: Record>(identity: &Identity, session: &Session, key: &str, record: &T) -> bool {
    let (sealed, _) = identity.signer.seal(record);
    let wanted = Digest::of(&sealed);
    let Ok(replies) = session.get(key).payload(sealed).timeout(PATIENCE).await else { return false };
    while let Ok(reply) = replies.recv_async().await {
        if reply.result().is_ok_and(|sample| *sample.payload().to_bytes() == wanted.0) {
            return true;
        }
    }
    false
}
