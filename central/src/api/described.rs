//! What the description of the API says of every operation alike: how it may be refused, and what its body may look like.

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, Ref, RefOr};

/// How any request may be refused.
const ANY: [&str; 5] = ["401", "403", "408", "429", "500"];

/// How one with names, a query or a body may be.
const WITH_INPUT: [&str; 2] = ["400", "422"];

/// How one with a body may be.
const WITH_BODY: [&str; 2] = ["413", "415"];

/// Complete the description of what the routes say of themselves.
pub(super) fn complete(api: &mut OpenApi) {
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            refusals(operation);
            if let (Some(example), Some(RefOr::T(body))) =
                (example(method, path), &mut operation.request_body)
                && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
            {
                content.example = Some(example);
            }
        }
    }
    let problem = api.components.as_mut().and_then(|all| all.responses.get_mut("Problem"));
    if let Some(RefOr::T(problem)) = problem {
        for content in problem.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            content.example = Some(json!({ "status": 422, "title": "Unprocessable Entity",
                "detail": "some fields are wrong: see errors",
                "errors": [{ "pointer": "/packages", "detail": "a whole number from 1 to 1000000" }] }));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn refusals(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|some| !some.is_empty());
    let more = WITH_INPUT.iter().filter(|_| has_input).chain(WITH_BODY.iter().filter(|_| has_body));
    for status in ANY.iter().chain(more) {
        let problem = || RefOr::Ref(Ref::from_response_name("Problem"));
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(problem);
    }
}

/// What a body may look like.
fn example(method: &str, path: &str) -> Option<Value> {
    let consignment = json!({ "direction": "inbound", "packages": 12, "package_kind": "CT",
        "description": "Printed circuit boards",
        "consignor": { "name": "Shenzhen Components Ltd", "address": "12 Keji Road, Nanshan, Shenzhen" },
        "consignee": { "name": "Kowloon Assembly Ltd", "address": "8 Nathan Road, Kowloon, Hong Kong" },
        "expected_date": "2026-11-28", "hs_code": "85340010", "origin": "CN", "value_hkd": 120_000, "net_weight_kg": 420 });
    let csr = "-----BEGIN CERTIFICATE REQUEST-----\n...\n-----END CERTIFICATE REQUEST-----\n";
    let vehicle = json!({ "mainland_mark": "粤ZN537港", "trailers": ["1234T"] });
    let example = match (method, path) {
        ("post", "/api/v1/consignments") | ("put", "/api/v1/consignments/{ccrn}") => consignment,
        ("post", "/api/v1/consignments/batch") => json!([consignment]),
        ("post", "/api/v1/bundles") => json!({ "ccrns": [example_number()], "mark": "AB1234",
            "mainland_mark": "粤ZN537港", "site": "lok-ma-chau", "expected_arrival": "2026-11-28T14:30:00+08:00" }),
        ("patch", "/api/v1/movements/{id}") => json!({ "mark": "CD5678", "mainland_mark": "粤ZN538港",
            "expected_arrival": "2026-11-28T16:00:00+08:00", "remove": [example_number()], "empty": true }),
        ("put", "/api/v1/movements/{id}/action") => {
            json!({ "action": "inspect", "reason": "weight differs from the manifest" })
        }
        ("put", "/api/v1/movements/{id}/inspection") => json!({ "result": "nothing_found" }),
        ("put", "/api/v1/consignments/{ccrn}/seals/{seal}") => json!({ "inspected_at": "lok-ma-chau" }),
        ("put", "/api/v1/consignments/{ccrn}/seals/{seal}/state") => json!({ "state": "intact" }),
        ("put", "/api/v1/vehicles/{mark}") => vehicle,
        ("post", "/api/v1/notices") => json!({ "reference": "GN 123/2026", "site": "lok-ma-chau",
            "begins": "2026-11-28T00:00:00+08:00", "ends": "2026-11-29T00:00:00+08:00", "reason": "power failure" }),
        ("post", "/api/v1/certificates") => json!({ "code": "the code that was printed", "csr": csr }),
        ("post", "/api/v1/certificates/renewal") => json!({ "csr": csr }),
        ("put", "/api/v1/company") => json!({ "language": "zh-Hant",
            "emails": [{ "address": "dispatch@acme.example" }], "mobiles": [{ "number": "+85291234567" }] }),
        ("post", "/api/v1/webhooks") => json!({ "url": "https://erp.acme.example/clearlane" }),
        ("post", "/api/v1/webhooks/{id}/replay") => json!({ "after": 4711 }),
        _ => return None,
    };
    Some(example)
}

/// A number with a check character that fits.
fn example_number() -> String {
    crate::ccrn::Ccrn::from_number(1_234_567_890).map(|ccrn| ccrn.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::super::certificates::{EnrolRequest, RenewRequest};
    use super::super::consignments::SealReport;
    use super::super::customs::{ActionRequest, InspectionResult, NoticeRequest, SealRequest};
    use super::super::movements::{BundleRequest, ReviseRequest, VehicleRequest};
    use super::super::webhooks::{ReplayRequest, WebhookRequest};
    use super::*;
    use crate::trade::Consignment;
    use crate::trade::consignment::Lodging;
    use crate::trade::contact::Contact;

    fn read<T: DeserializeOwned>(method: &str, path: &str) -> T {
        serde_json::from_value(example(method, path).unwrap()).unwrap()
    }

    #[test]
    fn every_example_is_one_that_is_taken() {
        let day = Lodging { today: "2026-11-28".parse().unwrap(), days_ahead: 14 };
        for (method, path) in [("post", "/api/v1/consignments"), ("put", "/api/v1/consignments/{ccrn}")] {
            assert_eq!(read::<Consignment>(method, path).faults(day), []);
        }
        assert_eq!(read::<Vec<Consignment>>("post", "/api/v1/consignments/batch").len(), 1);
        read::<BundleRequest>("post", "/api/v1/bundles").check().unwrap();
        read::<ReviseRequest>("patch", "/api/v1/movements/{id}").check().unwrap();
        assert!(read::<ActionRequest>("put", "/api/v1/movements/{id}/action").check().is_ok());
        read::<InspectionResult>("put", "/api/v1/movements/{id}/inspection");
        read::<SealRequest>("put", "/api/v1/consignments/{ccrn}/seals/{seal}");
        read::<SealReport>("put", "/api/v1/consignments/{ccrn}/seals/{seal}/state");
        read::<VehicleRequest>("put", "/api/v1/vehicles/{mark}");
        read::<NoticeRequest>("post", "/api/v1/notices");
        read::<EnrolRequest>("post", "/api/v1/certificates");
        read::<RenewRequest>("post", "/api/v1/certificates/renewal");
        read::<Contact>("put", "/api/v1/company");
        read::<WebhookRequest>("post", "/api/v1/webhooks");
        read::<ReplayRequest>("post", "/api/v1/webhooks/{id}/replay");
    }

    #[test]
    fn every_body_of_json_has_an_example_and_every_operation_its_refusals() {
        let mut api = super::super::openapi();
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations(item) {
                let refused = ["401", "429", "500"];
                assert!(
                    refused.iter().all(|s| operation.responses.responses.contains_key(*s)),
                    "{method} {path}"
                );
                let Some(RefOr::T(body)) = &operation.request_body else { continue };
                let Some(RefOr::T(content)) = body.content.get("application/json") else { continue };
                assert!(content.example.is_some(), "{method} {path} has no example");
            }
        }
    }
}
