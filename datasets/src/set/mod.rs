//! Sets of rendered items on disk: numpy shards, a manifest beside them, a contact sheet to look at.

mod corners;
mod manifest;
mod plates;
mod preview;
mod scenes;

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::{ArrayView, Dimension};
use ndarray_npy::{WritableElement, WriteNpyExt};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest, Sha256};

use crate::chance::{Dice, dice};
use crate::crop::Kind;

pub use corners::render_corners;
pub use manifest::{Manifest, SCHEMA_VERSION};
pub use plates::render_plates;
pub use scenes::{IGNORE, NO_PLATE, TileSize, render_scenes};

/// What a set shall be.
#[derive(Clone, Debug)]
pub struct SetSpec {
    /// Folder the files go to; made when it is absent.
    pub out: PathBuf,
    /// Number of items.
    pub count: usize,
    /// Seed: the same seed gives the same items whatever the number of threads.
    pub seed: u64,
    /// Items in one file.
    pub shard_size: usize,
    /// Threads that render.
    pub threads: usize,
    /// Of crops: only this kind.
    pub only: Option<Kind>,
    /// Where to write a contact sheet of the first items, if anywhere.
    pub preview: Option<PathBuf>,
}

/// Why a set could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// Nothing was asked for.
    #[error("{0} is zero: ask for at least one")]
    Zero(&'static str),
    /// A size that cannot be drawn.
    #[error(
        "the size {width}x{height} cannot be used: both sides must be even and between 64 and 4096 pixels"
    )]
    Size {
        /// Asked width.
        width: usize,
        /// Asked height.
        height: usize,
    },
    /// A file or folder could not be written.
    #[error("cannot write {path}: {cause}; check that the folder exists, is writable and has room")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// Threads could not be started.
    #[error("cannot start the rendering threads: {0}; ask for fewer with --threads")]
    Threads(String),
}

impl SetSpec {
    fn check(&self) -> Result<(), SetError> {
        for (value, name) in
            [(self.count, "count"), (self.shard_size, "shard size"), (self.threads, "threads")]
        {
            if value == 0 {
                return Err(SetError::Zero(name));
            }
        }
        std::fs::create_dir_all(&self.out).map_err(|e| unwritable(&self.out, e))
    }

    fn pool(&self) -> Result<ThreadPool, SetError> {
        ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|e| SetError::Threads(e.to_string()))
    }

    /// The items of each file: number of the file, first item, number of items.
    fn shards(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (count, size) = (self.count, self.shard_size);
        (0..count.div_ceil(size)).map(move |i| (i, i * size, size.min(count - i * size)))
    }

    /// Renders consecutive items, each from its own stream.
    fn items<T: Send>(
        &self,
        pool: &ThreadPool,
        first: usize,
        count: usize,
        render: impl Fn(&mut Dice) -> T + Sync,
    ) -> Vec<T> {
        pool.install(|| {
            (first..first + count).into_par_iter().map(|i| render(&mut dice(self.seed, i as u64))).collect()
        })
    }
}

fn unwritable(path: &Path, cause: impl std::fmt::Display) -> SetError {
    SetError::Write { path: path.to_owned(), cause: cause.to_string() }
}

/// Writes an array into the set's folder, under a passing name first: who watches the folder never meets half a
/// file. Gives the file's name with its digest.
fn write_array<A: WritableElement, D: Dimension>(
    folder: &Path,
    name: String,
    array: &ArrayView<'_, A, D>,
) -> Result<Written, SetError> {
    let (path, part) = (folder.join(&name), folder.join(format!("{name}.part")));
    let file = std::fs::File::create(&part).map_err(|e| unwritable(&part, e))?;
    let mut digest = Digesting { file: std::io::BufWriter::new(file), hash: Sha256::new() };
    array.write_npy(&mut digest).map_err(|e| unwritable(&part, e))?;
    digest.flush().map_err(|e| unwritable(&part, e))?;
    std::fs::rename(&part, &path).map_err(|e| unwritable(&path, e))?;
    let sha256 = digest.hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Ok(Written { name, sha256 })
}

/// A finished file of a set.
#[derive(Clone, Debug)]
struct Written {
    name: String,
    sha256: String,
}

/// A file that is digested while it is written.
struct Digesting {
    file: std::io::BufWriter<std::fs::File>,
    hash: Sha256,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
