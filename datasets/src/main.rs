//! datasets
fn main() {}
