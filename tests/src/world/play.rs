//! Plays a queue of trucks through a site and compares what happened with what should have.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use clearance::decide::Reason;
use clearance::directive::ActionCode;
use clearance::ids::{LaneId, PassageId};
use clearance::passage::{Outcome, PassageEvent, PassageStep};
use serde::Serialize;
use tokio::sync::broadcast;

use super::footage::DriveFootage;
use super::lane::{Departure, Pace, Signals, WorldLane};
use super::queue::Truck;
use super::site::{PICTURES, Site, lane_name};

/// How trucks drive in the demo.
pub const PACE: Pace = Pace {
    gap: Duration::from_millis(1500),
    approach: Duration::from_millis(1500),
    leave: Duration::from_millis(1500),
    patience: Some(Duration::from_secs(5)),
};

/// One passage of the queue, as it went.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// The truck's Hong Kong mark.
    pub mark: &'static str,
    /// What its like is in the queue for.
    pub story: &'static str,
    /// The lane.
    pub lane: String,
    /// What the lane should have done.
    pub expected: Outcome,
    /// What it did; none: it never decided.
    pub decision: Option<Outcome>,
    /// Why.
    pub reason: Option<Reason>,
    /// What it read, plate by plate.
    pub read: Vec<String>,
    /// Milliseconds from the arrival of the frame that the decision followed from to the gate's confirmation.
    pub frame_to_signal_ms: Option<f64>,
    /// Whether all of it is as expected, what the driver saw included.
    pub as_expected: bool,
}

/// The footage of trucks, rendered into `folder`; tells how far it is.
pub fn render(
    trucks: &[Truck],
    folder: &Path,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<Vec<DriveFootage>> {
    let mut footage = Vec::new();
    for (number, truck) in (0u64..).zip(trucks) {
        progress(footage.len(), trucks.len());
        footage.push(DriveFootage::render(truck, number, PICTURES, folder)?);
    }
    progress(trucks.len(), trucks.len());
    Ok(footage)
}

/// What is known of a passage from its steps.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The first decision and its reason.
    pub decided: Option<(Outcome, Reason)>,
    /// The likeliest marks of its plates.
    pub read: Vec<String>,
    /// From frame to signal.
    pub frame_to_signal_ms: Option<f64>,
}

/// Passages by lane, in the order of their first decision.
#[derive(Debug, Default)]
pub struct Observer {
    order: HashMap<LaneId, Vec<PassageId>>,
    passages: HashMap<PassageId, Seen>,
}

impl Observer {
    /// Take a step.
    pub fn take(&mut self, event: &PassageEvent) {
        let seen = self.passages.entry(event.passage).or_insert_with(|| {
            self.order.entry(event.lane.clone()).or_default().push(event.passage);
            Seen::default()
        });
        match &event.what {
            PassageStep::Decided(record) if seen.decided.is_none() => {
                seen.decided = Some((record.outcome, record.reason));
                seen.read = record
                    .plates
                    .iter()
                    .filter_map(|p| p.candidates.first())
                    .map(|c| c.mark.to_string())
                    .collect();
            }
            PassageStep::Signalled { frame_to_signal_us: Some(us), .. } => {
                seen.frame_to_signal_ms.get_or_insert(*us as f64 / 1000.0);
            }
            _ => {}
        }
    }

    /// The passage of the `number`-th vehicle of a lane, from 0.
    pub fn nth(&self, lane: &str, number: usize) -> Option<(PassageId, Seen)> {
        let lane: LaneId = lane.parse().ok()?;
        let id = *self.order.get(&lane)?.get(number)?;
        Some((id, self.passages.get(&id)?.clone()))
    }

    /// How many passages there were at a lane.
    pub fn count(&self, lane: &str) -> usize {
        lane.parse::<LaneId>().ok().and_then(|lane| self.order.get(&lane)).map_or(0, Vec::len)
    }
}

/// What the driver of such a truck must see; `None`: turned back without a signal to go.
fn right_signal(outcome: Outcome, signals: Option<Signals>) -> bool {
    match (outcome, signals) {
        (Outcome::Released, Some(s)) => s.green && s.boom_up && !s.red && !s.inspect && !s.documents,
        (Outcome::Directed(ActionCode::Inspect), Some(s)) => s.inspect && s.red && !s.green && !s.boom_up,
        (Outcome::Directed(ActionCode::Documents), Some(s)) => s.documents && s.red && !s.green && !s.boom_up,
        (Outcome::Referred, signals) => signals.is_none(),
        _ => false,
    }
}

/// Send the trucks through the lanes in turn, all once; gives each passage as it went, told to `report` as soon as it is
/// known.
pub async fn play(
    site: &Site,
    trucks: &[Truck],
    footage: Vec<DriveFootage>,
    pace: Pace,
    mut report: impl FnMut(&Played),
) -> anyhow::Result<Vec<Played>> {
    let lanes = site.gates.len();
    let mut steps = site.edge.steps();
    let mut observer = Observer::default();
    let mut world: Vec<WorldLane> = Vec::new();
    let empty = footage.first().map(DriveFootage::empty);
    let empty = empty.ok_or_else(|| anyhow::anyhow!("no truck"))?;
    for lane in 0..lanes {
        let sink = site.cameras.sink(&lane_name(lane));
        let empty = Box::new(super::footage::EmptyLane::clone(&empty));
        world.push(WorldLane::open(PICTURES, sink, site.roadside(lane), empty, pace));
    }
    site.lanes_ready().await?;
    for (number, drive) in footage.into_iter().enumerate() {
        world[number % lanes].send(Box::new(drive));
    }
    let mut played = Vec::new();
    let mut departed: Vec<Vec<Departure>> = vec![Vec::new(); lanes];
    while played.len() < trucks.len() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drain(&mut steps, &mut observer);
        for (lane, world) in world.iter().enumerate() {
            while let Ok(departure) = world.departures.try_recv() {
                departed[lane].push(departure);
                // The last steps of its passage may still be on their way.
                tokio::time::sleep(Duration::from_millis(300)).await;
                drain(&mut steps, &mut observer);
                let nth = departed[lane].len() - 1;
                let truck = &trucks[lane + nth * lanes];
                let passage = compare(truck, lane_name(lane), observer.nth(&lane_name(lane), nth), departure);
                report(&passage);
                played.push(passage);
            }
        }
    }
    Ok(played)
}

fn drain(steps: &mut broadcast::Receiver<PassageEvent>, observer: &mut Observer) {
    while let Ok(step) = steps.try_recv() {
        observer.take(&step);
    }
}

fn compare(truck: &Truck, lane: String, seen: Option<(PassageId, Seen)>, departure: Departure) -> Played {
    let seen = seen.map(|(_, seen)| seen).unwrap_or_default();
    let (decision, reason) = seen.decided.unzip();
    let reasoned =
        reason.is_some_and(|r| truck.expected_reasons.is_empty() || truck.expected_reasons.contains(&r));
    let as_expected =
        decision == Some(truck.expected) && reasoned && right_signal(truck.expected, departure.signals);
    Played {
        mark: truck.mark,
        story: truck.story,
        lane,
        expected: truck.expected,
        decision,
        reason,
        read: seen.read,
        frame_to_signal_ms: seen.frame_to_signal_ms,
        as_expected,
    }
}
