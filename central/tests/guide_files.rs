//! The example files of the guide are what is written and read here. `UPDATE_GOLDEN=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use central::trade::batch::{self, Entry, Format, Row};
use central::trade::{Consignment, Direction, GoodsLine, Party};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/examples")
}

fn file(format: Format) -> PathBuf {
    examples().join(format!("consignments.{format}"))
}

/// Three consignments, the last with two lines of goods; of a day that has gone by, for whoever tries them to set their own.
fn consignments() -> Vec<(&'static str, Consignment)> {
    let party = |name: &str, address: &str| Party { name: name.to_owned(), address: address.to_owned() };
    let first = Consignment {
        direction: Direction::Inbound,
        packages: 24,
        package_kind: "CT".to_owned(),
        description: "Printed circuit boards".to_owned(),
        consignor: party("Shenzhen Components Ltd", "12 Keji Road, Nanshan, Shenzhen"),
        consignee: party("Kowloon Assembly Ltd", "8 Nathan Road, Kowloon, Hong Kong"),
        expected_date: "2026-01-31".to_owned(),
        hs_code: Some("85340010".to_owned()),
        origin: Some("CN".to_owned()),
        value_hkd: Some(100_000),
        net_weight_kg: Some(420),
        goods: Vec::new(),
        transhipment: false,
    };
    let line = |description: &str, hs_code: &str, value: u64, weight: u64| GoodsLine {
        description: description.to_owned(),
        hs_code: Some(hs_code.to_owned()),
        origin: Some("CN".to_owned()),
        value_hkd: Some(value),
        net_weight_kg: Some(weight),
    };
    let second = Consignment {
        direction: Direction::Outbound,
        packages: 3,
        package_kind: "PX".to_owned(),
        description: "凍魚 (frozen fish)".to_owned(),
        hs_code: None,
        origin: None,
        value_hkd: None,
        net_weight_kg: None,
        transhipment: true,
        ..first.clone()
    };
    let goods = vec![
        line("Circuit boards, four layers", "85340010", 60_000, 250),
        line("Connectors", "85366990", 40_000, 170),
    ];
    let third = Consignment { description: "Parts for \"Kowloon 8\"".to_owned(), goods, ..first.clone() };
    vec![("PO-4711", first), ("PO-4712", second), ("PO-4713", third)]
}

/// People's words.
fn english(key: &str) -> String {
    let words = include_str!("../locales/en/batch.ftl").lines().filter_map(|line| line.split_once(" = "));
    words.into_iter().find(|(name, _)| *name == key).map(|(_, word)| word.to_owned()).expect(key)
}

fn read(format: Format) -> Vec<Row> {
    let path = file(format);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GOLDEN=1", path.display()));
    batch::read(format, &bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn each_example_says_the_same() {
    let expected = consignments();
    for format in Format::ALL {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let entries: Vec<_> =
                expected.iter().map(|(reference, consignment)| Entry { reference, consignment }).collect();
            std::fs::create_dir_all(examples()).unwrap();
            std::fs::write(file(format), batch::write(format, &entries, &english).unwrap()).unwrap();
        }
        let rows = read(format);
        let read: Vec<_> = rows
            .iter()
            .map(|row| (row.origin.reference.as_deref().unwrap(), row.checked(|_| Vec::new()).unwrap()))
            .collect();
        assert_eq!(read, expected, "{format}");
    }
}

/// `xmllint` on one of the examples; `None` where there is none.
fn validated(xml: &Path) -> Option<bool> {
    let schema = examples().join("../consignments.xsd");
    let mut command = Command::new("xmllint");
    match command.args(["--nonet", "--noout", "--schema"]).arg(schema).arg(xml).output() {
        Ok(done) => Some(done.status.success()),
        Err(error) => {
            eprintln!("skipped: xmllint: {error}");
            None
        }
    }
}

#[test]
fn the_schema_takes_the_example_and_refuses_what_central_refuses() {
    let Some(valid) = validated(&file(Format::Xml)) else { return };
    assert!(valid, "the example");
    let example = std::fs::read_to_string(file(Format::Xml)).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    for (old, new) in [
        ("<CargoDescription>", "<Colour/><CargoDescription>"),
        ("<TotalPackageQuantity>24<", "<TotalPackageQuantity>0<"),
        ("currencyID=\"HKD\"", "currencyID=\"USD\""),
        ("urn:clearlane:consignments:1", "urn:other"),
        ("2026-01-31", "31 January"),
    ] {
        let path = folder.path().join("bad.xml");
        let bad = example.replacen(old, new, 1);
        assert_ne!(bad, example, "{old}");
        std::fs::write(&path, &bad).unwrap();
        assert_eq!(validated(&path), Some(false), "{new}");
        let refused = match batch::read(Format::Xml, bad.as_bytes()) {
            Ok(rows) => rows.iter().any(|row| row.checked(|_| Vec::new()).is_err()),
            Err(_) => true,
        };
        assert!(refused, "{new}");
    }
}

#[test]
fn the_schema_names_every_element() {
    let schema = std::fs::read_to_string(examples().join("../consignments.xsd")).unwrap();
    for column in &batch::COLUMNS {
        for element in column.path {
            assert!(schema.contains(&format!("name=\"{element}\"")), "{element}");
        }
    }
}
