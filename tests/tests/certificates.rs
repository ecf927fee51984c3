//! Certificates that are renewed, run out, are revoked or are somebody else's, while central, routers and edges run and
//! directives flow. Central and routers are processes; where an edge has to say something, it is one too.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use clearance::decide::Lease;
use clearance::ids::PassageId;
use clearance::topic;
use clearance::transport::TlsFiles;
use futures::future::join_all;
use tests::world::network::{Edge, Network, Place, Router, comes, free_endpoint, session};
use tests::world::node::NodeOptions;

const SITE: &str = "site-a";
const EDGES: [&str; 2] = ["edge-1", "edge-2"];

/// As long as a certificate is good that nobody means to replace.
const LONG: Duration = Duration::from_hours(240);

/// How soon a change of files or of a list has an effect: two looks, two seconds apart, and a new session; and as much again
/// for a busy machine.
const SOON: Duration = Duration::from_secs(15);

fn route(network: &Network) -> Router {
    network.router(SITE, &EDGES, &free_endpoint("tls").unwrap(), &network.central).unwrap()
}

/// Whether a log or a page says something, in time.
async fn says(what: &str, text: impl Fn() -> String) {
    comes(&format!("{what:?}: {}", text()), async || text().contains(what).then_some(())).await.unwrap();
}

async fn console_says(network: &Network, what: &str) {
    comes(what, async || network.console().await.unwrap().contains(what).then_some(())).await.unwrap();
}

/// How many good answers a bare session with these files gets to what an edge may ask without signing it; none where it is
/// not let in at all.
async fn reads(endpoint: &str, files: &TlsFiles) -> usize {
    let Ok(session) = session(endpoint, Some(files)).await else { return 0 };
    let site = SITE.parse().unwrap();
    let mut good = 0;
    for key in [topic::snapshot(&site), format!("{}?from=1;to=100", topic::range(&site)), topic::keys(&site)]
    {
        let replies = session.get(key).timeout(Duration::from_secs(2)).await.unwrap();
        while let Ok(reply) = replies.recv_async().await {
            good += usize::from(reply.result().is_ok());
        }
    }
    session.close().await.unwrap();
    good
}

/// Directives and passages, one after the other.
struct Flow<'a> {
    network: &'a Network,
    edges: Vec<&'a Edge>,
    passages: Vec<PassageId>,
    slowest: Duration,
}

impl Flow<'_> {
    /// Assign until this moment; each directive is known at every edge before the next is assigned, and no edge is without a
    /// lease meanwhile.
    async fn until(&mut self, end: Instant) {
        while Instant::now() < end {
            let number = self.passages.len() as u8;
            let mark = format!("AB{}", 1000 + u32::from(number));
            self.network.assign(SITE, &mark, "release").await.unwrap();
            let since = Instant::now();
            while !self.edges.iter().all(|edge| edge.holds(&mark).unwrap()) {
                for edge in &self.edges {
                    assert_eq!(edge.status().lease(), Lease::Live, "{:?}", edge.status());
                }
                assert!(since.elapsed() < SOON, "{mark}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.slowest = self.slowest.max(since.elapsed());
            let passage = PassageId([number; 16]);
            self.edges[usize::from(number) % self.edges.len()].passes(passage).unwrap();
            self.passages.push(passage);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Everything that was recorded is at central, once.
    async fn all_is_there(&self) {
        for edge in &self.edges {
            edge.delivered().await.unwrap();
        }
        let feed = self.network.passages().await.unwrap();
        let mut ids: Vec<_> = feed.iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
        let mut wanted: Vec<_> = self.passages.iter().map(PassageId::to_string).collect();
        ids.sort();
        wanted.sort();
        assert_eq!(ids, wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_while_directives_flow_and_the_old_ones_run_out() {
    let place = Place { lease_ms: 10_000, ..Place::default() };
    let network = Network::start_at(place, &[SITE], &EDGES).unwrap();
    let router = route(&network);
    let through = network.edge(SITE, "edge-1", &[&router.endpoint]).unwrap();
    let direct = network.edge(SITE, "edge-2", &[&network.central]).unwrap();
    network.assign(SITE, "ZZ9", "release").await.unwrap();
    through.knows("ZZ9").await.unwrap();
    direct.knows("ZZ9").await.unwrap();
    let parties = ["edge.site-a.edge-1", "edge.site-a.edge-2", "router.site-a", "central"];
    let renewals = |text: String| text.matches("the certificate was renewed").count();
    let renewed = async |times| {
        for log in [&(|| network.log()) as &dyn Fn() -> String, &|| router.log()] {
            comes("the renewal", async || (renewals(log()) >= times).then_some(())).await.unwrap();
        }
    };

    let short = Duration::from_secs(40);
    let old = network.issue("edge.site-a.edge-1", short, edge::clock::utc_now()).unwrap();
    for party in parties {
        network.renew(party, short).unwrap();
    }
    let end = Instant::now() + short;
    let mut flow =
        Flow { network: &network, edges: vec![&through, &direct], passages: vec![], slowest: Duration::ZERO };
    flow.until(Instant::now() + Duration::from_secs(10)).await;
    renewed(1).await;
    assert!(reads(&network.central, &old).await > 0, "good until it runs out");
    for party in parties {
        network.renew(party, LONG).unwrap();
    }
    // Beyond the end of the short ones, and beyond the leases that were granted by then.
    flow.until(end + Duration::from_secs(12)).await;
    renewed(2).await;
    flow.all_is_there().await;
    assert_eq!(reads(&network.central, &old).await, 0, "it has run out");
    println!("{} directives and passages; slowest {:?}", flow.passages.len(), flow.slowest);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_whose_certificate_runs_out_is_let_go_and_comes_back_with_a_new_one() {
    let network = Network::start(&[SITE], &EDGES).unwrap();
    network.certificate("edge.site-a.edge-1").unwrap();
    network.renew("edge.site-a.edge-1", Duration::from_secs(20)).unwrap();
    let edge = network.edge(SITE, "edge-1", &[&network.central]).unwrap();
    network.assign(SITE, "AB1", "release").await.unwrap();
    edge.knows("AB1").await.unwrap();
    edge.stale().await.unwrap();
    console_says(&network, "side's certificate has run out").await;
    console_says(&network, "certificate expired").await;
    edge.passes(PassageId([1; 16])).unwrap();
    network.renew("edge.site-a.edge-1", LONG).unwrap();
    network.assign(SITE, "AB2", "release").await.unwrap();
    edge.knows("AB2").await.unwrap();
    edge.delivered().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_central_and_a_router_that_start_with_certificates_that_have_run_out_link_when_they_get_new_ones() {
    let network = Network::start(&[SITE], &EDGES).unwrap();
    let long_ago = edge::clock::utc_now().plus_millis(-3 * 86_400_000);
    let day = Duration::from_hours(24);
    for party in ["router.site-a", "central"] {
        network.certificate(party).unwrap();
        network.replace(party, &network.issue(party, day, long_ago).unwrap()).unwrap();
    }
    network.kill_central();
    network.restart_central().unwrap();
    let router = route(&network);
    says("no links until this is mended", || network.log()).await;
    says("no links until this is mended", || router.log()).await;
    let options = NodeOptions {
        site: SITE.to_owned(),
        edge: "edge-1".to_owned(),
        connect: vec![network.central.clone()],
        data: network.folder().join("node"),
        namespace: None,
    };
    let mut node = network.node(&options).unwrap();
    says("the certificate of whoever answers there has run out", || node.log()).await;
    let status = node.status().await.unwrap();
    assert!(status.lease_left_ms == 0 && status.refused[0].contains("has run out"), "{status:?}");
    // The router sees that central's has run out, and central that the router's has.
    says("the certificate of whoever answers there has run out", || router.log()).await;
    network.renew("central", LONG).unwrap();
    says("our own certificate has run out", || router.log()).await;
    console_says(&network, "certificate expired").await;
    network.renew("router.site-a", LONG).unwrap();
    let edge = network.edge(SITE, "edge-2", &[&router.endpoint]).unwrap();
    network.assign(SITE, "AB1", "release").await.unwrap();
    edge.knows("AB1").await.unwrap();
    let alive = async || (node.status().await.unwrap().lease_left_ms > 0).then_some(());
    comes("the node's lease", alive).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_s_certificate_reads_nothing_and_is_named() {
    let network = Network::start(&["site-a", "site-b"], &EDGES).unwrap();
    let router = route(&network);
    network.assign("site-a", "AB1", "release").await.unwrap();
    let good = network.edge(SITE, "edge-2", &[&router.endpoint]).unwrap();
    good.knows("AB1").await.unwrap();
    // The same edge by its name, but of the other site.
    let files = network.certificate("edge.site-b.edge-1").unwrap();
    for endpoint in [&network.central, &router.endpoint] {
        assert_eq!(reads(endpoint, &files).await, 0, "{endpoint}");
    }
    let edge = network.edge_with(&files, SITE, "edge-1", &[&network.central]).unwrap();
    console_says(&network, "edge.site-b.edge-1: query on clearlane/site-a/").await;
    says("its certificate names nobody", || router.log()).await;
    assert!(!edge.holds("AB1").unwrap() && edge.status().lease() == Lease::Stale, "{:?}", edge.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_edge_is_shut_out_within_seconds_through_a_router_and_directly() {
    let network = Network::start(&[SITE], &["edge-1", "edge-2", "edge-3"]).unwrap();
    let endpoint = free_endpoint("tls").unwrap();
    let router = network.router(SITE, &["edge-1", "edge-2", "edge-3"], &endpoint, &network.central).unwrap();
    let through = network.edge(SITE, "edge-1", &[&endpoint]).unwrap();
    let direct = network.edge(SITE, "edge-2", &[&network.central]).unwrap();
    let good = network.edge(SITE, "edge-3", &[&endpoint]).unwrap();
    network.assign(SITE, "AB1", "release").await.unwrap();
    for edge in [&through, &direct, &good] {
        edge.knows("AB1").await.unwrap();
    }
    let files = ["edge-1", "edge-2"].map(|edge| network.certificate(&format!("edge.site-a.{edge}")).unwrap());
    for endpoint in [&endpoint, &network.central] {
        for files in &files {
            assert!(reads(endpoint, files).await > 0, "before");
        }
    }

    // A name that nobody has is refused, and what was before goes on.
    network.revokes(&["edge-9"]).unwrap();
    says("edge-9 is not among [edges]", || network.log()).await;
    router.revokes(&["edge-9"]).unwrap();
    says("edge-9 is not among edges", || router.log()).await;

    network.revokes(&["edge-1", "edge-2"]).unwrap();
    router.revokes(&["edge-1", "edge-2"]).unwrap();
    let since = Instant::now();
    let shut_out = async || {
        let all =
            [&endpoint, &network.central].into_iter().flat_map(|at| files.iter().map(move |f| reads(at, f)));
        let read: usize = join_all(all).await.into_iter().sum();
        (read == 0).then_some(())
    };
    comes("the end of the revoked", shut_out).await.unwrap();
    println!("shut out after {:?}", since.elapsed());
    // The last round of questions, in vain, is waited for.
    assert!(since.elapsed() < SOON + Duration::from_secs(10), "{:?}", since.elapsed());
    network.assign(SITE, "AB2", "release").await.unwrap();
    good.knows("AB2").await.unwrap();
    for edge in [&through, &direct] {
        edge.stale().await.unwrap();
        assert!(!edge.holds("AB2").unwrap(), "{:?}", edge.status());
    }
    console_says(&network, "edge.site-a.edge-2: is revoked").await;
    says("edge.site-a.edge-1: is revoked", || router.log()).await;

    // And let in again.
    network.revokes(&[]).unwrap();
    router.revokes(&[]).unwrap();
    for edge in [&through, &direct] {
        edge.knows("AB2").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_only_central_has_revoked_gets_no_lease_through_a_router() {
    let network = Network::start(&[SITE], &EDGES).unwrap();
    let router = route(&network);
    let edge = network.edge(SITE, "edge-1", &[&router.endpoint]).unwrap();
    network.assign(SITE, "AB1", "release").await.unwrap();
    edge.knows("AB1").await.unwrap();
    network.revokes(&["edge-1"]).unwrap();
    edge.stale().await.unwrap();
    console_says(&network, "is not trusted for this kind of record").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_central_is_refused_and_named_at_the_edge() {
    let network = Network::start(&[SITE], &EDGES).unwrap();
    let liar = network.false_central().unwrap();
    let config = network.edge_config(SITE, "edge-1", &liar.endpoint).unwrap();
    let appliance = network.appliance(&config).unwrap();
    let named = "whoever answers there is not vouched for by the authority in tls.ca";
    comes("the false central in `edge status`", async || {
        appliance.status().unwrap().contains(&format!("no link: {named}")).then_some(())
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}: {}\n{}", appliance.status().unwrap(), appliance.log()));
    let status = appliance.status().unwrap();
    assert!(status.contains("not reachable") && status.contains("none: nothing is released"), "{status}");
    // Zenoh has tried again and again since; people are told once.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(appliance.log().matches(named).count(), 1, "{}", appliance.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_bad_are_not_taken_and_the_links_go_on() {
    let place = Place { lease_ms: 10_000, ..Place::default() };
    let network = Network::start_at(place, &[SITE], &EDGES).unwrap();
    let router = route(&network);
    let through = network.edge(SITE, "edge-1", &[&router.endpoint]).unwrap();
    network.assign(SITE, "ZZ9", "release").await.unwrap();
    through.knows("ZZ9").await.unwrap();
    // Central gets a router's; the router gets a key that is not its certificate's.
    let mut mixed = network.issue("router.site-a", LONG, edge::clock::utc_now()).unwrap();
    network.replace("central", &mixed).unwrap();
    mixed.private_key = network.issue("router.site-a", LONG, edge::clock::utc_now()).unwrap().private_key;
    network.replace("router.site-a", &mixed).unwrap();
    says("is router.site-a's, and this is central", || network.log()).await;
    says("is not the key of the certificate", || router.log()).await;
    let mut flow =
        Flow { network: &network, edges: vec![&through], passages: vec![], slowest: Duration::ZERO };
    flow.until(Instant::now() + Duration::from_secs(5)).await;
    for log in [network.log(), router.log()] {
        assert!(!log.contains("opened anew") && !log.contains("was renewed"), "{log}");
    }
    // Another cause opens the sessions anew while the bad files lie there: what was good before is used.
    network.revokes(&["edge-2"]).unwrap();
    says("opened anew", || network.log()).await;
    flow.until(Instant::now() + Duration::from_secs(5)).await;
    router.revokes(&["edge-2"]).unwrap();
    says("opened anew", || router.log()).await;
    flow.until(Instant::now() + Duration::from_secs(5)).await;
    flow.all_is_there().await;
    // Said once.
    for (log, what) in [(network.log(), "are not taken"), (router.log(), "are not taken")] {
        assert_eq!(log.matches(what).count(), 1, "{log}");
    }
}
