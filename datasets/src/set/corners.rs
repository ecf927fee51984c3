//! The corner refiner's set: crops around plates as a detector finds them, with where the plates really are.

use clearance::picture::{CROP_HEIGHT, CROP_WIDTH};
use ndarray::{ArrayView2, ArrayView3};

use super::{Manifest, SetError, SetSpec, Written, unwritable, write_array};
use crate::crop::{self, CornerCrop};

/// Renders the set; `progress` is told the number of items after each file.
///
/// For each file number N there are `corners-N.images.npy` (u8, items x 64 x 160) and `corners-N.offsets.npy` (f32,
/// items x 8, see [`CornerCrop::offsets`]).
pub fn render_corners(spec: &SetSpec, mut progress: impl FnMut(usize)) -> Result<(), SetError> {
    spec.check()?;
    let pool = spec.pool()?;
    let mut files = Vec::new();
    for (number, first, count) in spec.shards() {
        files.extend(write_shard(spec, number, &spec.items(&pool, first, count, crop::render_corners))?);
        progress(first + count);
    }
    Manifest::new("corners", spec, [CROP_WIDTH, CROP_HEIGHT], &crop::CORNER_MIX).write(spec, &files)
}

fn write_shard(spec: &SetSpec, number: usize, crops: &[CornerCrop]) -> Result<[Written; 2], SetError> {
    let name = |what: &str| format!("corners-{number:05}.{what}.npy");
    let n = crops.len();
    let images: Vec<u8> = crops.iter().flat_map(|c| c.image.pixels()).copied().collect();
    let offsets: Vec<f32> = crops.iter().flat_map(|c| c.offsets).collect();
    let misfit = |e: ndarray::ShapeError| unwritable(&spec.out, e);
    let images = ArrayView3::from_shape((n, CROP_HEIGHT, CROP_WIDTH), &images).map_err(misfit)?;
    let offsets = ArrayView2::from_shape((n, 8), &offsets).map_err(misfit)?;
    // The images come last: who waits for them finds the rest there.
    Ok([write_array(&spec.out, name("offsets"), &offsets)?, write_array(&spec.out, name("images"), &images)?])
}
