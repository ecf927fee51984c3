//! A whole edge node, linked to central over TLS, on a disk whose power goes again and again while officers assign and
//! revoke and vehicles drive up: nothing used is usable again, no recorded passage is lost, and the node holds what central
//! holds.
//!
//! `CLEARLANE_CUTS` sets how often (12 unless it is set), `CLEARLANE_SEED` when and with what.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tests::disk::{Disk, missing};
use tests::world::network::{Network, Place};
use tests::world::node::NodeOptions;
use tests::world::traffic::Traffic;

const SITE: &str = "site-a";

fn set(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_whose_power_goes_uses_nothing_twice_and_loses_no_passage() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("CLEARLANE_SKIP_NOTHING").is_none(), "cannot be skipped here: {why}");
        eprintln!("skipped: {why}");
        return;
    }
    let (cuts, seed) = (set("CLEARLANE_CUTS", 12), set("CLEARLANE_SEED", 1));
    let place = Place::default();
    let lease_ms = place.lease_ms;
    let network = Network::start_at(place, &[SITE], &["edge-1"]).unwrap();
    let mut disk = Disk::new().unwrap();
    let options = NodeOptions {
        site: SITE.to_owned(),
        edge: "edge-1".to_owned(),
        connect: vec![network.central.clone()],
        data: disk.path().to_owned(),
        namespace: None,
    };
    let traffic = Traffic::new(&network, SITE, 1, lease_ms);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let over = AtomicBool::new(false);
    let cutting = async {
        for cut in 0..cuts {
            let mut node = network.node(&options).unwrap();
            // Some early, while it opens and fetches; most when vehicles have been released again.
            let early = chance.random_bool(0.3);
            if early {
                disk.cut_after(chance.random_range(1..60));
            }
            let wanted = traffic.counts().released + 5;
            while traffic.vehicle(0, &mut node, &mut chance).await && !disk.is_dark() {
                if !early && traffic.counts().released == wanted {
                    disk.cut_after(chance.random_range(1..40));
                }
            }
            node.kill().await.unwrap();
            disk.power_cycle(&mut chance).unwrap();
            traffic.is_right().unwrap_or_else(|wrong| panic!("seed {seed}, cut {cut}: {wrong:#}"));
        }
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(cutting, traffic.officers(seed, &over));
    let mut nodes = [network.node(&options).unwrap()];
    traffic.settles(&mut nodes).await.unwrap();
    nodes[0].kill().await.unwrap();
    let counts = traffic.counts();
    eprintln!("{cuts} cuts, seed {seed}: {counts:?}");
    assert!(u64::from(counts.released) > cuts && counts.revoked > 0, "{counts:?}");
    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(found.contains("sound"), "{found}");
}
