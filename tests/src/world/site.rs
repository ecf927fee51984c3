//! A whole control point on one machine: central as a process of its own, the edge node, gates, cameras and loops.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use central::config::Config;
use central::storage::Store;
use central::{keys, open_store};
use clearance::decide::Lease;
use clearance::directive::ActionCode;
use edge::appliance::Appliance;
use edge::config::EdgeConfig;
use edge::gate::sim::GateSimulator;
use reqwest::Method;
use serde_json::{Value, json};

use super::OPEN_PLACE;
use super::lane::{Roadside, Signals};
use super::queue::{Declared, Truck};
use super::rtsp::{PictureFormat, RtspCameras};

/// The control point's name.
pub const SITE: &str = "lok-ma-chau";
/// Who may sign in to the console.
pub const OFFICER: (&str, &str) = ("chan", "clearlane demo");

/// What a truck carries of which screening decides.
pub const SCREENED_CARGO: &str = "used batteries";

/// The cameras of the world.
pub const PICTURES: PictureFormat = PictureFormat { width: 1280, height: 720, fps: 12 };

/// Longest wait for anything that must come.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long after its declaration a truck is expected.
const ARRIVES_IN: Duration = Duration::from_mins(30);

/// How a site is set up.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Lanes, each with one camera and one gate.
    pub lanes: usize,
    /// Milliseconds for which a lane may release without hearing from central.
    pub lease_ms: u64,
    /// Where the console listens; port 0 takes any free one.
    pub console: SocketAddr,
    /// Goes into central's configuration.
    pub more: String,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            lanes: 2,
            lease_ms: 60_000,
            console: SocketAddr::from(([127, 0, 0, 1], 0)),
            more: String::new(),
        }
    }
}

/// A running control point.
pub struct Site {
    /// The edge node.
    pub edge: Appliance,
    /// One for each lane.
    pub gates: Vec<Arc<GateSimulator>>,
    /// One camera for each lane, named like it.
    pub cameras: RtspCameras,
    central: Option<CentralProcess>,
    http: reqwest::Client,
    tokens: HashMap<&'static str, String>,
    config: PathBuf,
    folder: tempfile::TempDir,
}

/// Central as a process that can be killed.
pub(super) struct CentralProcess {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for CentralProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name of lane `number`, from 0.
pub fn lane_name(number: usize) -> String {
    format!("lane-{}", number + 1)
}

/// A port that nobody listens on now.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The command `name` of this build: beside the program that runs, or, for a test, one folder up.
pub(super) fn command(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let near = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.exists());
    near.with_context(|| format!("the command {name} is not built: cargo build --workspace --bins"))
}

/// The command `name` of this build, to run in a network namespace if one is named.
pub(super) fn placed(name: &str, namespace: Option<&str>) -> anyhow::Result<Command> {
    let path = command(name)?;
    let Some(namespace) = namespace else { return Ok(Command::new(path)) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(path);
    Ok(command)
}

impl Site {
    /// Start everything.
    pub async fn start(options: SiteOptions) -> anyhow::Result<Self> {
        let folder = tempfile::TempDir::new()?;
        let zenoh = format!("tcp/127.0.0.1:{}", free_port()?);
        let key = run(&["keygen", "--out"], &[&folder.path().join("central.key")], "")?;
        let edge_key = edge::keys::generate(&folder.path().join("edge.key"))?;
        let console = match options.console.port() {
            // Fixed now, so that a central that is started again is found where it was.
            0 => SocketAddr::new(options.console.ip(), free_port()?),
            _ => options.console,
        };
        std::fs::write(folder.path().join("place.toml"), OPEN_PLACE)?;
        let config = folder.path().join("central.toml");
        std::fs::write(
            &config,
            format!(
                "http = \"{console}\"\nzenoh = [\"{zenoh}\"]\ndata_dir = \"central\"\nkey_file = \"central.key\"\n\
                 sites = [\"{SITE}\"]\nplace = \"place.toml\"\nlease_ms = {}\n{}\n[edges]\nedge-1 = \"{edge_key}\"\n",
                options.lease_ms, options.more
            ),
        )?;
        run(&["officer", "add", OFFICER.0, "--role", "officer", "--config"], &[&config], OFFICER.1)?;
        let mut tokens = HashMap::new();
        for (name, role) in [("trade", "trade"), ("selector", "selector")] {
            tokens.insert(name, run(&["token", "create", name, "--role", role, "--config"], &[&config], "")?);
        }
        let central = Some(start_central(&config)?);

        let mut gates = Vec::new();
        for _ in 0..options.lanes {
            gates.push(Arc::new(GateSimulator::start("127.0.0.1:0".parse()?).await?));
        }
        let names: Vec<String> = (0..options.lanes).map(lane_name).collect();
        let cameras = RtspCameras::start(&names.iter().map(String::as_str).collect::<Vec<_>>(), PICTURES)?;
        let mut text = format!(
            "site = \"{SITE}\"\nedge = \"edge-1\"\ndata_dir = \"edge\"\nkey_file = \"edge.key\"\n\
             central_keys = [\"{key}\"]\nconnect = [\"{zenoh}\"]\n"
        );
        for (name, gate) in names.iter().zip(&gates) {
            let _ = write!(
                text,
                "[[lane]]\nname = \"{name}\"\ngate = {{ address = \"{}\" }}\n[[lane.camera]]\nname = \"front\"\n\
                 source = {{ kind = \"rtsp\", url = \"{}\" }}\n",
                gate.address(),
                cameras.url(name)
            );
        }
        let edge_config = folder.path().join("edge.toml");
        std::fs::write(&edge_config, text)?;
        let edge = Appliance::start(EdgeConfig::load(&edge_config)?).await?;
        central::choose_cryptography();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { edge, gates, cameras, central, http, tokens, config, folder })
    }

    /// Where everything of the site is kept.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Address of the console and the API.
    pub fn console(&self) -> anyhow::Result<String> {
        let central = self.central.as_ref().context("central does not run")?;
        Ok(format!("http://{}", central.address))
    }

    /// Invite somebody of the company that declares the trucks to the portal; gives the link.
    pub fn invite(&self, login: &str) -> anyhow::Result<String> {
        let link = run(&["person", "invite", login, "--trader", "trade", "--config"], &[&self.config], "")?;
        Ok(link.trim().to_owned())
    }

    /// Add an officer who signs in with the password of [`OFFICER`].
    pub fn officer(&self, name: &str, role: &str) -> anyhow::Result<()> {
        run(&["officer", "add", name, "--role", role, "--config"], &[&self.config], OFFICER.1).map(drop)
    }

    /// Central's configuration and its store, as its commands open it.
    pub async fn store(&self) -> anyhow::Result<(Config, Store)> {
        let config = Config::load(&self.config)?;
        let store = open_store(&config, Arc::new(keys::load(&config.key_file)?)).await?;
        Ok((config, store))
    }

    /// Central's configuration.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Kill central, as a power cut would.
    pub fn kill_central(&mut self) {
        self.central = None;
    }

    /// Start central again, with the database that it had.
    pub fn restart_central(&mut self) -> anyhow::Result<()> {
        self.central = Some(start_central(&self.config)?);
        Ok(())
    }

    /// Declare a truck as central should know it; gives how many revisions that made.
    pub async fn declare(&self, truck: &Truck) -> anyhow::Result<u64> {
        let action = match truck.declared {
            Declared::Nothing => return Ok(0),
            Declared::Coded(action) => action,
            Declared::Revoked => ActionCode::Release,
            Declared::Screened => {
                self.movement(truck).await?;
                return Ok(0);
            }
        };
        let movement = self.movement(truck).await?;
        self.assign(&movement, action, truck.story).await?;
        if truck.declared == Declared::Revoked {
            self.revoke(&movement, "new information").await?;
            return Ok(2);
        }
        Ok(1)
    }

    /// Take a movement's action code back.
    pub async fn revoke(&self, movement: &str, reason: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/movements/{movement}/action");
        self.call(Method::DELETE, &path, "selector", &json!({ "reason": reason })).await.map(drop)
    }

    /// Give a movement its action code.
    pub async fn assign(&self, movement: &str, action: ActionCode, reason: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/movements/{movement}/action");
        let body = json!({ "action": action.code(), "reason": reason });
        self.call(Method::PUT, &path, "selector", &body).await.map(drop)
    }

    /// Declare a truck's cargo and bundle it with the truck; gives the movement.
    pub async fn movement(&self, truck: &Truck) -> anyhow::Result<String> {
        // Days are counted where the control point lies; the truck is on its way now.
        let arrival = jiff::Timestamp::now().checked_add(ARRIVES_IN)?.in_tz("Asia/Hong_Kong")?;
        let cargo = if truck.declared == Declared::Screened { SCREENED_CARGO } else { "electronic parts" };
        let consignment = json!({ "direction": "inbound", "packages": 12, "package_kind": "CT",
            "description": cargo, "consignor": { "name": "Shenzhen Parts", "address": "Futian" },
            "consignee": { "name": "Kowloon Traders", "address": "Kwun Tong" }, "expected_date": arrival.date() });
        let lodged = self.call(Method::POST, "/api/v1/consignments", "trade", &consignment).await?;
        let mut bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": truck.mark, "site": SITE,
            "expected_arrival": arrival.timestamp() });
        if let Some(mainland) = truck.mainland_registered {
            bundle["mainland_mark"] = json!(mainland);
        }
        let bundled = self.call(Method::POST, "/api/v1/bundles", "trade", &bundle).await?;
        Ok(bundled["movement"].as_str().context("no movement")?.to_owned())
    }

    /// Call the API as `trade` or `selector`.
    pub async fn call(&self, method: Method, path: &str, who: &str, body: &Value) -> anyhow::Result<Value> {
        let token = self.tokens.get(who).context("nobody of this name")?;
        let request = self.http.request(method, format!("{}{path}", self.console()?));
        let answer = request.bearer_auth(token).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Wait until the edge follows central up to `revision` and is vouched for.
    pub async fn follows(&self, revision: u64) -> anyhow::Result<()> {
        let mut replica = self.edge.replica();
        let live = |r: &edge::link::ReplicaStatus| r.head.revision.0 >= revision && r.lease() == Lease::Live;
        if tokio::time::timeout(PATIENCE, replica.wait_for(live)).await.is_err() {
            let status = self.edge.replica().borrow().clone();
            bail!("the edge does not follow central to revision {revision}: {status:?}");
        }
        Ok(())
    }

    /// Wait until central vouches for nothing any more.
    pub async fn stale(&self) -> anyhow::Result<()> {
        let gone = async {
            while self.edge.replica().borrow().lease() == Lease::Live {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.context("the lease does not run out")
    }

    /// Wait until every lane sees, and nothing holds it.
    pub async fn lanes_ready(&self) -> anyhow::Result<()> {
        let (mut lanes, wanted) = (self.edge.lanes(), self.gates.len());
        let ready = lanes.wait_for(|l| l.len() == wanted && l.values().all(|line| line.fault.is_none()));
        if tokio::time::timeout(PATIENCE, ready).await.is_err() {
            bail!("a lane is not ready: {:?}", self.edge.lanes().borrow().clone());
        }
        Ok(())
    }

    /// Wait until central has everything that the edge has recorded.
    pub async fn delivered(&self) -> anyhow::Result<()> {
        let empty = async {
            while self.edge.waiting() != (0, 0) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, empty).await.context("passages or pictures are not delivered")
    }

    /// The road side of a lane.
    pub fn roadside(&self, lane: usize) -> Box<dyn Roadside> {
        Box::new(SimulatedRoad(Arc::clone(&self.gates[lane])))
    }
}

/// Loops and lamps of a simulated gate.
struct SimulatedRoad(Arc<GateSimulator>);

impl Roadside for SimulatedRoad {
    fn signals(&mut self) -> Signals {
        let view = *self.0.view().borrow();
        Signals {
            green: view.green,
            red: view.red,
            boom_up: view.boom_up,
            inspect: view.inspect,
            documents: view.documents,
        }
    }

    fn presence(&mut self, occupied: bool) {
        self.0.set_input(0, occupied);
    }

    fn exit(&mut self, occupied: bool) {
        self.0.set_input(1, occupied);
    }
}

/// Run a command of central to its end; gives what it prints.
pub(super) fn run(words: &[&str], paths: &[&Path], input: &str) -> anyhow::Result<String> {
    let mut child = Command::new(command("central")?)
        .args(words)
        .args(paths)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no stdin")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "central {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

pub(super) fn start_central(config: &Path) -> anyhow::Result<CentralProcess> {
    start_central_in(config, None)
}

pub(super) fn start_central_in(config: &Path, namespace: Option<&str>) -> anyhow::Result<CentralProcess> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(config.with_extension("log"))?;
    let mut child = placed("central", namespace)?
        .args(["run", "--print-addresses", "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut line = String::new();
    let said = child.stdout.take().context("no stdout")?;
    BufReader::new(said).read_line(&mut line)?;
    let addresses: Value = serde_json::from_str(&line).with_context(|| {
        format!(
            "central does not start: {}",
            std::fs::read_to_string(config.with_extension("log")).unwrap_or_default()
        )
    })?;
    let address = addresses["http"].as_str().context("no address")?.parse()?;
    Ok(CentralProcess { child, address })
}
