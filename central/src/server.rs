//! The HTTP server under the API and the console: connections are counted, in all and for each address, and none may keep its
//! place by being slow. What is slow is decided for every step: the TLS handshake, the header of a request (and the wait for
//! the next one), the request as a whole, and an answer that is not taken. A stream of events is an answer that goes on, and
//! lives as long as it is read.

mod gate;
mod patient;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use clearance::ids::Digest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::api::Problem;
pub use gate::Gate;
use gate::Place;
use patient::Patient;

/// Requests that are being answered when central stops have as long.
const GRACE: Duration = Duration::from_secs(1);

/// After a connection could not be taken (too many open files), the next is waited for.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// The longest head of a request, bytes.
const MOST_HEAD: usize = 64 << 10;

/// What connections may take: the table `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections in all, over every port; the next wait until one is closed. Default 800.
    pub connections: usize,
    /// Connections from one address (of IPv6: from one network of 64 bits); more are closed at once. Default 200.
    pub connections_per_address: usize,
    /// Milliseconds for a TLS handshake, for the header of a request, and from one request to the next. Default 10000.
    pub header_ms: u64,
    /// Milliseconds from a request's header to the beginning of its answer. Default 60000.
    pub request_ms: u64,
    /// Milliseconds that an answer may wait for its reader. Default 30000.
    pub stalled_ms: u64,
    /// Sign-ins with an unknown token, certificate or code in a minute from one address; more are not looked at. Default 30.
    pub failed_sign_ins_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 800,
            connections_per_address: 200,
            header_ms: 10_000,
            request_ms: 60_000,
            stalled_ms: 30_000,
            failed_sign_ins_per_minute: NonZeroU32::MIN.saturating_add(29),
        }
    }
}

impl Limits {
    /// Which key makes no sense, and why.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        match () {
            () if !(1..=100_000).contains(&self.connections) => {
                Err(("limits.connections", format!("{} is not between 1 and 100000", self.connections)))
            }
            () if self.connections_per_address == 0 => {
                Err(("limits.connections_per_address", "at least 1".to_owned()))
            }
            () if [self.header_ms, self.request_ms, self.stalled_ms].iter().any(|ms| *ms < 100) => {
                Err(("limits", "header_ms, request_ms and stalled_ms are at least 100".to_owned()))
            }
            () => Ok(()),
        }
    }
}

/// How somebody came in at the port of the trade's systems; whoever came in elsewhere has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// With a certificate of our authority: the SHA-256 of the certificate.
    Certificate(Digest),
    /// Without any.
    Nothing,
}

/// What stands between the network and the requests.
#[derive(Clone)]
pub enum Door {
    /// Nothing: another machine, or the loopback interface, sees to it.
    Open,
    /// TLS with the certificates of systems.
    Tls(TlsAcceptor),
}

/// Everything that serving a connection needs.
#[derive(Clone)]
pub struct Server {
    router: Router,
    gate: Arc<Gate>,
    limits: Limits,
    stop: watch::Receiver<bool>,
}

impl Server {
    /// A server of these routes; it ends when `stop` says so.
    pub fn new(router: Router, gate: Arc<Gate>, limits: Limits, stop: watch::Receiver<bool>) -> Self {
        let longest = Duration::from_millis(limits.request_ms);
        let router = router.layer(from_fn(move |request, next| within(longest, request, next)));
        Self { router, gate, limits, stop }
    }

    /// Serve until told to stop; then requests that are being answered have a moment more, and streams end.
    pub async fn serve(self, listener: TcpListener, door: Door) {
        let (mut connections, mut stop) = (JoinSet::new(), self.stop.clone());
        loop {
            let taken = tokio::select! {
                taken = self.next(&listener) => taken,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            while connections.try_join_next().is_some() {}
            if let Some((stream, peer, place)) = taken {
                let (server, door) = (self.clone(), door.clone());
                connections.spawn(async move {
                    server.connection(stream, peer, door).await;
                    drop(place);
                });
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        let _ = timeout(GRACE, ended).await;
        connections.shutdown().await;
    }

    /// The next connection that has a place; `None`: one was turned away.
    async fn next(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, Place)> {
        // Whoever finds no place waits in the system's queue, where it costs nothing.
        let seat = self.gate.seat().await?;
        match listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, Gate::admit(&self.gate, peer.ip(), seat)?)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken; are there too many open files?");
                tokio::time::sleep(AFTER_FAILURE).await;
                None
            }
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr, door: Door) {
        let _ = stream.set_nodelay(true);
        match door {
            Door::Open => self.requests(stream, peer, None).await,
            Door::Tls(acceptor) => match timeout(self.header(), acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    let credential = shown
                        .map_or(Credential::Nothing, |own| Credential::Certificate(Digest::of(own.as_ref())));
                    self.requests(stream, peer, Some(credential)).await;
                }
                Ok(Err(error)) => tracing::info!(%peer, %error, "a system was not let in"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            },
        }
    }

    async fn requests<S>(self, stream: S, peer: SocketAddr, credential: Option<Credential>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Patient::new(stream, Duration::from_millis(self.limits.stalled_ms));
        let service = TowerToHyperService::new(introduced(&self.router, peer, credential));
        // One request after the other: a connection of HTTP/2 could hold many at once, for as long as it likes.
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.header()).max_buf_size(MOST_HEAD);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut stop = self.stop.clone();
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "a connection was closed");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    fn header(&self) -> Duration {
        Duration::from_millis(self.limits.header_ms)
    }
}

/// The routes, with what is known of whoever asks: never from a header, which anybody can write.
fn introduced(router: &Router, peer: SocketAddr, credential: Option<Credential>) -> Router {
    let known = Router::new().fallback_service(router.clone()).layer(Extension(ConnectInfo(peer)));
    match credential {
        Some(credential) => known.layer(Extension(credential)),
        None => known,
    }
}

async fn within(longest: Duration, request: Request, next: Next) -> Response {
    let late = |_| {
        let detail = format!("the request took longer than {} ms; send it again", longest.as_millis());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail).into_response()
    };
    timeout(longest, next.run(request)).await.unwrap_or_else(late)
}

/// Whom an address stands for: of IPv6 whoever has a network has all its addresses.
pub(crate) fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
#[path = "server/tests.rs"]
mod tests;
