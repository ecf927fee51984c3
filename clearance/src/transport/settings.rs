//! The Zenoh settings of both sides. What a safe link depends on is set here, whatever Zenoh's defaults are.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
// As Zenoh takes it: the standard alphabet, padded.
use base64::prelude::BASE64_STANDARD as BASE64;
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

/// What those files hold, PEM. Whoever is connected to holds it, so that what was checked is what is used, whatever lies in
/// the files later.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsHeld {
    /// Of `ca`.
    pub ca: Vec<u8>,
    /// Of `certificate`.
    pub certificate: Vec<u8>,
    /// Of `private_key`.
    pub private_key: Vec<u8>,
}

impl fmt::Debug for TlsHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsHeld(..)")
    }
}

/// Where a session has its certificates from.
#[derive(Clone, Copy, Debug)]
pub enum Certificates<'a> {
    /// The files, read for each new link: a renewed certificate is used by the next one.
    Files(&'a TlsFiles),
    /// What they held at some time.
    Held(&'a TlsHeld),
}

/// Settings of a session that connects to one of several endpoints, and to the next when that is lost.
pub fn connecting(endpoints: &[String], tls: Option<(Certificates<'_>, Value)>) -> Vec<Setting> {
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
pub fn routing(
    listen: &[String],
    upstream: &[String],
    tls: Option<(Certificates<'_>, Value)>,
) -> Vec<Setting> {
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

fn secure(settings: &mut Vec<Setting>, tls: Option<(Certificates<'_>, Value)>) {
    let Some((certificates, access)) = tls else { return };
    settings.extend([
        ("transport/link/protocols", json!(["tls"])),
        ("transport/link/tls/enable_mtls", json!(true)),
        ("transport/link/tls/verify_name_on_connect", json!(true)),
        ("transport/link/tls/close_link_on_expiration", json!(true)),
        ("access_control", access),
    ]);
    match certificates {
        Certificates::Files(files) => settings.extend([
            ("transport/link/tls/root_ca_certificate", json!(files.ca)),
            ("transport/link/tls/listen_certificate", json!(files.certificate)),
            ("transport/link/tls/listen_private_key", json!(files.private_key)),
            ("transport/link/tls/connect_certificate", json!(files.certificate)),
            ("transport/link/tls/connect_private_key", json!(files.private_key)),
        ]),
        Certificates::Held(held) => settings.extend([
            ("transport/link/tls/root_ca_certificate_base64", json!(BASE64.encode(&held.ca))),
            ("transport/link/tls/listen_certificate_base64", json!(BASE64.encode(&held.certificate))),
            ("transport/link/tls/listen_private_key_base64", json!(BASE64.encode(&held.private_key))),
            ("transport/link/tls/connect_certificate_base64", json!(BASE64.encode(&held.certificate))),
            ("transport/link/tls/connect_private_key_base64", json!(BASE64.encode(&held.private_key))),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_s() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("\u{fe}?>", "w74/Pg=="),
        ] {
            assert_eq!(BASE64.encode(plain.as_bytes()), encoded, "{plain:?}");
        }
    }

    #[test]
    fn a_key_is_not_shown_by_accident() {
        let held = TlsHeld { ca: vec![], certificate: vec![], private_key: b"secret".to_vec() };
        assert_eq!(format!("{held:?}"), "TlsHeld(..)");
    }
}
