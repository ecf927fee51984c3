//! Central's keys as this edge believes them, kept over restarts: the configured ones, and the rotations followed since.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use clearance::keyring::Keyring;
use clearance::wire::{PublicKey, Record, Verified, WireError};

use tokio::sync::Notify;

use crate::outbox::{disk, frame};

/// The keyring of this edge and the file in which its rotations lie, as they were sealed.
pub struct CentralKeys {
    path: Option<PathBuf>,
    ring: RwLock<Keyring>,
    asked_for: Notify,
}

impl CentralKeys {
    /// The configured keys, changed by the rotations that `path` holds. Rotations that no believed key has signed are left
    /// out: after an operator has configured newer keys, the older ones' rotations say nothing.
    pub fn open(configured: &[PublicKey], path: &Path) -> io::Result<Self> {
        let mut ring = Keyring::new(configured);
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for sealed in frame::scan(&bytes).frames {
            if let Err(error) = ring.follow(sealed) {
                tracing::debug!(%error, "a kept rotation of keys says nothing any more");
            }
        }
        Ok(Self { path: Some(path.to_owned()), ring: RwLock::new(ring), asked_for: Notify::new() })
    }

    /// The configured keys only; rotations are followed and not kept.
    pub fn fixed(configured: &[PublicKey]) -> Self {
        Self { path: None, ring: RwLock::new(Keyring::new(configured)), asked_for: Notify::new() }
    }

    /// Check a record of central's.
    pub fn open_record<T: Record>(&self, bytes: &[u8]) -> Result<Verified<T>, WireError> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).open(bytes)
    }

    /// Central shall be asked for its keys soon.
    pub(super) fn hurry(&self) {
        self.asked_for.notify_one();
    }

    /// Returns once [`Self::hurry`] was called since the last return.
    pub(super) async fn hurried(&self) {
        self.asked_for.notified().await;
    }

    /// Follow a rotation: durable before it counts. Waits for the disk.
    pub fn follow(&self, sealed: &[u8]) -> Result<(), WireError> {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = ring.clone();
        let Some(rotated) = changed.follow(sealed)? else { return Ok(()) };
        if let Some(path) = &self.path
            && let Err(error) = keep(path, sealed)
        {
            // Believed for now; after a restart central is asked again.
            tracing::error!(path = %path.display(), %error, "central's new key cannot be kept");
        }
        tracing::warn!(retired = %rotated.retired, next = %rotated.next, epoch = rotated.epoch.0, "central signs with another key");
        *ring = changed;
        Ok(())
    }
}

fn keep(path: &Path, sealed: &[u8]) -> io::Result<()> {
    let mut bytes = fs::read(path)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(error) })?;
    bytes.truncate(frame::scan(&bytes).sound);
    bytes.extend(frame::frame(sealed));
    disk::replace_file(path, &bytes)
}

#[cfg(test)]
mod tests {
    use clearance::ids::{Epoch, UtcMillis};
    use clearance::replicate::{KeyRotation, LeaseGrant};
    use clearance::wire::Signer;

    use super::*;

    #[test]
    fn a_rotation_is_believed_after_a_restart_too() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("rotations");
        let (old, new) = (Signer::from_secret(&[1; 32]), Signer::from_secret(&[2; 32]));
        let rotation = KeyRotation { serial: 1, next: new.public(), epoch: Epoch(2), at: UtcMillis(0) };
        let sealed = old.seal(&rotation).0;
        let refused = |keys: &CentralKeys, by: &Signer| {
            let said = by.seal(&rotation).0;
            matches!(keys.open_record::<LeaseGrant>(&said), Err(WireError::UnknownKey(_)))
                || matches!(keys.open_record::<KeyRotation>(&said), Err(WireError::UnknownKey(_)))
        };
        let keys = CentralKeys::open(&[old.public()], &path).unwrap();
        assert!(refused(&keys, &new) && !refused(&keys, &old));
        keys.follow(&sealed).unwrap();
        keys.follow(&new.seal(&rotation).0).unwrap();
        let keys = CentralKeys::open(&[old.public()], &path).unwrap();
        assert!(!refused(&keys, &new) && refused(&keys, &old));
        // Configured anew, what is kept changes nothing.
        let keys = CentralKeys::open(&[new.public()], &path).unwrap();
        assert!(!refused(&keys, &new));
    }
}
