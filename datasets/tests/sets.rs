//! Sets on disk: the same whatever the number of threads, labels where the picture is, errors that help.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use clearance::mark::ALPHABET;
use datasets::chance::dice;
use datasets::crop;
use datasets::scene::{self, Verdict};
use datasets::set::{
    IGNORE, NO_PLATE, SetError, SetSpec, TileSize, render_corners, render_plates, render_scenes,
};
use ndarray::{Array1, Array2, Array3};
use ndarray_npy::read_npy;
use sha2::{Digest, Sha256};

const TILE: TileSize = TileSize { width: 320, height: 256 };

fn spec(out: PathBuf, count: usize, threads: usize) -> SetSpec {
    SetSpec { out, count, seed: 5, shard_size: 25, threads, only: None, preview: None }
}

/// One digest over every file of a folder, by name.
fn digest(folder: &Path) -> Vec<u8> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().unwrap().as_encoded_bytes());
        hash.update(std::fs::read(&file).unwrap());
    }
    hash.finalize().to_vec()
}

#[test]
fn plates_are_the_same_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let render = |name: &str, threads| {
        let out = folder.path().join(name);
        render_plates(&spec(out.clone(), 60, threads), |_| {}).unwrap();
        digest(&out)
    };
    assert_eq!(render("one", 1), render("three", 3));
}

#[test]
fn scenes_are_the_same_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let render = |name: &str, threads| {
        let out = folder.path().join(name);
        render_scenes(&spec(out.clone(), 12, threads), TILE, |_| {}).unwrap();
        digest(&out)
    };
    assert_eq!(render("one", 1), render("two", 2));
}

#[test]
fn a_shard_holds_what_the_items_say() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let mut told = Vec::new();
    render_plates(&spec(out.clone(), 30, 2), |done| told.push(done)).unwrap();
    assert_eq!(told, [25, 30]);
    let images: Array3<u8> = read_npy(out.join("plates-00001.images.npy")).unwrap();
    let text: Array2<u8> = read_npy(out.join("plates-00001.text.npy")).unwrap();
    let layout: Array1<u8> = read_npy(out.join("plates-00001.layout.npy")).unwrap();
    assert_eq!((images.dim(), text.dim(), layout.dim()), ((5, 64, 160), (5, 10), 5));
    for (i, item) in (25..30).enumerate() {
        let crop = crop::render(&mut dice(5, item));
        assert_eq!(text.row(i).to_vec(), crop.classes);
        assert_eq!(layout[i], crop.layout as u8);
        assert!(images.outer_iter().nth(i).unwrap().iter().eq(crop.image.pixels()));
    }
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest["count"].as_u64(), manifest["shards"].as_u64()), (Some(30), Some(2)));
    let bytes = std::fs::read(out.join("plates-00000.images.npy")).unwrap();
    let hex = Sha256::digest(&bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(manifest["files"]["plates-00000.images.npy"].as_str(), Some(hex.as_str()));
    assert_eq!(manifest["files"].as_object().unwrap().len(), 6);
    assert_eq!(manifest["alphabet"].as_str().unwrap().chars().count(), ALPHABET.len());
}

#[test]
fn every_character_of_the_alphabet_comes_up() {
    let mut seen = [false; ALPHABET.len() + 1];
    for item in 0..700 {
        let crop = crop::render(&mut dice(11, item));
        assert_eq!(
            crop.classes.iter().filter(|&&c| c > 0).count(),
            crop.mark.chars().count(),
            "{}",
            crop.mark
        );
        crop.classes.iter().for_each(|&c| seen[usize::from(c)] = true);
    }
    let missing: String =
        ALPHABET.iter().enumerate().filter(|(i, _)| !seen[i + 1]).map(|(_, c)| *c).collect();
    assert!(missing.is_empty(), "never rendered: {missing}");
    assert!(seen[0], "no crop ends before the longest mark");
}

#[test]
fn labelled_plates_lie_within_the_tile_and_are_large_enough() {
    let mut plates = 0;
    for item in 0..60 {
        let scene = scene::render(TILE.width, TILE.height, &mut dice(13, item));
        for plate in &scene.plates {
            let b = plate.corners.bounds();
            let inside = b.x0 >= 0.0 && b.y0 >= 0.0 && b.x1 <= 320.0 && b.y1 <= 256.0;
            assert!(inside && plate.corners.is_plausible(), "item {item}: {plate:?}");
            if let Verdict::Plate(_) = plate.verdict {
                assert!(plate.corners.width() >= 16.0, "item {item}: {plate:?}");
                plates += 1;
            }
        }
    }
    assert!(plates > 40, "only {plates} plates in 60 tiles");
}

#[test]
fn rows_of_a_scene_shard_have_known_classes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    render_scenes(&spec(out.clone(), 10, 1), TILE, |_| {}).unwrap();
    let rows: Array3<f32> = read_npy(out.join("scenes-00000.plates.npy")).unwrap();
    assert_eq!(rows.dim(), (10, 8, 9));
    for row in rows.rows() {
        assert!([NO_PLATE, 0.0, 1.0, 2.0, IGNORE].contains(&row[0]), "{row}");
    }
}

#[test]
fn nothing_asked_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = render_plates(&spec(folder.path().to_owned(), 0, 1), |_| {}).unwrap_err();
    assert!(matches!(error, SetError::Zero("count")), "{error}");
    let error = render_plates(&spec(folder.path().to_owned(), 1, 0), |_| {}).unwrap_err();
    assert!(matches!(error, SetError::Zero("threads")), "{error}");
}

#[test]
fn an_odd_tile_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for size in [TileSize { width: 321, height: 256 }, TileSize { width: 320, height: 0 }] {
        let error = render_scenes(&spec(folder.path().to_owned(), 1, 1), size, |_| {}).unwrap_err();
        assert!(matches!(error, SetError::Size { .. }), "{error}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let error = render_plates(&spec(file.join("set"), 1, 1), |_| {}).unwrap_err();
    assert!(error.to_string().contains("a file"), "{error}");
}

#[test]
fn corner_crops_say_how_far_each_corner_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corners");
    render_corners(&spec(out.clone(), 30, 2), |_| {}).unwrap();
    let images: Array3<u8> = read_npy(out.join("corners-00000.images.npy")).unwrap();
    let offsets: Array2<f32> = read_npy(out.join("corners-00000.offsets.npy")).unwrap();
    assert_eq!((images.dim(), offsets.dim()), ((25, 64, 160), (25, 8)));
    let crop = crop::render_corners(&mut dice(5, 3));
    assert_eq!(offsets.row(3).to_vec(), crop.offsets);
    // The corners were found a little off, and never so far that the crop does not show them.
    assert!(offsets.iter().all(|o| o.abs() < clearance::picture::CORNER_MARGIN));
    assert!(offsets.iter().any(|o| o.abs() > 0.005));
}

#[test]
fn some_corners_are_those_of_what_is_around_a_plate_and_some_of_what_is_inside() {
    // The left and the right edge both far inside what was found, and both far outside.
    let [mut around, mut inside] = [0, 0];
    for item in 0..400 {
        let [a, _, b, _, c, _, d, _] = crop::render_corners(&mut dice(6, item)).offsets;
        let (left, right) = (f32::midpoint(a, d), f32::midpoint(b, c));
        around += usize::from(left > 0.06 && right < -0.06);
        inside += usize::from(left < -0.03 && right > 0.03);
    }
    assert!((8..=80).contains(&around), "{around} of 400 around the plate");
    assert!((2..=60).contains(&inside), "{inside} of 400 inside it");
}
