//! How much of the random share there is room for: capacity and quotas of one hour at one control point.

use serde::{Deserialize, Serialize};

use crate::assessment::{Colour, Drawn, Measure, ScoreRead};
use crate::facts::Slot;
use crate::number::Probability;
use crate::policy::{Capacity, Policy, Quota, RandomShares};
use crate::score::explore::Mix;

/// What was assigned already in one hour at one control point: an input, counted by whoever stores the decisions, under the
/// same lock that stores the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Which hour and where.
    pub slot: Slot,
    /// Movements of each colour, for whatever reason.
    #[serde(default)]
    pub assigned: Counts,
    /// Of these, those that only the draw gave their colour, among all or to learn from.
    #[serde(default)]
    pub drawn: Counts,
}

/// Numbers of movements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// For inspection.
    #[serde(default)]
    pub red: u32,
    /// For documents.
    #[serde(default)]
    pub yellow: u32,
    /// For an audit.
    #[serde(default)]
    pub blue: u32,
}

impl Counts {
    /// Of a colour; nothing is counted of green.
    pub fn of(self, colour: Colour) -> u32 {
        match colour {
            Colour::Red => self.red,
            Colour::Yellow => self.yellow,
            Colour::Blue => self.blue,
            Colour::Green => 0,
        }
    }

    /// The same, to change it.
    pub fn of_mut(&mut self, colour: Colour) -> Option<&mut u32> {
        match colour {
            Colour::Red => Some(&mut self.red),
            Colour::Yellow => Some(&mut self.yellow),
            Colour::Blue => Some(&mut self.blue),
            Colour::Green => None,
        }
    }
}

impl Usage {
    /// Nothing yet.
    pub fn none(slot: Slot) -> Self {
        Self { slot, assigned: Counts::default(), drawn: Counts::default() }
    }

    /// With one more movement of a colour; `drawn`: that only the draw gave it.
    pub fn add(&mut self, colour: Colour, drawn: bool) {
        self.each(colour, drawn, |count| count.saturating_add(1));
    }

    /// With one less.
    pub fn take_away(&mut self, colour: Colour, drawn: bool) {
        self.each(colour, drawn, |count| count.saturating_sub(1));
    }

    fn each(&mut self, colour: Colour, drawn: bool, changed: impl Fn(u32) -> u32) {
        let drawn = drawn.then(|| self.drawn.of_mut(colour)).flatten();
        for count in [self.assigned.of_mut(colour), drawn].into_iter().flatten() {
            *count = changed(*count);
        }
    }
}

/// Shares that are drawn while there is room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Among all.
    pub random: RandomShares,
    /// Of this movement, to learn from; absent where the policy explores nothing.
    pub explore: Option<Probability>,
}

impl Shares {
    /// The policy's, adapted to how far the model `drift`s: an index of at most one; where none was measured yet, the model counts as calm.
    /// Without a score of the policy's model, or with one that tells no hope, nothing is explored.
    pub fn of(policy: &Policy, drift: Option<Probability>, score: Option<&ScoreRead>) -> Self {
        let random = policy.random;
        let Some(exploration) = policy.explore else { return Self { random, explore: None } };
        let mix = |random: Probability, explore: Probability| Mix {
            random: random.as_f64(),
            explore: explore.as_f64(),
        };
        let now = Mix::between(
            mix(random.inspect, exploration.learn),
            mix(exploration.inspect_shifted, exploration.learn_shifted),
            drift.unwrap_or(Probability::ZERO).as_f64(),
        );
        let share = |share: f64| Probability::nearest(share).unwrap_or(Probability::ZERO);
        let wanted = policy.score.map(|score| score.model);
        let hope = score.filter(|score| Some(score.model) == wanted).and_then(|score| score.hope);
        Self {
            random: RandomShares { inspect: share(now.random), ..random },
            explore: Some(share(now.explore).and(hope.unwrap_or(Probability::ZERO))),
        }
    }
}

/// What is left of a share for `colour` now: less in the proportion in which the hour's capacity is used up; nothing where capacity or
/// a quota is.
pub fn room(policy: &Policy, colour: Colour, usage: &Usage) -> Probability {
    let quota =
        policy.quotas.iter().filter(|quota| quota_is_for(quota, colour, &usage.slot)).map(|q| q.per_hour);
    if quota.min().is_some_and(|most| usage.drawn.of(colour) >= most) {
        return Probability::ZERO;
    }
    match capacity(policy, colour, &usage.slot) {
        None => Probability::ONE,
        Some(most) => {
            let left = most.saturating_sub(usage.assigned.of(colour));
            Probability::ratio(u64::from(left), u64::from(most))
        }
    }
}

/// As many movements of a colour as a control point can do in an hour by the policy; none if it says nothing of that.
pub fn capacity(policy: &Policy, colour: Colour, slot: &Slot) -> Option<u32> {
    policy.capacities.iter().filter(|c| capacity_is_for(c, colour, slot)).map(|c| c.per_hour).min()
}

fn quota_is_for(quota: &Quota, colour: Colour, slot: &Slot) -> bool {
    quota.colour == colour && quota.control_point.as_ref().is_none_or(|place| *place == slot.control_point)
}

fn capacity_is_for(capacity: &Capacity, colour: Colour, slot: &Slot) -> bool {
    let (from, until, hour) = (capacity.from_hour, capacity.until_hour, slot.hour);
    let within = if from < until { (from..until).contains(&hour) } else { hour >= from || hour < until };
    let here = capacity.control_point.as_ref().is_none_or(|place| *place == slot.control_point);
    capacity.colour == colour && here && within
}

/// What a ticket is drawn for, by what the hour's capacities and quotas leave of the shares: see [`Drawn::by_shares`]; after these tickets
/// come those that are explored.
pub fn drawn(policy: &Policy, shares: Shares, ticket: u32, usage: &Usage) -> Drawn {
    let [red, yellow, blue] =
        [Colour::Red, Colour::Yellow, Colour::Blue].map(|colour| room(policy, colour, usage));
    let random = shares.random;
    let (inspect, documents, audit) =
        (random.inspect.and(red), random.documents.and(yellow), random.audit.and(blue));
    let explore = shares.explore.map(|explore| explore.and(red));
    let mut drawn = Drawn { ticket, inspect, documents, audit, measure: Measure::Release, explore };
    drawn.measure = drawn.by_shares();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use clearance::ids::Digest;

    use crate::example;
    use crate::policy::{Exploration, ScoreUse};

    fn policy() -> Policy {
        let share = |millionths| Probability::from_millionths(millionths).unwrap();
        let capacity = |control_point: Option<&str>, from_hour, until_hour, per_hour| Capacity {
            control_point: control_point.map(|place| place.parse().unwrap()),
            from_hour,
            until_hour,
            colour: Colour::Red,
            per_hour,
        };
        Policy {
            random: RandomShares { inspect: share(100_000), documents: share(50_000), audit: share(10_000) },
            quotas: vec![Quota { control_point: None, colour: Colour::Yellow, per_hour: 3 }],
            capacities: vec![capacity(None, 0, 24, 10), capacity(Some("lok-ma-chau"), 22, 6, 2)],
            ..Policy::default()
        }
    }

    #[test]
    fn the_share_shrinks_with_what_is_left_and_ends_with_it() {
        let (policy, facts) = (policy(), example::facts());
        let mut usage = Usage::none(facts.slot());
        let mix = Shares::of(&policy, None, None);
        let red = |usage: &Usage| drawn(&policy, mix, 0, usage).inspect.millionths();
        let shares: Vec<u32> = [0, 5, 9, 10, 40]
            .into_iter()
            .map(|used| {
                usage.assigned.red = used;
                red(&usage)
            })
            .collect();
        assert_eq!(shares, [100_000, 50_000, 10_000, 0, 0]);
        // At night, there, the smaller capacity holds; elsewhere it does not.
        usage.assigned.red = 1;
        for (hour, place, share) in [
            (23, "lok-ma-chau", 50_000),
            (5, "lok-ma-chau", 50_000),
            (6, "lok-ma-chau", 90_000),
            (23, "man-kam-to", 90_000),
        ] {
            usage.slot = Slot { hour, control_point: place.parse().unwrap(), ..facts.slot() };
            assert_eq!(red(&usage), share, "{hour} {place}");
        }
        usage.drawn.yellow = 2;
        let yellow = |usage: &Usage| drawn(&policy, mix, 0, usage).documents.millionths();
        assert_eq!(yellow(&usage), 50_000);
        usage.drawn.yellow = 3;
        assert_eq!(yellow(&usage), 0);
    }

    #[test]
    fn tickets_are_divided_among_the_measures() {
        let (policy, usage) = (policy(), Usage::none(example::facts().slot()));
        for (ticket, measure) in [
            (0, Measure::Inspect),
            (99_999, Measure::Inspect),
            (100_000, Measure::Documents),
            (149_999, Measure::Documents),
            (150_000, Measure::Audit),
            (160_000, Measure::Release),
            (999_999, Measure::Release),
        ] {
            let shares = Shares::of(&policy, None, None);
            assert_eq!(drawn(&policy, shares, ticket, &usage).measure, measure, "{ticket}");
        }
    }

    #[test]
    fn more_is_explored_the_more_the_model_drifts_and_who_is_drawn_among_all_depends_on_no_score() {
        let share = |millionths| Probability::from_millionths(millionths).unwrap();
        let model = Digest::of(b"model");
        let policy = Policy {
            score: Some(ScoreUse { model, red: None, yellow: None, blue: None }),
            explore: Some(Exploration {
                inspect_shifted: share(400_000),
                learn: share(50_000),
                learn_shifted: share(300_000),
            }),
            ..policy()
        };
        assert_eq!(policy.faults(), []);
        let score =
            |hope| ScoreRead { value: share(1), model, hope: Some(share(hope)), contributions: Vec::new() };
        let mut usage = Usage::none(example::facts().slot());
        let at = |drift: Option<u32>, hope, usage: &Usage| {
            let now = Shares::of(&policy, drift.map(share), Some(&score(hope)));
            let drawn = drawn(&policy, now, 0, usage);
            (drawn.inspect.millionths(), drawn.explore.unwrap().millionths())
        };
        // Calm, half way, shifted, and nothing measured.
        assert_eq!(at(Some(100_000), 1_000_000, &usage), (100_000, 50_000));
        assert_eq!(at(Some(175_000), 1_000_000, &usage), (250_000, 175_000));
        assert_eq!(at(Some(1_000_000), 1_000_000, &usage), (400_000, 300_000));
        assert_eq!(at(None, 1_000_000, &usage), (100_000, 50_000));
        // By what may be hoped of it; the draw among all is the same.
        assert_eq!(at(Some(1_000_000), 500_000, &usage), (400_000, 150_000));
        assert_eq!(at(Some(1_000_000), 0, &usage), (400_000, 0));
        let other = ScoreRead { model: Digest::of(b"other"), ..score(1_000_000) };
        assert_eq!(Shares::of(&policy, None, Some(&other)).explore, Some(Probability::ZERO));
        // Its tickets come after those of the draw; what capacity leaves holds for both.
        let now = Shares::of(&policy, None, Some(&score(1_000_000)));
        for (ticket, explored) in
            [(0, false), (159_999, false), (160_000, true), (209_999, true), (210_000, false)]
        {
            assert_eq!(drawn(&policy, now, ticket, &usage).is_explored(), explored, "{ticket}");
        }
        usage.assigned.red = 5;
        assert_eq!(at(None, 1_000_000, &usage), (50_000, 25_000));
        usage.assigned.red = 10;
        assert_eq!(at(Some(1_000_000), 1_000_000, &usage), (0, 0));
    }
}
