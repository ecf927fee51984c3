//! What the API takes before it asks anybody, for the fuzz targets.

use clearance::transport::{KeyKind, RequestedKey};

use super::body::{element, parse, time};
use super::customs::ActionRequest;
use super::movements::{BundleRequest, ReviseRequest, VehicleRequest};
use super::signed::Jws;
use super::webhooks::{ReplayRequest, WebhookRequest};
use crate::messages::WebhooksConfig;
use crate::trade::Consignment;
use crate::trade::contact::Contact;

/// Bytes as a signed body.
pub(crate) fn jws(bytes: &[u8]) {
    if let Ok(jws) = Jws::read(bytes) {
        let _ = (jws.signer(), jws.is_for("/api/v1/consignments"));
        for (kind, length) in [(KeyKind::P256, 65), (KeyKind::Ed25519, 32)] {
            let stranger = RequestedKey { kind, bytes: vec![4; length] };
            assert!(jws.verify(&stranger).is_err(), "nobody has that key");
        }
    }
}

/// Bytes as each of the bodies that the API takes.
pub(crate) fn bodies(bytes: &[u8]) {
    if let Ok(consignment) = parse::<Consignment>(bytes) {
        let _ = serde_json::to_string(&consignment);
    }
    if let Ok(bundle) = parse::<BundleRequest>(bytes) {
        let _ = bundle.check();
    }
    if let Ok(revision) = parse::<ReviseRequest>(bytes) {
        let _ = revision.check();
    }
    let _ = parse::<VehicleRequest>(bytes);
    if let Ok(action) = parse::<ActionRequest>(bytes) {
        let _ = action.check();
        action.valid_from.iter().chain(&action.valid_until).for_each(|text| drop(time(text)));
    }
    if let Ok(contact) = parse::<Contact>(bytes) {
        let _ = contact.faults();
    }
    if let Ok(webhook) = parse::<WebhookRequest>(bytes) {
        let _ = WebhooksConfig::default().receiver(&webhook.url);
    }
    let _ = parse::<ReplayRequest>(bytes);
    if let Ok(many) = parse::<Vec<serde_json::Value>>(bytes) {
        many.into_iter().for_each(|item| drop(element::<Consignment>(item)));
    }
}
