//! Answers to lanes: snapshots, ranges of deltas, leases.

use anyhow::anyhow;
use clearance::ids::{Revision, SiteId};
use clearance::publisher::seal_snapshot;
use clearance::replicate::{LeaseGrant, LeaseRequest};
use clearance::topic;
use tokio::task::JoinSet;
use zenoh::query::Query;

use super::Link;
use crate::state::LaneRecord;

/// Declare the queryables of one site.
pub(super) async fn declare(link: &Link, site: &SiteId, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    for (key, what) in [
        (topic::snapshot(site), What::Snapshot),
        (topic::range(site), What::Range),
        (topic::lease(site), What::Lease),
    ] {
        let queryable = link.session.declare_queryable(key).await.map_err(|e| anyhow!("{e}"))?;
        let (link, site) = (link.clone(), site.clone());
        tasks.spawn(async move {
            while let Ok(query) = queryable.recv_async().await {
                let (link, site) = (link.clone(), site.clone());
                tokio::spawn(async move {
                    if let Err(error) = answer(&link, &site, what, &query).await {
                        tracing::warn!(%error, ?what, "a lane's query was not answered");
                    }
                });
            }
        });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum What {
    Snapshot,
    Range,
    Lease,
}

async fn answer(link: &Link, site: &SiteId, what: What, query: &Query) -> anyhow::Result<()> {
    let store = &link.state.store;
    let replies = match what {
        What::Snapshot => {
            let (head, entries) = store.snapshot(site).await?;
            seal_snapshot(store.signer(), site, &head, &entries, None)
        }
        What::Range => {
            let parameters = query.parameters();
            let bound = |name| parameters.get(name).and_then(|v| v.parse().ok()).map(Revision);
            let (Some(from), Some(to)) = (bound("from"), bound("to")) else {
                return Err(anyhow!("a range query without from and to"));
            };
            store.range(site, from, to).await?
        }
        What::Lease => vec![lease(link, site, query).await?],
    };
    for reply in replies {
        query.reply(query.key_expr().clone(), reply).await.map_err(|e| anyhow!("{e}"))?;
    }
    Ok(())
}

async fn lease(link: &Link, site: &SiteId, query: &Query) -> anyhow::Result<Vec<u8>> {
    let payload = query.payload().ok_or_else(|| anyhow!("a lease query without a request"))?;
    let request = link
        .trust
        .open::<LeaseRequest>(&payload.to_bytes())
        .inspect_err(|error| link.refuse(LaneRecord::LeaseRequest, error))?
        .into_record();
    if request.site != *site {
        return Err(anyhow!("a lease request for site {} was sent to {site}", request.site));
    }
    let head = link.state.store.head(site).await?;
    let grant = LeaseGrant {
        site: request.site,
        edge: request.edge,
        epoch: head.epoch,
        revision: head.revision,
        head_hash: head.hash,
        nonce: request.nonce,
        ttl_ms: link.lease_ms,
    };
    Ok(link.state.store.signer().seal(&grant).0)
}
