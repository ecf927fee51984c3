//! The customs cargo reference number that a shipper passes to a trucker: twelve digits and letters and a check
//! character, ISO 7064 MOD 37,36, which catches every single wrong character and nearly every swap of neighbours.

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
    /// The CCRN with number `number`; numbers are given out by central and never repeat.
    pub fn from_number(mut number: u64) -> Self {
        let mut body = [b'0'; BODY];
        for digit in body.iter_mut().rev() {
            *digit = ALPHABET[(number % 36) as usize];
            number /= 36;
        }
        let mut text: String = body.iter().map(|&b| b as char).collect();
        text.push(check_character(&body));
        Self(text)
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// ISO 7064 hybrid system MOD 37,36: the running value after the body decides the check character.
fn check_character(body: &[u8]) -> char {
    let product = body.iter().fold(36, |product, b| step(product, value(*b).unwrap_or(0)));
    ALPHABET[((37 - product) % 36) as usize] as char
}

fn step(product: u32, digit: u32) -> u32 {
    let sum = (product + digit) % 36;
    (if sum == 0 { 36 } else { sum }) * 2 % 37
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
        if check_character(&bytes[..BODY]) as u8 != bytes[BODY] {
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
            let good = Ccrn::from_number(number >> 4).0.into_bytes();
            let mut bad = good.clone();
            bad[at] = ALPHABET[other];
            let text = String::from_utf8(bad.clone()).unwrap();
            prop_assert_eq!(text.parse::<Ccrn>().is_ok(), bad == good);
        }

        #[test]
        fn what_is_given_out_is_valid(number: u64) {
            let ccrn = Ccrn::from_number(number);
            prop_assert_eq!(ccrn.as_str().to_lowercase().parse(), Ok(ccrn));
        }
    }
}
