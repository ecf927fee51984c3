//! Answers to lanes: snapshots, ranges of deltas, leases.

use anyhow::anyhow;
use clearance::ids::{Revision, SiteId};
use clearance::merkle::Buckets;
use clearance::publisher::{seal_grant, seal_snapshot};
use clearance::replicate::LeaseRequest;
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
        (topic::keys(site), What::Keys),
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
    Keys,
}

async fn answer(link: &Link, site: &SiteId, what: What, query: &Query) -> anyhow::Result<()> {
    let store = &link.state.store;
    let replies = match what {
        What::Snapshot => {
            // What it says it holds decides only about what is sent: whoever lies gets too little, or all.
            let held = query.payload().and_then(|payload| Buckets::from_bytes(&payload.to_bytes()));
            let (moment, buckets, entries) = store.snapshot(site, held.as_ref()).await?;
            seal_snapshot(store.signer(), site, &moment, buckets, &entries)
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
        What::Keys => store.rotations().await?,
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
    let store = &link.state.store;
    let (head, root) = store.vouched(site).await?;
    Ok(seal_grant(store.signer(), request, &head, root, link.lease_ms))
}
