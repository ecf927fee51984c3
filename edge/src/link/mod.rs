//! The edge's side of Zenoh: follows central's log, delivers passages and pictures, takes officers' orders, tells how
//! the lanes are. It can be away for as long as it likes: the lanes live on the cache until their lease runs out.
//!
//! Zenoh carries bytes; every record is verified here before anybody sees it.

pub(crate) mod check;
mod deliver;
mod follow;
mod keys;
pub mod overheard;
pub(crate) mod tls;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use clearance::decide::Lease;
use clearance::follower::Quarantine;
use clearance::ids::{EdgeId, LaneId, Revision, SiteId};
use clearance::order::Order;
use clearance::passage::ReplicaHealth;
use clearance::replicate::Head;
use clearance::topic;
use clearance::transport::{self, Certificates, TlsFiles};
use clearance::wire::{Signer, Verified};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use zenoh::Session;
use zenoh::qos::CongestionControl;

pub use self::tls::TlsFilesError;
use crate::directives::Cache;
use crate::outbox::{EvidenceStore, Outbox};
pub use keys::CentralKeys;

/// Longest pause before the session is opened again.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Orders that may wait for a lane; more within a lane's turn are somebody's mistake, and central sends again.
const ORDERS: usize = 16;

/// Who this edge is and whom it believes.
pub struct Identity {
    /// The control point.
    pub site: SiteId,
    /// This node.
    pub edge: EdgeId,
    /// Signs what goes out.
    pub signer: Signer,
    /// The keys of central that are believed.
    pub central: CentralKeys,
}

/// How central is reached.
#[derive(Clone, Debug)]
pub struct Way {
    /// Zenoh endpoints of routers or of central, tried in turn.
    pub endpoints: Vec<String>,
    /// Certificates, for TLS endpoints.
    pub tls: Option<TlsFiles>,
}

/// What waits for central.
pub struct Waiting {
    /// Passages.
    pub outbox: Arc<Outbox>,
    /// Pictures.
    pub evidence: Arc<EvidenceStore>,
}

/// How the replica of central's directives is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplicaState {
    /// It holds nothing and has not reached central yet.
    #[default]
    Empty,
    /// The set is being fetched.
    Bootstrapping,
    /// Central vouches for the cache.
    Live,
    /// It does not, or no longer.
    Stale,
    /// Central's history contradicts what was seen.
    Quarantined(Quarantine),
}

impl ReplicaState {
    /// As lanes tell it.
    pub fn health(self) -> ReplicaHealth {
        match self {
            Self::Empty | Self::Bootstrapping => ReplicaHealth::Fetching,
            Self::Live => ReplicaHealth::Live,
            Self::Stale => ReplicaHealth::Stale,
            Self::Quarantined(why) => ReplicaHealth::Quarantined(why),
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bootstrapping => "bootstrapping",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Quarantined(_) => "quarantined",
        }
    }
}

/// The last comparison of the whole set with central's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaAudit {
    /// When.
    pub at: Instant,
    /// At which revision.
    pub revision: Revision,
    /// Whether the sets were the same.
    pub same: bool,
}

/// Where following central stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaStatus {
    /// Where the cache stands.
    pub head: Head,
    /// Until when central vouches for it.
    pub lease_until: Option<Instant>,
    /// How it is.
    pub state: ReplicaState,
    /// Whether central can be reached.
    pub connected: bool,
    /// Revisions that central is known to be ahead.
    pub lag: u64,
    /// The last comparison with central's set.
    pub audited: Option<ReplicaAudit>,
}

impl ReplicaStatus {
    /// Whether central vouches for the cache at this moment.
    pub fn lease(&self) -> Lease {
        if self.lease_left().is_zero() { Lease::Stale } else { Lease::Live }
    }

    /// How much longer.
    pub fn lease_left(&self) -> Duration {
        self.lease_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

/// The link to central. Dropping it ends it.
pub struct Link {
    status: watch::Receiver<ReplicaStatus>,
    session: watch::Receiver<Option<Session>>,
    orders: HashMap<LaneId, mpsc::Receiver<Verified<Order>>>,
    identity: Arc<Identity>,
    _tasks: JoinSet<()>,
}

/// Sends what lanes tell of themselves; what cannot be sent now is not sent.
#[derive(Clone)]
pub struct Telemetry {
    session: watch::Receiver<Option<Session>>,
    identity: Arc<Identity>,
}

impl Link {
    /// Start following and delivering over `way` for these lanes. Must be called in a tokio runtime.
    pub fn start(identity: Identity, way: Way, lanes: &[LaneId], cache: Cache, waiting: Waiting) -> Self {
        let identity = Arc::new(identity);
        let (tell, status) = watch::channel(ReplicaStatus {
            head: cache.held().unwrap_or_default(),
            ..ReplicaStatus::default()
        });
        let (opened, session) = watch::channel(None);
        let (inboxes, orders): (Vec<_>, HashMap<_, _>) = lanes
            .iter()
            .map(|lane| {
                let (inbox, received) = mpsc::channel(ORDERS);
                ((lane.clone(), inbox), (lane.clone(), received))
            })
            .unzip();
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&identity);
        tasks.spawn(async move {
            let session = open(&shared.site, way).await;
            opened.send_replace(Some(session.clone()));
            let mut parts = JoinSet::new();
            parts.spawn(follow::run(Arc::clone(&shared), session.clone(), cache, tell));
            parts.spawn(deliver::passages(Arc::clone(&shared), session.clone(), waiting.outbox));
            parts.spawn(deliver::pictures(Arc::clone(&shared), session.clone(), waiting.evidence));
            for (lane, inbox) in inboxes {
                parts.spawn(take_orders(Arc::clone(&shared), session.clone(), lane, inbox));
            }
            while let Some(ended) = parts.join_next().await {
                // None ends by itself; without one of them the lease runs out and the lanes hold.
                tracing::error!(?ended, "a part of the link to central has ended");
            }
        });
        Self { status, session, orders, identity, _tasks: tasks }
    }

    /// Where following central stands, as it changes.
    pub fn status(&self) -> watch::Receiver<ReplicaStatus> {
        self.status.clone()
    }

    /// Orders for a lane; once for each lane.
    pub fn take_orders(&mut self, lane: &LaneId) -> Option<mpsc::Receiver<Verified<Order>>> {
        self.orders.remove(lane)
    }

    /// Who sends what lanes tell.
    pub fn telemetry(&self) -> Telemetry {
        Telemetry { session: self.session.clone(), identity: Arc::clone(&self.identity) }
    }
}

impl Telemetry {
    /// Who this edge is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Send how a lane is.
    pub async fn status(&self, lane: &LaneId, status: &clearance::passage::LaneStatus) {
        self.put(topic::status(&self.identity.site, lane), self.identity.signer.seal(status).0).await;
    }

    /// Send a lane's live picture, JPEG.
    pub async fn picture(&self, lane: &LaneId, jpeg: Vec<u8>) {
        self.put(topic::picture(&self.identity.site, lane), jpeg).await;
    }

    async fn put(&self, key: String, bytes: Vec<u8>) {
        let Some(session) = self.session.borrow().clone() else { return };
        if let Err(error) = session.put(key, bytes).congestion_control(CongestionControl::Drop).await {
            tracing::debug!(%error, "telemetry not sent");
        }
    }
}

/// Open the session, however long it takes; afterwards Zenoh itself reconnects, trying all endpoints.
async fn open(site: &SiteId, mut way: Way) -> Session {
    let mut pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build();
    let mut said = false;
    loop {
        match try_open(site, &way).await {
            Ok(session) => return session,
            Err(error) => {
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(endpoints = ?way.endpoints, error, "central cannot be reached; trying again");
                }
                tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
                // Zenoh opens a session with the first endpoint or not at all.
                way.endpoints.rotate_left(1);
            }
        }
    }
}

async fn try_open(site: &SiteId, way: &Way) -> Result<Session, String> {
    let access = transport::at_edge(site).map_err(|e| e.to_string());
    let tls =
        way.tls.as_ref().map(|files| Ok::<_, String>((Certificates::Files(files), access?))).transpose()?;
    let mut config = zenoh::Config::default();
    for (key, value) in transport::connecting(&way.endpoints, tls) {
        config
            .insert_json5(key, &value.to_string())
            .map_err(|e| format!("zenoh configuration {key}: {e}"))?;
    }
    zenoh::open(config).await.map_err(|e| e.to_string())
}

async fn take_orders(
    identity: Arc<Identity>,
    session: Session,
    lane: LaneId,
    inbox: mpsc::Sender<Verified<Order>>,
) {
    let key = topic::orders(&identity.site, &lane);
    let subscriber = match session.declare_subscriber(&key).await {
        Ok(subscriber) => subscriber,
        Err(error) => return tracing::error!(%error, key, "no officer's order can be received"),
    };
    while let Ok(sample) = subscriber.recv_async().await {
        match identity.central.open_record::<Order>(&sample.payload().to_bytes()) {
            Ok(order) if order.record().site == identity.site && order.record().lane == lane => {
                if inbox.try_send(order).is_err() {
                    tracing::warn!(%lane, "too many orders at once; central sends them again");
                }
            }
            Ok(order) => tracing::warn!(%lane, order = ?order.record(), "an order for another lane"),
            Err(error) => tracing::warn!(%lane, %error, "an order was refused"),
        }
    }
}
