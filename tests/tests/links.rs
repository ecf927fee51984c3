//! TLS links with much to say in both directions, opened and closed without end, in a process that shares Zenoh's work out
//! to threads as `edge` and `central` do ([`LINK_THREADS`]).
//!
//! `CLEARLANE_LINK_SECONDS` sets for how long (10 unless it is set). `CLEARLANE_LINK_THREADS` sets how the work is shared out
//! instead; `()` is Zenoh's own way, with which this crashes within half a minute.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clearance::transport::{LINK_THREADS, TlsFiles};
use tests::world::network::{Network, free_endpoint, session, session_listening};
use zenoh::Session;
use zenoh::qos::CongestionControl;

/// Where to meet and what to show, in the environment of the process that is loaded.
const LINKS: &str = "CLEARLANE_LINKS";

/// Links at the same time.
const AT_ONCE: usize = 4;

/// A link's life.
const LIFE: Duration = Duration::from_millis(400);

type Paths = [PathBuf; 3];

fn seconds() -> u64 {
    std::env::var("CLEARLANE_LINK_SECONDS").map_or(10, |text| text.parse().expect("a number"))
}

fn paths(files: TlsFiles) -> Paths {
    [files.ca, files.certificate, files.private_key]
}

fn files([ca, certificate, private_key]: Paths) -> TlsFiles {
    TlsFiles { ca, certificate, private_key }
}

/// Say something as fast as it is taken, until told to stop.
fn talk(session: Session, key: &'static str, until: Instant) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut said = 0u64;
        while Instant::now() < until {
            // Short and long ones: one record of TLS, and many.
            let payload = vec![said as u8; if said.is_multiple_of(7) { 100_000 } else { 300 }];
            // The other side may be gone.
            let _ = session.put(key, payload).congestion_control(CongestionControl::Block).await;
            said += 1;
        }
    })
}

async fn count(session: &Session, key: &str, heard: &Arc<AtomicU64>) {
    let heard = Arc::clone(heard);
    let hear = move |_| {
        heard.fetch_add(1, Ordering::Relaxed);
    };
    session.declare_subscriber(key).callback(hear).background().await.unwrap();
}

/// What is loaded: not a test by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the other test starts"]
async fn loaded() {
    let links = std::env::var(LINKS).expect("started by the other test");
    let (endpoint, router, edge): (String, Paths, Paths) = serde_json::from_str(&links).unwrap();
    let hub = session_listening(&endpoint, &files(router)).await.unwrap();
    let edge = files(edge);
    let until = Instant::now() + Duration::from_secs(seconds());
    let (up, down, opened): (Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
    count(&hub, "up", &up).await;
    let mut tasks = vec![talk(hub.clone(), "down", until)];
    for number in 0..AT_ONCE {
        let (endpoint, edge, down, opened) = (endpoint.clone(), edge.clone(), down.clone(), opened.clone());
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(LIFE / AT_ONCE as u32 * number as u32).await;
            while Instant::now() < until {
                // On a busy machine a link may not come about, or not be closed, in time: then the next one does.
                let Ok(link) = session(&endpoint, Some(&edge)).await else { continue };
                count(&link, "down", &down).await;
                talk(link.clone(), "up", Instant::now() + LIFE).await.unwrap();
                let _ = link.close().await;
                opened.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let [opened, up, down] = [opened, up, down].map(|count| count.load(Ordering::Relaxed));
    eprintln!("{opened} links, {up} messages up, {down} down");
    assert!(opened > 0 && up > 0 && down > 0, "nothing was said");
}

#[test]
fn links_with_much_to_say_come_and_go_without_a_crash() {
    let network = Network::start(&["site-a"], &["edge-1"]).unwrap();
    let party = |name: &str| paths(network.certificate(name).unwrap());
    let links = (free_endpoint("tls").unwrap(), party("router.site-a"), party("edge.site-a.edge-1"));
    let (name, threads) = LINK_THREADS;
    let threads = std::env::var("CLEARLANE_LINK_THREADS").unwrap_or_else(|_| threads.to_owned());
    let loaded = Command::new(std::env::current_exe().unwrap())
        .args(["loaded", "--exact", "--ignored", "--nocapture"])
        .env(LINKS, serde_json::to_string(&links).unwrap())
        .env(name, threads)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&loaded.stderr);
    assert!(loaded.status.success(), "{}: {said}", loaded.status);
    eprintln!("{said}");
}
