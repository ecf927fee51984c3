//! `edge read`: the plates in pictures, recordings and streams, as JSON lines for people and scripts.
//!
//! One line for each picture, or for each frame and each passage of a recording. What cannot be read is a line with an
//! `error`; the others go on.

mod annotate;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use annotate::Annotator;
use clap::Args;
use clearance::geometry::Quad;
use clearance::picture::Luma;
use clearance::read::PlateRead;
use image::{DynamicImage, ImageDecoder as _, ImageReader};
use models::{Bundle, Recogniser, candidates};
use serde::Serialize;

use crate::camera::{CameraSpec, Frames, Source, StreamUrl};
use crate::lane::fuse::FusePolicy;
use crate::lane::passages::{FinishedPassage, PassageSplitter};

/// Pictures larger than this are refused before they are decoded.
const MOST_PIXELS: u64 = 100_000_000;

/// Arguments of `edge read`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  edge read photo.jpg
  edge read photos/ > reads.jsonl
  edge read --annotate outlined photos/
  edge read --every 5 lane.mp4 rtsp://10.0.0.5/stream1")]
pub struct ReadArgs {
    /// Model bundle to read with.
    #[arg(long, default_value = models::DEFAULT_BUNDLE)]
    lane_model: String,
    /// Folder of bundles. Default: models/bundles of this checkout, else /usr/share/clearlane/models.
    #[arg(long)]
    model_dir: Option<PathBuf>,
    /// Of a recording or stream, look at each so many-th frame.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Folder for copies of the pictures (of a recording: of each frame with a plate) with the plates outlined: green when
    /// read, red when not.
    #[arg(long)]
    annotate: Option<PathBuf>,
    /// Pictures, folders of pictures, recordings, rtsp:// addresses.
    #[arg(required = true)]
    items: Vec<String>,
}

/// How it went, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was read.
    All,
    /// Some items were not.
    Some,
    /// None was.
    None,
}

/// One plate, as printed.
#[derive(Debug, Serialize)]
struct PlateLine {
    mark: String,
    jurisdiction: String,
    confidence: f32,
    corners: Quad,
}

#[derive(Debug, Serialize)]
struct PictureLine<'a> {
    image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ms: Option<u64>,
    ms: f64,
    plates: Vec<PlateLine>,
}

#[derive(Debug, Serialize)]
struct PassageLine<'a> {
    image: &'a str,
    passage: usize,
    from_ms: u64,
    to_ms: u64,
    marks: Vec<MarkLine>,
}

#[derive(Debug, Serialize)]
struct MarkLine {
    mark: String,
    confidence: f32,
    certainty: clearance::read::Certainty,
    frames: u32,
}

#[derive(Debug, Serialize)]
struct ErrorLine<'a> {
    image: &'a str,
    error: String,
}

/// Read all items and print to `out`.
pub fn run(args: &ReadArgs, out: &mut impl Write) -> anyhow::Result<Outcome> {
    let folder = args.model_dir.clone().unwrap_or_else(models::bundles_folder);
    let bundle = Bundle::load(&folder.join(&args.lane_model))?;
    let annotator = args.annotate.as_deref().map(Annotator::new).transpose()?;
    let mut reading =
        Reading { annotator, recogniser: Recogniser::new(&bundle)?, bundle, every: args.every, out };
    let items: Vec<String> = args.items.iter().flat_map(|item| expand(item)).collect();
    let mut failed = 0;
    for item in &items {
        if let Err(error) = reading.item(item) {
            failed += 1;
            tracing::error!(item, error = %format!("{error:#}"), "not read");
            reading.print(&ErrorLine { image: item, error: format!("{error:#}") })?;
        }
    }
    Ok(match failed {
        0 if !items.is_empty() => Outcome::All,
        n if n < items.len() => Outcome::Some,
        _ => Outcome::None,
    })
}

/// The pictures of a folder, in order of name; anything else is itself.
fn expand(item: &str) -> Vec<String> {
    let path = Path::new(item);
    if !path.is_dir() {
        return vec![item.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(path) else { return vec![item.to_owned()] };
    let mut pictures: Vec<String> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| kind(&p.to_string_lossy()) == Kind::Picture)
        .map(|p| p.to_string_lossy().into_owned())
        .collect();
    pictures.sort();
    pictures
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Picture,
    Recording,
    Stream,
}

fn kind(item: &str) -> Kind {
    if item.contains("://") {
        return Kind::Stream;
    }
    let ending = Path::new(item).extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("mp4" | "mkv" | "avi" | "mov" | "webm" | "ts") => Kind::Recording,
        _ => Kind::Picture,
    }
}

struct Reading<'a, W: Write> {
    recogniser: Recogniser,
    bundle: Bundle,
    every: u64,
    annotator: Option<Annotator>,
    out: &'a mut W,
}

impl<W: Write> Reading<'_, W> {
    fn item(&mut self, item: &str) -> anyhow::Result<()> {
        match kind(item) {
            Kind::Picture => self.picture(item),
            Kind::Recording => {
                let source = Source::File { path: PathBuf::from(item), r#loop: false, paced: false };
                self.frames(item, source)
            }
            Kind::Stream => self.frames(item, Source::Rtsp { url: StreamUrl::new(item), latency_ms: 150 }),
        }
    }

    fn picture(&mut self, item: &str) -> anyhow::Result<()> {
        let picture = load(Path::new(item))?;
        let grey = picture.to_luma8();
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let (plates, ms) = self.recognise(&Luma::new(grey.into_raw(), width, height)?)?;
        if let Some(annotator) = &self.annotator {
            let name = Path::new(item).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            annotator.save(&name, picture.to_rgb8(), &plates)?;
        }
        let plates = plates.iter().map(plate_line).collect();
        self.print(&PictureLine { image: item, frame: None, time_ms: None, ms, plates })
    }

    fn recognise(&mut self, luma: &Luma) -> anyhow::Result<(Vec<PlateRead>, f64)> {
        let start = Instant::now();
        let seen = self.recogniser.recognise(luma.view())?;
        Ok((seen.plates, start.elapsed().as_secs_f64() * 1000.0))
    }

    fn frames(&mut self, item: &str, source: Source) -> anyhow::Result<()> {
        let mut splitter = PassageSplitter::new(FusePolicy::video(self.bundle.thresholds()));
        let mut passages = 0;
        for (number, next) in (0u64..).zip(Frames::open(CameraSpec::new("read", source))?) {
            let (at, frame) = match next {
                Ok(frame) => frame,
                Err(error) => {
                    self.passages(item, &mut passages, splitter.finish())?;
                    return Err(error.into());
                }
            };
            if number % self.every != 0 {
                continue;
            }
            let (plates, ms) = self.recognise(&frame.luma)?;
            if let Some(annotator) = self.annotator.as_ref().filter(|_| !plates.is_empty()) {
                let picture = image::load_from_memory(&frame.jpeg(95, usize::MAX))?.to_rgb8();
                let name = Path::new(item).file_stem().unwrap_or_default().to_string_lossy().into_owned();
                annotator.save(&format!("{name}-{number:06}"), picture, &plates)?;
            }
            let lines = plates.iter().map(plate_line).collect();
            let time_ms = Some(at.as_millis() as u64);
            self.print(&PictureLine { image: item, frame: Some(number), time_ms, ms, plates: lines })?;
            let finished = splitter.push(at, &plates, &());
            self.passages(item, &mut passages, finished)?;
        }
        self.passages(item, &mut passages, splitter.finish())
    }

    fn passages(
        &mut self,
        item: &str,
        count: &mut usize,
        finished: Vec<FinishedPassage<()>>,
    ) -> anyhow::Result<()> {
        let ms = |d: Duration| d.as_millis() as u64;
        for passage in finished {
            let marks = passage
                .plates
                .iter()
                .filter_map(|p| {
                    let best = p.plate.candidates.first()?;
                    Some(MarkLine {
                        mark: best.mark.to_string(),
                        confidence: best.probability,
                        certainty: p.plate.certainty,
                        frames: p.plate.frames,
                    })
                })
                .collect();
            let (from_ms, to_ms) = (ms(passage.from), ms(passage.to));
            self.print(&PassageLine { image: item, passage: *count, from_ms, to_ms, marks })?;
            *count += 1;
        }
        Ok(())
    }

    fn print(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *self.out, line)?;
        writeln!(self.out)?;
        Ok(())
    }
}

fn plate_line(read: &PlateRead) -> PlateLine {
    let best = candidates(&read.characters, 1).into_iter().next();
    let corners = read.sighting.corners;
    match best {
        Some(best) => PlateLine {
            jurisdiction: best.mark.jurisdiction().code().to_owned(),
            mark: best.mark.to_string(),
            confidence: best.probability,
            corners,
        },
        None => PlateLine { mark: String::new(), jurisdiction: "other".to_owned(), confidence: 0.0, corners },
    }
}

/// A picture (JPEG or PNG), turned upright by its EXIF orientation. Refuses other files, and pictures of more than
/// 100 megapixels before they are decoded.
pub fn load(path: &Path) -> anyhow::Result<DynamicImage> {
    let reader = ImageReader::open(path)?.with_guessed_format()?;
    anyhow::ensure!(reader.format().is_some(), "not a JPEG or PNG picture");
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    anyhow::ensure!(
        u64::from(width) * u64::from(height) <= MOST_PIXELS,
        "{width}x{height} pixels are more than the {MOST_PIXELS} allowed; scale it down"
    );
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}
