//! A gate that is not there: a real Modbus TCP server with a boom that takes time and a watchdog, for tests, the demo
//! and trying things out (`edge gate-sim`).
//!
//! Coils from [`WORLD`] on are the world's hand: coil `WORLD + i` sets discrete input `i`, so that any Modbus client
//! can drive a vehicle onto a loop.

use std::future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_modbus::prelude::{ExceptionCode, Request, Response};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

/// First coil that sets an input.
pub const WORLD: u16 = 100;

/// Time the boom takes to go up or down.
const TRAVEL: Duration = Duration::from_millis(1200);

/// Without a heartbeat for so long the module goes to red by itself.
const WATCHDOG: Duration = Duration::from_secs(1);

const COILS: usize = 128;
const INPUTS: usize = 16;
const REGISTERS: usize = 16;

/// What somebody standing beside the gate sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// Red lamp.
    pub red: bool,
    /// Green lamp.
    pub green: bool,
    /// Sign to the inspection bay.
    pub inspect: bool,
    /// Sign to the documents counter.
    pub documents: bool,
    /// The boom is up.
    pub boom_up: bool,
    /// Times the boom was raised since the start.
    pub raised: u32,
}

struct Module {
    coils: [bool; COILS],
    inputs: [bool; INPUTS],
    registers: [u16; REGISTERS],
    beat: Instant,
    boom: Boom,
    raised: u32,
    seen: watch::Sender<GateView>,
}

#[derive(Clone, Copy, PartialEq)]
enum Boom {
    Down,
    Rising(Instant),
    Up,
    Falling(Instant),
}

/// A running simulator; dropping it closes it.
pub struct GateSimulator {
    address: SocketAddr,
    module: Arc<Mutex<Module>>,
    tasks: Vec<JoinHandle<()>>,
    seen: watch::Receiver<GateView>,
}

impl GateSimulator {
    /// Listen on `address` (port 0: any free one).
    pub async fn start(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (told, seen) = watch::channel(GateView::default());
        let module = Arc::new(Mutex::new(Module {
            coils: [false; COILS],
            inputs: [false; INPUTS],
            registers: [0; REGISTERS],
            beat: Instant::now(),
            boom: Boom::Down,
            raised: 0,
            seen: told,
        }));
        lock(&module).inputs[3] = true;
        let serving = tokio::spawn(serve(listener, module.clone()));
        let moving = tokio::spawn(keep_moving(module.clone()));
        Ok(Self { address, module, tasks: vec![serving, moving], seen })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What can be seen, as it changes.
    pub fn view(&self) -> watch::Receiver<GateView> {
        self.seen.clone()
    }

    /// Set a discrete input by its address, as the road or a key would.
    pub fn set_input(&self, address: u16, on: bool) {
        if let Some(input) = lock(&self.module).inputs.get_mut(usize::from(address)) {
            *input = on;
        }
    }
}

impl Drop for GateSimulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn lock(module: &Mutex<Module>) -> std::sync::MutexGuard<'_, Module> {
    module.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, module: Arc<Mutex<Module>>) {
    let server = Server::new(listener);
    let connected = |stream, peer| {
        let module = module.clone();
        async move { accept_tcp_connection(stream, peer, move |_| Ok(Some(Registers(module.clone())))) }
    };
    let failed = |error| tracing::debug!(%error, "a Modbus connection ended");
    if let Err(error) = server.serve(&connected, failed).await {
        tracing::error!(%error, "the gate simulator cannot accept connections");
    }
}

/// The boom travels and the watchdog watches, also when nobody asks.
async fn keep_moving(module: Arc<Mutex<Module>>) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        lock(&module).step(Instant::now());
    }
}

impl Module {
    fn step(&mut self, now: Instant) {
        if now.duration_since(self.beat) > WATCHDOG {
            self.coils[0] = false;
            self.coils[2] = false;
            self.coils[1] = true;
        }
        let (pulse, green) = (self.coils[0], self.coils[2]);
        let clear = !self.inputs[0] && !self.inputs[1];
        self.boom = match self.boom {
            Boom::Down if pulse => {
                self.raised += 1;
                Boom::Rising(now + TRAVEL)
            }
            Boom::Rising(until) if now >= until => Boom::Up,
            // It never comes down on a vehicle, and not while green is lit.
            Boom::Up if !green && clear => Boom::Falling(now + TRAVEL),
            Boom::Falling(_) if pulse || !clear => Boom::Rising(now + TRAVEL),
            Boom::Falling(until) if now >= until => Boom::Down,
            boom => boom,
        };
        self.inputs[2] = self.boom == Boom::Up;
        self.inputs[3] = self.boom == Boom::Down;
        let view = GateView {
            red: self.coils[1],
            green: self.coils[2],
            inspect: self.coils[3],
            documents: self.coils[4],
            boom_up: self.inputs[2],
            raised: self.raised,
        };
        self.seen.send_if_modified(|seen| {
            let changed = *seen != view;
            *seen = view;
            changed
        });
    }

    fn write_coil(&mut self, address: u16, on: bool) -> Result<(), ExceptionCode> {
        *self.coils.get_mut(usize::from(address)).ok_or(ExceptionCode::IllegalDataAddress)? = on;
        if let Some(input) = address.checked_sub(WORLD).and_then(|i| self.inputs.get_mut(usize::from(i))) {
            *input = on;
        }
        Ok(())
    }

    fn write_register(&mut self, address: u16, value: u16) -> Result<(), ExceptionCode> {
        let register =
            self.registers.get_mut(usize::from(address)).ok_or(ExceptionCode::IllegalDataAddress)?;
        if *register != value {
            self.beat = Instant::now();
        }
        *register = value;
        Ok(())
    }

    fn answer(&mut self, request: Request<'_>) -> Result<Response, ExceptionCode> {
        let answer = match request {
            Request::ReadCoils(from, count) => Response::ReadCoils(range(&self.coils, from, count)?),
            Request::ReadDiscreteInputs(from, count) => {
                Response::ReadDiscreteInputs(range(&self.inputs, from, count)?)
            }
            Request::ReadHoldingRegisters(from, count) => {
                Response::ReadHoldingRegisters(range(&self.registers, from, count)?)
            }
            Request::WriteSingleCoil(address, on) => {
                self.write_coil(address, on)?;
                Response::WriteSingleCoil(address, on)
            }
            Request::WriteMultipleCoils(from, values) => {
                for (address, on) in (from..).zip(values.iter()) {
                    self.write_coil(address, *on)?;
                }
                Response::WriteMultipleCoils(from, values.len() as u16)
            }
            Request::WriteSingleRegister(address, value) => {
                self.write_register(address, value)?;
                Response::WriteSingleRegister(address, value)
            }
            Request::WriteMultipleRegisters(from, values) => {
                for (address, value) in (from..).zip(values.iter()) {
                    self.write_register(address, *value)?;
                }
                Response::WriteMultipleRegisters(from, values.len() as u16)
            }
            _ => return Err(ExceptionCode::IllegalFunction),
        };
        self.step(Instant::now());
        Ok(answer)
    }
}

fn range<T: Copy>(values: &[T], from: u16, count: u16) -> Result<Vec<T>, ExceptionCode> {
    let (from, count) = (usize::from(from), usize::from(count));
    values.get(from..from + count).map(<[T]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
}

struct Registers(Arc<Mutex<Module>>);

impl Service for Registers {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        future::ready(lock(&self.0).answer(request))
    }
}
