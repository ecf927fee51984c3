//! What the plate pipeline is worth on labelled photographs: the engineer's measure, beside a peer and the targets.
//!
//! Reading and judging are apart: [`product`] and [`peer`] make [`reads::Reads`]; [`scoring`] lays them on the labels;
//! everything else is arithmetic on verdicts; [`report`] shows it. The rules are those of the shared `score_plates.py`.

pub mod acceptance;
#[cfg(test)]
mod agreement;
pub mod causes;
pub mod conditions;
pub mod confusions;
pub mod expected;
pub mod figures;
pub mod gallery;
pub mod grammar;
pub mod labels;
pub mod matching;
pub mod peer;
pub mod product;
pub mod reads;
pub mod rendered;
pub mod report;
pub mod scoring;
pub mod spelling;
pub mod targets;
