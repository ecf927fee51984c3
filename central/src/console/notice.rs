//! What an officer is told after a form: kept in the address of the next page as a key, never as text, so that it is said in
//! the reader's language and nobody can put words of their own into a page by a link.

use clearance::mark::MarkError;
use maud::{Markup, html};

use crate::storage::CannotUndo;
use crate::words::Language;

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    OrderSent,
    ReadKept,
    NothingChosen,
    NoReason,
    MarkEmpty,
    MarkTooLong,
    MarkCharacter,
    NoPassage,
    DecidedBy,
    DecidedByLane,
    VehicleLeft,
    GateOpened,
    NothingToUndo,
    OrderFailed,
    AccountName,
    AccountRole,
    AccountPassword,
    ForkAccepted,
    ForkNoReason,
    ForkNone,
}

impl Notice {
    const ALL: [Self; 20] = [
        Self::OrderSent,
        Self::ReadKept,
        Self::NothingChosen,
        Self::NoReason,
        Self::MarkEmpty,
        Self::MarkTooLong,
        Self::MarkCharacter,
        Self::NoPassage,
        Self::DecidedBy,
        Self::DecidedByLane,
        Self::VehicleLeft,
        Self::GateOpened,
        Self::NothingToUndo,
        Self::OrderFailed,
        Self::AccountName,
        Self::AccountRole,
        Self::AccountPassword,
        Self::ForkAccepted,
        Self::ForkNoReason,
        Self::ForkNone,
    ];

    /// Its key among the words, and in addresses.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::OrderSent => "order-sent",
            Self::ReadKept => "read-kept",
            Self::NothingChosen => "problem-nothing-chosen",
            Self::NoReason => "problem-no-reason",
            Self::MarkEmpty => "problem-mark-empty",
            Self::MarkTooLong => "problem-mark-too-long",
            Self::MarkCharacter => "problem-mark-character",
            Self::NoPassage => "problem-no-passage",
            Self::DecidedBy => "problem-decided-by",
            Self::DecidedByLane => "problem-decided-by-lane",
            Self::VehicleLeft => "vehicle-left",
            Self::GateOpened => "problem-gate-opened",
            Self::NothingToUndo => "problem-nothing-to-undo",
            Self::OrderFailed => "problem-order-failed",
            Self::AccountName => "problem-account-name",
            Self::AccountRole => "problem-account-role",
            Self::AccountPassword => "problem-account-password",
            Self::ForkAccepted => "fork-accepted",
            Self::ForkNoReason => "problem-fork-no-reason",
            Self::ForkNone => "problem-fork-none",
        }
    }

    pub(super) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.key() == key)
    }
}

/// A notice and whom or what it is about: a name, or what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) notice: Notice,
    pub(super) about: Option<String>,
}

impl From<Notice> for Told {
    fn from(notice: Notice) -> Self {
        Self { notice, about: None }
    }
}

impl Told {
    fn about(notice: Notice, what: &str) -> Self {
        Self { notice, about: Some(what.to_owned()) }
    }

    /// Why `text` is no mark.
    pub(super) fn no_mark(text: &str, error: &MarkError) -> Self {
        let notice = match error {
            MarkError::Empty => Notice::MarkEmpty,
            MarkError::TooLong(_) => Notice::MarkTooLong,
            MarkError::Character(_) => Notice::MarkCharacter,
        };
        Self::about(notice, text)
    }

    /// As a panel at the top of the page.
    pub(super) fn panel(&self, language: Language) -> Markup {
        let say = |key| language.say(key);
        html! {
            @match self.notice {
                Notice::OrderSent => { p class="note" role="status" { (say("order-sent")) " " (say("undo-note")) } }
                Notice::ForkAccepted => { p class="note" role="status" { (say("fork-accepted")) } }
                Notice::ReadKept => { p class="note" role="status" { (say("read-kept")) } }
                problem => { p class="note stop" role="alert" {
                    @if let Some(about) = &self.about { strong { (about) } " — " }
                    (say(problem.key()))
                } }
            }
        }
    }
}

impl From<CannotUndo> for Told {
    fn from(error: CannotUndo) -> Self {
        match error {
            CannotUndo::Unknown => Notice::NoPassage.into(),
            CannotUndo::DecidedBy(officer) => Self::about(Notice::DecidedBy, &officer),
            CannotUndo::DecidedByLane => Notice::DecidedByLane.into(),
            CannotUndo::VehicleLeft => Notice::VehicleLeft.into(),
            CannotUndo::GateOpened => Notice::GateOpened.into(),
            CannotUndo::NothingToUndo => Notice::NothingToUndo.into(),
            CannotUndo::Storage(error) => {
                tracing::error!(%error, "an order was not stored");
                Notice::OrderFailed.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;

    #[test]
    fn every_notice_has_words_and_is_found_by_its_key() {
        for notice in Notice::ALL {
            assert_eq!(Notice::of_key(notice.key()), Some(notice));
            for language in Language::ALL {
                assert!(keys(language).contains(&notice.key()), "{} {notice:?}", language.tag());
            }
        }
        assert_eq!(Notice::of_key("Call 555-0100 and give your password"), None);
    }

    #[test]
    fn what_was_typed_is_named_and_cannot_become_markup() {
        let told = Told::no_mark("<b>", &MarkError::Character('<'));
        let panel = told.panel(Language::English).into_string();
        assert!(panel.contains("&lt;b&gt;") && !panel.contains("<b>"), "{panel}");
        assert!(panel.contains(&Language::English.say("problem-mark-character")), "{panel}");
    }
}
