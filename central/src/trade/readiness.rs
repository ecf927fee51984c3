//! What a crossing still lacks, and from whom: a tree, so that nobody has to guess whom to call.

use clearance::ids::UtcMillis;
use serde::{Deserialize, Serialize};

use super::movement::Load;
use super::place::Place;
use crate::ccrn::Ccrn;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// The shipper or the shipper's agent.
    Shipper,
    /// The driver or the driver's agent.
    Carrier,
    /// Customs.
    Customs,
    /// Nobody: time has to pass.
    Time,
}

/// What is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// The crossing as a whole.
    Crossing,
    /// A vehicle is named.
    Vehicle,
    /// What it carries is declared.
    Cargo,
    /// This consignment is in order.
    Consignment {
        /// Its number.
        #[schema(value_type = String)]
        ccrn: Ccrn,
    },
    /// The cut-off between the last bundling and the crossing has passed.
    CutOff,
    /// Customs has assessed it.
    Assessment,
}

/// Whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Yes.
    Met,
    /// No.
    Missing,
    /// Not yet: from this moment on (milliseconds since 1970).
    From {
        /// When.
        #[schema(value_type = i64)]
        at: UtcMillis,
    },
    /// No, and it is not asked for while this notice is in force.
    Waived {
        /// Its reference.
        reference: String,
    },
    /// No, and the rules only advise it yet.
    Advised,
}

/// One node of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Need {
    /// What.
    pub requirement: Requirement,
    /// Whether it is there.
    pub standing: Standing,
    /// Who has to act, or has acted.
    pub from: Whom,
    /// What it is made up of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub of: Vec<Need>,
}

impl Need {
    fn leaf(requirement: Requirement, standing: Standing, from: Whom) -> Self {
        Self { requirement, standing, from, of: Vec::new() }
    }

    /// Whether nothing of it is missing.
    pub fn holds(&self) -> bool {
        !matches!(self.standing, Standing::Missing | Standing::From { .. }) && self.of.iter().all(Self::holds)
    }

    /// The leaves that are missing.
    pub fn missing(&self) -> Vec<&Self> {
        if self.of.is_empty() {
            return if self.holds() { Vec::new() } else { vec![self] };
        }
        self.of.iter().flat_map(Self::missing).collect()
    }
}

/// A consignment, as far as readiness goes.
#[derive(Clone, Debug)]
pub struct Carried {
    /// Which.
    pub ccrn: Ccrn,
    /// Whether its shipper has taken it back.
    pub cancelled: bool,
}

/// What is known of a crossing.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What the vehicle carries.
    pub load: &'a Load,
    /// The consignments.
    pub consignments: &'a [Carried],
    /// When a vehicle or a consignment was last bundled.
    pub bundled_at: UtcMillis,
    /// Whether customs has given a code.
    pub assessed: bool,
    /// Reference of the contingency notice in force.
    pub notice: Option<&'a str>,
}

/// How ready a crossing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Readiness {
    /// Whether the trade has done its part: customs can assess it.
    pub declared: bool,
    /// Whether nothing at all is missing now.
    pub ready: bool,
    /// The earliest moment at which the vehicle may cross (milliseconds since 1970).
    #[schema(value_type = i64)]
    pub earliest: UtcMillis,
    /// What it is made up of.
    pub tree: Need,
}

/// Judge a crossing at `now`.
pub fn readiness(place: &Place, facts: &Facts<'_>, now: UtcMillis) -> Readiness {
    let rules = place.rules(now);
    let lacking = match facts.notice {
        Some(reference) => Standing::Waived { reference: reference.to_owned() },
        None if !rules.phase.enforces() => Standing::Advised,
        None => Standing::Missing,
    };
    let cargo = cargo(facts, &lacking);
    let declared = cargo.holds();
    let waived = !matches!(lacking, Standing::Missing);
    let earliest = if waived { now } else { facts.bundled_at.plus_millis(rules.cut_off_ms()) };
    let cut_off = if earliest <= now { Standing::Met } else { Standing::From { at: earliest } };
    // No notice stands in for customs: what nobody has assessed is looked at by an officer at the lane.
    let assessed = if facts.assessed { Standing::Met } else { Standing::Missing };
    let tree = Need {
        requirement: Requirement::Crossing,
        standing: Standing::Met,
        from: Whom::Carrier,
        of: vec![
            Need::leaf(Requirement::Vehicle, Standing::Met, Whom::Carrier),
            cargo,
            Need::leaf(Requirement::CutOff, cut_off, Whom::Time),
            Need::leaf(Requirement::Assessment, assessed, Whom::Customs),
        ],
    };
    Readiness { declared, ready: tree.holds(), earliest, tree }
}

fn cargo(facts: &Facts<'_>, lacking: &Standing) -> Need {
    let each = facts.consignments.iter().map(|carried| {
        let standing = if carried.cancelled { lacking.clone() } else { Standing::Met };
        Need::leaf(Requirement::Consignment { ccrn: carried.ccrn.clone() }, standing, Whom::Shipper)
    });
    let of: Vec<Need> = each.collect();
    let declared = *facts.load != Load::Consignments || !of.is_empty();
    let standing = if declared { Standing::Met } else { lacking.clone() };
    Need { requirement: Requirement::Cargo, standing, from: Whom::Carrier, of }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_790_000_000_000);

    fn ccrn(number: u64) -> Ccrn {
        (100 * number..).find_map(Ccrn::from_number).unwrap()
    }

    fn carried(number: u64, cancelled: bool) -> Carried {
        Carried { ccrn: ccrn(number), cancelled }
    }

    fn judge(load: &Load, consignments: &[Carried], notice: Option<&str>, assessed: bool) -> Readiness {
        let bundled_at = NOW.plus_millis(-60_000);
        readiness(&Place::hong_kong(), &Facts { load, consignments, bundled_at, assessed, notice }, NOW)
    }

    #[test]
    fn the_tree_says_what_is_missing_and_from_whom() {
        let tree = judge(&Load::Consignments, &[carried(1, false), carried(2, true)], None, false);
        let missing: Vec<_> = tree.tree.missing().iter().map(|n| (n.requirement.clone(), n.from)).collect();
        assert_eq!(
            missing,
            [
                (Requirement::Consignment { ccrn: ccrn(2) }, Whom::Shipper),
                (Requirement::CutOff, Whom::Time),
                (Requirement::Assessment, Whom::Customs)
            ]
        );
        assert!(!tree.declared && !tree.ready);
    }

    #[test]
    fn the_earliest_moment_is_the_cut_off_after_the_last_bundling() {
        let ready = judge(&Load::Empty, &[], None, true);
        assert_eq!(ready.earliest, NOW.plus_millis(29 * 60_000));
        assert!(ready.declared && !ready.ready, "only time is missing");
    }

    #[test]
    fn a_notice_waives_what_the_trade_owes_and_never_the_assessment() {
        let waived = judge(&Load::Consignments, &[], Some("GN 1/2026"), false);
        assert_eq!(waived.tree.of[1].standing, Standing::Waived { reference: "GN 1/2026".to_owned() });
        assert!(waived.declared && !waived.ready);
        assert!(judge(&Load::Consignments, &[], Some("GN 1/2026"), true).ready);
        assert!(!judge(&Load::Consignments, &[], None, true).declared);
    }
}
