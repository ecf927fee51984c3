//! calibration
fn main() {}
