//! Every picture of a source in turn, for commands that read recordings: no supervision, no mailbox, nothing
//! dropped. What is wrong with the source comes as the last item.

use std::time::{Duration, Instant};

use gst::prelude::*;
use gstreamer as gst;

use super::error::{CameraError, Cause};
use super::feed;
use super::frame::Frame;
use super::pipeline::{self, Built, Delivery};
use super::spec::{CameraSpec, Source};
use super::teardown;

/// How often the bus is looked at while no picture comes.
const POLL: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// The pictures of a source, each with its time since the start of the stream.
pub struct Frames {
    spec: CameraSpec,
    built: Option<Built>,
    number: u64,
    /// Time spent waiting since the last picture, in steps of [`POLL`]: a machine that was held up for a while
    /// (a paused guest, a busy disk) has not waited for the source.
    waited: Duration,
}

impl Frames {
    /// Start reading `spec`'s source from its beginning. A device or a stream is read as it comes, and the reading
    /// ends with an error when no picture came for the rebuild time.
    pub fn open(spec: CameraSpec) -> Result<Self, CameraError> {
        if let Source::File { path, .. } = &spec.source
            && let Err(error) = std::fs::File::open(path)
        {
            let detail = error.to_string();
            let cause = match error.kind() {
                std::io::ErrorKind::PermissionDenied => Cause::Forbidden { detail },
                _ => Cause::NotFound { detail },
            };
            return Err(CameraError::new(&spec, cause));
        }
        let built =
            pipeline::build(&spec.source, Delivery::Every).map_err(|cause| CameraError::new(&spec, cause))?;
        let started = built.pipeline.set_state(gst::State::Playing);
        let mut frames = Self { spec, built: Some(built), number: 0, waited: Duration::ZERO };
        if started.is_err() {
            let said = frames.said();
            return Err(
                frames.fail(said.unwrap_or_else(|| Cause::Other { detail: "it does not start".into() }))
            );
        }
        Ok(frames)
    }

    /// The error on the bus, if there is one.
    fn said(&self) -> Option<Cause> {
        let bus = self.built.as_ref()?.pipeline.bus()?;
        while let Some(message) = bus.pop_filtered(&[gst::MessageType::Error]) {
            if let Some(cause) = cause_of(&message, &self.spec.source) {
                return Some(cause);
            }
        }
        None
    }

    fn fail(&mut self, cause: Cause) -> CameraError {
        self.close();
        CameraError::new(&self.spec, cause)
    }

    fn close(&mut self) {
        if let Some(built) = self.built.take() {
            teardown::end(&self.spec.name, built.pipeline);
        }
    }

    fn take(&mut self, sample: &gst::Sample) -> Result<(Duration, Frame), CameraError> {
        let damaged = |detail: String| Cause::Damaged { detail };
        let picture = feed::picture(sample).map_err(|e| self.fail(damaged(e.to_string())))?;
        self.waited = Duration::ZERO;
        let at = picture.at.unwrap_or_default();
        let frame = Frame::new(0, self.number, Instant::now(), picture.luma, picture.chroma)
            .map_err(|e| self.fail(damaged(e.to_string())))?;
        self.number += 1;
        Ok((at, frame))
    }
}

impl Iterator for Frames {
    type Item = Result<(Duration, Frame), CameraError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let sink = self.built.as_ref()?.sink.clone();
            if let Some(sample) = sink.try_pull_sample(POLL) {
                return Some(self.take(&sample));
            }
            if let Some(cause) = self.said() {
                return Some(Err(self.fail(cause)));
            }
            if sink.is_eos() {
                self.close();
                let empty = self.number == 0;
                return empty.then(|| Err(CameraError::new(&self.spec, Cause::NoVideo)));
            }
            self.waited += Duration::from(POLL);
            if self.waited >= self.spec.rebuild_after() {
                let seconds = self.waited.as_secs();
                return Some(Err(self.fail(match self.spec.source {
                    // A file does not keep anybody waiting: demultiplexers lose the end of a cut one now and then.
                    Source::File { .. } => {
                        Cause::Damaged { detail: format!("no picture in {seconds} s of reading") }
                    }
                    _ => Cause::Stalled { seconds },
                })));
            }
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a bus message says is wrong, if it does.
pub(super) fn cause_of(message: &gst::Message, source: &Source) -> Option<Cause> {
    match message.view() {
        gst::MessageView::Error(error) => Some(Cause::of(&error.error(), error.debug().as_deref(), source)),
        _ => None,
    }
}
