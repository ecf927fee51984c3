//! What can go wrong with a camera, in words that name it, the cause and the mend.

use gst::glib;
use gstreamer as gst;

use super::spec::{CameraSpec, Source, redact};

/// A camera that does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("camera {camera:?} ({place}): {cause}")]
pub struct CameraError {
    /// Its name in the configuration.
    pub camera: String,
    /// What it reads from, without passwords.
    pub place: String,
    /// What is wrong.
    pub cause: Cause,
}

/// Why a camera does not work. `detail` is GStreamer's own word, without passwords.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Nothing there.
    #[error("nothing is found there ({detail}): check the path")]
    NotFound {
        /// GStreamer's own word.
        detail: String,
    },
    /// Wrong or missing password.
    #[error("access is refused ({detail}): check user and password, and the file's permissions")]
    Forbidden {
        /// GStreamer's own word.
        detail: String,
    },
    /// Nobody answers.
    #[error("cannot connect ({detail}): check address, port, cable and that the camera is on")]
    Unreachable {
        /// GStreamer's own word.
        detail: String,
    },
    /// Sound, or nothing at all.
    #[error("there is no video in it: choose a stream or a file with H.264, H.265 or MJPEG video")]
    NoVideo,
    /// A codec that this machine cannot decode.
    #[error("no decoder for {codec}: install gstreamer1.0-libav, or set the camera to H.264, H.265 or MJPEG")]
    NoDecoder {
        /// The codec.
        codec: String,
    },
    /// Part of GStreamer is not installed.
    #[error("GStreamer's `{element}` is missing: install the gstreamer1.0-plugins packages")]
    NoElement {
        /// The element.
        element: String,
    },
    /// Bytes that are not what they should be.
    #[error("the data is damaged or cut short ({detail}): make the recording again, or check the camera")]
    Damaged {
        /// GStreamer's own word.
        detail: String,
    },
    /// The stream ended although it should not.
    #[error("the camera ended the stream: it may be restarting")]
    StreamEnded,
    /// Connected, but silent.
    #[error("no picture for {seconds} s: built anew")]
    Stalled {
        /// For how long.
        seconds: u64,
    },
    /// Anything else.
    #[error("GStreamer failed: {detail}")]
    Other {
        /// GStreamer's own word.
        detail: String,
    },
}

impl CameraError {
    pub(super) fn new(spec: &CameraSpec, cause: Cause) -> Self {
        Self { camera: spec.name.clone(), place: spec.source.place(), cause }
    }
}

impl Cause {
    /// GStreamer's message sorted by what a person can do about it.
    pub(super) fn of(error: &glib::Error, debug: Option<&str>, source: &Source) -> Self {
        let detail = detail(error, debug);
        if let Some(kind) = error.kind::<gst::ResourceError>() {
            return Self::of_resource(kind, detail, source);
        }
        if let Some(kind) = error.kind::<gst::StreamError>() {
            return match kind {
                gst::StreamError::CodecNotFound => Self::NoDecoder { codec: detail },
                _ => Self::Damaged { detail },
            };
        }
        match error.kind::<gst::CoreError>() {
            Some(gst::CoreError::MissingPlugin) => Self::NoDecoder { codec: detail },
            _ => Self::Other { detail },
        }
    }

    fn of_resource(kind: gst::ResourceError, detail: String, source: &Source) -> Self {
        use gst::ResourceError as R;
        match (kind, source) {
            (R::NotFound, _) if !unreachable(&detail) => Self::NotFound { detail },
            (R::NotAuthorized, _) => Self::Forbidden { detail },
            // rtspsrc reports a lost or refused connection as a failure to open, read or write.
            (_, Source::Rtsp { .. }) => Self::Unreachable { detail },
            (R::OpenRead | R::OpenReadWrite | R::OpenWrite, _) => Self::Forbidden { detail },
            (R::Read, _) => Self::Damaged { detail },
            _ => Self::Other { detail },
        }
    }
}

/// GStreamer calls an unknown host "not found", too.
fn unreachable(detail: &str) -> bool {
    ["resolve", "Failed to connect", "refused", "unreachable"].iter().any(|word| detail.contains(word))
}

/// The message and the last line of its debug text, which names the cause; one line, no passwords.
fn detail(error: &glib::Error, debug: Option<&str>) -> String {
    let message = error.message().trim_end_matches('.').to_owned();
    let last = debug.and_then(|d| d.lines().rev().find(|l| !l.trim().is_empty()));
    // "../path/gstx.c(123): function (): /GstPipeline:p/GstX:x:" is for GStreamer's authors.
    let said = last.filter(|l| !l.starts_with("..") && !l.contains("/GstPipeline"));
    redact(&said.map_or(message.clone(), |said| format!("{message}: {}", said.trim())))
}
