//! Central's history begins anew, because the database was brought back from a copy or the key was replaced: real processes,
//! real records, and an officer at the console.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clearance::mark::RegistrationMark;
use edge::link::ReplicaState;
use tests::world::network::{Edge, Network, comes};

const SITE: &str = "site-a";

fn network() -> Network {
    Network::start(&[SITE], &["edge-1"]).unwrap()
}

fn edge(network: &Network) -> Edge {
    network.edge(SITE, "edge-1", &[&network.central]).unwrap()
}

fn holds(edge: &Edge, mark: &str) -> bool {
    let mark: RegistrationMark = mark.parse().unwrap();
    !edge.cache.view(&[mark]).unwrap().entries.is_empty()
}

async fn quarantined(edge: &Edge) {
    comes("the quarantine", async || {
        matches!(edge.status().state, ReplicaState::Quarantined(_)).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_has_seen_more_than_a_restored_central_waits_for_an_officer() {
    let network = network();
    let first = edge(&network);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    first.knows("AB1234").await.unwrap();
    network.kill_central();
    network.copy_database().unwrap();
    network.restart_central().unwrap();
    network.assign(SITE, "CD5678", "release").await.unwrap();
    first.knows("CD5678").await.unwrap();

    network.kill_central();
    network.bring_copy_back().unwrap();
    let begun = network.command(&["epoch", "begin", "--reason", "restored"]).unwrap();
    assert!(begun.starts_with("epoch "), "{begun}");
    network.restart_central().unwrap();
    quarantined(&first).await;
    assert!(first.status().lease_left().is_zero());

    // Started again, it still is.
    drop(first);
    let again = edge(&network);
    quarantined(&again).await;
    let page = comes("the officer's page", async || {
        again.tell().await.ok()?;
        let page = network.console().await.ok()?;
        page.contains("/console/edges/site-a/edge-1/accept").then_some(page)
    })
    .await
    .unwrap();
    assert!(page.contains("does not hold what this edge has seen"), "{page}");

    let told = network.accept_fork(SITE, "edge-1", " ").await.unwrap();
    assert!(told.contains("Nothing was accepted: say why"), "{told}");
    let told = network.accept_fork(SITE, "edge-1", "restored from the copy of Monday").await.unwrap();
    assert!(told.contains("Accepted. The edge follows"), "{told}");
    comes("the edge to follow", async || {
        again.tell().await.ok()?;
        (!again.status().lease_left().is_zero()).then_some(())
    })
    .await
    .unwrap();
    assert!(holds(&again, "AB1234") && !holds(&again, "CD5678"), "it holds what central holds");
    network.assign(SITE, "EF9012", "release").await.unwrap();
    again.knows("EF9012").await.unwrap();

    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(!found.contains("DAMAGE"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_follow_a_central_that_was_brought_back_from_its_backup() {
    let network = Network::start(&[SITE], &["edge-1", "edge-2"]).unwrap();
    let first = edge(&network);
    let second = network.edge(SITE, "edge-2", &[&network.central]).unwrap();
    network.assign(SITE, "AB1234", "release").await.unwrap();
    first.knows("AB1234").await.unwrap();
    second.knows("AB1234").await.unwrap();
    let before = first.status().head.epoch;
    let copy = network.folder().join("central.copy");
    let manifest = network.beside(&["backup", "--out", copy.to_str().unwrap()]).unwrap();
    assert!(manifest.contains("sha256"), "{manifest}");
    // The second edge is cut off; the first sees more than the copy holds.
    drop(second);
    network.assign(SITE, "CD5678", "release").await.unwrap();
    first.knows("CD5678").await.unwrap();

    network.kill_central();
    network.lose_database().unwrap();
    let said = network.command(&["restore", "--from", copy.to_str().unwrap()]).unwrap();
    assert!(said.contains("epoch"), "{said}");
    network.restart_central().unwrap();
    quarantined(&first).await;
    assert!(first.status().lease_left().is_zero(), "nobody vouches for what it holds");
    // Who has seen no more than the copy follows by itself.
    let second = network.edge(SITE, "edge-2", &[&network.central]).unwrap();
    second.knows("AB1234").await.unwrap();
    assert!(second.status().head.epoch > before && !holds(&second, "CD5678"));

    comes("the officer's page", async || {
        first.tell().await.ok()?;
        let page = network.console().await.ok()?;
        page.contains("/console/edges/site-a/edge-1/accept").then_some(())
    })
    .await
    .unwrap();
    let told = network.accept_fork(SITE, "edge-1", "restored from the backup of this morning").await.unwrap();
    assert!(told.contains("Accepted. The edge follows"), "{told}");
    comes("the edge to follow", async || {
        first.tell().await.ok()?;
        (!first.status().lease_left().is_zero()).then_some(())
    })
    .await
    .unwrap();
    first.knows("AB1234").await.unwrap();
    assert!(first.status().head.epoch > before && !holds(&first, "CD5678"), "it holds what central holds");
    for edge in [&first, &second] {
        assert_eq!(edge.status().head.epoch, first.status().head.epoch);
    }
    network.assign(SITE, "EF9012", "release").await.unwrap();
    first.knows("EF9012").await.unwrap();
    second.knows("EF9012").await.unwrap();
    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(!found.contains("DAMAGE"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_follow_to_another_key_of_central_by_themselves() {
    let network = network();
    let edge = edge(&network);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    let before = edge.status().head.epoch;
    network.kill_central();
    let first = network.command(&["keys", "rotate"]).unwrap();
    // Twice, so that one rotation only opens with the key of the other.
    let second = network.command(&["keys", "rotate"]).unwrap();
    assert_ne!(first, second);
    network.restart_central().unwrap();
    network.assign(SITE, "CD5678", "release").await.unwrap();
    edge.knows("CD5678").await.unwrap();
    assert!(edge.status().head.epoch > before && holds(&edge, "AB1234"));
    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(!found.contains("DAMAGE"), "{found}");
}
