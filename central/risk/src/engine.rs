//! A policy that is ready to be applied, and its application: lists, rules, score, draw.

use std::sync::Arc;

use clearance::ids::{Digest, UtcMillis};
use serde::{Deserialize, Serialize};

use crate::assessment::{Assessment, Drawn, Measure, Reason, ScoreRead, Unassessed};
use crate::canonical::Canonical;
use crate::capacity::{Shares, Usage, drawn};
use crate::draw::{Draw, Subject};
use crate::facts::{Facts, Load};
use crate::lists::{ListIndex, ListKind, Terms};
use crate::number::Probability;
use crate::policy::{Policy, PolicyFault};
use crate::rules::{CompiledRule, ConditionError, LARGEST, RuleFacts};

/// Rises whenever the same facts, circumstances and policy give another assessment than before: a change of matching, of the
/// interpreter, of the order. The golden assessments tell when.
///
/// 2: a vehicle that says that it carries nothing to score is not held for lack of a score.
pub const VERSION: u32 = 2;

/// Steps that all rules together may take for one movement; the rest ends unassessed.
pub const MOST_STEPS: u64 = 20_000_000;

/// As many reasons as are told of one assessment by lists; of more, the strictest of each list.
const MOST_LIST_REASONS: usize = 200;

/// What is known besides the facts: kept with the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// What the model says; absent where it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreRead>,
    /// The ticket; absent where there was no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
    /// What was assigned already in the hour of the movement.
    pub usage: Usage,
    /// How far the model drifts: the greater of the score's stability index and of what was found other than said, at most one. Absent
    /// where the policy explores nothing or too little was seen to measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Probability>,
}

/// Why a policy cannot be put into force. Whatever was in force stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A list of that digest was not given.
    #[error("policy {version}: list {list} in the version {digest} is not loaded")]
    ListMissing {
        /// Which policy.
        version: u32,
        /// Which list.
        list: String,
        /// Which version.
        digest: Digest,
    },
    /// A rule's condition is refused.
    #[error("policy {version}: rule {rule}: {error}")]
    Rule {
        /// Which policy.
        version: u32,
        /// Which rule.
        rule: String,
        /// Why.
        error: ConditionError,
    },
    /// Its numbers do not fit.
    #[error("policy {version}: {fault}")]
    Fault {
        /// Which policy.
        version: u32,
        /// What.
        fault: PolicyFault,
    },
}

/// One policy with its lists and rules, ready.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    digest: Digest,
    lists: Vec<Arc<ListIndex>>,
    rules: Vec<CompiledRule>,
    /// Moments at which a rule or an entry begins or ends, in order.
    turns: Vec<UtcMillis>,
}

impl Engine {
    /// Of a policy and the lists that it names, found by digest among `lists`. Everything that is wrong is told.
    pub fn new(policy: Policy, lists: &[Arc<ListIndex>]) -> Result<Self, Vec<PolicyError>> {
        let version = policy.version;
        let mut errors: Vec<PolicyError> =
            policy.faults().into_iter().map(|fault| PolicyError::Fault { version, fault }).collect();
        let mut found = Vec::new();
        for wanted in &policy.lists {
            let same = |index: &&Arc<ListIndex>| {
                index.list().digest() == wanted.digest && index.list().header().list == wanted.list
            };
            match lists.iter().find(same) {
                Some(index) => found.push(Arc::clone(index)),
                None => errors.push(PolicyError::ListMissing {
                    version,
                    list: wanted.list.clone(),
                    digest: wanted.digest,
                }),
            }
        }
        let mut rules = Vec::new();
        for rule in &policy.rules {
            match CompiledRule::new(rule.clone()) {
                Ok(compiled) => rules.push(compiled),
                Err(error) => errors.push(PolicyError::Rule { version, rule: rule.id.clone(), error }),
            }
        }
        if errors.is_empty() {
            let turns = turns(&policy, &found);
            Ok(Self { digest: policy.digest(), policy, lists: found, rules, turns })
        } else {
            Err(errors)
        }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether a rule or an entry of a list begins or ends after `after` and until `until`: what was assessed before may be assessed
    /// otherwise now.
    pub fn turns_between(&self, after: UtcMillis, until: UtcMillis) -> bool {
        let next = self.turns.partition_point(|turn| *turn <= after);
        self.turns.get(next).is_some_and(|turn| *turn <= until)
    }

    /// Its rules, ready.
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// Decide: the same facts and circumstances give the same assessment, byte for byte.
    pub fn assess(&self, facts: &Facts, circumstances: &Circumstances) -> Assessment {
        self.decide(facts, circumstances, self.ask(facts, circumstances.score.as_ref()))
    }

    /// What lists, rules and the score say: the long part, which asks nothing of other movements.
    pub fn ask(&self, facts: &Facts, score: Option<&ScoreRead>) -> Vec<Reason> {
        // A movement beyond what one can be is looked at by people; whether its vehicle and parties are listed is told still.
        let too_large = too_large(facts);
        let mut reasons = self.ask_lists(facts, too_large.is_none());
        match too_large {
            Some(cause) => reasons.push(Reason::Unassessed { cause }),
            None => reasons.extend(self.ask_rules(facts)),
        }
        reasons.extend(self.ask_score(facts, score));
        reasons
    }

    /// Decide by the `reasons` that [`ask`](Self::ask) gave for these facts and this score, and by the draw: the short part,
    /// which is done where the hour's other movements are counted.
    pub fn decide(
        &self,
        facts: &Facts,
        circumstances: &Circumstances,
        mut reasons: Vec<Reason>,
    ) -> Assessment {
        let strictest = reasons.iter().map(Reason::measure).max().unwrap_or(Measure::Release);
        let drawn = match self.draw(facts, circumstances) {
            Ok(drawn) => drawn,
            Err(cause) => {
                reasons.push(Reason::Unassessed { cause });
                None
            }
        };
        // The draw only ever adds: what a list, a rule or the score demands stays, whatever the quotas say.
        if let Some(drawn) = drawn.filter(|drawn| drawn.measure > strictest) {
            let share = match drawn.measure {
                Measure::Inspect => drawn.inspect,
                Measure::Documents => drawn.documents,
                _ => drawn.audit,
            };
            reasons.push(Reason::Random { share, measure: drawn.measure });
        } else if let Some(share) = drawn.filter(Drawn::is_explored).and_then(|drawn| drawn.explore)
            && strictest < Measure::Inspect
        {
            reasons.push(Reason::Explored { share, measure: Measure::Inspect });
        }
        let measure = reasons.iter().map(Reason::measure).max().unwrap_or(Measure::Release);
        let look = i64::from(self.policy.look_minutes) * 60_000;
        let score = circumstances.score.as_ref();
        Assessment {
            movement: facts.movement.clone(),
            version: facts.version,
            control_point: facts.control_point.clone(),
            assessed: facts.assessed,
            engine: VERSION,
            facts: facts.digest(),
            policy_version: Some(self.policy.version),
            policy: Some(self.digest),
            measure,
            colour: measure.colour(),
            code: measure.code(),
            look_until: (look > 0 && measure <= Measure::Audit).then(|| facts.assessed.plus_millis(look)),
            reasons,
            score: score.map(|score| score.value),
            contributions: score.map(|score| score.contributions.clone()).unwrap_or_default(),
            drawn,
        }
    }

    fn ask_lists(&self, facts: &Facts, goods: bool) -> Vec<Reason> {
        let terms = Terms::of(facts);
        let mut reasons = Vec::new();
        for index in self.lists.iter().filter(|index| goods || index.list().header().kind != ListKind::Goods)
        {
            let hits = index.screen(&terms);
            // The first of a list's hits is its strictest: it is told whatever was found before.
            let room = MOST_LIST_REASONS.saturating_sub(reasons.len()).max(1);
            reasons.extend(hits.iter().take(room).map(|hit| hit.reason(index.list())));
        }
        reasons
    }

    /// What the rules say.
    pub(crate) fn ask_rules(&self, facts: &Facts) -> Vec<Reason> {
        let live = || self.rules.iter().filter(|rule| rule.is_live(facts.assessed));
        if live().next().is_none() {
            return Vec::new();
        }
        let values = RuleFacts::of(facts);
        let mut steps = 0_u64;
        let mut reasons = Vec::new();
        for compiled in live() {
            let rule = compiled.rule();
            steps = steps.saturating_add(compiled.cost().steps(values.consignments(), values.lines()));
            let held = if steps > MOST_STEPS {
                Err("the movement is too large for all rules".to_owned())
            } else {
                compiled.holds(&values)
            };
            match held {
                Ok(false) => {}
                Ok(true) => reasons.push(Reason::Rule {
                    rule: rule.id.clone(),
                    version: rule.version,
                    measure: rule.measure,
                }),
                Err(why) => reasons.push(Reason::Unassessed {
                    cause: Unassessed::RuleFailed { rule: rule.id.clone(), version: rule.version, why },
                }),
            }
            if steps > MOST_STEPS {
                break;
            }
        }
        reasons
    }

    fn ask_score(&self, facts: &Facts, score: Option<&ScoreRead>) -> Option<Reason> {
        let wanted = self.policy.score?;
        let Some(score) = score else {
            // A model scores consignments. One that is said to be laden and declares none is no empty vehicle: somebody looks.
            let nothing = facts.consignments.is_empty() && facts.load != Load::Consignments;
            return (!nothing).then_some(Reason::Unassessed { cause: Unassessed::NoScore });
        };
        if score.model != wanted.model {
            return Some(Reason::Unassessed { cause: Unassessed::WrongModel { model: score.model } });
        }
        [(wanted.red, Measure::Inspect), (wanted.yellow, Measure::Documents), (wanted.blue, Measure::Audit)]
            .into_iter()
            .find_map(|(threshold, measure)| {
                let threshold = threshold.filter(|threshold| score.value >= *threshold)?;
                Some(Reason::Score { value: score.value, model: score.model, threshold, measure })
            })
    }

    fn draw(&self, facts: &Facts, circumstances: &Circumstances) -> Result<Option<Drawn>, Unassessed> {
        if !self.policy.draws() {
            return Ok(None);
        }
        if circumstances.usage.slot != facts.slot() {
            return Err(Unassessed::WrongUsage);
        }
        match &circumstances.draw {
            Some(draw) if draw.subject == Subject::of(facts) => {
                let shares = Shares::of(&self.policy, circumstances.drift, circumstances.score.as_ref());
                Ok(Some(drawn(&self.policy, shares, draw.ticket, &circumstances.usage)))
            }
            _ => Err(Unassessed::NoDraw),
        }
    }
}

fn too_large(facts: &Facts) -> Option<Unassessed> {
    let consignments = facts.consignments.len() as u64;
    let lines = facts.consignments.iter().map(|consignment| consignment.goods.len() as u64).sum();
    (consignments > LARGEST.0 || lines > LARGEST.1).then_some(Unassessed::TooLarge { consignments, lines })
}

fn turns(policy: &Policy, lists: &[Arc<ListIndex>]) -> Vec<UtcMillis> {
    let rules = policy.rules.iter().flat_map(|rule| [Some(rule.from), rule.until]);
    let entries = lists.iter().flat_map(|index| index.list().entries());
    let entries = entries.flat_map(|entry| [entry.from, entry.until]);
    let mut turns: Vec<UtcMillis> = rules.chain(entries).flatten().collect();
    turns.sort_unstable();
    turns.dedup();
    turns
}

/// Decide with whatever is in force: without a policy, somebody looks.
pub fn assess(engine: Option<&Engine>, facts: &Facts, circumstances: &Circumstances) -> Assessment {
    match engine {
        Some(engine) => engine.assess(facts, circumstances),
        None => Assessment::unassessed(facts, Unassessed::NoPolicy),
    }
}

#[cfg(test)]
mod tests;
