//! The shipped bundle: it proves itself, explains itself, and a damaged one is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use risk::score::{Declaration, ScoreError, Scorer};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/bundles/risk-1")
}

/// A copy of the shipped bundle that may be damaged.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(shipped()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

fn golden() -> Vec<Declaration> {
    let manifest = manifest(&shipped());
    let all = manifest["golden"].as_array().unwrap();
    all.iter().map(|g| serde_json::from_value(g["declaration"].clone()).unwrap()).collect()
}

/// A change to a manifest.
type Damage = Box<dyn FnOnce(&mut serde_json::Value)>;

/// Damage a copy's manifest, and say why loading it is refused.
fn refusal(damage: impl FnOnce(&mut serde_json::Value)) -> String {
    let folder = copy();
    let mut changed = manifest(folder.path());
    damage(&mut changed);
    std::fs::write(folder.path().join("manifest.json"), changed.to_string()).unwrap();
    Scorer::load(folder.path()).err().expect("it must be refused").to_string()
}

#[test]
fn contributions_add_up_to_the_margin_of_onnx_runtime() {
    let mut scorer = Scorer::load(&shipped()).unwrap();
    let empty = Declaration::default();
    for declaration in golden().iter().chain([&empty]) {
        let score = scorer.score(declaration).unwrap();
        let why = scorer.explain(&score);
        let margin = f64::from(score.margin);
        let by_feature = why.base + why.features.iter().sum::<f64>();
        let by_ground = why.base + why.grounds.iter().map(|g| g.1).sum::<f64>();
        assert!((by_feature - margin).abs() < 1e-4, "{by_feature} {margin}");
        assert!((by_ground - margin).abs() < 1e-4, "{by_ground} {margin}");
        assert!((0.0..=1.0).contains(&score.probability));
        assert_eq!(why.features.len(), scorer.features().len());
    }
}

#[test]
fn the_same_declaration_scores_the_same_to_the_bit() {
    let (mut one, mut other) = (Scorer::load(&shipped()).unwrap(), Scorer::load(&shipped()).unwrap());
    for declaration in golden() {
        let (a, b, c) = (
            one.score(&declaration).unwrap(),
            other.score(&declaration).unwrap(),
            one.score(&declaration).unwrap(),
        );
        let bits = |s: &risk::score::Score| (s.margin.to_bits(), s.probability.to_bits());
        assert_eq!(bits(&a), bits(&b));
        assert_eq!(bits(&a), bits(&c));
        assert_eq!(one.explain(&a), other.explain(&b));
    }
}

#[test]
fn a_corrupt_model_is_refused_and_the_old_one_works_on() {
    let mut scorer = Scorer::load(&shipped()).unwrap();
    let before = scorer.score(&golden()[0]).unwrap().margin;
    for file in ["model.onnx", "tables.bin"] {
        let folder = copy();
        let path = folder.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let refused = scorer.replace(folder.path()).unwrap_err();
        assert!(matches!(refused, ScoreError::Digest { .. }), "{refused}");
        let words = refused.to_string();
        assert!(words.contains(file) && words.contains("copy the bundle again"), "{words}");
        assert_eq!(scorer.score(&golden()[0]).unwrap().margin.to_bits(), before.to_bits());
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = copy();
    std::fs::remove_file(folder.path().join("tables.bin")).unwrap();
    let words = Scorer::load(folder.path()).err().unwrap().to_string();
    assert!(words.contains("tables.bin") && words.contains("a bundle is a folder with"), "{words}");
}

#[test]
fn a_model_that_disagrees_with_its_manifest_is_refused() {
    let cases: [(&str, Damage); 8] = [
        ("the margin", Box::new(|m| m["golden"][3]["margin"] = 9.0.into())),
        ("feature", Box::new(|m| m["smoothing"] = 4.0.into())),
        ("features and describes", Box::new(|m| drop(m["features"].as_array_mut().unwrap().pop()))),
        ("schema 2", Box::new(|m| m["schema"] = 2.into())),
        ("ai.onnx.ml 4", Box::new(|m| m["opset_ml"] = 4.into())),
        ("calibration", Box::new(|m| m["calibration"]["probabilities"][0] = 1.0.into())),
        ("drift", Box::new(|m| m["reference"]["features"][0]["shares"][0] = 0.9.into())),
        ("unknown variant", Box::new(|m| m["own"][0] = "colour".into())),
    ];
    for (wanted, damage) in cases {
        let words = refusal(damage);
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
}

#[test]
fn a_model_with_another_number_of_features_is_refused_though_its_digest_is_right() {
    let words = refusal(|m| {
        for key in ["features", "usual"] {
            m[key].as_array_mut().unwrap().truncate(if key == "usual" { 0 } else { 95 });
        }
        m["reference"]["features"].as_array_mut().unwrap().truncate(95);
    });
    assert!(words.contains("tables") || words.contains("feature"), "{words}");
}

#[test]
fn what_is_no_model_is_refused_before_it_is_run() {
    use std::fmt::Write as _;
    let folder = copy();
    std::fs::write(folder.path().join("model.onnx"), b"\x08\x08nonsense").unwrap();
    let digest = clearance::ids::Digest::of(b"\x08\x08nonsense");
    let mut changed = manifest(folder.path());
    let mut hex = String::new();
    write!(hex, "{digest}").unwrap();
    changed["files"]["model.onnx"] = hex.into();
    std::fs::write(folder.path().join("manifest.json"), changed.to_string()).unwrap();
    let words = Scorer::load(folder.path()).err().unwrap().to_string();
    assert!(words.contains("model.onnx") && words.contains("ONNX"), "{words}");
}

#[test]
fn a_window_like_the_reference_has_no_drift_in_what_has_few_values() {
    use risk::score::watch::MUCH_DRIFT;
    let scorer = Scorer::load(&shipped()).unwrap();
    let raw = manifest(&shipped());
    for (histogram, raw) in scorer.reference().0.iter().zip(raw["reference"]["features"].as_array().unwrap())
    {
        // A value on each edge, as often as its bin has declarations: the manifest's own text of the number must find its bin.
        let edges: Vec<f64> =
            raw["edges"].as_array().unwrap().iter().map(|e| e.to_string().parse().unwrap()).collect();
        let shares: Vec<f64> =
            raw["shares"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        let mut window = vec![f64::NAN; (shares[0] * 10_000.0).round() as usize];
        for (at, share) in shares[1..].iter().enumerate() {
            let value = edges.get(at).copied().unwrap_or(f64::MAX);
            window.extend(std::iter::repeat_n(value, (share * 10_000.0).round() as usize));
        }
        let index = histogram.stability(&window).unwrap();
        assert!(index < MUCH_DRIFT / 100.0, "{}: {index}", histogram.name());
    }
}

#[test]
fn a_movement_is_scored_as_its_worst_consignment_and_one_without_any_is_not() {
    use risk::score::movement::{MOST_CONTRIBUTIONS, declaration, worst};
    let zone = jiff::tz::TimeZone::UTC;
    let mut scorer = Scorer::load(&shipped()).unwrap();
    let mut facts = risk::example::facts();
    let lines = golden();
    let first = facts.consignments[0].clone();
    facts.consignments = lines
        .iter()
        .enumerate()
        .map(|(i, line)| risk::facts::Consignment {
            ccrn: format!("CCRN{i}"),
            hs_code: Some(line.hs6.clone()),
            origin: Some(line.origin.clone()),
            value_hkd: line.item_price.map(|price| price as u64),
            net_weight_kg: line.net_mass.map(|mass| mass as u64),
            ..first.clone()
        })
        .collect();
    let margins: Vec<f32> = facts
        .consignments
        .iter()
        .map(|consignment| scorer.score(&declaration(&facts, consignment, &zone)).unwrap().margin)
        .collect();
    let most = margins.iter().copied().fold(f32::MIN, f32::max);
    assert!(margins.iter().any(|margin| *margin < most), "they must differ: {margins:?}");
    let found = worst(&mut scorer, &facts, &zone).unwrap().unwrap();
    assert_eq!(found.score.margin, most);
    assert_eq!(margins[facts.consignments.iter().position(|c| c == found.consignment).unwrap()], most);
    let why = scorer.explain(&found.score);
    let read = found.read(scorer.digest(), &why.grounds).unwrap();
    assert_eq!((read.model, read.contributions.len()), (scorer.digest(), MOST_CONTRIBUTIONS));
    assert!(read.contributions.iter().all(|moved| moved.value == found.consignment.ccrn));
    let heaviest = |at: usize| read.contributions[at].weight.0.abs();
    assert!(heaviest(0) >= heaviest(1) && read.hope >= Some(read.value));
    facts.consignments.clear();
    assert_eq!(worst(&mut scorer, &facts, &zone).unwrap(), None);
}
