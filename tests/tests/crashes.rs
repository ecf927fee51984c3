//! Central under `kill -9` at random moments, while officers assign and revoke and lanes send passages: whatever was
//! acknowledged is there, nothing is there in half, and the lanes hold what central holds.
//!
//! `CLEARLANE_CRASHES` sets how often (30 unless it is set), `CLEARLANE_SEED` which moments.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tests::world::network::{Network, Place};
use tests::world::node::NodeOptions;
use tests::world::traffic::Traffic;

const SITE: &str = "site-a";

fn set(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn central_killed_at_random_keeps_what_it_has_acknowledged_and_nothing_by_halves() {
    let (crashes, seed) = (set("CLEARLANE_CRASHES", 30), set("CLEARLANE_SEED", 1));
    let place = Place::default();
    let lease_ms = place.lease_ms;
    let edges = ["edge-1", "edge-2"];
    let network = Network::start_at(place, &[SITE], &edges).unwrap();
    let mut nodes: Vec<_> = edges
        .iter()
        .map(|edge| {
            let data = network.folder().join(edge);
            let (site, edge) = (SITE.to_owned(), (*edge).to_owned());
            let connect = vec![network.central.clone()];
            network.node(&NodeOptions { site, edge, connect, data, namespace: None }).unwrap()
        })
        .collect();
    let traffic = Traffic::new(&network, SITE, nodes.len(), lease_ms);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let killing = async {
        for _ in 0..crashes {
            // Short lives for central's own commits, long ones for those that lanes cause when they are back.
            let life = if chance.random_bool(0.5) { 300 } else { 1200 };
            tokio::time::sleep(Duration::from_millis(chance.random_range(0..life))).await;
            network.kill_central();
            tokio::task::block_in_place(|| network.restart_central())?;
        }
        Ok(())
    };
    traffic.during(&mut nodes, seed, killing).await.unwrap();
    traffic.settles(&mut nodes).await.unwrap();
    let counts = traffic.counts();
    eprintln!("{crashes} crashes, seed {seed}: {counts:?}");
    assert!(counts.unanswered > 0, "no request was under way when central was killed: {counts:?}");
    assert!(counts.assigned > 0 && counts.revoked > 0 && counts.released > 0, "{counts:?}");
    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(found.contains("sound"), "{found}");
}
