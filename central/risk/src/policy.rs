//! What selectors have put into force: lists, rules, thresholds, shares, quotas and capacities, as one version.

use std::collections::HashSet;

use clearance::ids::{Digest, SiteId, UtcMillis};
use serde::{Deserialize, Serialize};

use crate::assessment::{Colour, Measure};
use crate::canonical::Canonical;
use crate::number::Probability;

/// One version of what is in force. A change of anything is a new version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Rises by one with each.
    pub version: u32,
    /// Lists that are asked, in this order.
    #[serde(default)]
    pub lists: Vec<ListUse>,
    /// Rules that are asked, in this order.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// How the score is read; absent where none is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreUse>,
    /// Shares that are drawn at random.
    #[serde(default)]
    pub random: RandomShares,
    /// How what is drawn grows when the model drifts, and what is inspected to learn from; absent: the shares stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explore: Option<Exploration>,
    /// How many an hour may be drawn at random.
    #[serde(default)]
    pub quotas: Vec<Quota>,
    /// What control points can do in an hour.
    #[serde(default)]
    pub capacities: Vec<Capacity>,
    /// Minutes for which a release waits for somebody to look; 0 for none.
    #[serde(default)]
    pub look_minutes: u32,
}

impl Canonical for Policy {
    const KIND: &'static str = "risk.policy.1";
}

/// What does not fit in a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A list or a rule twice: which of them counts?
    #[error("{0} stands in it twice")]
    Twice(String),
    /// More than everything would be drawn.
    #[error("its random shares add up to more than one")]
    Shares,
    /// Exploring without a score, or less of it the more the model drifts.
    #[error("it explores without a score, or draws less from much drift on than without")]
    Exploring,
    /// A milder measure would begin above a stricter one.
    #[error("its thresholds must fall from red over yellow to blue")]
    Thresholds,
    /// No hour of a day.
    #[error("hours {0} to {1} are none of a day: 0 to 23, and 1 to 24")]
    Hours(u8, u8),
    /// A rule that lets through, or is over before it begins.
    #[error("rule {0} releases, or ends before it begins")]
    Rule(String),
    /// A quota or a capacity that nothing is counted by.
    #[error("a quota or a capacity is for red, yellow or blue, not for green")]
    Green,
}

impl Policy {
    /// Whether tickets are drawn at all.
    pub fn draws(&self) -> bool {
        self.random.is_any() || self.explore.is_some()
    }

    /// What does not fit; whether the conditions of its rules do is another question.
    pub fn faults(&self) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        let mut names = HashSet::new();
        let lists = self.lists.iter().map(|list| format!("list {}", list.list));
        let rules = self.rules.iter().map(|rule| format!("rule {}", rule.id));
        faults.extend(lists.chain(rules).filter(|name| !names.insert(name.clone())).map(PolicyFault::Twice));
        let largest = self.explore.map_or((self.random.inspect, Probability::ZERO), |explore| {
            (explore.inspect_shifted.max(self.random.inspect), explore.learn_shifted.max(explore.learn))
        });
        let shares = [largest.0, largest.1, self.random.documents, self.random.audit];
        if self.explore.is_some_and(|explore| {
            self.score.is_none()
                || explore.inspect_shifted < self.random.inspect
                || explore.learn_shifted < explore.learn
        }) {
            faults.push(PolicyFault::Exploring);
        }
        if shares.iter().map(|share| share.millionths()).sum::<u32>() > Probability::ONE.millionths() {
            faults.push(PolicyFault::Shares);
        }
        if let Some(score) = self.score {
            let falling: Vec<Probability> =
                [score.red, score.yellow, score.blue].into_iter().flatten().collect();
            if !falling.is_sorted_by(|stricter, milder| stricter > milder) {
                faults.push(PolicyFault::Thresholds);
            }
        }
        for capacity in &self.capacities {
            let (from, until) = (capacity.from_hour, capacity.until_hour);
            if from > 23 || !(1..=24).contains(&until) || from == until {
                faults.push(PolicyFault::Hours(from, until));
            }
        }
        let wrong =
            |rule: &&Rule| rule.measure == Measure::Release || rule.until.is_some_and(|end| end <= rule.from);
        faults.extend(self.rules.iter().filter(wrong).map(|rule| PolicyFault::Rule(rule.id.clone())));
        let colours =
            self.quotas.iter().map(|quota| quota.colour).chain(self.capacities.iter().map(|c| c.colour));
        if colours.into_iter().any(|colour| colour == Colour::Green) {
            faults.push(PolicyFault::Green);
        }
        faults
    }
}

/// A list in its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListUse {
    /// Which list.
    pub list: String,
    /// Digest of its content.
    pub digest: Digest,
}

/// A rule in its version, as it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The condition, in CEL, over the facts.
    pub condition: String,
    /// What is done where it holds.
    pub measure: Measure,
    /// First moment at which it is asked.
    pub from: UtcMillis,
    /// First moment at which it is asked no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcMillis>,
}

/// How the score is read: above a threshold, the measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreUse {
    /// The model that must have given it.
    pub model: Digest,
    /// From here on red: inspection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red: Option<Probability>,
    /// From here on yellow: documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yellow: Option<Probability>,
    /// From here on blue: audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blue: Option<Probability>,
}

/// Shares of all movements that are drawn at random while there is capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomShares {
    /// For inspection.
    #[serde(default)]
    pub inspect: Probability,
    /// For documents.
    #[serde(default)]
    pub documents: Probability,
    /// For an audit.
    #[serde(default)]
    pub audit: Probability,
}

/// Exploration next to exploitation: the mix adapts to how far the model drifts, from calm up to
/// [`SOME_DRIFT`](crate::score::watch::SOME_DRIFT) to shifted from [`MUCH_DRIFT`](crate::score::watch::MUCH_DRIFT) on, straight
/// between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exploration {
    /// Share of all that is drawn for inspection when the model has shifted, instead of `random.inspect`.
    pub inspect_shifted: Probability,
    /// Share that is inspected to learn from while the model is calm, of movements of which most may be hoped; of others less, in
    /// proportion to what may be hoped of them.
    pub learn: Probability,
    /// The same when the model has shifted.
    pub learn_shifted: Probability,
}

impl RandomShares {
    /// Whether anything is drawn.
    pub fn is_any(self) -> bool {
        [self.inspect, self.documents, self.audit].iter().any(|share| *share != Probability::ZERO)
    }
}

/// How many may be drawn at random.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Where; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_point: Option<SiteId>,
    /// For which colour.
    pub colour: Colour,
    /// Drawn at most in one hour.
    pub per_hour: u32,
}

/// What a control point can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Where; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_point: Option<SiteId>,
    /// First hour of the day in which it can, 0 to 23.
    #[serde(default)]
    pub from_hour: u8,
    /// First hour in which it no longer can, 1 to 24. Before `from_hour`: over midnight.
    #[serde(default = "midnight")]
    pub until_hour: u8,
    /// For which colour.
    pub colour: Colour,
    /// So many in one hour.
    pub per_hour: u32,
}

fn midnight() -> u8 {
    24
}
