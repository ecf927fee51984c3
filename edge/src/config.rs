//! The edge's configuration: one TOML file, every key with its unit and default in `deploy/edge.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clearance::ids::{EdgeId, LaneId, SiteId, UtcMillis};
use clearance::transport::{self, Party, TlsFiles, check_endpoints};
use clearance::wire::PublicKey;
use serde::Deserialize;

use crate::camera::CameraSpec;
use crate::gate::GateConfig;
use crate::lane::LaneConfig;
use crate::link::{TlsFilesError, tls};
use crate::outbox::OutboxLimits;

/// The configuration of one edge node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// The control point.
    pub site: SiteId,
    /// This node, as central's configuration names it.
    pub edge: EdgeId,
    /// Folder of cache, outbox and evidence.
    pub data_dir: PathBuf,
    /// File with the secret key that signs what goes to central; `edge keygen` makes it.
    pub key_file: PathBuf,
    /// Central's public keys; what others sign is refused. Two while a key is being replaced.
    pub central_keys: Vec<PublicKey>,
    /// Zenoh endpoints of the site's routers or of central, tried in turn; one after the other is tried when it is
    /// lost. Default `["tcp/127.0.0.1:7447"]`.
    #[serde(default = "default_connect")]
    pub connect: Vec<String>,
    /// Certificates: with them the endpoints are TLS ones, without them they are on this machine.
    pub tls: Option<TlsFiles>,
    /// Model bundle. Default `lane-v2`.
    #[serde(default = "default_model")]
    pub model: String,
    /// Folder of bundles. Default: models/bundles of the checkout, else /usr/share/clearlane/models.
    pub model_dir: Option<PathBuf>,
    /// Milliseconds between live pictures of a lane for the console. Default 500; 100 to 60000.
    #[serde(default = "default_live_picture_ms")]
    pub live_picture_ms: u64,
    /// How much may wait for central.
    #[serde(default)]
    pub outbox: OutboxLimits,
    /// The lanes.
    #[serde(rename = "lane")]
    pub lanes: Vec<LaneSpec>,
}

/// One lane.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneSpec {
    /// Its name, unique at the site.
    pub name: LaneId,
    /// Its gate.
    pub gate: GateConfig,
    /// Which loops lie in its road.
    #[serde(default)]
    pub loops: LoopSpec,
    /// Its times.
    #[serde(default)]
    pub times: LaneConfig,
    /// Its cameras; the first one's picture is the live picture.
    #[serde(rename = "camera")]
    pub cameras: Vec<CameraSpec>,
}

/// Which loops a lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoopSpec {
    /// One before the boom. Default true; without it a vehicle is there when its plate is.
    pub presence: bool,
    /// One behind the boom. Default true; without it a vehicle has left when its plate is not seen any more.
    pub exit: bool,
}

impl Default for LoopSpec {
    fn default() -> Self {
        Self { presence: true, exit: true }
    }
}

fn default_connect() -> Vec<String> {
    vec!["tcp/127.0.0.1:7447".to_owned()]
}
fn default_model() -> String {
    models::DEFAULT_BUNDLE.to_owned()
}
fn default_live_picture_ms() -> u64 {
    500
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
    #[error("{path}: {source}see deploy/edge.toml for every key")]
    Form {
        /// Its path.
        path: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value.
    #[error("{path}: {place}: {why}")]
    Value {
        /// Its path.
        path: String,
        /// Which key, or which lane.
        place: String,
        /// What is wrong and how to mend it.
        why: String,
    },
}

impl EdgeConfig {
    /// Read and check a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: name.clone(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Form { path: name.clone(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.data_dir = folder.join(&config.data_dir);
        config.key_file = folder.join(&config.key_file);
        config.tls = config.tls.map(|files| files.beside(folder));
        config.model_dir = config.model_dir.map(|dir| folder.join(dir));
        config.check().map_err(|(place, why)| ConfigError::Value { path: name, place, why })?;
        Ok(config)
    }

    /// Check the certificate and its key.
    pub fn check_files(&self, now: UtcMillis) -> Result<(), TlsFilesError> {
        let Some(files) = &self.tls else { return Ok(()) };
        tls::check(files, Party::Edge(self.site.clone(), self.edge.clone()), now)
    }

    /// A configuration's text without its file, for the fuzz targets.
    pub(crate) fn parsed(text: &str) -> Option<Self> {
        let config: Self = toml::from_str(text).ok()?;
        config.check().ok().map(|()| config)
    }

    /// Folder of the model bundle.
    pub fn bundle_folder(&self) -> PathBuf {
        self.model_dir.clone().unwrap_or_else(models::bundles_folder).join(&self.model)
    }

    /// Where [`crate::appliance`] keeps its latest status for `edge status`.
    pub fn status_file(&self) -> PathBuf {
        self.data_dir.join("status.json")
    }

    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |place: &str, why: String| Err((place.to_owned(), why));
        if self.central_keys.is_empty() {
            return wrong("central_keys", "name at least one; `central keygen` prints it".to_owned());
        }
        if self.connect.is_empty() {
            return wrong("connect", "name at least one endpoint of central or of a router".to_owned());
        }
        if let Err(error) = check_endpoints(&self.connect, self.tls.is_some()) {
            return wrong("connect", error.to_string());
        }
        if self.tls.is_some()
            && let Err(error) =
                transport::at_edge(&self.site).and_then(|_| Party::edge(&self.site, &self.edge))
        {
            return wrong("site and edge", error.to_string());
        }
        if !(100..=60_000).contains(&self.live_picture_ms) {
            return wrong(
                "live_picture_ms",
                format!("{} is not between 100 and 60000", self.live_picture_ms),
            );
        }
        if self.lanes.is_empty() {
            return wrong("lane", "describe at least one [[lane]]".to_owned());
        }
        let mut names = BTreeSet::new();
        let mut gates = BTreeSet::new();
        for lane in &self.lanes {
            lane.check().map_err(|why| (format!("lane {}", lane.name), why))?;
            if !names.insert(&lane.name) {
                return wrong(lane.name.as_str(), "two lanes have this name".to_owned());
            }
            if !gates.insert((lane.gate.address, lane.gate.unit)) {
                return wrong(
                    lane.name.as_str(),
                    format!("another lane has the gate at {} already", lane.gate.address),
                );
            }
        }
        Ok(())
    }
}

impl LaneSpec {
    fn check(&self) -> Result<(), String> {
        self.gate.check().map_err(|why| format!("gate: {why}"))?;
        if self.cameras.is_empty() {
            return Err("it has no [[lane.camera]]: a lane without a picture never clears anybody".to_owned());
        }
        if !(500..=30_000).contains(&self.times.reading_ms) {
            return Err(format!("times.reading_ms = {}: 500 to 30000", self.times.reading_ms));
        }
        self.cameras.iter().try_for_each(|camera| camera.validate().map_err(|e| e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn text(extra: &str) -> String {
        format!(
            "site = \"lok-ma-chau\"\nedge = \"edge-1\"\ndata_dir = \"data\"\nkey_file = \"edge.key\"\n\
             central_keys = [\"{KEY}\"]\n{extra}\n[[lane]]\nname = \"lane-1\"\ngate = {{ address = \"127.0.0.1:5020\" }}\n\
             [[lane.camera]]\nname = \"front\"\nsource = {{ kind = \"test\" }}\n"
        )
    }

    fn load(text: &str) -> Result<EdgeConfig, ConfigError> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("edge.toml");
        std::fs::write(&path, text).unwrap();
        EdgeConfig::load(&path)
    }

    #[test]
    fn the_shortest_configuration_has_sensible_defaults() {
        let config = load(&text("")).unwrap();
        assert_eq!((config.connect, config.lanes[0].loops), (default_connect(), LoopSpec::default()));
        assert!(config.data_dir.is_absolute(), "relative to the file");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            (text("speed = 3"), "speed"),
            (text("live_picture_ms = 5"), "live_picture_ms"),
            (text("connect = []"), "connect"),
            (text("connect = [\"tcp/10.0.0.1:7447\"]"), "unencrypted"),
            (text("connect = [\"tls/router:7447\"]"), "needs certificates"),
            (text("[tls]\nca = \"ca.pem\""), "certificate"),
            (text("").replace(KEY, "12"), "64 hexadecimal digits"),
            (text("").replace("address", "adress"), "adress"),
            (
                text("").replace("[[lane.camera]]\nname = \"front\"", "[[lane.camera]]\nname = \"\""),
                "empty name",
            ),
            (format!("{}{}", text(""), &text("")[text("").find("[[lane]]").unwrap()..]), "two lanes"),
            (text("").replace("lok-ma-chau", "Lok Ma Chau"), "site name"),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("edge.toml"), "{said}: {error}");
        }
    }

    #[test]
    fn the_documented_configuration_loads() {
        let documented = include_str!("../../deploy/edge.toml");
        let config = load(&documented.replace("64 hexadecimal digits", KEY)).unwrap();
        assert_eq!(config.lanes.len(), 2);
        // Every default that the file shows is the default that the code has.
        let uncommented: String = documented
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let spelled_out = load(&uncommented.replace("64 hexadecimal digits", KEY)).unwrap();
        assert_eq!(spelled_out.connect, config.connect);
        assert_eq!(spelled_out.live_picture_ms, config.live_picture_ms);
        assert_eq!(spelled_out.outbox, config.outbox);
        assert_eq!(spelled_out.lanes[0].times, config.lanes[0].times);
        assert_eq!(spelled_out.lanes[0].gate, config.lanes[0].gate);
        assert_eq!(spelled_out.lanes[0].cameras, config.lanes[0].cameras);
    }
}
