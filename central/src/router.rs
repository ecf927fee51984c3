//! `central router`: a Zenoh router at a site. It carries what edges and central send each other, under the same access
//! rules as central, and has no key of the product: it can neither sign nor forge anything.
//!
//! A router that has lost central lets its edges go, so that they try the next address they know; it takes edges again
//! when it has found central again.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clearance::ids::{EdgeId, SiteId, UtcMillis};
use clearance::transport::{self, Party, TlsFiles, check_endpoints};
use serde::Deserialize;
use zenoh::Session;

use crate::config::{ConfigError, read_form};
use crate::link::{session, tls};

/// How often it is looked whether central is there.
const LOOK: Duration = Duration::from_millis(500);

/// A central that is away for less, for a restart, keeps the router's edges.
const GRACE: Duration = Duration::from_secs(5);

/// The configuration of a router; `deploy/topology` has one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterConfig {
    /// The control point whose edges it serves.
    pub site: SiteId,
    /// Those edges; others are refused.
    pub edges: Vec<EdgeId>,
    /// Zenoh endpoints to listen on for the edges.
    pub listen: Vec<String>,
    /// Zenoh endpoints of central.
    pub upstream: Vec<String>,
    /// Certificates. Without them everything stays on this machine.
    pub tls: Option<TlsFiles>,
}

impl RouterConfig {
    /// Read and check a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read_form(path, "deploy/topology/one-site/router.toml")?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.tls = config.tls.map(|files| files.beside(folder));
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
        transport::at_router(&self.site, &self.edges).map(drop).map_err(|e| ("edges", e.to_string()))
    }

    /// Check the certificate and its key.
    pub fn check_files(&self, now: UtcMillis) -> anyhow::Result<()> {
        let Some(files) = &self.tls else { return Ok(()) };
        tls::check(files, &Party::router(&self.site)?, now)
    }

    async fn open(&self) -> anyhow::Result<Session> {
        let tls = match &self.tls {
            Some(files) => Some((files, transport::at_router(&self.site, &self.edges)?)),
            None => None,
        };
        session::open(&transport::routing(&self.listen, &self.upstream, tls))
            .await
            .with_context(|| format!("listen = {:?}: is another router running?", self.listen))
    }

    /// Whether central lets us in now.
    async fn central_is_there(&self) -> bool {
        let access = transport::at_edge(&self.site).ok();
        let tls = self.tls.as_ref().zip(access);
        match session::open(&transport::connecting(&self.upstream, tls)).await {
            Ok(session) => {
                let _ = session.close().await;
                true
            }
            Err(error) => {
                tracing::debug!(%error, "central");
                false
            }
        }
    }
}

/// Route until the process ends.
pub async fn run(config: &RouterConfig) -> anyhow::Result<()> {
    loop {
        let mut said = false;
        while !config.central_is_there().await {
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(upstream = ?config.upstream, "central cannot be reached or does not let us in; no edges are taken until then");
            }
            tokio::time::sleep(LOOK).await;
        }
        let session = config.open().await?;
        tracing::info!(site = %config.site, listen = ?config.listen, "routing");
        let mut seen = tokio::time::Instant::now();
        while seen.elapsed() < GRACE {
            tokio::time::sleep(LOOK).await;
            if session.info().routers_zid().await.next().is_some() {
                seen = tokio::time::Instant::now();
            }
        }
        tracing::warn!("central is lost; the edges are let go");
        if let Err(error) = session.close().await {
            tracing::warn!(%error, "the session was not closed in order");
        }
    }
}
