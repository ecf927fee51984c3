//! Which coil is which lamp: configuration of one gate.

use std::net::SocketAddr;

use serde::Deserialize;

/// One gate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateConfig {
    /// Address of the Modbus TCP module, such as `10.0.0.7:502`.
    pub address: SocketAddr,
    /// Modbus unit. Default 1.
    #[serde(default = "default_unit")]
    pub unit: u8,
    /// Length of the pulse that raises the boom, milliseconds. Default 500; at most 5000.
    #[serde(default = "default_pulse_ms")]
    pub pulse_ms: u64,
    /// Without a refresh by the lane for so long, milliseconds, the gate goes to stop. Default 1000.
    #[serde(default = "default_refresh_ms")]
    pub refresh_ms: u64,
    /// Outputs.
    #[serde(default)]
    pub coils: CoilMap,
    /// Inputs.
    #[serde(default)]
    pub inputs: InputMap,
    /// Holding register that is counted up five times a second, for the module's own watchdog. Default 0.
    #[serde(default)]
    pub heartbeat_register: u16,
}

fn default_unit() -> u8 {
    1
}
fn default_pulse_ms() -> u64 {
    500
}
fn default_refresh_ms() -> u64 {
    1000
}

impl GateConfig {
    /// A gate at `address` with all defaults.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            unit: default_unit(),
            pulse_ms: default_pulse_ms(),
            refresh_ms: default_refresh_ms(),
            coils: CoilMap::default(),
            inputs: InputMap::default(),
            heartbeat_register: 0,
        }
    }

    /// Says what cannot be.
    pub fn check(&self) -> Result<(), String> {
        let c = &self.coils;
        let mut coils = [c.open_pulse, c.red, c.green, c.inspect_sign, c.documents_sign];
        coils.sort_unstable();
        let i = &self.inputs;
        let mut inputs = [i.presence_loop, i.exit_loop, i.boom_up, i.boom_down, i.fault, i.manual_key];
        inputs.sort_unstable();
        let distinct = |sorted: &[u16]| sorted.windows(2).all(|w| w[0] != w[1]);
        match () {
            () if !(50..=5000).contains(&self.pulse_ms) => {
                Err(format!("pulse_ms = {}: 50 to 5000", self.pulse_ms))
            }
            () if !(300..=10_000).contains(&self.refresh_ms) => {
                Err(format!("refresh_ms = {}: 300 to 10000", self.refresh_ms))
            }
            () if !distinct(&coils) => Err("two outputs have the same coil".to_owned()),
            () if !distinct(&inputs) => Err("two inputs have the same address".to_owned()),
            () => Ok(()),
        }
    }
}

/// Coil addresses of the outputs, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoilMap {
    /// Raises the boom while on. Default 0.
    pub open_pulse: u16,
    /// Red lamp. Default 1.
    pub red: u16,
    /// Green lamp. Default 2.
    pub green: u16,
    /// Sign to the inspection bay. Default 3.
    pub inspect_sign: u16,
    /// Sign to the documents counter. Default 4.
    pub documents_sign: u16,
}

impl Default for CoilMap {
    fn default() -> Self {
        Self { open_pulse: 0, red: 1, green: 2, inspect_sign: 3, documents_sign: 4 }
    }
}

/// Discrete input addresses, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputMap {
    /// Loop before the boom. Default 0.
    pub presence_loop: u16,
    /// Loop behind the boom. Default 1.
    pub exit_loop: u16,
    /// Boom up. Default 2.
    pub boom_up: u16,
    /// Boom down. Default 3.
    pub boom_down: u16,
    /// Fault. Default 4.
    pub fault: u16,
    /// Manual key. Default 5.
    pub manual_key: u16,
}

impl Default for InputMap {
    fn default() -> Self {
        Self { presence_loop: 0, exit_loop: 1, boom_up: 2, boom_down: 3, fault: 4, manual_key: 5 }
    }
}

impl InputMap {
    /// Number of inputs to read so that all are in.
    pub(super) fn span(&self) -> u16 {
        [self.presence_loop, self.exit_loop, self.boom_up, self.boom_down, self.fault, self.manual_key]
            .into_iter()
            .max()
            .map_or(0, |last| last.saturating_add(1))
    }
}
