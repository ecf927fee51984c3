//! Frames to an MP4 file, through GStreamer's x264.

use std::path::Path;

use gstreamer::prelude::*;
use gstreamer::{Buffer, ClockTime, Fraction, MessageView, Pipeline, State};
use gstreamer_app::AppSrc;

use super::{ClipError, file_error};

/// How long the encoder may take to write its last frames, in seconds.
const PATIENCE: u64 = 120;

pub(super) struct Encoder {
    pipeline: Pipeline,
    source: AppSrc,
    frame: u64,
    duration: u64,
}

impl Encoder {
    pub(super) fn new(path: &Path, width: usize, height: usize, fps: u32) -> Result<Self, ClipError> {
        // GStreamer reports an unwritable file late and vaguely; this says it at once.
        std::fs::File::create(path).map_err(|e| file_error(path, e))?;
        gstreamer::init().map_err(failed)?;
        let pipeline = Pipeline::new();
        let caps = gstreamer::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", width as i32)
            .field("height", height as i32)
            .field("framerate", Fraction::new(fps as i32, 1))
            .build();
        let source =
            AppSrc::builder().caps(&caps).format(gstreamer::Format::Time).block(true).max_buffers(4).build();
        let encoder = make("x264enc")?;
        encoder.set_property_from_str("speed-preset", "superfast");
        encoder.set_property("bitrate", 5000u32);
        encoder.set_property("key-int-max", fps);
        encoder.set_property("threads", 1u32);
        let (parser, mux, sink) = (make("h264parse")?, make("mp4mux")?, make("filesink")?);
        sink.set_property("location", path.to_string_lossy().as_ref());
        let chain = [source.upcast_ref(), &encoder, &parser, &mux, &sink];
        pipeline.add_many(chain).map_err(failed)?;
        gstreamer::Element::link_many(chain).map_err(failed)?;
        pipeline.set_state(State::Playing).map_err(failed)?;
        Ok(Self { pipeline, source, frame: 0, duration: 1_000_000_000 / u64::from(fps) })
    }

    /// Adds a frame of I420 planes.
    pub(super) fn push(&mut self, planes: &[u8]) -> Result<(), ClipError> {
        let mut buffer = Buffer::from_slice(planes.to_vec());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(ClockTime::from_nseconds(self.frame * self.duration));
            buffer.set_duration(ClockTime::from_nseconds(self.duration));
        }
        self.frame += 1;
        self.source.push_buffer(buffer).map(|_| ()).map_err(|flow| self.why(flow))
    }

    /// Waits until the file is whole.
    pub(super) fn finish(self) -> Result<(), ClipError> {
        self.source.end_of_stream().map_err(|flow| self.why(flow))?;
        let bus = self.pipeline.bus().ok_or_else(|| failed("the pipeline has no bus"))?;
        let wanted = [gstreamer::MessageType::Eos, gstreamer::MessageType::Error];
        match bus.timed_pop_filtered(ClockTime::from_seconds(PATIENCE), &wanted) {
            None => Err(failed(format!("it did not finish within {PATIENCE} s"))),
            Some(message) => match message.view() {
                MessageView::Error(e) => Err(failed(e.error())),
                _ => Ok(()),
            },
        }
    }

    /// The cause of a refused buffer, which the bus knows better than the flow does.
    fn why(&self, flow: impl std::fmt::Debug) -> ClipError {
        let message = self.pipeline.bus().and_then(|bus| bus.pop_filtered(&[gstreamer::MessageType::Error]));
        match message.as_ref().map(|m| m.view()) {
            Some(MessageView::Error(e)) => failed(e.error()),
            _ => failed(format!("{flow:?}")),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // Nothing is left to be done about a pipeline that will not stop.
        let _ = self.pipeline.set_state(State::Null);
    }
}

fn make(name: &str) -> Result<gstreamer::Element, ClipError> {
    gstreamer::ElementFactory::make(name).build().map_err(failed)
}

fn failed(cause: impl std::fmt::Display) -> ClipError {
    ClipError::Encode(cause.to_string())
}
