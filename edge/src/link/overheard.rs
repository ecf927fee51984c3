//! Listens to Zenoh's log, the only place where it says why it cannot connect and whom it does not believe. Central has the
//! same, in its own room; what the lines say, `clearance` knows.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clearance::transport::overheard::{CONNECTORS_TARGETS, Heard, Hearing};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Lines waiting to be noted.
const QUEUE: usize = 64;

/// A cause that is not met again for so long is over. Zenoh tries every two seconds, and longer with each machine that is
/// switched off.
const OVER: Duration = Duration::from_mins(1);

/// The most causes that are kept.
const MOST: usize = 10;

/// Listen to Zenoh's log; give the receiver to [`Appliance::hear`](crate::appliance::Appliance::hear).
pub fn overhear<S>() -> (impl Layer<S>, mpsc::Receiver<Heard>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (inbox, heard) = mpsc::channel(QUEUE);
    (Overhear { inbox }.with_filter(targets()), heard)
}

fn targets() -> Targets {
    CONNECTORS_TARGETS.parse().unwrap_or_default()
}

thread_local! {
    static HEARING: RefCell<Hearing> = const { RefCell::new(Hearing::new()) };
}

struct Overhear {
    inbox: mpsc::Sender<Heard>,
}

impl<S: Subscriber> Layer<S> for Overhear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let heard = HEARING.with_borrow_mut(|hearing| hearing.hear(event.metadata().target(), &text.0));
        if let Some(heard) = heard {
            let _ = self.inbox.try_send(heard);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Why there is no link, or nobody to believe at its other end: what was met in the last minute.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Vec<(String, Instant)>>);

impl Refusals {
    /// Note what is heard, for ever; each cause is logged once.
    pub async fn note(&self, mut heard: mpsc::Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            if let Heard::Connection(why) | Heard::Access(why) = heard {
                self.add(&why, Instant::now());
            }
        }
    }

    fn add(&self, why: &str, now: Instant) {
        let mut causes = self.causes();
        causes.retain(|(_, met)| now.saturating_duration_since(*met) < OVER);
        if let Some((_, met)) = causes.iter_mut().find(|(known, _)| known == why) {
            *met = now;
        } else {
            tracing::warn!(why, "no link to central");
            causes.push((why.to_owned(), now));
            let extra = causes.len().saturating_sub(MOST);
            causes.drain(..extra);
        }
    }

    /// What was met in the last minute.
    pub fn lately(&self) -> Vec<String> {
        let causes = self.causes();
        causes.iter().filter(|(_, met)| met.elapsed() < OVER).map(|(why, _)| why.clone()).collect()
    }

    fn causes(&self) -> MutexGuard<'_, Vec<(String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_that_says_something_is_listened_to() {
        assert_eq!(targets().iter().count(), 4);
    }

    #[test]
    fn a_cause_is_kept_as_long_as_it_is_met_and_they_are_not_many() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        for seconds in [0, 40, 80] {
            refusals.add("first", now + Duration::from_secs(seconds));
        }
        refusals.add("second", now + Duration::from_secs(81));
        assert_eq!(refusals.lately(), ["first", "second"]);
        refusals.add("third", now + Duration::from_secs(142));
        assert_eq!(refusals.lately(), ["third"]);
        for number in 0..20 {
            refusals.add(&number.to_string(), now + Duration::from_secs(143));
        }
        assert_eq!(refusals.lately().len(), MOST);
    }
}
