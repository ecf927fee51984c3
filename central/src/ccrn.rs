//! The customs cargo reference number that a shipper passes to a trucker: twelve digits and letters and a check
//! character, ISO 7064 MOD 37-2, which catches every single wrong character and every swap of two, neighbours or not (2 is a
//! primitive root of 37, so that no two of the 13 places weigh alike). Numbers whose check character would be `*` are not
//! given out: it is on no telephone's keypad and no slip.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Length without the check character.
const BODY: usize = 12;

/// A valid CCRN.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Ccrn(String);

/// A text is no CCRN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CcrnError {
    /// Wrong length or characters.
    #[error("a CCRN is 13 letters and digits")]
    Form,
    /// The check character does not fit.
    #[error("the CCRN has a wrong or swapped character: compare it with the slip")]
    Check,
}

impl Ccrn {
    /// How many characters one has.
    pub const CHARACTERS: usize = BODY + 1;

    /// The CCRN with number `number` modulo 36^12, unless its check character would be `*` (one number in 37).
    pub fn from_number(mut number: u64) -> Option<Self> {
        let mut body = [b'0'; BODY];
        for digit in body.iter_mut().rev() {
            *digit = ALPHABET[(number % 36) as usize];
            number /= 36;
        }
        let check = check_character(&body)?;
        let mut text: String = body.iter().map(|&b| b as char).collect();
        text.push(check);
        Some(Self(text))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// ISO 7064 pure system MOD 37-2: the sum of the characters, each weighed by a power of two, leaves 1.
fn check_character(body: &[u8]) -> Option<char> {
    let sum = body.iter().fold(0, |sum, b| (sum + value(*b).unwrap_or(0)) * 2 % 37);
    ALPHABET.get(((38 - sum) % 37) as usize).map(|&b| b as char)
}

fn value(b: u8) -> Option<u32> {
    ALPHABET.iter().position(|&a| a == b).map(|i| i as u32)
}

impl FromStr for Ccrn {
    type Err = CcrnError;

    fn from_str(text: &str) -> Result<Self, CcrnError> {
        let text: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        let bytes = text.as_bytes();
        if bytes.len() != BODY + 1 || bytes.iter().any(|b| value(*b).is_none()) {
            return Err(CcrnError::Form);
        }
        if check_character(&bytes[..BODY]) != Some(char::from(bytes[BODY])) {
            return Err(CcrnError::Check);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Ccrn {
    type Error = CcrnError;
    fn try_from(text: String) -> Result<Self, CcrnError> {
        text.parse()
    }
}

impl From<Ccrn> for String {
    fn from(ccrn: Ccrn) -> Self {
        ccrn.0
    }
}

impl fmt::Display for Ccrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_wrong_character_is_always_caught(number: u64, at in 0usize..13, other in 0usize..36) {
            prop_assume!(Ccrn::from_number(number).is_some());
            let good = Ccrn::from_number(number).unwrap().0.into_bytes();
            let mut bad = good.clone();
            bad[at] = ALPHABET[other];
            let text = String::from_utf8(bad.clone()).unwrap();
            prop_assert_eq!(text.parse::<Ccrn>().is_ok(), bad == good);
        }

        #[test]
        fn two_swapped_characters_are_always_caught(number: u64, one in 0usize..13, other in 0usize..13) {
            prop_assume!(Ccrn::from_number(number).is_some());
            let good = Ccrn::from_number(number).unwrap().0.into_bytes();
            let mut bad = good.clone();
            bad.swap(one, other);
            let text = String::from_utf8(bad.clone()).unwrap();
            prop_assert_eq!(text.parse::<Ccrn>().is_ok(), bad == good);
        }

        #[test]
        fn what_is_given_out_is_valid(number: u64) {
            let Some(ccrn) = Ccrn::from_number(number) else { return Ok(()) };
            prop_assert_eq!(ccrn.as_str().to_lowercase().parse(), Ok(ccrn));
        }
    }

    #[test]
    fn nearly_every_number_is_given_out() {
        let given = (0..3700).filter(|&number| Ccrn::from_number(number).is_some()).count();
        assert!((3590..=3610).contains(&given), "36 in 37: {given}");
    }

    #[test]
    fn the_example_of_the_standard_holds() {
        // ISO 7064 MOD 37-2, as donations are numbered (ISBT 128): G123 498 654 321 H.
        let sum = b"G123498654321".iter().fold(0, |sum, b| (sum + value(*b).unwrap()) * 2 % 37);
        assert_eq!(ALPHABET[((38 - sum) % 37) as usize], b'H');
    }
}
