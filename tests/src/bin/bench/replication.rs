//! Replication and the directive cache with a million directives, each figure beside a peer or a limit of the same run.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clearance::directive::{ActionCode, Directive, DirectiveEntry, DirectiveStatus, Window};
use clearance::follower::{Event, Follower, Found};
use clearance::ids::{Digest, Epoch, Revision, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::merkle::{BucketSet, Buckets};
use clearance::publisher::{DirectiveSet, Moment, apply, seal_delta, seal_snapshot};
use clearance::replicate::{Delta, DirectiveOp, Head, SnapshotPage};
use clearance::wire::{RecordKind, Signer, TrustStore};
use edge::directives::{Cache, REST};
use serde_json::json;

use super::{letter, ms, print, spread};

/// Live directives of a large site.
const MANY: usize = 1_000_000;

/// Edges that follow at once in one process.
const EDGES: usize = 1000;

/// The argument with which this program starts itself to open a cache in a process of its own.
pub(super) const OPEN_CACHE: &str = "open-cache";

/// A directive for the n-th mark.
pub(super) fn entry(n: usize) -> anyhow::Result<DirectiveEntry> {
    let mark = format!("{}{}{}", letter(n / 9000 / 23), letter(n / 9000), 1000 + n % 9000);
    Ok(DirectiveEntry {
        directive: Directive {
            movement: format!("m{n}").parse()?,
            mark: mark.parse()?,
            mainland_mark: None,
            action: ActionCode::Release,
            window: Window { from: UtcMillis(0), until: UtcMillis(i64::MAX) },
            more: None,
        },
        status: DirectiveStatus::Active,
        revision: Revision(1),
    })
}

fn head(revision: u64) -> Head {
    Head { epoch: Epoch(1), revision: Revision(revision), hash: Digest([1; 32]) }
}

/// A million directives on the disk: how soon they are there after a start and what they take, and how long a look-up takes
/// while they change.
pub(super) fn cache(folder: &Path) -> anyhow::Result<()> {
    let root = folder.join("many");
    let entries: Vec<DirectiveEntry> = (0..MANY).map(entry).collect::<Result<_, _>>()?;
    let cache = Cache::open(&root)?;
    let started = Instant::now();
    cache.replace_all(&entries, head(1))?;
    let built = started.elapsed().as_secs_f64();
    drop(cache);
    let copied = copy(&root, &folder.join("copy"))?;
    let opened = open_apart(&root)?;
    print(
        "cache_cold_start_million",
        json!({ "directives": MANY, "open_s": opened.0, "limit_s": 20.0, "resident_mib": opened.1, "limit_mib": 400.0,
            "build_s": built, "peer_file_copy_s": copied.0, "bytes": copied.1 }),
    );
    let marks: Vec<RegistrationMark> = entries.iter().map(|e| e.directive.mark.clone()).collect();
    lookups(&root, &marks)?;
    peer_lookups(&folder.join("lmdb"), &entries, &marks)
}

/// Copy every file, reading it all; seconds and bytes.
fn copy(from: &Path, to: &Path) -> anyhow::Result<(f64, u64)> {
    let started = Instant::now();
    let mut bytes = 0;
    let mut folders = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        std::fs::create_dir_all(&to)?;
        for item in std::fs::read_dir(&from)? {
            let item = item?;
            let target = to.join(item.file_name());
            if item.file_type()?.is_dir() {
                folders.push((item.path(), target));
            } else {
                bytes += std::fs::copy(item.path(), &target)?;
                std::fs::File::open(&target)?.sync_all()?;
            }
        }
    }
    Ok((started.elapsed().as_secs_f64(), bytes))
}

/// Open the cache in a process of its own; seconds and MiB resident.
fn open_apart(root: &Path) -> anyhow::Result<(f64, f64)> {
    let output = Command::new(std::env::current_exe()?).arg(OPEN_CACHE).arg(root).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next =
        || numbers.next().context("the opening process said nothing")?.map_err(anyhow::Error::from);
    Ok((next()?, next()?))
}

/// What the process started by [`open_apart`] does.
pub(super) fn opened(root: &Path) -> anyhow::Result<String> {
    let started = Instant::now();
    let cache = Cache::open(root)?;
    let seconds = started.elapsed().as_secs_f64();
    black_box(cache.held().context("the cache is empty")?);
    Ok(format!("{seconds} {}", resident_mib(std::process::id())?))
}

/// MiB of a process that are in memory.
pub(super) fn resident_mib(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
        .context("no VmRSS")?;
    Ok(kib / 1024.0)
}

/// Look-ups while nothing changes, and while a thousand deltas a second are applied.
fn lookups(root: &Path, marks: &[RegistrationMark]) -> anyhow::Result<()> {
    let cache = Cache::open(root)?;
    let still = look_up(&cache, marks, Duration::from_secs(4))?;
    let stop = AtomicBool::new(false);
    let (times, applied) = std::thread::scope(|scope| -> anyhow::Result<_> {
        let writer = scope.spawn(|| follow(&cache, &stop));
        let times = look_up(&cache, marks, Duration::from_secs(8));
        stop.store(true, Ordering::Relaxed);
        let applied = writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        Ok((times?, applied))
    })?;
    print(
        "cache_lookup_million_us",
        json!({ "spread": spread(times), "limit_p99": 20.0, "while_nothing_changes": spread(still),
            "deltas_per_second": applied }),
    );
    Ok(())
}

/// What each look-up took, in microseconds.
fn look_up(cache: &Cache, marks: &[RegistrationMark], time: Duration) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(2_000_000);
    let until = Instant::now() + time;
    let mut round = 0usize;
    while Instant::now() < until {
        round += 1;
        let mark = &marks[round.wrapping_mul(7919) % marks.len()];
        let started = Instant::now();
        black_box(cache.view(std::slice::from_ref(mark))?);
        times.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    Ok(times)
}

/// Apply one delta a millisecond until `stop`; gives how many a second it came to.
fn follow(cache: &Cache, stop: &AtomicBool) -> anyhow::Result<f64> {
    let (started, mut revision) = (Instant::now(), 1);
    while !stop.load(Ordering::Relaxed) {
        let due = Duration::from_millis(revision);
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        // Those that came while the disk was waited for and the cache was at rest go together, as in the lane.
        let arrived = started.elapsed().as_millis() as u64;
        let mut deltas = Vec::new();
        while revision < arrived + 1 {
            revision += 1;
            let mut changed = entry(revision as usize * 31 % MANY)?;
            changed.directive.movement = format!("n{revision}").parse()?;
            deltas.push((vec![DirectiveOp::Put(changed.directive)], head(revision)));
        }
        cache.apply(&deltas)?;
        std::thread::sleep(REST);
    }
    Ok((revision - 1) as f64 / started.elapsed().as_secs_f64())
}

/// The same records and look-ups in LMDB, which nothing changes meanwhile.
fn peer_lookups(folder: &Path, entries: &[DirectiveEntry], marks: &[RegistrationMark]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let table = peer_lmdb::Table::create(folder)?;
    let key = |mark: &RegistrationMark| mark.as_str().as_bytes().to_vec();
    let rows = entries.iter().map(|entry| Ok((key(&entry.directive.mark), minicbor::to_vec(entry)?)));
    table.fill(rows.collect::<anyhow::Result<Vec<_>>>()?)?;
    let mut times = Vec::with_capacity(400_000);
    for round in 0..400_000usize {
        let mark = &marks[round.wrapping_mul(7919) % marks.len()];
        let started = Instant::now();
        let found = table.get(mark.as_str().as_bytes())?.context("a record is missing")?;
        black_box(minicbor::decode::<DirectiveEntry>(&found)?);
        times.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    print("cache_lookup_million_peer_lmdb_us", json!({ "spread": spread(times) }));
    Ok(())
}

/// A thousand edges in one process follow central's deltas: real records, real signatures, a link that is simulated.
pub(super) fn fan_out() -> anyhow::Result<()> {
    const DELTAS: usize = 60;
    let signer = Signer::from_secret(&[5; 32]);
    let trust = TrustStore::new().trusting(signer.public(), &RecordKind::CENTRAL);
    let site: SiteId = "bench".parse()?;
    let (mut set, mut buckets) = (DirectiveSet::new(), Buckets::default());
    let mut at = Head { epoch: Epoch(1), ..Head::default() };
    let mut deltas = Vec::new();
    let sealing = Instant::now();
    for n in 0..DELTAS {
        let ops = vec![DirectiveOp::Put(entry(n)?.directive)];
        let sealed = seal_delta(&signer, &site, &at, ops.clone());
        apply(&mut set, &mut buckets, &ops, sealed.head.revision);
        at = sealed.head;
        deltas.push(sealed.bytes);
    }
    let seal_us = ms(sealing.elapsed()) * 1000.0 / DELTAS as f64;
    let start = Moment {
        head: Head { epoch: Epoch(1), ..Head::default() },
        root: Buckets::default().root(),
        before: vec![],
    };
    let empty = seal_snapshot(&signer, &site, &start, BucketSet::ALL, &[]).remove(0);
    let mut edges = Vec::new();
    for n in 0..EDGES {
        let mut follower = Follower::new(site.clone(), format!("edge-{n}").parse()?, Found::default());
        follower.step(Duration::ZERO, Event::Connected);
        follower.step(Duration::ZERO, Event::SnapshotPage(trust.open::<SnapshotPage>(&empty)?));
        edges.push((follower, DirectiveSet::new(), Buckets::default()));
    }
    // A delta a millisecond; each edge's link takes 1 to 40 ms, so that they arrive out of order.
    let mut arrivals: Vec<(u64, usize, usize)> = Vec::new();
    for delta in 0..DELTAS {
        arrivals.extend((0..EDGES).map(|edge| {
            let link = (delta * 7919 + edge * 104_729) as u64 % 40 + 1;
            (delta as u64 + link, edge, delta)
        }));
    }
    arrivals.sort_unstable();
    let (mut worst_lag, started) = (0, Instant::now());
    for (now, index, delta) in arrivals {
        let (follower, held, sums) = &mut edges[index];
        let record = trust.open::<Delta>(&deltas[delta])?;
        for effect in follower.step(Duration::from_millis(now), Event::DeltaReceived(record)) {
            if let clearance::follower::Effect::Apply { ops, head } = effect {
                apply(held, sums, &ops, head.revision);
                follower.step(Duration::from_millis(now), Event::Stored { head, root: sums.root() });
                worst_lag = worst_lag.max(now - (head.revision.0 - 1));
            }
        }
    }
    let per_delta_us = ms(started.elapsed()) * 1000.0 / (EDGES * DELTAS) as f64;
    anyhow::ensure!(edges.iter().all(|(follower, ..)| follower.head() == at), "an edge has not arrived");
    print(
        "fan_out",
        json!({ "edges": EDGES, "deltas": DELTAS, "bytes_per_edge_per_delta": deltas[0].len(),
            "cpu_us_per_edge_per_delta": per_delta_us, "cpu_share_of_one_core_at_1000_per_s": per_delta_us / 1000.0,
            "edges_this_core_could_simulate_at_1000_per_s": 1000.0 / per_delta_us, "seal_us_per_delta": seal_us,
            "worst_lag_ms": worst_lag, "link_ms": "1 to 40, out of order" }),
    );
    Ok(())
}

/// A bare Zenoh put over loopback: what the way of a directive is compared with.
pub(super) async fn bare_put() -> anyhow::Result<serde_json::Value> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let endpoint = format!("[\"tcp/127.0.0.1:{port}\"]");
    let listener = session("router", "listen/endpoints", &endpoint).await?;
    let client = session("client", "connect/endpoints", &endpoint).await?;
    let subscriber = client.declare_subscriber("bench/put").await.map_err(|e| anyhow::anyhow!("{e}"))?;
    // The declaration travels too.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        listener.put("bench/put", vec![0u8; 400]).await.map_err(|e| anyhow::anyhow!("{e}"))?;
        subscriber.recv_async().await.map_err(|e| anyhow::anyhow!("{e}"))?;
        times.push(ms(started.elapsed()));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(spread(times))
}

async fn session(mode: &str, key: &str, endpoints: &str) -> anyhow::Result<zenoh::Session> {
    let mut config = zenoh::Config::default();
    for (key, value) in
        [("mode", format!("\"{mode}\"").as_str()), ("scouting/multicast/enabled", "false"), (key, endpoints)]
    {
        config.insert_json5(key, value).map_err(|e| anyhow::anyhow!("{key}: {e}"))?;
    }
    zenoh::open(config).await.map_err(|e| anyhow::anyhow!("{e}"))
}
