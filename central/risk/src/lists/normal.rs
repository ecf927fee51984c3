//! One spelling for what people write in many: case, width, accents, punctuation, legal forms, the two Han scripts.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::keys::OfNumbers;

/// Legal forms that tell companies apart for nobody.
const LEGAL_FORMS: [&str; 24] = [
    "limited",
    "ltd",
    "co",
    "company",
    "corp",
    "corporation",
    "inc",
    "incorporated",
    "llc",
    "llp",
    "plc",
    "gmbh",
    "ag",
    "pte",
    "pty",
    "sdn",
    "bhd",
    "sa",
    "srl",
    "bv",
    "nv",
    "kk",
    "the",
    "and",
];

/// The same in Han, the longest first; a name ends with them.
const HAN_LEGAL_FORMS: [&str; 5] = ["股份有限公司", "有限责任公司", "责任有限公司", "有限公司", "公司"];

/// A text as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Normal {
    /// Its words, in order. A run of Han characters is one word.
    pub(crate) words: Vec<String>,
}

impl Normal {
    /// A description of goods: nothing is left out of it, and words stand in the singular.
    pub(crate) fn of_goods(text: &str) -> Self {
        Self { words: words(text).into_iter().map(singular).collect() }
    }

    /// The name of a person or a company: legal forms are left out, unless there is nothing else.
    pub(crate) fn of_name(text: &str) -> Self {
        let all = words(text);
        let told: Vec<String> = all
            .iter()
            .filter(|word| !LEGAL_FORMS.contains(&word.as_str()))
            .map(|word| without_han_form(word).to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        Self { words: if told.is_empty() { all } else { told } }
    }

    /// Its words in order, without spaces: `sun rise` and `sunrise` are one.
    pub(crate) fn compact(&self) -> String {
        self.words.concat()
    }

    /// Its words sorted, without spaces: surnames come first or last.
    pub(crate) fn sorted(&self) -> String {
        let mut words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        words.sort_unstable();
        words.concat()
    }
}

fn without_han_form(word: &str) -> &str {
    HAN_LEGAL_FORMS
        .iter()
        .find_map(|form| word.strip_suffix(form))
        .map(|rest| rest.trim_end_matches("集团"))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(word)
}

fn singular(word: String) -> String {
    if word.len() > 4 && word.ends_with("ies") {
        format!("{}y", &word[..word.len() - 3])
    } else if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word[..word.len() - 1].to_owned()
    } else {
        word
    }
}

fn words(text: &str) -> Vec<String> {
    if text.is_ascii() {
        // Most are, and there is nothing to be folded but case.
        return words_of(text.chars().map(|c| c.to_ascii_lowercase()));
    }
    words_of(text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase))
}

fn words_of(folded: impl Iterator<Item = char>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open: Option<bool> = None; // whether the open word is one of Han characters
    for c in folded {
        if matches!(c, '\'' | '’' | '.') {
            continue; // O'Neill, S.A.
        }
        if !c.is_alphanumeric() {
            open = None;
            continue;
        }
        let han = is_han(c);
        if open != Some(han) {
            words.push(String::new());
            open = Some(han);
        }
        if let Some(word) = words.last_mut() {
            match c {
                'ø' => word.push('o'),
                'đ' => word.push('d'),
                'ł' => word.push('l'),
                'ß' => word.push_str("ss"),
                'æ' => word.push_str("ae"),
                'œ' => word.push_str("oe"),
                c if han => word.push(simplified(c)),
                c => word.push(c),
            }
        }
    }
    words
}

/// Whether it is a Han character.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// The simplified form of a character, whichever place's traditional form it is.
pub(crate) fn simplified(c: char) -> char {
    SIMPLIFIED.get(&c).copied().unwrap_or(c)
}

/// Every character that has a simplified form of its own. Character by character on purpose: a phrase's reading would make a
/// name's folding depend on what stands beside it.
static SIMPLIFIED: LazyLock<HashMap<char, char, BuildHasherDefault<OfNumbers>>> = LazyLock::new(|| {
    let converters = [zhhz::Config::T2s, zhhz::Config::Hk2s, zhhz::Config::Tw2s].map(zhhz::Converter::new);
    ('\u{3400}'..='\u{9fff}')
        .filter_map(|c| {
            let text = c.to_string();
            let folded = converters.iter().find_map(|converter| one_other(&converter.convert(&text), c))?;
            Some((c, folded))
        })
        .collect()
});

fn one_other(text: &str, c: char) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|first| chars.next().is_none() && *first != c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_spellings_of_a_name_are_one() {
        for (a, b) in [
            ("Golden Dragon Trading Co., Ltd.", "GOLDEN  DRAGON TRADING"),
            ("金龍貿易有限公司", "金龙贸易"),
            ("衞生用品公司", "卫生用品"),
            ("裏海貿易", "里海贸易"),
            ("Ｇｏｌｄｅｎ", "golden"),
            ("Señor Müller & Søn S.A.", "senor muller son"),
        ] {
            assert_eq!(Normal::of_name(a).compact(), Normal::of_name(b).compact(), "{a} {b}");
        }
        assert_eq!(Normal::of_name("Chan Tai Man").sorted(), Normal::of_name("Tai Man CHAN").sorted());
        assert_eq!(Normal::of_name("The Company Ltd").compact(), "thecompanyltd");
        assert_eq!(Normal::of_name("  ?! ").words, Vec::<String>::new());
    }

    #[test]
    fn goods_stand_in_the_singular() {
        assert_eq!(
            Normal::of_goods("Lithium Batteries, 36 glasses").words,
            ["lithium", "battery", "36", "glasse"]
        );
        assert_eq!(Normal::of_goods("電子煙").words, ["电子烟"]);
    }
}
