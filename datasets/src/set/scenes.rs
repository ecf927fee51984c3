//! The detector's set: grey tiles with the corners of the plates in them.

use ndarray::ArrayView3;

use super::{Manifest, SetError, SetSpec, Written, preview, unwritable, write_array};
use crate::scene::{self, Labelled, MOST_PLATES, Scene, Verdict};

/// Class of an unused row.
pub const NO_PLATE: f32 = -1.0;
/// Class of a region that counts neither for nor against the detector.
pub const IGNORE: f32 = 255.0;

/// Numbers in a row: the class and eight coordinates.
const ROW: usize = 9;

/// Width and height of a tile in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileSize {
    /// Width, even.
    pub width: usize,
    /// Height, even.
    pub height: usize,
}

impl TileSize {
    fn check(self) -> Result<(), SetError> {
        let fits = |v: usize| v.is_multiple_of(2) && (64..=4096).contains(&v);
        if fits(self.width) && fits(self.height) {
            return Ok(());
        }
        Err(SetError::Size { width: self.width, height: self.height })
    }
}

/// Renders the set; `progress` is told the number of items after each file.
///
/// For each file number N there are `scenes-N.images.npy` (u8, items x height x width) and `scenes-N.plates.npy`
/// (f32, items x 8 x 9: class, then x and y of the four corners clockwise from the plate's upper left; class
/// [`NO_PLATE`] for unused rows, [`IGNORE`] for regions not to be judged).
pub fn render_scenes(
    spec: &SetSpec,
    size: TileSize,
    mut progress: impl FnMut(usize),
) -> Result<(), SetError> {
    spec.check()?;
    size.check()?;
    let pool = spec.pool()?;
    let mut files = Vec::new();
    for (number, first, count) in spec.shards() {
        let scenes = spec.items(&pool, first, count, |dice| scene::render(size.width, size.height, dice));
        if number == 0
            && let Some(path) = &spec.preview
        {
            preview::scenes(&scenes, path)?;
        }
        files.extend(write_shard(spec, size, number, &scenes)?);
        progress(first + count);
    }
    Manifest::new("scenes", spec, [size.width, size.height], &scene::MIX).write(spec, &files)
}

fn write_shard(
    spec: &SetSpec,
    size: TileSize,
    number: usize,
    scenes: &[Scene],
) -> Result<[Written; 2], SetError> {
    let name = |what: &str| format!("scenes-{number:05}.{what}.npy");
    let images: Vec<u8> = scenes.iter().flat_map(|s| s.image.pixels()).copied().collect();
    let images = ArrayView3::from_shape((scenes.len(), size.height, size.width), &images)
        .map_err(|e| unwritable(&spec.out, e))?;
    let plates: Vec<f32> = scenes.iter().flat_map(rows).collect();
    let plates = ArrayView3::from_shape((scenes.len(), MOST_PLATES, ROW), &plates)
        .map_err(|e| unwritable(&spec.out, e))?;
    Ok([write_array(&spec.out, name("plates"), &plates)?, write_array(&spec.out, name("images"), &images)?])
}

/// The rows of one tile, unused ones at the end.
fn rows(scene: &Scene) -> Vec<f32> {
    let mut rows: Vec<f32> = scene.plates.iter().take(MOST_PLATES).flat_map(row).collect();
    while rows.len() < MOST_PLATES * ROW {
        rows.push(NO_PLATE);
        rows.extend([0.0; ROW - 1]);
    }
    rows
}

fn row(plate: &Labelled) -> [f32; ROW] {
    let class = match plate.verdict {
        Verdict::Plate(layout) => f32::from(layout as u8),
        Verdict::Ignore => IGNORE,
    };
    let [a, b, c, d] = plate.corners.0;
    [class, a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y]
}
