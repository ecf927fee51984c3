//! What the product must reach, beside what it reaches.

use serde::Serialize;

use super::acceptance::Acceptance;
use super::figures::{ALL, SetFigures};

/// How a figure and its target compare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The figure must not be lower.
    AtLeast(f64),
    /// The figure must not be higher.
    AtMost(f64),
}

impl Limit {
    /// Whether a figure keeps to it.
    pub fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(limit) => figure >= limit,
            Self::AtMost(limit) => figure <= limit,
        }
    }
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A part, 0 to 1, written as a percentage.
    Part,
    /// Milliseconds.
    Milliseconds,
    /// A plain number.
    Count,
}

/// One thing to reach on a set.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What is measured.
    pub name: &'static str,
    /// How it is written.
    pub unit: Unit,
    /// How good it must be.
    pub limit: Limit,
    figure: fn(&SetFigures) -> Option<f64>,
}

impl Target {
    /// The figure of a reader on a set; `None` where the set has no such plates.
    pub fn figure(&self, figures: &SetFigures) -> Option<f64> {
        (self.figure)(figures)
    }
}

fn exact(figures: &SetFigures, group: &str) -> Option<f64> {
    figures.groups.get(group).map(|g| g.exact)
}

fn all(figures: &SetFigures) -> Option<&Acceptance> {
    figures.groups.get(ALL).filter(|g| g.plates > 0)
}

/// Every target, in the order of the report.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "plates found (IoU 0.5)",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.99),
        figure: |f| all(f).map(|g| g.recall_iou50),
    },
    Target {
        name: "exact, Hong Kong one row",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.98),
        figure: |f| exact(f, "HK single_row"),
    },
    Target {
        name: "exact, Hong Kong two rows",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.97),
        figure: |f| exact(f, "HK double_row"),
    },
    Target {
        name: "exact, 粤Z cross-boundary",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.96),
        figure: |f| exact(f, "CN-GD-cross single_row"),
    },
    Target {
        name: "exact, Europe",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.95),
        figure: |f| exact(f, "EU"),
    },
    Target { name: "exact, US", unit: Unit::Part, limit: Limit::AtLeast(0.85), figure: |f| exact(f, "US") },
    Target {
        name: "accepted reads that are wrong",
        unit: Unit::Part,
        limit: Limit::AtMost(0.001),
        // Where nothing is accepted there is no error, and nothing to be proud of.
        figure: |f| all(f).filter(|g| g.r#yield > 0.0).map(|g| g.error),
    },
    Target {
        name: "plates accepted (yield)",
        unit: Unit::Part,
        limit: Limit::AtLeast(0.95),
        figure: |f| all(f).map(|g| g.r#yield),
    },
    Target {
        name: "spurious in 100 pictures",
        unit: Unit::Count,
        limit: Limit::AtMost(2.0),
        figure: |f| Some(f.spurious_per_100()),
    },
    Target {
        name: "time a picture, median",
        unit: Unit::Milliseconds,
        limit: Limit::AtMost(15.0),
        figure: |f| f.total_ms.map(|t| t.median),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_good_enough() {
        assert!(Limit::AtLeast(0.95).holds(0.95) && !Limit::AtLeast(0.95).holds(0.9499));
        assert!(Limit::AtMost(2.0).holds(2.0) && !Limit::AtMost(2.0).holds(2.1));
    }
}
