//! Watch lists: what is on them, how they are read from files, and how facts are matched against a million entries.

mod goods;
mod import;
mod index;
mod keys;
mod names;
mod normal;
mod postings;
mod sound;
mod terms;

use std::fmt;

use clearance::ids::{Digest, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::import::{ImportError, RowError, WhatIsWrong, import, opened};
pub use self::index::{Hit, ListIndex, MOST_HITS};
pub use self::terms::Terms;
use crate::assessment::{Confidentiality, Match, Measure};

/// What a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Registration marks.
    Marks,
    /// Persons.
    Persons,
    /// Companies.
    Companies,
    /// Goods: words of a description, or the first 2 to 8 digits of an HS code.
    Goods,
    /// Ways: `ORIGIN>CONTROL_POINT`, either of them `*` for any: `CO>lok-ma-chau`, `KP>*`.
    Routes,
}

impl ListKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Marks, Self::Persons, Self::Companies, Self::Goods, Self::Routes];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marks => "marks",
            Self::Persons => "persons",
            Self::Companies => "companies",
            Self::Goods => "goods",
            Self::Routes => "routes",
        }
    }

    /// How such a list can be matched; nothing else would ever find anything on it. Whatever else it says, a list is matched
    /// [exactly](Match::Exact).
    ///
    /// | list | ways |
    /// |---|---|
    /// | marks | exact, look-alike, fuzzy |
    /// | persons, companies | exact, normalised, phonetic, fuzzy |
    /// | goods | exact, normalised |
    /// | routes | exact |
    pub fn possible_matching(self) -> &'static [Match] {
        match self {
            Self::Marks => &[Match::Exact, Match::LookAlike, Match::Fuzzy],
            Self::Persons | Self::Companies => {
                &[Match::Exact, Match::Normalised, Match::Phonetic, Match::Fuzzy]
            }
            Self::Goods => &[Match::Exact, Match::Normalised],
            Self::Routes => &[Match::Exact],
        }
    }

    /// How such a list is matched unless it says otherwise. Marks that differ in one character are different vehicles, so
    /// [`Match::Fuzzy`] is theirs only on demand.
    pub fn usual_matching(self) -> Vec<Match> {
        match self {
            Self::Marks => vec![Match::Exact, Match::LookAlike],
            _ => self.possible_matching().to_vec(),
        }
    }
}

impl fmt::Display for ListKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a list is, without its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListHeader {
    /// Its name.
    pub list: String,
    /// Rises by one with each change.
    pub version: u32,
    /// What it names.
    pub kind: ListKind,
    /// What is done with what it names, unless an entry says otherwise: anything but a release.
    pub measure: Measure,
    /// Who says so.
    pub source: String,
    /// Who may know.
    pub confidentiality: Confidentiality,
    /// How it is matched: [exactly](Match::Exact), and how else [its kind](ListKind::possible_matching) can be.
    pub matching: Vec<Match>,
}

impl ListHeader {
    /// Refuse what would let pass whatever is on the list, though nobody sees it.
    pub fn check(&self) -> Result<(), ListError> {
        let wrong = |fault| Err(ListError::Header { list: self.list.clone(), fault });
        if self.measure == Measure::Release {
            return wrong(HeaderFault::Releases);
        }
        let possible = self.kind.possible_matching();
        if let Some(how) = self.matching.iter().find(|how| !possible.contains(how)) {
            return wrong(HeaderFault::Impossible(self.kind, *how));
        }
        // The other ways do without what is written alike to the letter, and without what is too short for them.
        if !self.matching.contains(&Match::Exact) {
            return wrong(HeaderFault::NotExact(self.kind));
        }
        Ok(())
    }
}

/// Why a list as a whole would let pass what is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Its measure is none.
    #[error(
        "measure release would let everything on it pass: name audit, documents, inspect, escort or detain; to end a list, take it \
         out of the policy"
    )]
    Releases,
    /// Such a list cannot be matched like that.
    #[error("matching {} never finds anything on a list of {}: take it out; there is {}", .1.name(), .0, ways(*.0))]
    Impossible(ListKind, Match),
    /// It is matched in no way, or not by what is written just as on it.
    #[error("matching without exact does not find what is written as it is on the list: add exact; for {} there is {}", .0, ways(*.0))]
    NotExact(ListKind),
}

fn ways(kind: ListKind) -> String {
    kind.possible_matching().iter().map(|how| how.name()).collect::<Vec<_>>().join(", ")
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name on the list, such as a case number.
    pub entry: String,
    /// What it names: a mark, a name, words, an HS code, a route.
    pub name: String,
    /// First moment at which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UtcMillis>,
    /// First moment at which it holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcMillis>,
    /// What is done, where it differs from the list's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Who says so, where it differs from the list's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Entry {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: UtcMillis) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// A list in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    header: ListHeader,
    entries: Vec<Entry>,
    digest: Digest,
}

/// Why entries are no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Nothing on it: most likely a file that was cut off. To end a list, take it out of the policy.
    #[error(
        "list {0} has no entries: the list in force stays; take the list out of the policy if it is to end"
    )]
    Empty(String),
    /// More than one index holds.
    #[error("list {0} has more than {MOST_ENTRIES} entries: divide it")]
    TooMany(String),
    /// What it says of itself would let pass what is on it.
    #[error("list {list}: {fault}")]
    Header {
        /// Which list.
        list: String,
        /// What is wrong.
        fault: HeaderFault,
    },
    /// An entry that says nothing, or of which nothing could ever match.
    #[error("list {list}, entry {entry}: {why}")]
    Entry {
        /// Which list.
        list: String,
        /// Which entry.
        entry: String,
        /// What is wrong.
        why: String,
    },
}

/// As many entries as one list has.
pub const MOST_ENTRIES: usize = 10_000_000;

impl List {
    /// Of its entries, each of which must be able to match, and none of which may release.
    pub fn new(header: ListHeader, entries: Vec<Entry>) -> Result<Self, ListError> {
        header.check()?;
        if entries.is_empty() {
            return Err(ListError::Empty(header.list));
        }
        if entries.len() > MOST_ENTRIES {
            return Err(ListError::TooMany(header.list));
        }
        for entry in &entries {
            let releases = || {
                let why =
                    "measure release would let it pass: name audit, documents, inspect, escort or detain";
                if entry.measure == Some(Measure::Release) { Err(why.to_owned()) } else { Ok(()) }
            };
            check_name(header.kind, &entry.name).and_then(|()| releases()).map_err(|why| {
                ListError::Entry { list: header.list.clone(), entry: entry.entry.clone(), why }
            })?;
        }
        let digest = digest_of(&header, &entries);
        Ok(Self { header, entries, digest })
    }

    /// What it is.
    pub fn header(&self) -> &ListHeader {
        &self.header
    }

    /// What is on it.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// SHA-256 of its kind, header and entries: what a policy names it by.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// One JSON value a line: a million entries are hashed without being one text.
#[expect(clippy::expect_used, reason = "writing derived types with text keys into a hash cannot fail")]
fn digest_of(header: &ListHeader, entries: &[Entry]) -> Digest {
    struct Hash(Sha256);
    impl std::io::Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Hash(Sha256::new());
    hash.0.update(b"risk.list.1\0");
    serde_json::to_writer(&mut hash, header).expect("hashes");
    let mut line = Vec::new();
    for entry in entries {
        line.clear();
        line.push(b'\n');
        serde_json::to_writer(&mut line, entry).expect("hashes");
        hash.0.update(&line);
    }
    Digest(hash.0.finalize().into())
}

/// Why a name of this kind could never match.
fn check_name(kind: ListKind, name: &str) -> Result<(), String> {
    match kind {
        ListKind::Marks => name.parse::<RegistrationMark>().map(|_| ()).map_err(|e| e.to_string()),
        ListKind::Persons | ListKind::Companies | ListKind::Goods => {
            let told = name.chars().any(char::is_alphanumeric);
            let digits = name.bytes().all(|b| b.is_ascii_digit());
            match (told, kind) {
                (false, _) => Err(format!("{name:?} has no letter or digit")),
                (true, ListKind::Goods) if digits && !(2..=8).contains(&name.len()) => {
                    Err(format!("{name:?} is no HS code: give its first 2 to 8 digits"))
                }
                _ => Ok(()),
            }
        }
        ListKind::Routes => {
            let (origin, place) = name.split_once('>').ok_or_else(|| {
                format!("{name:?} is no route: write ORIGIN>CONTROL_POINT, such as CO>lok-ma-chau or KP>*")
            })?;
            let country = origin.len() == 2 && origin.bytes().all(|b| b.is_ascii_uppercase());
            if origin == "*" && place == "*" {
                Err(format!("{name:?} names every route"))
            } else if origin != "*" && !country {
                Err(format!("{origin:?} is no country: two capital letters, or *"))
            } else if place != "*" {
                place.parse::<SiteId>().map(|_| ()).map_err(|e| e.to_string())
            } else {
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
