//! `risk evaluate`: the product's own scorer over declarations whose outcome is known, beside XGBoost as it comes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::ProgressIterator as _;
use serde::Deserialize;
use serde_json::json;

use super::{Evaluate, bundles_folder, csv_files, python, rows, training_file};
use crate::score::measure::{Figures, figures};
use crate::score::watch::{Outcome, calibration, drift};
use crate::score::{DEFAULT_BUNDLE, Scorer};

/// What the peer measured on a part.
#[derive(Deserialize)]
struct Peer {
    part: PathBuf,
    same_features: Figures,
    own_fields: Figures,
}

/// Measure, and print a JSON line for each figure.
pub(crate) fn run(asked: &Evaluate) -> anyhow::Result<()> {
    let parts = if asked.part.is_empty() { csv_files(&asked.data)?.1 } else { asked.part.clone() };
    anyhow::ensure!(
        !parts.is_empty(),
        "{}: no CSV but those to learn from; put the part to measure there, or name it with --part",
        asked.data.display()
    );
    let folder = asked.bundle.clone().unwrap_or_else(|| bundles_folder().join(DEFAULT_BUNDLE));
    let mut scorer = Scorer::load(&folder)?;
    let read = parts.iter().map(|part| rows::read(part)).collect::<anyhow::Result<Vec<_>>>()?;
    let peers = if asked.no_peer { BTreeMap::new() } else { peers(&asked.data, &parts)? };
    for (part, rows) in parts.iter().zip(&read) {
        measure(&mut scorer, part, rows, peers.get(part))?;
    }
    Ok(())
}

fn peers(data: &Path, parts: &[PathBuf]) -> anyhow::Result<BTreeMap<PathBuf, Peer>> {
    let train = training_file(data)?;
    let mut arguments: Vec<&OsStr> = vec![OsStr::new("--train"), train.as_os_str()];
    arguments.extend(parts.iter().map(|part| part.as_os_str()));
    let lines = python::run("riskmodel.peer", &arguments)?;
    lines
        .lines()
        .map(|line| {
            let peer: Peer =
                serde_json::from_str(line).context("the peer's answer is not what it should be")?;
            Ok((peer.part.clone(), peer))
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "a command's answer")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}

fn measure(
    scorer: &mut Scorer,
    part: &Path,
    rows: &[(crate::score::Declaration, bool)],
    peer: Option<&Peer>,
) -> anyhow::Result<()> {
    let (mut ranked, mut outcomes, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let (mut to_score, mut to_explain) = (Vec::new(), Vec::new());
    let mut worst_gap = 0.0_f64;
    for (declaration, fraud) in rows.iter().progress() {
        let began = Instant::now();
        let score = scorer.score(declaration)?;
        to_score.push(began.elapsed());
        let began = Instant::now();
        let why = scorer.explain(&score);
        to_explain.push(began.elapsed());
        let sum = why.base + why.features.iter().sum::<f64>();
        worst_gap = worst_gap.max((sum - f64::from(score.margin)).abs());
        ranked.push((score.margin, *fraud));
        outcomes.push(Outcome { probability: score.probability, fraud: *fraud });
        seen.push(score.features);
    }
    let name = part.file_name().unwrap_or(part.as_os_str()).to_string_lossy();
    let ours = figures(&ranked).with_context(|| {
        format!("{}: it has only frauds or none; a part with both is needed to measure", part.display())
    })?;
    let (model, version) = scorer.version();
    let line = |figure: String, value: f64, of_peer: &dyn Fn(&Figures) -> Option<f64>| {
        say(&json!({ "part": name, "model": format!("{model} {version}"), "figure": figure, "value": value,
            "xgboost_default_same_features": peer.and_then(|p| of_peer(&p.same_features)),
            "xgboost_default_own_fields": peer.and_then(|p| of_peer(&p.own_fields)) }));
    };
    line("auc".to_owned(), ours.auc, &|f| Some(f.auc));
    for (share, &value) in &ours.precision {
        line(format!("precision at {share} inspected"), value, &|f| f.precision.get(share).copied());
    }
    for (share, &value) in &ours.recall {
        line(format!("recall at {share} inspected"), value, &|f| f.recall.get(share).copied());
    }
    say(&json!({ "part": name, "figure": "calibration", "all": calibration(&outcomes) }));
    let chances: Vec<f64> = outcomes.iter().map(|o| o.probability).collect();
    let moved = drift(scorer.reference(), &seen, &chances);
    let most = moved.as_ref().map(|d| d.features.iter().take(5).collect::<Vec<_>>());
    say(&json!({ "part": name, "figure": "drift (population stability index)",
        "score": moved.as_ref().map(|d| d.score), "features_most": most }));
    let (score, explain) = (percentiles(&mut to_score), percentiles(&mut to_explain));
    say(&json!({ "part": name, "figure": "latency in ms", "declarations": rows.len(), "score_p50": score.0,
        "score_p99": score.1, "limit_score": 1.0, "explain_p50": explain.0, "explain_p99": explain.1 }));
    say(&json!({ "part": name, "figure": "contributions: greatest gap to the margin", "value": worst_gap,
        "limit": 1e-4 }));
    Ok(())
}

/// The middle and the 99th of 100, in milliseconds.
fn percentiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    };
    (at(0.5), at(0.99))
}
