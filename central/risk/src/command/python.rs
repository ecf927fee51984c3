//! The Python package that trains, run in its own environment.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

/// A line of progress that the package writes to standard error.
#[derive(Deserialize)]
struct Progress {
    stage: String,
    #[serde(default)]
    trained: u64,
    #[serde(default)]
    of: u64,
}

/// Run a module of the package; gives what it wrote to standard output. Its progress is shown, its complaints are the error.
pub(crate) fn run(module: &str, arguments: &[&OsStr]) -> anyhow::Result<String> {
    let (python, package) = (interpreter()?, package()?);
    let mut child = Command::new(&python)
        .args(["-m", module])
        .args(arguments)
        .env("PYTHONPATH", &package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!("{}: cannot be started; run deploy/setup-risk.sh again", python.display())
        })?;
    let (Some(mut answers), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("{module}: its output cannot be read");
    };
    // Read on a thread of its own: a full pipe would stop the child.
    let answers = std::thread::spawn(move || {
        let mut text = String::new();
        answers.read_to_string(&mut text).map(|_| text)
    });
    let complaints = follow(BufReader::new(errors));
    let status = child.wait().with_context(|| format!("{module}: it was lost"))?;
    let answers = answers.join().map_err(|_| anyhow::anyhow!("{module}: its output was lost"))??;
    if status.success() {
        Ok(answers)
    } else {
        bail!("{module} failed ({status}): {}", complaints.join("\n").trim());
    }
}

/// Show progress until the pipe ends; gives the lines that were none.
fn follow(lines: impl BufRead) -> Vec<String> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:24} {pos}/{len}, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    let mut others = Vec::new();
    for line in lines.lines().map_while(Result::ok) {
        match serde_json::from_str::<Progress>(&line) {
            Ok(progress) => {
                if bar.is_hidden() {
                    eprintln!("{}: {}/{}", progress.stage, progress.trained, progress.of);
                }
                bar.set_length(progress.of);
                bar.set_position(progress.trained);
                bar.set_message(progress.stage);
            }
            Err(_) => others.push(line),
        }
    }
    bar.finish_and_clear();
    others
}

fn interpreter() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("RISK_PYTHON") {
        return Ok(PathBuf::from(named));
    }
    super::above(".venv-risk/bin/python").context(
        "the Python environment of the risk model is not there; run deploy/setup-risk.sh, or name a Python in RISK_PYTHON",
    )
}

fn package() -> anyhow::Result<PathBuf> {
    super::above("central/risk/training").context(
        "central/risk/training is not in this folder or one above it; run from a checkout of the repository",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_from_complaints() {
        let text = "{\"stage\": \"trial\", \"trained\": 1, \"of\": 3}\nTraceback\n  file\n";
        assert_eq!(follow(text.as_bytes()), ["Traceback", "  file"]);
    }
}
