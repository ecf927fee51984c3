//! Who declares: companies of the trade, and who acts for them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A company of the trade. What it lodges and carries is its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraderId(String);

/// A text is no trader's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trader is named by 1 to 64 lower-case letters, digits, '-', '_' or '.'")]
pub struct NoTrader;

impl TraderId {
    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TraderId {
    type Err = NoTrader;
    fn from_str(text: &str) -> Result<Self, NoTrader> {
        if is_plain_name(text) { Ok(Self(text.to_owned())) } else { Err(NoTrader) }
    }
}

/// Whether a text is a name that reads alike in files, addresses and certificates: 1 to 64 lower-case letters, digits, '-', '_'
/// or '.'.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

impl TryFrom<String> for TraderId {
    type Error = NoTrader;
    fn try_from(text: String) -> Result<Self, NoTrader> {
        text.parse()
    }
}

impl From<TraderId> for String {
    fn from(id: TraderId) -> Self {
        id.0
    }
}

impl fmt::Display for TraderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody of the trade who asks for something: a person at a page, a system, or a telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For which company.
    pub trader: TraderId,
    /// Who, as the audit names them.
    pub who: String,
    /// Whether nothing of it may reach a lane.
    pub sandbox: bool,
    /// The payload's signature (JWS, compact), to be kept with what it changes.
    pub evidence: Option<String>,
}

impl Caller {
    /// Somebody of a company, with nothing signed.
    pub fn of(trader: TraderId, who: impl Into<String>) -> Self {
        Self { trader, who: who.into(), sandbox: false, evidence: None }
    }
}
