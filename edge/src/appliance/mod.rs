//! The running edge node: wires cameras, recogniser, lanes, gates, cache, outbox and link together and watches over
//! them.
//!
//! A lane is a task of its own (`lane`) with a thread of its own that decides and writes (`worker`), so that a slow disk
//! or a slow gate of one lane holds no other. What ends without being told to ends the whole node: its gates' dead
//! man's switches go to stop, and whoever supervises the process starts it again.

mod judge;
mod lane;
mod status;
mod steps;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clearance::ids::{Digest, LaneId};
use clearance::passage::PassageEvent;
use clearance::transport::overheard::Heard;
use models::Bundle;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

use crate::camera::{Camera, Mailbox};
use crate::clock::utc_now;
use crate::config::EdgeConfig;
use crate::directives::Cache;
use crate::gate::Gate;
use crate::keys;
use crate::lane::fuse::FusePolicy;
use crate::lane::{Backdrop, LaneMachine, LaneReader};
use crate::link::overheard::Refusals;
use crate::link::{CentralKeys, Identity, Link, ReplicaStatus, Waiting, Way};
use crate::outbox::{EvidenceStore, Outbox};
use crate::recognise::{FrameReads, LaneIndex, RecogniserThread};
pub use judge::{Judged, followed, judge};
use lane::LaneTask;
pub use status::{LaneLine, NodeStatus};
use worker::Worker;

/// Reads that may wait for a lane; the lane takes them in microseconds.
const READS: usize = 16;
/// Passages whose steps an observer may be behind.
const OBSERVED: usize = 256;

/// A frame that takes longer to read than this: the networks hang.
const RECOGNISER_HANGS: Duration = Duration::from_secs(2);

/// Longest wait for the directives' store; then the node ends, to be started anew. What the store has left undone ends
/// with the process, and with it what keeps every later write from being done.
const STORE_HANGS: Duration = Duration::from_mins(1);

/// What all lanes of the node share.
pub(super) struct Shared {
    pub(super) config: EdgeConfig,
    pub(super) cache: Cache,
    pub(super) outbox: Arc<Outbox>,
    pub(super) evidence: Arc<EvidenceStore>,
    pub(super) replica: watch::Receiver<ReplicaStatus>,
    pub(super) model: Digest,
    /// Passages cannot be made durable.
    pub(super) outbox_fails: AtomicBool,
    /// A look-up has failed and none has succeeded since.
    pub(super) cache_fails: AtomicBool,
    pub(super) steps: broadcast::Sender<PassageEvent>,
    pub(super) recogniser: RecogniserThread,
    pub(super) lanes: watch::Sender<HashMap<LaneId, LaneLine>>,
    /// Why there is no link.
    pub(super) refusals: Refusals,
}

impl Shared {
    /// Whether the recogniser works, and does not hang.
    pub(super) fn recogniser_fault(&self) -> Option<clearance::decide::LaneFault> {
        let hangs = self.recogniser.busy_for().is_some_and(|t| t > RECOGNISER_HANGS);
        let down = hangs.then_some(clearance::decide::LaneFault::RecogniserDown);
        self.recogniser.health().borrow().fault().or(down)
    }
}

/// A running edge node.
pub struct Appliance {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    lanes: JoinSet<LaneId>,
    others: JoinSet<()>,
    _link: Link,
}

impl Appliance {
    /// Start everything that a configuration asks for. What must be there at the start is the key, the model and the
    /// disk; cameras, gates and central may come later.
    pub async fn start(config: EdgeConfig) -> anyhow::Result<Self> {
        let signer = keys::load(&config.key_file)?;
        match config.check_files(utc_now()) {
            // Gates, cameras and the outbox work without a link; lanes release nothing without a lease.
            Err(error) if error.is_of_time() => {
                tracing::error!(%error, "no link to central until this is mended");
            }
            checked => checked?,
        }
        let bundle = Arc::new(Bundle::load(&config.bundle_folder())?);
        let at = |name: &str| config.data_dir.join(name);
        let (cache_dir, outbox_dir, evidence_dir) = (at("directives"), at("outbox"), at("evidence"));
        let limits = config.outbox;
        let (cache, (outbox, report), evidence) =
            tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
                Ok((
                    Cache::open(&cache_dir)?,
                    Outbox::open(&outbox_dir, limits)?,
                    EvidenceStore::open(&evidence_dir, limits.evidence_bytes)?,
                ))
            })
            .await??;
        if report != crate::outbox::OpenReport::default() {
            tracing::error!(?report, "part of the outbox is damaged; all else is intact: check the disk");
        }
        let (outbox, evidence) = (Arc::new(outbox), Arc::new(evidence));
        let rotations = at("rotations");
        let central = CentralKeys::open(&config.central_keys, &rotations)
            .with_context(|| format!("{}: central's keys as they were changed", rotations.display()))?;
        let identity = Identity { site: config.site.clone(), edge: config.edge.clone(), signer, central };
        let names: Vec<LaneId> = config.lanes.iter().map(|lane| lane.name.clone()).collect();
        let waiting = Waiting { outbox: Arc::clone(&outbox), evidence: Arc::clone(&evidence) };
        let way = Way { endpoints: config.connect.clone(), tls: config.tls.clone() };
        let mut link = Link::start(identity, way, &names, cache.clone(), waiting);

        let (cameras, mailboxes) = start_cameras(&config);
        let (recogniser, reads) = RecogniserThread::start(Arc::clone(&bundle), mailboxes);
        let shared = Arc::new(Shared {
            cache,
            outbox,
            evidence,
            replica: link.status(),
            model: bundle.digest(),
            outbox_fails: AtomicBool::new(false),
            cache_fails: AtomicBool::new(false),
            steps: broadcast::channel(OBSERVED).0,
            recogniser,
            lanes: watch::channel(HashMap::new()).0,
            refusals: Refusals::default(),
            config,
        });
        let (stop, stopped) = watch::channel(false);
        let mut lanes = JoinSet::new();
        let mut inboxes = Vec::new();
        for (spec, cameras) in shared.config.lanes.iter().zip(cameras) {
            let (inbox, received) = mpsc::channel(READS);
            inboxes.push(inbox);
            let orders = link.take_orders(&spec.name).context("a lane named twice")?;
            let (answers, answered) = mpsc::unbounded_channel();
            let task = LaneTask {
                machine: LaneMachine::new(spec.times, Box::new(worker::new_passage)),
                reader: LaneReader::new(FusePolicy::video(bundle.thresholds())),
                backdrop: Backdrop::new(bundle.thresholds().read_least),
                gate: Gate::start(spec.gate.clone()),
                cameras,
                worker: Worker::start(Arc::clone(&shared), spec.name.clone(), answers.clone())?,
                telemetry: link.telemetry(),
                lane: lane::Lane::new(spec, &shared),
                shared: Arc::clone(&shared),
                answers,
            };
            let (name, stopped) = (spec.name.clone(), stopped.clone());
            lanes.spawn(async move {
                task.run(received, answered, orders, stopped).await;
                name
            });
        }
        let mut others = JoinSet::new();
        others.spawn(hand_out(reads, inboxes));
        others.spawn(watch_disk(Arc::clone(&shared)));
        others.spawn(status::keep(Arc::clone(&shared)));
        Ok(Self { shared, stop, lanes, others, _link: link })
    }

    /// Show and log why Zenoh cannot connect: give what [`overhear`](crate::link::overheard::overhear) hears.
    pub fn hear(&mut self, heard: mpsc::Receiver<Heard>) {
        let shared = Arc::clone(&self.shared);
        self.others.spawn(async move { shared.refusals.note(heard).await });
    }

    /// Every step of every passage from now on.
    pub fn steps(&self) -> broadcast::Receiver<PassageEvent> {
        self.shared.steps.subscribe()
    }

    /// Where following central stands, as it changes.
    pub fn replica(&self) -> watch::Receiver<ReplicaStatus> {
        self.shared.replica.clone()
    }

    /// How each lane is, as it changes.
    pub fn lanes(&self) -> watch::Receiver<HashMap<LaneId, LaneLine>> {
        self.shared.lanes.subscribe()
    }

    /// Passages and pictures that wait for central.
    pub fn waiting(&self) -> (usize, usize) {
        (self.shared.outbox.depth(), self.shared.evidence.depth())
    }

    /// Returns when a part of the node has ended that should not have; says which.
    pub async fn failed(&mut self) -> String {
        tokio::select! {
            Some(ended) = self.lanes.join_next() => match ended {
                Ok(lane) => format!("lane {lane} has ended"),
                Err(error) => format!("a lane has failed: {error}"),
            },
            Some(ended) = self.others.join_next() => format!("a part of the node has ended: {ended:?}"),
            else => "nothing runs".to_owned(),
        }
    }

    /// Stop: gates to red, cameras closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.lanes.join_next().await.is_some() {}
        self.others.abort_all();
    }
}

type Mailboxes = Vec<(LaneIndex, Arc<Mailbox<crate::camera::Frame>>)>;

/// All cameras, by lane.
fn start_cameras(config: &EdgeConfig) -> (Vec<Vec<Camera>>, Mailboxes) {
    let mut mailboxes = Vec::new();
    let cameras = config
        .lanes
        .iter()
        .enumerate()
        .map(|(lane, spec)| {
            let start = |(number, camera): (usize, &crate::camera::CameraSpec)| {
                let mailbox = Mailbox::new();
                mailboxes.push((LaneIndex(lane), Arc::clone(&mailbox)));
                Camera::start_numbered(number, camera.clone(), mailbox)
            };
            spec.cameras.iter().enumerate().map(start).collect()
        })
        .collect();
    (cameras, mailboxes)
}

/// Give every lane its reads. A lane that does not take them loses them: the newest counts.
async fn hand_out(mut reads: mpsc::Receiver<FrameReads>, inboxes: Vec<mpsc::Sender<FrameReads>>) {
    while let Some(read) = reads.recv().await {
        if let Some(inbox) = inboxes.get(read.lane.0) {
            let _ = inbox.try_send(read);
        }
    }
}

/// After a passage could not be written: find out when it can be again. Ends if the store of directives hangs.
async fn watch_disk(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        if shared.cache.waits_for_store().is_some_and(|waits| waits > STORE_HANGS) {
            tracing::error!(
                "the store of directives has hung for {} s: ending, to be started anew; check the disk if this comes again",
                STORE_HANGS.as_secs()
            );
            return;
        }
        if shared.outbox_fails.load(Ordering::SeqCst) {
            let outbox = Arc::clone(&shared.outbox);
            if let Ok(Ok(())) = tokio::task::spawn_blocking(move || outbox.probe()).await {
                tracing::info!("passages can be written again");
                shared.outbox_fails.store(false, Ordering::SeqCst);
            }
        }
        if shared.cache_fails.load(Ordering::SeqCst) {
            let cache = shared.cache.clone();
            if let Ok(Ok(_)) = tokio::task::spawn_blocking(move || cache.view(&[])).await
                && shared.cache.held().is_some()
            {
                shared.cache_fails.store(false, Ordering::SeqCst);
            }
        }
    }
}
