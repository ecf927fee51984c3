//! A rule as it is written: with the reason for it, and examples that say when it holds and when not.

use serde::{Deserialize, Serialize};

use super::{CompiledRule, ConditionError, RuleFacts};
use crate::canonical::Canonical;
use crate::facts::Facts;
use crate::policy::Rule;

/// A rule and what is stored beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDraft {
    /// The rule.
    pub rule: Rule,
    /// What it is for.
    pub purpose: String,
    /// Movements of which it is known whether it holds.
    pub examples: Vec<RuleExample>,
}

impl Canonical for RuleDraft {
    const KIND: &'static str = "risk.rule.1";
}

/// A movement, and whether the rule holds for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleExample {
    /// What it shows.
    pub name: String,
    /// Whether the rule holds.
    pub holds: bool,
    /// The movement.
    pub facts: Facts,
}

/// A draft that is sound: its condition fits the facts, and its examples say what it does.
#[derive(Debug)]
pub struct Checked {
    draft: RuleDraft,
    compiled: CompiledRule,
}

/// Why a draft is not sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Its name is no name, or its purpose is not told.
    #[error("rule {id:?}: {why}")]
    Item {
        /// Which rule.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Its condition is refused.
    #[error("rule {id}: {error}")]
    Condition {
        /// Which rule.
        id: String,
        /// Why.
        error: ConditionError,
    },
    /// It has no example for which it holds, or none for which it does not.
    #[error("rule {id} needs an example for which it {}", if *holds { "holds" } else { "does not hold" })]
    Example {
        /// Which rule.
        id: String,
        /// Which kind is missing.
        holds: bool,
    },
    /// An example says something else than the condition.
    #[error("rule {id}, example {example:?}: {what}")]
    Contradiction {
        /// Which rule.
        id: String,
        /// Which example.
        example: String,
        /// What it gave.
        what: String,
    },
}

impl RuleDraft {
    /// Check it: nothing may be simulated, approved or put into force that has not passed this.
    pub fn check(self) -> Result<Checked, DraftError> {
        let id = self.rule.id.clone();
        let item = |why| Err(DraftError::Item { id: id.clone(), why });
        let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !(1..=64).contains(&id.len()) || !id.bytes().all(fits) {
            return item("a rule's name has 1 to 64 lower-case letters, digits, '-', '_' or '.'");
        }
        if self.purpose.trim().is_empty() {
            return item("say what the rule is for");
        }
        if self.rule.until.is_some_and(|until| until <= self.rule.from) {
            return item("it ends before it begins");
        }
        if self.rule.measure == crate::Measure::Release {
            return item("a rule cannot release: it can only demand a measure");
        }
        let compiled = CompiledRule::new(self.rule.clone())
            .map_err(|error| DraftError::Condition { id: id.clone(), error })?;
        if let Some(holds) = [true, false].into_iter().find(|h| self.examples.iter().all(|e| e.holds != *h)) {
            return Err(DraftError::Example { id, holds });
        }
        for example in &self.examples {
            let what = match compiled.holds(&RuleFacts::of(&example.facts)) {
                Ok(holds) if holds == example.holds => continue,
                Ok(true) => "it holds, and should not".to_owned(),
                Ok(false) => "it does not hold, and should".to_owned(),
                Err(why) => format!("it cannot be told: {why}"),
            };
            return Err(DraftError::Contradiction { id, example: example.name.clone(), what });
        }
        Ok(Checked { draft: self, compiled })
    }
}

impl Checked {
    /// A rule of a policy that was never drafted: it has no examples, and may be simulated, never approved by itself.
    pub fn of_policy(rule: Rule) -> Result<Self, ConditionError> {
        let compiled = CompiledRule::new(rule.clone())?;
        Ok(Self { draft: RuleDraft { rule, purpose: String::new(), examples: Vec::new() }, compiled })
    }

    /// The draft.
    pub fn draft(&self) -> &RuleDraft {
        &self.draft
    }

    /// Ready to be asked.
    pub fn compiled(&self) -> &CompiledRule {
        &self.compiled
    }
}
