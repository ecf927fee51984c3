//! Central: takes declarations, decides action codes, sends them signed to the lanes, takes passages back, and
//! gives officers a console.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod api;
pub mod ca;
pub mod ccrn;
pub mod clock;
pub mod config;
pub mod console;
pub mod examples;
#[doc(hidden)]
pub mod fuzzing;
pub mod keys;
pub mod link;
pub mod officers;
pub mod operations;
pub mod rotation;
pub mod router;
pub mod state;
pub mod storage;
pub mod trade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clearance::wire::Signer;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::Clock;
use crate::config::Config;
use crate::operations::Operations;
use crate::state::AppState;
use crate::storage::{Database, Store};

/// The database that a configuration names: a file in its folder unless it names a server.
pub fn database(config: &Config) -> Database {
    match &config.database {
        Some(url) => Database::Postgres(url.clone()),
        None => Database::Sqlite(config.data_dir.join("central.sqlite")),
    }
}

/// Open the database that a configuration names.
pub async fn open_store(config: &Config, signer: Arc<Signer>) -> anyhow::Result<Store> {
    std::fs::create_dir_all(&config.data_dir).with_context(|| config.data_dir.display().to_string())?;
    let database = database(config);
    Store::open(&database, &config.sites, signer).await.with_context(|| database.label())
}

/// A running central.
pub struct Central {
    http: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
    link: JoinSet<()>,
    state: AppState,
}

impl Central {
    /// Start everything a configuration asks for.
    pub async fn start(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let store = rotation::open_signed(config).await?;
        let place = Arc::new(config.place()?);
        let operations = Operations::new(store.clone(), clock.clone(), place, config.sites.as_slice().into());
        let state = AppState {
            store,
            operations,
            clock,
            lanes: Arc::default(),
            events: broadcast::channel(1024).0,
            orders: broadcast::channel(256).0,
            examples: config.data_dir.join("examples"),
            examples_licence: config.examples_licence.as_str().into(),
            sign_ins: Arc::default(),
        };
        let mut link = link::start(state.clone(), config).await?;
        link.spawn(expect_due(state.clone()));
        let listener = TcpListener::bind(config.http)
            .await
            .with_context(|| format!("http = {}: cannot listen there", config.http))?;
        let http = listener.local_addr()?;
        let router = api::router(state.clone()).merge(console::router(state.clone()));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async {
                    let _ = stopped.await;
                })
                .await
        });
        Ok(Self { http, stop, server, link, state })
    }

    /// Where the console and the API listen.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Show and log what Zenoh refuses: give what [`overhear`](link::overheard::overhear) hears.
    pub fn hear(&mut self, refusals: mpsc::Receiver<link::overheard::Refusal>) {
        self.link.spawn(link::note_refusals(self.state.clone(), refusals));
    }

    /// Stop: no new requests, open streams end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.link.abort_all();
        self.server.abort();
        let _ = self.server.await;
        Ok(())
    }
}

/// How often codes that begin to serve are looked for.
const DUE_EVERY: Duration = Duration::from_secs(1);

/// Tell the lanes of codes as they begin to serve.
async fn expect_due(state: AppState) {
    // Whatever began while no central ran: codes serve for two weeks after the arrival.
    let mut from = state.clock.now().plus_millis(-30 * 86_400_000);
    let mut every = tokio::time::interval(DUE_EVERY);
    loop {
        every.tick().await;
        let to = state.clock.now();
        match state.store.expect_due(from, to).await {
            Ok(()) => from = to,
            Err(error) => {
                tracing::error!(%error, "codes that begin to serve are not told; the lanes keep what they know");
            }
        }
    }
}
