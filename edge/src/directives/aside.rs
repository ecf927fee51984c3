//! Work of sled's that may never come to an end, on threads that may be left behind.
//!
//! sled 0.34 has one lock for the writers of a whole process, and a flush holds it while it waits. A flush that waits for
//! ever would have every later write wait too, of whichever tree. So nobody writes while one is left behind.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What sled is waited for by, in this process.
pub(super) static SLED: Aside = Aside::new();

/// Threads that have not come to their end yet.
pub(super) struct Aside {
    running: Mutex<Running>,
    ended: Condvar,
}

struct Running {
    started: BTreeMap<u64, Instant>,
    next: u64,
}

impl Aside {
    const fn new() -> Self {
        Self { running: Mutex::new(Running { started: BTreeMap::new(), next: 0 }), ended: Condvar::new() }
    }

    /// Do something on a thread of its own.
    pub(super) fn start(&'static self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let number = {
            let mut running = self.running();
            running.next += 1;
            let number = running.next;
            running.started.insert(number, Instant::now());
            number
        };
        let end = Ends { of: self, number };
        let work = move || {
            // Told by its drop, so that a panic is an end as well.
            let _end = end;
            work();
        };
        thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
    }

    /// Wait until nothing is left behind, at most so long; gives whether nothing is.
    pub(super) fn settled(&self, limit: Duration) -> bool {
        let waited = self.ended.wait_timeout_while(self.running(), limit, |r| !r.started.is_empty());
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// How long the oldest has been running.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.running().started.values().next().map(Instant::elapsed)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ends {
    of: &'static Aside,
    number: u64,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.of.running().started.remove(&self.number);
        self.of.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn it_is_settled_when_the_last_has_ended_or_panicked() {
        static ASIDE: Aside = Aside::new();
        assert!(ASIDE.settled(Duration::ZERO) && ASIDE.oldest().is_none());
        let (go, waits) = mpsc::channel::<()>();
        ASIDE.start("waits", move || assert!(waits.recv().is_err())).unwrap();
        ASIDE.start("panics", || panic!("sled does, now and then")).unwrap();
        assert!(!ASIDE.settled(Duration::from_millis(50)));
        assert!(ASIDE.oldest().unwrap() >= Duration::from_millis(50));
        drop(go);
        assert!(ASIDE.settled(Duration::from_mins(1)) && ASIDE.oldest().is_none());
    }
}
