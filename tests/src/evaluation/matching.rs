//! Ranking the vehicles that are expected by how well they explain what was read of a vehicle's plates, jointly.
//!
//! This ranks what an officer is offered first; it never releases. An expected vehicle explains a misread of a vehicle
//! that is not expected all too well, so an answer from a list is no evidence that the vehicle is on the list.
//!
//! The reader gives ten positions, each with a distribution over "nothing" and the characters. A mark's likelihood is
//! the sum over all ways to lay its characters over the positions in order, the positions taken as independent, as
//! `models::candidates` takes them. Three kinds of slip are allowed for, each at a price: a position that says another
//! character than it was sure of, a position that says something which is no character of the mark, and a character
//! of the mark that no position says.

use clearance::mark::{ALPHABET, CLASSES};
use clearance::read::CharacterDistribution;

use super::expected::Vehicle;
use super::spelling::normal;

/// Part of each position's probability that goes to all classes alike: the reader is never surer than this allows.
const SURPRISE: f64 = 0.005;

/// Probability that a position says something that is no character of the mark.
const EXTRA: f64 = 1e-4;

/// Probability that a character of the mark is said by no position.
const MISSED: f64 = 1e-4;

/// Probability of a plate that is not registered for its vehicle: a mainland plate at one that has none.
const UNREGISTERED: f64 = 1e-7;

/// Probability, before looking, that the vehicle is none of the list and its plates say what they seem to say.
const UNLISTED: f64 = 1e-3;

/// A mark in the reader's classes, spelt as [`normal`] spells it; `None` for one with characters no reader knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelling(Vec<usize>);

impl Spelling {
    /// Of a mark.
    pub fn of(mark: &str) -> Option<Self> {
        normal(mark).chars().map(class).collect::<Option<_>>().map(Self)
    }
}

fn class(c: char) -> Option<usize> {
    ALPHABET.iter().position(|&a| a == c).map(|i| i + 1)
}

/// What was read of one plate, ready to be compared with many marks.
#[derive(Clone, Debug)]
pub struct Evidence {
    positions: Vec<[f64; CLASSES]>,
    mainland: bool,
}

impl Evidence {
    /// From a reader's positions; `mainland` says whose form the plate seems to have.
    pub fn new(characters: &[CharacterDistribution], mainland: bool) -> Self {
        let positions = characters.iter().map(|p| {
            let mut position = p.map(|p| f64::from(p) * (1.0 - SURPRISE) + SURPRISE / CLASSES as f64);
            // O counts as 0 and I as 1, as in the spelling of marks.
            for (letter, digit) in [('O', '0'), ('I', '1')] {
                if let (Some(from), Some(to)) = (class(letter), class(digit)) {
                    position[to] += position[from];
                    position[from] = 0.0;
                }
            }
            position
        });
        Self { positions: positions.collect(), mainland }
    }

    /// The probability of this read, given that the plate carries the mark.
    pub fn likelihood(&self, mark: &Spelling) -> f64 {
        let n = mark.0.len();
        // Probability that the positions so far said the first j characters.
        let mut said = vec![0.0; n + 1];
        said[0] = 1.0;
        skip_characters(&mut said);
        for position in &self.positions {
            for j in (0..=n).rev() {
                let nothing_new = said[j] * (position[0] + EXTRA * (1.0 - position[0]));
                let next = if j > 0 { said[j - 1] * position[mark.0[j - 1]] } else { 0.0 };
                said[j] = nothing_new + next;
            }
            skip_characters(&mut said);
        }
        said[n]
    }

    /// The probability of the text that the positions say most clearly: no mark explains the read much better.
    fn clearest(&self) -> f64 {
        self.positions.iter().map(|p| p.iter().copied().fold(0.0, f64::max)).product()
    }

    fn explained_by(&self, vehicle: &Vehicle) -> f64 {
        match (self.mainland, &vehicle.mainland) {
            (false, _) => self.likelihood(&vehicle.hong_kong.spelling),
            (true, Some(mark)) => self.likelihood(&mark.spelling),
            (true, None) => UNREGISTERED * self.clearest(),
        }
    }
}

/// At most one character is missed between two positions.
fn skip_characters(said: &mut [f64]) {
    for j in (1..said.len()).rev() {
        said[j] += said[j - 1] * MISSED;
    }
}

/// The order of the expected vehicles for what was read, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranking {
    /// Index of the likeliest vehicle.
    pub best: usize,
    /// How many times likelier it is than the second.
    pub over_second: f64,
    /// How many times likelier it is than a vehicle that is not on the list and carries what the plates seem to say,
    /// which had the chance [`UNLISTED`] before.
    pub over_unlisted: f64,
}

impl Ranking {
    /// The margin: over the second and over what is not on the list, whichever is closer.
    pub fn margin(&self) -> f64 {
        self.over_second.min(self.over_unlisted)
    }
}

/// Natural logarithms of how well each of the vehicles explains all the plates together, in the order of the list.
pub fn explain(plates: &[Evidence], vehicles: &[Vehicle]) -> Vec<f64> {
    let log = |v: &Vehicle| plates.iter().map(|p| p.explained_by(v).max(f64::MIN_POSITIVE).ln()).sum();
    vehicles.iter().map(log).collect()
}

/// Rank vehicles by [`explain`]'s answer, `without` one of them: to ask what would be said if that one were not
/// expected. `None` when there is no plate or no vehicle.
pub fn rank(plates: &[Evidence], explained: &[f64], without: Option<usize>) -> Option<Ranking> {
    if plates.is_empty() {
        return None;
    }
    let mut listed = explained.iter().copied().enumerate().filter(|(i, _)| Some(*i) != without);
    let (mut best, mut best_log) = listed.next()?;
    let mut second = f64::NEG_INFINITY;
    for (place, log) in listed {
        if log > best_log {
            second = best_log;
            (best, best_log) = (place, log);
        } else {
            second = second.max(log);
        }
    }
    let unlisted: f64 =
        plates.iter().map(|p| p.clearest().max(f64::MIN_POSITIVE).ln()).sum::<f64>() + UNLISTED.ln();
    Some(Ranking { best, over_second: (best_log - second).exp(), over_unlisted: (best_log - unlisted).exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that says `text` with probability `p` at each position.
    fn says(text: &str, p: f32) -> Vec<CharacterDistribution> {
        let chars: Vec<char> = text.chars().collect();
        (0..clearance::mark::MAX_CHARACTERS)
            .map(|i| {
                let mut d = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
                d[chars.get(i).and_then(|&c| class(c)).unwrap_or(0)] = p;
                d
            })
            .collect()
    }

    fn vehicles(marks: &[(&str, Option<&str>)]) -> Vec<Vehicle> {
        marks.iter().map(|(hk, mainland)| Vehicle::new(hk, *mainland).unwrap()).collect()
    }

    #[test]
    fn the_same_mark_is_likelier_than_one_that_misses_a_character_than_a_stranger() {
        let read = Evidence::new(&says("AB123", 0.99), false);
        let of = |mark: &str| read.likelihood(&Spelling::of(mark).unwrap());
        assert!(of("AB123") > 0.8);
        assert!(of("AB123") > 100.0 * of("AB1234") && of("AB1234") > 100.0 * of("XY99"));
        assert!(of("AB12") > 100.0 * of("XY99"));
        assert_eq!(Spelling::of("é1"), None);
        assert!(Evidence::new(&says("AB1O", 0.99), false).likelihood(&Spelling::of("AB10").unwrap()) > 0.8);
    }

    #[test]
    fn both_plates_together_decide_where_one_cannot() {
        let list = vehicles(&[("AB1234", Some("粤ZA123港")), ("AB1284", Some("粤ZB456港")), ("CD1", None)]);
        // A position that cannot tell 3 from 8.
        let mut blurred = says("AB1234", 0.98);
        blurred[4] = [0.0; CLASSES];
        (blurred[4][class('3').unwrap()], blurred[4][class('8').unwrap()]) = (0.49, 0.51);
        let alone = [Evidence::new(&blurred, false)];
        let ranking = rank(&alone, &explain(&alone, &list), None).unwrap();
        assert!(ranking.margin() < 2.0, "one plate alone must not be accepted: {ranking:?}");
        let both = [alone[0].clone(), Evidence::new(&says("粤ZA123港", 0.98), true)];
        let ranking = rank(&both, &explain(&both, &list), None).unwrap();
        assert_eq!(ranking.best, 0);
        assert!(ranking.margin() > 100.0, "{ranking:?}");
    }

    #[test]
    fn a_clear_read_of_an_absent_vehicle_has_no_margin() {
        let list = vehicles(&[("AB1234", Some("粤ZA123港")), ("AB1235", None)]);
        let plates = [Evidence::new(&says("AB1234", 0.99), false)];
        let explained = explain(&plates, &list);
        assert!(rank(&plates, &explained, None).unwrap().margin() > 100.0);
        let absent = rank(&plates, &explained, Some(0)).unwrap();
        assert_eq!(absent.best, 1);
        assert!(absent.margin() < 1.0, "{absent:?}");
        assert_eq!(rank(&[], &explained, None), None);
        assert_eq!(rank(&plates, &[], None), None);
    }

    #[test]
    fn a_mainland_plate_speaks_against_vehicles_that_have_none() {
        let list = vehicles(&[("AB1234", None), ("AB1234", Some("粤ZA123港"))]);
        let plates =
            [Evidence::new(&says("AB1234", 0.9), false), Evidence::new(&says("粤ZA123港", 0.9), true)];
        assert_eq!(rank(&plates, &explain(&plates, &list), None).unwrap().best, 1);
    }
}
