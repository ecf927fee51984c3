//! No arrow between rooms points the wrong way: which of our crates may know which, from `cargo metadata`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each room may use of ours. ARCHITECTURE.md says why.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("clearance", &[]),
    ("models", &["clearance"]),
    ("datasets", &["clearance"]),
    ("calibration", &["clearance"]),
    ("edge", &["clearance", "models"]),
    ("central", &["clearance", "risk"]),
    ("risk", &["clearance", "models"]),
    ("tests", &["clearance", "models", "datasets", "calibration", "edge", "central", "risk", "peer-lmdb"]),
    // What the benchmark compares with.
    ("peer-lmdb", &[]),
];

#[test]
fn rooms_know_only_whom_they_may() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let rooms: BTreeMap<_, _> =
        metadata.workspace_packages().into_iter().map(|p| (p.name.to_string(), p)).collect();
    let allowed: BTreeMap<_, _> = MAY_USE.into_iter().collect();
    assert_eq!(
        rooms.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        allowed.keys().copied().collect::<BTreeSet<_>>(),
        "a room was added or removed: say in ARCHITECTURE.md whom it may know, and here"
    );
    for (name, package) in &rooms {
        let ours = package.dependencies.iter().filter(|d| rooms.contains_key(&d.name));
        for dependency in ours {
            assert!(
                allowed[name.as_str()].contains(&dependency.name.as_str()),
                "{name} must not use {} ({:?})",
                dependency.name,
                dependency.kind
            );
        }
    }
}

#[test]
fn the_shared_language_does_no_io() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let clearance =
        metadata.workspace_packages().into_iter().find(|p| p.name.as_str() == "clearance").unwrap();
    let runtime: BTreeSet<_> = clearance
        .dependencies
        .iter()
        .filter(|d| d.kind == DependencyKind::Normal)
        .map(|d| d.name.as_str())
        .collect();
    for banned in ["tokio", "zenoh", "sled", "rand", "getrandom", "reqwest", "sqlx", "tracing", "uuid"] {
        assert!(!runtime.contains(banned), "clearance is pure: {banned} does not belong there");
    }
}
