//! An edge without cameras and gates: cache, outbox and link of the product, and its decision on vehicles that are told on
//! the input, a line of JSON each; every line is answered by one.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use clearance::decide::LaneState;
use clearance::geometry::Quad;
use clearance::ids::{Digest, EdgeId, LaneId, PassageId, SiteId};
use clearance::mark::RegistrationMark;
use clearance::passage::{DecisionRecord, Outcome, PassageEvent, PassageStep};
use clearance::read::{Candidate, Certainty, FusedPlate, FusedRead, PlateLayout};
use clearance::transport::TlsFiles;
use clearance::wire::PublicKey;
use edge::appliance::{followed, judge};
use edge::clock::utc_now;
use edge::directives::Cache;
use edge::link::overheard::{Refusals, overhear};
use edge::link::{CentralKeys, Identity, Link, Waiting, Way};
use edge::outbox::{EvidenceStore, Outbox, OutboxLimits};
use tests::world::node::{Ask, Decided, Held, NodeState, Told};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// An edge without cameras and gates, for tests.
#[derive(Parser)]
struct Cli {
    #[arg(long)]
    site: SiteId,
    #[arg(long)]
    edge: EdgeId,
    /// Folder of cache, outbox and evidence.
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    key: PathBuf,
    #[arg(long)]
    central_key: PublicKey,
    #[arg(long)]
    connect: Vec<String>,
    #[arg(long)]
    ca: PathBuf,
    #[arg(long)]
    certificate: PathBuf,
    #[arg(long)]
    private_key: PathBuf,
}

struct Node {
    site: SiteId,
    edge: EdgeId,
    lane: LaneId,
    cache: Cache,
    outbox: Arc<Outbox>,
    link: Link,
}

#[expect(clippy::print_stdout, reason = "the answers")]
fn main() -> anyhow::Result<()> {
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let (overhear, heard) = overhear();
    tracing_subscriber::registry().with(log.with_filter(LevelFilter::INFO)).with(overhear).init();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _inside = runtime.enter();
    let node = Node::start(cli)?;
    let refusals = Arc::new(Refusals::default());
    let noted = Arc::clone(&refusals);
    runtime.spawn(async move { noted.note(heard).await });
    for line in std::io::stdin().lock().lines() {
        let told = match serde_json::from_str(&line?).context("a question that is none")? {
            Ask::Vehicle { mark, passage } => Told::Decided(node.vehicle(&mark, passage)),
            Ask::Holds(mark) => Told::Holds(node.holds(&mark)?),
            Ask::Status => Told::Status(node.status(&refusals)),
        };
        println!("{}", serde_json::to_string(&told)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

impl Node {
    fn start(cli: Cli) -> anyhow::Result<Self> {
        let cache = Cache::open(&cli.data.join("directives"))?;
        let limits = OutboxLimits::default();
        let (outbox, report) = Outbox::open(&cli.data.join("outbox"), limits)?;
        tracing::info!(?report, "outbox");
        let outbox = Arc::new(outbox);
        let evidence = Arc::new(EvidenceStore::open(&cli.data.join("evidence"), limits.evidence_bytes)?);
        let identity = Identity {
            site: cli.site.clone(),
            edge: cli.edge.clone(),
            signer: edge::keys::load(&cli.key)?,
            central: CentralKeys::open(&[cli.central_key], &cli.data.join("rotations"))?,
        };
        let files = TlsFiles { ca: cli.ca, certificate: cli.certificate, private_key: cli.private_key };
        let way = Way { endpoints: cli.connect, tls: Some(files) };
        let lane: LaneId = tests::world::network::LANE.parse()?;
        let waiting = Waiting { outbox: Arc::clone(&outbox), evidence };
        let link = Link::start(identity, way, std::slice::from_ref(&lane), cache.clone(), waiting);
        Ok(Self { site: cli.site, edge: cli.edge, lane, cache, outbox, link })
    }

    /// What a lane does when a vehicle stands at its gate and its mark is read for certain, in the lane's order.
    fn vehicle(&self, mark: &RegistrationMark, passage: PassageId) -> Decided {
        let replica = self.link.status();
        let at = utc_now();
        let judged =
            judge(&self.cache, || replica.borrow().lease(), &read_of(passage, mark), LaneState::Ready);
        if let Some(fault) = &judged.fault {
            tracing::error!(%fault, "no look-up");
        }
        let (decision, head) = (judged.decision, replica.borrow().head);
        let record = DecisionRecord {
            outcome: Outcome::from(&decision),
            reason: decision.reason(),
            movement: followed(&decision),
            order: None,
            plates: vec![],
            epoch: head.epoch,
            revision: head.revision,
            model: Digest::default(),
        };
        let movement = record.movement.clone();
        let mut recorded = 0;
        for what in [PassageStep::Decided(record), PassageStep::Left] {
            if !self.record(passage, recorded, what) {
                break;
            }
            recorded += 1;
        }
        Decided { at, outcome: Outcome::from(&decision), reason: decision.reason(), movement, recorded }
    }

    fn record(&self, passage: PassageId, step: u32, what: PassageStep) -> bool {
        let (site, lane, edge) = (self.site.clone(), self.lane.clone(), self.edge.clone());
        let event = PassageEvent { site, lane, edge, passage, step, at: utc_now(), what };
        let recorded = self.outbox.record(&event);
        recorded.inspect_err(|error| tracing::error!(%error, "a step was not recorded")).is_ok()
    }

    fn holds(&self, mark: &RegistrationMark) -> anyhow::Result<Option<Held>> {
        let view = self.cache.view(std::slice::from_ref(mark))?;
        Ok(view.entries.into_iter().next().map(|entry| Held {
            movement: entry.directive.movement,
            status: Held::word(entry.status).to_owned(),
        }))
    }

    fn status(&self, refusals: &Refusals) -> NodeState {
        let replica = self.link.status().borrow().clone();
        NodeState {
            head: (replica.head.epoch.0, replica.head.revision.0),
            lease_left_ms: replica.lease_left().as_millis() as u64,
            replica: replica.state.name().to_owned(),
            waiting: self.outbox.depth(),
            refused: refusals.lately(),
        }
    }
}

fn read_of(passage: PassageId, mark: &RegistrationMark) -> FusedRead {
    let plate = FusedPlate {
        certainty: Certainty::Certain,
        candidates: vec![Candidate { mark: mark.clone(), probability: 0.999 }],
        layout: PlateLayout::SingleRow,
        corners: Quad::rectangle(0.0, 0.0, 100.0, 30.0),
        frames: 5,
    };
    FusedRead { passage, plates: vec![plate] }
}
