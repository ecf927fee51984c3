//! `datasets render ...`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use datasets::crop::Kind;
use datasets::set::{SetSpec, TileSize, render_corners, render_plates, render_scenes};
use indicatif::{ProgressBar, ProgressStyle};

/// What to render.
#[derive(Subcommand)]
pub(crate) enum Render {
    /// Straightened plate crops for the reader, as numpy shards.
    #[command(
        after_help = "Example:\n  datasets render plates --out work/plates --count 240000 --threads 2 --preview plates.png"
    )]
    Plates {
        #[command(flatten)]
        set: SetArguments,
        /// Only crops of this kind.
        #[arg(long, value_parser = kind)]
        kind: Option<Kind>,
    },
    /// Crops around plates as a detector finds them, with where the corners really are, as numpy shards.
    #[command(after_help = "Example:\n  datasets render corners --out work/corners --count 100000 --seed 3")]
    Corners(SetArguments),
    /// A truck's drive through the lane, as an MP4 film with its label track.
    #[command(
        after_help = "Example:\n  datasets render clip --out truck.mp4 --mark KX4827 --condition night"
    )]
    Clip(super::clip::ClipArguments),
    /// Several drives one after the other in one film, with empty lane between them.
    #[command(
        after_help = "Example:\n  datasets render queue --out queue.mp4 --scenarios stacked,muddy,two-rows --condition rain"
    )]
    Queue(super::clip::QueueArguments),
    /// Grey tiles for the detector, as numpy shards.
    #[command(
        after_help = "Example:\n  datasets render scenes --out work/scenes --count 40000 --threads 2 --preview scenes.png"
    )]
    Scenes {
        #[command(flatten)]
        set: SetArguments,
        /// Width of a tile in pixels.
        #[arg(long, default_value_t = 320)]
        width: usize,
        /// Height of a tile in pixels.
        #[arg(long, default_value_t = 256)]
        height: usize,
    },
}

/// What every set needs to know.
#[derive(Args)]
pub(crate) struct SetArguments {
    /// Folder for the files; made when absent.
    #[arg(long)]
    out: PathBuf,
    /// Number of items.
    #[arg(long)]
    count: usize,
    /// Seed; the same seed renders the same items.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Items in one file [default: 20000 crops or 2000 tiles].
    #[arg(long)]
    shard_size: Option<usize>,
    /// Threads that render.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Write a contact sheet of the first items to this PNG file.
    #[arg(long)]
    preview: Option<PathBuf>,
}

impl SetArguments {
    fn spec(self, usual_shard: usize) -> SetSpec {
        let Self { out, count, seed, shard_size, threads, preview } = self;
        let shard_size = shard_size.unwrap_or(usual_shard);
        SetSpec { out, count, seed, shard_size, threads, only: None, preview }
    }
}

/// Does it.
pub(crate) fn run(render: Render) -> anyhow::Result<()> {
    match render {
        Render::Plates { set, kind } => {
            let spec = SetSpec { only: kind, ..set.spec(20_000) };
            let bar = bar(spec.count)?;
            render_plates(&spec, |done| bar.set_position(done as u64)).context("rendering plates")?;
            bar.finish();
        }
        Render::Corners(arguments) => {
            let spec = arguments.spec(20_000);
            let bar = bar(spec.count)?;
            render_corners(&spec, |done| bar.set_position(done as u64)).context("rendering corners")?;
            bar.finish();
        }
        Render::Clip(arguments) => super::clip::run(&arguments)?,
        Render::Queue(arguments) => super::clip::run_queue(&arguments)?,
        Render::Scenes { set, width, height } => {
            let spec = set.spec(2_000);
            let bar = bar(spec.count)?;
            let size = TileSize { width, height };
            render_scenes(&spec, size, |done| bar.set_position(done as u64)).context("rendering scenes")?;
            bar.finish();
        }
    }
    Ok(())
}

fn kind(name: &str) -> Result<Kind, String> {
    let known: Vec<_> = Kind::ALL.iter().map(|(_, name, ..)| *name).collect();
    Kind::named(name).ok_or_else(|| format!("no such kind of crop; there are {}", known.join(", ")))
}

fn bar(count: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{pos}/{len} {bar:40} {per_sec} {eta}")?;
    Ok(ProgressBar::new(count as u64).with_style(style))
}
