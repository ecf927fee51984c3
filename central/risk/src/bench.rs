//! How fast the engine is: a made-up world of lists, rules and movements, and what is measured in it.

mod world;

use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

pub use self::world::{Size, World};
use crate::canonical::Canonical;
use crate::engine::Engine;
use crate::lists::Terms;

/// One figure and what it must keep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub figure: &'static str,
    /// How much.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What it must not exceed, or fall below.
    pub limit: Option<Limit>,
    /// Whether it keeps its limit.
    pub kept: bool,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most.
    AtMost(f64),
    /// At least.
    AtLeast(f64),
}

impl Figure {
    fn new(figure: &'static str, value: f64, unit: &'static str, limit: Option<Limit>) -> Self {
        let kept = match limit {
            Some(Limit::AtMost(most)) => value <= most,
            Some(Limit::AtLeast(least)) => value >= least,
            None => true,
        };
        Self { figure, value, unit, limit, kept }
    }
}

/// How often all movements are gone through.
const PASSES: usize = 3;

/// What each movement took the first time, and the least of all times: on a machine that others use, too, the slowest of a hundred are
/// those that were interrupted, and not twice the same. Between two looks at one movement lie all others, so that nothing of it is at hand still.
#[derive(Default)]
struct Passes {
    first: Vec<Duration>,
    least: Vec<Duration>,
}

impl Passes {
    fn add(&mut self, times: impl Iterator<Item = Duration>) {
        if self.first.is_empty() {
            self.first = times.collect();
            self.least.clone_from(&self.first);
        } else {
            self.least.iter_mut().zip(times).for_each(|(least, time)| *least = time.min(*least));
        }
    }
}

/// Everything that is measured, each as it is known: matching, assessing on one core, throughput on one and two, and how many
/// misspelt names are found. `rounds`: how many movements are timed.
pub fn measure(size: Size, rounds: usize, seed: u64, mut tell: impl FnMut(Figure)) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let started = Instant::now();
    let world = World::new(size, &mut random);
    tell(Figure::new("risk.build", started.elapsed().as_secs_f64(), "s", None));
    tell(Figure::new("risk.entries", world.entries() as f64, "entries", None));
    let movements = world.movements(rounds, &mut random);

    let mut matching = Passes::default();
    for _ in 0..PASSES {
        matching.add(movements.iter().map(|(facts, _)| {
            let started = Instant::now();
            let terms = Terms::of(facts);
            let hits: usize = world.lists.iter().map(|index| index.screen(&terms).len()).sum();
            std::hint::black_box(hits);
            started.elapsed()
        }));
    }
    let most = Some(Limit::AtMost(1_000.0));
    tell(Figure::new("risk.match.p50", micros(percentile(&mut matching.first, 0.50)), "us", None));
    tell(Figure::new("risk.match.p99", micros(percentile(&mut matching.first, 0.99)), "us", most));
    let undisturbed = micros(percentile(&mut matching.least, 0.99));
    tell(Figure::new("risk.match.p99_undisturbed", undisturbed, "us", None));

    let engine = &world.engine;
    let (mut assessing, mut reasons) = (Passes::default(), 0_usize);
    for _ in 0..PASSES {
        assessing.add(movements.iter().map(|(facts, circumstances)| {
            let started = Instant::now();
            let assessment = engine.assess(facts, circumstances);
            // What is stored is a part of it.
            std::hint::black_box(assessment.canonical().len());
            let took = started.elapsed();
            reasons += assessment.reasons.len();
            took
        }));
    }
    let (mut assessing, mut undisturbed) = (assessing.first, assessing.least);
    let rate = rounds as f64 / assessing.iter().sum::<Duration>().as_secs_f64();
    tell(Figure::new("risk.reasons_each", reasons as f64 / (PASSES * rounds).max(1) as f64, "reasons", None));
    tell(Figure::new("risk.assess.p50", millis(percentile(&mut assessing, 0.50)), "ms", None));
    tell(Figure::new(
        "risk.assess.p99",
        millis(percentile(&mut assessing, 0.99)),
        "ms",
        Some(Limit::AtMost(5.0)),
    ));
    let undisturbed = millis(percentile(&mut undisturbed, 0.99));
    tell(Figure::new("risk.assess.p99_undisturbed", undisturbed, "ms", None));
    tell(Figure::new("risk.assess.rate_1", rate, "movements/s", None));
    let rate = rate_on_two(engine, &movements);
    tell(Figure::new("risk.assess.rate_2", rate, "movements/s", Some(Limit::AtLeast(500.0))));
    tell(Figure::new(
        "risk.match.recall",
        world.recall(1_000, &mut random),
        "part",
        Some(Limit::AtLeast(0.95)),
    ));
}

fn rate_on_two(engine: &Engine, movements: &[(crate::Facts, crate::Circumstances)]) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for (facts, circumstances) in movements {
                    std::hint::black_box(engine.assess(facts, circumstances).canonical().len());
                }
            });
        }
    });
    2.0 * movements.len() as f64 / started.elapsed().as_secs_f64()
}

/// The `part` of the way through, sorting them.
fn percentile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * part).ceil() as usize).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_told_and_a_small_world_keeps_its_limits_but_for_time() {
        let mut figures = Vec::new();
        measure(Size { entries: 3_000, rules: 40 }, 30, 7, |figure| figures.push(figure));
        let of =
            |name: &str| figures.iter().find(|f| f.figure == name).unwrap_or_else(|| panic!("{name}")).value;
        assert!(of("risk.entries") >= 2_900.0);
        assert!(of("risk.match.recall") > 0.95, "{}", of("risk.match.recall"));
        for name in ["risk.match.p99", "risk.assess.p99", "risk.assess.rate_1", "risk.assess.rate_2"] {
            assert!(of(name) > 0.0, "{name}");
        }
    }
}
