//! The likeliest marks of a plate, from the distributions of its characters.
//!
//! Positions are taken as independent, so the n best texts are found exactly by extending the best n prefixes: a
//! prefix outside the best n cannot lead to a text inside them. Different ways to leave a position empty can spell
//! the same mark; their probabilities add up.

use std::collections::HashMap;

use clearance::mark::{ALPHABET, CLASSES, RegistrationMark};
use clearance::read::{Candidate, CharacterDistribution};

/// How many prefixes are kept for each candidate wanted: room for those that spell the same mark.
const ROOM: usize = 4;

/// Up to `n` marks, likeliest first. Empty when the likeliest reading is "no plate at all".
pub fn candidates(characters: &[CharacterDistribution], n: usize) -> Vec<Candidate> {
    let mut prefixes: Vec<(String, f32)> = vec![(String::new(), 1.0)];
    for position in characters {
        let mut longer: Vec<(String, f32)> = Vec::with_capacity(prefixes.len() * 8);
        for (prefix, probability) in &prefixes {
            for (class, p) in position.iter().enumerate().take(CLASSES) {
                let probability = probability * p;
                // What is a million times less likely than the best is never among the candidates shown.
                if probability < 1e-6 {
                    continue;
                }
                let mut text = prefix.clone();
                if let Some(c) = class.checked_sub(1).and_then(|i| ALPHABET.get(i)) {
                    text.push(*c);
                }
                longer.push((text, probability));
            }
        }
        longer.sort_by(|a, b| b.1.total_cmp(&a.1));
        longer.truncate(n.max(1) * ROOM);
        prefixes = longer;
    }
    let nothing = prefixes.first().is_none_or(|(text, _)| text.is_empty());
    if nothing {
        return Vec::new();
    }
    let mut marks: HashMap<RegistrationMark, f32> = HashMap::new();
    for (text, probability) in prefixes {
        if let Ok(mark) = spelt(&text).parse() {
            *marks.entry(mark).or_default() += probability;
        }
    }
    let mut candidates: Vec<_> = marks
        .into_iter()
        .map(|(mark, probability)| Candidate { mark, probability: probability.min(1.0) })
        .collect();
    candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.mark.cmp(&b.mark)));
    candidates.truncate(n);
    candidates
}

/// One spelling for characters that look the same on plates that cannot tell them apart: Hong Kong and cross-boundary
/// marks have neither I nor O, so there they are the digits. This is spelling: it changes no probability but joins
/// what is one mark.
fn spelt(text: &str) -> String {
    let digits: String = text
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            c => c,
        })
        .collect();
    let known = digits.parse::<RegistrationMark>().is_ok_and(|mark| {
        let letters = digits.chars().take_while(char::is_ascii_alphabetic).count();
        let rest = digits.len() - letters;
        let hong_kong =
            letters == 2 && (1..=4).contains(&rest) && digits[2..].bytes().all(|b| b.is_ascii_digit());
        mark.jurisdiction().is_mainland() || (digits.is_ascii() && hong_kong)
    });
    if known { digits } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use clearance::mark::ALPHABET;
    use proptest::prelude::*;

    use super::*;

    fn one_hot(c: char, p: f32) -> CharacterDistribution {
        let mut d = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
        d[ALPHABET.iter().position(|&a| a == c).map_or(0, |i| i + 1)] = p;
        d
    }

    #[test]
    fn a_sure_read_has_one_strong_candidate() {
        let characters: Vec<_> =
            "AB12".chars().map(|c| one_hot(c, 0.99)).chain([one_hot(' ', 0.99)]).collect();
        let found = candidates(&characters, 3);
        assert_eq!(found[0].mark.as_str(), "AB12");
        assert!((found[0].probability - 0.99f32.powi(5)).abs() < 1e-3);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn nothing_read_gives_no_candidate() {
        assert!(candidates(&[one_hot(' ', 0.9); 10], 3).is_empty());
        assert!(candidates(&[], 3).is_empty());
    }

    #[test]
    fn o_and_0_are_one_mark_where_the_form_has_no_letter_o() {
        let mut last = [0.0; CLASSES];
        last[1] = 0.55; // 0
        last[1 + 24] = 0.45; // O
        let characters: Vec<_> = "AB1".chars().map(|c| one_hot(c, 1.0)).chain([last]).collect();
        let found = candidates(&characters, 2);
        assert_eq!(found[0].mark.as_str(), "AB10");
        assert!((found[0].probability - 1.0).abs() < 1e-4);
    }

    proptest! {
        #[test]
        fn agrees_with_trying_everything(weights in proptest::collection::vec(0.0f32..1.0, 3 * 4)) {
            // Three positions, each over: nothing, A, B, 7.
            let classes = [0, 11, 12, 8];
            let characters: Vec<CharacterDistribution> = weights.chunks(4).map(|w| {
                let sum: f32 = w.iter().sum::<f32>() + 1e-6;
                let mut d = [0.0; CLASSES];
                classes.iter().zip(w).for_each(|(&c, p)| d[c] = p / sum);
                d
            }).collect();
            let mut all: HashMap<String, f32> = HashMap::new();
            for a in classes { for b in classes { for c in classes {
                let text: String = [a, b, c].iter().filter_map(|&i| i.checked_sub(1)).map(|i| ALPHABET[i]).collect();
                *all.entry(text).or_default() += characters[0][a] * characters[1][b] * characters[2][c];
            }}}
            for candidate in candidates(&characters, 64) {
                let want = all[candidate.mark.as_str()];
                prop_assert!((candidate.probability - want).abs() < 1e-3, "{} {want}", candidate.mark);
            }
        }
    }
}
