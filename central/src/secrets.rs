//! Secrets that central must read again, such as those of one-time passwords: sealed in the database under a key that is not in it,
//! so that a copy of the database alone opens nothing.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clearance::ids::Digest;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::ca::read_secret;

/// Seals and opens.
#[derive(Clone)]
pub struct Vault(Arc<LessSafeKey>);

/// Why a sealed secret does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed secret does not open: it was sealed under another `secrets_file`; bring back the one that belongs to this database"
)]
pub struct OtherKey;

impl Vault {
    /// The key in a file, 64 hexadecimal digits that only its owner can read; made if there is none.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("secrets_file = {}", path.display());
        if !path.exists() {
            make(path).with_context(named)?;
        }
        let text = read_secret(path).with_context(named)?;
        let Digest(key) = text.trim().parse().with_context(named)?;
        Self::of(&key).with_context(named)
    }

    fn of(key: &[u8; 32]) -> anyhow::Result<Self> {
        let key =
            UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| anyhow::anyhow!("no key of 256 bits"))?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Seal a secret for one use: whose it is and what for. For another use it does not open.
    pub fn seal(&self, used_for: &str, secret: &[u8]) -> Vec<u8> {
        // 96 random bits: after 2^32 secrets the odds of one used twice are still below one in a billion.
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = secret.to_vec();
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(used_for.as_bytes()),
            &mut sealed,
        );
        #[expect(clippy::expect_used, reason = "fails only for texts of 256 GiB")]
        let tag = tag.expect("sealed");
        [&nonce, sealed.as_slice(), tag.as_ref()].concat()
    }

    /// What was sealed for this use.
    pub fn unseal(&self, used_for: &str, sealed: &[u8]) -> Result<Vec<u8>, OtherKey> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(OtherKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OtherKey)?;
        let mut open = rest.to_vec();
        let secret =
            self.0.open_in_place(nonce, Aad::from(used_for.as_bytes()), &mut open).map_err(|_| OtherKey)?;
        Ok(secret.to_vec())
    }
}

fn make(path: &Path) -> anyhow::Result<()> {
    let key = Digest(rand::random());
    let mut file = match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        // Another central was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        opened => opened?,
    };
    writeln!(file, "{key}")?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_use_and_under_its_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("a")).unwrap();
        let sealed = vault.seal("totp/chan", b"secret");
        assert_ne!(sealed, vault.seal("totp/chan", b"secret"));
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        let again = Vault::open(&folder.path().join("a")).unwrap();
        assert_eq!(again.unseal("totp/chan", &sealed).unwrap(), b"secret");
        assert_eq!(again.unseal("totp/wong", &sealed), Err(OtherKey));
        let other = Vault::open(&folder.path().join("b")).unwrap();
        assert_eq!(other.unseal("totp/chan", &sealed), Err(OtherKey));
        for length in 0..sealed.len() {
            assert_eq!(again.unseal("totp/chan", &sealed[..length]), Err(OtherKey));
        }
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::open(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Vault::open(&path).is_err());
        std::fs::write(&path, "no key").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Vault::open(&path).is_err());
    }
}
