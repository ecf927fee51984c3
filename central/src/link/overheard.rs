//! What Zenoh refuses it says only in its log. It is overheard here, so that people see it where they see what central
//! itself refuses. The texts are Zenoh 1.10's; the transport tests notice when they change.

use std::cell::Cell;
use std::fmt;

use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::state::LaneRecord;

const TLS: &str = "zenoh_link_tls";
const ACCESS: &str = "zenoh::net::routing::interceptor::access_control";

/// Refusals waiting to be noted; more at once are somebody's flood, and a few tell of it.
const QUEUE: usize = 64;

/// A refusal: of what, and why.
pub type Refusal = (LaneRecord, String);

/// Listen to Zenoh's log; give the receiver to [`Central::hear`](crate::Central::hear).
pub fn overhear<S>() -> (impl Layer<S>, mpsc::Receiver<Refusal>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (inbox, refusals) = mpsc::channel(QUEUE);
    let only = Targets::new().with_target(TLS, LevelFilter::WARN).with_target(ACCESS, LevelFilter::TRACE);
    (Overhear { inbox }.with_filter(only), refusals)
}

struct Overhear {
    inbox: mpsc::Sender<Refusal>,
}

impl<S: Subscriber> Layer<S> for Overhear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let refusal = if event.metadata().target() == ACCESS { denied(&text.0) } else { handshake(&text.0) };
        if let Some(refusal) = refusal {
            let _ = self.inbox.try_send(refusal);
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

/// A connection that failed. Zenoh adds a hint about open files, whatever the cause is; and the seconds since a
/// certificate ran out would make each attempt another refusal.
fn handshake(text: &str) -> Option<Refusal> {
    let why = text.split(". Hint:").next()?.split(": verification time").next()?;
    Some((LaneRecord::Connection, why.to_owned()))
}

thread_local! {
    /// Zenoh works out what a peer may do with a key before the peer does anything, and that reads like a refusal.
    static WORKING_OUT: Cell<bool> = const { Cell::new(false) };
}

fn denied(text: &str) -> Option<Refusal> {
    if text.starts_with("ACL (") {
        WORKING_OUT.set(true);
        return None;
    }
    if text.contains("did not match any configured ACL subject") {
        return Some((
            LaneRecord::Connection,
            "its certificate names nobody in the configuration".to_owned(),
        ));
    }
    let real = text.starts_with("Using cached result");
    if !real && WORKING_OUT.get() {
        // The last of those lines.
        if text.contains("Declare Liveliness Subscriber (") {
            WORKING_OUT.set(false);
        }
        return None;
    }
    let (who, what) = text.split_once(" is unauthorized to ")?;
    let (deed, key) = what.split_once(" (ingress) on ")?;
    let name = who.split_once("CertCommonName(").and_then(|(_, rest)| rest.split(')').next());
    let who = name.or_else(|| who.rsplit(' ').next())?;
    Some((LaneRecord::Access, format!("{who}: {} on {key}", deed.to_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_who_did_what_and_what_was_only_worked_out_is_none() {
        let line = "1a2b on Interface(lo)+CertCommonName(edge.a.e)+Transport(Tls)+1a2b is unauthorized to Put (ingress) on clearlane/a/deltas";
        let said = "edge.a.e: put on clearlane/a/deltas".to_owned();
        assert_eq!(denied(line), Some((LaneRecord::Access, said.clone())));
        assert_eq!(denied("ACL (ingress): caching permissions for `clearlane/a/deltas` ..."), None);
        assert_eq!(denied(line), None);
        assert_eq!(denied("1a2b on x is unauthorized to Declare Liveliness Subscriber (ingress) on k"), None);
        assert_eq!(denied(line), Some((LaneRecord::Access, said)));
        let cached = "Using cached result: 1a2b is unauthorized to Query (ingress) on clearlane/b/lease";
        assert_eq!(denied(cached).unwrap().1, "1a2b: query on clearlane/b/lease");
        assert_eq!(denied(&line.replace("ingress", "egress")), None);
        assert_eq!(denied(&line.replace("unauthorized", "authorized")), None);
        let hint = ". Hint: increase the system open file limit.";
        let failed = handshake(&format!("peer sent no certificates{hint}"));
        assert_eq!(failed.unwrap().1, "peer sent no certificates");
        let failed = handshake(&format!("certificate expired: verification time 17 (UNIX), but 16{hint}"));
        assert_eq!(failed.unwrap().1, "certificate expired");
    }
}
