//! A system that takes requests.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

use super::{decode, eventually};

/// What it does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// Answer so.
    Answer(u16),
    /// Say that it is elsewhere.
    Redirect,
    /// Never answer.
    Hang,
    /// Answer 500 with a body that does not end.
    Pour,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) path: String,
    pub(crate) plan: Plan,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Place in the feed.
    pub(crate) fn seq(&self) -> i64 {
        self.json()["data"]["seq"].as_i64().unwrap()
    }

    /// Whether one of its signatures is by this secret; told with code of its own.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = decode(secret.strip_prefix("whsec_").unwrap());
        let signed = |signature: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
            mac.update([id.as_bytes(), b".", at.as_bytes(), b".", &self.body].concat().as_slice());
            mac.verify_slice(&decode(signature.strip_prefix("v1,").unwrap())).is_ok()
        };
        self.header("webhook-signature").split(' ').any(signed)
    }
}

#[derive(Default)]
struct Inner {
    got: Vec<Got>,
    plans: VecDeque<Plan>,
    /// What it does when no plan is left.
    otherwise: Option<Plan>,
}

/// The system.
#[derive(Clone)]
pub(crate) struct Receiver {
    at: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { at: listener.local_addr().unwrap(), inner: Arc::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// What it does with the next requests, one after the other.
    pub(crate) fn plan(&self, plans: &[Plan]) {
        self.inner.lock().unwrap().plans.extend(plans);
    }

    /// What it does with all others.
    pub(crate) fn otherwise(&self, plan: Plan) {
        self.inner.lock().unwrap().otherwise = Some(plan);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.inner.lock().unwrap().got.clone()
    }

    /// What was taken, by place in the feed, once for each.
    pub(crate) fn taken(&self) -> BTreeSet<i64> {
        self.got().iter().filter(|got| matches!(got.plan, Plan::Answer(200))).map(Got::seq).collect()
    }

    /// Wait for so many requests.
    pub(crate) async fn wait(&self, requests: usize) -> Vec<Got> {
        eventually(&format!("{requests} requests"), async || {
            let got = self.got();
            (got.len() >= requests).then_some(got)
        })
        .await
    }
}

async fn take(State(receiver): State<Receiver>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let plan = {
        let mut inner = receiver.inner.lock().unwrap();
        let plan = inner.plans.pop_front().or(inner.otherwise).unwrap_or(Plan::Answer(200));
        inner.got.push(Got { headers: parts.headers, body, path: parts.uri.path().to_owned(), plan });
        plan
    };
    match plan {
        Plan::Answer(status) => (StatusCode::from_u16(status).unwrap(), "as planned").into_response(),
        Plan::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Plan::Hang => std::future::pending().await,
        Plan::Pour => {
            let drops =
                futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
            (StatusCode::INTERNAL_SERVER_ERROR, axum::body::Body::from_stream(drops)).into_response()
        }
    }
}
