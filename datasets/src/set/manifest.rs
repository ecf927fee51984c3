//! What a set is made of and how it came about, as `manifest.json` beside its files.

use std::collections::BTreeMap;

use clearance::mark::ALPHABET;
use serde::Serialize;

use super::{SetError, SetSpec, Written, unwritable};
use crate::lettering::outlines;

/// Version of the files' layout; raised when a reader of the files must change.
pub const SCHEMA_VERSION: u32 = 1;

/// The manifest of a set.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// See [`SCHEMA_VERSION`].
    pub schema: u32,
    /// `plates` or `scenes`.
    pub kind: &'static str,
    /// Version of the renderer.
    pub renderer: &'static str,
    /// Seed of the set.
    pub seed: u64,
    /// Number of items.
    pub count: usize,
    /// Number of files of each sort.
    pub shards: usize,
    /// Width and height of an item in pixels.
    pub size: [usize; 2],
    /// What class `i + 1` of the reader means.
    pub alphabet: String,
    /// Share of each kind of item.
    pub mix: BTreeMap<&'static str, f32>,
    /// Fonts the lettering was taken from, with their licences.
    pub fonts: BTreeMap<&'static str, &'static str>,
    /// SHA-256 of each file, by name.
    pub files: BTreeMap<String, String>,
    /// Where the pictures come from.
    pub origin: &'static str,
}

impl Manifest {
    pub(super) fn new(
        kind: &'static str,
        spec: &SetSpec,
        size: [usize; 2],
        mix: &[(&'static str, f32)],
    ) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            kind,
            renderer: env!("CARGO_PKG_VERSION"),
            seed: spec.seed,
            count: spec.count,
            shards: spec.count.div_ceil(spec.shard_size),
            size,
            alphabet: ALPHABET.iter().collect(),
            mix: mix.iter().copied().collect(),
            fonts: outlines::SOURCES.iter().map(|&(_, name, licence)| (name, licence)).collect(),
            files: BTreeMap::new(),
            origin: "rendered: no photograph was used",
        }
    }

    /// Writes it with the digests of the set's files; it is the last file of a set, the sign that the set is whole.
    pub(super) fn write(mut self, spec: &SetSpec, files: &[Written]) -> Result<(), SetError> {
        self.files = files.iter().map(|f| (f.name.clone(), f.sha256.clone())).collect();
        let path = spec.out.join("manifest.json");
        let text = serde_json::to_vec_pretty(&self).map_err(|e| unwritable(&path, e))?;
        std::fs::write(&path, text).map_err(|e| unwritable(&path, e))
    }
}
