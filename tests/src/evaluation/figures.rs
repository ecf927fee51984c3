//! The figures of one reader on one set, and the JSON lines they are printed as.

use std::collections::BTreeMap;

use calibration::confidence::{Reliability, reliability};
use serde::Serialize;

use super::acceptance::{Acceptance, judged, judged_characters, rounded};
use super::causes::Causes;
use super::conditions::{Bin, by_condition};
use super::confusions::{Confusion, Confusions};
use super::expected::{Matching, matching};
use super::grammar::{GrammarPrior, grammar_prior};
use super::labels::LabelledSet;
use super::product::{Measured, OfLabel};
use super::reads::Reads;
use super::scoring::{Scored, Spurious, Verdict, score};
use super::targets::{Limit, TARGETS};

/// The group of all plates of a set.
pub const ALL: &str = "all";

/// How many confusions a JSON line lists.
const CONFUSIONS: usize = 20;

/// How figures are made.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The confidence from which on a read is accepted.
    pub threshold: f64,
    /// Vehicles on the list of expected ones.
    pub expected: usize,
    /// Seed of those that are invented.
    pub seed: u64,
}

/// Median and 95th percentile in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half took less.
    pub median: f64,
    /// One in twenty took more.
    pub p95: f64,
}

impl Spread {
    /// Over the times of pictures; `None` without any.
    fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at = |place: usize| times.get(place).map(|ms| (ms * 100.0).round() / 100.0);
        Some(Self { median: at(times.len() / 2)?, p95: at((times.len() as f64 * 0.95) as usize)? })
    }
}

/// Everything one reader is worth on one set.
#[derive(Debug)]
pub struct SetFigures {
    /// `clearlane`, or a peer's name.
    pub reader: String,
    /// The set's name.
    pub set: String,
    /// Pictures in it, and whether that is only a part of the set.
    pub pictures: usize,
    /// Whether these pictures are only a part of the set: those that a peer reads.
    pub subset: bool,
    /// By group; [`ALL`] is among them.
    pub groups: BTreeMap<String, Acceptance>,
    /// Sightings that no label accounts for.
    pub spurious: usize,
    /// Of these, with a read that is accepted.
    pub spurious_accepted: usize,
    /// Milliseconds a picture to find the plates, where the reader tells.
    pub detect_ms: Option<Spread>,
    /// Milliseconds a picture to read them, where the reader tells.
    pub read_ms: Option<Spread>,
    /// Milliseconds a picture.
    pub total_ms: Option<Spread>,
    /// What confidence is worth.
    pub reliability: Reliability,
    /// What the probabilities of single characters are worth; our own reader only, whose distributions are at hand.
    pub characters: Option<Reliability>,
    /// Which characters are taken for which.
    pub confusions: Confusions,
    /// Reads by condition.
    pub conditions: Vec<Bin>,
    /// Where reads were lost, by group; our own reader only.
    pub causes: BTreeMap<String, Causes>,
    /// What the forms of marks add, by group; our own reader only. On plates of other places they show what is accepted falsely.
    pub grammar: BTreeMap<String, GrammarPrior>,
    /// What a list of expected vehicles adds; sets of our lanes and our own reader only.
    pub matching: Vec<Matching>,
}

/// The groups of a set with their verdicts.
fn groups<'a>(scored: &'a Scored<'a>) -> BTreeMap<String, Vec<&'a Verdict<'a>>> {
    let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::from([(ALL.to_owned(), Vec::new())]);
    for verdict in &scored.verdicts {
        for group in [verdict.label.group(), ALL.to_owned()] {
            groups.entry(group).or_default().push(verdict);
        }
    }
    groups
}

fn of_label<'a>(set: &LabelledSet, measured: &'a Measured, verdict: &Verdict<'_>) -> Option<&'a OfLabel> {
    let picture = set.pictures.get(verdict.picture)?;
    let place = picture.labels.iter().position(|label| std::ptr::eq(label, verdict.label))?;
    measured.get(&picture.name)?.get(place)
}

impl SetFigures {
    /// Figures that any reader has; `measured` is what was measured of the set's plates.
    pub fn of(reader: &str, set: &LabelledSet, reads: &Reads, measured: &Measured, terms: Terms) -> Self {
        let scored = score(set, reads);
        let groups = groups(&scored);
        let read: Vec<_> = set.pictures.iter().filter_map(|p| reads.get(&p.name)).collect();
        let told = read.iter().any(|r| r.times.detect > 0.0);
        let spread =
            |f: fn(&super::reads::Times) -> f64| Spread::of(read.iter().map(|r| f(&r.times)).collect());
        let acceptance = |(name, verdicts): (&String, &Vec<&Verdict<'_>>)| {
            (name.clone(), Acceptance::of(verdicts.iter().copied(), terms.threshold))
        };
        let plates: Vec<_> = scored
            .verdicts
            .iter()
            .map(|v| (of_label(set, measured, v).and_then(|it| it.conditions), v))
            .collect();
        let accepted = |s: &&Spurious<'_>| {
            f64::from(s.detection.confidence) >= terms.threshold && !s.detection.mark.is_empty()
        };
        Self {
            reader: reader.to_owned(),
            set: set.name.clone(),
            pictures: set.pictures.len(),
            subset: false,
            groups: groups.iter().map(acceptance).collect(),
            spurious: scored.spurious.len(),
            spurious_accepted: scored.spurious.iter().filter(accepted).count(),
            detect_ms: spread(|t| t.detect).filter(|_| told),
            read_ms: spread(|t| t.read).filter(|_| told),
            total_ms: spread(|t| t.total),
            reliability: reliability(&scored.verdicts.iter().filter_map(judged).collect::<Vec<_>>()),
            characters: None,
            confusions: Confusions::of(&scored.verdicts),
            conditions: by_condition(&plates, terms.threshold),
            causes: BTreeMap::new(),
            grammar: BTreeMap::new(),
            matching: Vec::new(),
        }
    }

    /// Figures of our own reader, whose whole distributions are at hand.
    pub fn of_product(
        reader: &str,
        set: &LabelledSet,
        reads: &Reads,
        measured: &Measured,
        terms: Terms,
    ) -> anyhow::Result<Self> {
        let scored = score(set, reads);
        let mut figures = Self::of(reader, set, reads, measured, terms);
        let characters: Vec<_> = scored.verdicts.iter().flat_map(judged_characters).collect();
        figures.characters = Some(reliability(&characters));
        for (name, verdicts) in groups(&scored) {
            let at_label = |v: &Verdict<'_>| of_label(set, measured, v).map(|it| it.read_at_label.as_str());
            figures.causes.insert(name.clone(), Causes::of(&verdicts, at_label));
            let spurious = scored.spurious.iter().map(|s| s.detection).filter(|_| name == ALL);
            let prior = grammar_prior(verdicts, spurious, terms.threshold);
            figures.grammar.insert(name, prior);
        }
        if set.is_of_our_lanes() {
            figures.matching = matching(set, &scored, terms.expected, terms.seed, terms.threshold)?;
        }
        Ok(figures)
    }

    /// Spurious sightings for every hundred pictures.
    pub fn spurious_per_100(&self) -> f64 {
        rounded(self.spurious as f64 * 100.0 / self.pictures.max(1) as f64)
    }

    /// One JSON object for each figure.
    pub fn lines(&self) -> serde_json::Result<Vec<String>> {
        let spurious = Sightings {
            spurious: self.spurious,
            accepted: self.spurious_accepted,
            pictures: self.pictures,
            per_100: self.spurious_per_100(),
        };
        let ms =
            Milliseconds { detect: self.detect_ms, read: self.read_ms, total: self.total_ms, threads: 1 };
        let plates = self.groups.iter().map(|(group, figures)| self.line("plates", group, figures));
        let alone = [
            self.line("spurious", ALL, &spurious),
            self.line("ms", ALL, &ms),
            self.line("reliability", ALL, &self.reliability),
            self.line("confusions", ALL, &Top { top: self.confusions.top(CONFUSIONS) }),
        ];
        let conditions = self.conditions.iter().map(|bin| self.line("condition", ALL, bin));
        let grammar = self.grammar.iter().map(|(group, prior)| self.line("grammar_prior", group, prior));
        let matching = self.matching.iter().map(|m| self.line("expected_vehicles", ALL, m));
        let characters = self.characters.iter().map(|it| self.line("reliability_of_characters", ALL, it));
        let targets = TARGETS.iter().filter_map(|target| {
            let reached = target.figure(self)?;
            let told = AtTarget {
                target: target.name,
                reached,
                limit: target.limit,
                kept: target.limit.holds(reached),
            };
            Some(self.line("target", ALL, &told))
        });
        let causes = self.causes.iter().map(|(group, causes)| self.line("causes", group, causes));
        let plates = plates.chain(causes);
        plates
            .chain(alone)
            .chain(characters)
            .chain(conditions)
            .chain(grammar)
            .chain(matching)
            .chain(targets)
            .collect()
    }

    fn line(&self, figure: &str, group: &str, values: &impl Serialize) -> serde_json::Result<String> {
        let subset = self.subset.then_some(self.pictures);
        serde_json::to_string(&Line { figure, reader: &self.reader, set: &self.set, subset, group, values })
    }
}

/// One line of the answer.
#[derive(Serialize)]
struct Line<'a, T> {
    figure: &'a str,
    reader: &'a str,
    set: &'a str,
    /// Pictures, where these are only a part of the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<usize>,
    group: &'a str,
    #[serde(flatten)]
    values: &'a T,
}

/// A target and what was reached.
#[derive(Serialize)]
struct AtTarget {
    target: &'static str,
    reached: f64,
    limit: Limit,
    kept: bool,
}

#[derive(Serialize)]
struct Sightings {
    spurious: usize,
    accepted: usize,
    pictures: usize,
    per_100: f64,
}

#[derive(Serialize)]
struct Milliseconds {
    detect: Option<Spread>,
    read: Option<Spread>,
    total: Option<Spread>,
    threads: usize,
}

#[derive(Serialize)]
struct Top {
    top: Vec<Confusion>,
}
