//! The files of `[tls]`, read and checked before anything starts. The edge has the same, in its own room.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use clearance::ids::UtcMillis;
use clearance::transport::{self, CertificateError, Party, TlsFiles, TlsHeld};

/// A certificate that runs out sooner is spoken of.
const SOON_MS: i64 = 14 * 86_400_000;

/// Check that the files are there, fit together, are good now and name this party.
pub(crate) fn check(files: &TlsFiles, party: &Party, now: UtcMillis) -> anyhow::Result<()> {
    check_held(files, &read(files)?, party, now)
}

/// Read the files.
pub(crate) fn read(files: &TlsFiles) -> anyhow::Result<TlsHeld> {
    let read = |key: &str, path: &Path| {
        std::fs::read(path).with_context(|| {
            format!("tls.{key} = {}; `central ca issue` makes certificates and keys", path.display())
        })
    };
    let held = TlsHeld {
        ca: read("ca", &files.ca)?,
        certificate: read("certificate", &files.certificate)?,
        private_key: read("private_key", &files.private_key)?,
    };
    let path = files.private_key.display();
    let mode = std::fs::metadata(&files.private_key)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "tls.private_key = {path}: others can read this key; chmod 600 it");
    Ok(held)
}

/// Check that what the files held fits together, is good now and names this party.
pub(crate) fn check_held(
    files: &TlsFiles,
    held: &TlsHeld,
    party: &Party,
    now: UtcMillis,
) -> anyhow::Result<()> {
    let found = transport::verify(&held.ca, &held.certificate, &held.private_key, now)
        .with_context(|| format!("tls, with certificate = {}", files.certificate.display()))?;
    ensure!(
        found.party == *party,
        "tls.certificate = {}: is {}'s, and this is {party}; issue one with `central ca issue`",
        files.certificate.display(),
        found.party
    );
    if found.until < now.plus_millis(SOON_MS) {
        tracing::warn!(certificate = %files.certificate.display(), "the certificate runs out within two weeks: issue a new one with `central ca issue`");
    }
    Ok(())
}

/// Whether only time stands against the certificate.
pub(crate) fn is_of_time(error: &anyhow::Error) -> bool {
    error.downcast_ref::<CertificateError>().is_some_and(CertificateError::is_of_time)
}
