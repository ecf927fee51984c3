//! Listens to Zenoh's log, so that people see what it refuses where they see what central itself refuses. The edge has the
//! same, in its own room; what the lines say, `clearance` knows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use clearance::ids::EdgeId;
use clearance::transport::Party;
pub use clearance::transport::overheard::Heard;
use clearance::transport::overheard::{Hearing, LISTENERS_TARGETS};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::state::LaneRecord;

/// Lines waiting to be noted; more at once are somebody's flood, and a few tell of it.
const QUEUE: usize = 64;

/// Listen to Zenoh's log; give the receiver to [`Central::hear`](crate::Central::hear).
pub fn overhear<S>() -> (impl Layer<S>, mpsc::Receiver<Heard>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (inbox, heard) = mpsc::channel(QUEUE);
    (Overhear { inbox }.with_filter(targets()), heard)
}

fn targets() -> Targets {
    LISTENERS_TARGETS.parse().unwrap_or_default()
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

/// What was refused, and why, if anything was.
pub(crate) fn refusal(heard: Heard, revoked: &BTreeSet<EdgeId>) -> Option<(LaneRecord, String)> {
    match heard {
        Heard::Connection(why) => Some((LaneRecord::Connection, why)),
        Heard::Access(what) => Some((LaneRecord::Access, what)),
        Heard::Connected(name) => match name.parse() {
            Ok(Party::Edge(_, edge)) if revoked.contains(&edge) => {
                Some((LaneRecord::Connection, format!("{name}: is revoked, and may do nothing")))
            }
            _ => None,
        },
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
    fn whoever_is_revoked_is_refused_when_he_connects() {
        let revoked = BTreeSet::from(["edge-1".parse().unwrap()]);
        let refused = |name: &str| refusal(Heard::Connected(name.to_owned()), &revoked);
        assert!(refused("edge.site.edge-1").unwrap().1.contains("edge.site.edge-1: is revoked"));
        for good in ["edge.site.edge-2", "router.site", "central", "edge-1"] {
            assert_eq!(refused(good), None, "{good}");
        }
    }
}
