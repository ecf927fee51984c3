//! What an export holds, where it comes from and under which terms, so that a model trained on it can say so.

use std::collections::BTreeMap;

use clearance::ids::Digest;
use serde::Serialize;

use super::split::vehicle_key;
use super::{Format, Item, SkippedExample, Split};

/// Describes one export.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportManifest {
    /// Version of this file's form.
    pub schema: u32,
    /// Layout of the labels.
    pub format: Format,
    /// Key of the split.
    pub seed: u64,
    /// SHA-256 over the sorted digests of the pictures: the same set has the same hash.
    pub hash: Digest,
    /// Examples in each split.
    pub examples: BTreeMap<&'static str, usize>,
    /// Vehicles in each split; none is in two.
    pub vehicles: BTreeMap<&'static str, usize>,
    /// The pictures.
    pub images: Vec<ImageEntry>,
    /// Examples left out, with the reason.
    pub skipped: Vec<SkippedExample>,
}

/// One picture of an export.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageEntry {
    /// Path in the export.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Site and lane it was taken at, passage and plate.
    pub source: String,
    /// Terms of use.
    pub licence: String,
    /// Its split.
    pub split: Split,
}

impl ExportManifest {
    pub(crate) fn of(items: &[Item<'_>], format: Format, seed: u64, skipped: Vec<SkippedExample>) -> Self {
        let mut digests: Vec<_> = items.iter().map(|i| i.example.sha256.0).collect();
        digests.sort_unstable();
        let per_split = |count: &dyn Fn(Split) -> usize| {
            Split::ALL.into_iter().map(|split| (split.name(), count(split))).collect::<BTreeMap<_, _>>()
        };
        let of_split = |split| items.iter().filter(move |i| i.split == split);
        let images = items
            .iter()
            .map(|item| ImageEntry {
                file: format!("images/{}/{}", item.split.name(), item.example.image),
                sha256: item.example.sha256,
                source: format!(
                    "{}/{} passage {} plate {}",
                    item.example.site, item.example.lane, item.example.passage, item.example.plate
                ),
                licence: item.example.licence.clone(),
                split: item.split,
            })
            .collect();
        Self {
            schema: 1,
            format,
            seed,
            hash: Digest::of(&digests.concat()),
            examples: per_split(&|split| of_split(split).count()),
            vehicles: per_split(&|split| {
                of_split(split)
                    .map(|i| vehicle_key(i.example))
                    .collect::<std::collections::BTreeSet<_>>()
                    .len()
            }),
            images,
            skipped,
        }
    }
}
