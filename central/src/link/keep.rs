//! Keeps the link as the configuration and the certificate say: whoever listens reads both when he begins to, so a new
//! certificate or another list of revoked edges closes the session and opens it anew. Everybody who may connects again
//! within a second or two; lanes go on with what they hold, and ask for what they missed.

use std::sync::Arc;

use anyhow::Context as _;
use clearance::transport::{self, Certificates, Party};
use clearance::wire::{RecordKind, TrustStore};
use tokio::task::JoinSet;
use zenoh::Session;

use super::renewal::{LOOK, Renewal, Watch, revoked_now};
use super::{Link, answers, deltas, intake, session};
use crate::config::Config;
use crate::state::AppState;

/// What decides about the session, and whether it has changed.
pub(super) struct Keeper {
    state: AppState,
    /// As it was at the start, but for those revoked.
    config: Config,
    certificate: Option<Renewal>,
    written: Option<Watch>,
}

/// The session that is open, and what goes on over it.
pub(super) struct Opened {
    session: Session,
    tasks: JoinSet<()>,
}

impl Keeper {
    /// Check what the configuration names.
    pub(super) fn new(state: AppState, config: &Config) -> anyhow::Result<Self> {
        let files = config.tls.as_ref();
        let now = state.clock.now();
        let certificate = files.map(|files| Renewal::start(files, Party::Central, now)).transpose()?;
        let written = config.file.as_ref().map(|path| Watch::new(vec![path.clone()]));
        Ok(Self { state, config: config.clone(), certificate, written })
    }

    /// Open the session and declare everything over it.
    pub(super) async fn open(&self, again: bool) -> anyhow::Result<Opened> {
        let config = &self.config;
        // Before anybody connects: who comes is looked for there.
        self.state.lanes_mut().revoked.clone_from(&config.revoked);
        let session = self.listen().await?;
        let trust = config
            .believed()
            .fold(TrustStore::new(), |trust, (_, key)| trust.trusting(*key, &RecordKind::EDGE));
        let link =
            Link { state: self.state.clone(), session, trust: Arc::new(trust), lease_ms: config.lease_ms };
        let mut tasks = JoinSet::new();
        for site in &config.sites {
            answers::declare(&link, site, &mut tasks).await?;
            intake::declare(&link, site, &mut tasks).await?;
            intake::watch_lanes(&link, site, &mut tasks).await?;
        }
        let own = Arc::default();
        tasks.spawn(deltas::publish(link.clone(), Arc::clone(&own)));
        tasks.spawn(deltas::publish_of_others(link.clone(), config.sites.clone(), own));
        if again {
            tasks.spawn(deltas::remind(link.clone(), config.sites.clone()));
        }
        tasks.spawn(super::publish_orders(link.clone()));
        tasks.spawn(super::repeat_orders(link.clone()));
        Ok(Opened { session: link.session, tasks })
    }

    async fn listen(&self) -> anyhow::Result<Session> {
        let config = &self.config;
        let tls = match &self.certificate {
            Some(renewal) => {
                let edges = config.believed().map(|(edge, _)| edge);
                Some((Certificates::Held(renewal.held()), transport::at_central(&config.sites, edges)?))
            }
            None => None,
        };
        session::open(&transport::routing(&config.zenoh, &[], tls)).await.with_context(|| {
            format!("cannot listen for lanes on {:?}; is another central running?", config.zenoh)
        })
    }

    /// Keep it open, for ever.
    pub(super) async fn keep(mut self, mut opened: Opened) {
        loop {
            self.changed().await;
            tracing::info!("the link to the lanes is opened anew");
            opened.close().await;
            opened = loop {
                match self.open(true).await {
                    Ok(opened) => break opened,
                    Err(error) => {
                        tracing::error!(error = %format!("{error:#}"), "no link to the lanes; trying again");
                        tokio::time::sleep(session::AGAIN).await;
                    }
                }
            };
        }
    }

    /// Returns when the session has to be opened anew.
    async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.state.clock.now();
            let renewed = self.certificate.as_mut().is_some_and(|certificate| certificate.renewed(now));
            if self.revokes() || renewed {
                return;
            }
        }
    }

    /// Whether the configuration now revokes others than it did.
    fn revokes(&mut self) -> bool {
        let (Some(watch), Some(path)) = (&mut self.written, &self.config.file) else { return false };
        let load = || Ok(Config::load(path)?.revoked);
        let Some(revoked) = revoked_now(watch, &self.config.revoked, load) else { return false };
        self.config.revoked = revoked;
        true
    }
}

impl Opened {
    async fn close(mut self) {
        self.tasks.shutdown().await;
        session::close(&self.session).await;
    }
}
