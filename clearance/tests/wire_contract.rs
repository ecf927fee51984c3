//! What travels, against golden bytes, and what must not get through.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clearance::directive::{ActionCode, Directive, Window};
use clearance::ids::{Digest, Epoch, Nonce, PassageId, Revision, UtcMillis};
use clearance::order::{Order, Verdict};
use clearance::replicate::{Delta, DirectiveOp};
use clearance::wire::{MAX_ENVELOPE, RecordKind, Signer, TrustStore, WireError};
use proptest::prelude::*;

fn signer() -> Signer {
    Signer::from_secret(&[42; 32])
}

fn trust() -> TrustStore {
    TrustStore::new().trusting(signer().public(), &RecordKind::CENTRAL)
}

fn delta() -> Delta {
    Delta {
        site: "lok-ma-chau".parse().unwrap(),
        epoch: Epoch(1),
        revision: Revision(7),
        prev_hash: Digest([3; 32]),
        ops: vec![
            DirectiveOp::Put(Directive {
                movement: "m-1".parse().unwrap(),
                mark: "AB1234".parse().unwrap(),
                mainland_mark: Some("粤ZN537港".parse().unwrap()),
                action: ActionCode::Inspect,
                window: Window { from: UtcMillis(1_000), until: UtcMillis(2_000) },
                more: None,
            }),
            DirectiveOp::Revoke { movement: "m-0".parse().unwrap(), mark: "CPL".parse().unwrap() },
            DirectiveOp::Use {
                movement: "m-2".parse().unwrap(),
                mark: "1918".parse().unwrap(),
                passage: PassageId([5; 16]),
            },
        ],
    }
}

fn order() -> Order {
    Order {
        site: "lok-ma-chau".parse().unwrap(),
        lane: "lane-1".parse().unwrap(),
        passage: PassageId([5; 16]),
        verdict: Verdict::Act(ActionCode::Release),
        officer: "chan".parse().unwrap(),
        issued: UtcMillis(1_000),
        expires: UtcMillis(31_000),
        nonce: Nonce([6; 16]),
    }
}

fn assert_golden(name: &str, bytes: &[u8]) {
    let hex = bytes.iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    let path = format!("{}/golden/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{hex}\n")).unwrap();
    }
    assert_eq!(hex, std::fs::read_to_string(&path).unwrap().trim(), "{name}: the wire format changed");
}

#[test]
fn the_bytes_on_the_wire_are_the_golden_ones() {
    let (delta_bytes, delta_hash) = signer().seal(&delta());
    assert_golden("delta", &delta_bytes);
    assert_golden("order", &signer().seal(&order()).0);
    let opened = trust().open::<Delta>(&delta_bytes).unwrap();
    assert_eq!(*opened.record(), delta());
    assert_eq!(opened.hash(), delta_hash);
}

#[test]
fn one_kind_does_not_pass_for_another() {
    let (bytes, _) = signer().seal(&order());
    assert_eq!(trust().open::<Delta>(&bytes), Err(WireError::Kind { wanted: 1, found: 5 }));
}

#[test]
fn a_kind_byte_changed_on_the_way_breaks_the_signature_domain() {
    let (mut bytes, _) = signer().seal(&order());
    // [version, kind, ...]: an array head, then the version, then the kind.
    assert_eq!(bytes[2], 5);
    bytes[2] = 1;
    assert_eq!(trust().open::<Delta>(&bytes), Err(WireError::Signature(signer().id())));
}

#[test]
fn strangers_and_keys_of_the_wrong_side_are_refused() {
    let stranger = Signer::from_secret(&[1; 32]);
    let (bytes, _) = stranger.seal(&delta());
    assert_eq!(trust().open::<Delta>(&bytes), Err(WireError::UnknownKey(stranger.id())));
    // An edge's key is trusted, but not to give directives.
    let edges = TrustStore::new().trusting(signer().public(), &RecordKind::EDGE);
    let (bytes, _) = signer().seal(&delta());
    assert_eq!(edges.open::<Delta>(&bytes), Err(WireError::UnknownKey(signer().id())));
}

#[test]
fn a_newer_envelope_is_refused_with_its_version() {
    let (mut bytes, _) = signer().seal(&delta());
    assert_eq!(bytes[1], 1);
    bytes[1] = 2;
    assert_eq!(trust().open::<Delta>(&bytes), Err(WireError::Version(2)));
}

#[test]
fn too_long_and_trailing_bytes_are_refused() {
    assert_eq!(trust().open::<Delta>(&vec![0; MAX_ENVELOPE + 1]), Err(WireError::TooLong(MAX_ENVELOPE + 1)));
    let (mut bytes, _) = signer().seal(&delta());
    bytes.push(0);
    assert!(matches!(trust().open::<Delta>(&bytes), Err(WireError::Envelope(_))));
}

proptest! {
    #[test]
    fn any_bit_flipped_is_noticed(at in 0usize..4000, bit in 0u8..8) {
        let (mut bytes, _) = signer().seal(&delta());
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(trust().open::<Delta>(&bytes).is_err());
    }

    #[test]
    fn noise_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(trust().open::<Delta>(&bytes).is_err());
        prop_assert!(trust().open::<Order>(&bytes).is_err());
    }
}
