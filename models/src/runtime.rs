//! Finding and starting ONNX Runtime, once in a process.
//!
//! The library is loaded at run time from where `make setup` put it; nobody has to set a variable.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

/// File name of the library in `.tools/onnxruntime`.
const LIBRARY: &str = "libonnxruntime.so";

/// Where an installed appliance keeps it.
const INSTALLED: &str = "/usr/lib/clearlane/libonnxruntime.so";

/// Why ONNX Runtime cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// It is nowhere.
    #[error("ONNX Runtime was not found; looked at {}; run `make setup`, or set ORT_DYLIB_PATH", list(.0))]
    NotFound(Vec<PathBuf>),
    /// It is there and cannot be loaded.
    #[error("{}: ONNX Runtime cannot be started: {why}; run `make setup` to fetch the right version", path.display())]
    Broken {
        /// The library.
        path: PathBuf,
        /// What it said.
        why: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

static STARTED: Mutex<Option<Environment>> = Mutex::new(None);

/// The process's ONNX Runtime, started on first use.
pub fn environment() -> Result<Environment, RuntimeError> {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = started.as_ref() {
        return Ok(environment.clone());
    }
    let path = find()?;
    let broken = |why: String| RuntimeError::Broken { path: path.clone(), why };
    let builder = ort::init_from(&path).map_err(|e| broken(e.to_string()))?;
    let environment = builder.with_name("clearlane").build().map_err(|e| broken(e.to_string()))?;
    *started = Some(environment.clone());
    Ok(environment)
}

fn find() -> Result<PathBuf, RuntimeError> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(RuntimeError::NotFound(vec![path])) };
    }
    let starts = [std::env::current_exe().ok(), std::env::current_dir().ok()];
    let mut tried: Vec<PathBuf> = starts.iter().flatten().flat_map(|start| upwards(start)).collect();
    tried.push(PathBuf::from(INSTALLED));
    tried.dedup();
    match tried.iter().find(|p| p.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(RuntimeError::NotFound(tried)),
    }
}

/// `.tools/onnxruntime/` in this folder and each above it.
fn upwards(start: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    start.ancestors().skip(usize::from(start.is_file())).map(|a| a.join(".tools/onnxruntime").join(LIBRARY))
}
