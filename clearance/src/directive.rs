//! Action codes and directives: what central has decided about a movement before the truck arrives.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, MovementId, PassageId, Revision, UtcMillis};
use crate::mark::RegistrationMark;

/// What an officer or the risk engine has ordered for a movement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ActionCode {
    /// Go on without stopping.
    #[n(0)]
    Release,
    /// Documents to the counter.
    #[n(1)]
    Documents,
    /// Physical inspection in the bay.
    #[n(2)]
    Inspect,
    /// Wait for an escort.
    #[n(3)]
    Escort,
    /// Stop here; an officer comes.
    #[n(4)]
    Detain,
}

impl ActionCode {
    /// Every code, in order of severity.
    pub const ALL: [Self; 5] = [Self::Release, Self::Documents, Self::Inspect, Self::Escort, Self::Detain];

    /// The name used in files and messages.
    pub fn code(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Documents => "documents",
            Self::Inspect => "inspect",
            Self::Escort => "escort",
            Self::Detain => "detain",
        }
    }

    /// The code of that name; none if there is no such.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }
}

impl fmt::Display for ActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The time in which a directive may be used: from (inclusive) until (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
pub struct Window {
    /// First moment.
    #[n(0)]
    pub from: UtcMillis,
    /// First moment it is over.
    #[n(1)]
    pub until: UtcMillis,
}

impl Window {
    /// Whether `now` lies in it.
    pub fn contains(&self, now: UtcMillis) -> bool {
        self.from <= now && now < self.until
    }
}

/// One order for one movement of one vehicle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Directive {
    /// Which movement; a directive is for one movement only.
    #[n(0)]
    pub movement: MovementId,
    /// The vehicle's Hong Kong mark: the mark that is looked up.
    #[n(1)]
    pub mark: RegistrationMark,
    /// Its mainland cross-boundary mark, where the driver has registered one.
    #[n(2)]
    pub mainland_mark: Option<RegistrationMark>,
    /// What to do with it.
    #[n(3)]
    pub action: ActionCode,
    /// When it may be used.
    #[n(4)]
    pub window: Window,
    /// What a newer version has to say besides; kept as it came, so that both sides go on holding the same bytes. Only what
    /// an older lane may leave out of account goes here: what it must heed takes a new record version.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<Untold>,
}

/// One CBOR item that this version has no name for, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold(Vec<u8>);

impl Untold {
    /// The longest kept.
    pub const LONGEST: usize = 1024;

    /// The item that `value` encodes to; `None` if it is longer than [`Self::LONGEST`].
    pub fn of(value: &impl Encode<()>) -> Option<Self> {
        minicbor::to_vec(value).ok().filter(|bytes| bytes.len() <= Self::LONGEST).map(Self)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<C> Encode<C> for Untold {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.0).map_err(minicbor::encode::Error::write)
    }
}

impl<'b, C> Decode<'b, C> for Untold {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let from = d.position();
        d.skip()?;
        match d.input().get(from..d.position()) {
            Some(bytes) if bytes.len() <= Self::LONGEST => Ok(Self(bytes.to_vec())),
            _ => {
                Err(minicbor::decode::Error::message("more than this version keeps of what it does not know"))
            }
        }
    }
}

impl Serialize for Untold {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
    }
}

impl<'de> Deserialize<'de> for Untold {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        let wrong = || serde::de::Error::custom("expected hexadecimal digits of one CBOR item");
        if !text.is_ascii() {
            return Err(wrong());
        }
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let bytes = bytes.ok_or_else(wrong)?;
        minicbor::decode(&bytes).map_err(|_| wrong())
    }
}

/// Whether a directive can still be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum DirectiveStatus {
    /// It can.
    #[n(0)]
    Active,
    /// Central took it back.
    #[n(1)]
    Revoked,
    /// A passage has used it up.
    #[n(2)]
    Used {
        /// Which passage.
        #[n(0)]
        passage: PassageId,
    },
}

/// A directive as a cache holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct DirectiveEntry {
    /// The order.
    #[n(0)]
    pub directive: Directive,
    /// Whether it can be used.
    #[n(1)]
    pub status: DirectiveStatus,
    /// The delta that last changed it.
    #[n(2)]
    pub revision: Revision,
}

/// What the lane's cache says about the marks of one passage, at one (epoch, revision).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectiveView {
    /// History the cache follows.
    pub epoch: Epoch,
    /// How far it has followed.
    pub revision: Revision,
    /// The entries found under any of the passage's marks, as Hong Kong or mainland mark.
    pub entries: Vec<DirectiveEntry>,
}

impl DirectiveView {
    /// The entry whose Hong Kong mark is `mark`.
    pub fn of_hong_kong(&self, mark: &RegistrationMark) -> Option<&DirectiveEntry> {
        self.entries.iter().find(|e| e.directive.mark == *mark)
    }

    /// The entry whose mainland mark is `mark`.
    pub fn of_mainland(&self, mark: &RegistrationMark) -> Option<&DirectiveEntry> {
        self.entries.iter().find(|e| e.directive.mainland_mark.as_ref() == Some(mark))
    }
}
