//! A camera as an engineer writes it into the configuration, and the one place that knows its limits.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// One camera of a lane.
///
/// ```toml
/// [[camera]]
/// name = "front"
/// source = { kind = "rtsp", url = "rtsp://viewer:secret@10.0.0.5/stream1" }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSpec {
    /// How messages name it, such as `front`.
    pub name: String,
    /// Where its picture comes from.
    pub source: Source,
    /// Milliseconds without a new picture, or with a picture that does not change, after which the camera counts
    /// as missing or frozen. Default 1800, so that the lane holds within 2 s; at least 200, at most 1900.
    #[serde(default = "default_hold_after_ms")]
    pub hold_after_ms: u64,
    /// Milliseconds without a new picture after which the pipeline is built anew. Default 5000; at least 1000.
    #[serde(default = "default_rebuild_after_ms")]
    pub rebuild_after_ms: u64,
}

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A network camera: RTSP over TCP with H.264, H.265 or MJPEG.
    Rtsp {
        /// `rtsp://[user:password@]host[:port]/path`. The password never appears in a log.
        url: StreamUrl,
        /// Milliseconds of jitter buffer. Default 150; at most 2000.
        #[serde(default = "default_latency_ms")]
        latency_ms: u32,
    },
    /// A recording in any container GStreamer can open.
    File {
        /// Path of the recording.
        path: PathBuf,
        /// Start again at its end. Default false: the camera ends with the recording.
        #[serde(default)]
        r#loop: bool,
        /// Play in real time. Default true; false plays as fast as it decodes.
        #[serde(default = "default_paced")]
        paced: bool,
    },
    /// A camera on this machine.
    V4l2 {
        /// Device, such as `/dev/video0`.
        device: PathBuf,
    },
    /// A picture made up here, for trying things out.
    Test {
        /// What it shows. Default `ball`.
        #[serde(default)]
        pattern: TestPattern,
        /// Width in pixels. Default 640.
        #[serde(default = "default_test_width")]
        width: u32,
        /// Height in pixels. Default 360.
        #[serde(default = "default_test_height")]
        height: u32,
        /// Pictures a second. Default 15.
        #[serde(default = "default_test_rate")]
        frames_per_second: u32,
    },
}

/// What a test source shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestPattern {
    /// A ball that moves.
    #[default]
    Ball,
    /// Colour bars with a noisy corner.
    Smpte,
    /// Noise.
    Snow,
    /// Nothing, and it does not move: counts as frozen.
    Black,
}

impl TestPattern {
    /// GStreamer's name for it.
    pub(super) fn gst_name(self) -> &'static str {
        match self {
            Self::Ball => "ball",
            Self::Smpte => "smpte",
            Self::Snow => "snow",
            Self::Black => "black",
        }
    }
}

/// A URL that may carry a password: shown without it everywhere but to the one who connects.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StreamUrl(String);

impl StreamUrl {
    /// A URL as it is written.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole URL, password included: for the connection only.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamUrl({self})")
    }
}

/// `text` with the user part and the query of every URL in it blotted out.
pub(super) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '<' | '>'));
        let (url, tail) = after.split_at(end.unwrap_or(after.len()));
        let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
        match place.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str("***@");
                out.push_str(host);
            }
            None => out.push_str(place),
        }
        if query.is_some() {
            out.push_str("?***");
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// What is wrong with a camera's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A camera that messages could not name.
    #[error("a camera has an empty name: give it one, such as `name = \"front\"`")]
    Unnamed,
    /// A value outside its limits.
    #[error("camera {camera:?}: `{key} = {value}` is outside {least} to {most}")]
    Range {
        /// Which camera.
        camera: String,
        /// Which key.
        key: &'static str,
        /// What was written.
        value: u64,
        /// The least that makes sense.
        least: u64,
        /// The most that makes sense.
        most: u64,
    },
    /// No RTSP URL.
    #[error("camera {camera:?}: {url} is not an RTSP URL: write rtsp://host/path or rtsps://host/path")]
    Scheme {
        /// Which camera.
        camera: String,
        /// The URL, without its password.
        url: String,
    },
    /// An empty path.
    #[error("camera {camera:?}: `{key}` is empty")]
    Empty {
        /// Which camera.
        camera: String,
        /// Which key.
        key: &'static str,
    },
}

impl CameraSpec {
    /// A camera with the default limits.
    pub fn new(name: impl Into<String>, source: Source) -> Self {
        Self {
            name: name.into(),
            source,
            hold_after_ms: default_hold_after_ms(),
            rebuild_after_ms: default_rebuild_after_ms(),
        }
    }

    /// Refuse values that cannot work, before anything is started.
    pub fn validate(&self) -> Result<(), SpecError> {
        if self.name.trim().is_empty() {
            return Err(SpecError::Unnamed);
        }
        self.within("hold_after_ms", self.hold_after_ms, 200, 1_900)?;
        self.within("rebuild_after_ms", self.rebuild_after_ms, 1_000, 600_000)?;
        match &self.source {
            Source::Rtsp { url, latency_ms } => {
                self.within("latency_ms", u64::from(*latency_ms), 0, 2_000)?;
                let known = ["rtsp://", "rtsps://"].iter().any(|scheme| url.0.starts_with(scheme));
                if known {
                    Ok(())
                } else {
                    Err(SpecError::Scheme { camera: self.name.clone(), url: url.to_string() })
                }
            }
            Source::File { path, .. } => self.named("path", path.as_os_str().is_empty()),
            Source::V4l2 { device } => self.named("device", device.as_os_str().is_empty()),
            Source::Test { width, height, frames_per_second, .. } => {
                self.within("width", u64::from(*width), 16, 8_192)?;
                self.within("height", u64::from(*height), 16, 8_192)?;
                self.within("frames_per_second", u64::from(*frames_per_second), 1, 120)
            }
        }
    }

    /// After how long a picture that does not come or does not change is a fault.
    pub fn hold_after(&self) -> Duration {
        Duration::from_millis(self.hold_after_ms)
    }

    /// After how long without a picture the pipeline is built anew.
    pub fn rebuild_after(&self) -> Duration {
        Duration::from_millis(self.rebuild_after_ms)
    }

    fn within(&self, key: &'static str, value: u64, least: u64, most: u64) -> Result<(), SpecError> {
        if (least..=most).contains(&value) {
            Ok(())
        } else {
            Err(SpecError::Range { camera: self.name.clone(), key, value, least, most })
        }
    }

    fn named(&self, key: &'static str, empty: bool) -> Result<(), SpecError> {
        if empty { Err(SpecError::Empty { camera: self.name.clone(), key }) } else { Ok(()) }
    }
}

impl Source {
    /// What it reads from, without passwords.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Rtsp { url, .. } => url.to_string(),
            Self::File { path, .. } => path.display().to_string(),
            Self::V4l2 { device } => device.display().to_string(),
            Self::Test { pattern, .. } => format!("test pattern {}", pattern.gst_name()),
        }
    }
}

fn default_hold_after_ms() -> u64 {
    1_800
}

fn default_rebuild_after_ms() -> u64 {
    5_000
}

fn default_latency_ms() -> u32 {
    150
}

fn default_paced() -> bool {
    true
}

fn default_test_width() -> u32 {
    640
}

fn default_test_height() -> u32 {
    360
}

fn default_test_rate() -> u32 {
    15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_configuration_has_sensible_defaults() {
        let spec: CameraSpec =
            toml::from_str("name = 'front'\nsource = { kind = 'rtsp', url = 'rtsp://u:p@cam/1' }").unwrap();
        spec.validate().unwrap();
        assert_eq!((spec.hold_after_ms, spec.rebuild_after_ms), (1_800, 5_000));
        assert!(matches!(spec.source, Source::Rtsp { latency_ms: 150, .. }));
    }

    #[test]
    fn unknown_keys_are_refused_in_both_levels() {
        for text in [
            "name = 'a'\nfps = 3\nsource = { kind = 'test' }",
            "name = 'a'\nsource = { kind = 'file', path = 'x', speed = 2 }",
            "name = 'a'\nsource = { kind = 'telepathy' }",
        ] {
            assert!(toml::from_str::<CameraSpec>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_that_cannot_work_are_refused_by_name() {
        let mut spec = CameraSpec::new("rear", Source::V4l2 { device: PathBuf::new() });
        assert!(spec.validate().unwrap_err().to_string().contains("`device` is empty"));
        spec.source = Source::Rtsp { url: StreamUrl::new("http://me:pw@cam/1"), latency_ms: 150 };
        let error = spec.validate().unwrap_err().to_string();
        assert!(error.contains("rear") && !error.contains("pw"), "{error}");
        spec.hold_after_ms = 5_000;
        assert!(spec.validate().unwrap_err().to_string().contains("hold_after_ms = 5000"));
    }

    #[test]
    fn passwords_are_blotted_out() {
        for (text, shown) in [
            ("rtsp://u:p@cam:554/1", "rtsp://***@cam:554/1"),
            ("cannot open \"rtsp://u:p@x@cam/1?pw=9\" now", "cannot open \"rtsp://***@cam/1?***\" now"),
            ("rtsp://u:a/b@cam/1", "rtsp://***@cam/1"),
            ("rtsp://cam/1", "rtsp://cam/1"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(redact(text), shown);
        }
        assert_eq!(format!("{:?}", StreamUrl::new("rtsp://u:p@cam")), "StreamUrl(rtsp://***@cam)");
    }
}
