//! What others than the engine may see of an assessment.

use clearance::directive::ActionCode;
use clearance::ids::SiteId;
use serde::{Deserialize, Serialize};

use crate::assessment::{Assessment, Confidentiality, Measure, Reason};

/// What the trade is told: for what to report, and where. It has no place for a reason, a score or a colour: an audit afterwards
/// looks like a release, and a draw like a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeView {
    /// For what.
    pub class: TradeClass,
    /// At which control point.
    pub place: SiteId,
}

/// For what a driver reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeClass {
    /// Nothing: go on.
    Proceed,
    /// Documents are looked at.
    Documents,
    /// The cargo is looked at.
    Inspection,
    /// An escort goes along.
    Escort,
    /// Wait for an officer.
    Wait,
}

impl TradeView {
    /// Of an assessment: only of its code, and of where the movement crosses.
    pub fn of(assessment: &Assessment) -> Self {
        let class = match assessment.code {
            ActionCode::Release => TradeClass::Proceed,
            ActionCode::Documents => TradeClass::Documents,
            ActionCode::Inspect => TradeClass::Inspection,
            ActionCode::Escort => TradeClass::Escort,
            ActionCode::Detain => TradeClass::Wait,
        };
        Self { class, place: assessment.control_point.clone() }
    }
}

/// A reason as an officer is told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told<'a> {
    /// In full.
    Reason {
        /// The reason.
        reason: &'a Reason,
    },
    /// There is one, of a list that the officer may not know of.
    Withheld {
        /// What it demands.
        measure: Measure,
    },
}

/// The reasons as somebody may know them who may know `up_to`.
pub fn reasons_for(assessment: &Assessment, up_to: Confidentiality) -> Vec<Told<'_>> {
    assessment
        .reasons
        .iter()
        .map(|reason| match reason {
            Reason::List { confidentiality, measure, .. } if *confidentiality > up_to => {
                Told::Withheld { measure: *measure }
            }
            reason => Told::Reason { reason },
        })
        .collect()
}
