//! The task that owns the connection to one gate.

use std::time::{Duration, Instant};

use clearance::decide::{ReleaseWarrant, Signal};
use clearance::ids::UtcMillis;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_modbus::client::{Context, Reader as _, Writer as _, tcp};
use tokio_modbus::slave::Slave;
use tracing::{info, warn};

use super::{ANSWER, GateConfig, GateInputs, HEARTBEAT, POLL};
use crate::clock::utc_now;
use crate::outbox::Durable;

/// Why a signal was not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The warrant's time is over (or has not come: the clock was set back).
    #[error("the warrant is not valid at this moment")]
    WarrantExpired,
    /// The intent that was made durable is another passage's.
    #[error("the durable intent is for another passage than the warrant")]
    OtherPassage,
    /// The gate has a fault or is worked by hand.
    #[error("the gate is not fit: {0:?}")]
    NotFit(clearance::decide::LaneFault),
    /// The module does not answer, or does not do what it is told.
    #[error("the gate's module does not answer as it should: {0}")]
    Unreachable(String),
}

enum Command {
    Release { warrant: ReleaseWarrant, intent: Durable, done: oneshot::Sender<Result<(), GateError>> },
    Show { signal: Signal, done: oneshot::Sender<Result<(), GateError>> },
    Refresh,
}

/// One gate. Dropping it sends the gate to stop.
pub struct Gate {
    commands: mpsc::Sender<Command>,
    inputs: watch::Receiver<GateInputs>,
}

impl Gate {
    /// Start the task that works the gate; it connects, and reconnects, by itself. Must be called in a tokio runtime.
    pub fn start(config: GateConfig) -> Self {
        let (commands, received) = mpsc::channel(16);
        let (told, inputs) = watch::channel(GateInputs::default());
        let actor = Actor {
            config,
            module: None,
            retry: Retry::default(),
            wanted: Lamps::STOP,
            pulse_until: None,
            refreshed: Instant::now(),
            heartbeat: 0,
            beat: Instant::now(),
            told,
        };
        tokio::spawn(actor.run(received));
        Self { commands, inputs }
    }

    /// What the gate reports, as it changes.
    pub fn inputs(&self) -> watch::Receiver<GateInputs> {
        self.inputs.clone()
    }

    /// Green and boom up. Returns when the command is in line; commands are carried out in their order.
    pub async fn release(&self, warrant: ReleaseWarrant, intent: Durable) -> Confirmation {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Release { warrant, intent, done }, answer).await
    }

    /// Show any signal but [`Signal::Proceed`], which needs a warrant: it shows [`Signal::Wait`] instead. Returns when
    /// the command is in line.
    pub async fn show(&self, signal: Signal) -> Confirmation {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Show { signal, done }, answer).await
    }

    /// The lane lives. Without this the gate goes to stop.
    pub fn refresh(&self) {
        // A full queue means that the gate is busy doing what the lane said a moment ago.
        let _ = self.commands.try_send(Command::Refresh);
    }

    async fn ask(&self, command: Command, answer: oneshot::Receiver<Result<(), GateError>>) -> Confirmation {
        // If the task is gone, so is the other end of `answer`.
        let _ = self.commands.send(command).await;
        Confirmation(answer)
    }
}

/// A command in line at the gate.
#[derive(Debug)]
#[must_use = "whether the gate did it is known only from `confirmed`"]
pub struct Confirmation(oneshot::Receiver<Result<(), GateError>>);

impl Confirmation {
    /// Returns when the module has confirmed, or will not.
    pub async fn confirmed(self) -> Result<(), GateError> {
        self.0.await.unwrap_or_else(|_| Err(GateError::Unreachable("its task has ended".to_owned())))
    }
}

/// What is lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lamps {
    red: bool,
    green: bool,
    inspect: bool,
    documents: bool,
}

impl Lamps {
    const STOP: Self = Self { red: true, green: false, inspect: false, documents: false };
    const GO: Self = Self { red: false, green: true, ..Self::STOP };

    fn of(signal: Signal) -> Self {
        match signal {
            Signal::Documents => Self { documents: true, ..Self::STOP },
            Signal::InspectionBay => Self { inspect: true, ..Self::STOP },
            Signal::Proceed | Signal::AwaitEscort | Signal::Wait => Self::STOP,
        }
    }
}

/// When to connect again.
struct Retry {
    wait: Duration,
    at: Instant,
}

impl Default for Retry {
    fn default() -> Self {
        Self { wait: Duration::from_millis(100), at: Instant::now() }
    }
}

struct Actor {
    config: GateConfig,
    module: Option<Context>,
    retry: Retry,
    wanted: Lamps,
    pulse_until: Option<Instant>,
    refreshed: Instant,
    heartbeat: u16,
    beat: Instant,
    told: watch::Sender<GateInputs>,
}

impl Actor {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                _ = poll.tick() => self.tick().await,
            }
        }
        self.wanted = Lamps::STOP;
        let _ = self.write().await;
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Refresh => self.refreshed = Instant::now(),
            Command::Show { signal, done } => {
                self.refreshed = Instant::now();
                self.wanted = Lamps::of(signal);
                let _ = done.send(self.write().await);
            }
            Command::Release { warrant, intent, done } => {
                self.refreshed = Instant::now();
                let result = self.release(&warrant, &intent).await;
                let _ = done.send(result);
            }
        }
    }

    async fn release(&mut self, warrant: &ReleaseWarrant, intent: &Durable) -> Result<(), GateError> {
        let now: UtcMillis = utc_now();
        if !warrant.is_valid_at(now) {
            return Err(GateError::WarrantExpired);
        }
        if intent.passage() != warrant.passage() {
            return Err(GateError::OtherPassage);
        }
        if let Some(fault) = self.told.borrow().lane_fault() {
            return Err(GateError::NotFit(fault));
        }
        self.wanted = Lamps::GO;
        self.pulse_until = Some(Instant::now() + Duration::from_millis(self.config.pulse_ms));
        let written = self.write().await;
        if written.is_err() {
            // A release that was not confirmed must not happen later by itself.
            self.wanted = Lamps::STOP;
            self.pulse_until = None;
        }
        written
    }

    async fn tick(&mut self) {
        if self.module.is_none() && !self.connect().await {
            return;
        }
        if self.refreshed.elapsed() > Duration::from_millis(self.config.refresh_ms)
            && self.wanted != Lamps::STOP
        {
            warn!("the lane does not refresh its gate: going to stop");
            self.wanted = Lamps::STOP;
            self.pulse_until = None;
            let _ = self.write().await;
        }
        if self.pulse_until.is_some_and(|until| Instant::now() >= until) {
            self.pulse_until = None;
            let _ = self.write().await;
        }
        if self.beat.elapsed() >= HEARTBEAT {
            self.beat = Instant::now();
            self.heartbeat = self.heartbeat.wrapping_add(1);
            let (register, count) = (self.config.heartbeat_register, self.heartbeat);
            let _ = self.call(async |m| m.write_single_register(register, count).await).await;
        }
        self.read_inputs().await;
    }

    async fn connect(&mut self) -> bool {
        if Instant::now() < self.retry.at {
            return false;
        }
        let slave = Slave(self.config.unit);
        let Ok(Ok(module)) = timeout(ANSWER, tcp::connect_slave(self.config.address, slave)).await else {
            self.lost("it cannot be reached");
            return false;
        };
        info!(address = %self.config.address, "gate connected");
        self.module = Some(module);
        self.retry = Retry::default();
        // Whatever it showed before, nobody vouches for it now.
        self.wanted = Lamps::STOP;
        self.pulse_until = None;
        self.write().await.is_ok()
    }

    /// Write all outputs and read them back.
    async fn write(&mut self) -> Result<(), GateError> {
        let coils = self.config.coils.clone();
        let lamps = self.wanted;
        let pulse = self.pulse_until.is_some();
        // Off before on, so that red and green never meet; the boom last.
        let mut outputs = [
            (coils.red, lamps.red),
            (coils.green, lamps.green),
            (coils.inspect_sign, lamps.inspect),
            (coils.documents_sign, lamps.documents),
            (coils.open_pulse, pulse),
        ];
        outputs.sort_by_key(|(address, on)| (*on, *address == coils.open_pulse));
        for (address, on) in outputs {
            self.call(async |m| m.write_single_coil(address, on).await).await?;
            let seen = self.call(async |m| m.read_coils(address, 1).await).await?;
            if seen.first() != Some(&on) {
                return Err(self.lost("an output does not take what is written to it"));
            }
        }
        Ok(())
    }

    async fn read_inputs(&mut self) {
        let map = self.config.inputs.clone();
        let Ok(bits) = self.call(async |m| m.read_discrete_inputs(0, map.span()).await).await else { return };
        let bit = |address: u16| bits.get(usize::from(address)).copied().unwrap_or(false);
        let inputs = GateInputs {
            presence: bit(map.presence_loop),
            exit: bit(map.exit_loop),
            boom_up: bit(map.boom_up),
            boom_down: bit(map.boom_down),
            fault: bit(map.fault),
            manual_key: bit(map.manual_key),
            reachable: true,
        };
        self.tell(inputs);
    }

    fn tell(&self, inputs: GateInputs) {
        self.told.send_if_modified(|told| {
            let changed = *told != inputs;
            if inputs.manual_key && !told.manual_key {
                warn!("the gate is worked by hand");
            }
            *told = inputs;
            changed
        });
    }

    async fn call<T>(
        &mut self,
        request: impl AsyncFnOnce(&mut Context) -> tokio_modbus::Result<T>,
    ) -> Result<T, GateError> {
        let Some(module) = self.module.as_mut() else {
            return Err(GateError::Unreachable("it is not connected".to_owned()));
        };
        match timeout(ANSWER, request(module)).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(exception))) => Err(self.lost(&format!("it answers {exception}"))),
            Ok(Err(error)) => Err(self.lost(&error.to_string())),
            Err(_) => Err(self.lost("it does not answer")),
        }
    }

    /// Note that the module is gone, and when to try again.
    fn lost(&mut self, why: &str) -> GateError {
        if self.module.take().is_some() {
            warn!(address = %self.config.address, why, "gate lost");
        }
        self.retry.at = Instant::now() + self.retry.wait;
        self.retry.wait = (self.retry.wait * 2).min(Duration::from_secs(2));
        // The guard must be gone before the channel is written to.
        let before = *self.told.borrow();
        self.tell(GateInputs { reachable: false, ..before });
        GateError::Unreachable(why.to_owned())
    }
}
