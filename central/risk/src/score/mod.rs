//! The chance that a declaration is a fraud, and what in it says so.
//!
//! A [`Scorer`] owns a checked model bundle: trees in ONNX, run by ONNX Runtime; tables of earlier outcomes; a calibration.
//! The same declaration gives the same score, to the bit. What watches the model ([`watch`]) and what mixes its choice
//! with chance ([`explore`]) are pure functions beside it. See `docs/design/risk-model.md`.

mod declaration;
pub mod explore;
mod features;
mod manifest;
pub mod measure;
pub mod movement;
mod onnx;
mod tables;
mod trees;
pub mod watch;

use std::path::{Path, PathBuf};

use clearance::ids::Digest;
pub use declaration::{Declaration, Number, Part};
pub use features::Ground;
use manifest::Bundle;
pub use manifest::Curve;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use serde::Serialize;

/// The bundle used where none is named.
pub const DEFAULT_BUNDLE: &str = "risk-1";

/// The feature that says how many declarations of the same price and goods are known.
const KNOWN: &str = "count:item_price*hs6";

/// Why a bundle is refused or a score cannot be had. Each names the file, the cause and the mend.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// ONNX Runtime is not there.
    #[error(transparent)]
    Runtime(#[from] models::RuntimeError),
    /// A file is missing or cannot be read.
    #[error("{}: {source}; a bundle is a folder with manifest.json, model.onnx and tables.bin", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest is no manifest.
    #[error("{}: {source}; train the bundle again", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file is not the one the manifest was written for.
    #[error("{}: SHA-256 is {found}, the manifest says {wanted}; copy the bundle again, whole", path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// By the manifest.
        wanted: Digest,
        /// Of the file.
        found: Digest,
    },
    /// A file says something that cannot be, or that this version cannot do.
    #[error("{}: {why}; use a bundle made for this version, or train it again", path.display())]
    Unsound {
        /// Which.
        path: PathBuf,
        /// What.
        why: String,
    },
    /// The bundle does not compute here what it computed where it was made.
    #[error(
        "golden declaration {index}: {what} is not what the manifest says; the model is not used: train it again"
    )]
    Golden {
        /// Which, from 0.
        index: usize,
        /// What differs.
        what: String,
    },
    /// ONNX Runtime does not take or run the model.
    #[error("the model cannot be run: {0}; train it again")]
    Run(String),
}

impl ScoreError {
    fn run(error: impl std::fmt::Display) -> Self {
        Self::Run(error.to_string())
    }
}

/// What the model says of one declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Log-odds of fraud: declarations are ranked by it.
    pub margin: f32,
    /// Calibrated chance of fraud, 0 to 1.
    pub probability: f64,
    /// What the model saw, in the order of [`Scorer::features`]; NaN where something is unknown.
    pub features: Vec<f32>,
}

/// Why a score is what it is, in log-odds: `base` and all contributions add up to the margin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The margin of a declaration of which nothing is known.
    pub base: f64,
    /// By ground, what moved the score most first.
    pub grounds: Vec<(Ground, f64)>,
    /// By feature, in the order of [`Scorer::features`].
    pub features: Vec<f64>,
}

/// A checked model that runs on the calling thread.
pub struct Scorer {
    bundle: Bundle,
    /// Which of the features says how many of its price and goods are known.
    known: Option<usize>,
    grounds: Vec<Ground>,
    session: Session,
}

impl Scorer {
    /// Load the bundle in `folder`. When this returns, its digests, form and golden values were proved.
    pub fn load(folder: &Path) -> Result<Self, ScoreError> {
        let bundle = Bundle::load(folder)?;
        let environment = models::runtime::environment()?;
        let session = Session::builder(&environment)
            .map_err(ScoreError::run)?
            .with_optimization_level(GraphOptimizationLevel::Level3)
            .map_err(ScoreError::run)?
            // One row is less work than waking a second thread, and one thread adds in one order: the same bits each time.
            .with_intra_threads(1)
            .map_err(ScoreError::run)?
            .with_intra_op_spinning(false)
            .map_err(ScoreError::run)?
            .commit_from_memory(&bundle.model)
            .map_err(ScoreError::run)?;
        let known = bundle.manifest.features.iter().position(|name| name == KNOWN);
        let mut scorer = Self { grounds: features::grounds(&bundle.manifest), bundle, known, session };
        let session = &mut scorer.session;
        scorer.bundle.prove(|features| run(session, features))?;
        Ok(scorer)
    }

    /// Put the bundle in `folder` in this one's place. If it is refused, this one stays and works on.
    pub fn replace(&mut self, folder: &Path) -> Result<(), ScoreError> {
        *self = Self::load(folder)?;
        Ok(())
    }

    /// Score a declaration.
    pub fn score(&mut self, declaration: &Declaration) -> Result<Score, ScoreError> {
        let features = features::compute(declaration, &self.bundle.manifest, &self.bundle.tables);
        let margin = run(&mut self.session, &features)?;
        let probability = self.bundle.manifest.calibration.probability(f64::from(margin));
        Ok(Score { margin, probability, features })
    }

    /// How new what was scored is: 1 where nothing of its price and goods is known, to 0 where much is, as `riskmodel.stream` reckons
    /// it. `None` for a model that does not count them.
    pub fn novelty(&self, score: &Score) -> Option<f64> {
        let count = f64::from(*score.features.get(self.known?)?);
        Some(1.0 / (1.0 + count))
    }

    /// Why a score of this model is what it is.
    pub fn explain(&self, score: &Score) -> Explanation {
        let features = self.bundle.trees.contributions(&score.features);
        let mut grounds: Vec<(Ground, f64)> = Vec::new();
        for (&ground, &value) in self.grounds.iter().zip(&features) {
            match grounds.iter_mut().find(|(known, _)| *known == ground) {
                Some((_, sum)) => *sum += value,
                None => grounds.push((ground, value)),
            }
        }
        grounds.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        Explanation { base: self.bundle.trees.expected(), grounds, features }
    }

    /// Names of the features: `record:` a share of frauds among earlier declarations with that key, `count:` how many they
    /// were, `usual:` a number against its median for that key, else a number of the declaration.
    pub fn features(&self) -> &[String] {
        &self.bundle.manifest.features
    }

    /// Its name and version, as an audit names it.
    pub fn version(&self) -> (&str, &str) {
        (&self.bundle.manifest.name, &self.bundle.manifest.version)
    }

    /// SHA-256 of its manifest, which holds the digests of its files: stands for the whole bundle.
    pub fn digest(&self) -> Digest {
        self.bundle.digest
    }

    /// Histograms of the features and of the score that drift is measured against.
    pub fn reference(&self) -> (&[watch::Histogram], &watch::Histogram) {
        (&self.bundle.manifest.reference.features, &self.bundle.manifest.reference.score)
    }
}

fn run(session: &mut Session, features: &[f32]) -> Result<f32, ScoreError> {
    let tensor =
        ort::value::TensorRef::from_array_view(([1, features.len()], features)).map_err(ScoreError::run)?;
    let results = session.run(ort::inputs![tensor]).map_err(ScoreError::run)?;
    let value = results.get("margin").ok_or_else(|| ScoreError::Run("it has no output margin".to_owned()))?;
    match value.try_extract_tensor::<f32>().map_err(ScoreError::run)?.1 {
        [margin] if margin.is_finite() => Ok(*margin),
        other => Err(ScoreError::Run(format!("it gives {} values, or none that is finite", other.len()))),
    }
}
