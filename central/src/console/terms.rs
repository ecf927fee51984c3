//! The key, among the console's words, of each term of the domain: one function for each enumeration, so that a new
//! variant does not compile before somebody has thought of its words.

use clearance::decide::{LaneFault, Reason, Signal};
use clearance::directive::{ActionCode, DirectiveStatus};
use clearance::follower::Quarantine;
use clearance::order::Verdict;
use clearance::passage::{LanePhase, Outcome, ReplicaHealth};

use crate::officers::Role;
use crate::state::LaneRecord;
use crate::storage::screening::RuleStep;
use crate::storage::{COMMAND_LINE, CONSOLE, Noted, OrderReason, OrderState};
use crate::words::Language;

pub(crate) fn action(action: ActionCode) -> &'static str {
    match action {
        ActionCode::Release => "release",
        ActionCode::Documents => "documents",
        ActionCode::Inspect => "inspect",
        ActionCode::Escort => "escort",
        ActionCode::Detain => "detain",
    }
}

/// Why a directive cannot be used any more; none for one that can.
pub(super) fn status(status: DirectiveStatus) -> Option<&'static str> {
    match status {
        DirectiveStatus::Active => None,
        DirectiveStatus::Revoked => Some("directive-revoked"),
        DirectiveStatus::Used { .. } => Some("directive-used"),
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Act(code) => action(code),
        Verdict::Withdraw => "verdict-withdraw",
    }
}

pub(super) fn order_reason(reason: OrderReason) -> &'static str {
    match reason {
        OrderReason::IdentityChecked => "why-identity-checked",
        OrderReason::SpokeToDriver => "why-spoke-to-driver",
        OrderReason::DocumentsSeen => "why-documents-seen",
    }
}

pub(super) fn order_state(state: &OrderState) -> &'static str {
    match state {
        OrderState::Sent => "order-state-sent",
        OrderState::Obeyed => "order-state-obeyed",
        OrderState::Unanswered => "order-state-unanswered",
        OrderState::Refused(_) => "order-state-refused",
    }
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Released => "outcome-released",
        Outcome::Directed(code) => action(code),
        Outcome::Referred => "outcome-referred",
    }
}

pub(super) fn phase(phase: LanePhase) -> &'static str {
    match phase {
        LanePhase::Idle => "phase-idle",
        LanePhase::Reading => "phase-reading",
        LanePhase::Referred => "phase-referred",
        LanePhase::Signalled => "phase-signalled",
        LanePhase::Hold => "phase-hold",
    }
}

pub(super) fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Proceed => "signal-proceed",
        Signal::Documents => "signal-documents",
        Signal::InspectionBay => "signal-inspection-bay",
        Signal::AwaitEscort => "signal-await-escort",
        Signal::Wait => "signal-wait",
    }
}

pub(super) fn fault(fault: LaneFault) -> &'static str {
    match fault {
        LaneFault::PictureMissing => "fault-picture-missing",
        LaneFault::PictureFrozen => "fault-picture-frozen",
        LaneFault::RecogniserDown => "fault-recogniser-down",
        LaneFault::GateUnreachable => "fault-gate-unreachable",
        LaneFault::GateFault => "fault-gate-fault",
        LaneFault::ManualKey => "fault-manual-key",
        LaneFault::OutboxFull => "fault-outbox-full",
        LaneFault::CacheFault => "fault-cache-fault",
    }
}

pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Directive => "reason-directive",
        Reason::OfficersOrder => "reason-officers-order",
        Reason::LaneFault(_) => "reason-lane-fault",
        Reason::LeaseStale => "reason-lease-stale",
        Reason::NoPlate => "reason-no-plate",
        Reason::NoHongKongPlate => "reason-no-hong-kong-plate",
        Reason::Unread => "reason-unread",
        Reason::Ambiguous => "reason-ambiguous",
        Reason::PlatesContradict => "reason-plates-contradict",
        Reason::NoDirective => "reason-no-directive",
        Reason::Revoked => "reason-revoked",
        Reason::TooEarly => "reason-too-early",
        Reason::TooLate => "reason-too-late",
        Reason::Used => "reason-used",
    }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Officer => "role-officer",
        Role::Selector => "role-selector",
        Role::Supervisor => "role-supervisor",
        Role::Inspector => "role-inspector",
        Role::Engineer => "role-engineer",
        Role::Admin => "role-admin",
        Role::Trade => "role-trade",
    }
}

pub(super) fn lane_record(record: LaneRecord) -> &'static str {
    match record {
        LaneRecord::LeaseRequest => "record-lease-request",
        LaneRecord::Passage => "record-passage",
        LaneRecord::Picture => "record-picture",
        LaneRecord::Status => "record-status",
        LaneRecord::Connection => "record-connection",
        LaneRecord::Access => "record-access",
    }
}

pub(super) fn replica(health: ReplicaHealth) -> &'static str {
    match health {
        ReplicaHealth::Live => "replica-live",
        ReplicaHealth::Fetching => "replica-fetching",
        ReplicaHealth::Stale => "replica-stale",
        ReplicaHealth::Quarantined(_) => "replica-quarantined",
    }
}

pub(super) fn quarantine(why: Quarantine) -> &'static str {
    match why {
        Quarantine::Fork(_) => "quarantine-fork",
        Quarantine::BrokenChain(_) => "quarantine-broken-chain",
        Quarantine::LostHistory(..) => "quarantine-lost-history",
        Quarantine::NoteDamaged => "quarantine-note-damaged",
    }
}

/// A line of the audit; none for one that is not in this version's terms.
pub(super) fn noted(noted: &Noted) -> Option<&'static str> {
    Some(match noted {
        Noted::SignIn => "audit-sign-in",
        Noted::SignInFailed => "audit-sign-in-failed",
        Noted::Lodge => "audit-lodge",
        Noted::Accept { .. } => "audit-accept",
        Noted::LookAtRisk => "audit-look-at-risk",
        Noted::RollOff { .. } => "audit-roll-off",
        Noted::SetAside { .. } => "audit-set-aside",
        Noted::Amend { .. } => "audit-amend",
        Noted::CancelConsignment => "audit-cancel-consignment",
        Noted::Bundle => "audit-bundle",
        Noted::Revise { .. } => "audit-revise",
        Noted::CancelMovement => "audit-cancel-movement",
        Noted::Inspected(_) => "audit-inspected",
        Noted::Seal { .. } => "audit-seal",
        Noted::PublishNotice => "audit-publish-notice",
        Noted::WithdrawNotice => "audit-withdraw-notice",
        Noted::AddTrader => "audit-add-trader",
        Noted::PutContact => "audit-put-contact",
        Noted::AddWebhook => "audit-add-webhook",
        Noted::RemoveWebhook => "audit-remove-webhook",
        Noted::RollSecret => "audit-roll-secret",
        Noted::PauseWebhook => "audit-pause-webhook",
        Noted::ReplayWebhook { .. } => "audit-replay-webhook",
        Noted::PutVehicle => "audit-put-vehicle",
        Noted::RemoveVehicle => "audit-remove-vehicle",
        Noted::Assign(_) => "audit-assign",
        Noted::AskDowngrade(_) => "audit-ask-downgrade",
        Noted::Approve(_) => "audit-approve",
        Noted::Refuse(_) => "audit-refuse",
        Noted::Claim => "audit-claim",
        Noted::HandOver { .. } => "audit-hand-over",
        Noted::Photograph => "audit-photograph",
        Noted::SetCapacity { .. } => "audit-set-capacity",
        Noted::ExportFigures => "audit-export-figures",
        Noted::Revoke => "audit-revoke",
        Noted::Screened { .. } => "audit-screened",
        Noted::PutPolicy => "audit-put-policy",
        Noted::ApprovePolicy => "audit-approve-policy",
        Noted::PutList => "audit-put-list",
        Noted::Rule { step, .. } => match step {
            RuleStep::Draft => "audit-rule-draft",
            RuleStep::Simulate => "audit-rule-simulate",
            RuleStep::Enforce => "audit-rule-enforce",
            RuleStep::AskWithdrawal => "audit-rule-ask-withdrawal",
            RuleStep::Keep => "audit-rule-keep",
            RuleStep::Withdraw => "audit-rule-withdraw",
        },
        Noted::CommitDraw { .. } => "audit-commit-draw",
        Noted::Read { .. } => "audit-read",
        Noted::Order { .. } => "audit-order",
        Noted::Dismiss => "audit-dismiss",
        Noted::PutOfficer => "audit-put-officer",
        Noted::DisableOfficer => "audit-disable-officer",
        Noted::EnableOfficer => "audit-enable-officer",
        Noted::InvitePerson => "audit-invite-person",
        Noted::TakeInvitation => "audit-take-invitation",
        Noted::DisablePerson => "audit-disable-person",
        Noted::EnablePerson => "audit-enable-person",
        Noted::AddPasskey => "audit-add-passkey",
        Noted::RemovePasskey => "audit-remove-passkey",
        Noted::CreateToken => "audit-create-token",
        Noted::EnrolClient => "audit-enrol-client",
        Noted::IssueCertificate => "audit-issue-certificate",
        Noted::RevokeCertificate => "audit-revoke-certificate",
        Noted::BeginEpoch(_) => "audit-begin-epoch",
        Noted::AcceptFork { .. } => "audit-accept-fork",
        Noted::Foreign(_) => return None,
    })
}

/// Who acted: people and clients go by their own names.
pub(crate) fn who(language: Language, name: &str) -> String {
    match name {
        COMMAND_LINE => language.say("who-command-line"),
        CONSOLE => language.say("who-console"),
        name => name.to_owned(),
    }
}

/// Why a decision fell as it did, with what holds the lane if that is why.
pub(super) fn reason_told(language: Language, why: Reason) -> String {
    let told = language.say(reason(why));
    match why {
        Reason::LaneFault(held_by) => format!("{told} {}", language.say(fault(held_by))),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use clearance::ids::{Epoch, Revision};

    use super::*;
    use crate::storage::EpochReason;
    use crate::trade::movement::Inspection;
    use crate::trade::news::SealState;
    use crate::words::keys;

    const REASONS: [Reason; 14] = [
        Reason::Directive,
        Reason::OfficersOrder,
        Reason::LaneFault(LaneFault::GateFault),
        Reason::LeaseStale,
        Reason::NoPlate,
        Reason::NoHongKongPlate,
        Reason::Unread,
        Reason::Ambiguous,
        Reason::PlatesContradict,
        Reason::NoDirective,
        Reason::Revoked,
        Reason::TooEarly,
        Reason::TooLate,
        Reason::Used,
    ];

    const SIGNALS: [Signal; 5] =
        [Signal::Proceed, Signal::Documents, Signal::InspectionBay, Signal::AwaitEscort, Signal::Wait];

    const PHASES: [LanePhase; 5] =
        [LanePhase::Idle, LanePhase::Reading, LanePhase::Referred, LanePhase::Signalled, LanePhase::Hold];

    const RECORDS: [LaneRecord; 6] = [
        LaneRecord::LeaseRequest,
        LaneRecord::Passage,
        LaneRecord::Picture,
        LaneRecord::Status,
        LaneRecord::Connection,
        LaneRecord::Access,
    ];

    const QUARANTINES: [Quarantine; 4] = [
        Quarantine::Fork(Revision(1)),
        Quarantine::BrokenChain(Revision(1)),
        Quarantine::LostHistory(Epoch(1), Revision(1)),
        Quarantine::NoteDamaged,
    ];

    const REPLICAS: [ReplicaHealth; 4] = [
        ReplicaHealth::Live,
        ReplicaHealth::Fetching,
        ReplicaHealth::Stale,
        ReplicaHealth::Quarantined(Quarantine::NoteDamaged),
    ];

    fn orders() -> Vec<&'static str> {
        let states = [
            OrderState::Sent,
            OrderState::Obeyed,
            OrderState::Unanswered,
            OrderState::Refused(String::new()),
        ];
        states.iter().map(order_state).collect()
    }

    fn audit() -> Vec<&'static str> {
        let noted_all = [
            Noted::SignIn,
            Noted::SignInFailed,
            Noted::Lodge,
            Noted::Accept { items: 2 },
            Noted::LookAtRisk,
            Noted::RollOff { rows: 2 },
            Noted::SetAside { why: "x".to_owned() },
            Noted::Amend { version: 2 },
            Noted::CancelConsignment,
            Noted::Bundle,
            Noted::Revise { version: 2 },
            Noted::CancelMovement,
            Noted::Inspected(Inspection::NothingFound),
            Noted::Seal { seal: String::new(), state: SealState::Intact },
            Noted::PublishNotice,
            Noted::WithdrawNotice,
            Noted::AddTrader,
            Noted::PutContact,
            Noted::AddWebhook,
            Noted::RemoveWebhook,
            Noted::RollSecret,
            Noted::PauseWebhook,
            Noted::ReplayWebhook { after: 0 },
            Noted::PutVehicle,
            Noted::RemoveVehicle,
            Noted::Assign(ActionCode::Release),
            Noted::AskDowngrade(ActionCode::Release),
            Noted::Approve(ActionCode::Release),
            Noted::Refuse(ActionCode::Release),
            Noted::Claim,
            Noted::HandOver { to: String::new() },
            Noted::Photograph,
            Noted::SetCapacity { per_hour: 1 },
            Noted::ExportFigures,
            Noted::Revoke,
            Noted::Screened { measure: risk::Measure::Audit },
            Noted::PutPolicy,
            Noted::ApprovePolicy,
            Noted::PutList,
            Noted::Rule { step: RuleStep::Draft, version: 1 },
            Noted::Rule { step: RuleStep::Simulate, version: 1 },
            Noted::Rule { step: RuleStep::Enforce, version: 1 },
            Noted::Rule { step: RuleStep::AskWithdrawal, version: 1 },
            Noted::Rule { step: RuleStep::Keep, version: 1 },
            Noted::Rule { step: RuleStep::Withdraw, version: 1 },
            Noted::CommitDraw { commitment: String::new() },
            Noted::Read { plate: 0, mark: None },
            Noted::Order { verdict: Verdict::Withdraw, reason: None },
            Noted::Dismiss,
            Noted::PutOfficer,
            Noted::DisableOfficer,
            Noted::EnableOfficer,
            Noted::InvitePerson,
            Noted::TakeInvitation,
            Noted::DisablePerson,
            Noted::EnablePerson,
            Noted::AddPasskey,
            Noted::RemovePasskey,
            Noted::CreateToken,
            Noted::EnrolClient,
            Noted::IssueCertificate,
            Noted::RevokeCertificate,
            Noted::BeginEpoch(EpochReason::Restored),
            Noted::AcceptFork { epoch: Epoch(2), reason: String::new() },
        ];
        noted_all.iter().filter_map(noted).collect()
    }

    /// Both ways: no term without its word, and no word left over from a term that is gone.
    #[test]
    fn every_term_has_a_word_in_every_language() {
        let families: [(&str, Vec<&str>); 11] = [
            ("reason-", REASONS.map(reason).to_vec()),
            ("fault-", LaneFault::ALL.map(fault).to_vec()),
            ("signal-", SIGNALS.map(signal).to_vec()),
            ("phase-", PHASES.map(phase).to_vec()),
            ("role-", Role::ALL.map(role).to_vec()),
            ("why-", OrderReason::ALL.map(order_reason).to_vec()),
            ("record-", RECORDS.map(lane_record).to_vec()),
            ("order-state-", orders()),
            ("audit-", audit()),
            ("replica-", REPLICAS.map(replica).to_vec()),
            ("quarantine-", QUARANTINES.map(quarantine).to_vec()),
        ];
        for language in Language::ALL {
            let known = keys(language);
            for (family, mut terms) in families.clone() {
                let mut words: Vec<&str> = known.iter().copied().filter(|k| k.starts_with(family)).collect();
                words.sort_unstable();
                terms.sort_unstable();
                assert_eq!(words, terms, "{} {family}", language.tag());
            }
            let outcomes = [Outcome::Released, Outcome::Referred].map(outcome);
            let others = ActionCode::ALL.map(action).into_iter().chain(outcomes);
            let passage = clearance::ids::PassageId([0; 16]);
            let statuses = [DirectiveStatus::Revoked, DirectiveStatus::Used { passage }];
            for key in
                others.chain(statuses.into_iter().filter_map(status)).chain([verdict(Verdict::Withdraw)])
            {
                assert!(known.contains(&key), "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn a_lane_on_hold_says_what_holds_it() {
        let told = reason_told(Language::English, Reason::LaneFault(LaneFault::ManualKey));
        assert!(told.contains(&Language::English.say("fault-manual-key")), "{told}");
        assert_eq!(who(Language::Simplified, COMMAND_LINE), Language::Simplified.say("who-command-line"));
        assert_eq!(who(Language::Simplified, "chan"), "chan");
    }
}
