//! Texts for plates: the forms of the real marks, the characters drawn evenly, so that a reader learns shapes and
//! not which marks are common.

use clearance::mark::ALPHABET;

use crate::chance::{Dice, Roll};

const HK_LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
const MAINLAND_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";

/// A mark as it is printed: rows of characters, with spaces, dots and dashes between groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The rows from the top.
    pub rows: Vec<String>,
}

impl Spelling {
    /// One row.
    pub fn one(row: impl Into<String>) -> Self {
        Self { rows: vec![row.into()] }
    }

    /// Two rows.
    pub fn two(upper: impl Into<String>, lower: impl Into<String>) -> Self {
        Self { rows: vec![upper.into(), lower.into()] }
    }

    /// The characters that a reader shall report.
    pub fn mark(&self) -> String {
        self.rows.iter().flat_map(|row| row.chars()).filter(|c| ALPHABET.contains(c)).collect()
    }
}

fn some(dice: &mut Dice, from: &[u8], count: i32) -> String {
    (0..count).map(|_| char::from(*dice.pick(from))).collect()
}

/// A Hong Kong mark: two letters and digits, or a special or personalised one.
pub fn hong_kong(dice: &mut Dice, two_rows: bool) -> Spelling {
    let digits = [1, 2, 3, 4][dice.weighted(&[0.06, 0.1, 0.24, 0.6])];
    match dice.weighted(&[0.76, 0.07, 0.17]) {
        0 => {
            let (letters, digits) = (some(dice, HK_LETTERS, 2), some(dice, DIGITS, digits));
            if two_rows {
                Spelling::two(letters, digits)
            } else {
                Spelling::one(format!("{letters} {digits}"))
            }
        }
        1 if !two_rows => Spelling::one(some(dice, DIGITS, digits)),
        _ => personalised(dice, two_rows),
    }
}

/// Letters and digits in any order, up to eight.
fn personalised(dice: &mut Dice, two_rows: bool) -> Spelling {
    let longest = if dice.chance(0.3) { 8 } else { 6 };
    let length = dice.whole(if two_rows { 3 } else { 2 }, longest);
    let letters = dice.between(0.2, 1.0);
    let text: String = (0..length)
        .map(|_| {
            let from = if dice.chance(letters) { HK_LETTERS } else { DIGITS };
            char::from(*dice.pick(from))
        })
        .collect();
    let cut = dice.whole(1, length - 1) as usize;
    let (head, tail) = text.split_at(cut);
    if two_rows {
        Spelling::two(head, tail)
    } else if dice.chance(0.5) {
        Spelling::one(format!("{head} {tail}"))
    } else {
        Spelling::one(text)
    }
}

/// The four characters of a cross-boundary mark, with a letter in somewhat under half of them.
pub fn four(dice: &mut Dice) -> String {
    let mut text = some(dice, DIGITS, 4).into_bytes();
    if dice.chance(0.5) {
        for _ in 0..dice.whole(1, 2) {
            let place = dice.whole(0, 3) as usize;
            text[place] = *dice.pick(MAINLAND_LETTERS);
        }
    }
    text.into_iter().map(char::from).collect()
}

/// An ordinary Guangdong mark: five characters after the city's letter, six on the green plates.
pub fn guangdong(dice: &mut Dice, green: bool) -> Spelling {
    let city = some(dice, MAINLAND_LETTERS, 1);
    if green {
        let head = some(dice, b"ABCDEFGHJK", 1);
        return Spelling::one(format!("粤{city}·{head}{}", some(dice, DIGITS, 5)));
    }
    let mut rest = some(dice, DIGITS, 5).into_bytes();
    for _ in 0..dice.whole(0, 2) {
        let place = dice.whole(0, 4) as usize;
        rest[place] = *dice.pick(MAINLAND_LETTERS);
    }
    let rest: String = rest.into_iter().map(char::from).collect();
    Spelling::one(format!("粤{city}·{rest}"))
}

/// A mark after a pattern: `A` any letter, `0` any digit, `X` either, anything else as it stands.
pub fn pattern(dice: &mut Dice, pattern: &str) -> String {
    let either = [LETTERS, DIGITS].concat();
    pattern
        .chars()
        .map(|c| match c {
            'A' => char::from(*dice.pick(LETTERS)),
            '0' => char::from(*dice.pick(DIGITS)),
            'X' => char::from(*dice.pick(&either)),
            c => c,
        })
        .collect()
}

/// A given mark as it is printed on a plate of one or two rows: Hong Kong letters and digits in two groups, a
/// mainland mark with its dot.
pub fn spelled(mark: &str, two_rows: bool) -> Spelling {
    let mut chars = mark.chars();
    if chars.next() == Some('粤') {
        let head: String = mark.chars().take(2).collect();
        let tail: String = mark.chars().skip(2).collect();
        return Spelling::one(format!("{head}·{tail}"));
    }
    let chars: Vec<char> = mark.chars().collect();
    let letters = chars.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let grouped = letters > 0 && letters < chars.len();
    let cut = if grouped { letters } else { chars.len() / 2 };
    let [head, tail] = [&chars[..cut], &chars[cut..]].map(|part| part.iter().collect::<String>());
    match (two_rows && cut > 0, grouped) {
        (true, _) => Spelling::two(head, tail),
        (false, true) => Spelling::one(format!("{head} {tail}")),
        (false, false) => Spelling::one(mark),
    }
}

#[cfg(test)]
mod tests {
    use clearance::mark::{Jurisdiction, MAX_CHARACTERS, RegistrationMark};

    use super::*;
    use crate::chance::dice;

    #[test]
    fn hong_kong_texts_are_hong_kong_marks() {
        for item in 0..500 {
            let mark = hong_kong(&mut dice(1, item), item % 2 == 0).mark();
            let parsed: RegistrationMark = mark.parse().expect("a mark");
            assert_eq!(parsed.jurisdiction(), Jurisdiction::HongKong, "{mark}");
        }
    }

    #[test]
    fn cross_boundary_texts_have_a_letter_in_somewhat_under_half_of_them() {
        let with_letter =
            (0..1000).filter(|&item| four(&mut dice(2, item)).chars().any(|c| c.is_ascii_alphabetic()));
        assert!((400..600).contains(&with_letter.count()));
    }

    #[test]
    fn q_comes_up_on_cross_boundary_plates_and_nowhere_on_hong_kong_ones() {
        let with_q = (0..4000).filter(|&item| four(&mut dice(4, item)).contains('Q')).count();
        assert!((60..240).contains(&with_q), "{with_q} of 4000");
        assert!((0..1000).all(|item| !hong_kong(&mut dice(5, item), item % 2 == 0).mark().contains('Q')));
    }

    #[test]
    fn no_text_is_longer_than_the_longest_mark() {
        for item in 0..200 {
            let green = guangdong(&mut dice(3, item), item % 2 == 0);
            assert!(green.mark().chars().count() <= MAX_CHARACTERS, "{green:?}");
        }
    }

    #[test]
    fn given_marks_are_spelled_as_on_plates() {
        assert_eq!(spelled("LX8274", false), Spelling::one("LX 8274"));
        assert_eq!(spelled("LX8274", true), Spelling::two("LX", "8274"));
        assert_eq!(spelled("1918", false), Spelling::one("1918"));
        assert_eq!(spelled("粤ZK307港", false), Spelling::one("粤Z·K307港"));
        assert_eq!(spelled("A", true), Spelling::one("A"));
        assert_eq!(spelled("1港2", true), Spelling::two("1", "港2"));
    }
}
