//! The key, among the workbench's words, of each of its terms.

use clearance::directive::ActionCode;

use risk::assessment::Match;

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

/// How an entry of a list was found.
pub(super) fn matched(how: Match) -> &'static str {
    match how {
        Match::Exact => "wb-match-exact",
        Match::Normalised => "wb-match-normalised",
        Match::LookAlike => "wb-match-look-alike",
        Match::Phonetic => "wb-match-phonetic",
        Match::Fuzzy => "wb-match-fuzzy",
    }
}

/// A place in the facts, as a JSON pointer tells it.
pub(super) fn place(at: &str) -> &'static str {
    let steps: Vec<&str> = at.split('/').skip(1).collect();
    match steps.as_slice() {
        ["vehicle", "trailers", ..] => "wb-trailers",
        ["vehicle", ..] => "wb-vehicle",
        ["carrier", ..] => "wb-carrier",
        ["driver", ..] => "wb-driver",
        ["control_point"] => "bay-where",
        [.., "consignor", "name"] => "wb-consignor",
        [.., "consignee", "name"] => "wb-consignee",
        [.., "shipper", "name"] => "wb-shipper",
        [.., "hs_code"] => "wb-hs",
        [.., "origin"] => "wb-origin",
        _ => "wb-goods",
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
        let families: [(&str, Vec<String>); 5] = [
            ("wb-basis-", Basis::ALL.map(|b| basis(b).to_owned()).to_vec()),
            ("wb-state-", DecisionState::ALL.map(|s| state(s).to_owned()).to_vec()),
            ("wb-status-", statuses.to_vec()),
            (
                "wb-match-",
                [Match::Exact, Match::Normalised, Match::LookAlike, Match::Phonetic, Match::Fuzzy]
                    .map(|how| matched(how).to_owned())
                    .to_vec(),
            ),
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
