//! A name, ready to be compared.

use std::num::NonZeroU64;

use rapidfuzz::distance::{jaro_winkler, osa};

use super::keys::{KeyKind, entry_fuzzy_keys, key, query_fuzzy_keys, tolerance};
use super::normal::{Normal, is_han};
use super::sound;
use crate::assessment::Match;
use crate::number::Probability;

/// Names that sound the same must look this much alike besides (Jaro-Winkler), for codes of sounds are coarse.
const LEAST_ALIKE: f64 = 0.75;

/// How alike a name and its spelling in another script are said to be.
const OTHER_SCRIPT: f64 = 0.8;

/// A name and what it is compared by.
#[derive(Debug)]
pub(super) struct Name {
    /// As written, white space single.
    pub(super) raw: String,
    pub(super) normal: Normal,
    pub(super) compact: Vec<char>,
    /// Its words in the order of the letters, so that it does not matter which name comes first.
    sorted: String,
    /// See [`Spoken::sound`].
    sound: Option<u64>,
}

/// An entry as it is compared with what sounds like it; made once, for many names sound like one.
#[derive(Debug)]
pub(super) struct Spoken {
    /// [`Normal::sorted`], where it is not [`Normal::compact`].
    sorted: Option<Box<str>>,
    /// The key of how it sounds, if that says enough.
    sound: Option<NonZeroU64>,
}

/// An entry of a list of names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'l> {
    /// As it is written.
    pub(super) raw: &'l str,
    /// Its [`Normal::compact`].
    pub(super) compact: &'l str,
    pub(super) spoken: &'l Spoken,
}

impl Name {
    pub(super) fn of(text: &str) -> Self {
        let normal = Normal::of_name(text);
        let compact = normal.compact().chars().collect();
        let sorted = normal.sorted();
        let sound = sound::sound(&normal).map(|sound| key(KeyKind::Sound, &sound));
        Self { raw: text.split_whitespace().collect::<Vec<_>>().join(" "), normal, compact, sorted, sound }
    }

    /// What an entry of this name keeps.
    pub(super) fn spoken(&self) -> Spoken {
        let same = self.sorted.chars().eq(self.compact.iter().copied());
        Spoken {
            sorted: (!same).then(|| self.sorted.clone().into_boxed_str()),
            sound: self.sound.and_then(NonZeroU64::new),
        }
    }

    fn plain_keys(&self, matching: &[Match], keys: &mut Vec<(Match, u64)>) {
        keys.push((Match::Exact, key(KeyKind::Exact, &self.raw)));
        if matching.contains(&Match::Normalised) {
            let compact = self.normal.compact();
            keys.push((Match::Normalised, key(KeyKind::Normalised, &compact)));
            if self.sorted != compact {
                keys.push((Match::Normalised, key(KeyKind::Normalised, &self.sorted)));
            }
        }
        if matching.contains(&Match::Phonetic) {
            keys.extend(self.sound.map(|sound| (Match::Phonetic, sound)));
            let spelt = sound::romanised(&self.normal);
            keys.extend(spelt.iter().map(|spelt| (Match::Phonetic, key(KeyKind::Romanised, spelt))));
        }
    }

    /// What an entry of this name is filed under, and what for finding it misspelt.
    pub(super) fn entry_keys(&self, matching: &[Match]) -> (Vec<u64>, Vec<u64>) {
        let (mut plain, mut fuzzy) = (Vec::new(), Vec::new());
        self.plain_keys(matching, &mut plain);
        if matching.contains(&Match::Fuzzy) {
            entry_fuzzy_keys(&self.compact, &mut fuzzy);
        }
        (plain.into_iter().map(|(_, key)| key).collect(), fuzzy)
    }

    /// What is asked for with this name, with what finding it under that would mean; and what for finding it misspelt.
    pub(super) fn query_keys(&self) -> (Vec<(Match, u64)>, Vec<u64>) {
        const ALL: [Match; 3] = [Match::Exact, Match::Normalised, Match::Phonetic];
        let (mut plain, mut fuzzy) = (Vec::new(), Vec::new());
        self.plain_keys(&ALL, &mut plain);
        query_fuzzy_keys(&self.compact, &mut fuzzy);
        (plain, fuzzy)
    }

    /// How an entry matches that was found by a key of `via`, and how alike they are.
    pub(super) fn judge(&self, via: Match, entry: Listed<'_>) -> Option<(Match, Probability)> {
        match via {
            Match::Exact => same_text(entry.raw, &self.raw).then_some((Match::Exact, Probability::ONE)),
            Match::Normalised => {
                let same =
                    entry.compact.chars().eq(self.compact.iter().copied()) || entry.sorted() == self.sorted;
                same.then_some((Match::Normalised, Probability::ONE))
            }
            Match::Phonetic => self.judge_sound(entry),
            Match::Fuzzy => self.judge_letters(entry.compact),
            Match::LookAlike => None,
        }
    }

    fn judge_sound(&self, entry: Listed<'_>) -> Option<(Match, Probability)> {
        let same_sound = || Some(entry.spoken.sound?.get() == self.sound?);
        let alike = match (entry.compact.chars().any(is_han), self.compact.iter().any(|c| is_han(*c))) {
            (true, true) => same_sound()?.then(|| {
                let same = entry.compact.chars().zip(&self.compact).filter(|(a, b)| a == *b).count();
                f64::midpoint(1.0, same as f64 / self.compact.len().max(1) as f64)
            })?,
            (false, false) => {
                let alike = jaro_winkler::similarity(entry.sorted().chars(), self.sorted.chars());
                (alike >= LEAST_ALIKE && same_sound()?).then_some(alike)?
            }
            _ => {
                let spelt = sound::romanised(&self.normal);
                let entry = sound::romanised(&Normal::of_name(entry.raw));
                entry.iter().any(|s| spelt.contains(s)).then_some(OTHER_SCRIPT)?
            }
        };
        Some((Match::Phonetic, Probability::nearest(alike)?))
    }

    fn judge_letters(&self, compact: &str) -> Option<(Match, Probability)> {
        let tolerance = tolerance(compact.chars());
        let letters = compact.chars().count();
        if tolerance == 0 || letters.abs_diff(self.compact.len()) > tolerance {
            return None;
        }
        let cut_off = osa::Args::default().score_cutoff(tolerance);
        let distance = osa::distance_with_args(compact.chars(), self.compact.iter().copied(), &cut_off)?;
        // Numbers are not misspelt: Factory 12 is not Factory 13.
        let digits = self.compact.iter().copied().filter(char::is_ascii_digit);
        let longest = letters.max(self.compact.len()) as u64;
        compact
            .chars()
            .filter(char::is_ascii_digit)
            .eq(digits)
            .then(|| (Match::Fuzzy, Probability::ratio(longest - distance as u64, longest)))
    }
}

impl Listed<'_> {
    fn sorted(&self) -> &str {
        self.spoken.sorted.as_deref().unwrap_or(self.compact)
    }
}

fn same_text(raw: &str, single_spaced: &str) -> bool {
    raw == single_spaced || raw.split_whitespace().eq(single_spaced.split(' '))
}
