//! The engineer's evaluation: what the plate pipeline is worth on labelled photographs, one JSON line a figure, and a
//! report to look at.
#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use models::Bundle;
use tests::evaluation::figures::{SetFigures, Terms};
use tests::evaluation::gallery;
use tests::evaluation::labels::LabelledSet;
use tests::evaluation::peer::Peer;
use tests::evaluation::product;
use tests::evaluation::rendered;
use tests::evaluation::report::{self, Beside, Report};

/// What our own figures are listed under.
const OURS: &str = "clearlane";

/// Seed of the invented vehicles: the same list in every run.
const SEED: u64 = 2019;

/// Measure the plate pipeline on sets of labelled photographs: JSON lines on stdout, a report in a folder.
#[derive(Parser)]
#[command(
    version,
    after_help = "A set is a folder with labels.csv (image,text,x,y,w,h,corners,rows,country, and condition where light and \
weather are known) and the pictures it names; \
`datasets export --format csv` makes one of officers' corrections. The report shows real vehicles: keep it on this machine.

Examples:
  evaluate ../shared/data/plates/hk_cross_boundary_2019
  evaluate --lane-model lane-v2 --out work/lane-v2 ../shared/data/plates/openalpr_{eu,us}
  evaluate --peer --peer-limit 20 ../shared/data/plates/openalpr_eu
  evaluate --rendered 8
  evaluate SET | jq 'select(.figure == \"plates\")'"
)]
struct Arguments {
    /// Model bundle to read with.
    #[arg(long, default_value = models::DEFAULT_BUNDLE)]
    lane_model: String,
    /// Folder of bundles. Default: models/bundles of this checkout, else /usr/share/clearlane/models.
    #[arg(long)]
    model_dir: Option<PathBuf>,
    /// Folder for the report: index.html, figures.jsonl and the crops of what went wrong.
    #[arg(long, default_value = "work/evaluation")]
    out: PathBuf,
    /// Measure RapidOCR on the same pictures (`make setup-peer` installs it).
    #[arg(long)]
    peer: bool,
    /// At most so many pictures of a set for the peer, spread over the set; it takes about a second for each.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    peer_limit: u32,
    /// Vehicles on the list of expected ones: the set's own and invented ones.
    #[arg(long, default_value_t = 5000)]
    expected: usize,
    /// Measure rendered trucks as well, so many under each light and weather: what photographs do not show.
    #[arg(long, value_name = "TRUCKS", default_value_t = 0)]
    rendered: usize,
    /// Sets.
    #[arg(required_unless_present = "rendered")]
    sets: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evaluate: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Arguments) -> anyhow::Result<()> {
    // Everything that can be wrong is said before the first picture is read.
    let mut sets = args.sets.iter().map(|folder| LabelledSet::load(folder)).collect::<Result<Vec<_>, _>>()?;
    let peer = args.peer.then(Peer::rapidocr).transpose()?;
    let folder = args.model_dir.clone().unwrap_or_else(models::bundles_folder);
    let bundle = Bundle::load(&folder.join(&args.lane_model))?;
    gallery::clear(&args.out)?;
    if args.rendered > 0 {
        let folder = args.out.join("rendered");
        let progress = bar("rendering".to_owned(), 0);
        rendered::render(&folder, args.rendered, &progress)?;
        progress.finish_and_clear();
        sets.push(LabelledSet::load(&folder)?);
    }
    // Figures of another bundle than the lane's stand under its own name.
    let ours = if args.lane_model == models::DEFAULT_BUNDLE { OURS } else { &args.lane_model };

    let terms = Terms { threshold: threshold(&bundle)?, expected: args.expected, seed: SEED };
    let mut report = Report {
        bundle: format!("{} {} ({:.12})", bundle.name(), bundle.version(), bundle.digest().to_string()),
        threshold: terms.threshold,
        product: Vec::new(),
        peers: Vec::new(),
        failures: Vec::new(),
    };
    let mut answer = Answer::default();
    for set in &sets {
        let progress = progress(ours, set);
        let read = product::read(&bundle, set, &progress)?;
        progress.finish_and_clear();
        let figures = SetFigures::of_product(ours, set, &read.reads, &read.measured, terms)?;
        answer.print(&figures)?;
        report.product.push(figures);
        report.failures.extend(gallery::failures(set, &read.reads, &args.out)?);
        if let Some(peer) = &peer {
            let part = set.thinned(args.peer_limit as usize);
            let progress = self::progress(peer.name, &part);
            let theirs = peer.read(&part, &progress)?;
            progress.finish_and_clear();
            let subset = part.pictures.len() < set.pictures.len();
            let beside = Beside {
                product: SetFigures {
                    subset,
                    ..SetFigures::of(ours, &part, &read.reads, &read.measured, terms)
                },
                peer: SetFigures {
                    subset,
                    ..SetFigures::of(peer.name, &part, &theirs, &read.measured, terms)
                },
            };
            if subset {
                answer.print(&beside.product)?;
            }
            answer.print(&beside.peer)?;
            report.peers.push(beside);
        }
    }
    answer.save(&args.out)?;
    let page = report::write(&report, &args.out)?;
    eprintln!("evaluate: the report is {}", page.display());
    Ok(())
}

/// The bundle's threshold, as its manifest writes it: widened bit by bit it would be another number.
fn threshold(bundle: &Bundle) -> anyhow::Result<f64> {
    bundle.thresholds().read_certain.to_string().parse().context("the bundle's threshold is no number")
}

fn progress(reader: &str, set: &LabelledSet) -> ProgressBar {
    bar(format!("{reader}: {}", set.name), set.pictures.len() as u64)
}

fn bar(message: String, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    ProgressBar::new(length)
        .with_message(message)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The lines, printed as they come and kept beside the report.
#[derive(Default)]
struct Answer {
    lines: Vec<String>,
}

impl Answer {
    fn print(&mut self, figures: &SetFigures) -> anyhow::Result<()> {
        for line in figures.lines()? {
            println!("{line}");
            self.lines.push(line);
        }
        Ok(())
    }

    fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join("figures.jsonl");
        std::fs::write(&path, self.lines.join("\n") + "\n")
            .with_context(|| format!("{}: cannot be written", path.display()))
    }
}
