//! Central and many edges in one process, under one seed: the state machines of `clearance` with everything around them
//! that can go wrong, and the invariants of `docs/design/replication.md` checked after every step.
//!
//! A run is a list of [`Op`]s drawn from a seed; each op brings its own chance, so that a list from which some were taken
//! away does the same with the rest. That is how a failing run is made short ([`shrink`]).
//!
//! What is simulated as the product does it: what `edge::link`, `edge::directives`, the deciding thread and `central` do
//! with the machines' effects, write by write. A [`Mutation`] plants a bug into one of these places; a test has each of them
//! caught.

mod central;
mod edge;
mod mutation;
mod network;
mod oracle;
mod plan;
mod shrink;
mod world;

pub use mutation::Mutation;
pub use oracle::{Invariant, Violation};
pub use plan::{Kind, Op, plan};
pub use shrink::shrink;
pub use world::{Outcome, World};

use std::time::Duration;

/// How long a lease lasts here.
pub const LEASE: Duration = Duration::from_secs(9);

/// Steps of a quarter of a second within which everything must have converged after healing.
pub const CONVERGE_STEPS: u32 = 400;

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Only that nothing bad happens.
    Safety,
    /// That, and that everything good happens once all is healed.
    #[default]
    Liveness,
}

/// Do what `ops` say and check every invariant after each.
pub fn run(ops: &[Op], mode: Mode, mutation: Option<Mutation>) -> Outcome {
    let mut world = World::new(mutation);
    for (step, op) in ops.iter().enumerate() {
        world.act(op);
        if let Some(violation) = world.violation() {
            return Outcome {
                violation: Some(violation.at(step)),
                converge_steps: 0,
                released: world.released(),
            };
        }
    }
    let converge_steps = match mode {
        Mode::Safety => 0,
        Mode::Liveness => world.heal(),
    };
    let violation = world.violation().map(|violation| violation.at(ops.len()));
    Outcome { violation, converge_steps, released: world.released() }
}
