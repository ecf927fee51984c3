//! `risk train`: a new bundle, proved before it takes a place.

use std::ffi::OsStr;

use anyhow::Context as _;

use super::{Train, python, training_file};
use crate::score::Scorer;

/// Train, prove, and put the bundle in place.
#[expect(clippy::print_stdout, reason = "a command's answer")]
pub(crate) fn run(asked: &Train) -> anyhow::Result<()> {
    let train = training_file(&asked.data)?;
    let fresh = asked.out.with_extension("new");
    let arguments = ["--train", "--out", "--name"].map(OsStr::new).into_iter().zip([
        train.as_os_str(),
        fresh.as_os_str(),
        asked.name.as_ref(),
    ]);
    let answer = python::run("riskmodel.train", &arguments.flat_map(|(a, b)| [a, b]).collect::<Vec<_>>())?;
    let scorer = Scorer::load(&fresh).context("the new bundle is refused; the old one, if any, stays")?;
    if asked.out.exists() {
        anyhow::ensure!(
            asked.out.join("manifest.json").is_file(),
            "{}: is there and is no bundle; name another folder (the new bundle is in {})",
            asked.out.display(),
            fresh.display()
        );
        std::fs::remove_dir_all(&asked.out)
            .with_context(|| format!("{}: cannot be replaced", asked.out.display()))?;
    }
    std::fs::rename(&fresh, &asked.out)
        .with_context(|| format!("{}: cannot be written", asked.out.display()))?;
    let (name, version) = scorer.version();
    let held_out: serde_json::Value =
        serde_json::from_str(&answer).context("the trainer's answer is no JSON")?;
    println!(
        "{}",
        serde_json::json!({ "bundle": asked.out, "name": name, "version": version,
            "digest": scorer.digest().to_string(), "held_out": held_out["held_out"] })
    );
    Ok(())
}
