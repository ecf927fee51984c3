//! The port of the trade's systems: the API over TLS, where a system's certificate is its sign-in. The certificates come from an
//! authority of their own, which central holds the key of, so that systems enrol and renew by themselves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clearance::ids::UtcMillis;
use clearance::transport::TlsFiles;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;

use crate::ca::{self, ClientAuthority};
use crate::clock::Clock;
use crate::officers::token_hash;
use crate::trade::trader::is_plain_name;

/// The table `[systems]`. Relative paths are relative to the configuration's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemsConfig {
    /// Where systems connect, such as `0.0.0.0:8443`; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The server's certificate and those above it, PEM: systems must believe its authority.
    pub certificate: PathBuf,
    /// Its key, PEM; readable by its owner only.
    pub private_key: PathBuf,
    /// Folder of the authority of the systems' certificates: `central ca init --folder FOLDER`. Not the lanes' one.
    pub ca: PathBuf,
}

/// A system's name, as the audit names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName(String);

/// A text is no system's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a system is named by 1 to 64 lower-case letters, digits, '-', '_' or '.'")]
pub struct NoClientName;

impl ClientName {
    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = NoClientName;
    fn from_str(text: &str) -> Result<Self, NoClientName> {
        if is_plain_name(text) { Ok(Self(text.to_owned())) } else { Err(NoClientName) }
    }
}

/// What is stored of an enrolment code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeHash(String);

impl CodeHash {
    /// Of a code as it was printed; spaces around it do not count.
    pub fn of(code: &str) -> Self {
        Self(token_hash(code.trim()))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the port needs, read and checked.
pub struct Systems {
    /// Issues certificates.
    pub authority: Arc<ClientAuthority>,
    /// Checks them.
    pub acceptor: TlsAcceptor,
}

impl SystemsConfig {
    /// The same files, seen from where the configuration lies.
    #[must_use]
    pub fn beside(self, folder: &Path) -> Self {
        Self {
            listen: self.listen,
            certificate: folder.join(self.certificate),
            private_key: folder.join(self.private_key),
            ca: folder.join(self.ca),
        }
    }

    /// Read the files. `lanes`: those of the lanes' link, whose authority must be another.
    pub fn open(&self, lanes: Option<&TlsFiles>, clock: &Clock) -> anyhow::Result<Systems> {
        let authority = ClientAuthority::load(&self.ca, clock.now())
            .with_context(|| format!("systems.ca = {}", self.ca.display()))?;
        if let Some(lanes) = lanes {
            let theirs = std::fs::read_to_string(&lanes.ca).unwrap_or_default();
            ensure!(
                theirs.trim() != authority.certificate().trim(),
                "systems.ca = {}: is the lanes' authority; make another with `central ca init --folder FOLDER`",
                self.ca.display()
            );
        }
        let acceptor = self.acceptor(authority.certificate(), clock)?;
        Ok(Systems { authority: Arc::new(authority), acceptor })
    }

    fn acceptor(&self, ca: &str, clock: &Clock) -> anyhow::Result<TlsAcceptor> {
        let (certificate, key) = (&self.certificate, &self.private_key);
        let named = || format!("systems.certificate = {}", certificate.display());
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(named)?;
        let of_key = || format!("systems.private_key = {}", key.display());
        ca::only_its_owner_reads(key).with_context(of_key)?;
        let key = PrivateKeyDer::from_pem_file(key).with_context(of_key)?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).context("systems.ca: ca.pem")?)?;
        let provider = Arc::new(ring::default_provider());
        // Whoever comes without a certificate can ask for one, and for nothing else.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
        let mut config = ServerConfig::builder_with_details(provider, Arc::new(Now(clock.clone())))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .with_context(named)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Our clock, as TLS asks for it.
struct Now(Clock);

impl std::fmt::Debug for Now {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Now")
    }
}

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let UtcMillis(now) = self.0.now();
        Some(UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(now).ok()?)))
    }
}
