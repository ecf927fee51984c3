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
pub mod messages;
pub mod officers;
pub mod operations;
pub mod people;
pub mod portal;
pub mod rotation;
pub mod router;
pub mod screening;
pub mod secrets;
pub mod server;
pub mod state;
pub mod storage;
pub mod systems;
pub mod trade;
mod words;
pub mod workbench;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clearance::wire::Signer;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::Config;
use crate::messages::{Channels, Outlets};
use crate::operations::Operations;
use crate::server::{Door, Gate, Server};
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

/// Choose the cryptography of TLS connections that name none themselves. It stays as it was first chosen.
pub fn choose_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A running central.
pub struct Central {
    http: SocketAddr,
    systems: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    servers: JoinSet<()>,
    link: JoinSet<()>,
    state: AppState,
}

impl Central {
    /// Start everything a configuration asks for.
    pub async fn start(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        choose_cryptography();
        let store = rotation::open_signed(config).await?;
        let place = Arc::new(config.place()?);
        let systems = match &config.systems {
            Some(files) => Some(files.open(config.tls.as_ref(), &clock)?),
            None => None,
        };
        let operations = Operations::new(store.clone(), clock.clone(), place, config.sites.as_slice().into());
        let listener = listen("http", config.http).await?;
        let http = listener.local_addr()?;
        let portal = Arc::new(portal::Portal::open(&config.portal, http.port())?);
        let (vault, channels) =
            (config.vault()?, Arc::new(Channels::open(&config.messages, &config.portal)?));
        let outlets = Outlets::new(store.clone(), clock.clone(), Arc::clone(&channels), vault.clone());
        let state = AppState {
            store,
            operations,
            clock,
            lanes: Arc::default(),
            events: broadcast::channel(1024).0,
            orders: broadcast::channel(256).0,
            examples: config.data_dir.join("examples"),
            examples_licence: config.examples_licence.as_str().into(),
            rate_limits: Arc::new(api::RateLimits::new(
                config.rate_limit,
                config.limits.failed_sign_ins_per_minute,
            )),
            portal,
            vault,
            channels,
            outlets,
            watched: Arc::default(),
            client_authority: systems.as_ref().map(|systems| Arc::clone(&systems.authority)),
        };
        let mut link = link::start(state.clone(), config).await?;
        link.spawn(expect_due(state.clone()));
        link.spawn(rehearse(state.clone()));
        link.spawn(carry_out(state.clone()));
        link.spawn(screening::screen(state.clone(), config.risk_model.clone()));
        link.spawn(forget(state.clone()));
        link.spawn(messages::deliver(state.clone()));
        link.spawn(workbench::follow(state.clone()));
        let (stop, stopped) = watch::channel(false);
        let (gate, mut servers) = (Gate::new(&config.limits), JoinSet::new());
        let server = |router| Server::new(router, Arc::clone(&gate), config.limits, stopped.clone());
        let api = api::router(state.clone());
        let mut systems_at = None;
        if let (Some(files), Some(systems)) = (&config.systems, systems) {
            let listener = listen("systems.listen", files.listen).await?;
            systems_at = Some(listener.local_addr()?);
            servers.spawn(server(api.clone()).serve(listener, Door::Tls(systems.acceptor)));
        }
        servers.spawn(
            server(api.merge(console::router(state.clone())).merge(portal::router(state.clone())))
                .serve(listener, Door::Open),
        );
        Ok(Self { http, systems: systems_at, stop, servers, link, state })
    }

    /// Where the console and the API listen.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the trade's systems connect with certificates, if they do.
    pub fn systems(&self) -> Option<SocketAddr> {
        self.systems
    }

    /// Show and log what Zenoh refuses: give what [`overhear`](link::overheard::overhear) hears.
    pub fn hear(&mut self, heard: mpsc::Receiver<link::overheard::Heard>) {
        self.link.spawn(link::note_refusals(self.state.clone(), heard));
    }

    /// Stop: no new requests; those that are being answered have a moment more, and open streams end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let _ = self.stop.send(true);
        self.link.abort_all();
        while self.servers.join_next().await.is_some() {}
        Ok(())
    }
}

/// Lodge what was handed in together, as it comes.
async fn carry_out(state: AppState) {
    loop {
        if let Err(error) = state.operations.carry_out().await {
            tracing::error!(%error, "what was handed in together is not lodged yet; it is tried again");
        }
        state.operations.handed_in().await;
    }
}

/// How often it is looked for what need not be kept: declarations whose time is over, replies that nobody will ask for again.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// Forget what is kept no longer.
async fn forget(state: AppState) {
    let mut every = tokio::time::interval(FORGET_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        match state.operations.roll_off().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "what is kept no longer was taken away"),
            Err(error) => tracing::error!(%error, "what is kept no longer is still there"),
        }
        if let Err(error) = state.store.forget_replies(state.clock.now()).await {
            tracing::error!(%error, "old replies are not forgotten");
        }
        if let Err(error) = state.store.forget_sign_ins(state.clock.now()).await {
            tracing::error!(%error, "sessions and drafts that are over are not forgotten");
        }
    }
}

/// How often crossings of sandboxes are taken further.
const REHEARSE_EVERY: Duration = Duration::from_secs(2);

/// Play customs and the lane for sandboxes.
async fn rehearse(state: AppState) {
    let mut every = tokio::time::interval(REHEARSE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = state.operations.rehearse().await {
            tracing::error!(%error, "crossings of sandboxes stand still");
        }
    }
}

async fn listen(key: &str, at: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at).await.with_context(|| format!("{key} = {at}: cannot listen there"))
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
