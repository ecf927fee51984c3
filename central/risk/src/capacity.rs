//! How much of the random share there is room for: capacity and quotas of one hour at one control point.

use serde::{Deserialize, Serialize};

use crate::assessment::{Colour, Drawn, Measure};
use crate::facts::Slot;
use crate::number::Probability;
use crate::policy::{Capacity, Policy, Quota};

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
    /// Of these, those that only the draw gave their colour.
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

    /// One more.
    pub fn add(&mut self, colour: Colour) {
        match colour {
            Colour::Red => self.red = self.red.saturating_add(1),
            Colour::Yellow => self.yellow = self.yellow.saturating_add(1),
            Colour::Blue => self.blue = self.blue.saturating_add(1),
            Colour::Green => {}
        }
    }
}

impl Usage {
    /// Nothing yet.
    pub fn none(slot: Slot) -> Self {
        Self { slot, assigned: Counts::default(), drawn: Counts::default() }
    }

    /// With one more assessment.
    pub fn count(&mut self, assessment: &crate::Assessment) {
        self.assigned.add(assessment.colour);
        if assessment.is_random() {
            self.drawn.add(assessment.colour);
        }
    }
}

/// The share for `colour` that is drawn now: the policy's, less in the proportion in which the hour's capacity is used up; none
/// where capacity or a quota is.
pub fn share_now(policy: &Policy, colour: Colour, usage: &Usage) -> Probability {
    let base = match colour {
        Colour::Red => policy.random.inspect,
        Colour::Yellow => policy.random.documents,
        Colour::Blue => policy.random.audit,
        Colour::Green => Probability::ZERO,
    };
    let quota =
        policy.quotas.iter().filter(|quota| quota_is_for(quota, colour, &usage.slot)).map(|q| q.per_hour);
    if quota.min().is_some_and(|most| usage.drawn.of(colour) >= most) {
        return Probability::ZERO;
    }
    let capacity = policy
        .capacities
        .iter()
        .filter(|c| capacity_is_for(c, colour, &usage.slot))
        .map(|c| c.per_hour)
        .min();
    match capacity {
        None => base,
        Some(most) => {
            let left = most.saturating_sub(usage.assigned.of(colour));
            base.and(Probability::ratio(u64::from(left), u64::from(most)))
        }
    }
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

/// What a ticket is drawn for: the first shares of the million tickets for inspection, the next for documents, the next for audit.
pub fn drawn(policy: &Policy, ticket: u32, usage: &Usage) -> Drawn {
    let share = |colour| share_now(policy, colour, usage);
    let (inspect, documents, audit) = (share(Colour::Red), share(Colour::Yellow), share(Colour::Blue));
    let mut before = 0;
    let measure = [(inspect, Measure::Inspect), (documents, Measure::Documents), (audit, Measure::Audit)]
        .into_iter()
        .find(|(share, _)| {
            before += share.millionths();
            ticket < before
        })
        .map_or(Measure::Release, |(_, measure)| measure);
    Drawn { ticket, inspect, documents, audit, measure }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::policy::RandomShares;

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
        let red = |usage: &Usage| share_now(&policy, Colour::Red, usage).millionths();
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
        assert_eq!(share_now(&policy, Colour::Yellow, &usage).millionths(), 50_000);
        usage.drawn.yellow = 3;
        assert_eq!(share_now(&policy, Colour::Yellow, &usage), Probability::ZERO);
        assert_eq!(share_now(&policy, Colour::Green, &usage), Probability::ZERO);
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
            assert_eq!(drawn(&policy, ticket, &usage).measure, measure, "{ticket}");
        }
    }
}
