//! What waits for the bays in the next hours: who is expected, how many of them have to be inspected, and how many are left over
//! when the bays do what they can.

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
    /// Vehicles that still wait when the hour is over; none if nobody has said what the bays can do.
    pub(super) queue: Option<f64>,
}

/// The share of crossings that were stopped for an inspection lately, 0 to 1.
pub(super) fn inspected_share(figures: &Figures) -> f64 {
    let (signalled, inspected) =
        figures.days.iter().fold((0, 0), |(s, i), d| (s + d.signalled, i + d.inspected));
    if signalled == 0 { 0.0 } else { inspected as f64 / signalled as f64 }
}

/// The forecast of a control point. Vehicles for whichever control point they come to are spread evenly over `sites` of them.
pub(super) fn forecast(figures: &Figures, site: &str, sites: usize, hours: i64) -> Vec<Ahead> {
    let share = inspected_share(figures);
    let spread = 1.0 / sites.max(1) as f64;
    let capacity = figures.capacity.get(site).map(|capacity| *capacity as f64);
    let count =
        |map: &std::collections::BTreeMap<String, i64>, key: &str| map.get(key).copied().unwrap_or(0) as f64;
    let mut queue = count(&figures.waiting, site) + spread * count(&figures.waiting, "");
    (0..hours)
        .map(|hour| {
            let of = |wanted: &str| figures.arrivals.iter().find(|a| a.hour == hour && a.site == wanted);
            let sum = |number: fn(&Arrival) -> i64| {
                of(site).map_or(0.0, |a| number(a) as f64) + spread * of("").map_or(0.0, |a| number(a) as f64)
            };
            let to_inspect = sum(|a| a.to_inspect) + share * sum(|a| a.undecided);
            queue = (queue + to_inspect - capacity.unwrap_or(0.0)).max(0.0);
            Ahead { hour, expected: sum(|a| a.expected), to_inspect, queue: capacity.map(|_| queue) }
        })
        .collect()
}

#[cfg(test)]
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
            capacity: [("a".to_owned(), 5)].into(),
            ..Figures::default()
        }
    }

    #[test]
    fn what_the_bays_cannot_do_waits_for_the_next_hour() {
        let hours = forecast(&figures(), "a", 2, 3);
        assert_eq!(hours[0], Ahead { hour: 0, expected: 12.0, to_inspect: 5.0, queue: Some(3.0) });
        // One with a code, and a tenth of the ten without.
        assert_eq!(hours[1], Ahead { hour: 1, expected: 20.0, to_inspect: 2.0, queue: Some(0.0) });
        assert_eq!(hours[2], Ahead { hour: 2, expected: 0.0, to_inspect: 0.0, queue: Some(0.0) });
    }

    #[test]
    fn without_a_capacity_nobody_guesses_a_queue() {
        assert!(forecast(&figures(), "b", 2, 6).iter().all(|hour| hour.queue.is_none()));
        assert_eq!(inspected_share(&Figures::default()), 0.0);
    }
}
