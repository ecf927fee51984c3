//! One inference thread for the whole process: it owns the networks, takes the newest frame of each camera in turn,
//! and is never held up by whoever listens.
//!
//! A network that fails or panics is loaded anew (which proves its golden values again); until then the recogniser
//! is down, the health says so, and the lanes hold.

mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clearance::decide::LaneFault;
use clearance::picture::LumaView;
use clearance::read::PlateRead;
use models::{Bundle, Recogniser, Recognition};
use tokio::sync::{mpsc, watch};

use crate::camera::{Frame, Mailbox, Notifier};
use turn::Turns;

/// Reads waiting for the lanes; past it the newest of each camera is kept and older ones are dropped.
const QUEUE: usize = 16;
/// How long to sleep at most when no frame comes: bounds how late a stop and a waiting read are seen.
const NAP: Duration = Duration::from_millis(50);
/// First and longest pause before the networks are loaded anew.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A lane of this process, from 0, in the order of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneIndex(pub usize);

/// What finds and reads plates. `models::Recogniser` does; tests use a scripted one.
pub trait Recognise {
    /// Why it failed.
    type Error: std::fmt::Display;

    /// Find and read all plates of a picture.
    fn recognise(&mut self, picture: LumaView<'_>) -> Result<Recognition, Self::Error>;
}

impl Recognise for Recogniser {
    type Error = models::RecogniseError;

    fn recognise(&mut self, picture: LumaView<'_>) -> Result<Recognition, Self::Error> {
        Self::recognise(self, picture)
    }
}

/// What was read in one frame.
#[derive(Clone, Debug)]
pub struct FrameReads {
    /// Whose frame.
    pub lane: LaneIndex,
    /// The frame.
    pub frame: Arc<Frame>,
    /// Its plates, surest sighting first.
    pub plates: Vec<PlateRead>,
    /// Time to find them.
    pub detect: Duration,
    /// Time to read them.
    pub read: Duration,
}

/// Whether frames are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecogniserHealth {
    /// The networks are being loaded and proved.
    Starting,
    /// They answer.
    Up,
    /// They do not.
    Down {
        /// Why.
        why: String,
    },
}

impl RecogniserHealth {
    /// What every lane must hold for, if anything.
    pub fn fault(&self) -> Option<LaneFault> {
        match self {
            Self::Up => None,
            Self::Starting | Self::Down { .. } => Some(LaneFault::RecogniserDown),
        }
    }
}

/// The inference thread. Dropping it stops it after the frame in hand.
#[derive(Debug)]
pub struct RecogniserThread {
    shared: Arc<Shared>,
    health: watch::Receiver<RecogniserHealth>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    dropped: AtomicU64,
    busy_since: Mutex<Option<Instant>>,
    notifier: Notifier,
}

impl RecogniserThread {
    /// Start reading the newest frames of `mailboxes` (several may belong to one lane) with `bundle`'s networks.
    pub fn start(
        bundle: Arc<Bundle>,
        mailboxes: Vec<(LaneIndex, Arc<Mailbox<Frame>>)>,
    ) -> (Self, mpsc::Receiver<FrameReads>) {
        Self::start_with(move || Recogniser::new(&bundle), mailboxes)
    }

    /// Start with whatever `load` makes; it is called again after a failure.
    pub fn start_with<R, E>(
        load: impl FnMut() -> Result<R, E> + Send + 'static,
        mailboxes: Vec<(LaneIndex, Arc<Mailbox<Frame>>)>,
    ) -> (Self, mpsc::Receiver<FrameReads>)
    where
        R: Recognise,
        E: std::fmt::Display,
    {
        let (tell, health) = watch::channel(RecogniserHealth::Starting);
        let (reads, receiver) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let wakes = Notifier::new();
        for (_, mailbox) in &mailboxes {
            mailbox.subscribe(&wakes);
        }
        let thread = {
            let shared = Arc::clone(&shared);
            move || Inference { load, shared, tell, wakes, turns: Turns::new(mailboxes, reads) }.run()
        };
        if let Err(error) = std::thread::Builder::new().name("recognise".into()).spawn(thread) {
            // The health stays "starting", and the lanes hold.
            tracing::error!(%error, "no thread for the recogniser");
        }
        (Self { shared, health }, receiver)
    }

    /// Whether frames are read, told as it changes.
    pub fn health(&self) -> watch::Receiver<RecogniserHealth> {
        self.health.clone()
    }

    /// How long the frame in hand has taken so far. More than a second or two: the networks hang, and whoever
    /// supervises should count the recogniser as down.
    pub fn busy_for(&self) -> Option<Duration> {
        let since = *self.shared.busy_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|t| t.elapsed())
    }

    /// Reads that were replaced by newer ones before a lane took them.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for RecogniserThread {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.notifier.notify();
    }
}

struct Inference<L> {
    load: L,
    shared: Arc<Shared>,
    tell: watch::Sender<RecogniserHealth>,
    wakes: Arc<Notifier>,
    turns: Turns,
}

impl<L, R, E> Inference<L>
where
    L: FnMut() -> Result<R, E>,
    R: Recognise,
    E: std::fmt::Display,
{
    fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        while !self.is_over() {
            let served = match catch_unwind(AssertUnwindSafe(&mut self.load)) {
                Ok(Ok(recogniser)) => self.serve(recogniser),
                Ok(Err(error)) => Err((error.to_string(), false)),
                Err(_) => Err(("loading the networks panicked".to_owned(), false)),
            };
            let Err((why, worked)) = served else { return };
            tracing::error!(why, "recogniser is down; its networks will be loaded anew");
            self.tell.send_replace(RecogniserHealth::Down { why });
            pause = if worked { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            self.shared.notifier.wait(pause);
        }
    }

    /// Read frames until told to stop; the error says why, and whether any frame was read before.
    fn serve(&mut self, mut recogniser: R) -> Result<(), (String, bool)> {
        let mut worked = false;
        self.tell.send_replace(RecogniserHealth::Up);
        while !self.is_over() {
            self.turns.flush();
            let Some((mailbox, lane, frame)) = self.turns.next() else {
                self.wakes.wait(NAP);
                continue;
            };
            self.busy(Some(Instant::now()));
            let found = catch_unwind(AssertUnwindSafe(|| recogniser.recognise(frame.luma.view())));
            self.busy(None);
            let found = match found {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => return Err((error.to_string(), worked)),
                Err(_) => return Err(("the networks panicked on a frame".to_owned(), worked)),
            };
            worked = true;
            let Recognition { plates, detect, read } = found;
            let dropped =
                self.turns.give(mailbox, FrameReads { lane, frame: Arc::new(frame), plates, detect, read });
            self.shared.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        Ok(())
    }

    fn busy(&self, since: Option<Instant>) {
        *self.shared.busy_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn is_over(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed) || self.turns.is_deserted()
    }
}

#[cfg(test)]
mod tests;
