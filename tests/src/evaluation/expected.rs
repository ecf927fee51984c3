//! The vehicles a site expects: those of a set and invented ones beside them, and what matching reads to such a list
//! comes to. It ranks what an officer is offered and never releases: see [`super::matching`].

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::acceptance::rounded;
use super::labels::{Label, LabelledSet};
use super::matching::{Evidence, Ranking, Spelling, explain, rank};
use super::scoring::{Scored, Verdict};
use super::spelling::normal;

/// The margins that acceptance is reported for: how many times likelier the first must be. A vehicle that explains its
/// read perfectly is about a thousand times likelier than one that is not on the list (the prior of `matching`), so no
/// larger margin can be asked for.
const MARGINS: [f64; 4] = [1.0, 10.0, 100.0, 500.0];

/// One invented vehicle in this many has no mainland plate.
const WITHOUT_MAINLAND: usize = 3;

/// A mark as it is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// As [`normal`] spells it.
    pub mark: String,
    pub(super) spelling: Spelling,
}

impl Registered {
    fn new(mark: &str) -> Option<Self> {
        Some(Self { mark: normal(mark), spelling: Spelling::of(mark)? })
    }
}

/// A vehicle that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Vehicle {
    /// Its Hong Kong mark, which identifies it.
    pub hong_kong: Registered,
    /// Its mainland mark, if it has one.
    pub mainland: Option<Registered>,
}

impl Vehicle {
    /// From its marks; `None` when a mark has characters that no plate here carries.
    pub fn new(hong_kong: &str, mainland: Option<&str>) -> Option<Self> {
        let mainland = match mainland {
            Some(mark) => Some(Registered::new(mark)?),
            None => None,
        };
        Some(Self { hong_kong: Registered::new(hong_kong)?, mainland })
    }
}

/// One vehicle in one picture: the plates that were labelled on it.
struct Sighted<'a> {
    hong_kong: &'a Verdict<'a>,
    mainland: Option<&'a Verdict<'a>>,
}

/// Which plates of a vehicle are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Using {
    /// The Hong Kong plate alone.
    HongKong,
    /// The mainland plate alone.
    Mainland,
    /// Both together.
    Both,
}

/// What a margin accepts. Parts are of [`Matching::vehicles`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtMargin {
    /// How many times likelier the first vehicle must be than the second and than one not on the list.
    pub margin: f64,
    /// Part of the vehicles accepted as the right one.
    pub accepted_right: f64,
    /// Part accepted as a wrong one although the right one was expected.
    pub accepted_wrong: f64,
    /// Part accepted as another one when the right one was not expected.
    pub false_accepts_absent: f64,
    /// The same when only the margin over the second counts and nobody asks whether the vehicle is on the list at all.
    pub false_accepts_absent_second_only: f64,
}

/// What matching to the list comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matching {
    /// From which plates.
    pub using: Using,
    /// Vehicles that carry these plates, one for each picture they are in.
    pub vehicles: usize,
    /// Vehicles on the list.
    pub expected: usize,
    /// Part whose plates were all read exactly, without a list.
    pub exact_unconstrained: f64,
    /// Part whose plates were all accepted without a list at the bundle's threshold though one of them is misread.
    pub false_accepts_unconstrained: f64,
    /// Part whose right vehicle comes first.
    pub ranked_first: f64,
    /// What margins accept.
    pub at_margin: Vec<AtMargin>,
}

/// The vehicles of a set's pictures: each Hong Kong plate with the mainland plate nearest to it.
fn sighted<'a>(scored: &'a Scored<'a>) -> Vec<Sighted<'a>> {
    let mut pictures: BTreeMap<usize, Vec<&Verdict<'_>>> = BTreeMap::new();
    for verdict in &scored.verdicts {
        pictures.entry(verdict.picture).or_default().push(verdict);
    }
    let distance = |a: &Label, b: &Label| {
        let (a, b) = (a.corners.centre(), b.corners.centre());
        (a.x - b.x).hypot(a.y - b.y)
    };
    let of_picture = |verdicts: &Vec<&'a Verdict<'a>>| {
        let mainland =
            verdicts.iter().filter(|v| v.label.country == "CN-GD-cross").copied().collect::<Vec<_>>();
        let hong_kong = verdicts.iter().filter(|v| v.label.country == "HK").copied();
        let vehicle = |hong_kong: &'a Verdict<'a>| {
            let far = |v: &&Verdict<'_>| distance(v.label, hong_kong.label);
            let nearest = mainland.iter().copied().min_by(|a, b| far(a).total_cmp(&far(b)));
            Sighted { hong_kong, mainland: nearest }
        };
        hong_kong.map(vehicle).collect::<Vec<_>>()
    };
    pictures.values().flat_map(of_picture).collect()
}

/// The set's vehicles and invented ones up to `n`, the same for a seed everywhere. With each, how to find it by its
/// Hong Kong mark.
fn expected(
    sighted: &[Sighted<'_>],
    n: usize,
    seed: u64,
) -> anyhow::Result<(Vec<Vehicle>, HashMap<String, usize>)> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (mut list, mut places) = (Vec::new(), HashMap::new());
    let mut mainland_marks: HashSet<String> = HashSet::new();
    for vehicle in sighted {
        let mark = |v: &Verdict<'_>| v.label.text.clone();
        let (hong_kong, mainland) = (mark(vehicle.hong_kong), vehicle.mainland.map(mark));
        let made = Vehicle::new(&hong_kong, mainland.as_deref())
            .with_context(|| format!("{hong_kong}: no plate of our lanes carries these characters"))?;
        let mainland = made.mainland.as_ref().map(|m| m.mark.clone());
        if let Some(&place) = places.get(&made.hong_kong.mark) {
            // Seen before, perhaps from a side that does not show the mainland plate.
            let known: &mut Vehicle = &mut list[place];
            known.mainland = known.mainland.take().or(made.mainland);
        } else {
            places.insert(made.hong_kong.mark.clone(), list.len());
            list.push(made);
        }
        mainland_marks.extend(mainland);
    }
    while list.len() < n {
        let mainland = (dice.random_range(0..WITHOUT_MAINLAND) > 0).then(|| mainland_mark(&mut dice));
        let Some(made) = Vehicle::new(&hong_kong_mark(&mut dice), mainland.as_deref()) else { continue };
        // Marks are given once.
        let taken = made.mainland.as_ref().is_some_and(|m| !mainland_marks.insert(m.mark.clone()));
        if !taken && !places.contains_key(&made.hong_kong.mark) {
            places.insert(made.hong_kong.mark.clone(), list.len());
            list.push(made);
        }
    }
    Ok((list, places))
}

/// Letters of marks: never I, O, Q.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";

/// Two letters and one to four digits without leading zeros, uniform in the number: nine in ten have four, as on the
/// road.
fn hong_kong_mark(dice: &mut ChaCha8Rng) -> String {
    let mut letter = || char::from(LETTERS[dice.random_range(0..LETTERS.len())]);
    let letters = [letter(), letter()];
    format!("{}{}{}", letters[0], letters[1], dice.random_range(1..=9999))
}

/// 粤Z, a letter and three digits (in one of four the letter comes last), 港.
fn mainland_mark(dice: &mut ChaCha8Rng) -> String {
    let letter = char::from(LETTERS[dice.random_range(0..LETTERS.len())]);
    let number = dice.random_range(0..1000);
    if dice.random_range(0..4) == 0 {
        format!("粤Z{number:03}{letter}港")
    } else {
        format!("粤Z{letter}{number:03}港")
    }
}

/// What is seen of a vehicle when these plates are used; `None` when it does not carry them.
fn plates<'a>(vehicle: &Sighted<'a>, using: Using) -> Option<Vec<&'a Verdict<'a>>> {
    match using {
        Using::HongKong => Some(vec![vehicle.hong_kong]),
        Using::Mainland => Some(vec![vehicle.mainland?]),
        Using::Both => Some(vec![vehicle.hong_kong, vehicle.mainland?]),
    }
}

/// Match the vehicles of a set of our lanes to a list of `n` expected ones. Reads go to vehicles by their labels, so
/// what is measured is the matching, not the finding of plates; a plate that was not found is no evidence.
/// `threshold`: the bundle's, for the figures without a list. `None` for sets of other places.
pub fn matching(
    set: &LabelledSet,
    scored: &Scored<'_>,
    n: usize,
    seed: u64,
    threshold: f64,
) -> anyhow::Result<Vec<Matching>> {
    let sighted = sighted(scored);
    if sighted.is_empty() || !set.is_of_our_lanes() {
        return Ok(Vec::new());
    }
    let (list, places) = expected(&sighted, n, seed)?;
    let mut figures = Vec::new();
    for using in [Using::HongKong, Using::Mainland, Using::Both] {
        let (mut vehicles, mut exact, mut wrong) = (0, 0, 0);
        let mut present: Vec<(Ranking, bool)> = Vec::new();
        let mut absent: Vec<Ranking> = Vec::new();
        for vehicle in &sighted {
            let Some(plates) = plates(vehicle, using) else { continue };
            vehicles += 1;
            let all_exact = plates.iter().all(|v| v.exact);
            exact += usize::from(all_exact);
            let accepted = plates.iter().all(|v| v.confidence().is_some_and(|c| c >= threshold));
            wrong += usize::from(accepted && !all_exact);
            let reads = plates.iter().filter_map(|v| v.detection);
            let evidence: Vec<Evidence> = reads
                .filter_map(|d| Some(Evidence::new(&d.read.as_ref()?.characters, d.is_mainland())))
                .collect();
            let truth = places.get(&normal(&vehicle.hong_kong.label.text)).copied();
            let explained = explain(&evidence, &list);
            present.extend(rank(&evidence, &explained, None).map(|r| (r, Some(r.best) == truth)));
            absent.extend(rank(&evidence, &explained, truth));
        }
        if vehicles == 0 {
            continue;
        }
        let part = |n: usize| rounded(n as f64 / vehicles as f64);
        let at = |margin: f64| {
            let taken =
                |right: bool| present.iter().filter(|(r, is)| *is == right && r.margin() >= margin).count();
            let falsely = |f: fn(&Ranking) -> f64| absent.iter().filter(|r| f(r) >= margin).count();
            AtMargin {
                margin,
                accepted_right: part(taken(true)),
                accepted_wrong: part(taken(false)),
                false_accepts_absent: part(falsely(Ranking::margin)),
                false_accepts_absent_second_only: part(falsely(|r| r.over_second)),
            }
        };
        figures.push(Matching {
            using,
            vehicles,
            expected: list.len(),
            exact_unconstrained: part(exact),
            false_accepts_unconstrained: part(wrong),
            ranked_first: part(present.iter().filter(|(_, right)| *right).count()),
            at_margin: MARGINS.map(at).to_vec(),
        });
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::super::scoring::score;
    use super::super::scoring::tests::{label, set};
    use super::*;

    #[test]
    fn the_list_holds_the_sets_vehicles_once_and_is_the_same_for_a_seed() {
        let set = set(vec![
            vec![label("AB1234", 0.0, "HK"), label("粤ZA123港", 200.0, "CN-GD-cross")],
            vec![label("AB1234", 0.0, "HK")],
        ]);
        let reads = HashMap::new();
        let scored = score(&set, &reads);
        let (list, places) = expected(&sighted(&scored), 200, 7).unwrap();
        assert_eq!((list.len(), places.len()), (200, 200));
        assert_eq!(list[0].mainland.as_ref().unwrap().mark, "粤ZA123港");
        assert_eq!(expected(&sighted(&scored), 200, 7).unwrap().0, list);
        assert_ne!(expected(&sighted(&scored), 200, 8).unwrap().0, list);
        let figures = matching(&set, &scored, 200, 7, 0.9).unwrap();
        assert_eq!((figures[0].vehicles, figures[2].vehicles), (2, 1));
        assert_eq!(figures[0].ranked_first, 0.0, "nothing was read");
    }
}
