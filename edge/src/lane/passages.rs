//! A recording of a lane, cut into passages: for commands that read video without a gate or loops.

use std::time::Duration;

use clearance::read::PlateRead;

use super::fuse::FusePolicy;
use super::plates::{Plate, plates};
use super::track::{Track, Tracker};

/// Without a plate for so long, the vehicle has left.
const LEFT_AFTER: Duration = Duration::from_millis(1_500);

/// Plates that follow one another with such a gap, and say other things, are on two vehicles.
const NEXT_VEHICLE_AFTER: Duration = Duration::from_millis(300);

/// One vehicle that passed.
#[derive(Clone, Debug)]
pub struct FinishedPassage<E> {
    /// When its first plate was first seen.
    pub from: Duration,
    /// When its last plate was last seen.
    pub to: Duration,
    /// Its plates; never empty.
    pub plates: Vec<Plate<E>>,
}

/// Takes the frames of a recording in order and gives the passages as they finish.
#[derive(Clone, Debug)]
pub struct PassageSplitter<E> {
    tracker: Tracker<E>,
    policy: FusePolicy,
    last_seen: Option<Duration>,
}

impl<E: Clone> PassageSplitter<E> {
    /// A splitter that has seen nothing.
    pub fn new(policy: FusePolicy) -> Self {
        Self { tracker: Tracker::new(), policy, last_seen: None }
    }

    /// Take the frame at `at` (since the start of the recording); gives the passages that are over.
    pub fn push(&mut self, at: Duration, reads: &[PlateRead], evidence: &E) -> Vec<FinishedPassage<E>> {
        let left = self.last_seen.is_some_and(|seen| at.saturating_sub(seen) >= LEFT_AFTER);
        let finished = if left { self.finish() } else { Vec::new() };
        if !reads.is_empty() {
            self.tracker.observe(at, 0, reads, evidence);
            self.last_seen = Some(at);
        }
        finished
    }

    /// The recording is over: the passages not given yet.
    pub fn finish(&mut self) -> Vec<FinishedPassage<E>> {
        let vehicles = vehicles(self.tracker.tracks(), &self.policy);
        self.tracker.reset();
        self.last_seen = None;
        vehicles.into_iter().filter_map(passage).collect()
    }
}

fn passage<E>(plates: Vec<Plate<E>>) -> Option<FinishedPassage<E>> {
    let from = plates.iter().map(|p| p.first_seen).min()?;
    let to = plates.iter().map(|p| p.last_seen).max()?;
    Some(FinishedPassage { from, to, plates })
}

/// Plates grouped by vehicle: those in view at the same time belong together.
fn vehicles<E: Clone>(tracks: &[Track<E>], policy: &FusePolicy) -> Vec<Vec<Plate<E>>> {
    let mut plates = plates(tracks, policy);
    plates.sort_by_key(|p| p.first_seen);
    let mut vehicles: Vec<Vec<Plate<E>>> = Vec::new();
    for plate in plates {
        let until = |v: &Vec<Plate<E>>| v.iter().map(|p| p.last_seen).max().unwrap_or_default();
        match vehicles.last_mut() {
            Some(last) if plate.first_seen < until(last) + NEXT_VEHICLE_AFTER => last.push(plate),
            _ => vehicles.push(vec![plate]),
        }
    }
    vehicles
}

#[cfg(test)]
mod tests {
    use super::super::fuse::tests::{policy, read_at};
    use super::*;

    fn marks(passages: &[FinishedPassage<()>]) -> Vec<Vec<String>> {
        let mark = |p: &Plate<()>| p.plate.certain_mark().unwrap().to_string();
        passages.iter().map(|p| p.plates.iter().map(mark).collect()).collect()
    }

    #[test]
    fn vehicles_one_after_another_are_passages_of_their_own() {
        let mut splitter = PassageSplitter::new(policy());
        let mut found = Vec::new();
        for n in 0..100u64 {
            let reads = match n {
                0..10 => vec![read_at("AB1234", 0.99, 0.0, 0.0), read_at("粤Z1234港", 0.99, 0.0, 40.0)],
                30..40 => vec![read_at("CD55", 0.99, 0.0, 0.0)],
                // The next one drives up close behind.
                45..60 => vec![read_at("EF66", 0.99, 0.0, 0.0)],
                _ => vec![],
            };
            found.extend(splitter.push(Duration::from_millis(n * 100), &reads, &()));
        }
        found.extend(splitter.finish());
        assert_eq!(marks(&found), [vec!["AB1234", "粤Z1234港"], vec!["CD55"], vec!["EF66"]]);
        assert_eq!(found[0].to, Duration::from_millis(900));
    }

    #[test]
    fn a_recording_that_ends_with_a_vehicle_in_view_gives_it() {
        let mut splitter = PassageSplitter::new(policy());
        for n in 0..5 {
            assert!(
                splitter
                    .push(Duration::from_millis(n * 40), &[read_at("AB12", 0.99, 0.0, 0.0)], &())
                    .is_empty()
            );
        }
        assert_eq!(marks(&splitter.finish()), [vec!["AB12"]]);
        assert!(splitter.finish().is_empty());
    }
}
