//! An edge without cameras and gates as a process of its own (`node`), which can be cut off and killed and whose disk can
//! fail. Cache, outbox, link and decision are the product's own; what drives up is told line by line.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clearance::decide::Reason;
use clearance::directive::DirectiveStatus;
use clearance::ids::{MovementId, PassageId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::passage::Outcome;
use clearance::transport::{LINK_THREADS, TlsFiles};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::network::Network;
use super::site::placed;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a node is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A vehicle with this mark stands at the gate.
    Vehicle {
        /// Its mark.
        mark: RegistrationMark,
        /// Its passage.
        passage: PassageId,
    },
    /// What the cache says of a mark.
    Holds(RegistrationMark),
    /// How the node is.
    Status,
}

/// What it answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// What was decided.
    Decided(Decided),
    /// What is held; `None`: nothing.
    Holds(Option<Held>),
    /// How it is.
    Status(NodeState),
}

/// A decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// Before the lease was looked at.
    pub at: UtcMillis,
    /// Carried out only if the intent was recorded.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The movement whose directive was followed.
    pub movement: Option<MovementId>,
    /// Steps that are on the disk.
    pub recorded: u32,
}

impl Decided {
    /// Whether the gate was opened.
    pub fn released(&self) -> bool {
        self.outcome == Outcome::Released && self.recorded > 0
    }
}

/// What a cache holds of a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Of which movement.
    pub movement: MovementId,
    /// `active`, `used`, `revoked`.
    pub status: String,
}

impl Held {
    /// In a word.
    pub fn word(status: DirectiveStatus) -> &'static str {
        match status {
            DirectiveStatus::Active => "active",
            DirectiveStatus::Used { .. } => "used",
            DirectiveStatus::Revoked => "revoked",
        }
    }
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// Epoch and revision of its cache.
    pub head: (u64, u64),
    /// Milliseconds for which it may release.
    pub lease_left_ms: u64,
    /// `live`, `stale`, …
    pub replica: String,
    /// Steps that wait for central.
    pub waiting: usize,
    /// Why there is no link, as far as Zenoh says.
    pub refused: Vec<String>,
}

/// A running node; killed when dropped.
pub struct Node {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// How a node is started.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Its site and its name.
    pub site: String,
    /// See there.
    pub edge: String,
    /// Its endpoints.
    pub connect: Vec<String>,
    /// Where its state lies.
    pub data: PathBuf,
    /// The network namespace it runs in.
    pub namespace: Option<String>,
}

impl Network {
    /// Start a node.
    pub fn node(&self, options: &NodeOptions) -> anyhow::Result<Node> {
        let NodeOptions { site, edge, connect, data, namespace } = options;
        let TlsFiles { ca, certificate, private_key } = self.certificate(&format!("edge.{site}.{edge}"))?;
        let log = self.folder().join(format!("{site}-{edge}.log"));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = placed("node", namespace.as_deref())?;
        let text = |path: &Path| path.display().to_string();
        for (name, value) in [
            ("--site", site.clone()),
            ("--edge", edge.clone()),
            ("--data", text(data)),
            ("--key", text(&self.folder().join(format!("{edge}.key")))),
            ("--central-key", self.key.to_string()),
            ("--ca", text(&ca)),
            ("--certificate", text(&certificate)),
            ("--private-key", text(&private_key)),
        ] {
            command.arg(name).arg(value);
        }
        for endpoint in connect {
            command.args(["--connect", endpoint]);
        }
        // As `edge` and `central` start themselves, and for the same reason.
        let (name, threads) = LINK_THREADS;
        command.env(name, threads);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file);
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Node { child, input, output, log })
    }
}

impl Node {
    /// Ask, and wait for the answer.
    pub async fn ask(&mut self, ask: &Ask) -> anyhow::Result<Told> {
        let mut line = serde_json::to_string(ask)?;
        line.push('\n');
        let answer = async {
            self.input.write_all(line.as_bytes()).await?;
            self.output.next_line().await?.context("the node is gone")
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await.context("the node does not answer")??;
        serde_json::from_str(&answer).context(answer)
    }

    /// A vehicle drives up.
    pub async fn vehicle(&mut self, mark: &RegistrationMark, passage: PassageId) -> anyhow::Result<Decided> {
        match self.ask(&Ask::Vehicle { mark: mark.clone(), passage }).await? {
            Told::Decided(decided) => Ok(decided),
            other => bail!("{other:?} to a vehicle"),
        }
    }

    /// What it holds of a mark.
    pub async fn holds(&mut self, mark: &RegistrationMark) -> anyhow::Result<Option<Held>> {
        match self.ask(&Ask::Holds(mark.clone())).await? {
            Told::Holds(held) => Ok(held),
            other => bail!("{other:?} to what is held"),
        }
    }

    /// How it is.
    pub async fn status(&mut self) -> anyhow::Result<NodeState> {
        match self.ask(&Ask::Status).await? {
            Told::Status(state) => Ok(state),
            other => bail!("{other:?} to how it is"),
        }
    }

    /// Kill it, as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
