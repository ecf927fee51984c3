//! The order of the queue: what arrives soon and has no code comes first, by its arrival; the others by risk, then by arrival.

use std::cmp::Reverse;

use clearance::directive::ActionCode;
use clearance::ids::UtcMillis;

use super::decision::strictness;
use super::engine::Said;
use crate::storage::workbench::Awaited;

/// Without a code and expected within as long, a movement comes before every other.
pub(super) const SOON_MS: i64 = 60 * 60_000;

/// What the order depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Whether it has a code.
    pub(super) coded: bool,
    /// Whether it is at the lane.
    pub(super) at_lane: bool,
    /// What the engine or an officer would do with it.
    pub(super) class: Option<ActionCode>,
    /// Likelihood of a find, 0 to 1.
    pub(super) score: Option<f64>,
    /// When it is expected, milliseconds since 1970.
    pub(super) arrives: i64,
}

impl Place {
    pub(super) fn of(awaited: &Awaited, said: Option<&Said>) -> Self {
        let movement = &awaited.carrying.movement;
        let given = movement.given();
        Self {
            coded: given.is_some(),
            at_lane: movement.arrived().is_some(),
            class: said.and_then(|said| said.code).or(given),
            score: said.and_then(|said| said.score),
            arrives: movement.expected_arrival,
        }
    }

    /// Whether it will arrive before anybody has looked at it unless somebody does now.
    pub(super) fn is_urgent(&self, now: UtcMillis) -> bool {
        !self.coded && (self.at_lane || self.arrives <= now.0 + SOON_MS)
    }

    /// Sorts the queue.
    pub(super) fn key(&self, now: UtcMillis) -> impl Ord + use<> {
        let urgent = self.is_urgent(now);
        let class = self.class.map_or(0, strictness);
        let score = (self.score.unwrap_or(0.0) * 1000.0) as i64;
        let risk = if urgent { (0, 0) } else { (class, score) };
        (Reverse(urgent), Reverse(urgent && self.at_lane), Reverse(risk), self.arrives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_soon_without_a_code_is_first_then_risk_then_time() {
        let now = UtcMillis(1_000_000_000);
        let hours = |h: i64| now.0 + h * 3_600_000;
        let place = |name: &'static str, coded, at_lane, class, score, arrives| {
            (name, Place { coded, at_lane, class, score, arrives })
        };
        use ActionCode::{Inspect, Release};
        let mut queue = [
            place("later, low", false, false, Some(Release), Some(0.1), hours(2)),
            place("later, high", false, false, Some(Inspect), Some(0.6), hours(8)),
            place("later, higher", false, false, Some(Inspect), Some(0.9), hours(9)),
            place("soon, low", false, false, Some(Release), Some(0.1), now.0 + 30 * 60_000),
            place("late", false, false, None, None, now.0 - 60_000),
            place("at the lane", false, true, None, None, now.0 + 10),
            place("soon, but coded", true, false, Some(Release), None, now.0 + 60_000),
        ];
        queue.sort_by_key(|(_, place)| place.key(now));
        let names = queue.map(|(name, _)| name);
        assert_eq!(
            names,
            [
                "at the lane",
                "late",
                "soon, low",
                "later, higher",
                "later, high",
                "later, low",
                "soon, but coded"
            ]
        );
    }
}
