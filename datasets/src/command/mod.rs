//! The subcommands.

mod clip;
pub(crate) mod export;
pub(crate) mod render;
