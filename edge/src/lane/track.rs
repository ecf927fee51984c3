//! Which plate of this frame is which plate of the last one.
//!
//! Plates move and grow between frames, and a Hong Kong plate and a mainland plate are often stacked closer than a
//! vehicle moves: so places are predicted from the motion so far, distances are measured in plate widths, a light
//! plate never becomes a dark one, and two firm texts that differ are never one plate.

use std::time::Duration;

use clearance::geometry::{Point, Quad};
use clearance::read::{PlateLayout, PlateRead};

use super::fuse::weight;

/// A plate not seen for so long is another one when it is seen again.
const FORGET_AFTER: Duration = Duration::from_secs(1);
/// Farthest a plate may be from where it is expected, in plate widths.
const FARTHEST: f32 = 1.5;
/// Most a plate may grow or shrink from one sighting to the next, as a factor.
const MOST_GROWTH: f32 = 1.8;
/// Reads kept of one plate; the largest and surest stay.
const MOST_READS: usize = 24;
/// Plates followed at once; past it, the one seen least is dropped. A lane has two to four.
const MOST_TRACKS: usize = 32;
/// Reads at least this probable tell plates apart by their text.
const FIRM: f32 = 0.8;
/// Part of its characters in which a text must differ to be another text, and not a misreading.
const OTHER_TEXT: f32 = 0.6;

/// One plate among those followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// One plate, followed over frames of one camera. `E` is what is kept as evidence, such as the frame.
#[derive(Clone, Debug)]
pub struct Track<E> {
    /// Which.
    pub id: TrackId,
    /// Camera of the lane.
    pub camera: usize,
    /// When it was first seen.
    pub first_seen: Duration,
    /// When it was last seen.
    pub last_seen: Duration,
    /// In how many frames it was seen.
    pub frames: u32,
    /// Its best reads.
    pub reads: Vec<PlateRead>,
    /// Widest it was, in pixels.
    pub widest: f32,
    /// Where it is in `evidence`.
    pub evidence_corners: Quad,
    /// What is kept of its best frame.
    pub evidence: E,
    quality: f32,
    corners: Quad,
    velocity: Point,
    text: (String, f32),
    companions: Vec<TrackId>,
}

impl<E> Track<E> {
    /// Whether it was ever seen in one frame with `other`: then they are two plates, whatever they say.
    pub fn was_seen_with(&self, other: TrackId) -> bool {
        self.companions.contains(&other)
    }

    fn new(id: TrackId, at: Duration, camera: usize, read: &PlateRead, evidence: E) -> Self {
        let corners = read.sighting.corners;
        Self {
            id,
            camera,
            first_seen: at,
            last_seen: at,
            frames: 1,
            reads: vec![read.clone()],
            widest: corners.width(),
            evidence_corners: corners,
            evidence,
            quality: quality(read),
            corners,
            velocity: Point::default(),
            text: read.best(),
            companions: Vec::new(),
        }
    }

    /// Cost of taking `read` for the next sighting; `None` when it cannot be.
    fn cost(&self, at: Duration, read: &PlateRead) -> Option<f32> {
        let dark = |layout| layout == PlateLayout::CrossBoundary;
        if self.reads.first().is_some_and(|r| dark(r.sighting.layout) != dark(read.sighting.layout)) {
            return None;
        }
        let (own, new) = (self.corners.width().max(1.0), read.sighting.corners.width().max(1.0));
        let growth = (new / own).ln().abs();
        let expected = self.expected(at);
        let centre = read.sighting.corners.centre();
        let distance = (centre.x - expected.x).hypot(centre.y - expected.y) / own.max(new);
        let text = self.text_difference(read)?;
        (distance <= FARTHEST && growth <= MOST_GROWTH.ln()).then_some(distance + growth + 0.5 * text)
    }

    /// Where its centre should be by now, in pixels.
    fn expected(&self, at: Duration) -> Point {
        let seconds = at.saturating_sub(self.last_seen).as_secs_f32();
        let centre = self.corners.centre();
        Point::new(centre.x + self.velocity.x * seconds, centre.y + self.velocity.y * seconds)
    }

    /// How far the texts differ, 0 to 1; `None` when both are firm and not the same plate's.
    fn text_difference(&self, read: &PlateRead) -> Option<f32> {
        let (text, p) = read.best();
        let longest = text.chars().count().max(self.text.0.chars().count()).max(1);
        let difference = edit_distance(&self.text.0, &text) as f32 / longest as f32;
        let firm = p >= FIRM && self.text.1 >= FIRM;
        (!firm || difference < OTHER_TEXT).then_some(difference)
    }

    fn extend(&mut self, at: Duration, read: &PlateRead, evidence: &E)
    where
        E: Clone,
    {
        let corners = read.sighting.corners;
        let seconds = at.saturating_sub(self.last_seen).as_secs_f32();
        if seconds > 0.0 {
            let (was, is) = (self.corners.centre(), corners.centre());
            self.velocity = Point::new((is.x - was.x) / seconds, (is.y - was.y) / seconds);
        }
        (self.corners, self.last_seen) = (corners, at);
        self.frames = self.frames.saturating_add(1);
        self.widest = self.widest.max(corners.width());
        let text = read.best();
        if text.1 >= self.text.1 {
            self.text = text;
        }
        if quality(read) > self.quality {
            (self.quality, self.evidence_corners, self.evidence) = (quality(read), corners, evidence.clone());
        }
        self.keep(read);
    }

    /// Keep `read` among the best; of equal ones the newest.
    fn keep(&mut self, read: &PlateRead) {
        if self.reads.len() < MOST_READS {
            self.reads.push(read.clone());
        } else if let Some(worst) = self.reads.iter_mut().min_by(|a, b| weight(a).total_cmp(&weight(b)))
            && weight(worst) <= weight(read)
        {
            *worst = read.clone();
        }
    }
}

/// What makes a frame good evidence: a large, sure, well-read plate.
fn quality(read: &PlateRead) -> f32 {
    let quality = read.sighting.corners.width() * read.sighting.score * read.best().1;
    if quality.is_finite() { quality } else { 0.0 }
}

/// The plates of one passage.
#[derive(Clone, Debug)]
pub struct Tracker<E> {
    tracks: Vec<Track<E>>,
    next: u64,
}

impl<E> Default for Tracker<E> {
    fn default() -> Self {
        Self { tracks: Vec::new(), next: 0 }
    }
}

impl<E: Clone> Tracker<E> {
    /// Nothing followed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every plate seen since the last [`Self::reset`].
    pub fn tracks(&self) -> &[Track<E>] {
        &self.tracks
    }

    /// Take a frame of `camera`; gives the plate that each read was taken for.
    pub fn observe(
        &mut self,
        at: Duration,
        camera: usize,
        reads: &[PlateRead],
        evidence: &E,
    ) -> Vec<TrackId> {
        let taken = self.assign(at, camera, reads);
        let mut seen = Vec::with_capacity(reads.len());
        for (read, track) in reads.iter().zip(taken) {
            let track = track.and_then(|id| self.tracks.iter_mut().find(|t| t.id == id));
            let id = if let Some(track) = track {
                track.extend(at, read, evidence);
                track.id
            } else {
                self.begin(at, camera, read, evidence.clone())
            };
            seen.push(id);
        }
        self.introduce(&seen);
        seen
    }

    /// Keep only some.
    pub fn retain(&mut self, keep: impl FnMut(&Track<E>) -> bool) {
        self.tracks.retain(keep);
    }

    /// Forget every plate.
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    /// Cheapest pairs first: plates are few and, once predicted, far apart, so that the greedy choice is the best.
    fn assign(&self, at: Duration, camera: usize, reads: &[PlateRead]) -> Vec<Option<TrackId>> {
        let current = |t: &&Track<E>| t.camera == camera && at.saturating_sub(t.last_seen) <= FORGET_AFTER;
        let mut pairs: Vec<(f32, TrackId, usize)> = self
            .tracks
            .iter()
            .filter(current)
            .flat_map(|t| {
                reads.iter().enumerate().filter_map(move |(i, read)| Some((t.cost(at, read)?, t.id, i)))
            })
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut taken = vec![None; reads.len()];
        for (_, id, i) in pairs {
            if taken[i].is_none() && !taken.contains(&Some(id)) {
                taken[i] = Some(id);
            }
        }
        taken
    }

    fn begin(&mut self, at: Duration, camera: usize, read: &PlateRead, evidence: E) -> TrackId {
        let id = TrackId(self.next);
        self.next += 1;
        self.tracks.push(Track::new(id, at, camera, read, evidence));
        if self.tracks.len() > MOST_TRACKS
            && let Some(least) = (0..self.tracks.len() - 1).min_by_key(|i| self.tracks[*i].frames)
        {
            self.tracks.remove(least);
        }
        id
    }

    fn introduce(&mut self, seen: &[TrackId]) {
        for track in self.tracks.iter_mut().filter(|t| seen.contains(&t.id)) {
            for other in seen {
                if *other != track.id && !track.companions.contains(other) {
                    track.companions.push(*other);
                }
            }
        }
    }
}

/// Characters to insert, delete or change to make one text of the other (Levenshtein 1966).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::super::fuse::tests::read_at;
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn stacked_plates_do_not_swap_while_the_truck_moves_farther_than_they_are_apart() {
        let mut tracker = Tracker::new();
        let (mut hong_kong, mut mainland) = (Vec::new(), Vec::new());
        for n in 0..8u8 {
            // 35 pixels apart, 40 pixels down a frame: each plate lands where the other one was.
            let y = f32::from(n) * 40.0;
            let mut reads = vec![read_at("AB1234", 0.6, 10.0, y), read_at("粤Z1234港", 0.6, 10.0, y + 35.0)];
            if n % 2 == 1 {
                reads.reverse();
            }
            let ids = tracker.observe(ms(100 * u64::from(n)), 0, &reads, &());
            let (a, b) = if n % 2 == 1 { (ids[1], ids[0]) } else { (ids[0], ids[1]) };
            hong_kong.push(a);
            mainland.push(b);
        }
        assert!(hong_kong.iter().all(|id| *id == hong_kong[0]), "{hong_kong:?}");
        assert!(mainland.iter().all(|id| *id == mainland[0]), "{mainland:?}");
        assert!(tracker.tracks()[0].was_seen_with(mainland[0]));
    }

    #[test]
    fn two_light_plates_are_told_apart_by_motion_and_text() {
        let mut tracker = Tracker::new();
        for n in 0..8u8 {
            let y = f32::from(n) * 30.0;
            let reads = [read_at("AB1234", 0.7, 0.0, y), read_at("XY987", 0.7, 0.0, y + 32.0)];
            tracker.observe(ms(100 * u64::from(n)), 0, &reads, &());
        }
        let texts: Vec<Vec<String>> =
            tracker.tracks().iter().map(|t| t.reads.iter().map(|r| r.best().0).collect()).collect();
        assert_eq!(texts, vec![vec!["AB1234".to_owned(); 8], vec!["XY987".to_owned(); 8]]);
    }

    #[test]
    fn the_next_vehicle_at_the_same_place_is_another_plate() {
        let mut tracker = Tracker::new();
        let first = tracker.observe(ms(0), 0, &[read_at("AB1234", 0.99, 0.0, 0.0)], &());
        let next = tracker.observe(ms(100), 0, &[read_at("XY987", 0.99, 0.0, 0.0)], &());
        assert_ne!(first, next);
        let much_later = tracker.observe(ms(5_000), 0, &[read_at("XY987", 0.99, 0.0, 0.0)], &());
        assert_ne!(next, much_later);
        assert_ne!(much_later, tracker.observe(ms(5_000), 1, &[read_at("XY987", 0.99, 0.0, 0.0)], &()));
    }

    #[test]
    fn the_best_frame_is_the_evidence() {
        let mut tracker = Tracker::new();
        for (n, p) in [(0u8, 0.5), (1, 0.95), (2, 0.7)] {
            tracker.observe(ms(u64::from(n) * 40), 0, &[read_at("AB1234", p, 0.0, 0.0)], &n);
        }
        assert_eq!(tracker.tracks()[0].evidence, 1);
    }

    #[test]
    fn a_vehicle_that_waits_an_hour_does_not_fill_the_memory() {
        let mut tracker = Tracker::new();
        for n in 0..2_000u64 {
            let stray = read_at("Q", 0.1, (n % 40) as f32 * 400.0, 600.0);
            tracker.observe(ms(n * 2_000), 0, &[read_at("AB1234", 0.9, 0.0, 0.0), stray], &());
        }
        assert!(tracker.tracks().len() <= MOST_TRACKS);
        assert!(tracker.tracks().iter().all(|t| t.reads.len() <= MOST_READS));
    }

    #[test]
    fn edit_distance_counts_characters() {
        for (a, b, n) in [("", "AB", 2), ("AB12", "A12", 1), ("粤Z1", "粤Z2", 1), ("AB", "AB", 0)] {
            assert_eq!(edit_distance(a, b), n);
        }
    }
}
