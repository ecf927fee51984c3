//! One slot, the latest wins: how a fast producer hands things to a slower consumer without a queue of stale ones.
//!
//! Several mailboxes can wake one consumer: it subscribes its [`Notifier`] to each of them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wakes one consumer of several mailboxes. What was announced while it did not wait is not lost.
#[derive(Debug, Default)]
pub struct Notifier {
    announced: Mutex<bool>,
    changed: Condvar,
}

impl Notifier {
    /// A notifier for one consumer.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Wake the consumer, now or at its next wait.
    pub fn notify(&self) {
        *lock(&self.announced) = true;
        self.changed.notify_all();
    }

    /// Wait until notified, at most `timeout`; false when the time ran out.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut announced = lock(&self.announced);
        while !*announced {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            announced = self.changed.wait_timeout(announced, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *announced = false;
        true
    }
}

/// A slot for the newest `T`.
#[derive(Debug)]
pub struct Mailbox<T> {
    inner: Mutex<Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    newest: Option<T>,
    dropped: u64,
    wakes: Option<Arc<Notifier>>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { inner: Mutex::new(Slot { newest: None, dropped: 0, wakes: None }) }
    }
}

impl<T> Mailbox<T> {
    /// An empty mailbox.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Let `notifier` be told of every arrival from now on, in place of an earlier one.
    pub fn subscribe(&self, notifier: &Arc<Notifier>) {
        let waiting = {
            let mut slot = lock(&self.inner);
            slot.wakes = Some(Arc::clone(notifier));
            slot.newest.is_some()
        };
        if waiting {
            notifier.notify();
        }
    }

    /// Put the newest in. What nobody had taken is dropped and counted.
    pub fn put(&self, value: T) {
        let (replaced, wakes) = {
            let mut slot = lock(&self.inner);
            let replaced = slot.newest.replace(value);
            slot.dropped += u64::from(replaced.is_some());
            (replaced, slot.wakes.clone())
        };
        drop(replaced); // outside the lock: freeing a picture takes its time
        if let Some(notifier) = wakes {
            notifier.notify();
        }
    }

    /// Take the newest out, if there is one.
    pub fn take(&self) -> Option<T> {
        lock(&self.inner).newest.take()
    }

    /// How many were replaced before anyone took them.
    pub fn dropped(&self) -> u64 {
        lock(&self.inner).dropped
    }
}

/// A holder that panicked leaves a slot that is still whole: every change here is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_wins_and_the_rest_is_counted() {
        let mailbox = Mailbox::new();
        for n in 0..5 {
            mailbox.put(n);
        }
        assert_eq!((mailbox.take(), mailbox.take(), mailbox.dropped()), (Some(4), None, 4));
    }

    #[test]
    fn one_consumer_waits_on_several_mailboxes() {
        let notifier = Notifier::new();
        let (a, b) = (Mailbox::new(), Mailbox::new());
        a.subscribe(&notifier);
        b.subscribe(&notifier);
        let producer = {
            let b = Arc::clone(&b);
            std::thread::spawn(move || b.put(7))
        };
        assert!(notifier.wait(Duration::from_mins(1)));
        assert_eq!((a.take(), b.take()), (None::<i32>, Some(7)));
        producer.join().unwrap();
    }

    #[test]
    fn what_came_before_the_wait_or_the_subscription_is_not_lost() {
        let notifier = Notifier::new();
        let mailbox = Mailbox::new();
        mailbox.put(1);
        mailbox.subscribe(&notifier);
        assert!(notifier.wait(Duration::from_mins(1)));
        assert!(!notifier.wait(Duration::ZERO), "one announcement wakes once");
    }
}
