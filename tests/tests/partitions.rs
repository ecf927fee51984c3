//! Central, a router and two edges on machines of their own (network namespaces), over mTLS, while the lines between them
//! lose a third of all packets, delay them by half a second, are cut, and the router is killed; officers assign and revoke
//! and vehicles drive up all the time.
//!
//! Needs root; with `CLEARLANE_SKIP_NOTHING` set it is a failure not to have it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tests::world::namespaces::{Line, Machines, missing, run_apart};
use tests::world::network::{Network, Place, comes};
use tests::world::node::{Node, NodeOptions};
use tests::world::traffic::{Counts, Traffic};

const SITE: &str = "site-a";
const EDGES: [&str; 2] = ["edge-1", "edge-2"];
const LEASE_MS: u64 = 4_000;
const SEED: u64 = 1;

#[test]
fn nothing_is_released_wrongly_and_nothing_is_lost_whatever_the_network_does() {
    match missing() {
        Some(why) if std::env::var_os("CLEARLANE_SKIP_NOTHING").is_some() => {
            panic!("cannot be skipped here: {why}")
        }
        Some(why) => eprintln!("skipped: network namespaces cannot be made: {why}"),
        None => run_apart("apart").unwrap(),
    }
}

/// Wait until so much more has happened.
async fn more(traffic: &Traffic<'_>, what: &str, enough: impl Fn(Counts, Counts) -> bool) {
    let before = traffic.counts();
    comes(what, async || enough(before, traffic.counts()).then_some(())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "run by the other test, in namespaces of its own"]
async fn apart() {
    let machines = Machines::new(&["office", "central", "router", "edge-1", "edge-2"], SEED).unwrap();
    let at = |name: &str| machines.address(name).unwrap();
    let place = Place {
        namespace: Some("central".to_owned()),
        hosts: vec![at("central"), at("router")],
        lease_ms: LEASE_MS,
    };
    let network = Network::start_at(place, &[SITE], &EDGES).unwrap();
    let endpoint = format!("tls/{}:7447", at("router"));
    let route = || network.router_in(Some("router"), SITE, &EDGES, &endpoint, &network.central).unwrap();
    let router = route();
    // The second edge has nowhere else to go.
    let ways = [vec![endpoint.clone(), network.central.clone()], vec![endpoint.clone()]];
    let mut nodes: Vec<Node> = EDGES
        .iter()
        .zip(ways)
        .map(|(edge, connect)| {
            let data = network.folder().join(edge);
            let (site, edge) = (SITE.to_owned(), (*edge).to_owned());
            let namespace = Some(edge.clone());
            network.node(&NodeOptions { site, edge, connect, data, namespace }).unwrap()
        })
        .collect();
    let traffic = Traffic::new(&network, SITE, EDGES.len(), LEASE_MS);
    let all = |line: Line| {
        for (one, other) in
            [("central", "router"), ("router", "edge-1"), ("router", "edge-2"), ("central", "edge-1")]
        {
            machines.set(one, other, line).unwrap();
        }
    };
    let clears = async |what: &str| {
        more(&traffic, what, |a, b| b.released >= a.released + 6 && b.revoked >= a.revoked + 3).await;
    };
    let happens = async {
        clears("vehicles cleared over sound lines").await;

        all(Line { loss: 0.3, delay: 0.0 });
        // Leases run out, are granted late or not at all, and what is revoked is heard of late.
        more(&traffic, "traffic under loss", |a, b| {
            b.revoked >= a.revoked + 100 && b.referred >= a.referred + 100
        })
        .await;
        all(Line::SOUND);
        clears("vehicles cleared after the loss").await;

        all(Line { loss: 0.0, delay: 0.5 });
        clears("vehicles cleared over half a second").await;
        all(Line::SOUND);

        // One lane is cut off: its lease runs out, and the other goes on.
        machines.set("edge-1", "router", Line::CUT).unwrap();
        machines.set("edge-1", "central", Line::CUT).unwrap();
        traffic.cut_off(0, true);
        more(&traffic, "the end of a lease", |a, b| b.stale >= a.stale + 40 && b.released >= a.released + 10)
            .await;
        traffic.cut_off(0, false);
        all(Line::SOUND);
        clears("vehicles cleared after the cut").await;

        drop(router);
        more(&traffic, "the end of a lease without the router", |a, b| b.stale >= a.stale + 40).await;
        let again = route();
        clears("vehicles cleared over the router that was started again").await;
        Ok(again)
    };
    let _router = traffic.during(&mut nodes, SEED, happens).await.unwrap();
    traffic.settles(&mut nodes).await.unwrap();
    let counts = traffic.counts();
    eprintln!("{counts:?}");
    assert!(counts.unanswered == 0 && counts.unknown == 0, "offices and lanes themselves were not disturbed");
    network.kill_central();
    let found = network.command(&["fsck"]).unwrap();
    assert!(found.contains("sound"), "{found}");
}
