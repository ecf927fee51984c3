//! Opening and closing Zenoh sessions.

use std::time::Duration;

use anyhow::anyhow;
use clearance::transport::Setting;
use zenoh::Session;

/// Pause before a session that could not be opened is opened once more.
pub(crate) const AGAIN: Duration = Duration::from_secs(1);

/// Longest wait for the end of a session.
const END: Duration = Duration::from_secs(5);

/// Open a session with these settings.
pub(crate) async fn open(settings: &[Setting]) -> anyhow::Result<Session> {
    let mut config = zenoh::Config::default();
    for (key, value) in settings {
        config
            .insert_json5(key, &value.to_string())
            .map_err(|e| anyhow!("zenoh configuration {key}: {e}"))?;
    }
    zenoh::open(config).await.map_err(|e| anyhow!("{e}"))
}

/// Close a session; whoever listens anew does not wait for ever for the links of before.
pub(crate) async fn close(session: &Session) {
    match tokio::time::timeout(END, session.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the session was not closed in order"),
        Err(_) => tracing::warn!("the session does not end"),
    }
}
