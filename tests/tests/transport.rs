//! The way between edges and central over TLS: through routers that come and go, and for nobody without a certificate
//! that says so. Central and routers are processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::time::Duration;

use clearance::directive::ActionCode;
use clearance::ids::{Digest, Nonce, PassageId, SiteId, UtcMillis};
use clearance::order::{Order, Verdict};
use clearance::replicate::{Delta, Head};
use clearance::topic;
use clearance::wire::Signer;
use tests::world::network::{Edge, LANE, Network, Router, comes, free_endpoint, session, session_as_router};
use zenoh::Session;
use zenoh::qos::CongestionControl;

const SITE: &str = "site-a";

/// A network of one site and one edge.
fn network() -> Network {
    Network::start(&[SITE], &["edge-1"]).unwrap()
}

fn router(network: &Network, endpoint: &str) -> Router {
    network.router(SITE, &["edge-1"], endpoint, &network.central).unwrap()
}

fn edge(network: &Network, endpoints: &[&str]) -> Edge {
    network.edge(SITE, "edge-1", endpoints).unwrap()
}

/// Whether central has all these passages, each once.
async fn has(network: &Network, passages: &[PassageId]) {
    let feed = network.passages().await.unwrap();
    let mut ids: Vec<_> = feed.iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
    let mut wanted: Vec<_> = passages.iter().map(PassageId::to_string).collect();
    ids.sort();
    wanted.sort();
    assert_eq!(ids, wanted, "{feed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directive_reaches_the_view_and_a_passage_reaches_central_through_a_router() {
    let network = network();
    let router = router(&network, &free_endpoint("tls").unwrap());
    let edge = edge(&network, &[&router.endpoint]);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    // Live now, so this one comes as a delta.
    network.assign(SITE, "CD5678", "inspect").await.unwrap();
    edge.knows("CD5678").await.unwrap();
    edge.passes(PassageId([1; 16])).unwrap();
    edge.delivered().await.unwrap();
    has(&network, &[PassageId([1; 16])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_outlives_its_router_killed_and_started_again() {
    let network = network();
    let endpoint = free_endpoint("tls").unwrap();
    let first = router(&network, &endpoint);
    let edge = edge(&network, &[&endpoint]);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    drop(first);
    edge.passes(PassageId([1; 16])).unwrap();
    edge.stale().await.unwrap();
    let _again = router(&network, &endpoint);
    network.assign(SITE, "CD5678", "release").await.unwrap();
    edge.knows("CD5678").await.unwrap();
    edge.delivered().await.unwrap();
    has(&network, &[PassageId([1; 16])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_goes_to_another_router_and_at_last_to_central_itself() {
    let network = network();
    let (a, b) = (free_endpoint("tls").unwrap(), free_endpoint("tls").unwrap());
    let first = router(&network, &a);
    // The second is not there yet: it replaces the first, at another address.
    let edge = edge(&network, &[&a, &b, &network.central.clone()]);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    let second = router(&network, &b);
    drop(first);
    network.assign(SITE, "CD5678", "release").await.unwrap();
    edge.knows("CD5678").await.unwrap();
    drop(second);
    network.assign(SITE, "EF9012", "release").await.unwrap();
    edge.knows("EF9012").await.unwrap();
    network.kill_central();
    edge.passes(PassageId([1; 16])).unwrap();
    edge.stale().await.unwrap();
    network.restart_central().unwrap();
    edge.delivered().await.unwrap();
    has(&network, &[PassageId([1; 16])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_has_lost_central_lets_its_edges_go() {
    let network = network();
    let cut = Cut::start(&network.central).await;
    let endpoint = free_endpoint("tls").unwrap();
    let router = network.router(SITE, &["edge-1"], &endpoint, &cut.endpoint).unwrap();
    // Started with the router alone in reach, the edge is connected to it and stays there while it lasts.
    comes("the router", async || router.log().contains("routing").then_some(())).await.unwrap();
    let edge = edge(&network, &[&endpoint, &network.central]);
    network.assign(SITE, "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    drop(cut);
    comes("the router to notice", async || router.log().contains("central is lost").then_some(()))
        .await
        .unwrap();
    network.assign(SITE, "CD5678", "release").await.unwrap();
    edge.knows("CD5678").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_good_certificate_gets_in_and_officers_see_who_tried() {
    let network = network();
    let name = "edge.site-a.edge-1";
    let refused = [
        ("another authority's", network.central.clone(), Some(network.foreign_certificate(name).unwrap())),
        ("one that has run out", network.central.clone(), Some(network.expired_certificate(name).unwrap())),
        ("none, over plain TCP", network.central.replace("tls/", "tcp/"), None),
    ];
    for (what, endpoint, files) in &refused {
        assert!(session(endpoint, files.as_ref()).await.is_err(), "{what}");
    }
    // TLS without a certificate of one's own.
    let mut bare = zenoh::Config::default();
    let good = network.certificate(name).unwrap();
    for (key, value) in clearance::transport::connecting(std::slice::from_ref(&network.central), None) {
        bare.insert_json5(key, &value.to_string()).unwrap();
    }
    bare.insert_json5("transport/link/tls/root_ca_certificate", &format!("{:?}", good.ca)).unwrap();
    assert!(zenoh::open(bare).await.is_err(), "no certificate");
    for said in ["BadSignature", "certificate expired", "no certificates"] {
        let shown = async || network.console().await.unwrap().contains(said).then_some(());
        comes(&format!("{said} on the console"), shown).await.unwrap();
        assert!(network.log().contains(said), "{said}");
    }
    // And the good one is let in, so it was the certificate.
    assert!(session(&network.central, Some(&good)).await.is_ok());
    // An edge that nobody has entered in the configuration is connected and can do nothing.
    let stranger = network.certificate("edge.site-a.edge-9").unwrap();
    let stranger = session(&network.central, Some(&stranger)).await.unwrap();
    assert_eq!(ask(&stranger, topic::snapshot(&SITE.parse().unwrap())).await, 0);
    let shown = async || network.console().await.unwrap().contains("names nobody").then_some(());
    comes("the stranger on the console", shown).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_site_s_certificate_does_not_allow_is_not_delivered() {
    let network = Network::start(&["site-a", "site-b"], &["edge-1", "edge-2"]).unwrap();
    let endpoint = free_endpoint("tls").unwrap();
    let router = network.router("site-a", &["edge-1", "edge-2"], &endpoint, &network.central).unwrap();
    let mut edge = network.edge("site-a", "edge-1", &[&router.endpoint]).unwrap();
    let mut other = network.edge("site-b", "edge-1", &[&network.central]).unwrap();
    network.assign("site-a", "AB1234", "release").await.unwrap();
    network.assign("site-b", "AB1234", "release").await.unwrap();
    edge.knows("AB1234").await.unwrap();
    other.knows("AB1234").await.unwrap();
    // Listeners beside the edges: what reaches them is what the network lets through, before any signature is looked at.
    let mut ears = Vec::new();
    for (site, at) in [("site-a", &router.endpoint), ("site-b", &network.central)] {
        let files = network.certificate(&format!("edge.{site}.edge-2")).unwrap();
        let ear = session(at, Some(&files)).await.unwrap();
        let site = site.parse::<SiteId>().unwrap();
        let deltas = ear.declare_subscriber(topic::deltas(&site)).await.unwrap();
        let orders = ear.declare_subscriber(topic::all_orders(&site)).await.unwrap();
        // Answered after the declarations, on the same link.
        assert!(ask(&ear, topic::snapshot(&site)).await > 0);
        ears.push((site, ear, deltas, orders));
    }

    // A forger with a good certificate of site A, at the router and at central.
    let files = network.certificate("edge.site-a.edge-2").unwrap();
    for (at, as_router) in [(&router.endpoint, false), (&network.central, false), (&network.central, true)] {
        let forger = if as_router {
            session_as_router(at, &files).await.unwrap()
        } else {
            session(at, Some(&files)).await.unwrap()
        };
        let own = topic::snapshot(&"site-a".parse().unwrap());
        let answered = async || (ask(&forger, own.clone()).await > 0).then_some(());
        comes("an answer for the forger's own site", answered).await.unwrap();
        for site in ["site-a", "site-b"] {
            forge(&forger, &site.parse().unwrap()).await;
        }
        // Answered after all of that has been handled.
        assert!(ask(&forger, own.clone()).await > 0, "its own site");
        for key in [topic::snapshot(&"site-b".parse().unwrap()), "clearlane/**".to_owned()] {
            assert_eq!(ask(&forger, key.clone()).await, 0, "{key}");
        }
        forger.close().await.unwrap();
    }
    // A genuine delta follows everything forged: it is the first that is heard.
    network.assign("site-a", "CD5678", "release").await.unwrap();
    network.assign("site-b", "CD5678", "release").await.unwrap();
    for (site, _ear, deltas, orders) in &ears {
        let first = tokio::time::timeout(Duration::from_mins(1), deltas.recv_async()).await.unwrap().unwrap();
        assert_ne!(first.payload().to_bytes(), forged_delta(site), "{site}");
        assert!(orders.try_recv().unwrap().is_none(), "{site}");
    }
    for (edge, site) in [(&mut edge, "site-a"), (&mut other, "site-b")] {
        edge.knows("CD5678").await.unwrap();
        assert!(edge.orders.try_recv().is_err(), "{site}");
        assert!(edge.status().state == edge::link::ReplicaState::Live, "{:?}", edge.status());
    }
    // Each says whom it refused what.
    for said in
        ["edge.site-a.edge-2: put on clearlane/site-a/deltas", "put on clearlane/site-b/lanes/lane-1/orders"]
    {
        comes(&format!("{said:?} in central's log"), async || network.log().contains(said).then_some(()))
            .await
            .unwrap();
        comes(&format!("{said:?} in the router's log"), async || router.log().contains(said).then_some(()))
            .await
            .unwrap();
    }
    let shown = async || network.console().await.unwrap().contains("edge.site-a.edge-2: ").then_some(());
    comes("the forger on the console", shown).await.unwrap();
}

/// Put forged deltas and orders of a site, under all names that could reach its edges.
async fn forge(session: &Session, site: &SiteId) {
    let lane = LANE.parse().unwrap();
    let puts = [
        (topic::deltas(site), forged_delta(site)),
        (topic::orders(site, &lane), forged_order(site)),
        (topic::all_orders(site), forged_order(site)),
        (topic::everything(site), forged_delta(site)),
        ("clearlane/**".to_owned(), forged_delta(site)),
    ];
    for (key, bytes) in puts {
        session.put(key, bytes).congestion_control(CongestionControl::Block).await.unwrap();
    }
}

fn forged_delta(site: &SiteId) -> Vec<u8> {
    let head = Head::default();
    let delta = Delta {
        site: site.clone(),
        epoch: head.epoch,
        revision: head.revision,
        prev_hash: Digest([0; 32]),
        ops: Vec::new(),
    };
    Signer::from_secret(&[7; 32]).seal(&delta).0
}

fn forged_order(site: &SiteId) -> Vec<u8> {
    let order = Order {
        site: site.clone(),
        lane: LANE.parse().unwrap(),
        passage: PassageId([7; 16]),
        verdict: Verdict::Act(ActionCode::Release),
        officer: "mallory".parse().unwrap(),
        issued: UtcMillis(0),
        expires: UtcMillis(i64::MAX),
        nonce: Nonce([7; 16]),
    };
    Signer::from_secret(&[7; 32]).seal(&order).0
}

/// How many good answers there are to a query.
async fn ask(session: &Session, key: String) -> usize {
    let replies = session.get(key).timeout(Duration::from_secs(10)).await.unwrap();
    let mut good = 0;
    while let Ok(reply) = replies.recv_async().await {
        good += usize::from(reply.result().is_ok());
    }
    good
}

/// A way to an endpoint that can be cut: dropped, its connections end and it takes no more.
struct Cut {
    endpoint: String,
    _task: tokio::task::JoinSet<()>,
}

impl Cut {
    async fn start(to: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tls/{}", listener.local_addr().unwrap());
        let to = to.trim_start_matches("tls/").to_owned();
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move {
            let mut ways = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(&to).await.unwrap();
                ways.spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { endpoint, _task: task }
    }
}
