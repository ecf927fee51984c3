//! The reader's set: straightened crops with their text and layout.

use clearance::mark::MAX_CHARACTERS;
use clearance::picture::{CROP_HEIGHT, CROP_WIDTH};
use ndarray::{ArrayView1, ArrayView2, ArrayView3};

use super::{Manifest, SetError, SetSpec, Written, preview, unwritable, write_array};
use crate::crop::{self, Crop, Kind};

/// Renders the set; `progress` is told the number of items after each file.
///
/// For each file number N there are `plates-N.images.npy` (u8, items x 64 x 160), `plates-N.text.npy` (u8,
/// items x 10, classes of the reader) and `plates-N.layout.npy` (u8, items).
pub fn render_plates(spec: &SetSpec, mut progress: impl FnMut(usize)) -> Result<(), SetError> {
    spec.check()?;
    let pool = spec.pool()?;
    let mut files = Vec::new();
    for (number, first, count) in spec.shards() {
        let crops = spec.items(&pool, first, count, |dice| match spec.only {
            Some(kind) => crop::render_kind(kind, dice),
            None => crop::render(dice),
        });
        if number == 0
            && let Some(path) = &spec.preview
        {
            preview::crops(&crops, path)?;
        }
        files.extend(write_shard(spec, number, &crops)?);
        progress(first + count);
    }
    let mix = match spec.only {
        Some(kind) => Kind::ALL.map(|(of, name, ..)| (name, if of == kind { 1.0 } else { 0.0 })),
        None => crop::MIX,
    };
    Manifest::new("plates", spec, [CROP_WIDTH, CROP_HEIGHT], &mix).write(spec, &files)
}

fn write_shard(spec: &SetSpec, number: usize, crops: &[Crop]) -> Result<[Written; 3], SetError> {
    let name = |what: &str| format!("plates-{number:05}.{what}.npy");
    let n = crops.len();
    let images: Vec<u8> = crops.iter().flat_map(|c| c.image.pixels()).copied().collect();
    let text: Vec<u8> = crops.iter().flat_map(|c| c.classes).collect();
    let layout: Vec<u8> = crops.iter().map(|c| c.layout as u8).collect();
    let misfit = |e: ndarray::ShapeError| unwritable(&spec.out, e);
    let images = ArrayView3::from_shape((n, CROP_HEIGHT, CROP_WIDTH), &images).map_err(misfit)?;
    let text = ArrayView2::from_shape((n, MAX_CHARACTERS), &text).map_err(misfit)?;
    // The images come last: who waits for them finds the rest there.
    Ok([
        write_array(&spec.out, name("text"), &text)?,
        write_array(&spec.out, name("layout"), &ArrayView1::from(&layout))?,
        write_array(&spec.out, name("images"), &images)?,
    ])
}
