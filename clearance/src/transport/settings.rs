//! The Zenoh settings of both sides. What a safe link depends on is set here, whatever Zenoh's defaults are.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

/// A Zenoh setting: its key and its value as JSON.
pub type Setting = (&'static str, Value);

/// The table `[tls]`: three files, PEM. Relative paths are relative to the configuration's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authority's certificate: whom it vouches for is believed to be who he says.
    pub ca: PathBuf,
    /// This party's certificate.
    pub certificate: PathBuf,
    /// Its key; others must not be able to read it.
    pub private_key: PathBuf,
}

impl TlsFiles {
    /// The same files, seen from where the configuration lies.
    #[must_use]
    pub fn beside(self, folder: &Path) -> Self {
        Self {
            ca: folder.join(self.ca),
            certificate: folder.join(self.certificate),
            private_key: folder.join(self.private_key),
        }
    }
}

/// Settings of a session that connects to one of several endpoints, and to the next when that is lost.
pub fn connecting(endpoints: &[String], tls: Option<(&TlsFiles, Value)>) -> Vec<Setting> {
    let mut settings = alone();
    settings.extend([
        ("mode", json!("client")),
        ("connect/endpoints", json!(endpoints)),
        ("connect/timeout_ms", json!(2000)),
        ("connect/exit_on_failure", json!(false)),
        ("connect/retry", json!({ "period_init_ms": 200, "period_max_ms": 2000 })),
        // A machine that is switched off does not refuse: it must not keep us from trying the next one.
        ("transport/unicast/open_timeout", json!(3000)),
    ]);
    secure(&mut settings, tls);
    settings
}

/// Settings of a session that others connect to, and that connects to all of `upstream`.
pub fn routing(listen: &[String], upstream: &[String], tls: Option<(&TlsFiles, Value)>) -> Vec<Setting> {
    let mut settings = alone();
    settings.extend([
        ("mode", json!("router")),
        ("listen/endpoints", json!(listen)),
        ("listen/exit_on_failure", json!(true)),
        ("connect/endpoints", json!(upstream)),
        ("connect/exit_on_failure", json!(false)),
        ("connect/retry", json!({ "period_init_ms": 200, "period_max_ms": 2000 })),
    ]);
    secure(&mut settings, tls);
    settings
}

/// Nobody is looked for, nobody is told of others, one link to each: whom to talk with is configured.
fn alone() -> Vec<Setting> {
    vec![
        ("scouting/multicast/enabled", json!(false)),
        ("scouting/gossip/enabled", json!(false)),
        ("adminspace/enabled", json!(false)),
        ("transport/unicast/max_links", json!(1)),
    ]
}

fn secure(settings: &mut Vec<Setting>, tls: Option<(&TlsFiles, Value)>) {
    let Some((files, access)) = tls else { return };
    settings.extend([
        ("transport/link/protocols", json!(["tls"])),
        ("transport/link/tls/root_ca_certificate", json!(files.ca)),
        ("transport/link/tls/enable_mtls", json!(true)),
        ("transport/link/tls/listen_certificate", json!(files.certificate)),
        ("transport/link/tls/listen_private_key", json!(files.private_key)),
        ("transport/link/tls/connect_certificate", json!(files.certificate)),
        ("transport/link/tls/connect_private_key", json!(files.private_key)),
        ("transport/link/tls/verify_name_on_connect", json!(true)),
        ("transport/link/tls/close_link_on_expiration", json!(true)),
        ("access_control", access),
    ]);
}
