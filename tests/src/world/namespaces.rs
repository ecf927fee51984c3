//! Machines that are network namespaces, and the lines between them, which can lose, delay and be cut. Netem would do that in
//! the kernel, but not every kernel has it; `switch.py` does it with TUN interfaces, packet by packet, so that TCP and
//! TLS meet it as they would meet it on a wire.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use serde_json::json;

const SWITCH: &str = include_str!("switch.py");

/// Why namespaces cannot be made here; `None` if they can.
pub fn missing() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("the kernel has no /dev/net/tun".to_owned());
    }
    for (tool, package) in [("ip", "iproute2"), ("unshare", "util-linux"), ("python3", "python3")] {
        if Command::new(tool).arg("--help").output().is_err() {
            return Some(format!("the command {tool} is not there: install {package}"));
        }
    }
    let tried = Command::new("unshare").args(["--net", "--mount", "true"]).output();
    match tried {
        Ok(done) if done.status.success() => None,
        Ok(done) => Some(format!("needs root: {}", String::from_utf8_lossy(&done.stderr).trim())),
        Err(error) => Some(error.to_string()),
    }
}

/// Run the ignored test `name` of this program in namespaces of its own, where it may make as many as it likes: they end
/// with it, whatever becomes of it.
pub fn run_apart(name: &str) -> anyhow::Result<()> {
    let own = std::env::current_exe()?;
    let inside = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip link set lo up && exec \"$@\"";
    let status = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", inside, "sh"])
        .arg(own)
        .args([name, "--exact", "--ignored", "--nocapture"])
        .status()?;
    ensure!(status.success(), "{name} failed; its output is above");
    Ok(())
}

/// Machines and the switch between them. The first is where this process runs; each other one is a namespace of its name.
pub struct Machines {
    names: Vec<String>,
    switch: Mutex<Switch>,
}

struct Switch {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The line between two machines.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Of how many packets one is lost: 0 none, 1 all.
    pub loss: f64,
    /// Seconds until a packet is there.
    pub delay: f64,
}

impl Line {
    /// As it should be.
    pub const SOUND: Self = Self { loss: 0.0, delay: 0.0 };
    /// Nothing gets through.
    pub const CUT: Self = Self { loss: 1.0, delay: 0.0 };
}

impl Machines {
    /// Make them. Call only in a program that [`run_apart`] runs.
    pub fn new(names: &[&str], seed: u64) -> anyhow::Result<Self> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut child = Command::new("python3")
            .args(["-c", SWITCH, &seed.to_string()])
            .args(names.iter().enumerate().map(|(at, name)| format!("{name}={}", address(at))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let mut switch = Switch { child, input, output };
        switch.says("ready")?;
        for (at, name) in names.iter().enumerate() {
            let network = format!("{}/24", address(at));
            if at > 0 {
                ip(&["netns", "add", name])?;
                ip(&["link", "set", "dev", name, "netns", name])?;
            }
            let inside: &[&str] = if at > 0 { &["-n", name] } else { &[] };
            ip(&[inside, &["addr", "add", &network, "dev", name]].concat())?;
            ip(&[inside, &["link", "set", "dev", name, "up"]].concat())?;
            ip(&[inside, &["link", "set", "dev", "lo", "up"]].concat())?;
        }
        Ok(Self { names, switch: Mutex::new(switch) })
    }

    /// The address of a machine.
    pub fn address(&self, name: &str) -> anyhow::Result<String> {
        let at = self.names.iter().position(|known| known == name).context("no such machine")?;
        Ok(address(at).to_string())
    }

    /// Change the line between two machines, both ways.
    pub fn set(&self, one: &str, other: &str, line: Line) -> anyhow::Result<()> {
        let mut switch = self.switch.lock().unwrap_or_else(PoisonError::into_inner);
        for (from, to) in [(one, other), (other, one)] {
            let order = json!({ "from": from, "to": to, "loss": line.loss, "delay": line.delay });
            writeln!(switch.input, "{order}")?;
            switch.says("set")?;
        }
        Ok(())
    }
}

impl Switch {
    fn says(&mut self, wanted: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(line.trim() == wanted, "the switch said {line:?} instead of {wanted:?}");
        Ok(())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Of a network for measurements (RFC 2544): nobody's.
fn address(machine: usize) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, 0, machine as u8 + 1)
}

fn ip(words: &[&str]) -> anyhow::Result<()> {
    let done = Command::new("ip").args(words).output()?;
    ensure!(done.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
