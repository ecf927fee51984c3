//! Deltas on their way to the lanes: what this central commits, at once; what other centrals commit on the same database, as
//! soon as it is seen there. A lane is connected to one central and must hear of both.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clearance::ids::{Digest, Revision, SiteId};
use clearance::replicate::Head;
use clearance::topic;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use zenoh::qos::CongestionControl;

use super::Link;
use crate::storage::StorageError;

/// How often the database is looked at for what others have committed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Deltas of one's own that are remembered, so that they are not published again as another's.
const REMEMBERED: usize = 8_192;

/// What this central has published of its own.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<VecDeque<Digest>>);

impl Own {
    fn note(&self, sealed: &[u8]) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() == REMEMBERED {
            own.pop_front();
        }
        own.push_back(Digest::of(sealed));
    }

    /// Whether it is one's own; it is asked for once.
    fn takes(&self, sealed: &[u8]) -> bool {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = Digest::of(sealed);
        own.iter().position(|known| *known == digest).and_then(|place| own.remove(place)).is_some()
    }
}

/// Publish what is committed here.
pub(super) async fn publish(link: Link, own: Arc<Own>) {
    let mut committed = link.state.store.committed();
    loop {
        match committed.recv().await {
            Ok(delta) => {
                own.note(&delta.sealed);
                link.put_delta(&delta.site, delta.sealed).await;
            }
            // Lanes notice the gap and ask.
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "deltas not published"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Publish what other centrals have committed on the same database. A follower ignores what it has.
pub(super) async fn publish_of_others(link: Link, sites: Vec<SiteId>, own: Arc<Own>) {
    let mut seen: BTreeMap<SiteId, Head> = BTreeMap::new();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for site in &sites {
            match link.follow(site, seen.get(site).copied(), &own).await {
                Ok(head) => drop(seen.insert(site.clone(), head)),
                Err(error) => {
                    tracing::warn!(%error, %site, "what others committed cannot be read; lanes will ask");
                }
            }
        }
    }
}

impl Link {
    /// Publish what others have added to a site's log since `seen`; gives the head now.
    async fn follow(&self, site: &SiteId, seen: Option<Head>, own: &Own) -> Result<Head, StorageError> {
        let head = self.state.store.head(site).await?;
        let Some(seen) = seen.filter(|seen| seen.epoch == head.epoch && seen.revision < head.revision) else {
            // Where one begins, and where a new history begins, lanes learn of it by their leases.
            return Ok(head);
        };
        let after = Revision(seen.revision.0 + 1);
        let added = self.state.store.range(site, after, head.revision).await?;
        let reached = Revision(seen.revision.0 + added.len() as u64);
        for sealed in added {
            if !own.takes(&sealed) {
                self.put_delta(site, sealed).await;
            }
        }
        Ok(Head { revision: reached, ..seen })
    }

    async fn put_delta(&self, site: &SiteId, sealed: Vec<u8>) {
        let put = self.session.put(topic::deltas(site), sealed);
        if let Err(error) = put.congestion_control(CongestionControl::Block).await {
            tracing::warn!(%error, "a delta was not published; lanes will ask for it");
        }
    }
}
