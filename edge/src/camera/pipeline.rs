//! GStreamer pipelines, one for each kind of source, all ending in an appsink that gives NV12 or I420.
//!
//! RTSP chains are written out: what a camera sends is known, and auto-plugging costs start-up time and surprises.
//! Files and devices go through `decodebin`, because any container may come. Not through `decodebin3`: that of
//! GStreamer 1.22.0, which Debian 12 has, was seen to stand still in the middle of a sound file.

use std::path::Path;
use std::sync::OnceLock;

use gst::glib;
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSink;

use super::error::Cause;
use super::spec::{Source, StreamUrl, TestPattern};

/// Microseconds until a connection that does not answer is given up.
const TCP_TIMEOUT_US: u64 = 5_000_000;

/// How pictures leave the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The newest, as they come; older ones are dropped.
    Newest,
    /// The newest at the pace of the recording.
    Paced,
    /// Every one, as fast as it is taken.
    Every,
}

impl Delivery {
    /// How a lane takes pictures from `source`.
    pub(super) fn for_lane(source: &Source) -> Self {
        match source {
            Source::File { paced: true, .. } => Self::Paced,
            _ => Self::Newest,
        }
    }
}

/// A pipeline and its end.
pub(super) struct Built {
    pub(super) pipeline: gst::Pipeline,
    pub(super) sink: AppSink,
}

/// Build the pipeline for `source`, not yet started.
pub(super) fn build(source: &Source, delivery: Delivery) -> Result<Built, Cause> {
    gst::init().map_err(|e| Cause::Other { detail: format!("GStreamer does not start: {e}") })?;
    let pipeline = gst::Pipeline::new();
    let convert = make("videoconvert")?;
    let sink = appsink(delivery);
    pipeline.add_many([&convert, sink.upcast_ref()]).map_err(wiring)?;
    convert.link(&sink).map_err(wiring)?;
    match source {
        Source::Rtsp { url, latency_ms } => rtsp(&pipeline, &convert, url, *latency_ms)?,
        Source::File { path, .. } => any(&pipeline, &convert, "filesrc", "location", path)?,
        Source::V4l2 { device } => any(&pipeline, &convert, "v4l2src", "device", device)?,
        Source::Test { pattern, width, height, frames_per_second } => {
            test(&pipeline, &convert, *pattern, (*width, *height), *frames_per_second)?;
        }
    }
    Ok(Built { pipeline, sink })
}

fn appsink(delivery: Delivery) -> AppSink {
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["NV12", "I420"])).build();
    let (drop, buffers) = if delivery == Delivery::Every { (false, 2) } else { (true, 1) };
    AppSink::builder().caps(&caps).max_buffers(buffers).drop(drop).sync(delivery == Delivery::Paced).build()
}

fn test(
    pipeline: &gst::Pipeline,
    convert: &gst::Element,
    pattern: TestPattern,
    (width, height): (u32, u32),
    rate: u32,
) -> Result<(), Cause> {
    let source = make("videotestsrc")?;
    source.set_property("is-live", true);
    source.set_property_from_str("pattern", pattern.gst_name());
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "NV12")
        .field("width", width as i32)
        .field("height", height as i32)
        .field("framerate", gst::Fraction::new(rate as i32, 1))
        .build();
    pipeline.add(&source).map_err(wiring)?;
    source.link_filtered(convert, &caps).map_err(wiring)
}

/// A source of anything, decoded by `decodebin`; of its streams only video is decoded.
fn any(
    pipeline: &gst::Pipeline,
    convert: &gst::Element,
    source: &'static str,
    key: &str,
    path: &Path,
) -> Result<(), Cause> {
    let source = make(source)?;
    // As text: an unusual path must give an error on the bus, not a panic here.
    source.set_property(key, path.to_string_lossy().as_ref());
    let decode = make("decodebin")?;
    decode.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let media = caps.and_then(|c| c.structure(0).map(|s| s.name().to_string())).unwrap_or_default();
        let sound_or_text = ["audio/", "text/", "subpicture/"].iter().any(|kind| media.starts_with(kind));
        Some((!sound_or_text).to_value())
    });
    let target = convert.downgrade();
    decode.connect_pad_added(move |_, pad| {
        let free = target.upgrade().and_then(|t| t.static_pad("sink")).filter(|p| !p.is_linked());
        let linked = free.map(|sink| pad.link(&sink));
        tracing::trace!(pad = %pad.name(), ?linked, "decoded stream");
    });
    let target = convert.downgrade();
    decode.connect_no_more_pads(move |decode| {
        let linked = target.upgrade().and_then(|t| t.static_pad("sink")).is_some_and(|p| p.is_linked());
        if !linked {
            report(decode, &Cause::NoVideo);
        }
    });
    pipeline.add_many([&source, &decode]).map_err(wiring)?;
    source.link(&decode).map_err(wiring)
}

fn rtsp(
    pipeline: &gst::Pipeline,
    convert: &gst::Element,
    url: &StreamUrl,
    latency_ms: u32,
) -> Result<(), Cause> {
    let source = make("rtspsrc")?;
    source.set_property("location", url.reveal());
    source.set_property_from_str("protocols", "tcp");
    source.set_property("latency", latency_ms);
    source.set_property("tcp-timeout", TCP_TIMEOUT_US);
    source.set_property("drop-on-latency", true);
    take_first_video(&source);
    let (weak, target) = (pipeline.downgrade(), convert.downgrade());
    source.connect_pad_added(move |source, pad| {
        let (Some(pipeline), Some(convert)) = (weak.upgrade(), target.upgrade()) else { return };
        if let Err(cause) = decode_rtp(&pipeline, pad, &convert) {
            report(source, &cause);
        }
    });
    pipeline.add(&source).map_err(wiring)
}

/// Ask the server for its first video stream only: sound would cost bandwidth and have nowhere to go.
fn take_first_video(source: &gst::Element) {
    let chosen = std::sync::Arc::new(OnceLock::<u32>::new());
    let choice = std::sync::Arc::clone(&chosen);
    source.connect("select-stream", false, move |values| {
        let index = values.get(1).and_then(|v| v.get::<u32>().ok());
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let media = caps.and_then(|c| c.structure(0).and_then(|s| s.get::<String>("media").ok()));
        let take = match index {
            Some(index) if media.as_deref() == Some("video") => *choice.get_or_init(|| index) == index,
            _ => false,
        };
        Some(take.to_value())
    });
    source.connect("no-more-pads", false, move |values| {
        if let (None, Some(source)) =
            (chosen.get(), values.first().and_then(|v| v.get::<gst::Element>().ok()))
        {
            report(&source, &Cause::NoVideo);
        }
        None
    });
}

/// Depayloader, parser and decoders (the first that is installed) for what cameras send.
fn chain(encoding: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    match encoding {
        "H264" => Some((&["rtph264depay", "h264parse"], &["avdec_h264", "openh264dec"])),
        "H265" => Some((&["rtph265depay", "h265parse"], &["avdec_h265", "libde265dec"])),
        "JPEG" => Some((&["rtpjpegdepay"], &["jpegdec", "avdec_mjpeg"])),
        _ => None,
    }
}

fn decode_rtp(pipeline: &gst::Pipeline, pad: &gst::Pad, convert: &gst::Element) -> Result<(), Cause> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let encoding = caps.structure(0).and_then(|s| s.get::<String>("encoding-name").ok()).unwrap_or_default();
    let unknown = || Cause::NoDecoder { codec: encoding.clone() };
    let (before, decoders) = chain(&encoding).ok_or_else(unknown)?;
    let mut elements = before.iter().map(|name| make(name)).collect::<Result<Vec<_>, _>>()?;
    let decoder = decoders.iter().find_map(|name| make(name).ok()).ok_or_else(unknown)?;
    // More threads decode several pictures at once, which delays each of them by as many pictures.
    if decoder.has_property("max-threads") {
        decoder.set_property("max-threads", 1i32);
    }
    elements.push(decoder);
    pipeline.add_many(&elements).map_err(wiring)?;
    gst::Element::link_many(elements.iter().chain([convert])).map_err(wiring)?;
    for element in elements.iter().rev() {
        element.sync_state_with_parent().map_err(wiring)?;
    }
    let sink = elements.first().and_then(|e| e.static_pad("sink"));
    match sink.map(|sink| pad.link(&sink)) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Cause::Other { detail: format!("the {encoding} stream cannot be linked") }),
    }
}

/// From a streaming thread, errors travel over the bus like GStreamer's own.
fn report(element: &gst::Element, cause: &Cause) {
    match cause {
        Cause::NoDecoder { codec } => {
            gst::element_error!(element, gst::StreamError::CodecNotFound, ("{codec}"));
        }
        Cause::NoVideo => gst::element_error!(element, gst::StreamError::WrongType, ("no video")),
        other => gst::element_error!(element, gst::StreamError::Failed, ("{other}")),
    }
}

fn make(name: &str) -> Result<gst::Element, Cause> {
    gst::ElementFactory::make(name).build().map_err(|_| Cause::NoElement { element: name.to_owned() })
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn wiring(error: glib::BoolError) -> Cause {
    Cause::Other { detail: error.message.to_string() }
}
