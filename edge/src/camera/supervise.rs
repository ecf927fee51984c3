//! A camera that looks after itself: its pipeline is built, watched, and built anew with growing pauses.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSinkCallbacks;
use tokio::sync::watch;

use super::error::{CameraError, Cause};
use super::frame::Frame;
use super::health::{CameraHealth, Vitals, fingerprint};
use super::mailbox::Mailbox;
use super::pipeline::{self, Built, Delivery};
use super::pull::cause_of;
use super::spec::{CameraSpec, Source};
use super::{feed, teardown};

/// How often health is computed and the bus is looked at.
const TICK: Duration = Duration::from_millis(100);

/// First and longest pause before a pipeline is built anew; up to as much again is added by chance, so that the
/// cameras of a site do not all come back in the same instant.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(7_500);

/// How long [`Camera::stop`] waits: a teardown's deadline and a little.
const STOP_DEADLINE: Duration = Duration::from_secs(6);

/// A running camera. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Camera {
    health: watch::Receiver<CameraHealth>,
    stop: Arc<Stop>,
    ended: mpsc::Receiver<()>,
}

impl Camera {
    /// Start the only camera of a lane. See [`Self::start_numbered`].
    pub fn start(spec: CameraSpec, mailbox: Arc<Mailbox<Frame>>) -> Self {
        Self::start_numbered(0, spec, mailbox)
    }

    /// Start camera `number` of a lane; its newest picture is always in `mailbox`. Never fails and never waits:
    /// what is wrong shows in the health and in the log, and is tried again.
    pub fn start_numbered(number: usize, spec: CameraSpec, mailbox: Arc<Mailbox<Frame>>) -> Self {
        let vitals = Arc::new(Vitals::new());
        let stop = Arc::new(Stop::default());
        let (tell, health) = watch::channel(vitals.health(Instant::now(), spec.hold_after()));
        let (done, ended) = mpsc::channel();
        let watcher = {
            let (vitals, stop, hold_after, name) =
                (Arc::clone(&vitals), Arc::clone(&stop), spec.hold_after(), spec.name.clone());
            move || watch_health(&name, &vitals, &stop, hold_after, &tell)
        };
        let supervisor = {
            let stop = Arc::clone(&stop);
            move || {
                Supervisor { number, spec, mailbox, vitals, stop }.run();
                // Nobody listens when the camera was dropped rather than stopped.
                let _ = done.send(());
            }
        };
        for (name, work) in [
            ("camera-health", Box::new(watcher) as Box<dyn FnOnce() + Send>),
            ("camera", Box::new(supervisor)),
        ] {
            if let Err(error) = thread::Builder::new().name(name.into()).spawn(work) {
                // The health stays "missing", and the lane holds.
                tracing::error!(%error, thread = name, "no thread for a camera");
            }
        }
        Self { health, stop, ended }
    }

    /// Whether its picture can be relied upon, told as it changes.
    pub fn health(&self) -> watch::Receiver<CameraHealth> {
        self.health.clone()
    }

    /// Stop it and wait until its pipeline has ended; false when that took longer than the deadline.
    pub fn stop(self) -> bool {
        self.stop.set();
        !matches!(self.ended.recv_timeout(STOP_DEADLINE), Err(mpsc::RecvTimeoutError::Timeout))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.set();
    }
}

/// Told once, heard by every thread of a camera.
#[derive(Debug, Default)]
struct Stop {
    told: Mutex<bool>,
    heard: Condvar,
}

impl Stop {
    fn set(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Wait for `pause`, or less if told to stop; true when told.
    fn within(&self, pause: Duration) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(told, pause, |told| !*told);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Tell the health as it changes. Touches nothing of GStreamer's, so it cannot hang with it.
fn watch_health(
    camera: &str,
    vitals: &Vitals,
    stop: &Stop,
    hold_after: Duration,
    tell: &watch::Sender<CameraHealth>,
) {
    loop {
        let health = vitals.health(Instant::now(), hold_after);
        tell.send_if_modified(|shown| {
            let changed = *shown != health;
            if changed {
                tracing::info!(camera, ?health, "camera health");
                *shown = health;
            }
            changed
        });
        if stop.within(TICK) {
            return;
        }
    }
}

/// How a pipeline came to its end.
enum Ending {
    Stopped,
    Over,
    Failed(Cause),
}

struct Supervisor {
    number: usize,
    spec: CameraSpec,
    mailbox: Arc<Mailbox<Frame>>,
    vitals: Arc<Vitals>,
    stop: Arc<Stop>,
}

impl Supervisor {
    fn run(&self) {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times();
        let mut pause = pauses.build();
        loop {
            let before = self.vitals.frames();
            let ending = self.play();
            if self.vitals.frames() > before {
                pause = pauses.build(); // it worked: the next failure is a new one
            }
            let wait = match self.consider(ending, self.vitals.frames() > before) {
                ControlFlow::Break(()) => return,
                ControlFlow::Continue(true) => pause.next().unwrap_or(LONGEST_PAUSE),
                ControlFlow::Continue(false) => Duration::ZERO,
            };
            if self.stop.within(wait) {
                return;
            }
        }
    }

    /// Whether to go on, and if so whether after a pause.
    fn consider(&self, ending: Ending, worked: bool) -> ControlFlow<(), bool> {
        let cause = match (ending, &self.spec.source) {
            (Ending::Stopped, _) => return ControlFlow::Break(()),
            (Ending::Over, Source::File { .. }) if !worked => Cause::NoVideo,
            (Ending::Over, Source::File { r#loop: true, .. }) => return ControlFlow::Continue(false),
            (Ending::Over, Source::File { .. }) => {
                tracing::info!(camera = self.spec.name, "recording is over");
                self.vitals.end();
                return ControlFlow::Break(());
            }
            (Ending::Over, _) => Cause::StreamEnded,
            (Ending::Failed(cause), _) => cause,
        };
        let error = CameraError::new(&self.spec, cause);
        tracing::warn!(camera = self.spec.name, %error, "camera failed; it will be tried again");
        self.vitals.trouble(error.to_string());
        ControlFlow::Continue(true)
    }

    /// One life of a pipeline.
    fn play(&self) -> Ending {
        let built = match pipeline::build(&self.spec.source, Delivery::for_lane(&self.spec.source)) {
            Ok(built) => built,
            Err(cause) => return Ending::Failed(cause),
        };
        built.sink.set_callbacks(self.deliver());
        let ending = self.watch(&built);
        teardown::end(&self.spec.name, built.pipeline);
        ending
    }

    /// What the streaming thread does with each picture: copy it, note it, put it in the mailbox.
    fn deliver(&self) -> AppSinkCallbacks {
        let (number, mailbox, vitals) = (self.number, Arc::clone(&self.mailbox), Arc::clone(&self.vitals));
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let picture = feed::picture(&sample);
                drop(sample); // back to the decoder before anything else happens
                let picture = picture.map_err(|error| {
                    gst::element_error!(sink, gst::StreamError::Format, ("{error}"));
                    gst::FlowError::Error
                })?;
                let arrived = Instant::now();
                let count = vitals.arrival(arrived, fingerprint(picture.luma.view()));
                match Frame::new(number, count, arrived, picture.luma, picture.chroma) {
                    Ok(frame) => mailbox.put(frame),
                    Err(error) => tracing::error!(%error, "picture refused"),
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build()
    }

    fn watch(&self, built: &Built) -> Ending {
        let started = Instant::now();
        let Some(bus) = built.pipeline.bus() else {
            return Ending::Failed(Cause::Other { detail: "a pipeline without a bus".into() });
        };
        // A failure to start is explained on the bus, right below.
        let plays = built.pipeline.set_state(gst::State::Playing).is_ok();
        loop {
            while let Some(message) = bus.pop() {
                if let Some(cause) = cause_of(&message, &self.spec.source) {
                    return Ending::Failed(cause);
                }
                if let gst::MessageView::Eos(_) = message.view() {
                    return Ending::Over;
                }
            }
            if !plays {
                return Ending::Failed(Cause::Other { detail: "the pipeline does not start".into() });
            }
            if self.stop.within(TICK) {
                return Ending::Stopped;
            }
            let silent = self.vitals.arrived().map_or(started, |at| at.max(started)).elapsed();
            if silent >= self.spec.rebuild_after() {
                return Ending::Failed(Cause::Stalled { seconds: silent.as_secs() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_second_and_stay_within_fifteen() {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .with_jitter_seed(7)
            .without_max_times();
        let pauses: Vec<_> = pauses.build().take(40).collect();
        assert!((FIRST_PAUSE..2 * FIRST_PAUSE).contains(&pauses[0]));
        assert!((2 * FIRST_PAUSE..4 * FIRST_PAUSE).contains(&pauses[1]));
        assert!(pauses.iter().all(|p| *p <= Duration::from_secs(15)), "{pauses:?}");
        assert!(pauses[39] >= LONGEST_PAUSE);
    }

    #[test]
    fn a_stop_ends_a_pause() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.within(Duration::ZERO));
        let teller = thread::spawn({
            let stop = Arc::clone(&stop);
            move || stop.set()
        });
        assert!(stop.within(Duration::from_hours(1)));
        teller.join().unwrap();
    }
}
