//! Does what [`clearance::follower`] says, over Zenoh and on the cache, and tells the lanes where that stands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clearance::follower::{Effect, Event, Follower, State};
use clearance::ids::Nonce;
use clearance::replicate::{Delta, LeaseGrant, LeaseRequest, SnapshotPage};
use clearance::topic;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use zenoh::Session;
use zenoh::query::ConsolidationMode;

use super::{Identity, ReplicaStatus};
use crate::directives::{Cache, CacheFault};

const TICK: Duration = Duration::from_millis(100);

/// How long central may take to answer a query; below [`clearance::follower::PATIENCE`].
const QUERY: Duration = Duration::from_secs(20);
/// And to grant a lease.
const LEASE: Duration = Duration::from_secs(5);

/// Records on their way to the follower; beyond, Zenoh is made to wait.
const QUEUE: usize = 1024;

/// Follow for ever.
pub(super) async fn run(
    identity: Arc<Identity>,
    session: Session,
    cache: Cache,
    tell: watch::Sender<ReplicaStatus>,
) {
    let follower = Follower::new(identity.site.clone(), identity.edge.clone(), cache.held(), cache.floor());
    let (inbox, mut events) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    // Subscribed before anything is asked, so that nothing falls between.
    tasks.spawn(subscribe(Arc::clone(&identity), session.clone(), inbox.clone()));
    let mut follow =
        Follow { identity, session, cache, tell, follower, inbox, tasks, started: Instant::now() };
    let mut tick = tokio::time::interval(TICK);
    let mut connected = false;
    loop {
        let event = tokio::select! {
            event = events.recv() => event.unwrap_or(Event::Tick),
            _ = tick.tick() => {
                while follow.tasks.try_join_next().is_some() {}
                let up = follow.session.info().routers_zid().await.next().is_some();
                match std::mem::replace(&mut connected, up) {
                    was if was == up => Event::Tick,
                    _ if up => Event::Connected,
                    _ => Event::Disconnected,
                }
            }
        };
        follow.handle(event, connected).await;
    }
}

struct Follow {
    identity: Arc<Identity>,
    session: Session,
    cache: Cache,
    tell: watch::Sender<ReplicaStatus>,
    follower: Follower,
    inbox: mpsc::Sender<Event>,
    tasks: JoinSet<()>,
    started: Instant,
}

impl Follow {
    async fn handle(&mut self, event: Event, connected: bool) {
        let mut effects = self.step(event);
        if self.cache.take_fault() {
            effects = self.lose_cache();
        }
        while let Err(fault) = self.carry_out(effects).await {
            tracing::error!(%fault, "the directive cache failed");
            effects = self.lose_cache();
        }
        self.publish(connected);
    }

    fn step(&mut self, event: Event) -> Vec<Effect> {
        self.follower.step(self.started.elapsed(), event)
    }

    fn lose_cache(&mut self) -> Vec<Effect> {
        self.cache.reset();
        self.step(Event::StoreFault)
    }

    /// In their order; a fault leaves the rest undone, for what follows a change of the cache counts on it.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), CacheFault> {
        for effect in effects {
            match effect {
                Effect::QuerySnapshot => self.query_snapshot(),
                Effect::QueryRange { from, to } => {
                    let key = format!("{}?from={};to={}", topic::range(&self.identity.site), from.0, to.0);
                    self.query(key, Vec::new(), QUERY, take_delta, Some(Event::RangeEnd));
                }
                Effect::AskLease => self.ask_lease(),
                Effect::Apply { ops, head } => self.on_cache(move |cache| cache.apply(&ops, head)).await?,
                Effect::ReplaceAll { entries, head } => {
                    tracing::info!(
                        epoch = head.epoch.0,
                        revision = head.revision.0,
                        directives = entries.len(),
                        "snapshot"
                    );
                    self.on_cache(move |cache| cache.replace_all(&entries, head)).await?;
                }
                // Told by `publish`.
                Effect::LeaseChanged(until) => tracing::debug!(?until, "lease"),
                Effect::Quarantine(why) => {
                    tracing::error!(%why, "QUARANTINED: no lane of this edge releases by itself until a person has looked into it");
                }
                Effect::Log(note) => tracing::warn!("{note}"),
            }
        }
        Ok(())
    }

    async fn on_cache(
        &self,
        work: impl FnOnce(&Cache) -> Result<(), CacheFault> + Send + 'static,
    ) -> Result<(), CacheFault> {
        let cache = self.cache.clone();
        tokio::task::spawn_blocking(move || work(&cache)).await.unwrap_or(Err(CacheFault::Panicked))
    }

    fn query_snapshot(&mut self) {
        self.query(
            topic::snapshot(&self.identity.site),
            Vec::new(),
            QUERY,
            take_page,
            Some(Event::SnapshotEnd),
        );
    }

    fn ask_lease(&mut self) {
        let nonce = Nonce(rand::random());
        let request =
            LeaseRequest { site: self.identity.site.clone(), edge: self.identity.edge.clone(), nonce };
        // Its time runs from here. Only a grant can follow from this, so its effects are none.
        self.step(Event::LeaseAsked(nonce));
        let sealed = self.identity.signer.seal(&request).0;
        self.query(topic::lease(&self.identity.site), sealed, LEASE, take_grant, None);
    }

    /// Ask central; what it answers comes back as events, then `end`.
    fn query(
        &mut self,
        key: String,
        payload: Vec<u8>,
        patience: Duration,
        take: fn(&Identity, &[u8]) -> Result<Event, clearance::wire::WireError>,
        end: Option<Event>,
    ) {
        let (identity, session, inbox) =
            (Arc::clone(&self.identity), self.session.clone(), self.inbox.clone());
        self.tasks.spawn(async move {
            let asked = session
                .get(&key)
                .payload(payload)
                .consolidation(ConsolidationMode::None)
                .timeout(patience)
                .await;
            match asked {
                Ok(replies) => {
                    while let Ok(reply) = replies.recv_async().await {
                        let Ok(sample) = reply.result() else { continue };
                        match take(&identity, &sample.payload().to_bytes()) {
                            Ok(event) => {
                                let _ = inbox.send(event).await;
                            }
                            Err(error) => tracing::warn!(key, %error, "an answer was refused"),
                        }
                    }
                }
                Err(error) => tracing::debug!(key, %error, "a query was not sent"),
            }
            if let Some(end) = end {
                let _ = inbox.send(end).await;
            }
        });
    }

    fn publish(&self, connected: bool) {
        let (state, lease_until) = match self.follower.state() {
            State::Empty => ("empty".to_owned(), None),
            State::Bootstrapping(_) => ("bootstrapping".to_owned(), None),
            State::Live { until } => ("live".to_owned(), Some(self.started + *until)),
            State::Stale => ("stale".to_owned(), None),
            State::Quarantined(why) => (format!("quarantined: {why}"), None),
        };
        let head = self.follower.head();
        let status = ReplicaStatus { head, lease_until, state, connected, lag: None, last_audit: None };
        self.tell.send_if_modified(|known| {
            let new = *known != status;
            *known = status;
            new
        });
    }
}

async fn subscribe(identity: Arc<Identity>, session: Session, inbox: mpsc::Sender<Event>) {
    let key = topic::deltas(&identity.site);
    let subscriber = match session.declare_subscriber(&key).await {
        Ok(subscriber) => subscriber,
        // The follower finds out what it lacks when it asks for leases.
        Err(error) => return tracing::error!(%error, key, "no live deltas"),
    };
    while let Ok(sample) = subscriber.recv_async().await {
        match take_delta(&identity, &sample.payload().to_bytes()) {
            Ok(event) => {
                let _ = inbox.send(event).await;
            }
            Err(error) => tracing::warn!(%error, "a delta was refused"),
        }
    }
}

fn take_delta(identity: &Identity, bytes: &[u8]) -> Result<Event, clearance::wire::WireError> {
    identity.trust.open::<Delta>(bytes).map(Event::DeltaReceived)
}

fn take_page(identity: &Identity, bytes: &[u8]) -> Result<Event, clearance::wire::WireError> {
    identity.trust.open::<SnapshotPage>(bytes).map(Event::SnapshotPage)
}

fn take_grant(identity: &Identity, bytes: &[u8]) -> Result<Event, clearance::wire::WireError> {
    identity.trust.open::<LeaseGrant>(bytes).map(Event::LeaseGranted)
}
