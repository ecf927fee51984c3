//! The gate against the simulator over real Modbus TCP: what a driver and a loop see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use clearance::decide::Signal;
use edge::gate::sim::{GateSimulator, GateView};
use edge::gate::{Gate, GateConfig, GateError, GateInputs};
use tokio::sync::watch;
use tokio_modbus::client::{Reader as _, Writer as _, tcp};

const LONG: Duration = Duration::from_secs(20);

async fn until<T: Copy>(watch: &mut watch::Receiver<T>, what: &str, fits: impl Fn(&T) -> bool) -> T {
    let found = tokio::time::timeout(LONG, watch.wait_for(|v| fits(v))).await;
    *found.unwrap_or_else(|_| panic!("waited in vain: {what}")).expect("the sender lives")
}

async fn simulator() -> GateSimulator {
    GateSimulator::start("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_is_lit_while_the_lane_refreshes_and_goes_out_when_it_stops() {
    let simulator = simulator().await;
    let gate = Gate::start(GateConfig::at(simulator.address()));
    let mut view = simulator.view();
    until(&mut gate.inputs(), "the gate connects", |i: &GateInputs| i.reachable).await;
    gate.show(Signal::InspectionBay).await.confirmed().await.unwrap();
    let seen = until(&mut view, "the sign", |v: &GateView| v.inspect).await;
    assert!(seen.red && !seen.green && !seen.boom_up);
    // Nobody refreshes: the dead man's switch.
    let stopped = until(&mut view, "stop", |v: &GateView| !v.inspect).await;
    assert!(stopped.red && !stopped.green);
    assert_eq!(stopped.raised, 0, "the boom was never raised");
}

#[tokio::test(flavor = "multi_thread")]
async fn proceed_without_a_warrant_is_red() {
    let simulator = simulator().await;
    let gate = Gate::start(GateConfig::at(simulator.address()));
    until(&mut gate.inputs(), "the gate connects", |i: &GateInputs| i.reachable).await;
    gate.show(Signal::Proceed).await.confirmed().await.unwrap();
    let seen = *simulator.view().borrow();
    assert!(seen.red && !seen.green && seen.raised == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_and_key_are_seen_and_a_lost_module_is_reported_and_found_again() {
    let simulator = simulator().await;
    let address = simulator.address();
    let gate = Gate::start(GateConfig::at(address));
    let mut inputs = gate.inputs();
    until(&mut inputs, "the gate connects", |i: &GateInputs| i.reachable && i.boom_down).await;
    simulator.set_input(0, true);
    until(&mut inputs, "presence", |i: &GateInputs| i.presence).await;
    simulator.set_input(5, true);
    let keyed = until(&mut inputs, "the key", |i: &GateInputs| i.manual_key).await;
    assert_eq!(keyed.lane_fault(), Some(clearance::decide::LaneFault::ManualKey));
    drop(simulator);
    // Whatever the connection does, a request that is not answered is noticed: nothing listens there any more.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nowhere = Gate::start(GateConfig::at(closed));
    assert!(matches!(nowhere.show(Signal::Wait).await.confirmed().await, Err(GateError::Unreachable(_))));
    assert!(!nowhere.inputs().borrow().reachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_modbus_client_can_be_the_world_and_bad_addresses_are_refused() {
    let simulator = simulator().await;
    let mut client = tcp::connect(simulator.address()).await.unwrap();
    client.write_single_coil(edge::gate::sim::WORLD, true).await.unwrap().unwrap();
    assert_eq!(client.read_discrete_inputs(0, 1).await.unwrap().unwrap(), [true]);
    assert!(client.read_coils(4000, 8).await.unwrap().is_err());
    assert!(client.write_single_register(4000, 1).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_heartbeat_the_module_goes_to_red_by_itself() {
    let simulator = simulator().await;
    let mut client = tcp::connect(simulator.address()).await.unwrap();
    client.write_single_register(0, 1).await.unwrap().unwrap();
    client.write_single_coil(2, true).await.unwrap().unwrap();
    let mut view = simulator.view();
    until(&mut view, "green", |v: &GateView| v.green).await;
    let dark = until(&mut view, "the watchdog", |v: &GateView| !v.green).await;
    assert!(dark.red);
}
