//! A bundle's manifest, and the bundle read and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clearance::ids::Digest;
use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, Number, Part};
use super::features;
use super::tables::Tables;
use super::trees::Trees;
use super::watch::Histogram;
use super::{ScoreError, onnx};

/// Version of the manifest's form that this side reads.
const SCHEMA: u32 = 1;

/// Largest file of a bundle, in bytes.
const MOST_BYTES: u64 = 64 << 20;

const MANIFEST: &str = "manifest.json";
const MODEL: &str = "model.onnx";
const TABLES: &str = "tables.bin";

/// Fewest golden declarations that prove anything, and how far a margin may be off.
const GOLDEN: (usize, f32) = (8, 1e-5);

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    schema: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    opset_ml: i64,
    files: BTreeMap<String, Digest>,
    pub(crate) calibration: Curve,
    pub(crate) reference: Reference,
    golden: Vec<Golden>,
    trained_on: TrainedOn,
    /// Declarations that the mean of all stands for where there is no record.
    pub(crate) smoothing: f64,
    /// Counts above it are taken for it.
    pub(crate) count_cap: f64,
    /// A number stands in a key as whole parts of `1 / key_unit`.
    pub(crate) key_unit: f64,
    pub(crate) own: Vec<Number>,
    pub(crate) records: Vec<Vec<Part>>,
    pub(crate) usual: Vec<Usual>,
    pub(crate) features: Vec<String>,
}

/// A number against its median among declarations with the same key.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Usual {
    pub(crate) key: Vec<Part>,
    pub(crate) value: Number,
}

#[derive(Clone, Debug, Deserialize)]
struct TrainedOn {
    declarations: u64,
    frauds: u64,
}

/// What drift is measured against: declarations of the training set's last weeks.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) features: Vec<Histogram>,
    pub(crate) score: Histogram,
}

#[derive(Clone, Debug, Deserialize)]
struct Golden {
    declaration: Declaration,
    features: Vec<Option<f32>>,
    margin: f32,
}

/// From a margin to a chance: straight between points, level beyond them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    margins: Vec<f64>,
    probabilities: Vec<f64>,
}

impl Curve {
    fn fits(&self) -> bool {
        let chances = self.probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        let rising = self.margins.windows(2).all(|w| w[0] < w[1]);
        let not_falling = self.probabilities.windows(2).all(|w| w[0] <= w[1]);
        !self.margins.is_empty()
            && self.margins.len() == self.probabilities.len()
            && chances
            && rising
            && not_falling
    }

    /// The chance of fraud at a margin.
    pub fn probability(&self, margin: f64) -> f64 {
        let at = self.margins.partition_point(|&m| m <= margin);
        let point = |i: usize| self.margins.get(i).copied().zip(self.probabilities.get(i).copied());
        match (at.checked_sub(1).and_then(point), point(at)) {
            (Some((from, low)), Some((to, high))) => low + (high - low) * (margin - from) / (to - from),
            (Some((_, level)), None) | (None, Some((_, level))) => level,
            (None, None) => f64::NAN,
        }
    }
}

impl Manifest {
    /// Share of frauds among all that was learnt from.
    pub(crate) fn prior(&self) -> f64 {
        self.trained_on.frauds as f64 / self.trained_on.declarations as f64
    }

    fn check(&self) -> Result<(), String> {
        let wanted = |fits: bool, what: &str| if fits { Ok(()) } else { Err(what.to_owned()) };
        if self.schema != SCHEMA {
            return Err(format!("schema {} is not known here ({SCHEMA} is)", self.schema));
        }
        if self.opset_ml != 3 {
            return Err(format!("its operators are of ai.onnx.ml {}, this version reads 3", self.opset_ml));
        }
        let made = self.own.len() + 2 * self.records.len() + self.usual.len();
        if made != self.features.len() {
            return Err(format!("it names {} features and describes {made}", self.features.len()));
        }
        wanted(
            self.trained_on.frauds <= self.trained_on.declarations && self.trained_on.declarations > 0,
            "trained_on does not add up",
        )?;
        wanted(
            self.smoothing > 0.0 && self.count_cap > 0.0 && self.key_unit > 0.0,
            "smoothing, count_cap and key_unit must be above 0",
        )?;
        wanted(self.calibration.fits(), "the calibration does not rise from point to point within 0 and 1")?;
        let reference = &self.reference;
        wanted(
            reference.features.len() == self.features.len()
                && reference.features.iter().chain([&reference.score]).all(Histogram::fits),
            "the reference for drift has not a sound histogram for each feature",
        )?;
        wanted(self.golden.len() >= GOLDEN.0, "it has too few golden declarations")
    }
}

/// A bundle whose manifest, digests, tables and trees were checked.
pub(crate) struct Bundle {
    pub(crate) manifest: Manifest,
    pub(crate) digest: Digest,
    pub(crate) tables: Tables,
    pub(crate) trees: Trees,
    pub(crate) model: Vec<u8>,
}

impl Bundle {
    /// Read and check the bundle in `folder`; ONNX Runtime has not seen it yet.
    pub(crate) fn load(folder: &Path) -> Result<Self, ScoreError> {
        let path = folder.join(MANIFEST);
        let raw = read(&path)?;
        let manifest: Manifest = serde_json::from_slice(&raw)
            .map_err(|source| ScoreError::Manifest { path: path.clone(), source })?;
        manifest.check().map_err(|why| ScoreError::Unsound { path: path.clone(), why })?;
        let file = |name: &str| {
            let path = folder.join(name);
            let wanted = manifest.files.get(name).copied().ok_or_else(|| ScoreError::Unsound {
                path: folder.join(MANIFEST),
                why: format!("it has no digest of {name}"),
            })?;
            let bytes = read(&path)?;
            let found = Digest::of(&bytes);
            if found == wanted { Ok(bytes) } else { Err(ScoreError::Digest { path, wanted, found }) }
        };
        let unsound = |name: &str| {
            let path = folder.join(name);
            move |why: String| ScoreError::Unsound { path, why }
        };
        let model = file(MODEL)?;
        let tables = Tables::parse(&file(TABLES)?).map_err(unsound(TABLES))?;
        if (tables.records.len(), tables.usual.len()) != (manifest.records.len(), manifest.usual.len()) {
            return Err(unsound(TABLES)("it has not the tables that the manifest describes".to_owned()));
        }
        let trees = onnx::trees(&model, manifest.features.len()).map_err(unsound(MODEL))?;
        Ok(Self { digest: Digest::of(&raw), manifest, tables, trees, model })
    }

    /// Prove that `margin` gives here what it gave where the bundle was made: every feature of the golden declarations to the
    /// bit, their margins to 1e-5.
    pub(crate) fn prove(
        &self,
        mut margin: impl FnMut(&[f32]) -> Result<f32, ScoreError>,
    ) -> Result<(), ScoreError> {
        for (index, golden) in self.manifest.golden.iter().enumerate() {
            let made = features::compute(&golden.declaration, &self.manifest, &self.tables);
            let same = |(a, b): (&f32, &Option<f32>)| b.map_or(a.is_nan(), |b| a.to_bits() == b.to_bits());
            if let Some(at) = std::iter::zip(&made, &golden.features).position(|pair| !same(pair)) {
                let name = self.manifest.features.get(at).map_or("", |n| n);
                return Err(ScoreError::Golden { index, what: format!("feature {name}") });
            }
            let complete = golden.features.len() == made.len();
            if !complete || (margin(&made)? - golden.margin).abs() > GOLDEN.1 {
                return Err(ScoreError::Golden { index, what: "the margin".to_owned() });
            }
        }
        Ok(())
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, ScoreError> {
    let io = |source| ScoreError::Io { path: path.clone(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MOST_BYTES {
        let why = format!("it has {size} bytes; at most {MOST_BYTES} are read");
        return Err(ScoreError::Unsound { path: path.clone(), why });
    }
    std::fs::read(path).map_err(io)
}
