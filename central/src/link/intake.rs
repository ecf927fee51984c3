//! What comes from the lanes: passages and pictures (acknowledged after the commit), telemetry (latest wins).

use std::sync::Arc;

use anyhow::anyhow;
use clearance::ids::{Digest, SiteId};
use clearance::passage::{Evidence, LaneStatus, PassageEvent, ReplicaHealth};
use clearance::topic;
use tokio::task::JoinSet;
use zenoh::query::Query;

use super::{Link, lane_of};
use crate::state::{CentralEvent, LaneRecord};
use crate::storage::Stored;

/// The largest live picture taken, bytes.
const MOST_PICTURE: usize = 300 * 1024;

/// The most lanes that are shown: more are somebody's mistake.
const MOST_LANES: usize = 1000;

/// Declare where one site's lanes deliver.
pub(super) async fn declare(link: &Link, site: &SiteId, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    let passages = link.session.declare_queryable(topic::passages(site)).await.map_err(|e| anyhow!("{e}"))?;
    let evidence = link.session.declare_queryable(topic::evidence(site)).await.map_err(|e| anyhow!("{e}"))?;
    let (one, other, site) = (link.clone(), link.clone(), site.clone());
    tasks.spawn(async move {
        // One at a time: a lane sends its steps in order.
        while let Ok(query) = passages.recv_async().await {
            if let Err(error) = take_passage(&one, &site, &query).await {
                tracing::warn!(%error, "a passage was not taken");
            }
        }
    });
    tasks.spawn(async move {
        while let Ok(query) = evidence.recv_async().await {
            if let Err(error) = take_evidence(&other, &query).await {
                tracing::warn!(%error, "a picture was not taken");
            }
        }
    });
    Ok(())
}

async fn take_passage(link: &Link, site: &SiteId, query: &Query) -> anyhow::Result<()> {
    let bytes = payload(query)?;
    let event = link
        .trust
        .open::<PassageEvent>(&bytes)
        .inspect_err(|error| link.refuse(LaneRecord::Passage, error))?
        .into_record();
    if event.site != *site {
        let why = format!("site {} delivered at {site}", event.site);
        link.refuse(LaneRecord::Passage, &why);
        return Err(anyhow!(why));
    }
    if link.state.store.store_event(&event).await? == Stored::New {
        let _ = link.state.events.send(CentralEvent::Passage(event.passage));
    }
    acknowledge(query, &bytes).await
}

async fn take_evidence(link: &Link, query: &Query) -> anyhow::Result<()> {
    let bytes = payload(query)?;
    let evidence = link
        .trust
        .open::<Evidence>(&bytes)
        .inspect_err(|error| link.refuse(LaneRecord::Picture, error))?
        .into_record();
    if Digest::of(&evidence.jpeg) != evidence.digest {
        link.refuse(LaneRecord::Picture, &"its digest does not fit");
        return Err(anyhow!("a picture whose digest does not fit"));
    }
    link.state.store.store_evidence(&evidence).await?;
    let _ = link.state.events.send(CentralEvent::Passage(evidence.passage));
    acknowledge(query, &bytes).await
}

fn payload(query: &Query) -> anyhow::Result<Vec<u8>> {
    Ok(query.payload().ok_or_else(|| anyhow!("a delivery without a payload"))?.to_bytes().into_owned())
}

async fn acknowledge(query: &Query, bytes: &[u8]) -> anyhow::Result<()> {
    let digest = Digest::of(bytes);
    query.reply(query.key_expr().clone(), digest.0.to_vec()).await.map_err(|e| anyhow!("{e}"))
}

/// Watch the telemetry and live pictures of one site's lanes: site by site, for the access rules are by site.
pub(super) async fn watch_lanes(link: &Link, site: &SiteId, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    let statuses =
        link.session.declare_subscriber(topic::all_status(site)).await.map_err(|e| anyhow!("{e}"))?;
    let pictures =
        link.session.declare_subscriber(topic::all_pictures(site)).await.map_err(|e| anyhow!("{e}"))?;
    let (one, other) = (link.clone(), link.clone());
    tasks.spawn(async move {
        while let Ok(sample) = statuses.recv_async().await {
            one.take_status(&sample.payload().to_bytes()).await;
        }
    });
    tasks.spawn(async move {
        while let Ok(sample) = pictures.recv_async().await {
            other.take_picture(sample.key_expr().as_str(), &sample.payload().to_bytes());
        }
    });
    Ok(())
}

impl Link {
    async fn take_status(&self, bytes: &[u8]) {
        let status = match self.trust.open::<LaneStatus>(bytes) {
            Ok(status) => status.into_record(),
            Err(error) => return self.refuse(LaneRecord::Status, &error),
        };
        self.tell_acceptance(&status).await;
        let lane = (status.site.clone(), status.lane.clone());
        let now = self.state.clock.now().0;
        {
            let mut lanes = self.state.lanes_mut();
            if lanes.status.len() < MOST_LANES || lanes.status.contains_key(&lane) {
                lanes.status.insert(lane.clone(), (status, now));
            }
        }
        let _ = self.state.events.send(CentralEvent::Lane(lane.0, lane.1));
    }

    /// Send a quarantined edge what an officer has accepted for it, until it says that it has followed.
    async fn tell_acceptance(&self, status: &LaneStatus) {
        let store = &self.state.store;
        let (site, edge) = (&status.site, &status.edge);
        let told = if let ReplicaHealth::Quarantined(_) = status.replica {
            match store.pending_acceptance(site, edge).await {
                Ok(Some(sealed)) => {
                    if let Err(error) = self.session.put(topic::accepted_forks(site, edge), sealed).await {
                        tracing::warn!(%error, %site, %edge, "an acceptance was not sent; it will be sent again");
                    }
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            let known =
                self.state.lanes().status.get(&(site.clone(), status.lane.clone())).map(|(s, _)| s.replica);
            match known {
                // Nothing has changed; the store need not be asked every second.
                Some(known) if known == status.replica => Ok(()),
                _ => store.acceptance_followed(site, edge, status.epoch).await,
            }
        };
        if let Err(error) = told {
            tracing::error!(%error, %site, %edge, "an officer's acceptance");
        }
    }

    /// Pictures are not signed: nothing is decided by them. They are shown only for lanes that have told, signed, that
    /// they exist.
    fn take_picture(&self, key: &str, bytes: &[u8]) {
        let Some(lane) = lane_of(key) else { return };
        let mut lanes = self.state.lanes_mut();
        if bytes.len() <= MOST_PICTURE && lanes.status.contains_key(&lane) {
            lanes.pictures.insert(lane, Arc::new(bytes.to_vec()));
        }
    }
}
