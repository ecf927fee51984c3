//! How fast the engine is: a made-up world of lists, rules and movements, a model that scores them, and what is measured in it.

mod world;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

pub use self::world::{Size, World};
use crate::assessment::Assessment;
use crate::canonical::Canonical;
use crate::engine::{Circumstances, Engine};
use crate::facts::Facts;
use crate::lists::Terms;
use crate::score::movement::worst;
use crate::score::{ScoreError, Scorer};

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

/// Everything that is measured, each as it is known: its parts (matching, rules, scoring, explaining), assessing with all of them on
/// one core, throughput on one and two, and how many misspelt names are found. `rounds`: how many movements are timed; `bundle`: the
/// model's folder.
pub fn measure(
    size: Size,
    rounds: usize,
    seed: u64,
    bundle: &Path,
    mut tell: impl FnMut(Figure),
) -> Result<(), ScoreError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let scorer = Scorer::load(bundle)?;
    let started = Instant::now();
    let world = World::new(size, scorer.digest(), &mut random);
    tell(Figure::new("risk.build", started.elapsed().as_secs_f64(), "s", None));
    tell(Figure::new("risk.entries", world.entries() as f64, "entries", None));
    tell(Figure::new("risk.rules", size.rules as f64, "rules", None));
    let movements = world.movements(rounds, &mut random);
    let screening = Screening { engine: &world.engine, scorer: Mutex::new(scorer), zone: zone() };
    parts(&world, &screening, &movements, &mut tell)?;
    whole(&screening, &movements, &mut tell)?;
    let recall = world.recall(1_000, &mut random);
    tell(Figure::new("risk.match.recall", recall, "part", Some(Limit::AtLeast(0.95))));
    Ok(())
}

/// Hong Kong's, which has no summer time.
fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

type Movement = (Facts, Circumstances);

/// An engine and the model that scores, as central has them: one scorer, whoever asks.
struct Screening<'w> {
    engine: &'w Engine,
    scorer: Mutex<Scorer>,
    zone: TimeZone,
}

impl Screening<'_> {
    /// Everything from the facts to what is stored. Central keeps what explains a score for the next time that the same is asked; here
    /// each is reckoned anew.
    fn assess(&self, (facts, circumstances): &Movement) -> Result<Assessment, ScoreError> {
        let mut scorer = self.scorer.lock().unwrap_or_else(PoisonError::into_inner);
        let score = worst(&mut scorer, facts, &self.zone)?
            .and_then(|worst| worst.read(scorer.digest(), &scorer.explain(&worst.score).grounds));
        drop(scorer);
        let assessment = self.engine.assess(facts, &Circumstances { score, ..circumstances.clone() });
        // What is stored is a part of it.
        std::hint::black_box(assessment.canonical().len());
        Ok(assessment)
    }

    /// Movements a second by two threads.
    fn rate_on_two(&self, movements: &[Movement]) -> Result<f64, ScoreError> {
        let started = Instant::now();
        let all = || movements.iter().try_for_each(|movement| self.assess(movement).map(drop));
        std::thread::scope(|scope| {
            let other = scope.spawn(all);
            all().and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        Ok(2.0 * movements.len() as f64 / started.elapsed().as_secs_f64())
    }
}

/// What each part takes for one movement.
fn parts(
    world: &World,
    screening: &Screening<'_>,
    movements: &[Movement],
    tell: &mut impl FnMut(Figure),
) -> Result<(), ScoreError> {
    let (mut matching, mut ruling) = (Passes::default(), Passes::default());
    let (mut scoring, mut explaining) = (Passes::default(), Passes::default());
    let mut scorer = screening.scorer.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..PASSES {
        matching.add(movements.iter().map(|(facts, _)| {
            let started = Instant::now();
            let terms = Terms::of(facts);
            let hits: usize = world.lists.iter().map(|index| index.screen(&terms).len()).sum();
            std::hint::black_box(hits);
            started.elapsed()
        }));
        ruling.add(movements.iter().map(|(facts, _)| {
            let started = Instant::now();
            std::hint::black_box(screening.engine.ask_rules(facts).len());
            started.elapsed()
        }));
        let (mut scored, mut explained) = (Vec::new(), Vec::new());
        for (facts, _) in movements {
            let started = Instant::now();
            let worst = worst(&mut scorer, facts, &screening.zone)?;
            scored.push(started.elapsed());
            let Some(worst) = worst else { continue };
            let started = Instant::now();
            std::hint::black_box(scorer.explain(&worst.score));
            explained.push(started.elapsed());
        }
        scoring.add(scored.into_iter());
        explaining.add(explained.into_iter());
    }
    let most = Some(Limit::AtMost(1_000.0));
    tell(Figure::new("risk.match.p50", micros(percentile(&mut matching.first, 0.50)), "us", None));
    tell(Figure::new("risk.match.p99", micros(percentile(&mut matching.first, 0.99)), "us", most));
    let undisturbed = micros(percentile(&mut matching.least, 0.99));
    tell(Figure::new("risk.match.p99_undisturbed", undisturbed, "us", None));
    for (middle, far, mut passes) in [
        ("risk.rules.p50", "risk.rules.p99", ruling),
        ("risk.score.p50", "risk.score.p99", scoring),
        ("risk.explain.p50", "risk.explain.p99", explaining),
    ] {
        tell(Figure::new(middle, micros(percentile(&mut passes.first, 0.50)), "us", None));
        tell(Figure::new(far, micros(percentile(&mut passes.first, 0.99)), "us", None));
    }
    Ok(())
}

/// What a movement takes from its facts to what is stored, and how many go through in a second.
fn whole(
    screening: &Screening<'_>,
    movements: &[Movement],
    tell: &mut impl FnMut(Figure),
) -> Result<(), ScoreError> {
    let (mut assessing, mut reasons, mut contributions) = (Passes::default(), 0_usize, 0_usize);
    for _ in 0..PASSES {
        let mut took = Vec::with_capacity(movements.len());
        for movement in movements {
            let started = Instant::now();
            let assessment = screening.assess(movement)?;
            took.push(started.elapsed());
            reasons += assessment.reasons.len();
            contributions += assessment.contributions.len();
        }
        assessing.add(took.into_iter());
    }
    let Passes { mut first, least: mut undisturbed } = assessing;
    let each = |of: usize| of as f64 / (PASSES * movements.len()).max(1) as f64;
    tell(Figure::new("risk.reasons_each", each(reasons), "reasons", None));
    tell(Figure::new("risk.contributions_each", each(contributions), "contributions", None));
    let rate = movements.len() as f64 / first.iter().sum::<Duration>().as_secs_f64();
    tell(Figure::new("risk.assess.p50", millis(percentile(&mut first, 0.50)), "ms", None));
    let most = Some(Limit::AtMost(5.0));
    tell(Figure::new("risk.assess.p99", millis(percentile(&mut first, 0.99)), "ms", most));
    let undisturbed = millis(percentile(&mut undisturbed, 0.99));
    tell(Figure::new("risk.assess.p99_undisturbed", undisturbed, "ms", None));
    tell(Figure::new("risk.assess.rate_1", rate, "movements/s", None));
    let rate = screening.rate_on_two(movements)?;
    tell(Figure::new("risk.assess.rate_2", rate, "movements/s", Some(Limit::AtLeast(500.0))));
    Ok(())
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
        let bundle = crate::command::bundles_folder().join(crate::score::DEFAULT_BUNDLE);
        measure(Size { entries: 3_000, rules: 40 }, 30, 7, &bundle, |figure| figures.push(figure)).unwrap();
        let of =
            |name: &str| figures.iter().find(|f| f.figure == name).unwrap_or_else(|| panic!("{name}")).value;
        assert!(of("risk.entries") >= 2_900.0);
        assert!(of("risk.match.recall") > 0.95, "{}", of("risk.match.recall"));
        for name in ["risk.match.p99", "risk.assess.p99", "risk.assess.rate_1", "risk.assess.rate_2"] {
            assert!(of(name) > 0.0, "{name}");
        }
        for part in ["risk.rules.p99", "risk.score.p99", "risk.explain.p99"] {
            assert!(of(part) > 0.0, "{part}");
        }
        // The model's own answer is in what is timed: no movement is assessed without what moved its score.
        assert_eq!(of("risk.contributions_each"), crate::score::movement::MOST_CONTRIBUTIONS as f64);
    }
}
