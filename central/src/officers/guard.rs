//! Slows down guessing: each failed sign-in for a name doubles the wait before the next is looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clearance::ids::UtcMillis;

/// Names remembered; beyond, the oldest failure is forgotten.
const MOST: usize = 10_000;

/// Failures before the waiting begins.
const FREE: u32 = 3;

/// Failed sign-ins by name.
#[derive(Debug, Default)]
pub struct SignInGuard {
    failures: Mutex<HashMap<String, (u32, UtcMillis)>>,
}

impl SignInGuard {
    /// Milliseconds until a sign-in for `name` is looked at again; 0: now.
    pub fn wait_ms(&self, name: &str, now: UtcMillis) -> i64 {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((count, last)) = failures.get(name) else { return 0 };
        let wait = 1000 << count.saturating_sub(FREE).min(8);
        if *count < FREE { 0 } else { (last.0 + wait - now.0).max(0) }
    }

    /// A sign-in failed.
    pub fn failed(&self, name: &str, now: UtcMillis) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST
            && let Some(oldest) = failures.iter().min_by_key(|(_, (_, at))| *at).map(|(n, _)| n.clone())
        {
            failures.remove(&oldest);
        }
        let entry = failures.entry(name.to_owned()).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
    }

    /// A sign-in succeeded.
    pub fn succeeded(&self, name: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_success_forgives() {
        let guard = SignInGuard::default();
        let mut now = UtcMillis(0);
        for _ in 0..FREE {
            assert_eq!(guard.wait_ms("chan", now), 0);
            guard.failed("chan", now);
        }
        let first = guard.wait_ms("chan", now);
        assert!(first > 0);
        now = now.plus_millis(first);
        guard.failed("chan", now);
        assert!(guard.wait_ms("chan", now) > first);
        assert_eq!(guard.wait_ms("wong", now), 0);
        guard.succeeded("chan");
        assert_eq!(guard.wait_ms("chan", now), 0);
    }
}
