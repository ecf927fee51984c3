//! The random draw: nobody can predict it, everybody can verify it afterwards.
//!
//! For each day there is a key. Its commitment is published before the day; the key is kept where nobody reads it, and is revealed
//! after the day. A ticket is HMAC-SHA256 (RFC 2104) of the day, the vehicle and how often it has passed: so amending, cancelling
//! and declaring anew draws the same ticket, and each real passage another.

use std::fmt;

use clearance::ids::Digest;
use clearance::mark::RegistrationMark;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::facts::Facts;

const MILLION: u128 = 1_000_000;

/// The key of one day: 32 bytes from a source of randomness fit for keys.
#[derive(Clone, PartialEq, Eq)]
pub struct DayKey {
    day: Date,
    key: [u8; 32],
}

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DayKey({})", self.day)
    }
}

/// What is published of a key before its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The day.
    pub day: Date,
    /// SHA-256 of the day and the key.
    pub digest: Digest,
}

/// What is drawn for: the vehicle's next passage, on the day on which it is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The day, at the place.
    pub day: Date,
    /// The vehicle.
    pub mark: RegistrationMark,
    /// How often it has passed before.
    pub passages: u32,
}

impl Subject {
    /// Of a movement.
    pub fn of(facts: &Facts) -> Self {
        Self {
            day: facts.arrival.date(),
            mark: facts.vehicle.mark.clone(),
            passages: facts.vehicle.history.passages,
        }
    }
}

/// A ticket, as it is kept with the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// What it was drawn for.
    pub subject: Subject,
    /// 0 to 999,999; each is as likely.
    pub ticket: u32,
}

/// Why a draw is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The key is of another day.
    #[error("the key is of {key}, the draw of {draw}")]
    Day {
        /// The key's day.
        key: Date,
        /// The draw's.
        draw: Date,
    },
    /// The key is not the one that was committed to.
    #[error("the key revealed for {0} is not the one committed to")]
    Key(Date),
    /// Another ticket comes out.
    #[error("the ticket is {told}, the key gives {drawn}")]
    Ticket {
        /// What is kept.
        told: u32,
        /// What the key gives.
        drawn: u32,
    },
}

impl DayKey {
    /// A day's key.
    pub fn new(day: Date, key: [u8; 32]) -> Self {
        Self { day, key }
    }

    /// Its day.
    pub fn day(&self) -> Date {
        self.day
    }

    /// The key itself: to be sealed, and revealed after its day.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.key
    }

    /// What is published before its day.
    pub fn commitment(&self) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(b"risk.draw.commitment.1\0");
        hash.update(self.day.to_string());
        hash.update([0]);
        hash.update(self.key);
        Commitment { day: self.day, digest: Digest(hash.finalize().into()) }
    }

    /// Draw; `None` if the subject is of another day.
    pub fn draw(&self, subject: Subject) -> Option<Draw> {
        (subject.day == self.day).then(|| Draw { ticket: self.ticket(&subject), subject })
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn ticket(&self, subject: &Subject) -> u32 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        // The day and a mark contain no zero byte.
        mac.update(
            format!("risk.draw.1\0{}\0{}\0{}", subject.day, subject.mark, subject.passages).as_bytes(),
        );
        let tag = mac.finalize().into_bytes();
        let number = tag.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // The high bits of a product: less than 2^-44 away from equal chances.
        ((u128::from(number) * MILLION) >> 64) as u32
    }
}

/// Whether `draw` came out of the key that was committed to: what everybody can do once the key is revealed.
pub fn verify(draw: &Draw, key: &DayKey, commitment: &Commitment) -> Result<(), Distrust> {
    if key.day != draw.subject.day || commitment.day != key.day {
        return Err(Distrust::Day { key: key.day, draw: draw.subject.day });
    }
    if key.commitment() != *commitment {
        return Err(Distrust::Key(key.day));
    }
    let drawn = key.ticket(&draw.subject);
    if drawn == draw.ticket { Ok(()) } else { Err(Distrust::Ticket { told: draw.ticket, drawn }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DayKey {
        DayKey::new("2026-11-27".parse().unwrap(), [byte; 32])
    }

    fn subject(mark: &str, passages: u32) -> Subject {
        Subject { day: key(1).day(), mark: mark.parse().unwrap(), passages }
    }

    #[test]
    fn a_draw_is_verified_by_the_key_that_was_committed_to_and_by_no_other() {
        let (key, other) = (key(1), key(2));
        let commitment = key.commitment();
        let draw = key.draw(subject("AB1234", 7)).unwrap();
        assert_eq!(verify(&draw, &key, &commitment), Ok(()));
        assert_eq!(verify(&draw, &other, &commitment), Err(Distrust::Key(key.day())));
        let forged = Draw { ticket: draw.ticket + 1, ..draw.clone() };
        assert_eq!(
            verify(&forged, &key, &commitment),
            Err(Distrust::Ticket { told: draw.ticket + 1, drawn: draw.ticket })
        );
        let tomorrow = DayKey::new("2026-11-28".parse().unwrap(), [1; 32]);
        assert!(matches!(verify(&draw, &tomorrow, &commitment), Err(Distrust::Day { .. })));
        assert_eq!(tomorrow.draw(subject("AB1234", 7)), None);
        assert_ne!(tomorrow.commitment().digest, commitment.digest);
        assert!(!format!("{key:?}").contains("01, 1"));
    }

    #[test]
    fn the_ticket_is_the_same_for_ever() {
        // So that draws of years ago verify; the number is from another HMAC (Python hmac).
        assert_eq!(key(1).draw(subject("AB1234", 7)).unwrap().ticket, 930_924);
    }

    #[test]
    fn tickets_are_spread_evenly() {
        let key = key(3);
        let mut tenths = [0_u32; 10];
        for passages in 0..20_000 {
            tenths[key.draw(subject("AB1234", passages)).unwrap().ticket as usize / 100_000] += 1;
        }
        // Expected 2,000 each, standard deviation 42.
        assert!(tenths.iter().all(|count| count.abs_diff(2_000) < 210), "{tenths:?}");
    }
}
