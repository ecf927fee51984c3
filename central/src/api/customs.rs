//! What customs does: action codes, inspections, seals, notices; and following passages.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use clearance::directive::{ActionCode, Window};
use clearance::ids::{PassageId, SiteId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::{allow, allow_act};
use super::body::{Asked, Body, Named, field, time};
use super::consignments::number;
use super::movements::movement_id;
use super::problem::{FieldError, Problem};
use crate::officers::{Actor, Deed};
use crate::state::{AppState, CentralEvent};
use crate::storage::trade::{Notice, NoticeRow};
use crate::storage::workbench::Decided;
use crate::trade::movement::Inspection;
use crate::trade::policy::Act;

/// An action code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionRequest {
    /// `release`, `documents`, `inspect`, `escort` or `detain`.
    pub(super) action: String,
    /// Why; kept, never shown to the trade.
    #[schema(min_length = 1)]
    pub(super) reason: String,
    /// First moment it may be used, RFC 3339. Default: the earliest at which the vehicle may cross.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(super) valid_from: Option<String>,
    /// First moment it may no longer be used. Default: when the declaration serves no more.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(super) valid_until: Option<String>,
}

impl ActionRequest {
    /// Read what was written.
    pub(super) fn check(&self) -> Result<(ActionCode, Option<Window>), Vec<FieldError>> {
        let mut errors = Vec::new();
        let action = ActionCode::of_code(&self.action).ok_or("release, documents, inspect, escort or detain");
        let action = field(&mut errors, "/action", action);
        if self.reason.trim().is_empty() {
            errors.push(FieldError::at("/reason", "say why"));
        }
        let mut bound = |text: &Option<String>, pointer| {
            text.as_ref().map(|text| field(&mut errors, pointer, time(text)))
        };
        let bounds = (bound(&self.valid_from, "/valid_from"), bound(&self.valid_until, "/valid_until"));
        let window = match bounds {
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
        match action {
            Some(action) if errors.is_empty() => Ok((action, window)),
            _ => Err(errors),
        }
    }
}

/// A code that waits for a second pair of eyes.
#[derive(Serialize, ToSchema)]
pub(super) struct WaitingAction {
    /// The stricter code that holds until an officer has agreed: `documents`, `inspect`, `escort` or `detain`.
    holds: &'static str,
}

/// Assign an action code
///
/// A code that is as strict as what screening says and as the code before, or stricter, is in force when this is answered (204). A less
/// strict one waits until an officer at the workbench has agreed to it (202): the stricter one holds until then. When it is agreed to, it
/// serves from the earliest moment at which the vehicle may cross. Sent again while it waits, it changes nothing.
#[utoipa::path(put, path = "/api/v1/movements/{id}/action", params(("id" = String, Path)), tag = "customs",
    request_body = ActionRequest, responses((status = 202, body = WaitingAction), (status = 204), (status = 403, response = Problem),
        (status = 404, response = Problem), (status = 409, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn assign(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    allow(&actor, Deed::AssignAction)?;
    let (id, request) = (movement_id(&id)?, body.parse::<ActionRequest>()?);
    let (action, window) = request.check().map_err(Problem::fields)?;
    match state.operations.assess(&id, action, window, &request.reason, &actor.name).await? {
        Decided::Given => Ok(StatusCode::NO_CONTENT.into_response()),
        Decided::Waits(holds) => {
            // The trade hears nothing of it, so that the pages do not hear of it either. Nobody listening: no page is open.
            let _ = state.events.send(CentralEvent::Declared);
            Ok((StatusCode::ACCEPTED, Json(WaitingAction { holds: holds.code() })).into_response())
        }
    }
}

/// Take an action code back
#[utoipa::path(delete, path = "/api/v1/movements/{id}/action", params(("id" = String, Path)), tag = "customs",
    responses((status = 204), (status = 403, response = Problem), (status = 404, response = Problem), (status = 409, response = Problem)))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    allow(&actor, Deed::AssignAction)?;
    state.operations.withdraw(&movement_id(&id)?, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an inspection gave.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InspectionResult {
    /// `found` or `nothing_found`.
    result: Inspection,
}

/// Record what an inspection gave
///
/// At the bay; or, of a crossing that was let go to be audited, once it is over: the trade hears nothing of that.
#[utoipa::path(put, path = "/api/v1/movements/{id}/inspection", params(("id" = String, Path)), request_body = InspectionResult, tag = "customs",
    responses((status = 204), (status = 403, response = Problem), (status = 404, response = Problem), (status = 409, response = Problem)))]
pub(super) async fn inspected(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    allow_act(&actor, Act::Inspect)?;
    let (id, result) = (movement_id(&id)?, body.parse::<InspectionResult>()?.result);
    state.operations.record_inspection(&id, result, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A seal that is put on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SealRequest {
    /// Control point where the consignment was inspected, if it was.
    #[serde(default)]
    inspected_at: Option<String>,
}

/// Seal a consignment in transhipment
#[utoipa::path(put, path = "/api/v1/consignments/{ccrn}/seals/{seal}", params(("ccrn" = String, Path), ("seal" = String, Path)),
    request_body = SealRequest, tag = "customs",
    responses((status = 204), (status = 403, response = Problem), (status = 404, response = Problem), (status = 409, response = Problem),
        (status = 422, response = Problem)))]
pub(super) async fn seal(
    State(state): State<AppState>,
    actor: Actor,
    Named((ccrn, seal)): Named<(String, String)>,
    body: Body,
) -> Result<StatusCode, Problem> {
    allow_act(&actor, Act::Inspect)?;
    let (ccrn, request) = (number(&ccrn)?, body.parse::<SealRequest>()?);
    let mut errors = Vec::new();
    let site: Option<SiteId> = request.inspected_at.and_then(|site| {
        field(&mut errors, "/inspected_at", site.parse().map_err(|_| "no control point served here"))
    });
    if !(1..=64).contains(&seal.chars().count()) {
        errors.push(FieldError::at("/seal", "1 to 64 characters"));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    state.operations.fix_seal(&ccrn, &seal, site, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A contingency notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoticeRequest {
    /// Its published reference.
    #[schema(min_length = 1)]
    reference: String,
    /// Where; left out: everywhere.
    #[serde(default)]
    site: Option<String>,
    /// From when, RFC 3339.
    #[schema(format = DateTime)]
    begins: String,
    /// Until when, RFC 3339.
    #[schema(format = DateTime)]
    ends: String,
    /// Why, for the public.
    reason: String,
}

/// Publish a contingency notice: while it is in force, what is missing is waived
#[utoipa::path(post, path = "/api/v1/notices", request_body = NoticeRequest, tag = "customs",
    responses((status = 201), (status = 403, response = Problem), (status = 409, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn publish_notice(
    State(state): State<AppState>,
    actor: Actor,
    body: Body,
) -> Result<StatusCode, Problem> {
    allow_act(&actor, Act::PublishNotice)?;
    let request: NoticeRequest = body.parse()?;
    let mut errors = Vec::new();
    let begins = field(&mut errors, "/begins", time(&request.begins));
    let ends = field(&mut errors, "/ends", time(&request.ends));
    let site = request.site.and_then(|site| {
        field(&mut errors, "/site", site.parse().map_err(|_| "no control point served here"))
    });
    match (begins, ends) {
        (Some(begins), Some(ends)) if errors.is_empty() => {
            let notice = Notice { reference: request.reference, site, begins, ends, reason: request.reason };
            state.operations.publish_notice(notice, &actor.name).await?;
            Ok(StatusCode::CREATED)
        }
        _ => Err(Problem::fields(errors)),
    }
}

/// Contingency notices.
#[derive(Serialize, ToSchema)]
pub(super) struct Notices {
    /// Latest first.
    notices: Vec<NoticeRow>,
}

/// Contingency notices, for everybody who has signed in
#[utoipa::path(get, path = "/api/v1/notices", tag = "customs", responses((status = 200, body = Notices)))]
pub(super) async fn notices(State(state): State<AppState>, _: Actor) -> Result<Json<Notices>, Problem> {
    Ok(Json(Notices { notices: state.store.notices().await? }))
}

/// Where in the feed of passages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// `changed` of the last passage seen; 0 from the start.
    #[serde(default)]
    since: i64,
}

/// Follow passages
#[utoipa::path(get, path = "/api/v1/passages", params(Since), tag = "customs",
    responses((status = 200, body = Object), (status = 403, response = Problem)))]
pub(super) async fn passages(
    State(state): State<AppState>,
    actor: Actor,
    Asked(since): Asked<Since>,
) -> Result<Json<serde_json::Value>, Problem> {
    allow(&actor, Deed::WatchLanes)?;
    let passages = state.store.changed_since(since.since).await?;
    let cursor = passages.last().map_or(since.since, |p| p.changed);
    Ok(Json(serde_json::json!({ "passages": passages, "since": cursor })))
}

/// Look at a passage and all its steps
#[utoipa::path(get, path = "/api/v1/passages/{id}", params(("id" = String, Path)), tag = "customs",
    responses((status = 200, body = Object), (status = 403, response = Problem), (status = 404, response = Problem)))]
pub(super) async fn passage(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    allow(&actor, Deed::WatchLanes)?;
    let unknown = || Problem::not_found("passage");
    let id: PassageId = id.parse().map_err(|_| unknown())?;
    let passage = state.store.passage(id).await?.ok_or_else(unknown)?;
    let steps = state.store.steps(id).await?;
    Ok(Json(serde_json::json!({ "passage": passage, "steps": steps })))
}
