//! How names sound: Double Metaphone for Latin letters, Pinyin without tones for Han characters.
//!
//! A Latin spelling of a Chinese name is found by its Pinyin. Cantonese romanisations (CHAN for 陳) are not: there are several, and
//! none is kept as a table in a crate that we could stand on.

use pinyin::ToPinyin as _;
use rphonetic::{DoubleMetaphone, Encoder as _};

use super::normal::{Normal, is_han};

/// Codes shorter than this sound like half of the list.
const SHORTEST_CODE: usize = 4;

/// Longest run of code letters for one word.
const LONGEST_CODE: usize = 8;

/// How it sounds, as text that is equal for those that sound the same; `None` where that would say too little.
pub(crate) fn sound(name: &Normal) -> Option<String> {
    if name.words.iter().any(|word| word.chars().any(is_han)) {
        return pinyin_of(&name.compact());
    }
    let encoder = DoubleMetaphone::new(Some(LONGEST_CODE));
    let mut codes: Vec<String> = name
        .words
        .iter()
        .map(|word| {
            let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
            // Digits are no sound: they must be the same.
            let digits: String = word.chars().filter(char::is_ascii_digit).collect();
            encoder.encode(&letters) + &digits
        })
        .filter(|code| !code.is_empty())
        .collect();
    codes.sort_unstable();
    let code = codes.join(" ");
    (code.chars().filter(char::is_ascii_alphabetic).count() >= SHORTEST_CODE).then_some(code)
}

/// What a Han name is spelt like in Latin letters: as it stands, and with the surname last; what a Latin one is.
pub(crate) fn romanised(name: &Normal) -> Vec<String> {
    let compact = name.compact();
    let han = compact.chars().filter(|c| is_han(*c)).count();
    if han == 0 {
        let letters =
            compact.len() >= 5 && compact.len() <= 40 && compact.bytes().all(|b| b.is_ascii_lowercase());
        return if letters { vec![compact] } else { Vec::new() };
    }
    if han != compact.chars().count() || han < 2 {
        return Vec::new();
    }
    let Some(first) = compact.chars().next() else { return Vec::new() };
    let (surname, given) = compact.split_at(first.len_utf8());
    let (Some(surname), Some(given)) = (pinyin_of(surname), pinyin_of(given)) else { return Vec::new() };
    vec![format!("{surname}{given}"), format!("{given}{surname}")]
}

/// Pinyin without tones of every character; `None` if one has none.
fn pinyin_of(text: &str) -> Option<String> {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                Some(c.to_string())
            } else {
                Some(c.to_pinyin()?.plain().to_owned())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Normal {
        Normal::of_name(name)
    }

    #[test]
    fn what_sounds_the_same_has_the_same_sound() {
        for (a, b) in [("Smith Catherine", "Katherine Smyth"), ("張偉", "章伟"), ("金龍貿易", "金隆贸易")]
        {
            assert!(sound(&of(a)).is_some(), "{a}");
            assert_eq!(sound(&of(a)), sound(&of(b)), "{a} {b}");
        }
        assert_ne!(sound(&of("Smith Catherine")), sound(&of("Jones Robert")));
        assert_eq!(sound(&of("Li")), None);
        assert_ne!(sound(&of("Factory 12")), sound(&of("Factory 13")));
    }

    #[test]
    fn a_han_name_is_found_by_its_spelling_in_latin_letters() {
        let spelt = romanised(&of("張偉"));
        assert!(spelt.contains(&romanised(&of("Zhang Wei"))[0]));
        assert!(spelt.contains(&romanised(&of("Wei ZHANG"))[0]));
    }
}
