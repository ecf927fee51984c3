//! Registration marks: what the plates of the lane carry, parsed rather than validated.
//!
//! Sources: Hong Kong Cap. 374E (Road Traffic (Registration and Licensing of Vehicles) Regulations) for the
//! Hong Kong forms; GA 36-2018 for the mainland cross-boundary plate (粤Z, four characters, 港 or 澳).

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What a reader may say at one position. Class 0 is "no character"; class `i + 1` is `ALPHABET[i]`.
pub const ALPHABET: [char; 39] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K',
    'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '粤', '港', '澳',
];

/// Number of classes a reader gives at one position: the alphabet and "no character".
pub const CLASSES: usize = ALPHABET.len() + 1;

/// The longest mark, in characters.
pub const MAX_CHARACTERS: usize = 10;

/// Which authority issued a mark, as far as its form tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Jurisdiction {
    /// Hong Kong.
    #[serde(rename = "HK")]
    HongKong,
    /// Guangdong cross-boundary plate for Hong Kong vehicles, 粤Z····港.
    #[serde(rename = "CN-GD-HK")]
    GuangdongHongKong,
    /// Guangdong cross-boundary plate for Macao vehicles, 粤Z····澳.
    #[serde(rename = "CN-GD-MO")]
    GuangdongMacao,
    /// Letters and digits of no form known here.
    #[serde(rename = "other")]
    Other,
}

impl Jurisdiction {
    /// Whether it is one of the two mainland cross-boundary forms.
    pub fn is_mainland(self) -> bool {
        matches!(self, Self::GuangdongHongKong | Self::GuangdongMacao)
    }

    /// The short name used in files and messages.
    pub fn code(self) -> &'static str {
        match self {
            Self::HongKong => "HK",
            Self::GuangdongHongKong => "CN-GD-HK",
            Self::GuangdongMacao => "CN-GD-MO",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A registration mark in its one canonical spelling: upper case, no separators, 1 to [`MAX_CHARACTERS`]
/// characters of [`ALPHABET`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RegistrationMark(String);

/// Why a text is no registration mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// Nothing but separators.
    #[error("a registration mark needs at least one letter or digit")]
    Empty,
    /// Longer than any plate.
    #[error("a registration mark has at most {MAX_CHARACTERS} characters, this has {0}")]
    TooLong(usize),
    /// A character no plate here carries.
    #[error("a registration mark cannot contain {0:?}: use letters A-Z, digits and 粤, 港, 澳")]
    Character(char),
}

impl RegistrationMark {
    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The authority whose form this mark has.
    pub fn jurisdiction(&self) -> Jurisdiction {
        jurisdiction_of(&self.0)
    }

    /// As people write it: `粤Z·1234港`, `AB 1234`.
    pub fn spaced(&self) -> String {
        match self.jurisdiction() {
            Jurisdiction::GuangdongHongKong | Jurisdiction::GuangdongMacao => {
                let rest: String = self.0.chars().skip(2).collect();
                format!("粤Z·{rest}")
            }
            Jurisdiction::HongKong => {
                let letters: String = self.0.chars().take_while(char::is_ascii_alphabetic).collect();
                let rest = &self.0[letters.len()..];
                if letters.is_empty() || rest.is_empty() || !rest.chars().all(|c| c.is_ascii_digit()) {
                    self.0.clone()
                } else {
                    format!("{letters} {rest}")
                }
            }
            Jurisdiction::Other => self.0.clone(),
        }
    }
}

fn jurisdiction_of(text: &str) -> Jurisdiction {
    let chars: Vec<char> = text.chars().collect();
    let plain = |c: &char| c.is_ascii_alphanumeric() && !matches!(c, 'I' | 'O');
    if let ['粤', 'Z', middle @ .., last @ ('港' | '澳')] = chars.as_slice() {
        return match (middle.len() == 4 && middle.iter().all(plain), last) {
            (true, '港') => Jurisdiction::GuangdongHongKong,
            (true, _) => Jurisdiction::GuangdongMacao,
            _ => Jurisdiction::Other,
        };
    }
    // Ordinary marks are two letters and up to four digits; vanity and special ones any letters (never I, O, Q)
    // and digits, at most eight together.
    let hong_kong = chars.len() <= 8 && chars.iter().all(|c| plain(c) && *c != 'Q');
    if hong_kong { Jurisdiction::HongKong } else { Jurisdiction::Other }
}

impl FromStr for RegistrationMark {
    type Err = MarkError;

    /// Upper-cases, drops spaces, dots and dashes, takes 粵 for 粤 and full-width forms for plain ones.
    fn from_str(text: &str) -> Result<Self, MarkError> {
        let mut mark = String::new();
        for c in text.chars() {
            let c = match c {
                ' ' | '\t' | '-' | '.' | '·' | '・' | '•' | '\u{3000}' => continue,
                '粵' => '粤',
                // Full-width forms come from Chinese keyboards.
                '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
                c => c,
            }
            .to_ascii_uppercase();
            if !ALPHABET.contains(&c) {
                return Err(MarkError::Character(c));
            }
            mark.push(c);
        }
        match mark.chars().count() {
            0 => Err(MarkError::Empty),
            n if n > MAX_CHARACTERS => Err(MarkError::TooLong(n)),
            _ => Ok(Self(mark)),
        }
    }
}

impl TryFrom<String> for RegistrationMark {
    type Error = MarkError;

    fn try_from(text: String) -> Result<Self, MarkError> {
        text.parse()
    }
}

impl From<RegistrationMark> for String {
    fn from(mark: RegistrationMark) -> Self {
        mark.0
    }
}

impl<C> Encode<C> for RegistrationMark {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RegistrationMark {
    /// Only the canonical spelling: two spellings of one record must not both verify.
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let text = d.str()?;
        let mark: Self = text.parse().map_err(minicbor::decode::Error::custom)?;
        if mark.0 == text {
            Ok(mark)
        } else {
            Err(minicbor::decode::Error::message("a registration mark is not in its canonical spelling"))
        }
    }
}

impl fmt::Display for RegistrationMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RegistrationMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistrationMark({})", self.0)
    }
}

/// Characters that people and cameras take for one another; each set is symmetric.
pub const LOOK_ALIKES: [&[char]; 9] = [
    &['0', 'O', 'D', 'Q'],
    &['1', 'I', 'L', 'T'],
    &['2', 'Z'],
    &['5', 'S'],
    &['6', 'G'],
    &['8', 'B'],
    &['U', 'V'],
    &['7', 'T'],
    &['港', '澳'],
];

/// Whether two characters are easily taken for one another.
pub fn look_alike(a: char, b: char) -> bool {
    a == b || LOOK_ALIKES.iter().any(|set| set.contains(&a) && set.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_becomes_one_spelling() {
        for (written, mark) in [("ab 1234", "AB1234"), ("粵Z·N537港", "粤ZN537港"), ("ＡＢ１２", "AB12")]
        {
            assert_eq!(written.parse::<RegistrationMark>().expect(written).as_str(), mark);
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        assert_eq!(" - ".parse::<RegistrationMark>(), Err(MarkError::Empty));
        assert_eq!("ABCDEFGHJKL".parse::<RegistrationMark>(), Err(MarkError::TooLong(11)));
        assert_eq!("AB<1".parse::<RegistrationMark>(), Err(MarkError::Character('<')));
    }

    #[test]
    fn the_form_tells_the_jurisdiction() {
        for (mark, whose) in [
            ("AB1234", Jurisdiction::HongKong),
            ("1918", Jurisdiction::HongKong),
            ("CPL", Jurisdiction::HongKong),
            ("粤ZQ416港", Jurisdiction::GuangdongHongKong),
            ("粤Z3T59澳", Jurisdiction::GuangdongMacao),
            ("粤ZQ04港", Jurisdiction::Other),
            ("粤B1234港", Jurisdiction::Other),
            ("AQ123", Jurisdiction::Other),
        ] {
            assert_eq!(mark.parse::<RegistrationMark>().expect(mark).jurisdiction(), whose, "{mark}");
        }
    }

    #[test]
    fn spacing_is_for_people() {
        let spaced = |m: &str| m.parse::<RegistrationMark>().expect(m).spaced();
        assert_eq!(spaced("AB1234"), "AB 1234");
        assert_eq!(spaced("CPL"), "CPL");
        assert_eq!(spaced("粤ZQ416港"), "粤Z·Q416港");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_idempotent(text in "\\PC{0,20}") {
            if let Ok(mark) = text.parse::<RegistrationMark>() {
                prop_assert_eq!(mark.as_str().parse::<RegistrationMark>().expect("canonical"), mark);
            }
        }
    }
}
