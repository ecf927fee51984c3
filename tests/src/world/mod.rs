//! The world outside the software: trucks that drive up, stop at the line, look at the signal and leave, seen by RTSP
//! cameras and felt by loops. The demo and the end-to-end tests share it.

pub mod footage;
pub mod lane;
pub mod namespaces;
pub mod network;
pub mod node;
pub mod play;
pub mod queue;
pub mod rtsp;
pub mod site;
pub mod traffic;
