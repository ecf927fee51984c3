//! The gate: boom, lamps and signs behind a Modbus TCP input/output module.
//!
//! Invariants
//! - the boom is raised only for a [`ReleaseWarrant`](clearance::decide::ReleaseWarrant) that is still valid at the
//!   moment of writing, with a [`Durable`](crate::outbox::Durable) intent of the same passage;
//! - red and green are never lit together;
//! - a dead man's switch: a lane that does not refresh its gate within [`GateConfig::refresh_ms`] has it go to stop, and
//!   the module drops green by itself when the heartbeat register stands still;
//! - every write is read back; what is not confirmed counts as [`LaneFault::GateUnreachable`].
//!
//! Non-goal: protecting people from the boom. That stays in the barrier's own circuit.

mod actor;
mod map;
pub mod sim;

use std::time::Duration;

pub use actor::{Confirmation, Gate, GateError};
use clearance::decide::LaneFault;
pub use map::{CoilMap, GateConfig, InputMap};

/// What the gate reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateInputs {
    /// A vehicle stands on the loop before the boom.
    pub presence: bool,
    /// A vehicle stands on the loop behind the boom.
    pub exit: bool,
    /// The boom is all the way up.
    pub boom_up: bool,
    /// The boom is all the way down.
    pub boom_down: bool,
    /// The gate reports a fault.
    pub fault: bool,
    /// An officer works the gate with the key.
    pub manual_key: bool,
    /// The module answers.
    pub reachable: bool,
}

impl GateInputs {
    /// What the lane must hold for.
    pub fn lane_fault(&self) -> Option<LaneFault> {
        match () {
            () if !self.reachable => Some(LaneFault::GateUnreachable),
            () if self.fault => Some(LaneFault::GateFault),
            () if self.manual_key => Some(LaneFault::ManualKey),
            () => None,
        }
    }
}

/// How often inputs are read.
const POLL: Duration = Duration::from_millis(50);
/// How often the heartbeat register is written.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long the module may take to answer.
const ANSWER: Duration = Duration::from_millis(500);
