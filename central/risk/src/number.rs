//! Numbers that are the same on every machine: whole millionths.

use std::fmt;

use serde::{Deserialize, Serialize};

const MILLION: u32 = 1_000_000;

/// A probability or a share in millionths, 0 to 1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Probability(u32);

/// A number is no probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no probability: give 0 to 1000000 millionths")]
pub struct NoProbability(u32);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(MILLION);

    /// `millionths` of one.
    pub fn from_millionths(millionths: u32) -> Result<Self, NoProbability> {
        if millionths <= MILLION { Ok(Self(millionths)) } else { Err(NoProbability(millionths)) }
    }

    /// The nearest millionth to `value`, which is clamped to 0..=1; `None` if it is no number.
    pub fn nearest(value: f64) -> Option<Self> {
        (!value.is_nan()).then(|| Self((value.clamp(0.0, 1.0) * f64::from(MILLION)).round() as u32))
    }

    /// `part` of `whole`, rounded down; zero of nothing, one where the part is larger.
    pub fn ratio(part: u64, whole: u64) -> Self {
        let millionths = u128::from(part) * u128::from(MILLION) / u128::from(whole.max(1));
        Self(millionths.min(u128::from(MILLION)) as u32)
    }

    /// In millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// Between 0 and 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }

    /// Both, if they are independent; rounded down.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::ratio(u64::from(self.0) * u64::from(other.0), u64::from(MILLION) * u64::from(MILLION))
    }

    /// What is left to one.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(MILLION - self.0)
    }
}

impl From<Probability> for u32 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

impl TryFrom<u32> for Probability {
    type Error = NoProbability;

    fn try_from(millionths: u32) -> Result<Self, NoProbability> {
        Self::from_millionths(millionths)
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / MILLION, self.0 % MILLION)
    }
}

/// A difference of log odds (natural logarithm) in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogOdds(pub i64);

impl LogOdds {
    /// The nearest millionth to `value`; infinities become the largest numbers, what is no number becomes 0.
    pub fn nearest(value: f64) -> Self {
        Self((value * f64::from(MILLION)).round() as i64)
    }

    /// As a number.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / f64::from(MILLION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_stay_between_never_and_always() {
        assert_eq!(Probability::nearest(0.5), Some(Probability(500_000)));
        assert_eq!(Probability::nearest(7.0), Some(Probability::ONE));
        assert_eq!(Probability::nearest(f64::NAN), None);
        assert_eq!(Probability::ratio(1, 3).to_string(), "0.333333");
        assert_eq!(Probability::ratio(0, 0), Probability::ZERO);
        assert_eq!(Probability::ratio(1, 2).and(Probability::ratio(1, 2)), Probability::ratio(1, 4));
        let refused = serde_json::from_str::<Probability>("1000001").unwrap_err();
        assert!(refused.to_string().contains("1000001 is no probability"), "{refused}");
    }
}
