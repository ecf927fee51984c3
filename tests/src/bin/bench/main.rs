//! The figures of the lane, one JSON line each, beside a peer or a limit measured in the same run.
#![expect(clippy::print_stdout, reason = "the figures are the answer")]

mod declarations;
mod lookups;
mod replication;
mod screening;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser as _;
use clearance::directive::{ActionCode, DirectiveEntry};
use clearance::ids::{Digest, Epoch, Revision};
use clearance::mark::RegistrationMark;
use clearance::replicate::Head;
use datasets::clip::{Clip, ClipSpec, render_clip};
use edge::camera::{CameraSpec, Frames, Source};
use edge::directives::Cache;
use edge::gate::sim::GateSimulator;
use models::{Bundle, Recogniser};
use serde_json::{Value, json};
use tests::clips::{self, ClipFigures};
use tests::world::play::{PACE, play, render};
use tests::world::queue::{Declared, Truck, trucks};
use tests::world::site::{Site, SiteOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Directives in the cache for the look-ups.
const DIRECTIVES: usize = 10_000;

/// Consignments to look things up among: what a control point sees in a busy quarter.
const STORED: usize = 10_000_000;

/// The figures of the product, one JSON line each, beside a peer or a limit measured in the same run.
#[derive(Debug, clap::Parser)]
#[command(
    version,
    after_help = "Examples:\n  bench                      everything, about half an hour on two cores\n  bench cache                the directive cache of a lane with a million directives\n  bench screening 20000      screening among 20,000 open movements"
)]
struct Arguments {
    /// Only these figures.
    #[command(subcommand)]
    suite: Option<Suite>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Suite {
    /// Decoding, finding and reading plates, frame by frame and over whole passages.
    Recognition,
    /// The directive cache of a lane: cold start and look-ups, with ten thousand and with a million directives.
    Cache,
    /// A thousand edges that follow central.
    FanOut,
    /// A whole control point: memory, cold start, how soon a directive is at the lane and a signal at the truck.
    Site,
    /// Screening: from lodging to the lane, and assessing again after a rule change.
    Screening {
        /// Open movements to assess again.
        #[arg(default_value_t = screening::OPEN)]
        open: usize,
    },
    /// Lodging, bundling, the feed, and look-ups among many.
    Declarations {
        /// Consignments to look things up among.
        #[arg(default_value_t = STORED)]
        stored: usize,
    },
    /// Look-ups among many consignments, and retention beside lodging.
    Lookups {
        /// Consignments to look things up among.
        #[arg(default_value_t = STORED)]
        stored: usize,
    },
    /// What `cache` starts to open a cache in a process of its own.
    #[command(hide = true, name = replication::OPEN_CACHE)]
    OpenCache {
        /// The cache's folder.
        root: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::TempDir::new()?;
    let folder = folder.path();
    match Arguments::parse().suite {
        None => {
            let clip = drive(folder)?;
            frames(&clip)?;
            cache(folder)?;
            replication::cache(folder)?;
            replication::fan_out()?;
            recognition(folder)?;
            runtime.block_on(memory(&clip, folder))?;
            runtime.block_on(site())?;
            runtime.block_on(screening::screening(screening::OPEN))?;
            runtime.block_on(declarations::declarations(lookups::as_many_as_fit(STORED)))
        }
        Some(Suite::Recognition) => {
            frames(&drive(folder)?)?;
            recognition(folder)
        }
        Some(Suite::Cache) => {
            cache(folder)?;
            replication::cache(folder)
        }
        Some(Suite::FanOut) => replication::fan_out(),
        Some(Suite::Site) => {
            runtime.block_on(memory(&drive(folder)?, folder))?;
            runtime.block_on(site())
        }
        Some(Suite::Screening { open }) => runtime.block_on(screening::screening(open)),
        Some(Suite::Declarations { stored }) => runtime.block_on(declarations::declarations(stored)),
        Some(Suite::Lookups { stored }) => runtime.block_on(lookups::lookups(stored)),
        Some(Suite::OpenCache { root }) => {
            println!("{}", replication::opened(&root)?);
            Ok(())
        }
    }
}

/// One truck's drive.
fn drive(folder: &Path) -> anyhow::Result<Clip> {
    let spec = ClipSpec { seconds: 6.0, fps: 25, ..tests_clip()? };
    Ok(render_clip(&spec, &folder.join("bench.mp4"))?)
}

fn tests_clip() -> anyhow::Result<ClipSpec> {
    Ok(ClipSpec {
        mark: Some("KX4827".parse()?),
        mainland_mark: Some("粤ZN537港".parse()?),
        seed: 100,
        ..ClipSpec::default()
    })
}

fn print(figure: &str, values: Value) {
    println!("{}", json!({ "figure": figure, "values": values }));
}

/// Percentiles in milliseconds.
fn spread(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place = (times.len() as f64 * part) as usize;
        times.get(place.min(times.len().saturating_sub(1))).map(|ms| (ms * 1000.0).round() / 1000.0)
    };
    json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "n": times.len() })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Decode, detect, read: one inference thread, 1280x720, two plates in view for most frames.
fn frames(clip: &Clip) -> anyhow::Result<()> {
    let bundle = Bundle::load(&models::bundles_folder().join(models::DEFAULT_BUNDLE))?;
    let started = Instant::now();
    let mut recogniser = Recogniser::new(&bundle)?;
    print("recogniser_start_s", json!({ "value": started.elapsed().as_secs_f64() }));
    let source = Source::File { path: clip.film.clone(), r#loop: false, paced: false };
    let (mut decode, mut detect, mut read, mut total) = (vec![], vec![], vec![], vec![]);
    // Decoded as fast as it goes and alone first: while networks run, GStreamer's thread decodes ahead.
    let mut pictures = Vec::new();
    let mut before = Instant::now();
    for frame in Frames::open(CameraSpec::new("bench", source))? {
        pictures.push(frame?.1);
        decode.push(ms(before.elapsed()));
        before = Instant::now();
    }
    // The first frame pays for opening the file.
    decode.remove(0);
    for (picture, decoded) in pictures.iter().skip(1).zip(&decode) {
        let seen = recogniser.recognise(picture.luma.view())?;
        detect.push(ms(seen.detect));
        read.push(ms(seen.read));
        total.push(decoded + ms(seen.detect) + ms(seen.read));
    }
    let mean = total.iter().sum::<f64>() / total.len() as f64;
    print("decode_ms", spread(decode));
    print("detect_ms", spread(detect));
    print("read_ms", spread(read));
    print(
        "frame_total_ms",
        json!({ "spread": spread(total), "limit": 40.0, "limit_is": "25 frames a second" }),
    );
    print("frames_per_second_per_core", json!({ "value": 1000.0 / mean }));
    Ok(())
}

/// Detection and reading at 1080p, in 8 bits beside 32; single frames beside whole passages.
fn recognition(folder: &Path) -> anyhow::Result<()> {
    let wide = ClipSpec { width: 1920, height: 1080, fps: 12, seconds: 5.0, ..tests_clip()? };
    let clip = render_clip(&wide, &folder.join("wide.mp4"))?;
    let source = Source::File { path: clip.film.clone(), r#loop: false, paced: false };
    let frames = Frames::open(CameraSpec::new("bench", source))?.collect::<Result<Vec<_>, _>>()?;
    for name in [models::DEFAULT_BUNDLE, models::EXACT_BUNDLE] {
        let bundle = Bundle::load(&models::bundles_folder().join(name))?;
        let mut recogniser = Recogniser::new(&bundle)?;
        let (mut total, mut plates) = (vec![], 0);
        for (_, frame) in &frames {
            let seen = recogniser.recognise(frame.luma.view())?;
            plates += seen.plates.len();
            total.push(ms(seen.detect + seen.read));
        }
        print(
            "detect_and_read_1080p_ms",
            json!({ "bundle": name, "spread": spread(total), "plates_per_frame": plates as f64 / frames.len() as f64,
                "threads": 1, "limit_p50": 15.0 }),
        );
    }
    let bundle = Bundle::load(&models::bundles_folder().join(models::DEFAULT_BUNDLE))?;
    let mut recogniser = Recogniser::new(&bundle)?;
    let toll = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/plates/vn_toll_lane_video");
    match clips::toll_clip(&toll)? {
        Some(clip) => fused("toll lane", clips::measure(&clip, &bundle, &mut recogniser)?),
        None => eprintln!("bench: {} is not there; the toll lane is not measured", toll.display()),
    }
    let mut all = ClipFigures::default();
    for (condition, clip) in clips::rendered_clips(folder)? {
        let figures = clips::measure(&clip, &bundle, &mut recogniser)?;
        fused(condition, figures);
        all = all.plus(figures);
    }
    fused("rendered, all", all);
    Ok(())
}

/// The gain of whole passages over single frames: of what was read, and of what was in sight where that is known.
fn fused(clip: &str, figures: ClipFigures) {
    print(
        "temporal_fusion",
        json!({ "clip": clip, "exact_of_reads": figures.of_reads(), "exact_of_plates_in_sight": figures.of_plates(),
            "counts": figures }),
    );
}

/// The cache of directives on disk, beside a hash map in memory.
fn cache(folder: &Path) -> anyhow::Result<()> {
    let entries: Vec<DirectiveEntry> = (0..DIRECTIVES).map(replication::entry).collect::<Result<_, _>>()?;
    let marks: Vec<RegistrationMark> = entries.iter().map(|e| e.directive.mark.clone()).collect();
    let root = folder.join("cache");
    let cache = Cache::open(&root)?;
    let started = Instant::now();
    cache.replace_all(&entries, Head { epoch: Epoch(1), revision: Revision(1), hash: Digest([1; 32]) })?;
    let built = started.elapsed().as_secs_f64();
    drop(cache);
    let started = Instant::now();
    let cache = Cache::open(&root)?;
    print(
        "cache_cold_start_s",
        json!({ "open": started.elapsed().as_secs_f64(), "build": built, "directives": DIRECTIVES, "limit": 1.0 }),
    );
    let map: HashMap<&str, &DirectiveEntry> =
        entries.iter().map(|e| (e.directive.mark.as_str(), e)).collect();
    let (mut sled, mut memory) = (vec![], vec![]);
    for round in 0..200_000usize {
        let mark = &marks[round.wrapping_mul(7919) % marks.len()];
        let started = Instant::now();
        black_box(cache.view(std::slice::from_ref(mark))?);
        sled.push(started.elapsed().as_nanos() as f64);
        let started = Instant::now();
        black_box(map.get(mark.as_str()).map(|e| (*e).clone()));
        memory.push(started.elapsed().as_nanos() as f64);
    }
    print("cache_lookup_ns", json!({ "cache": spread(sled), "peer_hash_map": spread(memory) }));
    Ok(())
}

fn letter(n: usize) -> char {
    // Letters that marks use.
    b"ABCDEFGHJKLMNPRSTUVWXYZ"[n % 23] as char
}

/// Resident memory of `edge run` with one lane and with two.
async fn memory(clip: &Clip, folder: &Path) -> anyhow::Result<()> {
    let mut resident = Vec::new();
    for lanes in [1, 2] {
        let place = folder.join(format!("memory-{lanes}"));
        std::fs::create_dir_all(&place)?;
        let key = edge::keys::generate(&place.join("edge.key"))?;
        let mut gates = Vec::new();
        let mut text = format!(
            "site = \"bench\"\nedge = \"edge-1\"\ndata_dir = \"data\"\nkey_file = \"edge.key\"\ncentral_keys = [\"{key}\"]\n\
             connect = [\"tcp/127.0.0.1:9\"]\n"
        );
        for lane in 0..lanes {
            let gate = GateSimulator::start("127.0.0.1:0".parse()?).await?;
            let _ = write!(
                text,
                "[[lane]]\nname = \"lane-{lane}\"\ngate = {{ address = \"{}\" }}\n",
                gate.address()
            );
            let _ = write!(
                text,
                "[[lane.camera]]\nname = \"front\"\nsource = {{ kind = \"file\", path = \"{}\", loop = true }}\n",
                clip.film.display()
            );
            gates.push(gate);
        }
        let config = place.join("edge.toml");
        std::fs::write(&config, text)?;
        let command = std::env::current_exe()?.with_file_name("edge");
        let child = Command::new(command)
            .args(["run", "--config"])
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .context("edge is not built: cargo build --release --bins")?;
        let child = Running(child);
        tokio::time::sleep(Duration::from_secs(10)).await;
        resident.push(replication::resident_mib(child.0.id())?);
    }
    print(
        "resident_mib",
        json!({ "one_lane": resident[0], "two_lanes": resident[1], "per_further_lane": resident[1] - resident[0] }),
    );
    Ok(())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// When the edge's view has come to a revision.
fn arrival(site: &Site, revision: u64) -> tokio::task::JoinHandle<Instant> {
    let mut replica = site.edge.replica();
    tokio::spawn(async move {
        let _ = replica.wait_for(|r| r.head.revision.0 >= revision).await;
        Instant::now()
    })
}

/// A whole site: how soon a directive is at the lane, how soon a truck has its signal.
async fn site() -> anyhow::Result<()> {
    let queue = trucks();
    let films = tempfile::TempDir::new()?;
    let footage = render(&queue, films.path(), |_, _| {})?;
    let started = Instant::now();
    let site = Site::start(SiteOptions::default()).await?;
    site.follows(0).await?;
    print("site_cold_start_s", json!({ "value": started.elapsed().as_secs_f64(), "limit": 20.0 }));

    let (mut to_edge, mut commit, mut revoked) = (vec![], vec![], vec![]);
    for round in 0..60 {
        let truck =
            Truck { declared: Declared::Coded(ActionCode::Release), ..queue[round % queue.len()].clone() };
        let movement = site.movement(&truck).await?;
        let arrived = arrival(&site, 2 * round as u64 + 1);
        let started = Instant::now();
        site.assign(&movement, ActionCode::Release, "bench").await?;
        commit.push(ms(started.elapsed()));
        to_edge.push(ms(arrived.await?.duration_since(started)));
        let arrived = arrival(&site, 2 * round as u64 + 2);
        let started = Instant::now();
        site.revoke(&movement, "bench").await?;
        revoked.push(ms(arrived.await?.duration_since(started)));
    }
    print(
        "directive_central_to_edge_ms",
        json!({ "from_request": spread(to_edge), "peer_request_alone": spread(commit),
            "peer_bare_zenoh_put": replication::bare_put().await?, "limit_p50": 5.0, "limit_p99": 50.0 }),
    );
    print("revocation_central_to_edge_ms", json!({ "from_request": spread(revoked), "limit_p99": 100.0 }));
    for truck in &queue {
        site.declare(truck).await?;
    }
    let played = play(&site, &queue, footage, PACE, |_| {}).await?;
    let times: Vec<f64> = played.iter().filter_map(|p| p.frame_to_signal_ms).collect();
    print("frame_to_signal_ms", json!({ "spread": spread(times), "lanes": 2, "frames_per_second": 12 }));
    site.edge.stop().await;
    Ok(())
}
