//! As many requests as one client may send: beyond, it is told when to come back.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use serde::Deserialize;

use super::strangers::Strangers;

/// Requests that one client of the trade may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// In a second, over a longer time. Default 100.
    pub per_second: NonZeroU32,
    /// At once. Default 500.
    pub burst: NonZeroU32,
}

impl Default for RateLimit {
    fn default() -> Self {
        let some = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { per_second: some(100), burst: some(500) }
    }
}

/// Counts each client's requests. Every central counts for itself: behind a balancer a client may send so many to each.
#[derive(Debug)]
pub struct RateLimits {
    limiter: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    strangers: Strangers,
}

/// Clients remembered before those that have been quiet are forgotten.
const MOST_CLIENTS: usize = 10_000;

impl RateLimits {
    /// Nothing counted yet.
    pub fn new(limit: RateLimit, failed_sign_ins_per_minute: NonZeroU32) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let limiter = DefaultKeyedRateLimiter::keyed(quota);
        let strangers = Strangers::new(failed_sign_ins_per_minute);
        Self { limiter, clock: DefaultClock::default(), strangers }
    }

    /// Of those whom nobody knows.
    pub(super) fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    /// Count a request; too many: after which time the next may come.
    pub fn count(&self, client: &str) -> Result<(), Duration> {
        if self.limiter.len() > MOST_CLIENTS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&client.to_owned()).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_sends_too_many_is_told_when_to_come_back_and_others_are_not() {
        let one = NonZeroU32::MIN;
        let limits = RateLimits::new(RateLimit { per_second: one, burst: one.saturating_add(1) }, one);
        assert_eq!(limits.count("busy"), Ok(()));
        assert_eq!(limits.count("busy"), Ok(()));
        let wait = limits.count("busy").unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(limits.count("quiet"), Ok(()));
    }
}
