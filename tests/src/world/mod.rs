//! The world outside the software: trucks that drive up, stop at the line, look at the signal and leave, seen by RTSP
//! cameras and felt by loops. The demo and the end-to-end tests share it.

/// Rules of a place without a cut-off: a vehicle may cross as soon as customs has assessed it.
pub const OPEN_PLACE: &str = "time_zone = \"Asia/Hong_Kong\"\n[[rules]]\nfrom = \"2010-01-01\"\nphase = \"mandatory\"\n\
    cut_off_minutes = 0\nlodging_window_days = 14\n";

pub mod browser;
pub mod certificates;
pub mod footage;
pub mod lane;
pub mod namespaces;
pub mod network;
pub mod node;
pub mod office;
pub mod play;
pub mod postgres;
pub mod queue;
pub mod rtsp;
pub mod rule;
pub mod site;
pub mod traffic;
