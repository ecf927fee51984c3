//! The subcommands.

mod clip;
pub(crate) mod render;
