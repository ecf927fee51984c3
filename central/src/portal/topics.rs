//! Choosing of what somebody is told: whatever must be acted on, everything, or kinds of news.

use maud::{Markup, html};

use super::fields::Fields;
use super::parts::Form;
use super::terms;
use crate::trade::Topic;
use crate::words::Language;

/// A choice of kinds of news in a form; its fields begin with `of`.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) of: &'a str,
    /// Whether "whatever must be acted on" is offered: to people, not to systems.
    pub(super) to_act_on: bool,
}

/// How wide the choice is, as its field has it.
const ACT: &str = "act";
const ALL: &str = "all";
const SOME: &str = "some";

impl Choice<'_> {
    fn width(&self) -> String {
        format!("{}/width", self.of)
    }

    fn news(&self) -> String {
        format!("{}/news", self.of)
    }

    /// Its fields.
    pub(super) fn shown(&self, form: Form<'_>) -> Markup {
        let say = |key| form.language.say(key);
        let width = |value: &str, key| (value.to_owned(), say(key), None);
        let some = (SOME.to_owned(), say("told-some"), Some(say("told-some-hint")));
        let mut widths = vec![width(ALL, "told-all"), some];
        if self.to_act_on {
            widths.insert(0, (ACT.to_owned(), say("told-act"), Some(say("told-act-hint"))));
        }
        let kinds: Vec<_> = Topic::ALL
            .map(|topic| (topic.name().to_owned(), say(terms::topic(topic)), None))
            .into_iter()
            .collect();
        html! {
            (form.radios(&self.width(), "item-news", &widths))
            details class="govuk-details" open[form.fields.get(&self.width()) == SOME] {
                summary class="govuk-details__summary" {
                    span class="govuk-details__summary-text" { (say("told-kinds")) }
                }
                div class="govuk-details__text" { (form.small_checkboxes(&self.news(), "told-kinds", &kinds)) }
            }
        }
    }

    /// Fill its fields in.
    pub(super) fn fill(&self, fields: &mut Fields, topics: &[Topic]) {
        let width = match () {
            () if self.to_act_on && same(topics, &Topic::TO_ACT_ON) => ACT,
            () if same(topics, &Topic::ALL) => ALL,
            () => SOME,
        };
        fields.set(self.width(), width);
        if width == SOME {
            fields.set_all(self.news(), topics.iter().map(|topic| topic.name().to_owned()).collect());
        }
    }

    /// What was chosen; nothing where kinds are to be chosen and none is.
    pub(super) fn read(&self, fields: &Fields) -> Vec<Topic> {
        match fields.get(&self.width()) {
            ALL => Topic::ALL.to_vec(),
            ACT if self.to_act_on => Topic::TO_ACT_ON.to_vec(),
            _ => {
                let ticked = fields.all(&self.news());
                Topic::ALL.into_iter().filter(|topic| ticked.iter().any(|t| t == topic.name())).collect()
            }
        }
    }
}

fn same(topics: &[Topic], others: &[Topic]) -> bool {
    topics.len() == others.len() && others.iter().all(|topic| topics.contains(topic))
}

/// Of what somebody is told, in words.
pub(super) fn in_words(language: Language, topics: &[Topic]) -> String {
    if same(topics, &Topic::ALL) {
        return language.say("told-all");
    }
    if same(topics, &Topic::TO_ACT_ON) {
        return language.say("told-act");
    }
    let names: Vec<_> = topics.iter().map(|topic| language.say(terms::topic(*topic))).collect();
    names.join(if language == Language::English { ", " } else { "、" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_says_what_was_filled_in() {
        let people = Choice { of: "/emails/0", to_act_on: true };
        let system = Choice { of: "", to_act_on: false };
        for topics in [&Topic::ALL[..], &Topic::TO_ACT_ON, &[Topic::Lodged, Topic::Seal], &[]] {
            for choice in [people, system] {
                let mut fields = Fields::default();
                choice.fill(&mut fields, topics);
                assert!(same(&choice.read(&fields), topics), "{topics:?}");
            }
        }
        // Nothing that the form does not offer.
        let mut fields = Fields::default();
        fields.set("/width", "act");
        fields.set_all("/news".to_owned(), vec!["everything".to_owned(), "seal".to_owned()]);
        assert_eq!(system.read(&fields), [Topic::Seal]);
    }
}
