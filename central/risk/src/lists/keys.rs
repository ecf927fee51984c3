//! What an entry is filed under, and what a query asks for.

use std::hash::{DefaultHasher, Hasher as _};

/// Letters from which on one may differ, in Latin and with digits.
const SHORTEST_LATIN: usize = 7;

/// The same in Han, where a character says more.
const SHORTEST_HAN: usize = 6;

/// Letters from which on two may differ.
pub(super) const LONG: usize = 12;

/// Letters beyond which nothing may differ: an essay is no name.
const LONGEST: usize = 100;

/// Letters that may differ at most.
pub(super) const MOST_TOLERATED: u32 = 2;

/// Parts that a long name is filed by: with two differences at least one is whole (Li, Deng, Wang, Feng: Pass-Join, VLDB 2011).
const PARTS: usize = 3;

/// What kind of key it is; a part of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Exact,
    Normalised,
    LookAlike,
    Sound,
    Romanised,
    /// With one letter left out, or none (Garbe: SymSpell, with a distance of one).
    Deleted,
    /// One of [`PARTS`] of a long name.
    Part,
    HsCode,
}

/// The hash of a key. Only ever kept in memory, and what it finds is always compared.
pub(super) fn key(kind: KeyKind, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(kind as u8);
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn key_of_chars(kind: KeyKind, extra: usize, chars: impl Iterator<Item = char>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(kind as u8);
    hasher.write_usize(extra);
    for c in chars {
        hasher.write_u32(c as u32);
    }
    hasher.finish()
}

/// How many letters may differ from an entry of these.
pub(super) fn tolerance(entry: &[char]) -> usize {
    let shortest =
        if entry.iter().any(|c| super::normal::is_han(*c)) { SHORTEST_HAN } else { SHORTEST_LATIN };
    match entry.len() {
        n if n < shortest || n > LONGEST - 2 => 0,
        n if n < LONG => 1,
        _ => 2,
    }
}

/// What an entry of these letters is filed under, for finding it with a few letters wrong.
pub(super) fn entry_fuzzy_keys(entry: &[char], keys: &mut Vec<u64>) {
    let tolerance = tolerance(entry);
    if tolerance >= 1 {
        deletions(entry, keys);
    }
    if tolerance >= 2 {
        let parts = parts(entry.len()).enumerate();
        keys.extend(parts.map(|(i, (from, len))| part_key(entry.len(), i, &entry[from..from + len])));
    }
}

/// Letters as bits: two texts that differ in one letter differ in at most two.
pub(super) fn signature(text: impl Iterator<Item = char>) -> u64 {
    text.fold(0, |bits, c| bits ^ 1 << (((c as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 58))
}

/// The keys under which an entry could be filed that has a few letters other than these.
pub(super) fn query_fuzzy_keys(query: &[char], keys: &mut Vec<u64>) {
    if query.len() + 1 < SHORTEST_HAN || query.len() > LONGEST {
        return;
    }
    deletions(query, keys);
    if query.len() + 2 < LONG {
        return;
    }
    let n = query.len() as isize;
    for length in (query.len() - 2).max(LONG)..=query.len() + 2 {
        let longer = n - length as isize;
        for (i, (from, len)) in parts(length).enumerate() {
            // Where the part can begin if it is whole: no more than `i` differences before it, no more than the rest after it.
            let (before, after) = (i as isize, 2 - i as isize);
            let (from, len) = (from as isize, len as isize);
            let first = (from - before).max(from + longer - after).max(0);
            let last = (from + before).min(from + longer + after).min(n - len);
            for start in first..=last {
                let part = &query[start as usize..(start + len) as usize];
                keys.push(part_key(length, i, part));
            }
        }
    }
}

/// With none of the letters left out, and with each.
pub(super) fn deletions(text: &[char], keys: &mut Vec<u64>) {
    keys.push(key_of_chars(KeyKind::Deleted, 0, text.iter().copied()));
    for out in 0..text.len() {
        let left = text.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, c)| *c);
        keys.push(key_of_chars(KeyKind::Deleted, 0, left));
    }
}

fn part_key(length: usize, part: usize, letters: &[char]) -> u64 {
    key_of_chars(KeyKind::Part, length * PARTS + part, letters.iter().copied())
}

/// Where the parts of a text of `length` letters begin, and how long they are.
fn parts(length: usize) -> impl Iterator<Item = (usize, usize)> {
    let (least, longer) = (length / PARTS, length % PARTS);
    (0..PARTS).scan(0, move |from, i| {
        let len = least + usize::from(i >= PARTS - longer);
        let part = (*from, len);
        *from += len;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meet(entry: &[char], query: &[char]) -> bool {
        let (mut filed, mut asked) = (Vec::new(), Vec::new());
        entry_fuzzy_keys(entry, &mut filed);
        query_fuzzy_keys(query, &mut asked);
        asked.iter().any(|key| filed.contains(key))
    }

    proptest! {
        #[test]
        fn whatever_lies_within_the_tolerance_is_found(
            entry in prop::collection::vec(prop::char::range('a', 'e'), 7..30),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, prop::char::range('a', 'e')), 0..=2),
        ) {
            let mut query = entry.clone();
            for (at, edit, c) in edits.iter().take(tolerance(&entry)) {
                let at = at.index(query.len());
                match edit {
                    0 => { query.remove(at); }
                    1 => query.insert(at, *c),
                    _ => query[at] = *c,
                }
            }
            prop_assert!(meet(&entry, &query), "{entry:?} {query:?}");
        }
    }

    #[test]
    fn short_names_tolerate_nothing() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(tolerance(&chars("li wei")), 0);
        assert_eq!(tolerance(&chars("金龙贸易")), 0);
        assert_eq!(tolerance(&chars("深圳金龙贸易")), 1);
        assert_eq!(tolerance(&chars("goldendragontrading")), 2);
    }
}
