//! A peer reading the same pictures in the same run: a program that prints the lines of `edge read`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::labels::LabelledSet;
use super::reads::{Reads, from_line};

/// Where a peer's interpreter and script are.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What its figures are listed under.
    pub name: &'static str,
    python: PathBuf,
    script: PathBuf,
}

impl Peer {
    /// RapidOCR as `make setup-peer` installs it in this checkout.
    pub fn rapidocr() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = root.join(".peer/bin/python");
        anyhow::ensure!(
            python.exists(),
            "{}: the peer is not installed; run `make setup-peer`",
            python.display()
        );
        Ok(Self { name: "rapidocr", python, script: root.join("tests/peers/rapidocr_reads.py") })
    }

    /// Read every picture of a set; `progress` goes one step for each.
    pub fn read(&self, set: &LabelledSet, progress: &ProgressBar) -> anyhow::Result<Reads> {
        let mut child = Command::new(&self.python)
            .arg(&self.script)
            .args(set.pictures.iter().map(|p| &p.path))
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{}: cannot be run; run `make setup-peer`", self.python.display()))?;
        let stdout = child.stdout.take().context("the peer has no output")?;
        let mut reads = Reads::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let (name, picture) = from_line(&line)
                .with_context(|| format!("{}: not a line of reads: {line}", self.script.display()))?;
            reads.insert(name, picture);
            progress.inc(1);
        }
        let status = child.wait()?;
        anyhow::ensure!(status.success(), "{}: {status}; see above for what it said", self.script.display());
        Ok(reads)
    }
}
