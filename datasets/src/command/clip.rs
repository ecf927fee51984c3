//! `datasets render clip` and `datasets render queue`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use datasets::clip::{Clip, ClipError, ClipSpec, Condition, Mounting, mark, render_clip, scenario};
use datasets::queue::render_queue;

/// A clip's description.
#[derive(Args)]
pub(crate) struct ClipArguments {
    /// The film's file; the label track goes beside it as NAME.labels.jsonl.
    #[arg(long)]
    out: PathBuf,
    /// A named drive: stacked, separate, two-rows, hong-kong-only, inconsistent, muddy. Other options change it.
    #[arg(long, default_value = "stacked")]
    scenario: String,
    /// The Hong Kong mark; without --mainland-mark the truck then carries this plate only.
    #[arg(long)]
    mark: Option<String>,
    /// The mainland mark.
    #[arg(long)]
    mainland_mark: Option<String>,
    /// stacked, stacked-two-rows, separate or separate-two-rows.
    #[arg(long)]
    mounting: Option<Mounting>,
    /// day, dusk, night, rain, glare, dirt, infrared or motion-blur.
    #[arg(long, default_value = "day")]
    condition: Condition,
    /// Length in seconds.
    #[arg(long, default_value_t = 8.0)]
    seconds: f32,
    /// Frames in a second.
    #[arg(long, default_value_t = 25)]
    fps: u32,
    /// WIDTHxHEIGHT in pixels.
    #[arg(long, default_value = "1280x720", value_parser = size)]
    size: (usize, usize),
    /// Seed for the truck's looks; the scenario has its own.
    #[arg(long)]
    seed: Option<u64>,
}

/// A queue's description.
#[derive(Args)]
pub(crate) struct QueueArguments {
    /// The film's file; the label track goes beside it as NAME.labels.jsonl.
    #[arg(long)]
    out: PathBuf,
    /// Named drives in their order, separated by commas; see `render clip --help`.
    #[arg(long, value_delimiter = ',', default_value = "stacked,separate,two-rows,inconsistent,muddy")]
    scenarios: Vec<String>,
    /// day, dusk, night, rain, glare, dirt, infrared or motion-blur.
    #[arg(long, default_value = "day")]
    condition: Condition,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let (width, height) = text.split_once('x').ok_or("write it as WIDTHxHEIGHT, such as 1280x720")?;
    let number = |t: &str| t.parse::<usize>().map_err(|e| format!("{t:?} is no number of pixels: {e}"));
    Ok((number(width)?, number(height)?))
}

/// Renders it.
pub(crate) fn run(arguments: &ClipArguments) -> anyhow::Result<()> {
    let named = scenario(&arguments.scenario)?;
    let (own, mainland) = match (&arguments.mark, &arguments.mainland_mark) {
        (None, None) => (named.mark.clone(), named.mainland_mark.clone()),
        (own, mainland) => {
            (own.as_deref().map(mark).transpose()?, mainland.as_deref().map(mark).transpose()?)
        }
    };
    let (width, height) = arguments.size;
    let spec = ClipSpec {
        mark: own,
        mainland_mark: mainland,
        mounting: arguments.mounting.unwrap_or(named.mounting),
        condition: arguments.condition,
        seconds: arguments.seconds,
        fps: arguments.fps,
        width,
        height,
        seed: arguments.seed.unwrap_or(named.seed),
        ..named
    };
    let clip = render_clip(&spec, &arguments.out)
        .with_context(|| format!("rendering {}", arguments.out.display()))?;
    report(&clip);
    Ok(())
}

/// Renders a queue.
pub(crate) fn run_queue(arguments: &QueueArguments) -> anyhow::Result<()> {
    let condition = arguments.condition;
    let drives: Vec<ClipSpec> = arguments
        .scenarios
        .iter()
        .map(|name| Ok(ClipSpec { condition, ..scenario(name)? }))
        .collect::<Result<_, ClipError>>()?;
    let out = &arguments.out;
    let clip = render_queue(&drives, out).with_context(|| format!("rendering {}", out.display()))?;
    report(&clip);
    Ok(())
}

fn report(clip: &Clip) {
    tracing::info!(frames = clip.frames, labels = %clip.labels.display(), "the film is written");
}
