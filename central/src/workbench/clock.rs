//! The clock that counts down to an arrival. The server writes it, a script lets it run.

use clearance::ids::UtcMillis;
use maud::{Markup, html};

/// `h:mm:ss` until a moment; with a minus if it is past.
pub(super) fn countdown(until: i64, now: UtcMillis) -> String {
    let seconds = (until - now.0).div_euclid(1000);
    let sign = if seconds < 0 { "−" } else { "" };
    let s = seconds.abs();
    format!("{sign}{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The clock of an arrival.
pub(super) fn clock(until: i64, now: UtcMillis) -> Markup {
    let late = until < now.0;
    html! { span class={ "clock" @if late { " stop" } } data-arrives=(until) { (countdown(until, now)) } }
}

/// Time of day at the place; with the day if it is not today.
pub(super) fn moment(ms: i64, now: UtcMillis) -> String {
    let at = |ms| jiff::Timestamp::from_millisecond(ms).ok().and_then(|t| t.in_tz("Asia/Hong_Kong").ok());
    match (at(ms), at(now.0)) {
        (Some(then), Some(now)) if then.date() == now.date() => then.strftime("%H:%M").to_string(),
        (Some(then), _) => then.strftime("%m-%d %H:%M").to_string(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_down_and_past_zero() {
        let now = UtcMillis(10_000_000);
        assert_eq!(countdown(now.0 + 3_725_000, now), "1:02:05");
        assert_eq!(countdown(now.0 + 59_999, now), "0:00:59");
        assert_eq!(countdown(now.0, now), "0:00:00");
        assert_eq!(countdown(now.0 - 61_000, now), "−0:01:01");
    }

    #[test]
    fn a_day_is_named_when_it_is_another_one() {
        let noon = UtcMillis(1_700_000_000_000);
        assert_eq!(moment(noon.0, noon), "06:13");
        assert_eq!(moment(noon.0 + 86_400_000, noon), "11-16 06:13");
    }
}
