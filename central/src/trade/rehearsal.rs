//! Training: what customs and the lane would do with a crossing of a sandbox, so that a pupil sees it through to its end.
//!
//! The vehicle's registration mark decides what happens, so that each way can be practised: a mark that ends in 7 is directed
//! to inspection, one that ends in 8 to the document counter, any other is released.

use clearance::directive::ActionCode;
use clearance::ids::UtcMillis;

use super::movement::{Inspection, Signalled};

/// Between one step of a rehearsal and the next, milliseconds.
pub const PAUSE_MS: i64 = 60_000;

/// How far a rehearsed crossing has come.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsed {
    /// From when its code may be used.
    pub valid_from: UtcMillis,
    /// When the vehicle is expected.
    pub expected_arrival: UtcMillis,
    /// Its code; none: not assessed yet.
    pub action: Option<ActionCode>,
    /// What the lane showed, and when.
    pub signalled: Option<(Signalled, UtcMillis)>,
    /// When it was inspected.
    pub inspected: Option<UtcMillis>,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Customs assesses it.
    Assess(ActionCode),
    /// It is at the lane, which shows this.
    Arrive(Signalled),
    /// It was inspected, with this result.
    Inspect(Inspection),
    /// It leaves.
    Depart,
}

/// What happens to a crossing now, if anything; `mark`: the vehicle's registration mark.
pub fn next_step(crossing: &Rehearsed, mark: &str, now: UtcMillis) -> Option<NextStep> {
    let paused = |since: UtcMillis| now.0 >= since.0 + PAUSE_MS;
    match (crossing.action, crossing.signalled, crossing.inspected) {
        (None, _, _) => Some(NextStep::Assess(code_of(mark))),
        (Some(code), None, _) => {
            let due = crossing.valid_from.max(crossing.expected_arrival);
            (now >= due).then(|| NextStep::Arrive(signal(code)))
        }
        (_, Some((Signalled::Directed(_), at)), None) => {
            paused(at).then_some(NextStep::Inspect(Inspection::NothingFound))
        }
        (_, Some((_, at)), inspected) => paused(inspected.unwrap_or(at)).then_some(NextStep::Depart),
    }
}

/// The code that a mark is given.
pub fn code_of(mark: &str) -> ActionCode {
    match mark.chars().last() {
        Some('7') => ActionCode::Inspect,
        Some('8') => ActionCode::Documents,
        _ => ActionCode::Release,
    }
}

fn signal(code: ActionCode) -> Signalled {
    if code == ActionCode::Release { Signalled::Released } else { Signalled::Directed(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing() -> Rehearsed {
        Rehearsed {
            valid_from: UtcMillis(1_000),
            expected_arrival: UtcMillis(2_000),
            action: None,
            signalled: None,
            inspected: None,
        }
    }

    #[test]
    fn a_released_crossing_goes_from_assessment_to_departure() {
        let mut now = crossing();
        assert_eq!(next_step(&now, "AB1234", UtcMillis(0)), Some(NextStep::Assess(ActionCode::Release)));
        now.action = Some(ActionCode::Release);
        assert_eq!(
            next_step(&now, "AB1234", UtcMillis(1_999)),
            None,
            "it is not there before it is expected"
        );
        let arrive = NextStep::Arrive(Signalled::Released);
        assert_eq!(next_step(&now, "AB1234", UtcMillis(2_000)), Some(arrive));
        now.signalled = Some((Signalled::Released, UtcMillis(2_000)));
        assert_eq!(next_step(&now, "AB1234", UtcMillis(2_000 + PAUSE_MS - 1)), None);
        assert_eq!(next_step(&now, "AB1234", UtcMillis(2_000 + PAUSE_MS)), Some(NextStep::Depart));
    }

    #[test]
    fn a_mark_that_ends_in_7_is_inspected_before_it_leaves() {
        let directed = Signalled::Directed(ActionCode::Inspect);
        let mut now = Rehearsed { action: Some(code_of("AB1237")), ..crossing() };
        assert_eq!(next_step(&now, "AB1237", UtcMillis(2_000)), Some(NextStep::Arrive(directed)));
        now.signalled = Some((directed, UtcMillis(2_000)));
        let inspect = NextStep::Inspect(Inspection::NothingFound);
        assert_eq!(next_step(&now, "AB1237", UtcMillis(2_000 + PAUSE_MS)), Some(inspect));
        now.inspected = Some(UtcMillis(100_000));
        assert_eq!(next_step(&now, "AB1237", UtcMillis(100_000)), None);
        assert_eq!(next_step(&now, "AB1237", UtcMillis(100_000 + PAUSE_MS)), Some(NextStep::Depart));
    }

    #[test]
    fn a_code_is_not_used_before_it_serves() {
        let late =
            Rehearsed { valid_from: UtcMillis(9_000), action: Some(ActionCode::Release), ..crossing() };
        assert_eq!(next_step(&late, "AB1234", UtcMillis(8_999)), None);
    }
}
