//! Ending a pipeline without ending up in it: GStreamer may hang in `set_state(Null)`, so someone else does it,
//! and there is a deadline.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;

/// How long a pipeline may take to end (choice: an RTSP TEARDOWN takes under a second).
const DEADLINE: Duration = Duration::from_secs(5);

static HUNG: AtomicU32 = AtomicU32::new(0);

/// Pipelines of this process that did not end in time and were left behind. Each keeps its memory, threads and
/// sockets, so past a configured number the supervisor should exit with code 70 and be started afresh.
pub fn hung_teardowns() -> u32 {
    HUNG.load(Ordering::Relaxed)
}

/// End `pipeline`, waiting at most the deadline; past it, it is left behind and counted.
pub(super) fn end(camera: &str, pipeline: gst::Pipeline) {
    let (done, ended) = mpsc::channel();
    let worker = std::thread::Builder::new().name("camera-teardown".into()).spawn(move || {
        if let Err(error) = pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "pipeline did not end cleanly");
        }
        drop(pipeline);
        // Nobody listens any more when the deadline has passed.
        let _ = done.send(());
    });
    let in_time = match worker {
        Ok(_) => ended.recv_timeout(DEADLINE).is_ok(),
        Err(_) => false, // no thread to be had: the machine is in deep trouble, and the pipeline stays
    };
    if !in_time {
        let hung = HUNG.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(camera, hung, "pipeline did not end within {DEADLINE:?} and was left behind");
    }
}
