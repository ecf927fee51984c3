use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use clearance::example::LabelledExample;
use clearance::geometry::Quad;
use clearance::ids::{Digest, PassageId, UtcMillis};
use clearance::read::PlateLayout;
use tempfile::TempDir;

use super::{ExportError, Format, Split, export};

fn example(folder: &std::path::Path, passage: u8, plate: u32, mark: &str, vehicle: &str) -> LabelledExample {
    let image = format!("{passage:02}-{plate}.png");
    let picture = image::GrayImage::from_pixel(200, 100, image::Luma([passage]));
    fs::create_dir_all(folder.join("images")).unwrap();
    picture.save(folder.join("images").join(&image)).unwrap();
    let bytes = fs::read(folder.join("images").join(&image)).unwrap();
    LabelledExample {
        passage: PassageId([passage; 16]),
        plate,
        site: "lok-ma-chau".parse().unwrap(),
        lane: "lane-1".parse().unwrap(),
        image,
        sha256: Digest::of(&bytes),
        corners: Quad::rectangle(20.0, 30.0, 100.0, 25.0),
        layout: PlateLayout::SingleRow,
        mark: mark.parse().ok(),
        machine_read: None,
        vehicle: vehicle.parse().ok(),
        officer: "chan".parse().unwrap(),
        at: UtcMillis(1),
        licence: "operator's own pictures".to_owned(),
    }
}

fn write_list(folder: &std::path::Path, examples: &[LabelledExample]) {
    let mut file = fs::File::create(folder.join("labels.jsonl")).unwrap();
    for e in examples {
        writeln!(file, "{}", serde_json::to_string(e).unwrap()).unwrap();
    }
}

fn forty(folder: &std::path::Path) -> Vec<LabelledExample> {
    (0..40).map(|i| example(folder, i, 0, &format!("AB{i}1"), &format!("CD{}", i / 2))).collect()
}

#[test]
fn no_vehicle_is_in_two_splits_and_a_larger_export_moves_none() {
    let dir = TempDir::new().unwrap();
    let examples = forty(dir.path());
    let splits = |count: usize, out: &str| {
        write_list(dir.path(), &examples[..count]);
        let manifest = export(dir.path(), &dir.path().join(out), Format::Csv, 1).unwrap();
        let mut of_vehicle = BTreeMap::<String, Split>::new();
        for (e, image) in examples.iter().zip(&manifest.images) {
            let vehicle = e.vehicle.clone().unwrap().to_string();
            assert_eq!(*of_vehicle.entry(vehicle).or_insert(image.split), image.split);
        }
        of_vehicle
    };
    let (some, all) = (splits(20, "some"), splits(40, "all"));
    assert!(some.iter().all(|(vehicle, split)| all[vehicle] == *split));
    assert!(all.values().any(|s| *s != Split::Train), "twenty vehicles reach more than one split");
}

#[test]
fn every_format_carries_box_corners_and_mark() {
    let dir = TempDir::new().unwrap();
    write_list(dir.path(), &[example(dir.path(), 1, 0, "粤ZN537港", "SM741")]);
    let out = |name| dir.path().join(name);

    let manifest = export(dir.path(), &out("csv"), Format::Csv, 1).unwrap();
    let csv = fs::read_to_string(out("csv").join("labels.csv")).unwrap();
    assert!(
        csv.contains("粤ZN537港,20.0,30.0,100.0,25.0,20.0 30.0 120.0 30.0 120.0 55.0 20.0 55.0,single_row,"),
        "{csv}"
    );
    assert!(out("csv").join(&manifest.images[0].file).exists());

    export(dir.path(), &out("coco"), Format::Coco, 1).unwrap();
    let split = manifest.images[0].split.name();
    let coco = fs::read_to_string(out("coco").join(format!("{split}.json"))).unwrap();
    let coco: serde_json::Value = serde_json::from_str(&coco).unwrap();
    assert_eq!(coco["annotations"][0]["bbox"], serde_json::json!([20.0, 30.0, 100.0, 25.0]));
    assert_eq!(coco["annotations"][0]["attributes"]["mark"], "粤ZN537港");
    assert_eq!(coco["images"][0]["width"], 200);

    export(dir.path(), &out("yolo"), Format::Yolo, 1).unwrap();
    let label = fs::read_to_string(out("yolo").join("labels").join(split).join("01-0.txt")).unwrap();
    assert!(label.starts_with("0 0.350000 0.425000 0.500000 0.250000 0.100000 0.300000 "), "{label}");
}

#[test]
fn the_latest_correction_of_a_plate_counts() {
    let dir = TempDir::new().unwrap();
    let first = example(dir.path(), 1, 0, "AB123", "AB123");
    let second = LabelledExample { mark: "AB128".parse().ok(), ..first.clone() };
    write_list(dir.path(), &[first, second]);
    export(dir.path(), &dir.path().join("out"), Format::Csv, 1).unwrap();
    let csv = fs::read_to_string(dir.path().join("out/labels.csv")).unwrap();
    assert!(csv.contains("AB128") && !csv.contains("AB123,"), "{csv}");
}

#[test]
fn what_does_not_fit_its_picture_is_left_out_and_named() {
    let dir = TempDir::new().unwrap();
    let good = example(dir.path(), 1, 0, "AB123", "AB123");
    let changed = example(dir.path(), 2, 0, "AB124", "AB124");
    fs::write(dir.path().join("images/02-0.png"), b"other").unwrap();
    let outside = LabelledExample {
        corners: Quad::rectangle(150.0, 30.0, 100.0, 25.0),
        ..example(dir.path(), 3, 0, "AB125", "AB125")
    };
    let climbing = LabelledExample {
        image: "../labels.jsonl".to_owned(),
        ..example(dir.path(), 4, 0, "AB126", "AB126")
    };
    let unread = LabelledExample { mark: None, ..example(dir.path(), 5, 0, "AB127", "AB127") };
    write_list(dir.path(), &[good, changed, outside, climbing, unread]);
    let manifest = export(dir.path(), &dir.path().join("out"), Format::Coco, 1).unwrap();
    assert_eq!(manifest.images.len(), 1);
    assert_eq!(manifest.skipped.len(), 4, "{:?}", manifest.skipped);
}

#[test]
fn errors_name_the_place() {
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("out");
    assert!(matches!(export(dir.path(), &out, Format::Csv, 1), Err(ExportError::Io { .. })));
    fs::write(dir.path().join("labels.jsonl"), "").unwrap();
    assert!(matches!(export(dir.path(), &out, Format::Csv, 1), Err(ExportError::Empty(_))));
    fs::write(dir.path().join("labels.jsonl"), "\n{\"passage\": 1}\n").unwrap();
    assert!(matches!(export(dir.path(), &out, Format::Csv, 1), Err(ExportError::Line { line: 2, .. })));
    assert!(!out.exists(), "a failed export leaves nothing");
    assert!(matches!(export(dir.path(), dir.path(), Format::Csv, 1), Err(ExportError::TargetExists(_))));
}
