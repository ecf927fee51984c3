//! A list with its index.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use clearance::mark::{RegistrationMark, look_alike};
use rapidfuzz::distance::osa;

use super::goods::{entry_key, is_hs_code};
use super::keys::{KeyKind, MOST_TOLERATED, OfNumbers, key, signature};
use super::names::{Listed, Name, Spoken};
use super::normal::Normal;
use super::postings::Postings;
use super::terms::{MarkTerm, NameTerm, Terms, mark_entry_keys};
use super::{Entry, List, ListKind};
use crate::assessment::{Match, Measure, Reason};
use crate::number::Probability;

/// As many entries as are looked at for one misspelt name, those first that share the rarest part of it. With one letter wrong, a
/// name is always found before; with two, a part that very many share ("shenzhen") tells nothing.
const MOST_LOOKED_AT: usize = 1_000;

/// As many entries as are compared that sound like one name.
const MOST_SOUNDING: usize = 64;

/// As many hits of one list as are told: of more, the strictest, then the surest.
pub const MOST_HITS: usize = 50;

/// An entry that matches something of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit<'l> {
    /// The entry.
    pub entry: &'l Entry,
    /// Where in the facts, as a JSON pointer.
    pub at: String,
    /// How it matches.
    pub how: Match,
    /// How alike they are.
    pub similarity: Probability,
    /// What is done.
    pub measure: Measure,
}

/// A list that can be looked up.
#[derive(Debug)]
pub struct ListIndex {
    list: Arc<List>,
    postings: Postings<u32>,
    /// For finding names misspelt.
    misspelt: Postings<Filed>,
    /// The names as they are compared, where they differ from how they are written.
    compact: Vec<Box<str>>,
    /// Of names, how they sound.
    spoken: Vec<Spoken>,
}

/// An entry with its letters as bits: most that share a part are told apart by these, without being looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Filed {
    entry: u32,
    letters: u32,
}

impl ListIndex {
    /// Build the index: about a second for a hundred thousand names.
    pub fn new(list: Arc<List>) -> Self {
        let header = list.header();
        let mut pairs = Vec::with_capacity(list.entries().len() * 4);
        let (mut compact, mut spoken, mut misspelt) = (Vec::new(), Vec::new(), Vec::new());
        for (i, entry) in list.entries().iter().enumerate() {
            let keys = match header.kind {
                ListKind::Marks => {
                    // A list has been checked: its names are marks.
                    let mark = entry
                        .name
                        .parse::<RegistrationMark>()
                        .map_or_else(|_| entry.name.clone(), String::from);
                    let keys = mark_entry_keys(&mark, &header.matching);
                    compact.push(mark.into_boxed_str());
                    keys
                }
                ListKind::Persons | ListKind::Companies => {
                    let name = Name::of(&entry.name);
                    let filed = Filed { entry: i as u32, letters: signature(name.compact.iter().copied()) };
                    compact.push(name.compact.iter().collect::<String>().into_boxed_str());
                    spoken.push(name.spoken());
                    let (plain, fuzzy) = name.entry_keys(&header.matching);
                    misspelt.extend(fuzzy.into_iter().map(|key| (key, filed)));
                    plain
                }
                ListKind::Goods => {
                    compact.push(Normal::of_goods(&entry.name).compact().into_boxed_str());
                    vec![entry_key(&entry.name)]
                }
                ListKind::Routes => vec![key(KeyKind::Exact, &entry.name)],
            };
            pairs.extend(keys.into_iter().map(|key| (key, i as u32)));
        }
        Self { postings: Postings::new(pairs), misspelt: Postings::new(misspelt), compact, spoken, list }
    }

    /// The list.
    pub fn list(&self) -> &List {
        &self.list
    }

    fn allows(&self, how: Match) -> bool {
        self.list.header().matching.contains(&how)
    }

    /// Everything on it that matches the facts and holds at the moment of their assessment: at most [`MOST_HITS`], the
    /// strictest first, then the surest.
    pub fn screen(&self, terms: &Terms<'_>) -> Vec<Hit<'_>> {
        let mut hits = Hits { index: self, terms, best: HashMap::default() };
        match self.list.header().kind {
            ListKind::Marks => terms.marks().iter().enumerate().for_each(|(i, term)| hits.mark(i, term)),
            ListKind::Persons | ListKind::Companies => {
                terms.names().iter().enumerate().for_each(|(i, term)| hits.name(i, term));
            }
            ListKind::Goods => hits.goods(),
            ListKind::Routes => hits.routes(),
        }
        hits.sorted()
    }
}

/// By entry and place: how they match, how alike they are, and where in the facts that is.
type Best<'t> = HashMap<(u32, usize), (Match, Probability, &'t str), BuildHasherDefault<OfNumbers>>;

/// The best match for each entry and place found so far.
struct Hits<'l, 't> {
    index: &'l ListIndex,
    terms: &'t Terms<'t>,
    best: Best<'t>,
}

impl<'l, 't> Hits<'l, 't> {
    fn note(&mut self, entry: u32, place: usize, at: &'t str, found: Option<(Match, Probability)>) {
        let Some((how, similarity)) = found.filter(|(how, _)| self.index.allows(*how)) else { return };
        if !self.index.list.entries()[entry as usize].holds(self.terms.facts().assessed) {
            return;
        }
        let best = self.best.entry((entry, place)).or_insert((how, similarity, at));
        if how < best.0 {
            *best = (how, similarity, at);
        }
    }

    fn mark(&mut self, place: usize, term: &'t MarkTerm) {
        let index = self.index;
        let asked = term.keys.iter().copied().filter(|(via, _)| index.allows(*via));
        index.postings.of_each(asked, |via, entries| {
            for entry in entries {
                let found = judge_mark(via, &term.mark, &index.compact[*entry as usize]);
                self.note(*entry, place, &term.at, found);
            }
        });
    }

    fn name(&mut self, place: usize, term: &'t NameTerm) {
        let index = self.index;
        let asked = term.keys.iter().copied().filter(|(via, _)| index.allows(*via));
        index.postings.of_each(asked, |via, entries| {
            let most = if via == Match::Phonetic { MOST_SOUNDING } else { entries.len() };
            entries.iter().take(most).for_each(|entry| self.compare(via, *entry, place, term));
        });
        if !index.allows(Match::Fuzzy) {
            return;
        }
        let mut misspelt: Vec<&[Filed]> = Vec::new();
        index.misspelt.of_each(term.fuzzy.iter().map(|key| ((), *key)), |(), entries| misspelt.push(entries));
        misspelt.sort_by_key(|entries| entries.len());
        for filed in misspelt.into_iter().flatten().take(MOST_LOOKED_AT) {
            if (filed.letters ^ term.letters).count_ones() <= 2 * MOST_TOLERATED {
                self.compare(Match::Fuzzy, filed.entry, place, term);
            }
        }
    }

    fn compare(&mut self, via: Match, entry: u32, place: usize, term: &'t NameTerm) {
        // Found more surely before.
        if self.best.get(&(entry, place)).is_some_and(|best| best.0 <= via) {
            return;
        }
        let at = entry as usize;
        let listed = Listed {
            raw: &self.index.list.entries()[at].name,
            compact: &self.index.compact[at],
            spoken: &self.index.spoken[at],
        };
        let found = term.name.judge(via, listed);
        self.note(entry, place, &term.at, found);
    }

    fn goods(&mut self) {
        let (index, terms) = (self.index, self.terms);
        for (place, term) in terms.goods().iter().enumerate() {
            index.postings.of_each(term.windows.iter().map(|(key, text)| (text, *key)), |window, entries| {
                for entry in entries {
                    let written = &index.list.entries()[*entry as usize].name;
                    let same = !is_hs_code(written) && *index.compact[*entry as usize] == **window;
                    let how = if term.raw == *written { Match::Exact } else { Match::Normalised };
                    self.note(*entry, place, &term.at, same.then_some((how, Probability::ONE)));
                }
            });
            index.postings.of_each(term.codes.iter().map(|(key, text)| (text, *key)), |code, entries| {
                for entry in entries {
                    let same = index.list.entries()[*entry as usize].name == *code;
                    let found = same.then_some((Match::Exact, Probability::ONE));
                    self.note(*entry, place, &term.codes_at, found);
                }
            });
        }
    }

    fn routes(&mut self) {
        let (index, terms) = (self.index, self.terms);
        for (place, term) in terms.routes().iter().enumerate() {
            index.postings.of_each(term.keys.iter().map(|(key, text)| (text, *key)), |route, entries| {
                for entry in entries {
                    let same = index.list.entries()[*entry as usize].name == *route;
                    self.note(*entry, place, &term.at, same.then_some((Match::Exact, Probability::ONE)));
                }
            });
        }
    }

    fn sorted(self) -> Vec<Hit<'l>> {
        let header = self.index.list.header();
        let mut found: Vec<_> = self.best.into_iter().collect();
        let measure = |entry: u32| {
            let entry = &self.index.list.entries()[entry as usize];
            entry.measure.unwrap_or(header.measure)
        };
        found.sort_unstable_by_key(|((entry, place), (how, similarity, _))| {
            (std::cmp::Reverse(measure(*entry)), *how, std::cmp::Reverse(*similarity), *place, *entry)
        });
        found.truncate(MOST_HITS);
        found
            .into_iter()
            .map(|((entry, _), (how, similarity, at))| Hit {
                entry: &self.index.list.entries()[entry as usize],
                at: at.to_owned(),
                how,
                similarity,
                measure: measure(entry),
            })
            .collect()
    }
}

impl Hit<'_> {
    /// As a reason.
    pub fn reason(&self, list: &List) -> Reason {
        Reason::List {
            list: list.header().list.clone(),
            entry: self.entry.entry.clone(),
            at: self.at.clone(),
            how: self.how,
            similarity: self.similarity,
            confidentiality: list.header().confidentiality,
            measure: self.measure,
        }
    }
}

fn judge_mark(via: Match, seen: &str, listed: &str) -> Option<(Match, Probability)> {
    let longest = seen.chars().count().max(listed.chars().count()) as u64;
    let matched = match via {
        Match::Exact => seen == listed,
        Match::LookAlike => {
            seen != listed
                && seen.chars().count() == listed.chars().count()
                && seen.chars().zip(listed.chars()).all(|(a, b)| look_alike(a, b))
        }
        Match::Fuzzy => {
            osa::distance_with_args(seen.chars(), listed.chars(), &osa::Args::default().score_cutoff(1))
                .is_some()
        }
        Match::Normalised | Match::Phonetic => false,
    };
    let same = seen.chars().zip(listed.chars()).filter(|(a, b)| a == b).count() as u64;
    let alike = match via {
        Match::Fuzzy => Probability::ratio(longest - 1, longest),
        _ => Probability::ratio(same, longest),
    };
    matched.then_some((via, alike))
}
