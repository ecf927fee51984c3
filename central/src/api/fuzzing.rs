//! What the API takes before it asks anybody, for the fuzz targets.

use axum::body::Bytes;

use super::submissions::{ActionRequest, BundleRequest, parse, time};
use crate::trade::Consignment;

/// Bytes as each of the bodies that the API takes.
pub(crate) fn bodies(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    if let Ok(consignment) = parse::<Consignment>(&body) {
        let _ = serde_json::to_string(&consignment);
    }
    if let Ok(bundle) = parse::<BundleRequest>(&body) {
        let _ = bundle.check();
    }
    if let Ok(action) = parse::<ActionRequest>(&body) {
        action.valid_from.iter().chain(&action.valid_until).for_each(|text| drop(time(text)));
    }
}
