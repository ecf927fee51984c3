//! What was decided of a movement, and why. The reasons are for officers: the trade is told of the code and the place alone.

use clearance::directive::ActionCode;
use clearance::ids::{Digest, MovementId, SiteId, UtcMillis};
use serde::{Deserialize, Serialize};

use crate::canonical::Canonical;
pub use crate::measure::{Colour, Measure};
use crate::number::{LogOdds, Probability};

/// What a model says of a movement: an input of the engine, kept with the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRead {
    /// Calibrated probability that an inspection finds something.
    pub value: Probability,
    /// SHA-256 of the model that said so.
    pub model: Digest,
    /// What may be hoped of an inspection: the chance, and more of it where nothing like it is known
    /// ([`hope`](crate::score::explore::hope)), at most one. Absent where the model does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hope: Option<Probability>,
    /// What moved it, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributions: Vec<Contribution>,
}

/// How far one feature moved a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// Name of the feature.
    pub feature: String,
    /// Its value, as officers read it.
    pub value: String,
    /// Change of the log odds.
    pub weight: LogOdds,
}

/// How an entry of a list was matched, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Letter by letter.
    Exact,
    /// After folding case, width, accents, punctuation, legal forms, and the two Han scripts.
    Normalised,
    /// Marks: only characters differ that look alike.
    LookAlike,
    /// It sounds the same.
    Phonetic,
    /// A few letters differ.
    Fuzzy,
}

impl Match {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::LookAlike => "look_alike",
            Self::Phonetic => "phonetic",
            Self::Fuzzy => "fuzzy",
        }
    }
}

/// Who may know that something is on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidentiality {
    /// Every officer.
    Officers,
    /// Those who select.
    Selectors,
    /// Those who keep the list.
    Keepers,
}

/// Why something was decided. Never shown to the trade, the driver or the lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// A watch list names it.
    List {
        /// Which list.
        list: String,
        /// Which entry of it.
        entry: String,
        /// Where in the facts, as a JSON pointer: `/consignments/0/consignee/name`.
        at: String,
        /// How it matched.
        how: Match,
        /// How alike they are.
        similarity: Probability,
        /// Who may know.
        confidentiality: Confidentiality,
        /// What the list demands.
        measure: Measure,
    },
    /// A rule holds.
    Rule {
        /// Which rule.
        rule: String,
        /// Which version of it.
        version: u32,
        /// What it demands.
        measure: Measure,
    },
    /// The score lies above a threshold.
    Score {
        /// The score.
        value: Probability,
        /// The model that gave it.
        model: Digest,
        /// The threshold.
        threshold: Probability,
        /// What lies above it.
        measure: Measure,
    },
    /// It was drawn.
    Random {
        /// The share that was drawn at that moment: the probability with which this one was chosen.
        share: Probability,
        /// What for.
        measure: Measure,
    },
    /// It was drawn among those of which an inspection may teach most.
    Explored {
        /// The probability with which this one was chosen.
        share: Probability,
        /// What for.
        measure: Measure,
    },
    /// Something that had to be asked gave no answer: so somebody looks.
    Unassessed {
        /// What.
        cause: Unassessed,
    },
}

impl Reason {
    /// What it demands.
    pub fn measure(&self) -> Measure {
        match self {
            Self::List { measure, .. }
            | Self::Rule { measure, .. }
            | Self::Score { measure, .. }
            | Self::Random { measure, .. }
            | Self::Explored { measure, .. } => *measure,
            Self::Unassessed { .. } => Measure::Inspect,
        }
    }
}

/// What could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Unassessed {
    /// The engine did not answer.
    EngineDown,
    /// No policy is in force.
    NoPolicy,
    /// It has more consignments or lines of goods than can be looked at in time.
    TooLarge {
        /// How many consignments.
        consignments: u64,
        /// How many lines of goods, in all of them.
        lines: u64,
    },
    /// A rule could not be evaluated with these facts.
    RuleFailed {
        /// Which rule.
        rule: String,
        /// Which version of it.
        version: u32,
        /// What went wrong.
        why: String,
    },
    /// The policy asks for a score and there is none, though there is something to score.
    NoScore,
    /// The score is of another model than the policy's.
    WrongModel {
        /// Of which.
        model: Digest,
    },
    /// The policy draws at random and there is no draw, or one of another day or vehicle.
    NoDraw,
    /// The counts given are of another hour or control point than the movement's.
    WrongUsage,
}

/// What the draw gave, whether or not it decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// The ticket, in millionths: those below the share are drawn.
    pub ticket: u32,
    /// Share for inspection at that moment.
    pub inspect: Probability,
    /// Share for documents.
    pub documents: Probability,
    /// Share for audit.
    pub audit: Probability,
    /// What it was drawn for among all, whatever its score; `Release` if it was not.
    pub measure: Measure,
    /// Share of those like it that are inspected to learn from, beside the shares above; absent where the policy explores nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explore: Option<Probability>,
}

impl Drawn {
    /// What the ticket is drawn for by the shares: the first of the million tickets are for inspection, the next for documents, the next
    /// for audit.
    pub fn by_shares(&self) -> Measure {
        let shares = [
            (self.inspect, Measure::Inspect),
            (self.documents, Measure::Documents),
            (self.audit, Measure::Audit),
        ];
        let mut before = 0;
        let drawn = shares.into_iter().find(|(share, _)| {
            before += share.millionths();
            self.ticket < before
        });
        drawn.map_or(Measure::Release, |(_, measure)| measure)
    }

    /// Whether the ticket is one of those that are explored: they come after the shares that are drawn among all, so that who is drawn
    /// among all depends on no score.
    pub fn is_explored(&self) -> bool {
        let Some(explore) = self.explore else { return false };
        let shares = [self.inspect, self.documents, self.audit];
        let first: u32 = shares.iter().map(|share| share.millionths()).sum();
        (first..first + explore.millionths()).contains(&self.ticket)
    }
}

/// What is decided of one movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Which movement.
    pub movement: MovementId,
    /// Which version of it.
    pub version: u32,
    /// Where it crosses.
    pub control_point: SiteId,
    /// When it was decided.
    pub assessed: UtcMillis,
    /// Version of the engine that decided: [`crate::engine::VERSION`] of its day.
    pub engine: u32,
    /// Digest of the facts.
    pub facts: Digest,
    /// Version of the policy; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u32>,
    /// Digest of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
    /// What is to be done: the strictest measure of its reasons.
    pub measure: Measure,
    /// Its colour.
    pub colour: Colour,
    /// The code that the lane gets.
    pub code: ActionCode,
    /// Until when somebody may look at it before its release; absent where nobody is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_until: Option<UtcMillis>,
    /// Why, in the order in which it was asked; empty for one that nothing was held against.
    pub reasons: Vec<Reason>,
    /// Calibrated probability of a find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Probability>,
    /// What moved the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributions: Vec<Contribution>,
    /// What the draw gave; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
}

impl Assessment {
    /// What holds for a movement of which nothing could be asked: somebody looks.
    pub fn unassessed(facts: &crate::Facts, cause: Unassessed) -> Self {
        Self {
            movement: facts.movement.clone(),
            version: facts.version,
            control_point: facts.control_point.clone(),
            assessed: facts.assessed,
            engine: crate::engine::VERSION,
            facts: facts.digest(),
            policy_version: None,
            policy: None,
            measure: Measure::Inspect,
            colour: Colour::Red,
            code: ActionCode::Inspect,
            look_until: None,
            reasons: vec![Reason::Unassessed { cause }],
            score: None,
            contributions: Vec::new(),
            drawn: None,
        }
    }

    /// Whether only a ticket gave it its colour, among all or among those to learn from: these count against the quotas.
    pub fn is_drawn(&self) -> bool {
        self.is_by(|reason| matches!(reason, Reason::Random { .. } | Reason::Explored { .. }))
    }

    /// Whether only the draw among all gave it its colour: these alone are an unbiased sample of what nothing was held against.
    pub fn is_random(&self) -> bool {
        self.is_by(|reason| matches!(reason, Reason::Random { .. }))
    }

    /// Whether a reason of a kind demands what is done.
    fn is_by(&self, kind: impl Fn(&Reason) -> bool) -> bool {
        self.reasons.iter().any(|reason| kind(reason) && reason.measure() == self.measure)
    }

    /// Whether something could not be asked.
    pub fn is_unassessed(&self) -> bool {
        self.reasons.iter().any(|reason| matches!(reason, Reason::Unassessed { .. }))
    }
}

impl Canonical for Assessment {
    const KIND: &'static str = "risk.assessment.1";
}
