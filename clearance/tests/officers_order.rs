//! An officer's order opens the gate for one passage, in time, on a lane that can carry it out, and not otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clearance::decide::{Authority, Decision, LaneFault, LaneState, OrderRefused, Reason, obey};
use clearance::directive::ActionCode;
use clearance::ids::{Nonce, PassageId, UtcMillis};
use clearance::order::{ORDER_LIFETIME_MS, Order, Verdict};
use clearance::wire::{RecordKind, Signer, TrustStore, Verified};

const PASSAGE: PassageId = PassageId([5; 16]);
const ISSUED: UtcMillis = UtcMillis(1_000);

fn order(verdict: Verdict) -> Verified<Order> {
    let signer = Signer::from_secret(&[42; 32]);
    let order = Order {
        site: "lok-ma-chau".parse().unwrap(),
        lane: "lane-1".parse().unwrap(),
        passage: PASSAGE,
        verdict,
        officer: "chan".parse().unwrap(),
        issued: ISSUED,
        expires: ISSUED.plus_millis(ORDER_LIFETIME_MS),
        nonce: Nonce([6; 16]),
    };
    let trust = TrustStore::new().trusting(signer.public(), &RecordKind::CENTRAL);
    trust.open(&signer.seal(&order).0).unwrap()
}

#[test]
fn a_release_names_its_officer() {
    let decision =
        obey(&order(Verdict::Act(ActionCode::Release)), PASSAGE, LaneState::Ready, ISSUED).unwrap();
    let Decision::Release(warrant) = decision else { panic!("{decision:?}") };
    assert_eq!(warrant.passage(), PASSAGE);
    assert_eq!(*warrant.authority(), Authority::Officer("chan".parse().unwrap()));
}

#[test]
fn other_codes_never_open_the_gate() {
    for action in ActionCode::ALL.into_iter().filter(|a| *a != ActionCode::Release) {
        let decision = obey(&order(Verdict::Act(action)), PASSAGE, LaneState::Ready, ISSUED).unwrap();
        assert_eq!(decision, Decision::Direct { action, movement: None, reason: Reason::OfficersOrder });
    }
    let withdrawn = obey(&order(Verdict::Withdraw), PASSAGE, LaneState::Ready, ISSUED).unwrap();
    assert_eq!(withdrawn, Decision::Refer { reason: Reason::OfficersOrder });
}

#[test]
fn the_next_vehicle_gains_nothing_from_it() {
    let release = order(Verdict::Act(ActionCode::Release));
    let other = PassageId([8; 16]);
    assert_eq!(obey(&release, other, LaneState::Ready, ISSUED), Err(OrderRefused::OtherPassage));
}

#[test]
fn too_late_is_too_late() {
    let release = order(Verdict::Act(ActionCode::Release));
    let late = ISSUED.plus_millis(ORDER_LIFETIME_MS);
    assert_eq!(obey(&release, PASSAGE, LaneState::Ready, late), Err(OrderRefused::Expired));
}

#[test]
fn an_officer_can_overrule_a_blind_camera_but_not_a_broken_gate() {
    let release = order(Verdict::Act(ActionCode::Release));
    for fault in LaneFault::ALL {
        let result = obey(&release, PASSAGE, LaneState::Fault(fault), ISSUED);
        assert_eq!(result.is_err(), fault.blocks_officer(), "{fault:?}");
    }
}
