//! The lane's judgement, without any I/O: plates are followed over frames ([`track`]), their reads are fused into
//! one ([`fuse`]), and a state machine ([`machine`]) says when to decide, what to show and when the vehicle has
//! left. Time comes in with every call, pictures are opaque, so that all of it can be tested by the thousand.

mod align;
pub mod backdrop;
pub mod fuse;
pub mod machine;
pub mod passages;
pub mod plates;
pub mod track;

pub use backdrop::Backdrop;
pub use fuse::{FusePolicy, fuse};
pub use machine::{LaneConfig, LaneEffect, LaneEvent, LaneMachine};
pub use passages::{FinishedPassage, PassageSplitter};
pub use plates::{FrameSeen, LaneReader, Plate, SeenPlate};
pub use track::{Track, TrackId, Tracker};
