//! Whether a camera's picture can be relied upon, computed from the last arrival and nothing else.
//!
//! Pure: the streaming thread notes arrivals, the supervisor notes trouble, and a timer thread asks. None of
//! them waits for another.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clearance::decide::LaneFault;
use clearance::picture::LumaView;

/// Rows between two rows that count for telling whether the picture changes. Sensor noise touches every row, so a
/// quarter of them tells a live picture from a repeated one.
const ROW_STEP: usize = 4;

/// Whether a camera's picture can be relied upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraHealth {
    /// New pictures arrive and they change.
    Live,
    /// No new picture.
    Missing {
        /// Why, and what to do about it.
        why: String,
    },
    /// Pictures arrive, but they are byte for byte the same.
    Frozen,
    /// The recording is over.
    Ended,
}

impl CameraHealth {
    /// What the lane must hold for, if anything.
    pub fn fault(&self) -> Option<LaneFault> {
        match self {
            Self::Live => None,
            Self::Missing { .. } | Self::Ended => Some(LaneFault::PictureMissing),
            Self::Frozen => Some(LaneFault::PictureFrozen),
        }
    }
}

/// What is known of a camera's picture, shared by its threads.
#[derive(Debug)]
pub(super) struct Vitals {
    signs: Mutex<Signs>,
}

#[derive(Debug)]
struct Signs {
    frames: u64,
    arrived: Option<Instant>,
    changed: Option<Instant>,
    fingerprint: Option<u32>,
    trouble: Option<String>,
    ended: bool,
}

impl Vitals {
    pub(super) fn new() -> Self {
        Self {
            signs: Mutex::new(Signs {
                frames: 0,
                arrived: None,
                changed: None,
                fingerprint: None,
                trouble: None,
                ended: false,
            }),
        }
    }

    /// A picture with this fingerprint arrived; gives its number.
    pub(super) fn arrival(&self, at: Instant, fingerprint: u32) -> u64 {
        let mut signs = self.lock();
        if signs.fingerprint != Some(fingerprint) {
            signs.fingerprint = Some(fingerprint);
            signs.changed = Some(at);
        }
        signs.arrived = Some(at);
        signs.trouble = None;
        signs.frames += 1;
        signs.frames - 1
    }

    /// Something went wrong; told when the picture is missed.
    pub(super) fn trouble(&self, why: String) {
        self.lock().trouble = Some(why);
    }

    /// The recording is over.
    pub(super) fn end(&self) {
        self.lock().ended = true;
    }

    /// Pictures so far.
    pub(super) fn frames(&self) -> u64 {
        self.lock().frames
    }

    /// When the last picture arrived.
    pub(super) fn arrived(&self) -> Option<Instant> {
        self.lock().arrived
    }

    /// Judge the picture at `now`; `hold_after` is how long it may fail to come or to change.
    pub(super) fn health(&self, now: Instant, hold_after: Duration) -> CameraHealth {
        let signs = self.lock();
        let older =
            |then: Option<Instant>| then.is_none_or(|t| now.saturating_duration_since(t) >= hold_after);
        if signs.ended {
            CameraHealth::Ended
        } else if older(signs.arrived) {
            let why = signs.trouble.clone();
            let why = why.unwrap_or_else(|| match signs.arrived {
                None => "no picture yet: still connecting".to_owned(),
                Some(_) => "no new picture: the source is silent".to_owned(),
            });
            CameraHealth::Missing { why }
        } else if older(signs.changed) {
            CameraHealth::Frozen
        } else {
            CameraHealth::Live
        }
    }

    /// A holder that panicked leaves signs that are still whole.
    fn lock(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Equal for equal pictures; two different live pictures share it about once in four thousand million.
pub(super) fn fingerprint(picture: LumaView<'_>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for y in (0..picture.height()).step_by(ROW_STEP) {
        hasher.update(picture.row(y));
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_millis(1_800);

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_camera_without_a_picture_yet_is_missing_and_says_why() {
        let (vitals, now) = (Vitals::new(), Instant::now());
        assert!(
            matches!(vitals.health(now, HOLD), CameraHealth::Missing { why } if why.contains("connecting"))
        );
        vitals.trouble("refused".into());
        assert_eq!(vitals.health(now, HOLD), CameraHealth::Missing { why: "refused".into() });
    }

    #[test]
    fn silence_is_missing_and_repetition_is_frozen() {
        let (vitals, start) = (Vitals::new(), Instant::now());
        vitals.arrival(start, 1);
        assert_eq!(vitals.health(at(start, 1_799), HOLD), CameraHealth::Live);
        assert!(matches!(vitals.health(at(start, 1_800), HOLD), CameraHealth::Missing { .. }));
        vitals.arrival(at(start, 1_850), 1);
        assert_eq!(vitals.health(at(start, 1_850), HOLD), CameraHealth::Frozen);
        vitals.arrival(at(start, 1_900), 2);
        assert_eq!(vitals.health(at(start, 1_900), HOLD), CameraHealth::Live);
    }

    #[test]
    fn trouble_that_is_over_within_the_hold_time_is_not_shown() {
        let (vitals, start) = (Vitals::new(), Instant::now());
        vitals.arrival(start, 1);
        vitals.trouble("connection lost".into());
        assert_eq!(vitals.health(at(start, 500), HOLD), CameraHealth::Live);
        vitals.arrival(at(start, 900), 2);
        let CameraHealth::Missing { why } = vitals.health(at(start, 9_000), HOLD) else {
            panic!("must be missing")
        };
        assert!(!why.contains("lost"), "{why}");
    }

    #[test]
    fn one_changed_pixel_on_the_grid_changes_the_fingerprint() {
        let mut pixels = vec![9u8; 64 * 16];
        let view = |p: &[u8]| fingerprint(LumaView::new(p, 64, 16, 64).unwrap());
        let before = view(&pixels);
        assert_eq!(before, view(&pixels));
        pixels[4 * 64 + 63] = 10;
        assert_ne!(before, view(&pixels));
    }
}
