//! Words of a description, ready to be looked up.

use super::keys::{KeyKind, key};
use super::normal::{Normal, is_han};

/// As many words as an entry of goods is looked for with.
const MOST_WORDS: usize = 5;

/// Han characters that an entry of goods has at least and at most; Chinese writes no spaces, so every run of them may be a word.
const HAN_RUN: std::ops::RangeInclusive<usize> = 1..=10;

/// What an entry's words are filed under.
pub(super) fn entry_key(name: &str) -> u64 {
    if is_hs_code(name) { hs_key(name) } else { key(KeyKind::Normalised, &Normal::of_goods(name).compact()) }
}

/// Whether an entry names goods by their code.
pub(super) fn is_hs_code(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_digit())
}

/// The key of the first digits of a code.
pub(super) fn hs_key(digits: &str) -> u64 {
    key(KeyKind::HsCode, digits)
}

/// The runs of a description's words that an entry could be, without spaces, and their keys.
pub(super) fn windows(description: &str) -> Vec<(u64, String)> {
    let words = Normal::of_goods(description).words;
    let mut windows = Vec::new();
    for first in 0..words.len() {
        let mut window = String::new();
        for word in words.iter().skip(first).take(MOST_WORDS) {
            window.push_str(word);
            windows.push(window.clone());
        }
    }
    for word in words.iter().filter(|word| word.chars().next().is_some_and(is_han)) {
        let starts: Vec<usize> = word.char_indices().map(|(i, _)| i).chain([word.len()]).collect();
        for from in 0..starts.len() - 1 {
            let longest = (starts.len() - 1 - from).min(*HAN_RUN.end());
            windows.extend(
                (*HAN_RUN.start()..=longest).map(|n| word[starts[from]..starts[from + n]].to_owned()),
            );
        }
    }
    windows.sort_unstable();
    windows.dedup();
    windows.into_iter().map(|window| (key(KeyKind::Normalised, &window), window)).collect()
}
