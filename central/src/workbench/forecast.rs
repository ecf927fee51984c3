//! What waits for the bays in the next hours: who is expected, how many of them have to be inspected, and how many are left over
//! when the bays do what they can.

use risk::capacity::capacity;
use risk::facts::Slot;
use risk::{Colour, Policy};

use crate::storage::workbench::{Arrival, Figures};

/// An hour of the forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ahead {
    /// Hours from now.
    pub(super) hour: i64,
    /// Vehicles expected.
    pub(super) expected: f64,
    /// Of those, inspected: the ones with such a code, and the usual share of the ones without any.
    pub(super) to_inspect: f64,
    /// Vehicles that the bays can inspect; none if nobody has said.
    pub(super) capacity: Option<i64>,
    /// Vehicles that still wait when the hour is over; none if nobody has said what the bays can do until then.
    pub(super) queue: Option<f64>,
}

/// The share of crossings that were stopped for an inspection lately, 0 to 1.
pub(super) fn inspected_share(figures: &Figures) -> f64 {
    let (signalled, inspected) =
        figures.days.iter().fold((0, 0), |(s, i), d| (s + d.signalled, i + d.inspected));
    if signalled == 0 { 0.0 } else { inspected as f64 / signalled as f64 }
}

/// What the bays of a control point can inspect in an hour: the less of what the policy says of that hour and what a supervisor has said.
pub(super) fn can_inspect(supervisor: Option<i64>, policy: Option<&Policy>, hour: &Slot) -> Option<i64> {
    let policy = policy.and_then(|policy| capacity(policy, Colour::Red, hour)).map(i64::from);
    policy.into_iter().chain(supervisor).min()
}

/// The forecast of a control point, for as many hours as `capacities` has. Vehicles for whichever control point they come to are spread
/// evenly over `sites` of them.
pub(super) fn forecast(
    figures: &Figures,
    site: &str,
    sites: usize,
    capacities: &[Option<i64>],
) -> Vec<Ahead> {
    let share = inspected_share(figures);
    let spread = 1.0 / sites.max(1) as f64;
    let count =
        |map: &std::collections::BTreeMap<String, i64>, key: &str| map.get(key).copied().unwrap_or(0) as f64;
    let mut queue = Some(count(&figures.waiting, site) + spread * count(&figures.waiting, ""));
    (0..)
        .zip(capacities)
        .map(|(hour, &capacity)| {
            let of = |wanted: &str| figures.arrivals.iter().find(|a| a.hour == hour && a.site == wanted);
            let sum = |number: fn(&Arrival) -> i64| {
                of(site).map_or(0.0, |a| number(a) as f64) + spread * of("").map_or(0.0, |a| number(a) as f64)
            };
            let to_inspect = sum(|a| a.to_inspect) + share * sum(|a| a.undecided);
            // Once nobody knows how many are left over, nobody knows it of the next hour.
            queue = queue.zip(capacity).map(|(queue, can)| (queue + to_inspect - can as f64).max(0.0));
            Ahead { hour, expected: sum(|a| a.expected), to_inspect, capacity, queue }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::workbench::Day;

    fn figures() -> Figures {
        let arrival = |site: &str, hour, expected, to_inspect, undecided| Arrival {
            site: site.to_owned(),
            hour,
            expected,
            to_inspect,
            undecided,
        };
        Figures {
            days: vec![Day { signalled: 100, inspected: 10, ..Day::default() }],
            arrivals: vec![
                arrival("a", 0, 10, 4, 0),
                arrival("a", 1, 20, 1, 10),
                arrival("", 0, 4, 2, 0),
                arrival("b", 0, 50, 50, 0),
            ],
            waiting: [("a".to_owned(), 3)].into(),
            ..Figures::default()
        }
    }

    #[test]
    fn what_the_bays_cannot_do_waits_for_the_next_hour() {
        let hours = forecast(&figures(), "a", 2, &[Some(5); 3]);
        let ahead = |hour, expected, to_inspect, queue| Ahead {
            hour,
            expected,
            to_inspect,
            capacity: Some(5),
            queue: Some(queue),
        };
        assert_eq!(hours[0], ahead(0, 12.0, 5.0, 3.0));
        // One with a code, and a tenth of the ten without.
        assert_eq!(hours[1], ahead(1, 20.0, 2.0, 0.0));
        assert_eq!(hours[2], ahead(2, 0.0, 0.0, 0.0));
    }

    #[test]
    fn without_a_capacity_nobody_guesses_a_queue_then_or_later() {
        assert!(forecast(&figures(), "b", 2, &[None; 6]).iter().all(|hour| hour.queue.is_none()));
        let queues = |capacities: &[Option<i64>]| -> Vec<Option<f64>> {
            forecast(&figures(), "a", 2, capacities).iter().map(|hour| hour.queue).collect()
        };
        assert_eq!(queues(&[Some(8), None, Some(1)]), [Some(0.0), None, None]);
        assert_eq!(
            queues(&[Some(7), Some(3), Some(0)]),
            [Some(1.0), Some(0.0), Some(0.0)],
            "each hour has its own"
        );
        assert_eq!(inspected_share(&Figures::default()), 0.0);
    }

    #[test]
    fn the_less_of_what_the_policy_and_the_supervisor_say_is_done() {
        let per_hour = |from_hour, until_hour, per_hour| risk::policy::Capacity {
            control_point: None,
            from_hour,
            until_hour,
            colour: Colour::Red,
            per_hour,
        };
        let policy = Policy { capacities: vec![per_hour(22, 6, 2)], ..Policy::default() };
        let at =
            |hour| Slot { control_point: "a".parse().unwrap(), day: "2026-11-28".parse().unwrap(), hour };
        assert_eq!(can_inspect(Some(5), Some(&policy), &at(23)), Some(2));
        assert_eq!(can_inspect(Some(1), Some(&policy), &at(23)), Some(1));
        assert_eq!(can_inspect(Some(5), Some(&policy), &at(12)), Some(5));
        assert_eq!(can_inspect(None, Some(&policy), &at(23)), Some(2));
        assert_eq!(can_inspect(None, None, &at(23)), None);
    }
}
