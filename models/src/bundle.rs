//! A model bundle: the folder with the networks and the manifest that says what they are, checked before use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clearance::ids::Digest;
use clearance::mark::{ALPHABET, MAX_CHARACTERS};
use clearance::picture::{CORNER_MARGIN, CROP_HEIGHT, CROP_WIDTH};
use serde::Deserialize;

use crate::letterbox::STRIDE;

/// Version of the manifest's form that this side reads.
const SCHEMA: u32 = 2;

/// Names of the detector's classes, in the order of [`clearance::read::PlateLayout::ALL`].
const CLASSES: [&str; 3] = ["single_row", "double_row", "cross_boundary"];

/// Why a bundle cannot be used. Each names the file, the cause and the mend.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file is missing or cannot be read.
    #[error("{}: {source}; a bundle is a folder with manifest.json and its networks", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest is no manifest.
    #[error("{}: {source}; export the bundle again", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The manifest says something this side cannot do.
    #[error("{}: {why}; use a bundle made for this version, or export it again", path.display())]
    Unsupported {
        /// Which.
        path: PathBuf,
        /// What.
        why: String,
    },
    /// A network is not the one the manifest was written for.
    #[error("{}: SHA-256 is {found}, the manifest says {wanted}; copy the bundle again, whole", path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// By the manifest.
        wanted: Digest,
        /// Of the file.
        found: Digest,
    },
}

/// What a bundle's thresholds mean: confidences from its calibration.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Thresholds {
    /// At or above it a read is certain.
    pub read_certain: f32,
    /// Below it nothing was read.
    pub read_least: f32,
    /// From this score on a sighting is a plate whatever is read there; below it, it may be lettering.
    #[serde(skip)]
    pub sighting_sure: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    schema: u32,
    name: String,
    version: String,
    alphabet: String,
    pub(crate) detector: DetectorManifest,
    /// Absent in bundles whose detector's corners are used as they are.
    pub(crate) refiner: Option<RefinerManifest>,
    pub(crate) reader: ReaderManifest,
    thresholds: Thresholds,
    pub(crate) golden: Golden,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DetectorManifest {
    pub(crate) files: Vec<DetectorFile>,
    pub(crate) corners: CornersFile,
    /// Pixels of the network's input for each cell of its output.
    stride: usize,
    /// Pixels for a corner offset of 1.
    pub(crate) corner_unit: f32,
    classes: Vec<String>,
    pub(crate) score_threshold: f32,
    /// From this score on it is a plate whatever the reader makes of it. Absent: from the threshold on.
    #[serde(default)]
    pub(crate) sure_score: f32,
    pub(crate) nms_iou: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DetectorFile {
    pub(crate) file: String,
    sha256: Digest,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// The network that tells a plate's corners, run only where there is one.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CornersFile {
    pub(crate) file: String,
    sha256: Digest,
    /// Cells of the maps, across and down, that it looks at.
    pub(crate) reach: usize,
    /// Features of each.
    pub(crate) features: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RefinerManifest {
    pub(crate) file: String,
    sha256: Digest,
    height: usize,
    width: usize,
    /// Part of the plate's size around it in the crop.
    margin: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ReaderManifest {
    pub(crate) file: String,
    sha256: Digest,
    height: usize,
    width: usize,
    slots: usize,
    pub(crate) temperature: f32,
    /// How the plate is cut out for each look at it: shift to the right and down, and growth, in parts of its size.
    #[serde(default = "one_look")]
    pub(crate) views: Vec<[f32; 3]>,
    /// From this confidence on the first look is the only one. Absent: all are taken.
    #[serde(default = "never")]
    pub(crate) enough: f32,
}

fn never() -> f32 {
    f32::INFINITY
}

fn one_look() -> Vec<[f32; 3]> {
    vec![[0.0; 3]]
}

/// First values of the networks' outputs for the ramp input.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Golden {
    pub(crate) reader_logits: Vec<f32>,
    pub(crate) detector_heat: BTreeMap<String, Vec<f32>>,
    pub(crate) detector_corners: Vec<f32>,
    #[serde(default)]
    pub(crate) refiner_offsets: Vec<f32>,
    /// How far a value may be off. Whole-number networks round differently on different processors.
    #[serde(default = "fine_tolerance")]
    pub(crate) tolerance: f32,
}

fn fine_tolerance() -> f32 {
    0.01
}

/// A bundle whose manifest and digests were checked.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    digest: Digest,
    pub(crate) manifest: Manifest,
    pub(crate) networks: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Read and check the bundle in `folder`.
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join("manifest.json");
        let bytes = read(&path)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|source| BundleError::Manifest { path: path.clone(), source })?;
        manifest.check().map_err(|why| BundleError::Unsupported { path, why })?;
        let mut networks = BTreeMap::new();
        let files = manifest.detector.files.iter().map(|f| (&f.file, f.sha256));
        let refiner = manifest.refiner.iter().map(|r| (&r.file, r.sha256));
        let corners = &manifest.detector.corners;
        let others = [(&corners.file, corners.sha256), (&manifest.reader.file, manifest.reader.sha256)];
        for (file, wanted) in files.chain(refiner).chain(others) {
            let path = folder.join(file);
            let bytes = read(&path)?;
            let found = Digest::of(&bytes);
            if found != wanted {
                return Err(BundleError::Digest { path, wanted, found });
            }
            networks.insert(file.clone(), bytes);
        }
        Ok(Self { folder: folder.to_owned(), digest: Digest::of(&bytes), manifest, networks })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// SHA-256 of its manifest, which holds the digests of its networks: stands for the whole bundle.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its thresholds.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds { sighting_sure: self.manifest.detector.sure_score, ..self.manifest.thresholds }
    }

    /// Where it was read from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    std::fs::read(path).map_err(|source| BundleError::Io { path: path.to_owned(), source })
}

impl Manifest {
    fn check(&self) -> Result<(), String> {
        let wanted = |fits: bool, what: String| if fits { Ok(()) } else { Err(what) };
        wanted(self.schema == SCHEMA, format!("schema {} is not known here ({SCHEMA} is)", self.schema))?;
        let alphabet: String = ALPHABET.iter().collect();
        wanted(
            self.alphabet == alphabet,
            format!("the alphabet is {:?}, this version reads {alphabet:?}", self.alphabet),
        )?;
        let reader = &self.reader;
        wanted(
            (reader.height, reader.width, reader.slots) == (CROP_HEIGHT, CROP_WIDTH, MAX_CHARACTERS),
            format!(
                "the reader takes {}x{} pixels and gives {} characters; this version makes {CROP_WIDTH}x{CROP_HEIGHT} crops for {MAX_CHARACTERS} characters",
                reader.width, reader.height, reader.slots
            ),
        )?;
        wanted(
            reader.temperature.is_finite() && reader.temperature > 0.0,
            format!("the reader's temperature is {}", reader.temperature),
        )?;
        wanted(
            (1..=8).contains(&reader.views.len()) && reader.views.iter().flatten().all(|v| v.abs() < 0.25),
            format!("the reader's views are {:?}; 1 to 8, each within a quarter of the plate", reader.views),
        )?;
        wanted(
            reader.enough >= self.thresholds.read_certain,
            format!("a first look is enough from {} on, below what is certain", reader.enough),
        )?;
        if let Some(refiner) = &self.refiner {
            wanted(
                (refiner.height, refiner.width, refiner.margin) == (CROP_HEIGHT, CROP_WIDTH, CORNER_MARGIN),
                format!(
                    "the refiner takes {}x{} pixels with a margin of {}; this version makes {CROP_WIDTH}x{CROP_HEIGHT} crops with {CORNER_MARGIN}",
                    refiner.width, refiner.height, refiner.margin
                ),
            )?;
        }
        wanted(
            (0.0..=0.5).contains(&self.golden.tolerance),
            format!("the golden values' tolerance is {}", self.golden.tolerance),
        )?;
        let detector = &self.detector;
        wanted(detector.classes == CLASSES, format!("the detector's classes are {:?}", detector.classes))?;
        wanted(!detector.files.is_empty(), "there is no detector".to_owned())?;
        let corners = &detector.corners;
        let fits = |n: usize| n <= 4096 && n.is_multiple_of(STRIDE) && n / STRIDE >= corners.reach;
        let sizes = detector.files.iter().all(|f| fits(f.height) && fits(f.width));
        wanted(
            detector.stride == STRIDE && sizes && detector.corner_unit > 0.0,
            format!("the detector's sizes do not fit its stride, or its stride is not {STRIDE}"),
        )?;
        wanted(
            !corners.reach.is_multiple_of(2) && corners.reach <= 64 && (1..=1024).contains(&corners.features),
            format!(
                "corners are told from {} features of {} cells each way",
                corners.features, corners.reach
            ),
        )?;
        wanted(
            detector.files.iter().all(|f| self.golden.detector_heat.contains_key(&f.file)),
            "a detector has no golden values".to_owned(),
        )?;
        let Thresholds { read_certain, read_least, .. } = self.thresholds;
        wanted(
            (0.0..=1.0).contains(&read_least) && read_least <= read_certain && read_certain <= 1.0,
            format!("thresholds {read_least} and {read_certain} are not 0 <= least <= certain <= 1"),
        )
    }
}
