//! The demo: central, an edge node with two lanes, and a queue of trucks over RTSP.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tests::world::lane::Pace;
use tests::world::play::{PACE, Played, play, render};
use tests::world::queue::{Declared, Truck, trucks_with_a_rule};
use tests::world::rule::{SELECTORS, rule_added};
use tests::world::site::{OFFICER, Site, SiteOptions};
use tracing_subscriber::EnvFilter;

/// Central, one edge node with two lanes, and a queue of trucks over RTSP.
#[derive(Parser)]
#[command(after_help = "Examples:
  make demo          the queue over and over, with the console to look at
  make demo ONCE=1   once, without a person: JSON lines; fails if a lane does not do what it should")]
struct Cli {
    /// Play the queue once, print one JSON line for each passage, and exit with 1 if any is not as expected.
    #[arg(long)]
    once: bool,
    /// Address of the console.
    #[arg(long, default_value = "127.0.0.1:8080")]
    console: SocketAddr,
    /// Seconds that a driver waits for an officer before turning back.
    #[arg(long, default_value_t = 45)]
    patience: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the answer")]
async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let trucks = trucks_with_a_rule();
    let films = tempfile::TempDir::new()?;
    let footage = || {
        render(&trucks, films.path(), |done, all| {
            if std::io::stderr().is_terminal() {
                eprint!("\rrendering trucks: {done}/{all} ");
                let _ = std::io::stderr().flush();
            }
            if done == all {
                eprintln!("\rrendered {all} trucks    ");
            }
        })
    };
    let footage_once = footage()?;
    let console = if cli.once { SocketAddr::from(([127, 0, 0, 1], 0)) } else { cli.console };
    let site = Site::start(SiteOptions { console, ..SiteOptions::default() }).await?;
    let mut revisions = 0;
    let screened = |truck: &&Truck| truck.declared == Declared::Screened;
    for truck in trucks.iter().filter(|truck| !screened(truck)) {
        revisions += site.declare(truck).await?;
    }
    site.follows(revisions).await?;
    // Codes of officers stand; of the rest, screening decides from now on.
    let truck = trucks.iter().find(screened).context("no truck of which screening decides")?;
    let added = rule_added(&site, truck).await?;
    site.follows(revisions + 2).await?;
    if cli.once {
        println!("{}", serde_json::json!({ "rule_added": added }));
        return once(site, &trucks, footage_once).await;
    }
    eprintln!(
        "\nA rule was added: {} wrote {:?} and simulated it on {} movements, {} approved it.\n{} would have got the code {}, and gets {}.",
        SELECTORS[0], added.rule, added.simulated.0, SELECTORS[1], added.mark, added.before, added.after
    );
    eprintln!(
        "\n  console   {}/console\n  sign in   {} / {}\n  rules     as {} or {} with the same password: /console/rules\n  portal    {}\n            (invites you to the company that declared the trucks; an authenticator app is needed)\n\n\
         Trucks that a lane refers wait {} s for you. Ctrl-C ends the demo.\n",
        site.console()?,
        OFFICER.0,
        OFFICER.1,
        SELECTORS[0],
        SELECTORS[1],
        site.invite("shipper")?,
        cli.patience
    );
    let pace = Pace { patience: Some(Duration::from_secs(cli.patience)), ..PACE };
    let mut footage_now = Some(footage_once);
    loop {
        let film = match footage_now.take() {
            Some(film) => film,
            None => footage()?,
        };
        tokio::select! {
            played = play(&site, &trucks, film, pace, row) => drop(played?),
            _ = tokio::signal::ctrl_c() => break,
        }
        eprintln!("\nThe queue begins again; every truck is declared anew.\n");
        for truck in &trucks {
            site.declare(truck).await?;
        }
    }
    site.edge.stop().await;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the answer")]
async fn once(
    site: Site,
    trucks: &[tests::world::queue::Truck],
    footage: Vec<tests::world::footage::DriveFootage>,
) -> anyhow::Result<ExitCode> {
    let print = |passage: &Played| {
        if let Ok(line) = serde_json::to_string(passage) {
            println!("{line}");
        }
    };
    let played = play(&site, trucks, footage, PACE, print).await?;
    let right = played.iter().filter(|p| p.as_expected).count();
    let mut times: Vec<f64> = played.iter().filter_map(|p| p.frame_to_signal_ms).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get(((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1)));
    let outcomes = played.iter().fold(BTreeMap::new(), |mut counts: BTreeMap<String, usize>, p| {
        *counts.entry(format!("{:?}", p.decision)).or_default() += 1;
        counts
    });
    println!(
        "{}",
        serde_json::json!({ "summary": { "passages": played.len(), "as_expected": right, "outcomes": outcomes,
            "frame_to_signal_ms": { "p50": at(0.5), "worst": times.last() } } })
    );
    site.edge.stop().await;
    Ok(if right == trucks.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line of the live table.
#[expect(clippy::print_stdout, reason = "the table")]
fn row(passage: &Played) {
    println!(
        "{:<7} {:<9} {:<28} {:<22} {:>6} ms  {}",
        passage.lane,
        passage.mark,
        passage.read.join(" "),
        passage.decision.map_or("-".to_owned(), |d| format!("{d:?}")),
        passage.frame_to_signal_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}")),
        passage.story
    );
}
