//! When something that could not be delivered is tried again: pure, with time and chance handed in.

use clearance::ids::UtcMillis;

/// The first wait, milliseconds.
const FIRST_MS: i64 = 2_000;

/// By how much each wait is longer than the one before.
const FACTOR: i64 = 4;

/// The longest wait between two attempts at the same delivery.
const LONGEST_MS: i64 = 6 * 3_600_000;

/// The longest wait of a receiver that answers nothing at all: it should soon be heard that it is back.
const LONGEST_OUTAGE_MS: i64 = 600_000;

/// For how long a delivery is tried, from the first attempt.
pub(super) const TRIED_MS: i64 = 24 * 3_600_000;

/// As many attempts in a row hold up what comes after: a receiver that is away for a moment still gets everything in order.
const HELD_UP: u32 = 3;

/// As many failures in a row are an outage of the receiver rather than something wrong with one delivery.
pub(super) const OUTAGE: u32 = 5;

/// A webhook that was reached by nothing for so long is paused.
const PAUSED_AFTER_MS: i64 = 3 * 24 * 3_600_000;

/// Chance, 0 to below 1: waits differ, so that those who failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(pub(super) f64);

impl Chance {
    /// A fifth more or less.
    fn of(self, wait: i64) -> i64 {
        (wait as f64 * (0.8 + 0.4 * self.0)) as i64
    }
}

/// The wait after so many failures, without chance.
fn wait(failures: u32, longest: i64) -> i64 {
    let factor = FACTOR.saturating_pow(failures.saturating_sub(1));
    FIRST_MS.saturating_mul(factor).min(longest)
}

/// When a delivery is tried again after so many attempts; `None`: no more, it has failed.
pub(super) fn next_try(attempts: u32, first: UtcMillis, now: UtcMillis, chance: Chance) -> Option<UtcMillis> {
    let last = first.plus_millis(TRIED_MS);
    if now >= last {
        return None;
    }
    Some(now.plus_millis(chance.of(wait(attempts, LONGEST_MS))).min(last))
}

/// When anything is sent to a receiver again after so many failures in a row. `retry`: when the delivery that failed is tried again.
pub(super) fn resume(failures: u32, retry: Option<UtcMillis>, now: UtcMillis, chance: Chance) -> UtcMillis {
    match retry {
        Some(retry) if failures <= HELD_UP => retry,
        _ => now.plus_millis(chance.of(wait(failures, LONGEST_OUTAGE_MS))),
    }
}

/// Whether a receiver that has failed since a moment is paused.
pub(super) fn is_given_up(failing_since: UtcMillis, now: UtcMillis) -> bool {
    now.0 - failing_since.0 >= PAUSED_AFTER_MS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The moments of every attempt, seconds after the first.
    fn attempts(chance: f64) -> Vec<i64> {
        let (mut now, mut moments) = (UtcMillis(0), Vec::new());
        loop {
            moments.push(now.0 / 1000);
            match next_try(moments.len() as u32, UtcMillis(0), now, Chance(chance)) {
                Some(next) => now = next,
                None => return moments,
            }
        }
    }

    #[test]
    fn a_delivery_is_tried_for_a_day_at_longer_and_longer_intervals() {
        assert_eq!(attempts(0.5), [0, 2, 10, 42, 170, 682, 2730, 10922, 32522, 54122, 75722, 86400]);
    }

    #[test]
    fn what_comes_after_waits_for_a_moment_and_not_for_hours() {
        let retry = Some(UtcMillis(9_000_000));
        assert_eq!(resume(1, retry, UtcMillis(0), Chance(0.5)), UtcMillis(9_000_000));
        assert_eq!(resume(4, retry, UtcMillis(0), Chance(0.5)), UtcMillis(128_000));
        assert_eq!(resume(30, retry, UtcMillis(0), Chance(0.5)), UtcMillis(LONGEST_OUTAGE_MS));
        assert_eq!(resume(1, None, UtcMillis(0), Chance(0.5)), UtcMillis(2_000));
    }

    #[test]
    fn a_receiver_is_given_up_after_days() {
        assert!(!is_given_up(UtcMillis(0), UtcMillis(PAUSED_AFTER_MS - 1)));
        assert!(is_given_up(UtcMillis(0), UtcMillis(PAUSED_AFTER_MS)));
    }

    proptest! {
        #[test]
        fn whatever_chance_does_tries_lie_in_the_future_and_end_after_a_day(chance in 0.0..1.0f64, failures in 1..u32::MAX) {
            let moments = attempts(chance);
            prop_assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!((10..=16).contains(&moments.len()) && moments.last() == Some(&(TRIED_MS / 1000)));
            let resumed = resume(failures, None, UtcMillis(0), Chance(chance)).0;
            prop_assert!((1_600..=LONGEST_OUTAGE_MS * 6 / 5).contains(&resumed));
        }
    }
}
