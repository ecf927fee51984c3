//! Does what [`clearance::follower`] says, over Zenoh and on the cache, and tells the lanes where that stands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clearance::follower::{Effect, Event, Follower, State};
use clearance::ids::{Digest, Nonce};
use clearance::replicate::{Delta, ForkAccepted, Head, LeaseGrant, LeaseRequest, SnapshotPage};
use clearance::topic;
use clearance::wire::WireError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use zenoh::Session;
use zenoh::query::ConsolidationMode;

use super::{Identity, ReplicaAudit, ReplicaState, ReplicaStatus};
use crate::directives::{Cache, CacheFault, REST};

const TICK: Duration = Duration::from_millis(100);

/// How long central may take to answer a query; below [`clearance::follower::PATIENCE`].
const QUERY: Duration = Duration::from_secs(20);
/// And to grant a lease.
const LEASE: Duration = Duration::from_secs(5);

/// How often the whole cache is read again and compared with what was stored.
const SCRUB: Duration = Duration::from_hours(1);
/// How soon central's keys are asked for again.
const KEYS: Duration = Duration::from_secs(1);

/// Records that the follower takes before what it wants is done: those that have arrived while the disk was waited for.
const TOGETHER: usize = 256;

/// Records on their way to the follower. What does not fit is dropped: the follower asks for what it misses, and Zenoh's
/// threads never wait for a disk.
const QUEUE: usize = 1024;

/// Follow for ever.
pub(super) async fn run(
    identity: Arc<Identity>,
    session: Session,
    cache: Cache,
    tell: watch::Sender<ReplicaStatus>,
) {
    let follower = Follower::new(identity.site.clone(), identity.edge.clone(), cache.found());
    let (inbox, mut events) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    // Subscribed before anything is asked, so that nothing falls between.
    for (key, take) in [
        (topic::deltas(&identity.site), take_delta as Take),
        (topic::accepted_forks(&identity.site, &identity.edge), take_acceptance),
    ] {
        tasks.spawn(subscribe(Arc::clone(&identity), session.clone(), inbox.clone(), key, take));
    }
    tasks.spawn(ask_keys(Arc::clone(&identity), session.clone()));
    tasks.spawn(scrub(cache.clone()));
    let mut follow = Follow {
        identity,
        session,
        cache,
        tell,
        follower,
        inbox,
        tasks,
        started: Instant::now(),
        stored: None,
    };
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
                    _ if up => {
                        follow.identity.central.hurry();
                        Event::Connected
                    }
                    _ => Event::Disconnected,
                }
            }
        };
        // While much changes, what comes soon after goes with it.
        tokio::time::sleep(REST.saturating_sub(follow.stored.map_or(REST, |at| at.elapsed()))).await;
        let mut together = vec![event];
        while together.len() < TOGETHER
            && let Ok(event) = events.try_recv()
        {
            together.push(event);
        }
        follow.handle(together, connected).await;
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
    /// When the cache was last changed.
    stored: Option<Instant>,
}

impl Follow {
    async fn handle(&mut self, events: Vec<Event>, connected: bool) {
        let mut effects: Vec<Effect> = events.into_iter().flat_map(|event| self.step(event)).collect();
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

    /// In their order; a fault leaves the rest undone, for what follows a change of the cache counts on it. What is stored
    /// is told to the follower, which may want more.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), CacheFault> {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            let mut more = Vec::new();
            match effect {
                Effect::QuerySnapshot { whole } => self.query_snapshot(whole),
                Effect::QueryRange { from, to } => {
                    let key = format!("{}?from={};to={}", topic::range(&self.identity.site), from.0, to.0);
                    self.query(key, Vec::new(), QUERY, take_delta, Some(Event::RangeEnd));
                }
                Effect::AskLease => self.ask_lease(),
                Effect::Apply { ops, head } => {
                    // What follows at once goes into the same batch: the disk is waited for once.
                    let mut deltas = vec![(ops, head)];
                    while let Some(Effect::Apply { .. }) = waiting.front()
                        && let Some(Effect::Apply { ops, head }) = waiting.pop_front()
                    {
                        deltas.push((ops, head));
                    }
                    let heads: Vec<Head> = deltas.iter().map(|(_, head)| *head).collect();
                    let roots = self.on_cache(move |cache| cache.apply(&deltas)).await?;
                    for (head, root) in heads.into_iter().zip(roots) {
                        more.extend(self.step(Event::Stored { head, root }));
                    }
                }
                Effect::ReplaceAll { entries, head } => {
                    tracing::info!(
                        epoch = head.epoch.0,
                        revision = head.revision.0,
                        directives = entries.len(),
                        "snapshot"
                    );
                    more.extend(self.store(head, move |cache| cache.replace_all(&entries, head)).await?);
                }
                Effect::ReplaceBuckets { buckets, entries, head, root } => {
                    tracing::info!(
                        epoch = head.epoch.0,
                        revision = head.revision.0,
                        buckets = buckets.iter().count(),
                        directives = entries.len(),
                        "what differs from central"
                    );
                    let work = move |cache: &Cache| cache.replace_buckets(buckets, &entries, head, root);
                    more.extend(self.store(head, work).await?);
                }
                // Told by `publish`.
                Effect::LeaseChanged(until) => tracing::debug!(?until, "lease"),
                Effect::Quarantine(why) => {
                    tracing::error!(%why, "QUARANTINED: no lane of this edge releases by itself until an officer has accepted what central says now");
                    self.on_cache(move |cache| cache.quarantine(why)).await?;
                }
                Effect::LiftQuarantine => self.on_cache(Cache::lift_quarantine).await?,
                Effect::Log(note) => tracing::warn!("{note}"),
            }
            waiting.extend(more);
        }
        Ok(())
    }

    /// Change the cache and tell the follower what it holds then.
    async fn store(
        &mut self,
        head: Head,
        work: impl FnOnce(&Cache) -> Result<Digest, CacheFault> + Send + 'static,
    ) -> Result<Vec<Effect>, CacheFault> {
        let root = self.on_cache(work).await?;
        Ok(self.step(Event::Stored { head, root }))
    }

    async fn on_cache<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Cache) -> Result<T, CacheFault> + Send + 'static,
    ) -> Result<T, CacheFault> {
        let cache = self.cache.clone();
        let done = tokio::task::spawn_blocking(move || work(&cache)).await;
        self.stored = Some(Instant::now());
        done.unwrap_or(Err(CacheFault::Panicked))
    }

    /// Ask for what differs from what is held, or for all of it.
    fn query_snapshot(&mut self, whole: bool) {
        let held = if whole { None } else { self.cache.buckets() };
        let payload = held.map_or_else(Vec::new, |buckets| buckets.to_bytes());
        self.query(topic::snapshot(&self.identity.site), payload, QUERY, take_page, Some(Event::SnapshotEnd));
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
    fn query(&mut self, key: String, payload: Vec<u8>, patience: Duration, take: Take, end: Option<Event>) {
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
                            Err(error) => refused(&identity, &key, &error),
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
            State::Empty => (ReplicaState::Empty, None),
            State::Bootstrapping(_) => (ReplicaState::Bootstrapping, None),
            State::Live { until } => (ReplicaState::Live, Some(self.started + *until)),
            State::Stale => (ReplicaState::Stale, None),
            State::Quarantined(why) => (ReplicaState::Quarantined(*why), None),
        };
        let audited = self.follower.audited().map(|audit| ReplicaAudit {
            at: self.started + audit.at,
            revision: audit.revision,
            same: audit.same,
        });
        let status = ReplicaStatus {
            head: self.follower.head(),
            lease_until,
            state,
            connected,
            lag: self.follower.lag(),
            audited,
        };
        self.tell.send_if_modified(|known| {
            let new = *known != status;
            *known = status;
            new
        });
    }
}

/// From bytes off the network to what they mean for the follower.
type Take = fn(&Identity, &[u8]) -> Result<Event, WireError>;

async fn subscribe(
    identity: Arc<Identity>,
    session: Session,
    inbox: mpsc::Sender<Event>,
    key: String,
    take: Take,
) {
    let subscriber = match session.declare_subscriber(&key).await {
        Ok(subscriber) => subscriber,
        // The follower finds out what it lacks when it asks for leases.
        Err(error) => return tracing::error!(%error, key, "nothing arrives live"),
    };
    while let Ok(sample) = subscriber.recv_async().await {
        match take(&identity, &sample.payload().to_bytes()) {
            Ok(event) => {
                if inbox.try_send(event).is_err() {
                    tracing::debug!(key, "too much at once; what is missed is asked for");
                }
            }
            Err(error) => refused(&identity, &key, &error),
        }
    }
}

fn refused(identity: &Identity, key: &str, error: &WireError) {
    tracing::warn!(key, %error, "a record was refused");
    if let WireError::UnknownKey(_) = error {
        // Central may sign with another key since; whether it does is signed with one that is known.
        identity.central.hurry();
    }
}

/// Ask central for the rotations of its keys, when the link comes up and when a key is met that is not known.
async fn ask_keys(identity: Arc<Identity>, session: Session) {
    let key = topic::keys(&identity.site);
    loop {
        identity.central.hurried().await;
        match session.get(&key).consolidation(ConsolidationMode::None).timeout(LEASE).await {
            Ok(replies) => {
                while let Ok(reply) = replies.recv_async().await {
                    let Ok(sample) = reply.result() else { continue };
                    let (identity, sealed) =
                        (Arc::clone(&identity), sample.payload().to_bytes().into_owned());
                    let _ = tokio::task::spawn_blocking(move || {
                        if let Err(error) = identity.central.follow(&sealed) {
                            tracing::debug!(%error, "a rotation of keys that says nothing here");
                        }
                    })
                    .await;
                }
            }
            Err(error) => tracing::debug!(key, %error, "central's keys were not asked for"),
        }
        tokio::time::sleep(KEYS).await;
    }
}

/// Read the cache again from time to time, so that what rots on a disk is found before a lane needs it.
async fn scrub(cache: Cache) {
    loop {
        tokio::time::sleep(SCRUB).await;
        let cache = cache.clone();
        // A fault is noted in the cache and met at the follower's next step.
        if let Ok(Err(fault)) = tokio::task::spawn_blocking(move || cache.scrub()).await {
            tracing::error!(%fault, "the directive cache is damaged");
        }
    }
}

fn take_delta(identity: &Identity, bytes: &[u8]) -> Result<Event, WireError> {
    identity.central.open_record::<Delta>(bytes).map(Event::DeltaReceived)
}

fn take_page(identity: &Identity, bytes: &[u8]) -> Result<Event, WireError> {
    identity.central.open_record::<SnapshotPage>(bytes).map(Event::SnapshotPage)
}

fn take_grant(identity: &Identity, bytes: &[u8]) -> Result<Event, WireError> {
    identity.central.open_record::<LeaseGrant>(bytes).map(Event::LeaseGranted)
}

fn take_acceptance(identity: &Identity, bytes: &[u8]) -> Result<Event, WireError> {
    identity.central.open_record::<ForkAccepted>(bytes).map(Event::ForkAccepted)
}
