//! The shipped bundles prove themselves, and a bundle that is not whole, not ours or not right is refused by name.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clearance::ids::Digest;
use clearance::picture::Luma;
use models::{Bundle, BundleError, DEFAULT_BUNDLE, EXACT_BUNDLE, RecogniseError, Recogniser, bundles_folder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of the shipped bundle whose manifest was changed.
fn changed(change: impl FnOnce(&mut Value)) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in std::fs::read_dir(bundles_folder().join(DEFAULT_BUNDLE)).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, copy.path().join(from.file_name().unwrap())).unwrap();
    }
    let path = copy.path().join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    copy
}

fn refused(change: impl FnOnce(&mut Value)) -> String {
    Bundle::load(changed(change).path()).unwrap_err().to_string()
}

#[test]
fn both_shipped_bundles_prove_themselves_and_see_nothing_in_an_empty_picture() {
    for name in [DEFAULT_BUNDLE, EXACT_BUNDLE] {
        let bundle = Bundle::load(&bundles_folder().join(name)).unwrap();
        assert_eq!(bundle.name(), name);
        let mut recogniser = Recogniser::new(&bundle).unwrap();
        for (width, height) in [(1920, 1080), (640, 480), (1, 1), (3, 900)] {
            let grey = Luma::new(vec![90; width * height], width, height).unwrap();
            let seen = recogniser.recognise(grey.view()).unwrap();
            assert!(seen.plates.is_empty(), "{name}: {width}x{height}");
        }
    }
}

#[test]
fn a_folder_that_is_no_bundle_is_named() {
    let empty = TempDir::new().unwrap();
    let error = Bundle::load(empty.path()).unwrap_err();
    assert!(matches!(error, BundleError::Io { .. }) && error.to_string().contains("manifest.json"));
    std::fs::write(empty.path().join("manifest.json"), "{\"schema\": ").unwrap();
    assert!(matches!(Bundle::load(empty.path()).unwrap_err(), BundleError::Manifest { .. }));
}

#[test]
fn a_network_that_is_not_the_manifests_is_refused() {
    let copy = changed(|_| {});
    let path = copy.path().join("reader.onnx");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Bundle::load(copy.path()).unwrap_err();
    assert!(matches!(&error, BundleError::Digest { path, .. } if path.ends_with("reader.onnx")), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(Bundle::load(copy.path()).unwrap_err(), BundleError::Io { .. }));
}

#[test]
fn values_that_cannot_work_are_refused_with_their_reason() {
    for (change, named) in [
        (json!({ "schema": 7 }), "schema 7"),
        (json!({ "alphabet": "ABC" }), "alphabet"),
        (json!({ "thresholds": { "read_certain": 0.2, "read_least": 0.9 } }), "thresholds"),
    ] {
        let error = refused(|manifest| {
            manifest.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        });
        assert!(error.contains(named) && error.contains("manifest.json"), "{error}");
    }
    let nested: [(&str, Value, &str); 8] = [
        ("/reader/temperature", json!(-1.0), "temperature"),
        ("/reader/views", json!([]), "views"),
        ("/reader/slots", json!(11), "11 characters"),
        ("/reader/enough", json!(0.5), "enough from 0.5"),
        ("/detector/corners/reach", json!(4), "4 cells each way"),
        ("/refiner/margin", json!(0.5), "margin"),
        ("/detector/stride", json!(7), "stride"),
        ("/golden/tolerance", json!(9.0), "tolerance"),
    ];
    for (place, value, named) in nested {
        let error = refused(|manifest| *manifest.pointer_mut(place).unwrap() = value);
        assert!(error.contains(named), "{place}: {error}");
    }
}

#[test]
fn a_network_that_computes_something_else_is_not_used() {
    for place in [
        "/golden/reader_logits/0",
        "/golden/refiner_offsets/0",
        "/golden/detector_heat/detector.onnx/0",
        "/golden/detector_corners/0",
    ] {
        let copy = changed(|manifest| *manifest.pointer_mut(place).unwrap() = json!(77.0));
        let refused = Recogniser::new(&Bundle::load(copy.path()).unwrap()).err().expect(place);
        assert!(matches!(refused, RecogniseError::Golden { .. }), "{place}: {refused}");
    }
}

#[test]
fn a_file_that_is_no_network_is_refused_by_name() {
    let junk = b"no network at all";
    let digest = Digest::of(junk).to_string();
    let copy = changed(|manifest| *manifest.pointer_mut("/reader/sha256").unwrap() = json!(digest));
    std::fs::write(copy.path().join("reader.onnx"), junk).unwrap();
    let bundle = Bundle::load(copy.path()).unwrap();
    let refused = Recogniser::new(&bundle).err().unwrap().to_string();
    assert!(refused.contains("reader.onnx") && refused.contains("export the bundle again"), "{refused}");
}
