//! A failing run made short: whatever can be left out without the failure going away is left out.

use super::{Mode, Mutation, Op, run};

/// The shortest list found that still breaks the same invariant as `ops` does; `ops` itself if it breaks none.
pub fn shrink(ops: &[Op], mode: Mode, mutation: Option<Mutation>) -> Vec<Op> {
    let broken = |ops: &[Op]| run(ops, mode, mutation).violation;
    let Some(first) = broken(ops) else { return ops.to_vec() };
    let same = |ops: &[Op]| broken(ops).is_some_and(|violation| violation.invariant == first.invariant);
    let mut kept: Vec<Op> = ops[..ops.len().min(first.step + 1)].to_vec();
    if !same(&kept) {
        kept = ops.to_vec();
    }
    let mut part = kept.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + part).min(fewer.len()));
            if same(&fewer) {
                kept = fewer;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    kept
}
