//! Central's configuration: one TOML file, every key with its unit and default in `deploy/central.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clearance::ids::{EdgeId, SiteId, UtcMillis};
use clearance::transport::{self, Party, TlsFiles, check_endpoints};
use clearance::wire::PublicKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::RateLimit;
use crate::clock::Clock;
use crate::link::tls;
use crate::messages::{Channels, MessagesConfig};
use crate::portal::{Portal, PortalConfig};
use crate::secrets::Vault;
use crate::server::Limits;
use crate::systems::SystemsConfig;
use crate::trade::Place;

/// The configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the console and the API. Default `127.0.0.1:8080`; port 0 takes any free one.
    #[serde(default = "default_http")]
    pub http: SocketAddr,
    /// Zenoh endpoints to listen on for the lanes. Default `["tcp/127.0.0.1:7447"]`.
    #[serde(default = "default_zenoh")]
    pub zenoh: Vec<String>,
    /// Folder of the database and of officers' corrections.
    pub data_dir: PathBuf,
    /// A database of PostgreSQL, as `postgres://user:password@host/name`, which several centrals may share. Default: a file
    /// of SQLite in `data_dir`.
    pub database: Option<String>,
    /// File with the rules of the place. Default: Hong Kong's, `deploy/place.toml`.
    pub place: Option<PathBuf>,
    /// File with the secret key that signs what goes to the lanes; `central keygen` makes it.
    pub key_file: PathBuf,
    /// Control points served.
    pub sites: Vec<SiteId>,
    /// Edge nodes and their public keys; what others sign is refused.
    pub edges: BTreeMap<EdgeId, PublicKey>,
    /// Of those, the ones that may do nothing any more: their certificates and signatures are not believed. Read again when
    /// the file changes.
    #[serde(default)]
    pub revoked: BTreeSet<EdgeId>,
    /// Milliseconds for which a lane may release without hearing from central. Default 60000; 1000 to 900000.
    #[serde(default = "default_lease_ms")]
    pub lease_ms: u64,
    /// Certificates: with them lanes connect over TLS, without them only from this machine.
    pub tls: Option<TlsFiles>,
    /// Requests that one client of the trade may send.
    #[serde(default)]
    pub rate_limit: RateLimit,
    /// The port of the trade's systems; left out, there is none.
    pub systems: Option<SystemsConfig>,
    /// What connections may take.
    #[serde(default)]
    pub limits: Limits,
    /// The trade's portal.
    #[serde(default)]
    pub portal: PortalConfig,
    /// File with the key under which secrets lie sealed in the database; made if there is none. Default: `secrets.key` in `data_dir`.
    pub secrets_file: Option<PathBuf>,
    /// Folder of the model bundle that scores movements; left out, none does.
    pub risk_model: Option<PathBuf>,
    /// How news leaves: webhooks, e-mail, SMS.
    #[serde(default)]
    pub messages: MessagesConfig,
    /// Under which terms officers' corrections may be used to train models.
    #[serde(default = "default_licence")]
    pub examples_licence: String,
    /// The file itself.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

fn default_http() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}
fn default_zenoh() -> Vec<String> {
    vec!["tcp/127.0.0.1:7447".to_owned()]
}
fn default_lease_ms() -> u64 {
    60_000
}
fn default_licence() -> String {
    "operator's own pictures, for training this operator's models".to_owned()
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("{path}: {source}")]
    Io {
        /// Its path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its form.
    #[error("{path}: {source}see {documented} for every key")]
    Form {
        /// Its path.
        path: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
        /// Where every key is described.
        documented: &'static str,
    },
    /// A value.
    #[error("{path}: {key}: {why}")]
    Value {
        /// Its path.
        path: String,
        /// Which.
        key: &'static str,
        /// What is wrong and how to mend it.
        why: String,
    },
}

impl ConfigError {
    /// A value of the file at `path` that cannot be used.
    pub(crate) fn value(path: &Path, key: &'static str, why: String) -> Self {
        Self::Value { path: path.display().to_string(), key, why }
    }
}

/// Read a file of the form that `documented` describes; its values are not checked.
pub(crate) fn read_form<T: DeserializeOwned>(
    path: &Path,
    documented: &'static str,
) -> Result<T, ConfigError> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: name(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Form {
        path: name(),
        source: Box::new(source),
        documented,
    })
}

/// Check that those who may do nothing are known: a name that is written wrongly would shut nobody out.
pub(crate) fn check_revoked(
    revoked: &BTreeSet<EdgeId>,
    known: impl Fn(&EdgeId) -> bool,
    where_named: &str,
) -> Result<(), (&'static str, String)> {
    match revoked.iter().find(|edge| !known(edge)) {
        Some(edge) => Err((
            "revoked",
            format!("{edge} is not among {where_named}: write the name as it stands there, or leave it out"),
        )),
        None => Ok(()),
    }
}

impl Config {
    /// Read and check a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read_form(path, "deploy/central.toml")?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.data_dir = folder.join(&config.data_dir);
        config.key_file = folder.join(&config.key_file);
        config.secrets_file = config.secrets_file.map(|file| folder.join(file));
        config.risk_model = config.risk_model.map(|bundle| folder.join(bundle));
        config.messages = config.messages.beside(folder);
        config.place = config.place.map(|place| folder.join(place));
        config.tls = config.tls.map(|files| files.beside(folder));
        config.systems = config.systems.map(|systems| systems.beside(folder));
        config.file = Some(path.to_owned());
        config.check().map_err(|(key, why)| ConfigError::value(path, key, why))?;
        Ok(config)
    }

    /// The key under which secrets lie sealed in the database.
    pub fn vault(&self) -> anyhow::Result<Vault> {
        std::fs::create_dir_all(&self.data_dir).with_context(|| self.data_dir.display().to_string())?;
        let beside_data = self.data_dir.join("secrets.key");
        Vault::open(self.secrets_file.as_deref().unwrap_or(&beside_data))
    }

    /// The rules of the place.
    pub fn place(&self) -> anyhow::Result<Place> {
        match &self.place {
            Some(path) => Place::load(path).with_context(|| path.display().to_string()),
            None => Ok(Place::hong_kong()),
        }
    }

    /// A configuration's text without its file, for the fuzz targets.
    pub(crate) fn parsed(text: &str) -> Option<Self> {
        let config: Self = toml::from_str(text).ok()?;
        config.check().ok().map(|()| config)
    }

    /// The same, if there is one already: nothing is made.
    pub fn vault_of_before(&self) -> anyhow::Result<Option<Vault>> {
        let beside_data = self.data_dir.join("secrets.key");
        let path = self.secrets_file.as_deref().unwrap_or(&beside_data);
        path.exists().then(|| Vault::open(path)).transpose()
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        match () {
            () if self.sites.is_empty() => Err(("sites", "name at least one control point".to_owned())),
            () if !(1_000..=900_000).contains(&self.lease_ms) => {
                Err(("lease_ms", format!("{} is not between 1000 and 900000", self.lease_ms)))
            }
            () if self.zenoh.is_empty() => {
                Err(("zenoh", "name at least one endpoint for the lanes".to_owned()))
            }
            () if self.database.as_ref().is_some_and(|url| !is_postgres(url)) => {
                Err(("database", "postgres://user:password@host/name, or leave it out for SQLite".to_owned()))
            }
            () => check_endpoints(&self.zenoh, self.tls.is_some()).map_err(|e| ("zenoh", e.to_string())),
        }?;
        self.limits.check()?;
        self.messages.check()?;
        self.portal.check()?;
        check_revoked(&self.revoked, |edge| self.edges.contains_key(edge), "[edges]")?;
        match &self.tls {
            Some(_) => transport::at_central(&self.sites, self.edges.keys())
                .map(drop)
                .map_err(|e| ("sites and edges", e.to_string())),
            None => Ok(()),
        }
    }

    /// The edges that may take part, and their public keys.
    pub(crate) fn believed(&self) -> impl Iterator<Item = (&EdgeId, &PublicKey)> + Clone {
        self.edges.iter().filter(|(edge, _)| !self.revoked.contains(*edge))
    }

    /// Check the certificate and its key.
    pub fn check_files(&self, now: UtcMillis) -> anyhow::Result<()> {
        self.place()?;
        Portal::open(&self.portal, self.http.port())?;
        Channels::open(&self.messages, &self.portal)?;
        if let Some(systems) = &self.systems {
            systems.open(self.tls.as_ref(), &Clock::of(move || now))?;
        }
        self.tls.as_ref().map_or(Ok(()), |files| tls::check(files, &Party::Central, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_revoked_must_be_known_and_is_not_believed() {
        let load = |revoked: &str| {
            let text = format!(
                "data_dir = \"data\"\nkey_file = \"key\"\nsites = [\"site\"]\nrevoked = [\"{revoked}\"]\n[edges]\n\
                 edge-1 = \"{key}\"\nedge-2 = \"{key}\"\n",
                key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
            );
            let config: Config = toml::from_str(&text).unwrap();
            config.check().map(|()| config)
        };
        let config = load("edge-1").unwrap();
        assert_eq!(config.believed().map(|(edge, _)| edge.as_str()).collect::<Vec<_>>(), ["edge-2"]);
        let (key, why) = load("edge-9").unwrap_err();
        assert!(key == "revoked" && why.contains("edge-9 is not among [edges]"), "{key}: {why}");
    }
}
