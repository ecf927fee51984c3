//! `central router`: a Zenoh router at a site. It carries what edges and central send each other, under the same access
//! rules as central, and has no key of the product: it can neither sign nor forge anything.
//!
//! A router that has lost central lets its edges go, so that they try the next address they know; it takes edges again
//! when it has found central again.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clearance::ids::{EdgeId, SiteId, UtcMillis};
use clearance::transport::{self, Certificates, Party, TlsFiles, check_endpoints};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use zenoh::Session;

use crate::clock::Clock;
use crate::config::{ConfigError, check_revoked, read_form};
use crate::link::overheard::{Heard, refusal};
use crate::link::renewal::{self, Renewal, Watch, revoked_now};
use crate::link::{session, tls};

/// How often it is looked whether central is there.
const LOOK: Duration = Duration::from_millis(500);

/// A central that is away for less, for a restart, keeps the router's edges.
const GRACE: Duration = Duration::from_secs(5);

/// Refusals that are remembered, so that each is logged once.
const REMEMBERED: usize = 50;

/// The configuration of a router; `deploy/topology` has one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterConfig {
    /// The control point whose edges it serves.
    pub site: SiteId,
    /// Those edges; others are refused.
    pub edges: Vec<EdgeId>,
    /// Of those, the ones that may do nothing any more. Read again when the file changes.
    #[serde(default)]
    pub revoked: BTreeSet<EdgeId>,
    /// Zenoh endpoints to listen on for the edges.
    pub listen: Vec<String>,
    /// Zenoh endpoints of central.
    pub upstream: Vec<String>,
    /// Certificates. Without them everything stays on this machine.
    pub tls: Option<TlsFiles>,
    /// The file itself.
    #[serde(skip)]
    pub file: PathBuf,
}

impl RouterConfig {
    /// Read and check a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read_form(path, "deploy/topology/one-site/router.toml")?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.tls = config.tls.map(|files| files.beside(folder));
        path.clone_into(&mut config.file);
        config.check().map_err(|(key, why)| ConfigError::value(path, key, why))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        for (key, endpoints, of) in
            [("listen", &self.listen, "this router"), ("upstream", &self.upstream, "central")]
        {
            if endpoints.is_empty() {
                return Err((key, format!("name at least one endpoint of {of}")));
            }
            check_endpoints(endpoints, self.tls.is_some()).map_err(|e| (key, e.to_string()))?;
        }
        if self.edges.is_empty() {
            return Err(("edges", "name the edges that may connect".to_owned()));
        }
        check_revoked(&self.revoked, |edge| self.edges.contains(edge), "edges")?;
        transport::at_router(&self.site, &self.edges).map(drop).map_err(|e| ("edges", e.to_string()))
    }

    /// Check the certificate and its key.
    pub fn check_files(&self, now: UtcMillis) -> anyhow::Result<()> {
        let Some(files) = &self.tls else { return Ok(()) };
        tls::check(files, &Party::router(&self.site)?, now)
    }

    /// The edges that may connect.
    fn believed(&self) -> impl Iterator<Item = &EdgeId> {
        self.edges.iter().filter(|edge| !self.revoked.contains(*edge))
    }
}

/// Why a session ends.
enum Over {
    CentralIsLost,
    Changed,
}

struct Router {
    /// As it was at the start, but for those revoked.
    config: RouterConfig,
    clock: Clock,
    certificate: Option<Renewal>,
    written: Watch,
    /// For whoever logs refusals.
    revoked: watch::Sender<BTreeSet<EdgeId>>,
}

/// Route until the process ends.
pub async fn run(config: RouterConfig, clock: Clock, heard: mpsc::Receiver<Heard>) -> anyhow::Result<()> {
    let mut router = Router::new(config, clock)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(log_refusals(heard, router.revoked.subscribe()));
    router.central_comes().await;
    // Whoever starts a router that cannot listen is told at once; later it is tried again.
    let mut session = router.open().await?;
    loop {
        tracing::info!(site = %router.config.site, listen = ?router.config.listen, "routing");
        match router.over(&session).await {
            Over::CentralIsLost => tracing::warn!("central is lost; the edges are let go"),
            Over::Changed => tracing::info!("the links are opened anew"),
        }
        session::close(&session).await;
        router.central_comes().await;
        session = loop {
            match router.open().await {
                Ok(session) => break session,
                Err(error) => {
                    tracing::error!(error = %format!("{error:#}"), "no edges can be taken; trying again");
                    tokio::time::sleep(session::AGAIN).await;
                }
            }
        };
    }
}

impl Router {
    fn new(config: RouterConfig, clock: Clock) -> anyhow::Result<Self> {
        let party = Party::Router(config.site.clone());
        let files = config.tls.as_ref();
        let certificate = files.map(|files| Renewal::start(files, party, clock.now())).transpose()?;
        let written = Watch::new(vec![config.file.clone()]);
        let revoked = watch::Sender::new(config.revoked.clone());
        Ok(Self { config, clock, certificate, written, revoked })
    }

    async fn open(&self) -> anyhow::Result<Session> {
        let config = &self.config;
        let access = transport::at_router(&config.site, config.believed())?;
        let tls = self.certificate.as_ref().map(|renewal| (Certificates::Held(renewal.held()), access));
        session::open(&transport::routing(&config.listen, &config.upstream, tls))
            .await
            .with_context(|| format!("listen = {:?}: is another router running?", config.listen))
    }

    /// Whether central lets us in now.
    async fn central_is_there(&self) -> bool {
        let access = transport::at_edge(&self.config.site).ok();
        let held = self.certificate.as_ref().map(|renewal| Certificates::Held(renewal.held()));
        match session::open(&transport::connecting(&self.config.upstream, held.zip(access))).await {
            Ok(session) => {
                session::close(&session).await;
                true
            }
            Err(error) => {
                tracing::debug!(%error, "central");
                false
            }
        }
    }

    /// Wait for central; with a new certificate, if one comes meanwhile.
    async fn central_comes(&mut self) {
        let mut said = false;
        while !self.central_is_there().await {
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(upstream = ?self.config.upstream, "central cannot be reached or does not let us in; no edges are taken until then");
            }
            tokio::time::sleep(LOOK).await;
            self.changed();
        }
    }

    /// Route until central is lost or something else is to be said to the edges.
    async fn over(&mut self, session: &Session) -> Over {
        let mut seen = Instant::now();
        let mut looked = Instant::now();
        while seen.elapsed() < GRACE {
            tokio::time::sleep(LOOK).await;
            if session.info().routers_zid().await.next().is_some() {
                seen = Instant::now();
            }
            if looked.elapsed() >= renewal::LOOK {
                looked = Instant::now();
                if self.changed() {
                    return Over::Changed;
                }
            }
        }
        Over::CentralIsLost
    }

    /// Whether there is a new certificate, or others are revoked than were.
    fn changed(&mut self) -> bool {
        let now = self.clock.now();
        let renewed = self.certificate.as_mut().is_some_and(|certificate| certificate.renewed(now));
        self.revokes() || renewed
    }

    fn revokes(&mut self) -> bool {
        let load = || Ok(RouterConfig::load(&self.config.file)?.revoked);
        let revoked = revoked_now(&mut self.written, &self.config.revoked, load);
        let Some(revoked) = revoked else { return false };
        self.revoked.send_replace(revoked.clone());
        self.config.revoked = revoked;
        true
    }
}

/// Log what Zenoh refuses, each cause once as long as it is among the last ones.
async fn log_refusals(mut heard: mpsc::Receiver<Heard>, revoked: watch::Receiver<BTreeSet<EdgeId>>) {
    let mut known = VecDeque::new();
    while let Some(heard) = heard.recv().await {
        let refusal = refusal(heard, &revoked.borrow());
        let Some((what, why)) = refusal else { continue };
        if known.contains(&(what, why.clone())) {
            tracing::debug!(?what, why, "refused again");
            continue;
        }
        tracing::warn!(?what, why, "refused");
        known.push_back((what, why));
        if known.len() > REMEMBERED {
            known.pop_front();
        }
    }
}
