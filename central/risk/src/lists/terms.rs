//! What of the facts is looked up, prepared once for all lists.

use std::cell::OnceCell;
use std::collections::HashSet;

use clearance::mark::RegistrationMark;

use super::goods;
use super::keys::{KeyKind, deletions, key, signature};
use super::names::Name;
use crate::assessment::Match;
use crate::facts::{Consignment, Facts};

/// The facts as lists look at them.
#[derive(Debug)]
pub struct Terms<'f> {
    facts: &'f Facts,
    marks: OnceCell<Vec<MarkTerm>>,
    names: OnceCell<Vec<NameTerm>>,
    goods: OnceCell<Vec<GoodsTerm>>,
    routes: OnceCell<Vec<RouteTerm>>,
}

#[derive(Debug)]
pub(super) struct MarkTerm {
    pub(super) at: String,
    pub(super) mark: String,
    pub(super) keys: Vec<(Match, u64)>,
}

#[derive(Debug)]
pub(super) struct NameTerm {
    pub(super) at: String,
    pub(super) name: Name,
    pub(super) keys: Vec<(Match, u64)>,
    /// For finding it misspelt.
    pub(super) fuzzy: Vec<u64>,
    /// Its letters as bits.
    pub(super) letters: u32,
}

#[derive(Debug)]
pub(super) struct GoodsTerm {
    pub(super) at: String,
    pub(super) raw: String,
    pub(super) windows: Vec<(u64, String)>,
    /// The codes' first digits, and where the code stands.
    pub(super) codes: Vec<(u64, String)>,
    pub(super) codes_at: String,
}

#[derive(Debug)]
pub(super) struct RouteTerm {
    pub(super) at: String,
    pub(super) keys: Vec<(u64, String)>,
}

impl<'f> Terms<'f> {
    /// Of `facts`; what no list asks for is never prepared.
    pub fn of(facts: &'f Facts) -> Self {
        let (marks, names, goods, routes) = Default::default();
        Self { facts, marks, names, goods, routes }
    }

    /// The facts themselves.
    pub(super) fn facts(&self) -> &'f Facts {
        self.facts
    }

    pub(super) fn marks(&self) -> &[MarkTerm] {
        self.marks.get_or_init(|| {
            let vehicle = &self.facts.vehicle;
            let mainland =
                vehicle.mainland_mark.iter().map(|mark| ("/vehicle/mainland_mark".to_owned(), mark));
            let trailers =
                vehicle.trailers.iter().enumerate().map(|(i, mark)| (format!("/vehicle/trailers/{i}"), mark));
            std::iter::once(("/vehicle/mark".to_owned(), &vehicle.mark))
                .chain(mainland)
                .chain(trailers)
                .map(|(at, mark)| MarkTerm { at, keys: mark_keys(mark), mark: mark.as_str().to_owned() })
                .collect()
        })
    }

    pub(super) fn names(&self) -> &[NameTerm] {
        self.names.get_or_init(|| {
            let mut told = HashSet::new();
            let mut terms = Vec::new();
            let mut look = |at: String, name: &'f str| {
                // The same consignee on 100 consignments is looked up once.
                if !name.trim().is_empty() && told.insert(name) {
                    let name = Name::of(name);
                    let (keys, fuzzy) = name.query_keys();
                    let letters = signature(name.compact.iter().copied());
                    terms.push(NameTerm { at, name, keys, fuzzy, letters });
                }
            };
            for (at, party) in [("/carrier/name", &self.facts.carrier), ("/driver/name", &self.facts.driver)]
            {
                if let Some(party) = party {
                    look(at.to_owned(), &party.name);
                }
            }
            for (i, consignment) in self.facts.consignments.iter().enumerate() {
                look(format!("/consignments/{i}/consignor/name"), &consignment.consignor.name);
                look(format!("/consignments/{i}/consignee/name"), &consignment.consignee.name);
                if let Some(shipper) = &consignment.shipper {
                    look(format!("/consignments/{i}/shipper/name"), &shipper.name);
                }
            }
            terms
        })
    }

    pub(super) fn goods(&self) -> &[GoodsTerm] {
        self.goods.get_or_init(|| {
            let mut terms = Vec::new();
            for (i, consignment) in self.facts.consignments.iter().enumerate() {
                let at = format!("/consignments/{i}");
                terms.push(goods_term(&at, &consignment.description, consignment.hs_code.as_deref()));
                terms.extend(consignment.goods.iter().enumerate().map(|(line, goods)| {
                    goods_term(&format!("{at}/goods/{line}"), &goods.description, goods.hs_code.as_deref())
                }));
            }
            terms
        })
    }

    pub(super) fn routes(&self) -> &[RouteTerm] {
        self.routes.get_or_init(|| {
            let place = self.facts.control_point.as_str();
            let mut terms = vec![route_term("/control_point".to_owned(), [format!("*>{place}")])];
            let mut told = HashSet::new();
            for (at, origin) in self.facts.consignments.iter().enumerate().flat_map(origins) {
                if told.insert(origin) {
                    terms.push(route_term(at, [format!("{origin}>{place}"), format!("{origin}>*")]));
                }
            }
            terms
        })
    }
}

fn origins((i, consignment): (usize, &Consignment)) -> Vec<(String, &str)> {
    let own = consignment.origin.iter().map(|origin| (format!("/consignments/{i}/origin"), origin.as_str()));
    let lines = consignment.goods.iter().enumerate().filter_map(|(line, goods)| {
        Some((format!("/consignments/{i}/goods/{line}/origin"), goods.origin.as_deref()?))
    });
    own.chain(lines).collect()
}

fn route_term<const N: usize>(at: String, routes: [String; N]) -> RouteTerm {
    RouteTerm { at, keys: routes.into_iter().map(|route| (key(KeyKind::Exact, &route), route)).collect() }
}

fn goods_term(at: &str, description: &str, code: Option<&str>) -> GoodsTerm {
    let code = code.unwrap_or_default();
    let code = if code.is_ascii() { code } else { "" };
    GoodsTerm {
        at: format!("{at}/description"),
        raw: description.split_whitespace().collect::<Vec<_>>().join(" "),
        windows: goods::windows(description),
        codes: (2..=code.len().min(8)).map(|n| (goods::hs_key(&code[..n]), code[..n].to_owned())).collect(),
        codes_at: format!("{at}/hs_code"),
    }
}

/// What a mark is asked for with.
fn mark_keys(mark: &RegistrationMark) -> Vec<(Match, u64)> {
    let chars: Vec<char> = mark.as_str().chars().collect();
    let mut fuzzy = Vec::new();
    deletions(&chars, &mut fuzzy);
    [
        (Match::Exact, key(KeyKind::Exact, mark.as_str())),
        (Match::LookAlike, key(KeyKind::LookAlike, &skeleton(mark.as_str()))),
    ]
    .into_iter()
    .chain(fuzzy.into_iter().map(|key| (Match::Fuzzy, key)))
    .collect()
}

/// What a mark is filed under.
pub(super) fn mark_entry_keys(mark: &str, matching: &[Match]) -> Vec<u64> {
    let mut keys = vec![key(KeyKind::Exact, mark)];
    if matching.contains(&Match::LookAlike) {
        keys.push(key(KeyKind::LookAlike, &skeleton(mark)));
    }
    if matching.contains(&Match::Fuzzy) {
        deletions(&mark.chars().collect::<Vec<_>>(), &mut keys);
    }
    keys
}

/// One character for all that look alike, directly or by a third: marks that look alike have one skeleton. The converse is
/// tested character by character (1 looks like T and T like 7, but not 1 like 7).
fn skeleton(mark: &str) -> String {
    mark.chars()
        .map(|c| match c {
            'O' | 'D' | 'Q' => '0',
            'I' | 'L' | 'T' | '7' => '1',
            'Z' => '2',
            'S' => '5',
            'G' => '6',
            'B' => '8',
            'V' => 'U',
            '澳' => '港',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clearance::mark::{ALPHABET, look_alike};

    use super::*;

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        for a in ALPHABET {
            for b in ALPHABET {
                if look_alike(a, b) {
                    assert_eq!(skeleton(&a.to_string()), skeleton(&b.to_string()), "{a} {b}");
                }
            }
        }
    }
}
