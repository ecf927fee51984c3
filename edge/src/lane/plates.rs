//! From tracks to the plates of a vehicle: what is no plate is left out, and what is one plate in two pieces is
//! joined.

use std::time::Duration;

use clearance::read::{Certainty, FusedPlate, PlateRead};

use super::fuse::{FusePolicy, fuse};
use super::track::{Track, TrackId, Tracker};

/// One plate of a vehicle with its evidence.
#[derive(Clone, Debug)]
pub struct Plate<E> {
    /// Which track.
    pub track: TrackId,
    /// What was read of it; `corners` are those in `evidence`.
    pub plate: FusedPlate,
    /// What is kept of its best frame.
    pub evidence: E,
    /// When it was first seen.
    pub first_seen: Duration,
    /// When it was last seen.
    pub last_seen: Duration,
    /// Widest it was, in pixels.
    pub widest: f32,
}

/// The plates that `tracks` show.
pub fn plates<E: Clone>(tracks: &[Track<E>], policy: &FusePolicy) -> Vec<Plate<E>> {
    let mut fused: Vec<(&Track<E>, FusedPlate)> = tracks
        .iter()
        .filter_map(|track| Some((track, fuse(&track.reads, policy)?)))
        .filter(|(track, plate)| is_plate(track, plate, policy))
        .collect();
    // Certain ones first, then those seen longest, so that pieces are compared with what they may be pieces of.
    fused.sort_by_key(|(t, p)| (p.certainty != Certainty::Certain, std::cmp::Reverse(t.frames)));
    let mut kept: Vec<(&Track<E>, FusedPlate)> = Vec::new();
    for (track, plate) in fused {
        if !kept.iter().any(|(whole, known)| is_piece_of(track, &plate, whole, known)) {
            kept.push((track, plate));
        }
    }
    kept.into_iter().map(|(track, plate)| shown(track, plate)).collect()
}

fn shown<E: Clone>(track: &Track<E>, plate: FusedPlate) -> Plate<E> {
    Plate {
        track: track.id,
        plate: FusedPlate { corners: track.evidence_corners, ..plate },
        evidence: track.evidence.clone(),
        first_seen: track.first_seen,
        last_seen: track.last_seen,
        widest: track.widest,
    }
}

/// Whether it is a plate of the passage, and not a pattern that looked like one for a moment.
fn is_plate<E>(track: &Track<E>, plate: &FusedPlate, policy: &FusePolicy) -> bool {
    match plate.certainty {
        Certainty::Certain => true,
        // Nothing could be read of it: it counts when it was there for a while, large enough to read.
        Certainty::Absent => track.frames >= policy.absent_frames && track.widest >= policy.readable_width,
        Certainty::Ambiguous => {
            let probability = plate.candidates.first().map_or(0.0, |c| c.probability);
            track.frames > 1 || policy.agreeing <= 1 || probability >= policy.read_certain
        }
    }
}

/// Whether `plate` is the plate `known` once more: lost and found again, or seen by another camera. Two plates seen
/// in one frame never are, and a certain read is only joined with the same mark.
fn is_piece_of<E>(track: &Track<E>, plate: &FusedPlate, whole: &Track<E>, known: &FusedPlate) -> bool {
    if track.was_seen_with(whole.id) {
        return false;
    }
    match (known.certain_mark(), plate.certain_mark()) {
        (Some(known), Some(mark)) => known == mark,
        (Some(known), None) => plate.could_be(known),
        (None, _) => {
            let first = |p: &FusedPlate| p.candidates.first().map(|c| c.mark.clone());
            first(plate).is_some() && first(plate) == first(known)
        }
    }
}

/// One plate as the lane machine needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenPlate {
    /// Which track.
    pub track: TrackId,
    /// What was read of it so far.
    pub plate: FusedPlate,
    /// Whether it is in the very frame this is told of.
    pub in_view: bool,
    /// Whether it was large enough to be read.
    pub readable: bool,
}

/// What a frame, with those before it, shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameSeen {
    /// The plates since the passage began.
    pub plates: Vec<SeenPlate>,
    /// Frames with any plate, in a row, up to this one; 0 when this one has none.
    pub frames_with_plates: u32,
    /// Of whatever this frame shows, plate or not yet known to be one: in how few frames the newest was seen. `None`
    /// when this frame shows nothing.
    pub newest_frames: Option<u32>,
}

/// Follows and reads the plates of the passage in front of one lane.
#[derive(Clone, Debug)]
pub struct LaneReader<E> {
    tracker: Tracker<E>,
    policy: FusePolicy,
    in_a_row: u32,
}

impl<E: Clone> LaneReader<E> {
    /// A reader that has seen nothing.
    pub fn new(policy: FusePolicy) -> Self {
        Self { tracker: Tracker::new(), policy, in_a_row: 0 }
    }

    /// Take one frame's reads.
    pub fn observe(&mut self, at: Duration, camera: usize, reads: &[PlateRead], evidence: &E) -> FrameSeen {
        let seen = self.tracker.observe(at, camera, reads, evidence);
        self.in_a_row = if reads.is_empty() { 0 } else { self.in_a_row.saturating_add(1) };
        let plates = self
            .plates()
            .into_iter()
            .map(|p| SeenPlate {
                track: p.track,
                in_view: seen.contains(&p.track),
                readable: p.widest >= self.policy.readable_width,
                plate: p.plate,
            })
            .collect();
        let newest_frames =
            self.tracker.tracks().iter().filter(|t| seen.contains(&t.id)).map(|t| t.frames).min();
        FrameSeen { plates, frames_with_plates: self.in_a_row, newest_frames }
    }

    /// The plates so far, with their evidence.
    pub fn plates(&self) -> Vec<Plate<E>> {
        plates(self.tracker.tracks(), &self.policy)
    }

    /// Forget what was last seen before `since` and could not be read: it stood in the lane before the vehicle did.
    /// What could be read is kept, for it may be the plate that contradicts.
    pub fn forget_unread(&mut self, since: Duration) {
        let policy = self.policy;
        self.tracker.retain(|track| {
            track.last_seen >= since
                || fuse(&track.reads, &policy).is_some_and(|plate| plate.certainty != Certainty::Absent)
        });
    }

    /// Forget the vehicle: the next frame begins another one.
    pub fn reset(&mut self) {
        self.tracker.reset();
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fuse::tests::{policy, read_at};
    use super::*;

    fn observe(reader: &mut LaneReader<()>, n: u64, reads: &[PlateRead]) -> FrameSeen {
        reader.observe(Duration::from_millis(n * 100), 0, reads, &())
    }

    #[test]
    fn a_pattern_seen_once_is_no_plate() {
        let mut reader = LaneReader::new(policy());
        assert_eq!(observe(&mut reader, 0, &[read_at("AB1", 0.93, 0.0, 0.0)]).plates, vec![]);
        assert_eq!(observe(&mut reader, 1, &[read_at("AB1", 0.93, 0.0, 0.0)]).plates.len(), 1);
    }

    #[test]
    fn a_plate_that_cannot_be_read_is_kept_as_such() {
        let mut reader = LaneReader::new(policy());
        let dirty = read_at("AB1234", 0.05, 0.0, 0.0);
        for n in 0..2 {
            assert_eq!(observe(&mut reader, n, std::slice::from_ref(&dirty)).plates.len(), 0);
        }
        let seen = observe(&mut reader, 2, &[dirty]);
        assert_eq!(seen.plates[0].plate.certainty, Certainty::Absent);
    }

    #[test]
    fn a_plate_lost_and_found_is_one_plate_and_another_stays_another() {
        let mut reader = LaneReader::new(policy());
        for n in (0..4).chain(30..32) {
            observe(&mut reader, n, &[read_at("AB1234", 0.99, 0.0, 0.0)]);
        }
        assert_eq!(reader.plates().len(), 1);
        for n in 40..44 {
            observe(&mut reader, n, &[read_at("AB1254", 0.99, 0.0, 0.0)]);
        }
        assert_eq!(reader.plates().len(), 2, "a contradicting mark must stay");
    }

    #[test]
    fn only_what_said_nothing_and_is_out_of_view_is_forgotten_when_a_vehicle_arrives() {
        let mut reader = LaneReader::new(policy());
        let (sign, plate) = (read_at("XY12", 0.05, 600.0, 0.0), read_at("AB1234", 0.99, 0.0, 0.0));
        for n in 0..4 {
            observe(&mut reader, n, &[sign.clone(), plate.clone()]);
        }
        assert_eq!(reader.plates().len(), 2);
        reader.forget_unread(Duration::from_millis(250));
        assert_eq!(reader.plates().len(), 2, "both were seen since");
        reader.forget_unread(Duration::from_secs(1));
        assert_eq!(reader.plates().len(), 1);
        assert!(reader.plates()[0].plate.certain_mark().is_some());
    }

    #[test]
    fn equal_plates_in_one_frame_stay_two() {
        let mut reader = LaneReader::new(policy());
        for n in 0..4 {
            observe(
                &mut reader,
                n,
                &[read_at("AB1234", 0.99, 0.0, 0.0), read_at("AB1234", 0.99, 600.0, 0.0)],
            );
        }
        assert_eq!(reader.plates().len(), 2);
    }
}
