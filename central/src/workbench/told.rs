//! What an officer is told after a form, as a key in the address of the next page: said in the reader's language, and never
//! somebody else's words.

use clearance::mark::RegistrationMark;
use maud::{Markup, html};

use crate::console::escaped;
use crate::storage::workbench::{Decided, NotDecided, Seconded};
use crate::words::Language;

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Given,
    Waits,
    Approved,
    Refused,
    Lapsed,
    Taken,
    LetGo,
    HandedOver,
    HandoverTaken,
    Bulk,
    Inspected,
    PhotographsKept,
    CapacitySet,
    RuleWritten,
    RuleSimulated,
    RuleInForce,
    RuleAsked,
    RuleKept,
    RuleWithdrawn,
}

impl News {
    pub(super) const ALL: [Self; 19] = [
        Self::Given,
        Self::Waits,
        Self::Approved,
        Self::Refused,
        Self::Lapsed,
        Self::Taken,
        Self::LetGo,
        Self::HandedOver,
        Self::HandoverTaken,
        Self::Bulk,
        Self::Inspected,
        Self::PhotographsKept,
        Self::CapacitySet,
        Self::RuleWritten,
        Self::RuleSimulated,
        Self::RuleInForce,
        Self::RuleAsked,
        Self::RuleKept,
        Self::RuleWithdrawn,
    ];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Given => "wb-told-given",
            Self::Waits => "wb-told-waits",
            Self::Approved => "wb-told-approved",
            Self::Refused => "wb-told-refused",
            Self::Lapsed => "wb-told-lapsed",
            Self::Taken => "wb-told-taken",
            Self::LetGo => "wb-told-let-go",
            Self::HandedOver => "wb-told-handed-over",
            Self::HandoverTaken => "wb-told-handover-taken",
            Self::Bulk => "wb-told-bulk",
            Self::Inspected => "bay-told-inspected",
            Self::PhotographsKept => "bay-told-photographs",
            Self::CapacitySet => "fig-told-capacity",
            Self::RuleWritten => "rule-told-written",
            Self::RuleSimulated => "rule-told-simulated",
            Self::RuleInForce => "rule-told-in-force",
            Self::RuleAsked => "rule-told-asked",
            Self::RuleKept => "rule-told-kept",
            Self::RuleWithdrawn => "rule-told-withdrawn",
        }
    }

    pub(super) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|news| news.key() == key)
    }
}

impl From<Decided> for News {
    fn from(decided: Decided) -> Self {
        match decided {
            Decided::Given => Self::Given,
            Decided::Waits(_) => Self::Waits,
        }
    }
}

impl From<Seconded> for News {
    fn from(seconded: Seconded) -> Self {
        match seconded {
            Seconded::Approved => Self::Approved,
            Seconded::Refused => Self::Refused,
            Seconded::Lapsed => Self::Lapsed,
        }
    }
}

/// A piece of news in an address: `told=KEY&mark=MARK`, or of many `told=KEY&given=NUMBER&waits=NUMBER`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(super) struct Told {
    #[serde(rename = "told")]
    news: Option<String>,
    mark: Option<String>,
    given: Option<String>,
    waits: Option<String>,
}

impl Told {
    /// An address that tells it.
    pub(super) fn address(page: &str, news: News, mark: Option<&str>) -> String {
        let joint = if page.contains('?') { '&' } else { '?' };
        let mark = mark.map_or_else(String::new, |mark| format!("&mark={}", escaped(mark)));
        format!("{page}{joint}told={}{mark}", news.key())
    }

    /// An address that tells what came of many.
    pub(super) fn address_of_many(page: &str, given: u32, waits: u32) -> String {
        format!("{}&given={given}&waits={waits}", Self::address(page, News::Bulk, None))
    }

    /// What came of many, on the page itself.
    pub(super) fn of_many(given: u32, waits: u32) -> Self {
        let news = (given + waits > 0).then(|| News::Bulk.key().to_owned());
        Self { news, mark: None, given: Some(given.to_string()), waits: Some(waits.to_string()) }
    }

    /// How many of many, in words; none of none.
    fn counted(language: Language, key: &str, number: Option<&str>) -> Option<String> {
        let number = number?.parse::<u32>().ok().filter(|number| *number > 0)?;
        Some(language.say_with(key, &[("number", &number.to_string())]))
    }

    /// As a line at the top of the page.
    pub(super) fn panel(&self, language: Language) -> Markup {
        let news = self.news.as_deref().and_then(News::of_key);
        let mark = self.mark.as_deref().and_then(|mark| mark.parse::<RegistrationMark>().ok());
        html! {
            @if let Some(news) = news {
                p class="note" role="status" {
                    @if let Some(mark) = mark { strong class="inline-mark" { (mark.spaced()) } " — " }
                    (language.say(news.key()))
                    @for (key, number) in [("wb-bulk-given", &self.given), ("wb-bulk-waits", &self.waits)] {
                        @if let Some(counted) = Self::counted(language, key, number.as_deref()) { " " span class="counted" { (counted) } }
                    }
                }
            }
        }
    }
}

/// Why nothing was decided, for the officer.
pub(super) fn problem(language: Language, why: &NotDecided) -> String {
    let whom = |key: &str, by: &str| language.say_with(key, &[("whom", by)]);
    match why {
        NotDecided::NotFound => language.say("wb-problem-not-found"),
        NotDecided::Changed => language.say("wb-problem-changed"),
        NotDecided::DecidedBy { by } => whom("wb-problem-decided-by", by),
        NotDecided::TakenBy { by } => whom("wb-problem-taken-by", by),
        NotDecided::Closed => language.say("wb-problem-closed"),
        NotDecided::NotDeclared => language.say("wb-problem-not-declared"),
        NotDecided::OwnDecision => language.say("wb-problem-own"),
        NotDecided::NotWaiting => language.say("wb-problem-not-waiting"),
        NotDecided::Storage(error) => {
            tracing::error!(%error, "a decision was not stored");
            language.say("wb-problem-failed")
        }
    }
}

/// Problems at the top of a page: nothing was done, and nothing is lost.
pub(super) fn problems(language: Language, problems: &[String]) -> Markup {
    problems_under(language, "wb-nothing-lost", problems)
}

/// Problems under a heading.
pub(super) fn problems_under(language: Language, heading: &str, problems: &[String]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div class="note stop" role="alert" data-still {
                p { strong { (language.say(heading)) } }
                ul { @for problem in problems { li { (problem) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;

    #[test]
    fn news_has_words_and_an_address_cannot_say_anything_else() {
        for news in News::ALL {
            assert_eq!(News::of_key(news.key()), Some(news));
            assert!(Language::ALL.into_iter().all(|l| keys(l).contains(&news.key())), "{news:?}");
        }
        let told =
            Told { news: Some("call 555-0100".to_owned()), mark: Some("<b>".to_owned()), ..Told::default() };
        assert_eq!(told.panel(Language::English).into_string(), "");
        let told =
            Told { news: Some("wb-told-given".to_owned()), mark: Some("<b>".to_owned()), ..Told::default() };
        assert!(!told.panel(Language::English).into_string().contains("<b>"));
    }
}
