//! Cameras: from a URL, a file or a device to the newest picture in a mailbox, and an honest word on its health.
//!
//! GStreamer decodes on its own streaming threads; each camera has a supervising thread that builds, watches and
//! rebuilds its pipeline, and a timer thread that computes the health from the last arrival alone, so that it
//! tells the truth even while GStreamer hangs. A late picture is replaced, never queued: the lane looks at what
//! is in front of it now.

mod error;
mod feed;
mod frame;
mod health;
mod jpeg;
pub mod mailbox;
mod pipeline;
mod pull;
mod spec;
mod supervise;
mod teardown;

pub use error::{CameraError, Cause};
pub use frame::Frame;
pub use health::CameraHealth;
pub use mailbox::{Mailbox, Notifier};
pub use pull::Frames;
pub use spec::{CameraSpec, Source, SpecError, StreamUrl, TestPattern};
pub use supervise::Camera;
pub use teardown::hung_teardowns;
