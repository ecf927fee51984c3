//! SMS, through whatever sends them: `POST {"to", "text", "id"}` with a bearer token. The id stays the same when a message is
//! sent once more, so that the adapter can tell.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, StatusCode, Url, redirect};
use serde::Serialize;

use super::attempt::{Attempt, Failure};
use super::config::SmsConfig;
use crate::ca::read_secret;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What the adapter takes.
#[derive(Serialize)]
pub(super) struct Order<'a> {
    pub(super) to: &'a str,
    pub(super) text: String,
    pub(super) id: String,
}

/// Sends SMS.
#[derive(Clone)]
pub(super) struct Sms {
    client: Client,
    url: Url,
    token: String,
}

impl Sms {
    pub(super) fn open(config: &SmsConfig) -> anyhow::Result<Self> {
        let url = config.url.parse().context("messages.sms.url")?;
        let named = || format!("messages.sms.token_file = {}", config.token_file.display());
        let token = read_secret(&config.token_file).with_context(named)?.trim().to_owned();
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT);
        Ok(Self { client: client.build().context("messages.sms")?, url, token })
    }

    pub(super) async fn send(&self, order: &Order<'_>) -> Attempt {
        let sent = self.client.post(self.url.clone()).bearer_auth(&self.token).json(order).send().await;
        let status = match sent {
            Ok(answer) => answer.status(),
            Err(error) => return Attempt::Failed(Failure::new(None, &error.without_url())),
        };
        let failure = Failure::said(Some(status.as_u16()), &status.to_string());
        match status {
            status if status.is_success() => Attempt::Delivered(Some(status.as_u16())),
            // The number or the text is wrong. That we may not, or send too much, is for the operator to mend.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                Attempt::Refused(failure)
            }
            _ => Attempt::Failed(failure),
        }
    }
}
