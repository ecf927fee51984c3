//! Requests to companies' systems, signed. Success is a status of 2xx; redirects are not followed; of the answer's body nothing
//! is kept but a beginning, to show what went wrong.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Response, StatusCode, redirect};
use serde::Serialize;

use super::attempt::{Attempt, Failure};
use super::config::WebhooksConfig;
use super::receiver::{Allowed, NoReceiver};
use super::signature::{Secret, signatures};
use crate::storage::trade::EventRow;
use crate::trade::Topic;

/// How long a receiver may take for everything.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read.
const MOST_ANSWER: usize = 4_096;

/// What a webhook's receiver gets.
#[derive(Serialize)]
struct Body<'a> {
    /// What it is about.
    r#type: Topic,
    /// When it happened, RFC 3339.
    timestamp: String,
    /// Whether it is of a sandbox.
    sandbox: bool,
    /// As it stands in the feed.
    data: &'a EventRow,
}

/// Sends to webhooks.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) config: WebhooksConfig,
    client: Client,
}

/// One message to one webhook.
pub(super) struct Message<'a> {
    pub(super) url: &'a str,
    pub(super) secrets: &'a [Secret],
    pub(super) id: String,
    /// When it is sent, seconds since 1970.
    pub(super) seconds: i64,
    pub(super) sandbox: bool,
    pub(super) event: &'a EventRow,
}

impl Webhooks {
    pub(super) fn open(config: WebhooksConfig) -> anyhow::Result<Self> {
        // Without a proxy: it would resolve names itself, and behind our back.
        let client = Client::builder()
            .dns_resolver(Allowed(config))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(1)
            .user_agent(concat!("clearlane/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("messages.webhooks")?;
        Ok(Self { config, client })
    }

    pub(super) async fn send(&self, message: Message<'_>) -> Attempt {
        // The configuration may have changed since it was registered.
        let url = match self.config.receiver(message.url) {
            Ok(url) => url,
            Err(error) => return Attempt::Failed(Failure::new(None, &error)),
        };
        let body = match body(&message) {
            Ok(body) => body,
            Err(error) => return Attempt::Refused(Failure::new(None, &error)),
        };
        let signature = signatures(message.secrets, &message.id, message.seconds, &body);
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.seconds.to_string())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) => judged(answer).await,
            Err(error) if error.is_timeout() => {
                Attempt::Failed(Failure::said(None, &format!("no answer within {} s", TIMEOUT.as_secs())))
            }
            Err(error) => Attempt::Failed(Failure::new(None, &error.without_url())),
        }
    }

    /// Read the address of a receiver.
    pub(crate) fn receiver(&self, text: &str) -> Result<String, NoReceiver> {
        self.config.receiver(text).map(String::from)
    }
}

fn body(message: &Message<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let event = message.event;
    let at = jiff::Timestamp::from_millisecond(event.at).unwrap_or_default();
    let body =
        Body { r#type: event.news.topic(), timestamp: at.to_string(), sandbox: message.sandbox, data: event };
    serde_json::to_vec(&body)
}

async fn judged(answer: Response) -> Attempt {
    let status = answer.status();
    if status.is_success() {
        // What it says does not matter; read a little, so that the connection can be used again.
        let _ = beginning(answer).await;
        return Attempt::Delivered(Some(status.as_u16()));
    }
    let code = Some(status.as_u16());
    if status == StatusCode::GONE {
        return Attempt::Gone(Failure::said(code, "410 Gone"));
    }
    if status.is_redirection() {
        return Attempt::Failed(Failure::said(code, &format!("{status}: redirects are not followed")));
    }
    let said = beginning(answer).await;
    Attempt::Failed(Failure::said(
        code,
        format!("{status}: {}", String::from_utf8_lossy(&said)).trim_end_matches([':', ' ']),
    ))
}

/// The beginning of an answer.
async fn beginning(mut answer: Response) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < MOST_ANSWER {
        match answer.chunk().await {
            Ok(Some(more)) => read.extend_from_slice(&more[..more.len().min(MOST_ANSWER - read.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    read
}
