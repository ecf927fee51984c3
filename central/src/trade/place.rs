//! The rules of the place: data, with the day from which each holds. `deploy/place.toml` documents every key.

use std::path::Path;

use clearance::ids::UtcMillis;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::consignment::Lodging;

/// The rules that hold where nothing else is configured: Hong Kong's.
const HONG_KONG: &str = include_str!("../../../deploy/place.toml");

/// How strictly a rule is applied: a new duty begins as advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody has to declare; whoever does is told what would be missing.
    Trial,
    /// What is missing is told, and refuses nothing.
    Transition,
    /// What is missing holds the vehicle.
    Mandatory,
}

impl Phase {
    /// Whether what is missing holds the vehicle.
    pub fn enforces(self) -> bool {
        self == Self::Mandatory
    }
}

/// Rules that hold from a day on, until the next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// First day on which they hold, at the place.
    pub from: Date,
    /// How strictly.
    pub phase: Phase,
    /// Minutes that must lie between the last bundling and the crossing.
    pub cut_off_minutes: u32,
    /// Days that a consignment may be lodged ahead.
    pub lodging_window_days: u32,
    /// Days after the expected arrival for which a declaration still serves.
    #[serde(default = "default_validity")]
    pub validity_days: u32,
}

fn default_validity() -> u32 {
    14
}

impl Rules {
    /// The cut-off in milliseconds.
    pub fn cut_off_ms(&self) -> i64 {
        i64::from(self.cut_off_minutes) * 60_000
    }
}

/// Something that needs no consignment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// As it is declared, stored and typed.
    pub code: String,
    /// First day.
    pub from: Date,
    /// Last day, if it ends.
    #[serde(default)]
    pub until: Option<Date>,
    /// For people, in English, Traditional and Simplified Chinese.
    pub en: String,
    /// Traditional Chinese.
    pub zh_hant: String,
    /// Simplified Chinese.
    pub zh_hans: String,
}

/// The place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    time_zone: String,
    #[serde(default = "default_retention")]
    retention_days: u32,
    #[serde(default = "default_decision_retention")]
    decision_retention_days: u32,
    #[serde(default)]
    bay_hour_hkd: Option<u32>,
    rules: Vec<Rules>,
    #[serde(default)]
    exemptions: Vec<Exemption>,
}

fn default_retention() -> u32 {
    90
}

/// Seven years.
fn default_decision_retention() -> u32 {
    2_557
}

/// The rules of a place over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its time zone: days begin and end there.
    pub zone: TimeZone,
    /// Days for which declarations are kept after they were last changed.
    pub retention_days: u32,
    /// Days for which assessments and officers' decisions are kept after they were made, at least as long as the declaration.
    pub decision_retention_days: u32,
    /// What an hour of a vehicle's inspection costs, in Hong Kong dollars, where it is known.
    pub bay_hour_hkd: Option<u32>,
    rules: Vec<Rules>,
    exemptions: Vec<Exemption>,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The file.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Its form.
    #[error("{0}see deploy/place.toml for every key")]
    Form(#[from] toml::de::Error),
    /// A value.
    #[error("{key}: {why}")]
    Value {
        /// Which.
        key: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
}

impl Place {
    /// Hong Kong's rules.
    pub fn hong_kong() -> Self {
        #[expect(clippy::expect_used, reason = "embedded, and parsed by a test")]
        Self::parse(HONG_KONG).expect("deploy/place.toml")
    }

    /// Read a file.
    pub fn load(path: &Path) -> Result<Self, PlaceError> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    /// Read a file's text.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let form: Form = toml::from_str(text)?;
        let wrong = |key, why: String| PlaceError::Value { key, why };
        let zone = TimeZone::get(&form.time_zone).map_err(|e| wrong("time_zone", e.to_string()))?;
        if form.rules.is_empty() {
            return Err(wrong("rules", "give at least one".to_owned()));
        }
        if form.rules.windows(2).any(|pair| pair[0].from >= pair[1].from) {
            return Err(wrong("rules", "order them by `from`, each day once".to_owned()));
        }
        if let Some(long) = form.rules.iter().find(|r| r.cut_off_minutes > 7 * 24 * 60) {
            return Err(wrong("cut_off_minutes", format!("{} is more than a week", long.cut_off_minutes)));
        }
        if form.rules.iter().any(|r| r.lodging_window_days > 366 || r.validity_days > 366) {
            return Err(wrong("rules", "windows are at most 366 days".to_owned()));
        }
        let mut codes: Vec<_> = form.exemptions.iter().map(|e| e.code.as_str()).collect();
        codes.sort_unstable();
        let plain =
            |code: &&str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if codes.windows(2).any(|pair| pair[0] == pair[1])
            || !codes.iter().all(plain)
            || codes.contains(&"empty")
        {
            let why = "each has a code of its own, of letters a to z and _, other than `empty`";
            return Err(wrong("exemptions", why.to_owned()));
        }
        Ok(Self {
            zone,
            retention_days: form.retention_days,
            decision_retention_days: form.decision_retention_days,
            bay_hour_hkd: form.bay_hour_hkd,
            rules: form.rules,
            exemptions: form.exemptions,
        })
    }

    /// The day of a moment, at the place.
    pub fn day(&self, at: UtcMillis) -> Date {
        Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned_datetime(self.zone.clone()).date()
    }

    /// The rules of a moment. Before the first, the first hold.
    pub fn rules(&self, at: UtcMillis) -> &Rules {
        let day = self.day(at);
        self.rules.iter().rev().find(|rules| rules.from <= day).unwrap_or(&self.rules[0])
    }

    /// Whatever was expected at this moment or before, and did not come, has expired at `now`.
    pub fn ended(&self, now: UtcMillis) -> UtcMillis {
        now.plus_millis(-i64::from(self.rules(now).validity_days) * 86_400_000)
    }

    /// Whether nothing that was expected on a day can cross any more.
    pub fn is_over(&self, day: Date, now: UtcMillis) -> bool {
        self.day(self.ended(now)) > day
    }

    /// Exemptions of a moment.
    pub fn exemptions(&self, at: UtcMillis) -> impl Iterator<Item = &Exemption> {
        let day = self.day(at);
        self.exemptions.iter().filter(move |e| e.from <= day && e.until.is_none_or(|until| day <= until))
    }

    /// For when consignments may be lodged at a moment.
    pub fn lodging(&self, at: UtcMillis) -> Lodging {
        Lodging { today: self.day(at), days_ahead: self.rules(at).lodging_window_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        UtcMillis(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn hong_kongs_rules_hold_from_their_days_on() {
        let place = Place::hong_kong();
        assert_eq!(place.rules(at("2010-05-16T15:59:59Z")).phase, Phase::Trial);
        assert_eq!(place.rules(at("2010-05-16T16:00:00Z")).phase, Phase::Transition, "midnight in Hong Kong");
        let now = place.rules(at("2026-11-24T00:00:00Z"));
        assert_eq!((now.phase, now.cut_off_minutes, now.lodging_window_days), (Phase::Mandatory, 30, 14));
        assert_eq!(place.rules(at("1999-01-01T00:00:00Z")).phase, Phase::Trial);
        assert!(place.exemptions(at("2026-11-24T00:00:00Z")).count() > 0);
    }

    #[test]
    fn rules_that_contradict_themselves_are_refused() {
        let rule = |from: &str, minutes: u32| {
            format!(
                "[[rules]]\nfrom = \"{from}\"\nphase = \"mandatory\"\ncut_off_minutes = {minutes}\nlodging_window_days = 14\n"
            )
        };
        let zone = "time_zone = \"Asia/Hong_Kong\"\n";
        for (text, said) in [
            (format!("{zone}rules = []"), "at least one"),
            (format!("time_zone = \"Mars/Olympus\"\n{}", rule("2026-01-01", 30)), "time_zone"),
            (format!("{zone}{}{}", rule("2026-01-02", 30), rule("2026-01-01", 30)), "order them"),
            (format!("{zone}{}", rule("2026-01-01", 99_999)), "more than a week"),
            (format!("{zone}{}cutoff = 3", rule("2026-01-01", 30)), "unknown field"),
        ] {
            let error = Place::parse(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
