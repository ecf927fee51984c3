//! One encoding of what is stored, so that its digest can be made again.

use clearance::ids::Digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// What has one encoding: JSON without white space, items in the order of declaration, absent ones left out, whole numbers only
/// (a fraction would depend on who prints it), maps sorted by key.
pub trait Canonical: Serialize {
    /// What it is, with the version of its format; a part of the digest, so that no two kinds share one.
    const KIND: &'static str;

    /// Its bytes.
    #[expect(clippy::expect_used, reason = "serialising derived types with text keys to memory cannot fail")]
    fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("derived types with text keys")
    }

    /// SHA-256 of its kind, a zero byte and its bytes.
    fn digest(&self) -> Digest {
        digest_of(Self::KIND, &self.canonical())
    }
}

/// The digest of `bytes` that encode something of `kind`.
pub fn digest_of(kind: &str, bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(bytes);
    Digest(hash.finalize().into())
}
