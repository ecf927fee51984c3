//! Names of things that travel between edge and central, each its own type so that one cannot stand for another.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Milliseconds since 1970-01-01T00:00:00Z. Wire time; never used to order records.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct UtcMillis(#[n(0)] pub i64);

impl UtcMillis {
    /// This much later, in milliseconds; saturates.
    #[must_use]
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}: use 1 to 64 lower-case letters, digits, '-', '_' or '.'")]
pub struct NameError {
    kind: &'static str,
    text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// One to 64 of `a-z 0-9 - _ .`, so that it can stand in a Zenoh key, a path and a URL as it is.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode)]
        #[cbor(transparent)]
        #[serde(into = "String", try_from = "String")]
        pub struct $type(#[n(0)] String);

        impl $type {
            /// The name itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let fits = (1..=64).contains(&text.len())
                    && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { kind: $kind, text: text.chars().take(80).collect() })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($type), self.0)
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str()?.parse().map_err(minicbor::decode::Error::custom)
            }
        }
    };
}

name! {
    /// A control point: one place with lanes.
    SiteId, "site name"
}
name! {
    /// One lane of a site.
    LaneId, "lane name"
}
name! {
    /// One edge node; it may serve several lanes.
    EdgeId, "edge name"
}
name! {
    /// One crossing of one vehicle with what it carries; made by central.
    MovementId, "movement name"
}
name! {
    /// An officer's sign-in name.
    OfficerId, "officer name"
}

/// A rising number of central's histories: it goes up on restore, failover or loss of a key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Epoch(#[n(0)] pub u64);

/// Position in the log of one (site, epoch); dense, the first delta is 1, 0 is "nothing yet".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Revision(#[n(0)] pub u64);

impl Revision {
    /// The one after; the last one has none and stays.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

macro_rules! bytes {
    ($(#[$doc:meta])* $type:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $type(pub [u8; $len]);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl FromStr for $type {
            type Err = HexError;
            fn from_str(text: &str) -> Result<Self, HexError> {
                let wrong = || HexError { bytes: $len };
                if text.len() != 2 * $len || !text.is_ascii() {
                    return Err(wrong());
                }
                let mut out = [0; $len];
                for (i, byte) in out.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
                }
                Ok(Self(out))
            }
        }

        impl TryFrom<String> for $type {
            type Error = HexError;
            fn try_from(text: String) -> Result<Self, HexError> {
                text.parse()
            }
        }

        impl<C> Encode<C> for $type {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                bytes.try_into().map(Self).map_err(|_| {
                    minicbor::decode::Error::message(concat!(stringify!($type), " has the wrong length"))
                })
            }
        }
    };
}

/// A text is not the hexadecimal form of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {} hexadecimal digits", 2 * bytes)]
pub struct HexError {
    bytes: usize,
}

bytes! {
    /// A SHA-256 digest.
    Digest, 32
}
bytes! {
    /// A random number used once.
    Nonce, 16
}
bytes! {
    /// One vehicle's passage through one lane: a version 7 UUID, so that they sort by time.
    PassageId, 16
}
bytes! {
    /// First eight bytes of the SHA-256 of an Ed25519 public key: which key signed.
    KeyId, 8
}

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_climb_out_of_a_key_are_refused() {
        for bad in ["", "a/b", "A", "a b", "**", &"x".repeat(65)] {
            assert!(bad.parse::<SiteId>().is_err(), "{bad:?}");
        }
        assert_eq!("lok-ma-chau".parse::<SiteId>().expect("fits").as_str(), "lok-ma-chau");
    }

    #[test]
    fn digests_survive_their_text() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("zz".repeat(32).parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn a_name_on_the_wire_is_checked_too() {
        let bytes = minicbor::to_vec("Not A Site").expect("encodes");
        assert!(minicbor::decode::<SiteId>(&bytes).is_err());
    }
}
