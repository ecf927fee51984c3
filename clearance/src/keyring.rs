//! Which of central's keys an edge believes: those it was configured with, changed by rotations that the key before has
//! signed.

use crate::ids::{Epoch, KeyId};
use crate::replicate::KeyRotation;
use crate::wire::{PublicKey, Record, RecordKind, TrustStore, Verified, WireError};

/// The keys of central that are believed now.
#[derive(Clone, Debug)]
pub struct Keyring {
    trust: TrustStore,
    serial: u64,
}

/// What a rotation has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Not believed any more.
    pub retired: KeyId,
    /// Believed from now on.
    pub next: KeyId,
    /// The first epoch that it signs.
    pub epoch: Epoch,
}

impl Keyring {
    /// Believe these keys for what central signs.
    pub fn new(central: &[PublicKey]) -> Self {
        let trust =
            central.iter().fold(TrustStore::new(), |trust, key| trust.trusting(*key, &RecordKind::CENTRAL));
        Self { trust, serial: 0 }
    }

    /// Check a record against the keys that are believed now.
    pub fn open<T: Record>(&self, bytes: &[u8]) -> Result<Verified<T>, WireError> {
        self.trust.open(bytes)
    }

    /// The last rotation followed; 0 is none.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Follow a rotation; `None` if it is one that was followed already. From then on the key that signed it is not
    /// believed any more, whatever it signs. Refused if it is signed by a key that is not believed.
    pub fn follow(&mut self, sealed: &[u8]) -> Result<Option<Rotated>, WireError> {
        let rotation = self.trust.open::<KeyRotation>(sealed)?;
        let retired = rotation.key();
        let KeyRotation { serial, next, epoch, .. } = rotation.into_record();
        if serial <= self.serial {
            return Ok(None);
        }
        self.serial = serial;
        if next.id() != retired {
            self.trust.distrust(retired);
        }
        self.trust = std::mem::take(&mut self.trust).trusting(next, &RecordKind::CENTRAL);
        Ok(Some(Rotated { retired, next: next.id(), epoch }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UtcMillis;
    use crate::wire::Signer;

    fn rotation(by: &Signer, serial: u64, next: &Signer) -> Vec<u8> {
        by.seal(&KeyRotation { serial, next: next.public(), epoch: Epoch(serial + 1), at: UtcMillis(0) }).0
    }

    #[test]
    fn each_key_hands_over_to_the_next_and_is_not_believed_after() {
        let keys: Vec<Signer> = (1..=4).map(|n| Signer::from_secret(&[n; 32])).collect();
        let mut ring = Keyring::new(&[keys[0].public()]);
        let first = rotation(&keys[0], 1, &keys[1]);
        let second = rotation(&keys[1], 2, &keys[2]);
        assert_eq!(ring.follow(&second), Err(WireError::UnknownKey(keys[1].id())), "not in their order");
        assert!(
            ring.follow(&first).unwrap().is_some_and(|r| r.retired == keys[0].id() && r.epoch == Epoch(2))
        );
        assert!(ring.follow(&second).unwrap().is_some());
        assert_eq!(ring.serial(), 2);
        // Whoever has an old key can neither sign records nor hand over to a key of his own.
        assert!(ring.follow(&rotation(&keys[0], 3, &keys[3])).is_err());
        assert!(ring.follow(&rotation(&keys[1], 3, &keys[3])).is_err());
        assert_eq!(ring.follow(&rotation(&keys[2], 2, &keys[3])).unwrap(), None, "a number that is past");
    }

    #[test]
    fn an_edge_or_a_stranger_cannot_rotate() {
        let (central, stranger) = (Signer::from_secret(&[1; 32]), Signer::from_secret(&[9; 32]));
        let mut ring = Keyring::new(&[central.public()]);
        assert!(ring.follow(&rotation(&stranger, 1, &stranger)).is_err());
        assert!(ring.follow(b"noise").is_err());
    }
}
