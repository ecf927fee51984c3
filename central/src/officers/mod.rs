//! officers
