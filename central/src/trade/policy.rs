//! Who may see and do what, in one place; tested as a table. Whoever asks is somebody of the trade, in some relation to what
//! they ask for, or an officer of customs with a role (whose rights over lanes are in [`crate::officers`]).

use crate::officers::Role;

/// How somebody of the trade stands to a consignment or a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Not at all. To them it does not exist.
    Stranger,
    /// They know a consignment's CCRN, which only its shipper can have given them.
    KnowsCcrn,
    /// Their vehicle carries the consignment, or the movement is theirs.
    Carrier,
    /// They have lodged the consignment, or one that the movement carries.
    Shipper,
}

/// What somebody wants to see or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Lodge a consignment, or register a vehicle.
    Declare,
    /// Read all items of a consignment.
    SeeConsignment,
    /// Read what a vehicle carries: packages and their description.
    SeeCargo,
    /// Amend or cancel a consignment.
    AmendConsignment,
    /// Bundle a consignment with a vehicle.
    Bundle,
    /// Change a movement: vehicle, place, time, consignments; cancel it.
    ReviseMovement,
    /// Read where a movement stands and what it lacks.
    SeeMovement,
    /// Report how a seal is.
    ReportSeal,
    /// Say whom one's own company wants told, and where: its contact and its webhooks.
    KeepOutlets,
    /// Read why customs decided as it did.
    SeeReasons,
    /// Give or take back an action code.
    Assess,
    /// Record what an inspection gave, or put a seal on.
    Inspect,
    /// Publish or withdraw a contingency notice.
    PublishNotice,
    /// Read and keep traders' accounts.
    KeepTraders,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Declare,
        Self::SeeConsignment,
        Self::SeeCargo,
        Self::AmendConsignment,
        Self::Bundle,
        Self::ReviseMovement,
        Self::SeeMovement,
        Self::ReportSeal,
        Self::KeepOutlets,
        Self::SeeReasons,
        Self::Assess,
        Self::Inspect,
        Self::PublishNotice,
        Self::KeepTraders,
    ];
}

/// What the trade may do.
pub fn trade_may(act: Act, relation: Relation) -> bool {
    match act {
        Act::Declare | Act::KeepOutlets => true,
        Act::SeeConsignment | Act::AmendConsignment => relation == Relation::Shipper,
        Act::Bundle => relation != Relation::Stranger,
        Act::SeeCargo | Act::SeeMovement | Act::ReportSeal => {
            matches!(relation, Relation::Carrier | Relation::Shipper)
        }
        Act::ReviseMovement => relation == Relation::Carrier,
        Act::SeeReasons | Act::Assess | Act::Inspect | Act::PublishNotice | Act::KeepTraders => false,
    }
}

/// What customs may do.
pub fn customs_may(act: Act, role: Role) -> bool {
    match act {
        // Declarations are the trade's: customs never changes what somebody has declared.
        Act::Declare | Act::AmendConsignment | Act::Bundle | Act::ReviseMovement | Act::KeepOutlets => false,
        Act::SeeConsignment | Act::SeeCargo | Act::SeeMovement => {
            matches!(role, Role::Officer | Role::Selector | Role::Supervisor | Role::Inspector | Role::Admin)
        }
        Act::SeeReasons | Act::Assess => matches!(role, Role::Selector | Role::Supervisor | Role::Admin),
        Act::Inspect | Act::ReportSeal => matches!(role, Role::Officer | Role::Inspector | Role::Admin),
        Act::PublishNotice | Act::KeepTraders => role == Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line an act: the trade as stranger, knowing the CCRN, carrier, shipper; then the roles of customs:
    /// officer, selector, supervisor, inspector, admin.
    const TABLE: &str = "\
Declare          yes yes yes yes   no  no  no  no  no
SeeConsignment   no  no  no  yes   yes yes yes yes yes
SeeCargo         no  no  yes yes   yes yes yes yes yes
AmendConsignment no  no  no  yes   no  no  no  no  no
Bundle           no  yes yes yes   no  no  no  no  no
ReviseMovement   no  no  yes no    no  no  no  no  no
SeeMovement      no  no  yes yes   yes yes yes yes yes
ReportSeal       no  no  yes yes   yes no  no  yes yes
KeepOutlets      yes yes yes yes   no  no  no  no  no
SeeReasons       no  no  no  no    no  yes yes no  yes
Assess           no  no  no  no    no  yes yes no  yes
Inspect          no  no  no  no    yes no  no  yes yes
PublishNotice    no  no  no  no    no  no  no  no  yes
KeepTraders      no  no  no  no    no  no  no  no  yes
";

    #[test]
    fn the_table() {
        let relations = [Relation::Stranger, Relation::KnowsCcrn, Relation::Carrier, Relation::Shipper];
        let roles = [Role::Officer, Role::Selector, Role::Supervisor, Role::Inspector, Role::Admin];
        let word = |may: bool| if may { "yes" } else { "no " };
        let line = |act: Act| {
            let trade = relations.map(|relation| word(trade_may(act, relation))).join(" ");
            let customs = roles.map(|role| word(customs_may(act, role))).join(" ");
            format!("{:16} {trade}   {customs}", format!("{act:?}")).trim_end().to_owned()
        };
        let table: Vec<String> = Act::ALL.into_iter().map(line).collect();
        assert_eq!(table, TABLE.lines().collect::<Vec<_>>());
        assert!(Act::ALL.iter().all(|&act| !customs_may(act, Role::Trade)));
    }
}
