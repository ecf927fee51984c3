//! What an officer decides about a movement before it arrives, as far as it is pure: the order of codes, what led to one,
//! and what exactly was looked at.

use std::fmt;
use std::str::FromStr;

use clearance::directive::ActionCode;

/// The longest reason, instruction or note, in characters.
pub const LONGEST_TEXT: usize = 1000;

/// How strict a code is, in the order in which the lanes choose between codes of one vehicle: an escort looks into no cargo,
/// so to be escorted instead of inspected is a downgrade.
pub fn strictness(code: ActionCode) -> u8 {
    match code {
        ActionCode::Release => 0,
        ActionCode::Documents => 1,
        ActionCode::Escort => 2,
        ActionCode::Inspect => 3,
        ActionCode::Detain => 4,
    }
}

/// Whether a code is less strict than another, in the order of the lanes or in that of severity: an escort counts for more in one
/// and for less in the other, so that to change between it and an inspection needs a second pair of eyes either way.
pub fn is_downgrade(from: ActionCode, to: ActionCode) -> bool {
    strictness(to) < strictness(from) || to < from
}

/// What led to a code: finds are counted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// What the engine said.
    Engine,
    /// Intelligence.
    Intelligence,
    /// The history of a party or the vehicle.
    History,
    /// Goods, value, weight or route that do not fit together.
    Goods,
    /// Documents that are missing or contradict.
    Documents,
    /// A draw.
    Random,
    /// Something else, in the reason.
    Other,
    /// A system gave the code, through the API.
    System,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Engine,
        Self::Intelligence,
        Self::History,
        Self::Goods,
        Self::Documents,
        Self::Random,
        Self::Other,
        Self::System,
    ];

    /// Those that an officer chooses from.
    pub const CHOSEN: [Self; 7] = [
        Self::Goods,
        Self::History,
        Self::Intelligence,
        Self::Documents,
        Self::Engine,
        Self::Random,
        Self::Other,
    ];

    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Intelligence => "intelligence",
            Self::History => "history",
            Self::Goods => "goods",
            Self::Documents => "documents",
            Self::Random => "random",
            Self::Other => "other",
            Self::System => "system",
        }
    }

    /// As it was stored or typed.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.name() == name)
    }
}

/// Where a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionState {
    /// In force since it was given.
    Given,
    /// Waits for a second pair of eyes.
    Waiting,
    /// In force since another officer agreed.
    Approved,
    /// Another officer did not agree.
    Refused,
    /// The movement was changed, or decided otherwise, before anybody agreed.
    Lapsed,
}

impl DecisionState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Given, Self::Waiting, Self::Approved, Self::Refused, Self::Lapsed];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
        }
    }

    /// As it was stored.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an officer has looked at: whoever decides by a page that is not current any more is told so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The movement's version: vehicle, place, time and which consignments.
    pub version: i64,
    /// The versions of its consignments, added up: each amendment raises it.
    pub cargo: i64,
    /// The latest decision and where it stands; none if there is none.
    pub decision: Option<String>,
}

impl Stamp {
    /// Whether what was declared is the same.
    pub fn declares_as(&self, other: &Self) -> bool {
        (self.version, self.cargo) == (other.version, other.cargo)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.version, self.cargo, self.decision.as_deref().unwrap_or_default())
    }
}

/// A text is no stamp: the form did not come from one of our pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no stamp of a page")]
pub struct NoStamp;

impl FromStr for Stamp {
    type Err = NoStamp;

    fn from_str(text: &str) -> Result<Self, NoStamp> {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(NoStamp);
        let (version, cargo) = (number()?, number()?);
        let decision = parts.next().ok_or(NoStamp)?;
        Ok(Self { version, cargo, decision: Some(decision.to_owned()).filter(|d| !d.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_comes_back_as_it_went_out() {
        for decision in [None, Some("0192-given".to_owned())] {
            let stamp = Stamp { version: 3, cargo: 12, decision };
            assert_eq!(stamp.to_string().parse(), Ok(stamp));
        }
        for text in ["", "1", "1.2", "x.2.", "1.y."] {
            assert_eq!(text.parse::<Stamp>(), Err(NoStamp), "{text}");
        }
    }

    #[test]
    fn less_strict_in_either_order_is_a_downgrade() {
        use ActionCode::{Detain, Documents, Escort, Inspect, Release};
        for (from, to) in
            [(Inspect, Release), (Inspect, Documents), (Inspect, Escort), (Escort, Inspect), (Detain, Escort)]
        {
            assert!(is_downgrade(from, to), "{from:?} {to:?}");
        }
        for (from, to) in [(Release, Documents), (Documents, Escort), (Escort, Detain), (Inspect, Inspect)] {
            assert!(!is_downgrade(from, to), "{from:?} {to:?}");
        }
    }

    #[test]
    fn names_are_found_again_and_each_code_has_its_own_strictness() {
        assert!(Basis::ALL.into_iter().all(|basis| Basis::of_name(basis.name()) == Some(basis)));
        assert!(DecisionState::ALL.into_iter().all(|s| DecisionState::of_name(s.name()) == Some(s)));
        let mut all = ActionCode::ALL.map(strictness);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }
}
