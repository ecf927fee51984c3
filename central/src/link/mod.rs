//! Central's side of Zenoh: publishes deltas and orders, answers lanes' queries, takes passages and pictures.
//!
//! Zenoh carries bytes; every record is checked here before it is believed, and what is refused is kept for display.

mod answers;
mod deltas;
mod intake;
pub(crate) mod keep;
pub mod overheard;
pub(crate) mod renewal;
pub(crate) mod session;
pub(crate) mod tls;

use std::sync::Arc;
use std::time::Duration;

use clearance::ids::{LaneId, SiteId};
use clearance::topic;
use clearance::wire::TrustStore;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zenoh::Session;
use zenoh::qos::CongestionControl;

use crate::config::Config;
use crate::state::{AppState, LaneRecord, Outgoing};

/// How often an order that a lane has not answered is sent again.
const RESEND: Duration = Duration::from_secs(1);

/// How many refusals of a kind are shown.
const MOST_REFUSED: usize = 10;

/// What the link's tasks share.
#[derive(Clone)]
struct Link {
    state: AppState,
    session: Session,
    trust: Arc<TrustStore>,
    lease_ms: u64,
}

/// Open the session and start the link's tasks; they end when the set is dropped.
pub async fn start(state: AppState, config: &Config) -> anyhow::Result<JoinSet<()>> {
    let keeper = keep::Keeper::new(state.clone(), config)?;
    let opened = keeper.open(false).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(keeper.keep(opened));
    tasks.spawn(forget_marks(state));
    Ok(tasks)
}

async fn publish_orders(link: Link) {
    let mut orders = link.state.orders.subscribe();
    loop {
        match orders.recv().await {
            Ok(order) => link.send_order(&order).await,
            // They are in the store, and sent again from there.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Marks that no passage can meet any more are forgotten from time to time.
async fn forget_marks(state: AppState) {
    let mut tick = tokio::time::interval(Duration::from_hours(1));
    loop {
        tick.tick().await;
        if let Err(error) = state.store.forget_marks(state.clock.now()).await {
            tracing::warn!(%error, "old marks were not forgotten");
        }
    }
}

async fn repeat_orders(link: Link) {
    let mut tick = tokio::time::interval(RESEND);
    loop {
        tick.tick().await;
        let now = link.state.clock.now();
        if let Err(error) = link.state.store.expire_orders(now).await {
            tracing::error!(%error, "orders that ran out were not noted");
        }
        match link.state.store.pending_orders(now).await {
            Ok(pending) => {
                for (site, lane, sealed) in pending {
                    if let (Ok(site), Ok(lane)) = (site.parse(), lane.parse()) {
                        link.send_order(&Outgoing { site, lane, sealed }).await;
                    }
                }
            }
            Err(error) => tracing::error!(%error, "pending orders cannot be read"),
        }
    }
}

impl Link {
    async fn send_order(&self, order: &Outgoing) {
        let put = self.session.put(topic::orders(&order.site, &order.lane), order.sealed.clone());
        if let Err(error) = put.congestion_control(CongestionControl::Block).express(true).await {
            tracing::warn!(%error, "an order was not sent; it will be sent again");
        }
    }

    /// Note a record that was refused.
    fn refuse(&self, what: LaneRecord, why: &dyn std::fmt::Display) {
        refuse(&self.state, what, why);
    }
}

/// Note something that was refused; the same again is logged once.
fn refuse(state: &AppState, what: LaneRecord, why: &dyn std::fmt::Display) {
    let refusal = (what, why.to_string());
    let mut lanes = state.lanes_mut();
    if let Some(known) = lanes.refused.iter().position(|known| *known == refusal) {
        tracing::debug!(?what, %why, "refused again");
        lanes.refused.remove(known);
    } else {
        tracing::warn!(?what, %why, "refused");
    }
    lanes.refused.push(refusal);
    // Of each kind some, so that whoever tries one thing after the other hides nobody else.
    let of_this_kind = |(known, _): &(LaneRecord, String)| *known == what;
    if lanes.refused.iter().filter(|known| of_this_kind(known)).count() > MOST_REFUSED
        && let Some(oldest) = lanes.refused.iter().position(of_this_kind)
    {
        lanes.refused.remove(oldest);
    }
}

/// Note what Zenoh refuses, for ever.
pub(crate) async fn note_refusals(state: AppState, mut heard: mpsc::Receiver<overheard::Heard>) {
    while let Some(heard) = heard.recv().await {
        let refusal = overheard::refusal(heard, &state.lanes().revoked);
        if let Some((what, why)) = refusal {
            refuse(&state, what, &why);
        }
    }
}

/// Site and lane in a key such as `clearlane/SITE/lanes/LANE/status`.
pub(crate) fn lane_of(key: &str) -> Option<(SiteId, LaneId)> {
    let mut parts = key.split('/');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        ("clearlane", site, "lanes", lane) => Some((site.parse().ok()?, lane.parse().ok()?)),
        _ => None,
    }
}
