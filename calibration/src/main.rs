//! The command `calibration`: what an engineer runs when a camera is installed, and when a reader is judged.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use calibration::board::Board;
use calibration::confidence::{Judged, reliability, threshold_for_risk};
use calibration::lane::{GroundPoint, LaneGeometry};
use calibration::{intrinsics, sharpness};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

/// Width of a mainland cross-boundary plate, millimetres (GA 36-2018); Hong Kong's are wider.
const PLATE_MM: f64 = 440.0;

/// Calibrate a lane's cameras, and the confidence of its reader.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  calibration board --kind charuco --out board.png
  calibration intrinsics --kind charuco views/*.jpg > lane-1-camera.json
  calibration lane points.json
  calibration sharpness frame.jpg
  calibration confidence judged.jsonl --risk 0.001"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Draw a board to print.
    #[command(after_help = "Examples:
  calibration board --kind charuco --out board.png
  calibration board --kind chessboard --columns 9 --rows 6 --square-mm 25 --out board.png")]
    Board {
        #[command(flatten)]
        board: BoardArgs,
        /// Where to write the picture (PNG).
        #[arg(long)]
        out: PathBuf,
    },
    /// Lens parameters from pictures of a board; prints JSON.
    #[command(after_help = "Examples:
  calibration intrinsics --kind charuco views/*.jpg > lane-1-camera.json
  calibration intrinsics --needed-px 120 views/*.jpg")]
    Intrinsics {
        #[command(flatten)]
        board: BoardArgs,
        /// Plate width in pixels that the reader needs, for the distances printed.
        #[arg(long, default_value_t = 100.0)]
        needed_px: f64,
        /// Pictures of the board, at least five.
        #[arg(required = true)]
        pictures: Vec<PathBuf>,
    },
    /// The lane's ground plane from points measured in it: a JSON list of {"pixel": [x, y], "metres": [across, along]}.
    #[command(after_help = "Example:
  calibration lane points.json > lane-1-ground.json")]
    Lane {
        /// The list.
        points: PathBuf,
    },
    /// Focus and motion blur of pictures; prints one JSON line each.
    #[command(after_help = "Example:
  calibration sharpness frames/*.jpg")]
    Sharpness {
        /// The pictures.
        #[arg(required = true)]
        pictures: Vec<PathBuf>,
    },
    /// Reliability curve, and the threshold for a stated risk, from JSON lines {"confidence": 0.97, "right": true}.
    #[command(after_help = "Examples:
  calibration confidence judged.jsonl --risk 0.001
  calibration confidence judged.jsonl --risk 0.001 --proven")]
    Confidence {
        /// The lines.
        judged: PathBuf,
        /// Misreads allowed among accepted reads.
        #[arg(long, default_value_t = 0.001)]
        risk: f64,
        /// Ask that the 95% upper bound, not only the observed rate, keeps the risk.
        #[arg(long)]
        proven: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum BoardKind {
    /// Alternating squares.
    Chessboard,
    /// With markers: may be partly hidden.
    Charuco,
}

#[derive(Args)]
struct BoardArgs {
    /// Which board.
    #[arg(long, value_enum, default_value = "charuco")]
    kind: BoardKind,
    /// Squares along a row (inner corners for a chessboard).
    #[arg(long, default_value_t = 8)]
    columns: i32,
    /// Squares along a column (inner corners for a chessboard).
    #[arg(long, default_value_t = 6)]
    rows: i32,
    /// Edge of a square, millimetres.
    #[arg(long, default_value_t = 30.0)]
    square_mm: f32,
    /// Edge of a marker, millimetres.
    #[arg(long, default_value_t = 22.0)]
    marker_mm: f32,
}

impl BoardArgs {
    fn board(&self) -> Board {
        let Self { columns, rows, square_mm, marker_mm, .. } = *self;
        match self.kind {
            BoardKind::Chessboard => Board::Chessboard { columns, rows, square_mm },
            BoardKind::Charuco => Board::Charuco { columns, rows, square_mm, marker_mm },
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("calibration: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Board { board, out } => {
            let picture = board.board().draw(120)?;
            let name = out.display().to_string();
            let written = opencv::imgcodecs::imwrite_def(&name, &picture)?;
            ensure!(written, "{name}: cannot be written; is the folder there and the name ending in .png?");
            Ok(())
        }
        Command::Intrinsics { board, needed_px, pictures } => {
            let camera = intrinsics::calibrate(&board.board(), pictures)?;
            eprintln!(
                "{} of {} pictures used, {:.2} px RMS; a {PLATE_MM} mm plate is {needed_px} px wide up to {:.1} m",
                camera.views.len(),
                pictures.len(),
                camera.rms_px,
                camera.farthest_readable_m(PLATE_MM, *needed_px)
            );
            print_json(&camera)
        }
        Command::Lane { points } => {
            let text = std::fs::read_to_string(points).with_context(|| points.display().to_string())?;
            let points: Vec<GroundPoint> = serde_json::from_str(&text)
                .with_context(|| format!("{}: not a list of points", points.display()))?;
            print_json(&LaneGeometry::fit(&points)?)
        }
        Command::Sharpness { pictures } => pictures.iter().try_for_each(|path| {
            let measured = sharpness::measure(&intrinsics::load_grey(path)?)?;
            print_json(&serde_json::json!({ "image": path, "sharpness": measured }))
        }),
        Command::Confidence { judged, risk, proven } => {
            let reads = read_judged(judged)?;
            let threshold = threshold_for_risk(&reads, *risk, *proven);
            print_json(&serde_json::json!({
                "reads": reads.len(),
                "reliability": reliability(&reads),
                "risk": risk,
                "threshold": threshold,
            }))
        }
    }
}

fn read_judged(path: &Path) -> anyhow::Result<Vec<Judged>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut reads = Vec::new();
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| path.display().to_string())?;
        if line.trim().is_empty() {
            continue;
        }
        let read: Judged =
            serde_json::from_str(&line).with_context(|| format!("{} line {}", path.display(), number + 1))?;
        ensure!(
            (0.0..=1.0).contains(&read.confidence),
            "{} line {}: a confidence lies between 0 and 1, not {}",
            path.display(),
            number + 1,
            read.confidence
        );
        reads.push(read);
    }
    ensure!(!reads.is_empty(), "{}: no reads in it", path.display());
    Ok(reads)
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
