//! What a check of stored data found: the form that `edge fsck` and `central fsck` share, so that whoever watches many
//! nodes reads one kind of line. The checks themselves lie beside what they check.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// What a crash or a power cut leaves behind; the next start mends it by itself.
    Remains,
    /// Stored data is not what was stored.
    Damage,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check; stable, for programs: `outbox-torn`, `log-gap`, …
    pub check: &'static str,
    /// How bad.
    pub grade: Grade,
    /// File, or table and row.
    pub place: String,
    /// What was found.
    pub what: String,
    /// What follows from it.
    pub means: &'static str,
    /// What mends it.
    pub mend: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Remains => "remains",
            Grade::Damage => "DAMAGE",
        };
        writeln!(f, "{grade:<8} {} [{}]\n  found  {}", self.place, self.check, self.what)?;
        write!(f, "  means  {}\n  mend   {}", self.means, self.mend)
    }
}

/// A kind of finding: everything but where and what exactly.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// See [`Finding::check`].
    pub name: &'static str,
    /// See [`Finding::grade`].
    pub grade: Grade,
    /// See [`Finding::means`].
    pub means: &'static str,
    /// See [`Finding::mend`].
    pub mend: &'static str,
}

impl Check {
    /// A check whose findings are damage.
    pub const fn damage(name: &'static str, means: &'static str, mend: &'static str) -> Self {
        Self { name, grade: Grade::Damage, means, mend }
    }

    /// A check whose findings are what a crash leaves.
    pub const fn remains(name: &'static str, means: &'static str, mend: &'static str) -> Self {
        Self { name, grade: Grade::Remains, means, mend }
    }

    /// It found `what` at `place`.
    pub fn found(&self, place: impl fmt::Display, what: impl fmt::Display) -> Finding {
        Finding {
            check: self.name,
            grade: self.grade,
            place: place.to_string(),
            what: what.to_string(),
            means: self.means,
            mend: self.mend,
        }
    }
}

/// What was looked at and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many of what were looked at, in order.
    pub checked: Vec<(&'static str, u64)>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Note that `number` more of `what` were looked at.
    pub fn count(&mut self, what: &'static str, number: u64) {
        match self.checked.iter_mut().find(|(known, _)| *known == what) {
            Some((_, counted)) => *counted += number,
            None => self.checked.push((what, number)),
        }
    }

    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// What a command prints of a check of `place`, for people or as one JSON object a line: each finding, then the summary.
    pub fn lines(&self, place: impl fmt::Display, json: bool) -> Result<Vec<String>, serde_json::Error> {
        let finding = |finding: &Finding| {
            if json { serde_json::to_string(finding) } else { Ok(format!("{finding}\n")) }
        };
        let mut lines = self.findings.iter().map(finding).collect::<Result<Vec<_>, _>>()?;
        lines.push(if json { self.summary_json() } else { format!("{place}: {}", self.summary()) });
        Ok(lines)
    }

    /// The summary, for programs: `{"findings":0,"checked":{"steps":5}}`.
    pub fn summary_json(&self) -> String {
        let checked: Vec<String> = self.checked.iter().map(|(what, n)| format!("\"{what}\":{n}")).collect();
        format!("{{\"findings\":{},\"checked\":{{{}}}}}", self.findings.len(), checked.join(","))
    }

    /// The summary, for people: what was looked at and how much was found.
    pub fn summary(&self) -> String {
        let checked: Vec<String> = self.checked.iter().map(|(what, n)| format!("{n} {what}")).collect();
        let found = match self.findings.len() {
            0 => "sound".to_owned(),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        };
        format!("{found}; looked at {}", checked.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TORN: Check =
        Check::remains("outbox-torn", "a step was not confirmed", "the next start cuts it off");

    #[test]
    fn a_finding_says_where_what_and_what_mends_it() {
        let found = TORN.found("outbox/1.segment", "3 bytes");
        for part in ["outbox/1.segment", "outbox-torn", "3 bytes", "not confirmed", "cuts it off"] {
            assert!(found.to_string().contains(part), "{found}");
        }
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["grade"], "remains");
        assert_eq!(json["check"], "outbox-torn");
    }

    #[test]
    fn a_report_counts_and_sums_up() {
        let mut report = Report::default();
        report.count("steps", 2);
        report.count("pictures", 0);
        report.count("steps", 3);
        assert_eq!(report.summary(), "sound; looked at 5 steps, 0 pictures");
        assert_eq!(report.summary_json(), r#"{"findings":0,"checked":{"steps":5,"pictures":0}}"#);
        report.findings.push(TORN.found("a", "b"));
        assert!(!report.is_sound() && report.summary().starts_with("1 finding;"));
    }
}
