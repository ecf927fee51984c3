//! Many consignments in one request: accepted at once, lodged in the background, each acknowledged apart.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::caller;
use super::body::{Body, Named, element};
use super::problem::{FieldError, Problem};
use crate::officers::Actor;
use crate::operations::MOST_ITEMS;
use crate::state::AppState;
use crate::storage::trade::{ItemOutcome, RequestRow};
use crate::trade::Consignment;

/// A request that was accepted.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// Its id: ask for it at `/api/v1/requests/{id}`.
    id: String,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RequestStatus {
    /// It is durable here; not everything is lodged yet.
    InProgress,
    /// Each of its consignments was lodged or refused.
    Completed,
    /// It failed here: what has no outcome was not lodged, and will not be. Send that again, in another request.
    Failed,
}

/// A request as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestView {
    /// Its id.
    id: String,
    /// How far it is.
    status: RequestStatus,
    /// When it was accepted, milliseconds since 1970.
    accepted_at: i64,
    /// How many consignments it has.
    total: usize,
    /// How many are lodged.
    accepted: usize,
    /// How many are refused.
    refused: usize,
    /// What came of each, in the order of the request, as far as it is.
    items: Vec<ItemView>,
}

/// What came of one consignment.
#[derive(Serialize, ToSchema)]
struct ItemView {
    /// Its place in the request, from 0.
    index: usize,
    /// Its number, if it was lodged.
    #[serde(skip_serializing_if = "Option::is_none")]
    ccrn: Option<String>,
    /// What is wrong with it, if it was refused; pointers are within the consignment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl From<RequestRow> for RequestView {
    fn from(row: RequestRow) -> Self {
        let status = match () {
            () if row.is_completed() => RequestStatus::Completed,
            () if row.failed.is_some() => RequestStatus::Failed,
            () => RequestStatus::InProgress,
        };
        let items: Vec<ItemView> = row.outcomes.into_iter().map(item).collect();
        let accepted = items.iter().filter(|item| item.ccrn.is_some()).count();
        Self {
            id: row.id,
            status,
            accepted_at: row.accepted_at.0,
            total: row.items,
            accepted,
            refused: items.len() - accepted,
            items,
        }
    }
}

fn item((index, outcome): (usize, ItemOutcome)) -> ItemView {
    match outcome {
        ItemOutcome::Lodged(ccrn) => ItemView { index, ccrn: Some(ccrn.to_string()), errors: Vec::new() },
        ItemOutcome::Refused(faults) => {
            let errors = faults.into_iter().map(|f| FieldError::at(f.pointer, f.fault)).collect();
            ItemView { index, ccrn: None, errors }
        }
    }
}

/// Lodge many consignments
#[utoipa::path(post, path = "/api/v1/consignments/batch", request_body(content = Vec<Consignment>, description = "1 to 10000 consignments"),
    tag = "consignments", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = Accepted, headers(("Location" = String))), (status = 409, response = Problem),
        (status = 413, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn lodge_many(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, once) = (body.caller(&actor)?, body.once(&headers, &actor)?);
    let values = body.list()?;
    if !(1..=MOST_ITEMS).contains(&values.len()) {
        return Err(Problem::fields(vec![FieldError::at("", format!("1 to {MOST_ITEMS} consignments"))]));
    }
    let items = values.into_iter().map(element::<Consignment>).collect();
    Ok(accepted(state.operations.accept(&caller, items, once).await?))
}

/// The answer to a request that was accepted.
pub(super) fn accepted(id: String) -> Response {
    let location = [(header::LOCATION, format!("/api/v1/requests/{id}"))];
    (StatusCode::ACCEPTED, location, Json(Accepted { id })).into_response()
}

/// What came of a request
#[utoipa::path(get, path = "/api/v1/requests/{id}", params(("id" = String, Path)), tag = "consignments",
    responses((status = 200, body = RequestView), (status = 404, response = Problem)))]
pub(super) async fn request(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<RequestView>, Problem> {
    Ok(Json(state.operations.request(&caller(&actor)?, &id).await?.into()))
}
