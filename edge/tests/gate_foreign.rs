//! The gate against Modbus software that is not ours: pymodbus as the module, mbpoll as a client of the simulator.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clearance::decide::Signal;
use edge::gate::sim::GateSimulator;
use edge::gate::{Gate, GateConfig, GateInputs};
use tokio_modbus::client::{Reader as _, tcp};

const LONG: Duration = Duration::from_secs(30);

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_made_with_pymodbus_shows_the_sign_and_reports_its_loops() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pymodbus_gate.py");
    let mut child = Command::new("/usr/bin/python3").arg(script).stdout(Stdio::piped()).spawn().unwrap();
    let said = child.stdout.take().unwrap();
    let _running = Running(child);
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line).unwrap();
    let port = line.trim();
    assert!(!port.is_empty(), "pymodbus does not start: make setup-tests");
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let gate = Gate::start(GateConfig::at(address));
    let seen = |i: &GateInputs| i.reachable && i.presence && i.boom_down && !i.boom_up;
    tokio::time::timeout(LONG, gate.inputs().wait_for(seen)).await.expect("inputs").unwrap();
    gate.show(Signal::InspectionBay).await.confirmed().await.unwrap();
    let mut observer = tcp::connect(address).await.unwrap();
    let coils = observer.read_coils(0, 5).await.unwrap().unwrap();
    assert_eq!(coils, [false, true, false, true, false], "red and the sign, no pulse, no green");
}

#[tokio::test(flavor = "multi_thread")]
async fn mbpoll_drives_a_truck_onto_the_simulators_loop() {
    let simulator = GateSimulator::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let gate = Gate::start(GateConfig::at(simulator.address()));
    let port = simulator.address().port().to_string();
    // mbpoll counts from 1: coil 100 sets input 0.
    let set = tokio::process::Command::new("mbpoll")
        .args(["-1", "-q", "-t", "0", "-r", "101", "-p", &port, "127.0.0.1", "1"])
        .output()
        .await
        .expect("mbpoll: make setup-tests");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let presence = gate.inputs().wait_for(|i| i.presence).await.map(|i| *i);
    assert!(presence.unwrap().reachable);
}
