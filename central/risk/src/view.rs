//! What officers may see of an assessment. The trade is told of its code and place, and never gets as far as a reason.

use serde::Serialize;

use crate::assessment::{Assessment, Confidentiality, Measure, Reason};

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
