//! Who acts, and the one place that says who may do what.

use std::fmt;
use std::str::FromStr;

use crate::trade::TraderId;

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Decides about vehicles at the lanes.
    Officer,
    /// Assigns action codes.
    Selector,
    /// Looks after the selectors' shift: does what they do, takes work over, sets how much the bays can do.
    Supervisor,
    /// Inspects vehicles at the bays.
    Inspector,
    /// Looks after models and lanes.
    Engineer,
    /// Looks after accounts; may do what officers do.
    Admin,
    /// A shipper's or a driver's system.
    Trade,
}

/// A text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: officer, selector, supervisor, inspector, engineer, admin or trade")]
pub struct UnknownRole(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Officer,
        Self::Selector,
        Self::Supervisor,
        Self::Inspector,
        Self::Engineer,
        Self::Admin,
        Self::Trade,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Selector => "selector",
            Self::Supervisor => "supervisor",
            Self::Inspector => "inspector",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
            Self::Trade => "trade",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Lodge and bundle consignments, look at one's own.
    Declare,
    /// Assign and revoke action codes; be the second pair of eyes for another officer's.
    AssignAction,
    /// Look after a shift: take over what another officer has taken, set the capacity of the bays.
    LeadShift,
    /// Look at lanes and passages.
    WatchLanes,
    /// Decide about referred vehicles, correct reads.
    DecidePassage,
    /// Accept central's history for an edge that has seen another.
    AcceptFork,
    /// Add, disable and change officers.
    ManageOfficers,
}

impl Role {
    /// Whether somebody with this role may do it.
    pub fn may(self, deed: Deed) -> bool {
        match deed {
            Deed::Declare => matches!(self, Self::Trade | Self::Selector | Self::Admin),
            Deed::AssignAction => matches!(self, Self::Selector | Self::Supervisor | Self::Admin),
            Deed::LeadShift => matches!(self, Self::Supervisor | Self::Admin),
            Deed::WatchLanes => self != Self::Trade,
            Deed::DecidePassage | Deed::AcceptFork => matches!(self, Self::Officer | Self::Admin),
            Deed::ManageOfficers => self == Self::Admin,
        }
    }
}

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Name of the officer or client.
    pub name: String,
    /// Role.
    pub role: Role,
    /// For which company of the trade; customs' own act for none.
    pub trader: Option<TraderId>,
    /// Whether nothing of it may reach a lane.
    pub sandbox: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_what() {
        use Deed::*;
        let table: [(Role, &[Deed]); 7] = [
            (Role::Officer, &[WatchLanes, DecidePassage, AcceptFork]),
            (Role::Selector, &[Declare, AssignAction, WatchLanes]),
            (Role::Supervisor, &[AssignAction, LeadShift, WatchLanes]),
            (Role::Inspector, &[WatchLanes]),
            (Role::Engineer, &[WatchLanes]),
            (
                Role::Admin,
                &[Declare, AssignAction, LeadShift, WatchLanes, DecidePassage, AcceptFork, ManageOfficers],
            ),
            (Role::Trade, &[Declare]),
        ];
        for (role, allowed) in table {
            for deed in
                [Declare, AssignAction, LeadShift, WatchLanes, DecidePassage, AcceptFork, ManageOfficers]
            {
                assert_eq!(role.may(deed), allowed.contains(&deed), "{role} {deed:?}");
            }
            assert_eq!(role.name().parse(), Ok(role));
        }
    }
}
