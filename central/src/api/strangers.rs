//! Sign-ins that fail, counted for each address: whoever tries tokens or certificates that nobody has is told to wait, and costs the
//! database nothing meanwhile. Whoever has signed in from there before is served all the same: many may share an address.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use governor::clock::{Clock as _, DefaultClock, Reference as _};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::server::block;

/// Addresses, and credentials that were good, that are remembered before they are forgotten.
const MOST: usize = 10_000;

type Moment = <DefaultClock as governor::clock::Clock>::Instant;

/// Whom the other end of a connection stands for; none where it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(Option<IpAddr>);

impl Peer {
    /// Of a request; the server says so, never a header.
    pub(super) fn of(request: &Extensions) -> Self {
        Self(request.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| block(peer.ip())))
    }
}

/// Counts sign-ins that fail. Every central counts for itself.
#[derive(Debug)]
pub(super) struct Strangers {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    /// Addresses from which too many failed, and until when.
    shut: Mutex<HashMap<IpAddr, Moment>>,
    /// Digests of credentials that were good when they were last seen.
    known: Mutex<HashSet<String>>,
}

impl Strangers {
    /// Nothing counted yet.
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(per_minute)),
            clock: DefaultClock::default(),
            shut: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Whether a credential from there is looked at; no: when it will be.
    pub(super) fn may_try(&self, from: Peer, credential: &str) -> Result<(), Duration> {
        let Some(from) = from.0 else { return Ok(()) };
        let now = self.clock.now();
        let Some(until) = lock(&self.shut).get(&from).copied().filter(|until| *until > now) else {
            return Ok(());
        };
        if lock(&self.known).contains(credential) {
            return Ok(());
        }
        Err(until.duration_since(now).into())
    }

    /// A credential was good.
    pub(super) fn succeeded(&self, credential: &str) {
        let mut known = lock(&self.known);
        if !known.contains(credential) {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(credential.to_owned());
        }
    }

    /// One was not; too many were: when the next will be looked at.
    pub(super) fn failed(&self, from: Peer, credential: &str) -> Result<(), Duration> {
        lock(&self.known).remove(credential);
        let Some(from) = from.0 else { return Ok(()) };
        if self.limiter.len() > MOST {
            self.limiter.retain_recent();
        }
        let Err(until) = self.limiter.check_key(&from) else { return Ok(()) };
        let now = self.clock.now();
        let mut shut = lock(&self.shut);
        shut.retain(|_, until| *until > now);
        shut.insert(from, until.earliest_possible());
        Err(until.wait_time_from(now))
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_wait_and_whoever_is_known_does_not() {
        let strangers = Strangers::new(NonZeroU32::new(2).unwrap());
        let peer = |address: &str| Peer(Some(address.parse().unwrap()));
        let (here, elsewhere) = (peer("10.0.0.1"), peer("10.0.0.2"));
        strangers.succeeded("known");
        assert_eq!(strangers.failed(here, "a"), Ok(()));
        assert_eq!(strangers.failed(here, "b"), Ok(()));
        assert_eq!(strangers.may_try(here, "c"), Ok(()));
        assert!(strangers.failed(here, "c").unwrap_err() > Duration::from_secs(20));
        assert!(strangers.may_try(here, "d").unwrap_err() > Duration::from_secs(20));
        assert_eq!(strangers.may_try(here, "known"), Ok(()));
        assert_eq!(strangers.may_try(elsewhere, "d"), Ok(()));
        // Revoked, it is a stranger's, too.
        assert!(strangers.failed(here, "known").is_err());
        assert!(strangers.may_try(here, "known").is_err());
    }
}
