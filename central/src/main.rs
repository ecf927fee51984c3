//! central
fn main() {}
