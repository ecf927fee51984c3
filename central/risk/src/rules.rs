//! Rules: conditions in CEL over the facts, typed, bounded, with examples beside them.
//!
//! `cel-core` parses, checks types and interprets. Ours is what CEL leaves to its host: which facts there are, and what a
//! condition may cost.

mod cost;
mod draft;
mod facts;
mod guard;
mod schema;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use cel_core::{Ast, CelType, Env, Program, Value};
use clearance::ids::UtcMillis;

pub(crate) use self::cost::LARGEST;
pub use self::cost::{Cost, LONGEST, MOST_STEPS, Runaway};
pub use self::draft::{Checked, DraftError, RuleDraft, RuleExample};
pub use self::facts::RuleFacts;
pub use self::schema::{Record, facts_there_are};
use crate::policy::Rule;

/// Why a condition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// It is no CEL.
    #[error("at character {at}: {why}")]
    Syntax {
        /// Where, counted from 1.
        at: usize,
        /// What the parser says.
        why: String,
    },
    /// Something is asked that is no fact.
    #[error("at character {at}: there is no fact {name}; there are {known}")]
    UnknownFact {
        /// Where.
        at: usize,
        /// What was asked.
        name: String,
        /// What could be.
        known: String,
    },
    /// Types do not fit.
    #[error("at character {at}: {why}")]
    Type {
        /// Where.
        at: usize,
        /// What the checker says.
        why: String,
    },
    /// It is no condition.
    #[error("a condition is true or false, this gives {0}")]
    NotACondition(String),
    /// It could cost too much.
    #[error(transparent)]
    Runaway(#[from] Runaway),
}

/// What facts there are, with their types, and CEL's standard operators.
static ENVIRONMENT: LazyLock<Env> = LazyLock::new(schema::environment);

/// A rule that is ready to be asked.
#[derive(Debug)]
pub struct CompiledRule {
    rule: Rule,
    program: Program,
    cost: Cost,
    guards: Vec<guard::Guard>,
}

impl CompiledRule {
    /// Check its condition: syntax, facts, types, cost.
    pub fn new(rule: Rule) -> Result<Self, ConditionError> {
        let (program, cost) = compile(&rule.condition)?;
        let guards = guard::guards(program.ast().expr());
        Ok(Self { rule, program, cost, guards })
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What it costs.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether it is asked at `now`.
    pub fn is_live(&self, now: UtcMillis) -> bool {
        self.rule.from <= now && self.rule.until.is_none_or(|until| now < until)
    }

    /// Whether it holds; an error if that cannot be told (a division by zero, a number that overflows, an index out of a list).
    pub fn holds(&self, facts: &RuleFacts) -> Result<bool, String> {
        if !self.guards.iter().all(|guard| guard.passes(facts)) {
            return Ok(false);
        }
        self.holds_unguarded(facts)
    }

    fn holds_unguarded(&self, facts: &RuleFacts) -> Result<bool, String> {
        // A fault of the interpreter's must end as a rule that failed: somebody looks, and the other rules are asked.
        match catch_unwind(AssertUnwindSafe(|| self.program.eval(facts))) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(Value::Error(error)) => Err(error.to_string()),
            Ok(other) => Err(format!("gave {}", other.cel_type().display_name())),
            Err(_) => Err("the interpreter broke off".to_owned()),
        }
    }
}

fn compile(condition: &str) -> Result<(Program, Cost), ConditionError> {
    cost::check_text(condition)?;
    let parsed = ENVIRONMENT.parse(condition);
    let at = |byte: usize| condition.char_indices().take_while(|(i, _)| *i < byte).count() + 1;
    if let Some(error) = parsed.errors.first() {
        return Err(ConditionError::Syntax { at: at(error.span.start), why: error.message.clone() });
    }
    let Some(ast) = parsed.ast else {
        return Err(ConditionError::Syntax { at: 1, why: "an empty condition".to_owned() });
    };
    // Before the types: a checker is slow on what is endless.
    let cost = cost::cost_of(&ast)?;
    let checked = ENVIRONMENT.check(&ast);
    if let Some(error) = checked.errors.first() {
        return Err(schema::explain(error, at(error.span.start)));
    }
    schema::check_comparisons(&ast, &checked)
        .map_err(|(span, why)| ConditionError::Type { at: at(span), why })?;
    let ast = Ast::new_checked(ast, condition, checked);
    match ast.result_type() {
        Some(CelType::Bool) => {}
        other => {
            return Err(ConditionError::NotACondition(other.map_or_else(String::new, CelType::display_name)));
        }
    }
    let program =
        ENVIRONMENT.program(&ast).map_err(|e| ConditionError::Type { at: 1, why: e.to_string() })?;
    Ok((program, cost))
}

#[cfg(test)]
mod tests;
