//! Lodging, bundling, action codes, and following passages.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, PassageId, UtcMillis};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{allow, caller};
use super::problem::{FieldError, Problem};
use crate::ccrn::Ccrn;
use crate::officers::{Actor, Deed};
use crate::operations::Bundling;
use crate::state::AppState;
use crate::trade::policy::{Act, customs_may};
use crate::trade::{Consignment, Fault, Faulty, Load, Vehicle};

/// What lodging gives back.
#[derive(Serialize, ToSchema)]
pub(super) struct Lodged {
    /// Number to pass to the trucker.
    pub ccrn: String,
}

/// Consignments that travel with a vehicle.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleRequest {
    /// At least one; none for an empty truck with `empty`.
    #[serde(default)]
    pub ccrns: Vec<String>,
    /// The truck carries nothing.
    #[serde(default)]
    pub empty: bool,
    /// The truck carries only what the place exempts: the exemption's code.
    #[serde(default)]
    pub exemption: Option<String>,
    /// Hong Kong mark.
    pub mark: String,
    /// Mainland mark, where the vehicle has one.
    #[serde(default)]
    pub mainland_mark: Option<String>,
    /// Registration marks of trailers.
    #[serde(default)]
    pub trailers: Vec<String>,
    /// Control point; left out: whichever the vehicle comes to.
    #[serde(default)]
    pub site: Option<String>,
    /// Which way an empty vehicle goes; consignments have their own.
    #[serde(default)]
    pub direction: Option<crate::trade::Direction>,
    /// Expected arrival, RFC 3339, such as `2026-11-24T14:30:00+08:00`.
    pub expected_arrival: String,
}

/// What bundling gives back.
#[derive(Serialize, ToSchema)]
pub(super) struct Bundled {
    /// Movement id.
    pub movement: String,
}

/// An action code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionRequest {
    /// `release`, `documents`, `inspect`, `escort` or `detain`.
    pub action: String,
    /// Why; kept, never shown to the trade.
    pub reason: String,
    /// First moment it may be used, RFC 3339. Default: the earliest at which the vehicle may cross.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// First moment it may no longer be used. Default: when the declaration serves no more.
    #[serde(default)]
    pub valid_until: Option<String>,
}

/// Where in the feed.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Since {
    /// `changed` of the last passage seen; 0 from the start.
    #[serde(default)]
    since: i64,
}

pub(super) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| {
        if e.is_data() {
            Problem::fields(vec![FieldError::at("", e)])
        } else {
            Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {e}"))
        }
    })
}

/// Take a field or note what is wrong with it.
fn field<T, E: ToString>(errors: &mut Vec<FieldError>, pointer: &str, value: Result<T, E>) -> Option<T> {
    value.map_err(|e| errors.push(FieldError::at(pointer, e))).ok()
}

pub(super) fn time(text: &str) -> Result<UtcMillis, String> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| format!("{text:?} is no RFC 3339 time such as 2026-11-24T14:30:00+08:00"))?;
    Ok(UtcMillis(time.as_millisecond()))
}

/// Answer a repeated request with the reply it got the first time (header `Idempotency-Key`).
async fn once(
    state: &AppState,
    actor: &Actor,
    headers: &HeaderMap,
    body: &Bytes,
    work: impl Future<Output = Result<(StatusCode, String), Problem>>,
) -> Result<Response, Problem> {
    let json = |status: u16, body: String| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let Some(key) = headers.get("idempotency-key").and_then(|k| k.to_str().ok()) else {
        let (status, body) = work.await?;
        return Ok(json(status.as_u16(), body));
    };
    let digest = clearance::ids::Digest::of(body).to_string();
    if let Some((request, status, reply)) = state.store.reply(&actor.name, key).await? {
        if request != digest {
            let detail = "this Idempotency-Key was used for another request";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        return Ok(json(status as u16, reply));
    }
    let (status, reply) = work.await?;
    let now = state.clock.now();
    state.store.keep_reply(&actor.name, key, &digest, status.as_u16(), &reply, now).await?;
    Ok(json(status.as_u16(), reply))
}

fn to_json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|e| Problem::internal(&e))
}

/// Lodge a consignment
#[utoipa::path(post, path = "/api/v1/consignments", request_body = Consignment,
    responses((status = 201, body = Lodged), (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn lodge(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = caller(&actor)?;
    let consignment: Consignment = parse(&body)?;
    let work = async {
        let ccrn = state.operations.lodge(&caller, consignment).await?;
        Ok((StatusCode::CREATED, to_json(&Lodged { ccrn: ccrn.to_string() })?))
    };
    once(&state, &actor, &headers, &body, work).await
}

/// Look at a consignment
#[utoipa::path(get, path = "/api/v1/consignments/{ccrn}", params(("ccrn" = String, Path)),
    responses((status = 200, body = Consignment), (status = 404, body = Problem)))]
pub(super) async fn consignment(
    State(state): State<AppState>,
    actor: Actor,
    Path(ccrn): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let caller = caller(&actor)?;
    let ccrn: Ccrn = ccrn.parse().map_err(|e| Problem::fields(vec![FieldError::at("/ccrn", e)]))?;
    let row = state.operations.consignment(&caller, &ccrn).await?;
    Ok(Json(serde_json::json!({
        "ccrn": ccrn, "consignment": row.consignment, "movement": row.movement, "version": row.version,
    })))
}

/// Bundle consignments with a vehicle
#[utoipa::path(post, path = "/api/v1/bundles", request_body = BundleRequest,
    responses((status = 201, body = Bundled), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn bundle(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = caller(&actor)?;
    let request: BundleRequest = parse(&body)?;
    let bundling = request.check().map_err(Problem::faults)?;
    let work = async {
        let movement = state.operations.bundle(&caller, bundling).await?;
        Ok((StatusCode::CREATED, to_json(&Bundled { movement: movement.to_string() })?))
    };
    once(&state, &actor, &headers, &body, work).await
}

impl BundleRequest {
    /// Read what was written.
    pub(super) fn check(self) -> Result<Bundling, Vec<Faulty>> {
        let mut faults = Vec::new();
        let vehicle = Vehicle::parse(&self.mark, self.mainland_mark.as_deref(), &self.trailers);
        let vehicle = vehicle.map_err(|wrong| faults.extend(wrong)).ok();
        let mut note = |pointer: String, fault: Fault| faults.push(Faulty::at(pointer, fault));
        let site =
            self.site.as_ref().map(|site| site.parse().map_err(|_| note("/site".to_owned(), Fault::Site)));
        let arrival =
            time(&self.expected_arrival).map_err(|_| note("/expected_arrival".to_owned(), Fault::Time));
        let ccrns: Vec<Ccrn> = self
            .ccrns
            .iter()
            .enumerate()
            .filter_map(|(i, ccrn)| ccrn.parse().map_err(|_| note(format!("/ccrns/{i}"), Fault::Ccrn)).ok())
            .collect();
        let load = match (self.empty, self.exemption) {
            (false, None) => Load::Consignments,
            (true, None) => Load::Empty,
            (false, Some(code)) => Load::Exempt(code),
            (true, Some(_)) => {
                note("/exemption".to_owned(), Fault::Load);
                Load::Empty
            }
        };
        match (vehicle, arrival, faults.is_empty()) {
            (Some(vehicle), Ok(expected_arrival), true) => Ok(Bundling {
                vehicle,
                site: site.and_then(Result::ok),
                expected_arrival,
                load,
                direction: self.direction,
                ccrns,
            }),
            _ => Err(faults),
        }
    }
}

fn movement_id(id: &str) -> Result<MovementId, Problem> {
    id.parse().map_err(|_| Problem::not_found("movement"))
}

/// Look at a movement
#[utoipa::path(get, path = "/api/v1/movements/{id}", params(("id" = String, Path)),
    responses((status = 200), (status = 404, body = Problem)))]
pub(super) async fn movement(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let (place, now) = (state.operations.place(), state.operations.now());
    let (carrying, sees_code) = if actor.trader.is_some() {
        (state.operations.movement(&caller(&actor)?, &id).await?, false)
    } else {
        if !customs_may(Act::SeeMovement, actor.role) {
            return Err(Problem::not_found("movement"));
        }
        let carrying = state.store.carrying(&id, now).await?.ok_or_else(|| Problem::not_found("movement"))?;
        (carrying, true)
    };
    let row = &carrying.movement;
    let mut view = serde_json::json!({
        "id": row.id, "version": row.version(), "site": row.site(), "vehicle": row.vehicle()?,
        "load": row.load(), "expected_arrival": row.expected_arrival,
        "ccrns": carrying.consignments.iter().map(|c| &c.ccrn).collect::<Vec<_>>(),
        "status": carrying.status(place, now), "readiness": carrying.readiness(place, now),
    });
    if sees_code {
        view["action"] = serde_json::json!(row.action);
        view["action_by"] = serde_json::json!(row.action_by);
        view["action_at"] = serde_json::json!(row.action_at);
    }
    Ok(Json(view))
}

/// Assign an action code
#[utoipa::path(put, path = "/api/v1/movements/{id}/action", params(("id" = String, Path)),
    request_body = ActionRequest, responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn assign(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    allow(&actor, Deed::AssignAction)?;
    let id = movement_id(&id)?;
    let request: ActionRequest = parse(&body)?;
    let mut errors = Vec::new();
    let action = ActionCode::ALL
        .into_iter()
        .find(|a| a.code() == request.action)
        .ok_or("release, documents, inspect, escort or detain");
    let action = field(&mut errors, "/action", action);
    if request.reason.trim().is_empty() {
        errors.push(FieldError::at("/reason", "say why"));
    }
    let mut bound =
        |text: &Option<String>, pointer| text.as_ref().map(|text| field(&mut errors, pointer, time(text)));
    let window =
        match (bound(&request.valid_from, "/valid_from"), bound(&request.valid_until, "/valid_until")) {
            (Some(Some(from)), Some(Some(until))) => Some(Window { from, until }),
            (None, None) => None,
            _ => {
                errors.push(FieldError::at("/valid_until", "give both ends of the window, or neither"));
                None
            }
        };
    if window.is_some_and(|window| window.from >= window.until) {
        errors.push(FieldError::at("/valid_until", "must be later than valid_from"));
    }
    let (Some(action), true) = (action, errors.is_empty()) else {
        return Err(Problem::fields(errors));
    };
    state.operations.assess(&id, action, window, &request.reason, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take an action code back
#[utoipa::path(delete, path = "/api/v1/movements/{id}/action", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    allow(&actor, Deed::AssignAction)?;
    state.operations.withdraw(&movement_id(&id)?, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Follow passages
#[utoipa::path(get, path = "/api/v1/passages", params(Since), responses((status = 200)))]
pub(super) async fn passages(
    State(state): State<AppState>,
    actor: Actor,
    Query(since): Query<Since>,
) -> Result<Json<serde_json::Value>, Problem> {
    allow(&actor, Deed::WatchLanes)?;
    let passages = state.store.changed_since(since.since).await?;
    let cursor = passages.last().map_or(since.since, |p| p.changed);
    Ok(Json(serde_json::json!({ "passages": passages, "since": cursor })))
}

/// Look at a passage and all its steps
#[utoipa::path(get, path = "/api/v1/passages/{id}", params(("id" = String, Path)),
    responses((status = 200), (status = 404, body = Problem)))]
pub(super) async fn passage(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    allow(&actor, Deed::WatchLanes)?;
    let unknown = || Problem::not_found("passage");
    let id: PassageId = id.parse().map_err(|_| unknown())?;
    let passage = state.store.passage(id).await?.ok_or_else(unknown)?;
    let steps = state.store.steps(id).await?;
    Ok(Json(serde_json::json!({ "passage": passage, "steps": steps })))
}
