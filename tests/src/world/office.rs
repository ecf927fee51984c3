//! Central alone, as the trade's systems see it: a process that can be killed, an address, and tokens.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use risk::Policy;
use risk::policy::ListUse;
use serde_json::{Value, json};

use super::OPEN_PLACE;
use super::site::{CentralProcess, command, free_port, run, start_central};

/// In a configuration: clients may send as many requests as they like, over as many connections: a client that sends each at its
/// moment has many open at once when central is slow, and must not be turned away for it.
pub const NO_LIMIT: &str = "rate_limit = { per_second = 1000000, burst = 1000000 }\n\
    limits = { connections = 10000, connections_per_address = 10000 }\n";

/// Two officers, of whom one approves what the other has drawn up.
const SELECTORS: [&str; 2] = ["lam", "ng"];
const SELECTORS_PASSWORD: &str = "a long password";

/// Central as a process, without lanes.
pub struct Office {
    folder: tempfile::TempDir,
    process: Mutex<Option<CentralProcess>>,
    address: String,
    /// Token of a company of the trade.
    pub trade: String,
    /// Token of a selector's system.
    pub selector: String,
    http: Client,
}

impl Office {
    /// Start central on SQLite in a folder of its own, or on the database of PostgreSQL at an address.
    pub fn start(database: Option<&str>) -> anyhow::Result<Self> {
        Self::start_with(database, "", |_| Ok(()))
    }

    /// The same; `more` goes into the configuration, and `prepare` is given its file before central starts.
    pub fn start_with(
        database: Option<&str>,
        more: &str,
        prepare: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::TempDir::new()?;
        let config = folder.path().join("central.toml");
        run(&["keygen", "--out"], &[&folder.path().join("central.key")], "")?;
        let address = configure(folder.path(), database, more)?;
        let token = |role| run(&["token", "create", role, "--role", role, "--config"], &[&config], "");
        let (trade, selector) = (token("trade")?, token("selector")?);
        prepare(&config)?;
        let process = Mutex::new(Some(start_central(&config)?));
        Ok(Self { folder, process, address: format!("http://{address}"), trade, selector, http: client()? })
    }

    /// Bring a copy of this central back on another machine, as it were, and start central there; gives it, and what the command said.
    pub fn restored(&self, copy: &Path, database: Option<&str>) -> anyhow::Result<(Self, String)> {
        let elsewhere = self.elsewhere(database)?;
        let said = run(&["restore", "--config"], &[&elsewhere.config(), Path::new("--from"), copy], "")?;
        elsewhere.restart()?;
        Ok((elsewhere, said))
    }

    /// Another machine with this central's key and nothing else; central does not run there yet.
    pub fn elsewhere(&self, database: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::TempDir::new()?;
        std::fs::copy(self.folder().join("central.key"), folder.path().join("central.key"))?;
        let address = format!("http://{}", configure(folder.path(), database, "")?);
        let (trade, selector) = (self.trade.clone(), self.selector.clone());
        Ok(Self { folder, process: Mutex::default(), address, trade, selector, http: client()? })
    }

    /// Start a command of central on its configuration, and do not wait for its end.
    pub fn command_beside(&self, words: &[&str]) -> anyhow::Result<Child> {
        let mut command = Command::new(command("central")?);
        command.args(words).arg("--config").arg(self.config());
        Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Its folder, with `central.toml` and `data`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("central.toml")
    }

    /// Put a policy of screening into force, with a watch list of companies: drawn up by one officer and approved by another, as by hand.
    pub fn policy(config: &Path, policy: &Policy) -> anyhow::Result<()> {
        let folder = config.parent().context("a configuration lies in a folder")?;
        let file = folder.join("policy.json");
        std::fs::write(&file, serde_json::to_vec(policy)?)?;
        let words = ["risk", "policy", "--officer", SELECTORS[0], "--config"];
        let version = run(&words, &[config, &file], SELECTORS_PASSWORD)?;
        let words = ["risk", "approve", &version, "--seen", "--officer", SELECTORS[1], "--config"];
        run(&words, &[config], SELECTORS_PASSWORD).map(drop)
    }

    /// Add the officers that policies take, and a watch list of companies; gives the list as a policy names it.
    pub fn watch_list(config: &Path, companies: &[String]) -> anyhow::Result<ListUse> {
        for name in SELECTORS {
            let words = ["officer", "add", name, "--role", "selector", "--config"];
            run(&words, &[config], SELECTORS_PASSWORD)?;
        }
        let folder = config.parent().context("a configuration lies in a folder")?;
        let (header, entries) = (folder.join("wanted.json"), folder.join("wanted.csv"));
        let about = json!({ "list": "wanted", "version": 1, "kind": "companies", "measure": "inspect", "source": "liaison office",
            "confidentiality": "selectors", "matching": ["exact", "normalised", "phonetic", "fuzzy"] });
        std::fs::write(&header, about.to_string())?;
        let mut rows = csv::Writer::from_path(&entries)?;
        rows.write_record(["entry", "name"])?;
        for (number, company) in companies.iter().enumerate() {
            rows.write_record([&number.to_string(), company])?;
        }
        rows.flush()?;
        let words = ["risk", "list", "--officer", SELECTORS[0], "--config"];
        let digest = run(&words, &[config, &header, &entries], SELECTORS_PASSWORD)?;
        Ok(ListUse { list: "wanted".to_owned(), digest: digest.parse()? })
    }

    /// Run a command of central on its configuration.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        run(&[words, &["--config"]].concat(), &[&self.config()], "")
    }

    /// Add an officer of customs.
    pub fn officer(&self, name: &str, role: &str, password: &str) -> anyhow::Result<()> {
        let words = ["officer", "add", name, "--role", role, "--config"];
        run(&words, &[&self.config()], password).map(drop)
    }

    /// The same, with something on its standard input.
    pub fn command_given(&self, words: &[&str], given: &str) -> anyhow::Result<String> {
        run(&[words, &["--config"]].concat(), &[&self.config()], given)
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Start it anew where it was.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.kill();
        let process = start_central(&self.config())?;
        self.process.lock().unwrap_or_else(PoisonError::into_inner).replace(process);
        Ok(())
    }

    /// Where the API is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A request of the company's system.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address)).bearer_auth(&self.trade)
    }

    /// Send it; gives what is answered, which must be a success.
    pub async fn ask(request: RequestBuilder) -> anyhow::Result<Value> {
        let (status, text) = Self::answer(request).await?;
        ensure!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Send it; gives the status and what is answered.
    pub async fn answer(request: RequestBuilder) -> anyhow::Result<(StatusCode, String)> {
        let answer = request.send().await?;
        Ok((answer.status(), answer.text().await?))
    }
}

fn client() -> anyhow::Result<Client> {
    central::choose_cryptography();
    // Central closes a connection on which nothing was asked for 10 s: one that may be closed just then is not used any more.
    let idle = Duration::from_secs(5);
    Ok(Client::builder().timeout(Duration::from_mins(1)).pool_idle_timeout(idle).build()?)
}

/// Write the configuration of a central into a folder; gives the address that it will have.
fn configure(folder: &Path, database: Option<&str>, more: &str) -> anyhow::Result<String> {
    std::fs::write(folder.join("place.toml"), OPEN_PLACE)?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
    std::fs::write(
        folder.join("central.toml"),
        format!(
            "http = \"{address}\"\nzenoh = [\"tcp/127.0.0.1:0\"]\ndata_dir = \"data\"\nkey_file = \"central.key\"\n\
             sites = [\"north\"]\nplace = \"place.toml\"\n{database}{more}\n[edges]\n"
        ),
    )?;
    Ok(address)
}

/// A consignment that is expected today; `number` tells it from others.
pub fn consignment(number: usize) -> Value {
    json!({
        "direction": "inbound", "packages": 10 + number % 90, "package_kind": "CT",
        "description": format!("Printed circuit boards, lot {number}"),
        "consignor": { "name": format!("Shenzhen Components {} Ltd", number % 997), "address": "12 Keji Road, Nanshan, Shenzhen" },
        "consignee": { "name": format!("Kowloon Assembly {number} Ltd"), "address": "8 Nathan Road, Kowloon, Hong Kong" },
        "expected_date": today(), "hs_code": "85340010", "origin": "CN", "value_hkd": 100_000 + number, "net_weight_kg": 420
    })
}

/// Today in Hong Kong.
fn today() -> String {
    let now = jiff::Timestamp::now();
    now.in_tz("Asia/Hong_Kong").map(|here| here.date().to_string()).unwrap_or_default()
}
