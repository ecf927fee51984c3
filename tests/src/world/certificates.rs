//! Certificates of a network that are renewed, run out, are revoked or are somebody else's, while everything runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use central::ca;
use clearance::ids::UtcMillis;
use clearance::transport::{Party, TlsFiles};

use super::network::{LANE, Network, Router, files, now, tls_table};
use super::site::{CentralProcess, command, free_port, start_central_in};

/// Another central, whose certificate another authority has issued.
pub struct FalseCentral {
    /// Where it listens for TLS.
    pub endpoint: String,
    _process: CentralProcess,
}

impl Network {
    /// Put a new certificate of a party, good for so long, in the place of the one it has.
    pub fn renew(&self, party: &str, lasts: Duration) -> anyhow::Result<()> {
        self.replace(party, &self.issue(party, lasts, now())?)
    }

    /// Issue a certificate that is used nowhere yet; `at` is when.
    pub fn issue(&self, party: &str, lasts: Duration, at: UtcMillis) -> anyhow::Result<TlsFiles> {
        let folder = self.folder();
        let out = tempfile::TempDir::new_in(folder)?.keep();
        let parsed: Party = party.parse()?;
        let hosts = if matches!(parsed, Party::Edge(..)) { vec![] } else { self.place.hosts.clone() };
        ca::issue(&folder.join("ca"), &out, &parsed, &hosts, lasts, at)?;
        Ok(files(&folder.join("ca"), &out, party))
    }

    /// Put files in the place of those that a party has.
    pub fn replace(&self, party: &str, new: &TlsFiles) -> anyhow::Result<()> {
        let used = files(&self.folder().join("ca"), &self.folder().join("certificates"), party);
        replace(&new.certificate, &used.certificate)?;
        replace(&new.private_key, &used.private_key)
    }

    /// Write into central's configuration which edges are revoked.
    pub fn revokes(&self, edges: &[&str]) -> anyhow::Result<()> {
        write_revoked(&self.folder().join("central.toml"), edges)
    }

    /// Start a central of the same sites and edges, at another address, with a certificate of another authority.
    pub fn false_central(&self) -> anyhow::Result<FalseCentral> {
        let at = |name: &str| self.folder().join(name);
        ca::init(&at("false-ca"), 10, now())?;
        ca::issue(&at("false-ca"), &at("false"), &Party::Central, &self.place.hosts, ca::days(10), now())?;
        let host = self.place.hosts.first().context("central has no address")?;
        let endpoint = format!("tls/{host}:{}", free_port()?);
        let text = std::fs::read_to_string(at("central.toml"))?
            .replace(&self.central, &endpoint)
            .replace(self.console.trim_start_matches("http://"), &format!("{host}:{}", free_port()?))
            .replace("data_dir = \"central\"", "data_dir = \"false-data\"")
            .replace("\"ca/ca.pem\"", "\"false-ca/ca.pem\"")
            .replace("\"certificates/", "\"false/");
        std::fs::write(at("false.toml"), text)?;
        let process = start_central_in(&at("false.toml"), self.place.namespace.as_deref())?;
        Ok(FalseCentral { endpoint, _process: process })
    }

    /// Write the configuration of a whole edge node with one lane and a camera that is drawn; gives its path.
    pub fn edge_config(&self, site: &str, name: &str, endpoint: &str) -> anyhow::Result<PathBuf> {
        let party = format!("edge.{site}.{name}");
        self.certificate(&party)?;
        let path = self.folder().join(format!("{name}.toml"));
        let text = format!(
            "site = \"{site}\"\nedge = \"{name}\"\ndata_dir = \"{name}-data\"\nkey_file = \"{name}.key\"\n\
             central_keys = [\"{}\"]\nconnect = [\"{endpoint}\"]\n{}[[lane]]\nname = \"{LANE}\"\n\
             gate = {{ address = \"127.0.0.1:{}\" }}\n[[lane.camera]]\nname = \"front\"\n\
             source = {{ kind = \"test\", width = 320, height = 240, frames_per_second = 2 }}\n",
            self.key,
            tls_table(&party),
            free_port()?,
        );
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Start a whole edge node of such a configuration.
    pub fn appliance(&self, config: &Path) -> anyhow::Result<Appliance> {
        let log = config.with_extension("log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut run = Command::new(command("edge")?);
        run.args(["run", "--config"]).arg(config).stdout(Stdio::null()).stderr(file);
        Ok(Appliance { child: run.spawn()?, config: config.to_owned(), log })
    }
}

impl Router {
    /// Write into its configuration which edges are revoked.
    pub fn revokes(&self, edges: &[&str]) -> anyhow::Result<()> {
        write_revoked(&self.config, edges)
    }
}

/// A whole edge node as a process; killed when dropped.
pub struct Appliance {
    child: std::process::Child,
    config: PathBuf,
    log: PathBuf,
}

impl Drop for Appliance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Appliance {
    /// What `edge status` prints.
    pub fn status(&self) -> anyhow::Result<String> {
        let printed =
            Command::new(command("edge")?).args(["status", "--config"]).arg(&self.config).output()?;
        String::from_utf8(printed.stdout).context("edge status")
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Put a file in the place of another, at once, and as readable as it is.
fn replace(new: &Path, old: &Path) -> anyhow::Result<()> {
    let beside = old.with_extension("new");
    std::fs::copy(new, &beside)?;
    Ok(std::fs::rename(beside, old)?)
}

fn write_revoked(config: &Path, edges: &[&str]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(config)?;
    let line = |line: &str| {
        if line.starts_with("revoked = ") { format!("revoked = {edges:?}\n") } else { format!("{line}\n") }
    };
    let beside = config.with_extension("new");
    std::fs::write(&beside, text.lines().map(line).collect::<String>())?;
    Ok(std::fs::rename(beside, config)?)
}
