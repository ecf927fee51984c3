//! Lodging, bundling, action codes, and following passages.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, PassageId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::allow;
use super::problem::{FieldError, Problem};
use crate::ccrn::Ccrn;
use crate::officers::{Actor, Deed};
use crate::state::AppState;
use crate::storage::{BundleError, Consignment, MovementRow};

/// How long before and after the expected arrival a directive may be used unless said otherwise: 14 days, as lodging.
const WINDOW_MS: i64 = 14 * 24 * 3_600_000;

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
    /// Hong Kong mark.
    pub mark: String,
    /// Mainland mark, where the vehicle has one.
    #[serde(default)]
    pub mainland_mark: Option<String>,
    /// Control point.
    pub site: String,
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
    /// First moment it may be used, RFC 3339. Default: 14 days before the expected arrival.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// First moment it may no longer be used. Default: 14 days after.
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
    allow(&actor, Deed::Declare)?;
    let consignment: Consignment = parse(&body)?;
    let errors = check(&consignment);
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let work = async {
        let ccrn = state.store.lodge(&consignment, &actor.name, state.clock.now()).await?;
        Ok((StatusCode::CREATED, to_json(&Lodged { ccrn: ccrn.to_string() })?))
    };
    once(&state, &actor, &headers, &body, work).await
}

/// What is wrong with a consignment's items.
fn check(c: &Consignment) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wanted = |fits: bool, pointer: &str, detail: &str| {
        if !fits {
            errors.push(FieldError::at(pointer, detail));
        }
    };
    let filled = |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most;
    wanted(c.packages > 0, "/packages", "at least 1");
    wanted(filled(&c.package_kind, 20), "/package_kind", "1 to 20 characters");
    wanted(filled(&c.description, 500), "/description", "1 to 500 characters");
    wanted(filled(&c.consignor.name, 200), "/consignor/name", "1 to 200 characters");
    wanted(filled(&c.consignor.address, 500), "/consignor/address", "1 to 500 characters");
    wanted(filled(&c.consignee.name, 200), "/consignee/name", "1 to 200 characters");
    wanted(filled(&c.consignee.address, 500), "/consignee/address", "1 to 500 characters");
    let date = c.expected_date.parse::<jiff::civil::Date>();
    wanted(date.is_ok(), "/expected_date", "a day such as 2026-11-24");
    let digits = |code: &String| (6..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    wanted(c.hs_code.as_ref().is_none_or(digits), "/hs_code", "6 to 8 digits");
    let country = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    wanted(c.origin.as_ref().is_none_or(country), "/origin", "two capital letters");
    errors
}

/// Look at a consignment
#[utoipa::path(get, path = "/api/v1/consignments/{ccrn}", params(("ccrn" = String, Path)),
    responses((status = 200, body = Consignment), (status = 404, body = Problem)))]
pub(super) async fn consignment(
    State(state): State<AppState>,
    actor: Actor,
    Path(ccrn): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    allow(&actor, Deed::Declare)?;
    let ccrn: Ccrn = ccrn.parse().map_err(|e| Problem::fields(vec![FieldError::at("/ccrn", e)]))?;
    let (consignment, movement) =
        state.store.consignment(&ccrn).await?.ok_or_else(|| Problem::not_found("consignment"))?;
    Ok(Json(serde_json::json!({ "ccrn": ccrn, "consignment": consignment, "movement": movement })))
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
    allow(&actor, Deed::Declare)?;
    let request: BundleRequest = parse(&body)?;
    let mut errors = Vec::new();
    let mark = field(&mut errors, "/mark", request.mark.parse::<RegistrationMark>());
    let mainland =
        request.mainland_mark.as_ref().map(|m| field(&mut errors, "/mainland_mark", mainland_mark(m)));
    let site = field(&mut errors, "/site", request.site.parse::<SiteId>());
    let arrival = field(&mut errors, "/expected_arrival", time(&request.expected_arrival));
    let ccrns: Vec<Ccrn> = request
        .ccrns
        .iter()
        .enumerate()
        .filter_map(|(i, c)| field(&mut errors, &format!("/ccrns/{i}"), c.parse()))
        .collect();
    if request.ccrns.is_empty() != request.empty {
        errors.push(FieldError::at("/ccrns", "name the consignments, or say that the truck is empty"));
    }
    let (Some(mark), Some(site), Some(arrival), true) = (mark, site, arrival, errors.is_empty()) else {
        return Err(Problem::fields(errors));
    };
    let work = async {
        let id = format!("m-{}", uuid::Uuid::now_v7().simple());
        let movement: MovementId = id.parse().map_err(|e| Problem::internal(&e))?;
        let (by, now) = (&actor.name, state.clock.now());
        let mainland = mainland.flatten();
        state
            .store
            .bundle(&movement, &site, &mark, mainland.as_ref(), arrival, &ccrns, by, now)
            .await
            .map_err(bundle_problem)?;
        Ok((StatusCode::CREATED, to_json(&Bundled { movement: id })?))
    };
    once(&state, &actor, &headers, &body, work).await
}

fn mainland_mark(text: &str) -> Result<RegistrationMark, String> {
    let mark: RegistrationMark = text.parse().map_err(|e: clearance::mark::MarkError| e.to_string())?;
    if mark.jurisdiction().is_mainland() {
        Ok(mark)
    } else {
        Err(format!("{mark} is no cross-boundary mark such as 粤ZN537港"))
    }
}

fn bundle_problem(error: BundleError) -> Problem {
    match error {
        BundleError::UnknownCcrn(_) => Problem::fields(vec![FieldError::at("/ccrns", error)]),
        BundleError::AlreadyBundled { .. } => Problem::new(StatusCode::CONFLICT, error),
        BundleError::Storage(error) => error.into(),
    }
}

async fn movement_of(state: &AppState, id: &str) -> Result<(MovementId, MovementRow), Problem> {
    let unknown = || Problem::not_found("movement");
    let id: MovementId = id.parse().map_err(|_| unknown())?;
    let row = state.store.movement(&id).await?.ok_or_else(unknown)?;
    Ok((id, row))
}

/// Look at a movement
#[utoipa::path(get, path = "/api/v1/movements/{id}", params(("id" = String, Path)),
    responses((status = 200, body = MovementRow), (status = 404, body = Problem)))]
pub(super) async fn movement(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<MovementRow>, Problem> {
    allow(&actor, Deed::Declare)?;
    Ok(Json(movement_of(&state, &id).await?.1))
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
    let (id, movement) = movement_of(&state, &id).await?;
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
    let mut bound = |text: &Option<String>, pointer, default: i64| match text {
        Some(text) => field(&mut errors, pointer, time(text)),
        None => Some(UtcMillis(movement.expected_arrival).plus_millis(default)),
    };
    let from = bound(&request.valid_from, "/valid_from", -WINDOW_MS);
    let until = bound(&request.valid_until, "/valid_until", WINDOW_MS);
    if from >= until && from.is_some() && until.is_some() {
        errors.push(FieldError::at("/valid_until", "must be later than valid_from"));
    }
    let (Some(action), Some(from), Some(until), true) = (action, from, until, errors.is_empty()) else {
        return Err(Problem::fields(errors));
    };
    let window = Window { from, until };
    state.store.assign(&id, action, window, &request.reason, &actor.name, state.clock.now()).await?;
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
    let (id, _) = movement_of(&state, &id).await?;
    if state.store.revoke(&id, &actor.name, state.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(StatusCode::CONFLICT, "the movement has no action code to take back"))
    }
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
