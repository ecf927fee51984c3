//! Central, routers and the edges' links as they are in the field, over TLS: central and routers are processes that can
//! be killed, edges are links with a cache and an outbox but without lanes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use central::ca;
use clearance::decide::{Lease, Signal};
use clearance::ids::{LaneId, PassageId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::order::Order;
use clearance::passage::{LanePhase, LaneStatus, PassageEvent, PassageStep};
use clearance::transport::{self, Certificates, Party, Setting, TlsFiles};
use clearance::wire::{PublicKey, Verified};
use edge::directives::Cache;
use edge::link::{Identity, Link, ReplicaStatus, Waiting, Way};
use edge::outbox::{EvidenceStore, Outbox, OutboxLimits};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use zenoh::Session;

use super::OPEN_PLACE;
use super::office::NO_LIMIT;
use super::site::{CentralProcess, free_port, placed, run, start_central_in};

/// Who may sign in to the console, and do everything.
const OFFICER: (&str, &str) = ("chan", "clearlane network");

/// Longest wait for anything that must come.
const PATIENCE: Duration = Duration::from_secs(90);

/// Milliseconds for which a lease is granted: short, so that a link that is lost is seen soon.
const LEASE_MS: u64 = 6_000;

/// The lane of every edge.
pub const LANE: &str = "lane-1";

/// Central with an authority, and what routers and edges need to join it.
pub struct Network {
    /// Where central listens for TLS.
    pub central: String,
    process: Mutex<Option<CentralProcess>>,
    pub(super) console: String,
    pub(super) place: Place,
    pub(super) key: PublicKey,
    trade: String,
    selector: String,
    http: reqwest::Client,
    folder: tempfile::TempDir,
}

/// Where central and the routers of a network are.
#[derive(Clone, Debug)]
pub struct Place {
    /// The network namespace of central.
    pub namespace: Option<String>,
    /// Addresses of this network's machines, central's first.
    pub hosts: Vec<String>,
    /// Milliseconds for which a lease is granted.
    pub lease_ms: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self { namespace: None, hosts: vec!["127.0.0.1".to_owned()], lease_ms: LEASE_MS }
    }
}

/// A process that is killed when this is dropped.
pub struct Router {
    /// Where it listens.
    pub endpoint: String,
    child: Child,
    pub(super) config: PathBuf,
    log: PathBuf,
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An edge's link.
pub struct Edge {
    /// What it holds.
    pub cache: Cache,
    /// Orders that arrived for [`LANE`].
    pub orders: mpsc::Receiver<Verified<Order>>,
    link: Link,
    outbox: Arc<Outbox>,
    site: SiteId,
    name: String,
}

/// An endpoint on this machine that nobody listens on.
pub fn free_endpoint(protocol: &str) -> anyhow::Result<String> {
    Ok(format!("{protocol}/127.0.0.1:{}", free_port()?))
}

/// Wait until `come` gives something.
pub async fn comes<T>(what: &str, mut come: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    let found = async {
        loop {
            if let Some(found) = come().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.with_context(|| format!("waited in vain for {what}"))
}

impl Network {
    /// Start central for these sites, with an authority; `edges` are the names of edges that will join.
    pub fn start(sites: &[&str], edges: &[&str]) -> anyhow::Result<Self> {
        Self::start_at(Place::default(), sites, edges)
    }

    /// The same, somewhere else.
    pub fn start_at(place: Place, sites: &[&str], edges: &[&str]) -> anyhow::Result<Self> {
        let host = place.hosts.first().context("central has no address")?.clone();
        let folder = tempfile::TempDir::new()?;
        let at = |name: &str| folder.path().join(name);
        ca::init(&at("ca"), 10, now())?;
        ca::issue(&at("ca"), &at("certificates"), &Party::Central, &place.hosts, ca::days(10), now())?;
        let key: PublicKey = run(&["keygen", "--out"], &[&at("central.key")], "")?.parse()?;
        let mut keys = String::new();
        for edge in edges {
            let key = edge::keys::generate(&at(&format!("{edge}.key")))?;
            let _ = writeln!(keys, "{edge} = \"{key}\"");
        }
        let central = format!("tls/{host}:{}", free_port()?);
        let console = format!("{host}:{}", free_port()?);
        std::fs::write(at("place.toml"), OPEN_PLACE)?;
        let config = at("central.toml");
        std::fs::write(
            &config,
            format!(
                "http = \"{console}\"\nzenoh = [\"{central}\"]\ndata_dir = \"central\"\nkey_file = \"central.key\"\n\
                 sites = {sites:?}\nrevoked = []\nplace = \"place.toml\"\n{NO_LIMIT}lease_ms = {}\n{}[edges]\n{keys}",
                place.lease_ms,
                tls_table("central"),
            ),
        )?;
        run(&["officer", "add", OFFICER.0, "--role", "officer", "--config"], &[&config], OFFICER.1)?;
        let token = |role| run(&["token", "create", role, "--role", role, "--config"], &[&config], "");
        let (trade, selector) = (token("trade")?, token("selector")?);
        let process = Mutex::new(Some(start_central_in(&config, place.namespace.as_deref())?));
        central::choose_cryptography();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()?;
        let console = format!("http://{console}");
        Ok(Self { central, process, console, place, key, trade, selector, http, folder })
    }

    /// A certificate of the network's authority.
    pub fn certificate(&self, party: &str) -> anyhow::Result<TlsFiles> {
        let folder = self.folder.path().join("certificates");
        if !folder.join(format!("{party}.pem")).exists() {
            let parsed: Party = party.parse()?;
            let hosts = if matches!(parsed, Party::Edge(..)) { vec![] } else { self.place.hosts.clone() };
            ca::issue(&self.folder.path().join("ca"), &folder, &parsed, &hosts, ca::days(10), now())?;
        }
        Ok(files(&self.folder.path().join("ca"), &folder, party))
    }

    /// The same, issued so long ago that it has run out.
    pub fn expired_certificate(&self, party: &str) -> anyhow::Result<TlsFiles> {
        let (ca, out) = (self.folder.path().join("ca"), self.folder.path().join("expired"));
        ca::issue(&ca, &out, &party.parse()?, &[], ca::days(1), now().plus_millis(-3 * 86_400_000))?;
        Ok(files(&ca, &out, party))
    }

    /// A certificate of another authority, which believes this one all the same.
    pub fn foreign_certificate(&self, party: &str) -> anyhow::Result<TlsFiles> {
        let (ca, out) = (self.folder.path().join("other-ca"), self.folder.path().join("foreign"));
        ca::init(&ca, 10, now())?;
        ca::issue(&ca, &out, &party.parse()?, &[], ca::days(10), now())?;
        Ok(files(&self.folder.path().join("ca"), &out, party))
    }

    /// Start a router of a site, at `endpoint`, that leads to `upstream`.
    pub fn router(
        &self,
        site: &str,
        edges: &[&str],
        endpoint: &str,
        upstream: &str,
    ) -> anyhow::Result<Router> {
        self.router_in(None, site, edges, endpoint, upstream)
    }

    /// The same, in a network namespace.
    pub fn router_in(
        &self,
        namespace: Option<&str>,
        site: &str,
        edges: &[&str],
        endpoint: &str,
        upstream: &str,
    ) -> anyhow::Result<Router> {
        let party = format!("router.{site}");
        self.certificate(&party)?;
        let name = format!("router-{}", endpoint.rsplit(':').next().unwrap_or_default());
        let config = self.folder.path().join(format!("{name}.toml"));
        std::fs::write(
            &config,
            format!(
                "site = \"{site}\"\nedges = {edges:?}\nrevoked = []\nlisten = [\"{endpoint}\"]\nupstream = [\"{upstream}\"]\n{}",
                tls_table(&party)
            ),
        )?;
        let log = config.with_extension("log");
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let child = placed("central", namespace)?
            .args(["router", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()?;
        Ok(Router { endpoint: endpoint.to_owned(), child, config, log })
    }

    /// Start the link of an edge.
    pub fn edge(&self, site: &str, name: &str, endpoints: &[&str]) -> anyhow::Result<Edge> {
        self.edge_with(&self.certificate(&format!("edge.{site}.{name}"))?, site, name, endpoints)
    }

    /// The same, with these certificates.
    pub fn edge_with(
        &self,
        files: &TlsFiles,
        site: &str,
        name: &str,
        endpoints: &[&str],
    ) -> anyhow::Result<Edge> {
        let data = self.folder.path().join(format!("{site}-{name}"));
        let cache = Cache::open(&data.join("directives"))?;
        let limits = OutboxLimits::default();
        let outbox = Arc::new(Outbox::open(&data.join("outbox"), limits)?.0);
        let evidence = Arc::new(EvidenceStore::open(&data.join("evidence"), limits.evidence_bytes)?);
        let identity = Identity {
            site: site.parse()?,
            edge: name.parse()?,
            signer: edge::keys::load(&self.folder.path().join(format!("{name}.key")))?,
            central: edge::link::CentralKeys::fixed(&[self.key]),
        };
        let way =
            Way { endpoints: endpoints.iter().map(|&e| e.to_owned()).collect(), tls: Some(files.clone()) };
        let lane: LaneId = LANE.parse()?;
        let waiting = Waiting { outbox: Arc::clone(&outbox), evidence };
        let mut link = Link::start(identity, way, std::slice::from_ref(&lane), cache.clone(), waiting);
        let orders = link.take_orders(&lane).context("no orders")?;
        Ok(Edge { cache, orders, link, outbox, site: site.parse()?, name: name.to_owned() })
    }

    /// Kill central, as a power cut would.
    pub fn kill_central(&self) {
        *self.process() = None;
    }

    /// Start central again, with the database that it had.
    pub fn restart_central(&self) -> anyhow::Result<()> {
        let config = self.folder.path().join("central.toml");
        let started = start_central_in(&config, self.place.namespace.as_deref())?;
        *self.process() = Some(started);
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<CentralProcess>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everything of the network is kept.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Run a command of central's on its configuration while it does not run; gives what it printed.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        ensure!(self.process().is_none(), "central runs");
        let config = self.folder.path().join("central.toml");
        run(&[arguments, &["--config"]].concat(), &[&config], "")
    }

    /// Run a command of central's on its configuration, beside a central that runs; gives what it printed.
    pub fn beside(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let config = self.folder.path().join("central.toml");
        run(&[arguments, &["--config"]].concat(), &[&config], "")
    }

    /// Central's disk is lost: its database is gone.
    pub fn lose_database(&self) -> anyhow::Result<()> {
        ensure!(self.process().is_none(), "central runs");
        for file in std::fs::read_dir(self.folder.path().join("central"))? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with("central.sqlite") {
                std::fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    /// Copy central's database, while it does not run.
    pub fn copy_database(&self) -> anyhow::Result<()> {
        self.move_database("central", "copy")
    }

    /// Bring the copy back.
    pub fn bring_copy_back(&self) -> anyhow::Result<()> {
        self.move_database("copy", "central")
    }

    fn move_database(&self, from: &str, to: &str) -> anyhow::Result<()> {
        ensure!(self.process().is_none(), "central runs");
        let (from, to) = (self.folder.path().join(from), self.folder.path().join(to));
        std::fs::create_dir_all(&to)?;
        for old in std::fs::read_dir(&to)? {
            let old = old?;
            if old.file_name().to_string_lossy().starts_with("central.sqlite") {
                std::fs::remove_file(old.path())?;
            }
        }
        for file in std::fs::read_dir(&from)? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with("central.sqlite") {
                std::fs::copy(file.path(), to.join(file.file_name()))?;
            }
        }
        Ok(())
    }

    /// Declare a vehicle at a site and give it this action code.
    pub async fn assign(&self, site: &str, mark: &str, action: &str) -> anyhow::Result<()> {
        let movement = self.declare(site, mark).await?;
        self.give(&movement, action).await.map(drop)
    }

    /// Declare a vehicle's cargo and bundle it with the vehicle; gives the movement.
    pub async fn declare(&self, site: &str, mark: &str) -> anyhow::Result<String> {
        // Days are counted where the control point lies; the truck is on its way now.
        let arrival = jiff::Timestamp::now().checked_add(Duration::from_mins(30))?.in_tz("Asia/Hong_Kong")?;
        let consignment = json!({ "direction": "inbound", "packages": 12, "package_kind": "CT",
            "description": "electronic parts", "consignor": { "name": "Shenzhen Parts", "address": "Futian" },
            "consignee": { "name": "Kowloon Traders", "address": "Kwun Tong" }, "expected_date": arrival.date() });
        let lodged = self.call(Method::POST, "/api/v1/consignments", &self.trade, &consignment).await?;
        let bundle = json!({ "ccrns": [lodged["ccrn"]], "mark": mark, "site": site,
            "expected_arrival": arrival.timestamp() });
        let bundled = self.call(Method::POST, "/api/v1/bundles", &self.trade, &bundle).await?;
        Ok(bundled["movement"].as_str().context("no movement")?.to_owned())
    }

    /// Give a movement its action code.
    pub async fn give(&self, movement: &str, action: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/movements/{movement}/action");
        let body = json!({ "action": action, "reason": "test" });
        self.call(Method::PUT, &path, &self.selector, &body).await.map(drop)
    }

    /// Take it back.
    pub async fn revoke(&self, movement: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/movements/{movement}/action");
        self.call(Method::DELETE, &path, &self.selector, &json!({})).await.map(drop)
    }

    /// A movement as central has it, as JSON.
    pub async fn movement(&self, movement: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/movements/{movement}");
        self.call(Method::GET, &path, &self.selector, &json!({})).await
    }

    /// The passages that central has, as JSON.
    pub async fn passages(&self) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut since = json!(0);
        loop {
            let path = format!("/api/v1/passages?since={since}");
            let feed = self.call(Method::GET, &path, &self.selector, &json!({})).await?;
            match feed["passages"].as_array() {
                Some(more) if !more.is_empty() => all.extend(more.iter().cloned()),
                _ => return Ok(all),
            }
            since = feed["since"].clone();
        }
    }

    /// The steps of a passage that central has, as JSON.
    pub async fn steps(&self, passage: PassageId) -> anyhow::Result<Vec<Value>> {
        let path = format!("/api/v1/passages/{passage}");
        let found = self.call(Method::GET, &path, &self.selector, &json!({})).await?;
        Ok(found["steps"].as_array().cloned().unwrap_or_default())
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.base()?));
        let answer = request.bearer_auth(token).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What the console shows officers of the lanes and of what was refused.
    pub async fn console(&self) -> anyhow::Result<String> {
        let cookie = self.sign_in().await?;
        let page = self.http.get(format!("{}/console/lanes", self.base()?)).header("cookie", cookie);
        Ok(page.send().await?.text().await?)
    }

    /// An officer accepts central's history for a quarantined edge; gives the page that the officer sees then.
    pub async fn accept_fork(&self, site: &str, edge: &str, reason: &str) -> anyhow::Result<String> {
        let cookie = self.sign_in().await?;
        let lanes = format!("{}/console/lanes", self.base()?);
        let page = self.http.get(&lanes).header("cookie", &cookie).send().await?.text().await?;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("csrf={}&reason={}", csrf.context("no form")?, reason.replace(' ', "+"));
        let address = format!("{}/console/edges/{site}/{edge}/accept", self.base()?);
        let request = self.http.post(address).header("cookie", &cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await?;
        let next = answer.headers().get("location").context("no next page")?.to_str()?.to_owned();
        let page = self.http.get(format!("{}{next}", self.base()?)).header("cookie", cookie);
        Ok(page.send().await?.text().await?)
    }

    async fn sign_in(&self) -> anyhow::Result<String> {
        let sign_in = self.http.post(format!("{}/console/sign-in", self.base()?));
        let sign_in = sign_in.header("content-type", "application/x-www-form-urlencoded");
        let form = format!("name={}&password={}", OFFICER.0, OFFICER.1.replace(' ', "+"));
        let answer = sign_in.body(form).send().await?;
        let Some(cookie) = answer.headers().get("set-cookie") else { bail!("{}", answer.status()) };
        Ok(cookie.to_str()?.split(';').next().unwrap_or_default().to_owned())
    }

    /// What central has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("central.log")).unwrap_or_default()
    }

    fn base(&self) -> anyhow::Result<String> {
        ensure!(self.process().is_some(), "central does not run");
        Ok(self.console.clone())
    }
}

impl Router {
    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Edge {
    /// Wait until central vouches for what it holds, and it holds a directive for this mark.
    pub async fn knows(&self, mark: &str) -> anyhow::Result<()> {
        let mark = mark.parse::<RegistrationMark>()?;
        comes(&format!("{mark:?} at {}: {:?}", self.name, self.status()), async || {
            let known =
                self.cache.view(std::slice::from_ref(&mark)).is_ok_and(|view| !view.entries.is_empty());
            (known && self.status().lease() == Lease::Live).then_some(())
        })
        .await
    }

    /// Whether it holds a directive for this mark.
    pub fn holds(&self, mark: &str) -> anyhow::Result<bool> {
        let mark = mark.parse::<RegistrationMark>()?;
        Ok(!self.cache.view(std::slice::from_ref(&mark))?.entries.is_empty())
    }

    /// Wait until central vouches for nothing any more.
    pub async fn stale(&self) -> anyhow::Result<()> {
        comes("the end of the lease", async || (self.status().lease() == Lease::Stale).then_some(())).await
    }

    /// Where following central stands.
    pub fn status(&self) -> ReplicaStatus {
        self.link.status().borrow().clone()
    }

    /// Tell central how it is, as a lane does every second.
    pub async fn tell(&self) -> anyhow::Result<()> {
        let status = self.status();
        let told = LaneStatus {
            site: self.site.clone(),
            lane: LANE.parse()?,
            edge: self.name.parse()?,
            at: now(),
            phase: LanePhase::Idle,
            fault: None,
            passage: None,
            signal: Signal::Wait,
            epoch: status.head.epoch,
            revision: status.head.revision,
            lease_left_ms: status.lease_left().as_millis() as u64,
            outbox_depth: 0,
            frames_per_second: 0.0,
            reading: None,
            replica: status.state.health(),
            lag: status.lag,
            compared_s_ago: status.audited.map(|audit| audit.at.elapsed().as_secs()),
        };
        self.link.telemetry().status(&LANE.parse()?, &told).await;
        Ok(())
    }

    /// Record a passage, to be delivered.
    pub fn passes(&self, passage: PassageId) -> anyhow::Result<()> {
        let event = PassageEvent {
            site: self.site.clone(),
            lane: LANE.parse()?,
            edge: self.name.parse()?,
            passage,
            step: 0,
            at: now(),
            what: serde_json::from_value::<PassageStep>(json!({ "decided": { "outcome": "referred",
                "reason": "no_directive", "movement": null, "order": null, "plates": [], "epoch": 1, "revision": 1,
                "model": "0".repeat(64) } }))?,
        };
        self.outbox.record(&event)?;
        Ok(())
    }

    /// Wait until central has acknowledged everything.
    pub async fn delivered(&self) -> anyhow::Result<()> {
        comes("the delivery of passages", async || (self.outbox.depth() == 0).then_some(())).await
    }
}

/// A bare session with somebody's certificate, or with none over plain TCP. It keeps no access rules of its own: what it
/// cannot do, others do not let it.
pub async fn session(endpoint: &str, files: Option<&TlsFiles>) -> anyhow::Result<Session> {
    open(transport::connecting(
        &[endpoint.to_owned()],
        files.map(|files| (Certificates::Files(files), no_rules())),
    ))
    .await
}

/// The same, for somebody who says that he is a router.
pub async fn session_as_router(endpoint: &str, files: &TlsFiles) -> anyhow::Result<Session> {
    let session =
        open(transport::routing(&[], &[endpoint.to_owned()], Some((Certificates::Files(files), no_rules()))))
            .await?;
    comes("a link", async || session.info().routers_zid().await.next()).await?;
    Ok(session)
}

/// A bare router that listens, and that others reach with a certificate.
pub async fn session_listening(endpoint: &str, files: &TlsFiles) -> anyhow::Result<Session> {
    open(transport::routing(&[endpoint.to_owned()], &[], Some((Certificates::Files(files), no_rules()))))
        .await
}

fn no_rules() -> Value {
    json!({ "enabled": false, "default_permission": "allow" })
}

async fn open(settings: Vec<Setting>) -> anyhow::Result<Session> {
    let mut config = zenoh::Config::default();
    for (key, value) in settings {
        config.insert_json5(key, &value.to_string()).map_err(|e| anyhow::anyhow!("{key}: {e}"))?;
    }
    zenoh::open(config).await.map_err(|e| anyhow::anyhow!("{e}"))
}

pub(super) fn files(ca: &Path, folder: &Path, party: &str) -> TlsFiles {
    TlsFiles {
        ca: ca.join("ca.pem"),
        certificate: folder.join(format!("{party}.pem")),
        private_key: folder.join(format!("{party}.key")),
    }
}

pub(super) fn tls_table(party: &str) -> String {
    format!(
        "[tls]\nca = \"ca/ca.pem\"\ncertificate = \"certificates/{party}.pem\"\nprivate_key = \"certificates/{party}.key\"\n"
    )
}

pub(super) fn now() -> UtcMillis {
    edge::clock::utc_now()
}
