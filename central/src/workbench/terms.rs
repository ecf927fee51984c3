//! The key, among the workbench's words, of each of its terms.

use clearance::directive::ActionCode;

use super::decision::{Basis, DecisionState};
use crate::console::terms::action;
use crate::trade::movement::{Inspection, MovementStatus, Signalled};
use crate::words::Language;

/// What moves a score, as the model names it.
pub(super) const GROUNDS: [&str; 8] =
    ["parties", "price", "mass", "goods", "countries", "tax", "procedure", "calendar"];

pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Engine => "wb-basis-engine",
        Basis::Intelligence => "wb-basis-intelligence",
        Basis::History => "wb-basis-history",
        Basis::Goods => "wb-basis-goods",
        Basis::Documents => "wb-basis-documents",
        Basis::Random => "wb-basis-random",
        Basis::Other => "wb-basis-other",
        Basis::System => "wb-basis-system",
    }
}

pub(super) fn state(state: DecisionState) -> &'static str {
    match state {
        DecisionState::Given => "wb-state-given",
        DecisionState::Waiting => "wb-state-waiting",
        DecisionState::Approved => "wb-state-approved",
        DecisionState::Refused => "wb-state-refused",
        DecisionState::Lapsed => "wb-state-lapsed",
    }
}

pub(super) fn inspection(result: Inspection) -> &'static str {
    match result {
        Inspection::NothingFound => "bay-nothing-found",
        Inspection::Found => "bay-found",
    }
}

pub(super) fn signalled(signalled: Signalled) -> &'static str {
    match signalled {
        Signalled::Released => action(ActionCode::Release),
        Signalled::Directed(code) => action(code),
    }
}

/// Where a movement stands; the portal's words, for trade and customs speak of the same.
pub(super) fn status(language: Language, status: MovementStatus) -> String {
    language.say(&format!("wb-status-{}", status.name()))
}

/// The lamp of a code.
pub(super) fn lamp(code: ActionCode) -> &'static str {
    match code {
        ActionCode::Release => "code go",
        ActionCode::Documents | ActionCode::Escort => "code warn",
        ActionCode::Inspect | ActionCode::Detain => "code stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;

    #[test]
    fn every_term_has_a_word_in_every_language_and_none_is_left_over() {
        let statuses = MovementStatus::ALL.map(|status| format!("wb-status-{}", status.name()));
        let families: [(&str, Vec<String>); 4] = [
            ("wb-basis-", Basis::ALL.map(|b| basis(b).to_owned()).to_vec()),
            ("wb-state-", DecisionState::ALL.map(|s| state(s).to_owned()).to_vec()),
            ("wb-status-", statuses.to_vec()),
            ("wb-ground-", GROUNDS.map(|ground| format!("wb-ground-{ground}")).to_vec()),
        ];
        for language in Language::ALL {
            for (family, terms) in &families {
                let mut known: Vec<_> =
                    keys(language).into_iter().filter(|key| key.starts_with(family)).collect();
                let mut terms = terms.clone();
                known.sort_unstable();
                terms.sort();
                assert_eq!(known, terms, "{}", language.tag());
            }
        }
    }
}
