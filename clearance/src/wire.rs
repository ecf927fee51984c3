//! Signed envelopes: every record between edge and central is canonical CBOR under an Ed25519 signature, with a
//! signing domain per kind so that one kind can never pass for another.
//!
//! The signature is over the payload's bytes as they travel, so a field added by a newer version survives a hop
//! through an older one. A kind or envelope version that is not known is refused with its number.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};

use crate::ids::{Digest, KeyId};
use crate::order::Order;
use crate::passage::{Evidence, LaneStatus, PassageEvent};
use crate::replicate::{Delta, ForkAccepted, KeyRotation, LeaseGrant, LeaseRequest, SnapshotPage};

/// Envelope version written and accepted.
pub const VERSION: u8 = 1;

/// The largest envelope taken from the network, in bytes; longer ones are refused before decoding.
pub const MAX_ENVELOPE: usize = 512 * 1024;

/// Kinds of records. The numbers are on the wire and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// [`Delta`]
    Delta = 1,
    /// [`SnapshotPage`]
    SnapshotPage = 2,
    /// [`LeaseRequest`]
    LeaseRequest = 3,
    /// [`LeaseGrant`]
    LeaseGrant = 4,
    /// [`Order`]
    Order = 5,
    /// [`PassageEvent`]
    PassageEvent = 6,
    /// [`Evidence`]
    Evidence = 7,
    /// [`LaneStatus`]
    LaneStatus = 8,
    /// [`KeyRotation`]
    KeyRotation = 9,
    /// [`ForkAccepted`]
    ForkAccepted = 10,
}

impl RecordKind {
    fn domain(self) -> &'static [u8] {
        match self {
            Self::Delta => b"clearlane delta\0",
            Self::SnapshotPage => b"clearlane snapshot page\0",
            Self::LeaseRequest => b"clearlane lease request\0",
            Self::LeaseGrant => b"clearlane lease grant\0",
            Self::Order => b"clearlane order\0",
            Self::PassageEvent => b"clearlane passage event\0",
            Self::Evidence => b"clearlane evidence\0",
            Self::LaneStatus => b"clearlane lane status\0",
            Self::KeyRotation => b"clearlane key rotation\0",
            Self::ForkAccepted => b"clearlane fork accepted\0",
        }
    }

    /// Kinds that only central signs.
    pub const CENTRAL: [Self; 6] = [
        Self::Delta,
        Self::SnapshotPage,
        Self::LeaseGrant,
        Self::Order,
        Self::KeyRotation,
        Self::ForkAccepted,
    ];
    /// Kinds that only edges sign.
    pub const EDGE: [Self; 4] = [Self::LeaseRequest, Self::PassageEvent, Self::Evidence, Self::LaneStatus];
}

/// A record that can travel.
pub trait Record: Encode<()> + for<'b> Decode<'b, ()> {
    /// Its kind.
    const KIND: RecordKind;
}

macro_rules! records {
    ($($type:ident),*) => { $(impl Record for $type { const KIND: RecordKind = RecordKind::$type; })* };
}
records!(
    Delta,
    SnapshotPage,
    LeaseRequest,
    LeaseGrant,
    Order,
    PassageEvent,
    Evidence,
    LaneStatus,
    KeyRotation,
    ForkAccepted
);

/// Why bytes from the network are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than [`MAX_ENVELOPE`].
    #[error("an envelope of {0} bytes is longer than the {MAX_ENVELOPE} allowed")]
    TooLong(usize),
    /// No envelope at all, or bytes after it.
    #[error("the bytes are no envelope: {0}")]
    Envelope(String),
    /// From a newer (or broken) peer.
    #[error("envelope version {0} is not known here (this side speaks {VERSION}); upgrade this side")]
    Version(u8),
    /// Another kind than asked for.
    #[error("a record of kind {found} where kind {wanted} belongs")]
    Kind {
        /// The kind asked for.
        wanted: u8,
        /// The kind found.
        found: u8,
    },
    /// Signed by nobody trusted with this kind.
    #[error("signed with key {0}, which is not trusted for this kind of record")]
    UnknownKey(KeyId),
    /// The signature does not fit.
    #[error("the signature of key {0} does not fit the record")]
    Signature(KeyId),
    /// The signature fits, the content does not.
    #[error("a signed record cannot be decoded: {0}")]
    Payload(String),
}

/// A record whose signature was checked against a trusted key. Only [`TrustStore::open`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified<T> {
    record: T,
    key: KeyId,
    hash: Digest,
}

impl<T> Verified<T> {
    /// The record.
    pub fn record(&self) -> &T {
        &self.record
    }

    /// The record, owned.
    pub fn into_record(self) -> T {
        self.record
    }

    /// Who signed.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// SHA-256 of the signed payload: what the next delta's `prev_hash` repeats.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

#[derive(Encode, Decode)]
struct Envelope<'a> {
    #[n(0)]
    version: u8,
    #[n(1)]
    kind: u8,
    #[n(2)]
    key: KeyId,
    #[cbor(b(3), with = "minicbor::bytes")]
    payload: &'a [u8],
    #[cbor(b(4), with = "minicbor::bytes")]
    signature: &'a [u8],
}

/// A private key with its name.
pub struct Signer {
    key: SigningKey,
    id: KeyId,
}

impl Signer {
    /// From the 32 secret bytes of an Ed25519 key.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let id = key_id(&key.verifying_key());
        Self { key, id }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Put a record into a signed envelope. Also gives the hash of its payload (see [`Verified::hash`]).
    pub fn seal<T: Record>(&self, record: &T) -> (Vec<u8>, Digest) {
        let payload = to_cbor(record);
        let signature = self.key.sign(&signed_bytes(T::KIND, &payload)).to_bytes();
        let envelope = Envelope {
            version: VERSION,
            kind: T::KIND as u8,
            key: self.id,
            payload: &payload,
            signature: &signature,
        };
        (to_cbor(&envelope), Digest::of(&payload))
    }
}

/// A public key, as configuration carries it: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 64 hexadecimal digits that encode an Ed25519 point")]
pub struct PublicKeyError;

impl std::str::FromStr for PublicKey {
    type Err = PublicKeyError;
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let Digest(bytes) = text.parse().map_err(|_| PublicKeyError)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| PublicKeyError)
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Digest(self.0.to_bytes()).fmt(f)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let key = d.bytes()?.try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
        key.map(Self).ok_or_else(|| minicbor::decode::Error::message("no Ed25519 public key"))
    }
}

impl PublicKey {
    /// Its name.
    pub fn id(&self) -> KeyId {
        key_id(&self.0)
    }
}

/// The keys this side believes, each for some kinds of records.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    keys: BTreeMap<KeyId, (VerifyingKey, Vec<RecordKind>)>,
}

impl TrustStore {
    /// Believe nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believe `key` for `kinds`.
    #[must_use]
    pub fn trusting(mut self, key: PublicKey, kinds: &[RecordKind]) -> Self {
        self.keys.insert(key.id(), (key.0, kinds.to_vec()));
        self
    }

    /// Believe this key no longer.
    pub fn distrust(&mut self, key: KeyId) {
        self.keys.remove(&key);
    }

    /// Whether `key` is believed for records of this kind.
    pub fn trusts(&self, key: KeyId, kind: RecordKind) -> bool {
        self.keys.get(&key).is_some_and(|(_, kinds)| kinds.contains(&kind))
    }

    /// Check an envelope from the network and take the record out. Never panics, allocates at most a few times
    /// the length of `bytes`.
    pub fn open<T: Record>(&self, bytes: &[u8]) -> Result<Verified<T>, WireError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(WireError::TooLong(bytes.len()));
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let envelope: Envelope<'_> = decoder.decode().map_err(|e| WireError::Envelope(e.to_string()))?;
        if decoder.position() != bytes.len() {
            return Err(WireError::Envelope("bytes follow the envelope".to_owned()));
        }
        if envelope.version != VERSION {
            return Err(WireError::Version(envelope.version));
        }
        if envelope.kind != T::KIND as u8 {
            return Err(WireError::Kind { wanted: T::KIND as u8, found: envelope.kind });
        }
        let key = self
            .keys
            .get(&envelope.key)
            .filter(|(_, kinds)| kinds.contains(&T::KIND))
            .map(|(key, _)| key)
            .ok_or(WireError::UnknownKey(envelope.key))?;
        let signature =
            Signature::from_slice(envelope.signature).map_err(|_| WireError::Signature(envelope.key))?;
        key.verify_strict(&signed_bytes(T::KIND, envelope.payload), &signature)
            .map_err(|_| WireError::Signature(envelope.key))?;
        let record = minicbor::decode(envelope.payload).map_err(|e| WireError::Payload(e.to_string()))?;
        Ok(Verified { record, key: envelope.key, hash: Digest::of(envelope.payload) })
    }
}

fn key_id(key: &VerifyingKey) -> KeyId {
    let Digest(hash) = Digest::of(key.as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    KeyId(id)
}

fn signed_bytes(kind: RecordKind, payload: &[u8]) -> Vec<u8> {
    [kind.domain(), payload].concat()
}

fn to_cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    #[expect(
        clippy::expect_used,
        reason = "writing to a Vec cannot fail, and our records have no failing encoders"
    )]
    minicbor::to_vec(value).expect("CBOR into memory")
}
