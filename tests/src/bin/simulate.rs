//! Runs central and many edges under seeds, with everything failing that can, and checks the invariants of the replication
//! protocol after every step.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tests::simulation::{Mode, Mutation, Violation, plan, run, shrink};

/// Simulate replication between central and the lanes under seeded faults. Prints a JSON summary; a failing seed with the
/// shortest run found that fails alike, and exits with 1.
#[derive(Parser)]
#[command(after_help = "Examples:
  simulate --seeds 10000 --steps 1000
  simulate --from 4711 --seeds 1 --steps 1000
  simulate --seeds 100 --steps 500 --mutation forget-floor   # a planted bug, which must be found
  simulate --seeds 100 --steps 500 --all-mutations")]
struct Cli {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// Things that happen in each run.
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// safety: nothing bad happens; liveness: and all converges once it is healed.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// Plant this bug.
    #[arg(long, value_enum)]
    mutation: Option<Mutation>,
    /// Plant each bug in turn; fails if one is not found.
    #[arg(long, conflicts_with = "mutation")]
    all_mutations: bool,
    /// Threads; default as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

/// What all seeds came to.
#[derive(Default)]
struct Summary {
    failed: Mutex<Option<(u64, Violation)>>,
    worst: AtomicU64,
    released: AtomicU64,
    done: AtomicU64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.all_mutations {
        return all_mutations(&cli);
    }
    let summary = seeds(&cli, cli.mutation, true);
    let failed = summary.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((seed, violation)) = &failed {
        tell_failure(&cli, *seed, violation);
    }
    print(&serde_json::json!({
        "figure": "simulation",
        "seeds": summary.done.into_inner(),
        "steps": cli.steps,
        "violations": u8::from(failed.is_some()),
        "max_converge_steps": summary.worst.into_inner(),
        "limit_converge_steps": tests::simulation::CONVERGE_STEPS,
        "released": summary.released.into_inner(),
    }));
    if failed.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Run the seeds until one fails.
fn seeds(cli: &Cli, mutation: Option<Mutation>, progress: bool) -> Summary {
    let summary = Summary::default();
    let next = AtomicU64::new(cli.from);
    let stop = AtomicBool::new(false);
    let bar = if progress { ProgressBar::new(cli.seeds) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let threads =
        cli.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= cli.from + cli.seeds {
                        return;
                    }
                    let outcome = run(&plan(seed, cli.steps), cli.mode, mutation);
                    summary.worst.fetch_max(u64::from(outcome.converge_steps), Ordering::Relaxed);
                    summary.released.fetch_add(u64::from(outcome.released), Ordering::Relaxed);
                    summary.done.fetch_add(1, Ordering::Relaxed);
                    bar.inc(1);
                    if let Some(violation) = outcome.violation {
                        stop.store(true, Ordering::Relaxed);
                        let mut failed = summary.failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert((seed, violation));
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    summary
}

fn tell_failure(cli: &Cli, seed: u64, violation: &Violation) {
    eprintln!("seed {seed}, step {}: {:?}: {}", violation.step, violation.invariant, violation.what);
    eprintln!("the shortest run found that fails alike (tests::simulation::Kind, salt):");
    for op in shrink(&plan(seed, cli.steps), cli.mode, cli.mutation) {
        eprintln!("  Op {{ kind: Kind::{:?}, salt: {} }},", op.kind, op.salt);
    }
}

fn all_mutations(cli: &Cli) -> ExitCode {
    let mut missed = 0;
    for mutation in Mutation::all() {
        let summary = seeds(cli, Some(*mutation), false);
        let failed = summary.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        missed += u32::from(failed.is_none());
        print(&serde_json::json!({
            "figure": "planted_bug",
            "mutation": format!("{mutation:?}"),
            "caught": failed.is_some(),
            "seed": failed.as_ref().map(|(seed, _)| seed),
            "invariant": failed.as_ref().map(|(_, violation)| violation.invariant),
        }));
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn print(line: &serde_json::Value) {
    println!("{line}");
}
