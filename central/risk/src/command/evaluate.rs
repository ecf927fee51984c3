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
use crate::score::measure::{Figures, MUST_LEAD, figures, verdict};
use crate::score::watch::{Outcome, calibration, drift};
use crate::score::{DEFAULT_BUNDLE, Scorer};

/// What scoring a declaration may take, in milliseconds, 99 times of 100.
const MOST_MS: f64 = 1.0;

/// How far the contributions' sum may be from the margin.
const MOST_GAP: f64 = 1e-4;

/// What the peer measured on a part.
#[derive(Deserialize)]
struct Peer {
    part: PathBuf,
    same_features: Figures,
    own_fields: Figures,
}

/// Measure, and print a JSON line for each figure with whether it keeps its limit; a limit that is missed ends nothing.
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
    // What the best of rankings would come to: a share inspected finds no more than it holds.
    let by_outcome: Vec<_> = ranked.iter().map(|&(_, fraud)| (f32::from(u8::from(fraud)), fraud)).collect();
    let best = figures(&by_outcome).unwrap_or_else(|| ours.clone());
    for mut line in compared(&ours, &best, peer) {
        line["part"] = json!(name);
        line["model"] = json!(format!("{model} {version}"));
        say(&line);
    }
    say(&json!({ "part": name, "figure": "calibration", "all": calibration(&outcomes) }));
    let chances: Vec<f64> = outcomes.iter().map(|o| o.probability).collect();
    let moved = drift(scorer.reference(), &seen, &chances);
    let most = moved.as_ref().map(|d| d.features.iter().take(5).collect::<Vec<_>>());
    say(&json!({ "part": name, "figure": "drift (population stability index)",
        "score": moved.as_ref().map(|d| d.score), "features_most": most }));
    let (score, explain) = (percentiles(&mut to_score), percentiles(&mut to_explain));
    say(&json!({ "part": name, "figure": "latency in ms", "declarations": rows.len(), "score_p50": score.0,
        "score_p99": score.1, "limit_score": MOST_MS, "explain_p50": explain.0, "explain_p99": explain.1,
        "kept": score.1 <= MOST_MS }));
    say(&json!({ "part": name, "figure": "contributions: greatest gap to the margin", "value": worst_gap,
        "limit": MOST_GAP, "kept": worst_gap <= MOST_GAP }));
    Ok(())
}

/// Each figure beside the peer's, and whether it stands as it must: `null` without a peer.
fn compared(ours: &Figures, best: &Figures, peer: Option<&Peer>) -> Vec<serde_json::Value> {
    let line = |figure: String, leads: bool, of: &dyn Fn(&Figures) -> Option<f64>| {
        let (value, best) = (of(ours), of(best));
        let beside = peer.and_then(|p| of(&p.same_features));
        let judged =
            value.zip(best).zip(beside).map(|((value, best), peer)| verdict(value, peer, best, leads));
        let limit = if leads { "above" } else { "not below" };
        json!({ "figure": figure, "value": value, "xgboost_default_same_features": beside,
            "xgboost_default_own_fields": peer.and_then(|p| of(&p.own_fields)), "best_possible": best,
            "limit": format!("{limit} xgboost_default_same_features"), "kept": judged.map(|j| j.kept),
            "ceiling": judged.map(|j| j.ceiling) })
    };
    let precision = ours.precision.keys().map(|share| {
        let figure = format!("precision at {share} inspected");
        line(figure, share == MUST_LEAD, &|f| f.precision.get(share).copied())
    });
    let recall = ours.recall.keys().map(|share| {
        let figure = format!("recall at {share} inspected");
        line(figure, share == MUST_LEAD, &|f| f.recall.get(share).copied())
    });
    let area = line("auc".to_owned(), false, &|f| Some(f.auc));
    std::iter::once(area).chain(precision).chain(recall).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of 400 of which 100 are frauds: an area, and the part of frauds among the first twenty.
    fn measured(auc: f64, at_5: f64) -> Figures {
        let of = |share: &str, value| BTreeMap::from([("0.01".to_owned(), 1.0), (share.to_owned(), value)]);
        Figures { auc, precision: of("0.05", at_5), recall: of("0.05", at_5 / 5.0) }
    }

    fn judged(ours: &Figures, peer: Option<Figures>) -> BTreeMap<String, (Option<bool>, Option<bool>)> {
        let peer = peer.map(|same_features| Peer {
            part: PathBuf::new(),
            own_fields: same_features.clone(),
            same_features,
        });
        compared(ours, &measured(1.0, 1.0), peer.as_ref())
            .iter()
            .map(|line| {
                let of = |name: &str| line[name].as_bool();
                (line["figure"].as_str().unwrap().to_owned(), (of("kept"), of("ceiling")))
            })
            .collect()
    }

    #[test]
    fn every_figure_says_whether_it_is_kept_beside_the_peer_and_five_per_cent_must_be_above() {
        let told = judged(&measured(0.95, 0.9), Some(measured(0.96, 0.9)));
        assert_eq!(told["auc"], (Some(false), Some(false)));
        assert_eq!(told["precision at 0.01 inspected"], (Some(true), Some(true)));
        assert_eq!(told["precision at 0.05 inspected"], (Some(false), Some(false)));
        assert_eq!(told["recall at 0.05 inspected"], (Some(false), Some(false)));
        let told = judged(&measured(0.96, 1.0), Some(measured(0.96, 1.0)));
        assert_eq!(told["auc"], (Some(true), Some(false)));
        assert_eq!(told["precision at 0.05 inspected"], (Some(true), Some(true)));
        // A fifth of the frauds is all that five per cent of these can hold.
        assert_eq!(told["recall at 0.05 inspected"], (Some(true), Some(true)));
        let told = judged(&measured(0.96, 1.0), None);
        assert!(told.len() == 5 && told.values().all(|judged| *judged == (None, None)), "{told:?}");
    }
}
