//! The form in which a rule is written. What was typed is shown again whatever is wrong.

use clearance::ids::UtcMillis;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use risk::Measure;
use risk::policy::Rule;
use risk::rules::{RuleDraft, RuleExample, facts_there_are};

use super::{DEMANDED, measure};
use crate::screening::rules::example;
use crate::words::Language;
use crate::workbench::form::Fields;

/// Examples that a form takes.
pub(super) const EXAMPLES: usize = 6;

/// Longest purpose, in characters.
const LONGEST_PURPOSE: usize = 500;

/// An example as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TypedExample {
    pub(super) name: String,
    pub(super) holds: bool,
    /// A movement; `@N` for the facts of the `N`th example of what is written over; nothing for the example movement.
    pub(super) base: String,
    pub(super) changes: String,
}

/// A rule as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) id: String,
    pub(super) purpose: String,
    pub(super) condition: String,
    pub(super) measure: Option<Measure>,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) examples: Vec<TypedExample>,
}

/// How a browser writes a moment.
const LOCAL: &str = "%Y-%m-%dT%H:%M";

fn local(at: UtcMillis, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| String::new(), |at| at.to_zoned_datetime(zone.clone()).strftime(LOCAL).to_string())
}

fn moment(text: &str, zone: &TimeZone) -> Option<UtcMillis> {
    let at = jiff::civil::DateTime::strptime(LOCAL, text).ok()?.to_zoned_datetime(zone.clone()).ok()?;
    Some(UtcMillis(at.timestamp().as_millisecond()))
}

impl Typed {
    pub(super) fn of(fields: &Fields) -> Self {
        let examples = (0..EXAMPLES)
            .map(|n| TypedExample {
                name: fields.get(&format!("example-{n}")).to_owned(),
                holds: fields.get(&format!("holds-{n}")) == "yes",
                base: fields.get(&format!("base-{n}")).to_owned(),
                changes: fields.get(&format!("changes-{n}")).to_owned(),
            })
            .collect();
        let demanded = fields.get("measure");
        Self {
            id: fields.get("id").to_owned(),
            purpose: fields.get("purpose").to_owned(),
            condition: fields.get("condition").to_owned(),
            measure: DEMANDED.into_iter().find(|measure| measure.name() == demanded),
            from: fields.get("from").to_owned(),
            until: fields.get("until").to_owned(),
            examples,
        }
    }

    /// An empty form with room for one example of each kind.
    pub(super) fn blank() -> Self {
        Self {
            examples: [true, false].map(|holds| TypedExample { holds, ..TypedExample::default() }).to_vec(),
            ..Self::default()
        }
    }

    /// What is written already, to write it otherwise.
    pub(super) fn again(draft: &RuleDraft, zone: &TimeZone) -> Self {
        let rule = &draft.rule;
        let examples = draft.examples.iter().enumerate().map(|(n, e)| TypedExample {
            name: e.name.clone(),
            holds: e.holds,
            base: format!("@{n}"),
            changes: String::new(),
        });
        Self {
            id: rule.id.clone(),
            purpose: draft.purpose.clone(),
            condition: rule.condition.clone(),
            measure: Some(rule.measure),
            from: local(rule.from, zone),
            until: rule.until.map_or_else(String::new, |until| local(until, zone)),
            examples: examples.collect(),
        }
    }

    /// Movements whose facts examples begin with.
    pub(super) fn movements(&self) -> impl Iterator<Item = &str> {
        self.used().map(|(_, e)| e.base.as_str()).filter(|base| !base.is_empty() && !base.starts_with('@'))
    }

    fn used(&self) -> impl Iterator<Item = (usize, &TypedExample)> {
        self.examples
            .iter()
            .enumerate()
            .filter(|(_, e)| !e.name.is_empty() || !e.base.is_empty() || !e.changes.is_empty())
    }

    /// The draft, or everything that is wrong with it; `facts` gives those that an example begins with.
    pub(super) fn draft(
        &self,
        language: Language,
        zone: &TimeZone,
        now: UtcMillis,
        facts: impl Fn(&str) -> Option<risk::Facts>,
    ) -> Result<RuleDraft, Vec<String>> {
        let mut wrong = Vec::new();
        let mut note = |is: bool, key: &str| {
            if is {
                wrong.push(language.say(key));
            }
        };
        let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        note(!(1..=64).contains(&self.id.len()) || !self.id.bytes().all(fits), "rule-problem-name");
        note(
            self.purpose.is_empty() || self.purpose.chars().count() > LONGEST_PURPOSE,
            "rule-problem-purpose",
        );
        note(self.measure.is_none(), "rule-problem-measure");
        let at = |text: &str| if text.is_empty() { Ok(None) } else { moment(text, zone).map(Some).ok_or(()) };
        let (from, until) = (at(&self.from), at(&self.until));
        note(from.is_err() || until.is_err(), "rule-problem-time");
        let from = from.ok().flatten().unwrap_or(now);
        let until = until.ok().flatten();
        note(until.is_some_and(|until| until <= from.max(now)), "rule-problem-over");
        let mut examples = Vec::new();
        for (n, typed) in self.used() {
            let name = if typed.name.is_empty() { (n + 1).to_string() } else { typed.name.clone() };
            let made = facts(&typed.base)
                .ok_or_else(|| language.say("rule-problem-no-movement"))
                .and_then(|base| example(&base, &typed.changes));
            match made {
                Ok(facts) => examples.push(RuleExample { name, holds: typed.holds, facts }),
                Err(why) => wrong.push(format!("{} {name}: {why}", language.say("rule-problem-example"))),
            }
        }
        match self.measure {
            Some(measure) if wrong.is_empty() => {
                let (id, condition) = (self.id.clone(), self.condition.clone());
                let rule = Rule { id, version: 1, condition, measure, from, until };
                Ok(RuleDraft { rule, purpose: self.purpose.clone(), examples })
            }
            _ => Err(wrong),
        }
    }

    /// Its fields; `named`: its name stands.
    pub(super) fn fields(&self, language: Language, named: bool, movements: &[(String, String)]) -> Markup {
        let say = |key: &str| language.say(key);
        let blank = TypedExample::default();
        html! {
            div class="decision" {
                @if named { input type="hidden" name="id" value=(self.id); } @else {
                    label { (say("rule-name"))
                        input name="id" value=(self.id) maxlength="64" required pattern="[a-z0-9_.\\-]+" placeholder="night-electronics"; }
                }
                label { (say("rule-purpose")) textarea name="purpose" rows="2" maxlength=(LONGEST_PURPOSE) required { (self.purpose) } }
                label { (say("rule-condition"))
                    textarea name="condition" class="source" rows="4" spellcheck="false" required
                        placeholder="(hour >= 22 || hour < 5) && consignments.exists(c, c.hs_code.startsWith(\"85\") && c.value_hkd > 500000)" { (self.condition) } }
            }
            details class="soft-details" { summary { (say("rule-facts")) }
                ul class="facts-list" { @for fact in facts_there_are() { li { code { (fact) } } } }
                p class="soft" { (say("rule-facts-help")) }
            }
            div class="row times" {
                label { (say("rule-measure")) select name="measure" required {
                    option value="" selected[self.measure.is_none()] { "—" }
                    @for demanded in DEMANDED { option value=(demanded.name()) selected[self.measure == Some(demanded)] { (measure(language, demanded)) } }
                } }
                label { (say("rule-from")) input type="datetime-local" name="from" value=(self.from); }
                label { (say("rule-until")) input type="datetime-local" name="until" value=(self.until); }
            }
            fieldset {
                legend { (say("rule-examples")) }
                p class="soft" { (say("rule-examples-help")) }
                datalist id="movements" { @for (id, mark) in movements { option value=(id) { (mark) } } }
                @for n in 0..EXAMPLES {
                    @let typed = self.examples.get(n).unwrap_or(&blank);
                    @let label = |key: &str| format!("{} {}", say(key), n + 1);
                    div class="row example" {
                        input name={ "example-" (n) } value=(typed.name) maxlength="80" aria-label=(label("rule-example-name")) placeholder=(label("rule-example-name"));
                        select name={ "holds-" (n) } aria-label=(label("rule-example-holds")) {
                            option value="yes" selected[typed.holds] { (say("rule-hit")) }
                            option value="no" selected[!typed.holds] { (say("rule-no-hit")) }
                        }
                        input name={ "base-" (n) } value=(typed.base) list="movements" maxlength="64" aria-label=(label("rule-example-movement")) placeholder=(say("rule-example-movement"));
                        input name={ "changes-" (n) } value=(typed.changes) class="source grows" maxlength="4000" aria-label=(label("rule-example-changes")) placeholder="{\"arrival\": \"2026-11-27T03:00:00\"}";
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_becomes_a_draft_or_all_that_is_wrong_and_stays() {
        let zone = TimeZone::get("Asia/Hong_Kong").unwrap();
        let now = UtcMillis(1_795_744_800_000);
        let facts = |base: &str| matches!(base, "" | "@0" | "@1").then(risk::example::facts);
        let pairs = [
            ("id", "night"),
            ("purpose", "p"),
            ("condition", "hour < 5"),
            ("measure", "inspect"),
            ("until", "2027-01-01T00:00"),
            ("example-0", "night"),
            ("holds-0", "yes"),
            ("changes-0", "{\"arrival\": \"2026-11-27T03:00:00\"}"),
            ("example-1", "day"),
            ("holds-1", "no"),
        ];
        let of = |pairs: &[(&str, &str)]| {
            Typed::of(&Fields(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()))
        };
        let typed = of(&pairs);
        let draft = typed.draft(Language::English, &zone, now, facts).unwrap();
        assert_eq!((draft.rule.from, draft.examples.len()), (now, 2));
        assert!(draft.clone().check().is_ok());
        let again = Typed::again(&draft, &zone);
        assert_eq!(again.until, "2027-01-01T00:00");
        assert_eq!(again.draft(Language::English, &zone, now, facts).unwrap().rule.until, draft.rule.until);
        let bad = of(&[
            ("id", "Night Rule"),
            ("measure", "release"),
            ("from", "soon"),
            ("example-0", "<x>"),
            ("base-0", "m-unknown"),
        ]);
        let wrong = bad.draft(Language::English, &zone, now, facts).unwrap_err();
        assert_eq!(wrong.len(), 5, "{wrong:#?}");
        let shown = bad.fields(Language::English, false, &[]).into_string();
        assert!(shown.contains("Night Rule") && shown.contains("&lt;x&gt;") && shown.contains("m-unknown"));
    }
}
