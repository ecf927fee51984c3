//! Central's signing key on disk: 64 hexadecimal digits in a file only its owner can read.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use clearance::ids::Digest;
use clearance::wire::{PublicKey, Signer};

/// Make a new key; refuses to overwrite one.
pub fn generate(path: &Path) -> anyhow::Result<PublicKey> {
    let secret: [u8; 32] = rand::random();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{}: a new key is never written over an old one", path.display()))?;
    writeln!(file, "{}", Digest(secret))?;
    file.sync_all()?;
    Ok(Signer::from_secret(&secret).public())
}

/// Read a key.
pub fn load(path: &Path) -> anyhow::Result<Signer> {
    let named = || format!("{}: the signing key; `central keygen --out FILE` makes one", path.display());
    let mode = std::fs::metadata(path).with_context(named)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "{}: others can read the signing key; chmod 600 it", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    let Digest(secret) = text.trim().parse().with_context(named)?;
    Ok(Signer::from_secret(&secret))
}
