//! Making a decision again from what was stored of it.

use std::sync::Arc;

use clearance::ids::Digest;
use serde::{Deserialize, Serialize};

use crate::assessment::{Assessment, Unassessed};
use crate::canonical::Canonical;
use crate::engine::{Circumstances, Engine, VERSION, assess};
use crate::facts::Facts;

/// Everything that is stored of a decision. The policy and its lists are stored once, by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was known.
    pub facts: Facts,
    /// What was known besides.
    pub circumstances: Circumstances,
    /// What was decided.
    pub assessment: Assessment,
}

impl Canonical for Decision {
    const KIND: &'static str = "risk.decision.1";
}

/// Why a decision could not be made again, or was not the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The policy is not kept any more, or one of its lists.
    #[error("movement {movement}: policy {policy} is not kept with its lists")]
    PolicyGone {
        /// Which movement.
        movement: String,
        /// Which policy.
        policy: Digest,
    },
    /// The facts are not those that were decided on.
    #[error("movement {movement}: the facts kept have the digest {kept}, decided on was {decided}")]
    FactsChanged {
        /// Which movement.
        movement: String,
        /// The facts' digest.
        kept: Digest,
        /// The one in the assessment.
        decided: Digest,
    },
    /// Another version of the engine decided: that one has to replay it.
    #[error("movement {movement}: version {decided} of the engine decided, this is {this}")]
    OtherEngine {
        /// Which movement.
        movement: String,
        /// Which decided.
        decided: u32,
        /// Which this is.
        this: u32,
    },
    /// Another assessment came out.
    #[error("movement {movement}: decided was {decided}, it would be {again}")]
    Differs {
        /// Which movement.
        movement: String,
        /// The digest of what was decided.
        decided: Digest,
        /// The digest of what came out.
        again: Digest,
    },
}

impl Decision {
    /// Decide, and keep everything that it takes to decide again.
    pub fn make(engine: Option<&Engine>, facts: Facts, circumstances: Circumstances) -> Self {
        let assessment = assess(engine, &facts, &circumstances);
        Self { facts, circumstances, assessment }
    }

    /// Decide again. `engine`: the engine of a policy's digest, built from what is kept.
    pub fn replay(&self, engine: impl FnOnce(Digest) -> Option<Arc<Engine>>) -> Result<(), ReplayError> {
        let movement = || self.facts.movement.to_string();
        let (kept, decided) = (self.facts.digest(), self.assessment.facts);
        if kept != decided {
            return Err(ReplayError::FactsChanged { movement: movement(), kept, decided });
        }
        let again = match self.assessment.policy {
            // What was decided without an engine is decided again without one.
            None => Assessment::unassessed(&self.facts, self.cause_without_engine()),
            Some(policy) => engine(policy)
                .ok_or_else(|| ReplayError::PolicyGone { movement: movement(), policy })?
                .assess(&self.facts, &self.circumstances),
        };
        // Bytes, not values: it is bytes that are stored and shown. Most decisions are the same by any version of the engine.
        let again = Assessment { engine: self.assessment.engine, ..again };
        if again.canonical() == self.assessment.canonical() {
            Ok(())
        } else {
            let (decided, this) = (self.assessment.engine, VERSION);
            if decided != this {
                return Err(ReplayError::OtherEngine { movement: movement(), decided, this });
            }
            let (decided, again) = (self.assessment.digest(), again.digest());
            Err(ReplayError::Differs { movement: movement(), decided, again })
        }
    }

    fn cause_without_engine(&self) -> Unassessed {
        match self.assessment.reasons.as_slice() {
            [crate::Reason::Unassessed { cause: Unassessed::EngineDown }] => Unassessed::EngineDown,
            _ => Unassessed::NoPolicy,
        }
    }
}
