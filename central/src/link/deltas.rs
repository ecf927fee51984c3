//! Deltas on their way to the lanes: what this central commits, at once; what other centrals commit on the same database, as
//! soon as it is seen there. A lane is connected to one central and must hear of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clearance::ids::{Epoch, Revision, SiteId};
use clearance::replicate::Head;
use clearance::topic;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use zenoh::qos::CongestionControl;

use super::Link;
use crate::storage::StorageError;

/// How often the database is looked at for what others have committed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What this central has published of its own, as far as it has not been seen in the database yet.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<BTreeSet<(SiteId, Epoch, Revision)>>);

impl Own {
    fn set(&self) -> MutexGuard<'_, BTreeSet<(SiteId, Epoch, Revision)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, site: &SiteId, head: Head) {
        self.set().insert((site.clone(), head.epoch, head.revision));
    }

    /// Whether every revision of a site's log after `seen` up to `head` is one's own.
    fn are_all(&self, site: &SiteId, seen: Head, head: Head) -> bool {
        let own = self.set();
        let has = |revision| own.contains(&(site.clone(), head.epoch, Revision(revision)));
        (seen.revision.0 + 1..=head.revision.0).all(has)
    }

    fn is(&self, site: &SiteId, epoch: Epoch, revision: Revision) -> bool {
        self.set().contains(&(site.clone(), epoch, revision))
    }

    /// Forget what has been seen.
    fn forget(&self, site: &SiteId, seen: Head) {
        let after = |epoch, revision| (epoch, revision) > (seen.epoch, seen.revision);
        self.set().retain(|(of, epoch, revision)| of != site || after(*epoch, *revision));
    }
}

/// Publish what is committed here.
pub(super) async fn publish(link: Link, own: Arc<Own>) {
    let mut committed = link.state.store.committed();
    loop {
        match committed.recv().await {
            Ok(delta) => {
                own.note(&delta.site, delta.head);
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

/// How often, and how many times, the newest deltas are put again.
const REMIND: (Duration, u32) = (Duration::from_secs(1), 10);

/// After the session was opened anew: put the newest delta of each site again for some seconds, while routers come back. A
/// lane behind a router does not notice that central was away; whatever it missed, it asks for now instead of when it asks for
/// its next lease.
pub(super) async fn remind(link: Link, sites: Vec<SiteId>) {
    let (every, times) = REMIND;
    for _ in 0..times {
        tokio::time::sleep(every).await;
        for site in &sites {
            if let Err(error) = link.put_newest(site).await {
                tracing::warn!(%error, %site, "the newest delta was not put again; lanes will ask");
            }
        }
    }
}

impl Link {
    async fn put_newest(&self, site: &SiteId) -> Result<(), StorageError> {
        let head = self.state.store.head(site).await?.revision;
        for sealed in self.state.store.range(site, head, head).await? {
            self.put_delta(site, sealed).await;
        }
        Ok(())
    }

    /// Publish what others have added to a site's log since `seen`; gives how far it has been seen now.
    async fn follow(&self, site: &SiteId, seen: Option<Head>, own: &Own) -> Result<Head, StorageError> {
        let head = self.state.store.head(site).await?;
        let reached = match seen.filter(|seen| seen.epoch == head.epoch && seen.revision < head.revision) {
            Some(seen) if !own.are_all(site, seen, head) => self.publish_after(site, seen, head, own).await?,
            // Where one begins, and where a new history begins, lanes learn of it by their leases.
            _ => head,
        };
        own.forget(site, reached);
        Ok(reached)
    }

    /// Publish what is not one's own after `seen` up to `head`, or as much of it as is read at once.
    async fn publish_after(
        &self,
        site: &SiteId,
        seen: Head,
        head: Head,
        own: &Own,
    ) -> Result<Head, StorageError> {
        let mut reached = seen;
        for sealed in self.state.store.range(site, seen.revision.next(), head.revision).await? {
            reached.revision = reached.revision.next();
            if !own.is(site, reached.epoch, reached.revision) {
                self.put_delta(site, sealed).await;
            }
        }
        Ok(reached)
    }

    async fn put_delta(&self, site: &SiteId, sealed: Vec<u8>) {
        let put = self.session.put(topic::deltas(site), sealed);
        if let Err(error) = put.congestion_control(CongestionControl::Block).await {
            tracing::warn!(%error, "a delta was not published; lanes will ask for it");
        }
    }
}
