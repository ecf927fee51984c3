//! One lane of the world: a truck approaches, stops at the line, obeys the signal and leaves. It knows nothing of the
//! software but what a driver sees (lamps, boom) and what the road gives it (loops, pictures).

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::rtsp::{FrameSink, PictureFormat};

/// What a camera sees of a truck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The empty lane.
    Empty,
    /// Driving up: 0 is far, 1 is at the stop line.
    Approaching(f32),
    /// Standing at the line.
    AtLine,
    /// Driving off: 0 is at the line, 1 is out of the picture.
    Leaving(f32),
}

/// Pictures of one truck in the lane.
pub trait Footage: Send {
    /// The I420 picture of a moment; `number` counts the frames, for noise that never repeats.
    fn picture(&mut self, moment: Moment, number: u64) -> Vec<u8>;
}

/// What a driver sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Signals {
    /// The green lamp.
    pub green: bool,
    /// The red lamp.
    pub red: bool,
    /// The boom is up.
    pub boom_up: bool,
    /// To the inspection bay.
    pub inspect: bool,
    /// To the documents counter.
    pub documents: bool,
}

impl Signals {
    /// Whether the driver may move.
    pub fn lets_go(self) -> bool {
        (self.green && self.boom_up) || self.inspect || self.documents
    }
}

/// The road side of a lane's equipment.
pub trait Roadside: Send {
    /// What the lamps and the boom show now.
    fn signals(&mut self) -> Signals;
    /// The loop before the stop line.
    fn presence(&mut self, occupied: bool);
    /// The loop behind the boom.
    fn exit(&mut self, occupied: bool);
}

/// How trucks behave.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Empty lane between two trucks.
    pub gap: Duration,
    /// From coming into view to the stop line.
    pub approach: Duration,
    /// From the line to out of view.
    pub leave: Duration,
    /// How long a driver waits for a signal before an officer on foot turns the truck back; `None`: for ever.
    pub patience: Option<Duration>,
}

/// What became of one truck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Departure {
    /// What the driver saw when leaving; `None` when turned back without a signal.
    pub signals: Option<Signals>,
    /// How long it stood.
    #[serde(skip)]
    pub waited: Duration,
}

/// A lane with a queue of trucks; they drive up one after the other on a thread of their own.
pub struct WorldLane {
    trucks: mpsc::Sender<Box<dyn Footage>>,
    /// One for each truck, in order.
    pub departures: mpsc::Receiver<Departure>,
    thread: Option<JoinHandle<()>>,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl WorldLane {
    /// An empty lane, filmed by the camera behind `sink`; `empty` shows it without a truck.
    pub fn open(
        format: PictureFormat,
        sink: FrameSink,
        roadside: Box<dyn Roadside>,
        empty: Box<dyn Footage>,
        pace: Pace,
    ) -> Self {
        let (trucks, arriving) = mpsc::channel();
        let (departed, departures) = mpsc::channel();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut film = Film::new(format, sink, stopping);
            run(&mut film, roadside, empty, pace, &arriving, &departed);
        });
        Self { trucks, departures, thread: Some(thread), stop }
    }

    /// One more truck at the end of the queue.
    pub fn send(&self, truck: Box<dyn Footage>) {
        // The lane only stops when dropped.
        let _ = self.trucks.send(truck);
    }
}

impl Drop for WorldLane {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sends pictures at the camera's rate.
struct Film {
    sink: FrameSink,
    period: Duration,
    next: Instant,
    number: u64,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Film {
    fn new(
        format: PictureFormat,
        sink: FrameSink,
        stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    ) -> Self {
        let period = Duration::from_secs(1) / format.fps.max(1) as u32;
        Self { sink, period, next: Instant::now(), number: 0, stop }
    }

    /// Shoot one picture when its time has come; `None` when the lane closes.
    fn shoot(&mut self, footage: &mut dyn Footage, moment: Moment) -> Option<()> {
        if self.stop.load(std::sync::atomic::Ordering::Relaxed) {
            return None;
        }
        self.sink.push(footage.picture(moment, self.number));
        self.number += 1;
        let now = Instant::now();
        if self.next > now {
            std::thread::sleep(self.next - now);
        } else {
            // A machine too slow for the rate films slower rather than in bursts.
            self.next = now;
        }
        self.next += self.period;
        Some(())
    }

    /// Film `length` of a moment that runs from 0 to 1.
    fn stretch(
        &mut self,
        footage: &mut dyn Footage,
        length: Duration,
        moment: impl Fn(f32) -> Moment,
    ) -> Option<()> {
        let start = Instant::now();
        while start.elapsed() < length {
            let part = start.elapsed().as_secs_f32() / length.as_secs_f32();
            self.shoot(footage, moment(part))?;
        }
        Some(())
    }
}

fn run(
    film: &mut Film,
    mut roadside: Box<dyn Roadside>,
    mut empty: Box<dyn Footage>,
    pace: Pace,
    arriving: &mpsc::Receiver<Box<dyn Footage>>,
    departed: &mpsc::Sender<Departure>,
) -> Option<()> {
    loop {
        film.stretch(empty.as_mut(), pace.gap, |_| Moment::Empty)?;
        let Ok(mut truck) = arriving.try_recv() else { continue };
        let departure = pass(film, roadside.as_mut(), truck.as_mut(), pace)?;
        departed.send(departure).ok()?;
    }
}

/// One truck from coming into view to out of view.
fn pass(
    film: &mut Film,
    roadside: &mut dyn Roadside,
    truck: &mut dyn Footage,
    pace: Pace,
) -> Option<Departure> {
    film.stretch(truck, pace.approach, Moment::Approaching)?;
    roadside.presence(true);
    let arrived = Instant::now();
    let signals = loop {
        film.shoot(truck, Moment::AtLine)?;
        let signals = roadside.signals();
        if signals.lets_go() {
            break Some(signals);
        }
        if pace.patience.is_some_and(|p| arrived.elapsed() > p) {
            break None;
        }
    };
    let waited = arrived.elapsed();
    // A driver takes a moment to see the signal.
    film.stretch(truck, Duration::from_millis(300), |_| Moment::AtLine)?;
    film.stretch(truck, pace.leave / 2, |part| Moment::Leaving(part / 2.0))?;
    roadside.exit(true);
    roadside.presence(false);
    film.stretch(truck, pace.leave / 2, |part| Moment::Leaving(0.5 + part / 2.0))?;
    roadside.exit(false);
    Some(Departure { signals, waited })
}
