//! The files of `[tls]`, read and checked before anything starts. Central has the same, in its own room.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clearance::ids::UtcMillis;
use clearance::transport::{self, CertificateError, Party, TlsFiles};

/// A certificate that runs out sooner is spoken of.
const SOON_MS: i64 = 14 * 86_400_000;

/// Why the files of `[tls]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// One of them cannot be read.
    #[error("tls.{key} = {}: {source}; `central ca issue edge` makes certificate and key", path.display())]
    Io {
        /// Which.
        key: &'static str,
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner can read the key.
    #[error("tls.private_key = {}: others can read this key; chmod 600 it", .0.display())]
    Open(PathBuf),
    /// They are not good.
    #[error("tls, with certificate = {}: {source}", path.display())]
    Certificate {
        /// The certificate.
        path: PathBuf,
        /// What is wrong.
        source: CertificateError,
    },
    /// They are somebody else's.
    #[error("tls.certificate = {}: is {found}'s, and this is {own}; issue one with `central ca issue edge`", path.display())]
    Whose {
        /// The certificate.
        path: PathBuf,
        /// Whom it names.
        found: Party,
        /// Who this is.
        own: Party,
    },
}

impl TlsFilesError {
    /// Whether only time stands against the certificate.
    pub fn is_of_time(&self) -> bool {
        matches!(self, Self::Certificate { source, .. } if source.is_of_time())
    }
}

/// Check that the files are there, fit together, are good now and name this party.
pub(crate) fn check(files: &TlsFiles, own: Party, now: UtcMillis) -> Result<(), TlsFilesError> {
    let ca = read("ca", &files.ca)?;
    let certificate = read("certificate", &files.certificate)?;
    let key = read("private_key", &files.private_key)?;
    let mode = std::fs::metadata(&files.private_key).map(|m| m.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        return Err(TlsFilesError::Open(files.private_key.clone()));
    }
    let path = || files.certificate.clone();
    let found = transport::verify(&ca, &certificate, &key, now)
        .map_err(|source| TlsFilesError::Certificate { path: path(), source })?;
    if found.party != own {
        return Err(TlsFilesError::Whose { path: path(), found: found.party, own });
    }
    if found.until < now.plus_millis(SOON_MS) {
        tracing::warn!(certificate = %files.certificate.display(), "the certificate runs out within two weeks: issue a new one with `central ca issue edge`");
    }
    Ok(())
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsFilesError> {
    std::fs::read(path).map_err(|source| TlsFilesError::Io { key, path: path.to_owned(), source })
}
