//! What an entry is filed under, and what a query asks for.

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

/// Multiply and fold: each bit of the result depends on all bits of both.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// Numbers without a pattern (of the digits of pi), the first odd.
const BASE: u64 = 0x243f_6a88_85a3_08d3;
const SALT: u64 = 0x1319_8a2e_0370_7344;

/// The hash of a key. Only ever kept in memory, and what it finds is always compared. It needs no secret: entries are not made by
/// those who are looked for.
pub(super) fn key(kind: KeyKind, text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let start = mix(SALT ^ kind as u64, BASE ^ text.len() as u64);
    let hash = words.iter().fold(start, |hash, word| mix(hash ^ u64::from_le_bytes(*word), BASE));
    let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
    mix(hash ^ last, BASE ^ SALT)
}

/// A hasher of small numbers for maps that live for one screening, in which nobody chooses the numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfNumbers(u64);

impl std::hash::Hasher for OfNumbers {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number ^ SALT, BASE);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// The hashes of the beginnings of a text, from which that of any part of it follows, and of the text without a letter (Karp and
/// Rabin 1987): a key for each letter without reading the text for each.
struct Rolling {
    beginnings: Vec<u64>,
    powers: Vec<u64>,
}

impl Rolling {
    fn of(text: &[char]) -> Self {
        let (mut beginnings, mut powers) =
            (Vec::with_capacity(text.len() + 1), Vec::with_capacity(text.len() + 1));
        let (mut hash, mut power) = (0_u64, 1_u64);
        beginnings.push(hash);
        powers.push(power);
        for c in text {
            hash = hash.wrapping_mul(BASE).wrapping_add(mix(*c as u64 ^ SALT, BASE));
            power = power.wrapping_mul(BASE);
            beginnings.push(hash);
            powers.push(power);
        }
        Self { beginnings, powers }
    }

    fn part(&self, from: usize, len: usize) -> u64 {
        self.beginnings[from + len].wrapping_sub(self.beginnings[from].wrapping_mul(self.powers[len]))
    }

    fn without(&self, out: usize) -> u64 {
        let rest = self.beginnings.len() - 2 - out;
        self.beginnings[out].wrapping_mul(self.powers[rest]).wrapping_add(self.part(out + 1, rest))
    }
}

fn rolled(kind: KeyKind, extra: usize, hash: u64) -> u64 {
    mix(hash ^ SALT, BASE ^ ((kind as u64) << 32 | extra as u64))
}

/// How many letters may differ from an entry of these.
pub(super) fn tolerance(entry: impl Iterator<Item = char>) -> usize {
    let (mut letters, mut han) = (0, false);
    for c in entry {
        letters += 1;
        han |= super::normal::is_han(c);
    }
    let shortest = if han { SHORTEST_HAN } else { SHORTEST_LATIN };
    match letters {
        n if n < shortest || n > LONGEST - 2 => 0,
        n if n < LONG => 1,
        _ => 2,
    }
}

/// What an entry of these letters is filed under, for finding it with a few letters wrong.
pub(super) fn entry_fuzzy_keys(entry: &[char], keys: &mut Vec<u64>) {
    let tolerance = tolerance(entry.iter().copied());
    if tolerance == 0 {
        return;
    }
    let rolling = Rolling::of(entry);
    all_deletions(&rolling, keys);
    if tolerance >= 2 {
        let parts = parts(entry.len()).enumerate();
        keys.extend(parts.map(|(i, (from, len))| part_key(entry.len(), i, rolling.part(from, len))));
    }
}

/// Letters as bits: two texts that differ in one letter differ in at most two.
pub(super) fn signature(text: impl Iterator<Item = char>) -> u32 {
    text.fold(0, |bits, c| {
        let bit = match c {
            'a'..='z' => u32::from(c) - u32::from('a'),
            c => (mix(c as u64, BASE) >> 59) as u32,
        };
        bits ^ 1 << bit
    })
}

/// The keys under which an entry could be filed that has a few letters other than these.
pub(super) fn query_fuzzy_keys(query: &[char], keys: &mut Vec<u64>) {
    if query.len() + 1 < SHORTEST_HAN || query.len() > LONGEST {
        return;
    }
    let rolling = Rolling::of(query);
    all_deletions(&rolling, keys);
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
                keys.push(part_key(length, i, rolling.part(start as usize, len as usize)));
            }
        }
    }
}

/// With none of the letters left out, and with each.
pub(super) fn deletions(text: &[char], keys: &mut Vec<u64>) {
    all_deletions(&Rolling::of(text), keys);
}

fn all_deletions(text: &Rolling, keys: &mut Vec<u64>) {
    let letters = text.beginnings.len() - 1;
    keys.push(rolled(KeyKind::Deleted, letters, text.part(0, letters)));
    keys.extend((0..letters).map(|out| rolled(KeyKind::Deleted, letters - 1, text.without(out))));
}

fn part_key(length: usize, part: usize, hash: u64) -> u64 {
    rolled(KeyKind::Part, length * PARTS + part, hash)
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
            for (at, edit, c) in edits.iter().take(tolerance(entry.iter().copied())) {
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

    proptest! {
        #[test]
        fn a_key_is_of_the_letters_alone_however_it_was_reckoned(
            text in prop::collection::vec(prop::char::range('a', 'e'), 1..30), out: prop::sample::Index,
        ) {
            let out = out.index(text.len());
            let left: Vec<char> = text.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, c)| *c).collect();
            let of = |text: &[char]| { let mut keys = Vec::new(); deletions(text, &mut keys); keys };
            prop_assert_eq!(of(&text)[1 + out], of(&left)[0]);
            prop_assert_ne!(of(&text)[0], of(&left)[0]);
            let (from, whole) = (out / 2, Rolling::of(&text));
            prop_assert_eq!(whole.part(from, out - from), Rolling::of(&text[from..out]).part(0, out - from));
        }

        #[test]
        fn one_other_letter_changes_two_bits_of_a_signature_at_most(
            text in prop::collection::vec(any::<char>(), 1..30), at: prop::sample::Index, other: char,
        ) {
            let (at, before) = (at.index(text.len()), signature(text.iter().copied()));
            let mut with = text.clone();
            with[at] = other;
            prop_assert!((signature(with.iter().copied()) ^ before).count_ones() <= 2);
            with.remove(at);
            prop_assert_eq!((signature(with.iter().copied()) ^ before).count_ones(), 1);
        }
    }

    #[test]
    fn short_names_tolerate_nothing() {
        assert_eq!(tolerance("li wei".chars()), 0);
        assert_eq!(tolerance("金龙贸易".chars()), 0);
        assert_eq!(tolerance("深圳金龙贸易".chars()), 1);
        assert_eq!(tolerance("goldendragontrading".chars()), 2);
    }
}
