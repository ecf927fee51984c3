//! What stands in the empty lane: a sign, a poster, a grating that the detector takes for a plate. Seen long enough at
//! one place while no vehicle is there, it is no vehicle's plate.
//!
//! Only what says nothing is ever left out. A sighting with a readable mark always counts, wherever it is, so that this
//! can hide no mark; and a plate that moves, as a vehicle's does, is at another place.

use std::time::Duration;

use clearance::geometry::Quad;
use clearance::read::PlateRead;

/// For how long something must have been seen in the empty lane.
const STANDS_FOR: Duration = Duration::from_millis(800);
/// Not seen for so long, it is gone: longer than any vehicle hides it.
const FORGET_AFTER: Duration = Duration::from_mins(15);
/// How far two sightings of one place may lie apart, in widths.
const SAME_PLACE: f32 = 0.25;
/// How much wider one may be than the other, as a factor.
const SAME_SIZE: f32 = 1.35;
/// Places remembered; a lane has a handful.
const MOST_PLACES: usize = 32;

#[derive(Clone, Debug)]
struct Place {
    camera: usize,
    corners: Quad,
    since: Duration,
    last: Duration,
}

impl Place {
    fn holds(&self, camera: usize, corners: &Quad) -> bool {
        let (own, other) = (self.corners.width().max(1.0), corners.width().max(1.0));
        let (a, b) = (self.corners.centre(), corners.centre());
        camera == self.camera
            && (a.x - b.x).hypot(a.y - b.y) <= SAME_PLACE * own
            && own.max(other) / own.min(other) <= SAME_SIZE
    }
}

/// The places of one lane.
#[derive(Clone, Debug)]
pub struct Backdrop {
    places: Vec<Place>,
    /// Below this probability of its likeliest mark a read says nothing.
    read_least: f32,
}

impl Backdrop {
    /// Nothing known yet. `read_least` is the model's own threshold for anything to count as read.
    pub fn new(read_least: f32) -> Self {
        Self { places: Vec::new(), read_least }
    }

    /// Leave out of a frame's reads what stands there anyway; `empty`: no vehicle is in the lane, so learn as well.
    pub fn without(
        &mut self,
        at: Duration,
        camera: usize,
        reads: Vec<PlateRead>,
        empty: bool,
    ) -> Vec<PlateRead> {
        self.places.retain(|place| at.saturating_sub(place.last) <= FORGET_AFTER);
        reads.into_iter().filter(|read| !self.is_backdrop(at, camera, read, empty)).collect()
    }

    fn is_backdrop(&mut self, at: Duration, camera: usize, read: &PlateRead, empty: bool) -> bool {
        let says = models::candidates(&read.characters, 1).first().map_or(0.0, |best| best.probability);
        if says >= self.read_least {
            return false;
        }
        let corners = &read.sighting.corners;
        if let Some(place) = self.places.iter_mut().find(|place| place.holds(camera, corners)) {
            place.last = at;
            return at.saturating_sub(place.since) >= STANDS_FOR;
        }
        if empty && self.places.len() < MOST_PLACES {
            self.places.push(Place { camera, corners: *corners, since: at, last: at });
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::fuse::tests::read_at;
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_sign_in_the_empty_lane_is_left_out_afterwards() {
        let mut backdrop = Backdrop::new(0.2);
        let sign = || vec![read_at("AB1234", 0.05, 900.0, 40.0)];
        for n in 0..8 {
            assert_eq!(backdrop.without(ms(n * 100), 0, sign(), true).len(), 1);
        }
        assert!(backdrop.without(ms(900), 0, sign(), true).is_empty());
        assert!(backdrop.without(ms(60_000), 0, sign(), false).is_empty(), "with a vehicle in the lane, too");
        assert_eq!(backdrop.without(ms(60_000), 1, sign(), false).len(), 1, "another camera's place");
        assert_eq!(backdrop.without(ms(60_000 + 16 * 60_000), 0, sign(), false).len(), 1, "forgotten");
    }

    #[test]
    fn a_readable_mark_and_a_vehicle_that_stands_are_never_left_out() {
        let mut backdrop = Backdrop::new(0.2);
        for n in 0..100 {
            assert_eq!(
                backdrop.without(ms(n * 100), 0, vec![read_at("AB1234", 0.95, 0.0, 0.0)], true).len(),
                1
            );
        }
        for n in 100..200 {
            // Too dirty to read, but there is a vehicle.
            assert_eq!(
                backdrop.without(ms(n * 100), 0, vec![read_at("AB1234", 0.05, 300.0, 0.0)], false).len(),
                1
            );
        }
    }
}
