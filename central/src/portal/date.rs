//! Days and moments as people read and type them, at the place.

use clearance::ids::UtcMillis;
use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp, ZonedDateTime};

use crate::trade::{Fault, Place};
use crate::words::Language;

const WEEKDAYS_ZH: [&str; 7] = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];

/// A day.
pub(super) fn day(language: Language, date: Date) -> String {
    let form = match language {
        Language::English => "%-d %B %Y",
        Language::Traditional | Language::Simplified => "%Y年%-m月%-d日",
    };
    date.strftime(form).to_string()
}

/// A day with its name.
pub(super) fn named_day(language: Language, date: Date) -> String {
    match language {
        Language::English => date.strftime("%A %-d %B %Y").to_string(),
        Language::Traditional | Language::Simplified => {
            let weekday = WEEKDAYS_ZH[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
            format!("{} {weekday}", day(language, date))
        }
    }
}

/// A day as it is stored, or the text itself where it is none.
pub(super) fn stored_day(language: Language, text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), |date| named_day(language, date))
}

fn at_place(place: &Place, at: UtcMillis) -> ZonedDateTime {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned_datetime(place.zone.clone())
}

/// A moment, at the place.
pub(super) fn moment(language: Language, place: &Place, at: UtcMillis) -> String {
    let zoned = at_place(place, at);
    format!("{}, {:02}:{:02}", day(language, zoned.date()), zoned.hour(), zoned.minute())
}

/// Day and time of a moment as their fields have them.
pub(super) fn typed(place: &Place, at: UtcMillis) -> (String, String) {
    let zoned = at_place(place, at);
    (zoned.date().to_string(), format!("{:02}:{:02}", zoned.hour(), zoned.minute()))
}

/// The days that may be chosen: from today to the end of the window.
pub(super) fn choices(place: &Place, now: UtcMillis) -> Vec<Date> {
    let lodging = place.lodging(now);
    (0..=i64::from(lodging.days_ahead))
        .map(|ahead| lodging.today.saturating_add(Span::new().days(ahead)))
        .collect()
}

/// Today and so many days before, latest first.
pub(super) fn past_days(place: &Place, now: UtcMillis, most: i64) -> Vec<Date> {
    let today = at_place(place, now).date();
    (0..most).map(|ago| today.saturating_sub(Span::new().days(ago))).collect()
}

/// The moment of a day and a time as they were typed, `14:30`, `1430` or `9:05`.
pub(super) fn read(place: &Place, day: &str, time: &str) -> Result<UtcMillis, Fault> {
    if day.is_empty() || time.is_empty() {
        return Err(Fault::Required);
    }
    let date: Date = day.parse().map_err(|_| Fault::Date)?;
    let time = clock(time).ok_or(Fault::Time)?;
    let zoned = date.to_datetime(time).to_zoned_datetime(place.zone.clone()).map_err(|_| Fault::Time)?;
    Ok(UtcMillis(zoned.timestamp().as_millisecond()))
}

fn clock(text: &str) -> Option<Time> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.'));
    if !plain || !(3..=4).contains(&digits.len()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(digits.len() - 2);
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_moment_read_as_people_write_them() {
        let date: Date = "2026-11-27".parse().unwrap();
        assert_eq!(named_day(Language::English, date), "Friday 27 November 2026");
        assert_eq!(named_day(Language::Traditional, date), "2026年11月27日 星期五");
        let place = Place::hong_kong();
        let at = UtcMillis("2026-11-27T06:05:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        assert_eq!(moment(Language::English, &place, at), "27 November 2026, 14:05");
        assert_eq!(typed(&place, at), ("2026-11-27".to_owned(), "14:05".to_owned()));
        assert_eq!(stored_day(Language::English, "soon"), "soon");
    }

    #[test]
    fn a_time_is_read_as_it_is_typed_and_is_the_places() {
        let place = Place::hong_kong();
        let noon = UtcMillis("2026-11-27T06:05:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        for text in ["14:05", "1405", "14.05"] {
            assert_eq!(read(&place, "2026-11-27", text), Ok(noon), "{text}");
        }
        assert!(read(&place, "2026-11-27", "9:05").is_ok());
        for text in ["25:00", "14:60", "noon", "5", "14:05:01", "-1:00"] {
            assert_eq!(read(&place, "2026-11-27", text), Err(Fault::Time), "{text}");
        }
        assert_eq!(read(&place, "tomorrow", "14:05"), Err(Fault::Date));
        assert_eq!(read(&place, "", "14:05"), Err(Fault::Required));
    }
}
