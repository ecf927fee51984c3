//! Opening Zenoh sessions.

use anyhow::anyhow;
use clearance::transport::Setting;
use zenoh::Session;

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
