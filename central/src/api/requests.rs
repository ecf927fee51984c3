//! Many consignments in one request: accepted at once, lodged in the background, each acknowledged apart.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::caller;
use super::body::{Named, element};
use super::files::{Many, Workbook, rows};
use super::problem::{FieldError, Problem};
use crate::officers::Actor;
use crate::operations::MOST_ITEMS;
use crate::state::AppState;
use crate::storage::trade::{Acknowledged, ItemOutcome, RequestRow};
use crate::trade::{Consignment, Faulty};

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
    /// Where it begins in its file: the row of the sheet, or the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u32>,
    /// What its file calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
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

fn item(item: Acknowledged) -> ItemView {
    let Acknowledged { index, origin, outcome } = item;
    let (ccrn, faults) = match outcome {
        ItemOutcome::Lodged(ccrn) => (Some(ccrn.to_string()), Vec::new()),
        ItemOutcome::Refused(faults) => (None, faults),
    };
    let error = |faulty: Faulty| {
        let place = origin.as_ref().map(|origin| origin.place(&faulty.pointer));
        let error = FieldError::at(faulty.pointer, faulty.fault);
        match place {
            Some(place) => error.in_file(place),
            None => error,
        }
    };
    let errors = faults.into_iter().map(error).collect();
    ItemView {
        index,
        row: origin.as_ref().map(|o| o.row),
        reference: origin.and_then(|o| o.reference),
        ccrn,
        errors,
    }
}

/// Lodge many consignments
#[utoipa::path(post, path = "/api/v1/consignments/batch", tag = "consignments", params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200)),
    request_body(description = "1 to 10000 consignments; as a file of at most 8 MiB: CSV, the first sheet of a workbook, or XML",
        content((Vec<Consignment> = "application/json"), (String = "text/csv"),
            (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "application/xml"))),
    responses((status = 202, body = Accepted, headers(("Location" = String))), (status = 400, response = Problem), (status = 409, response = Problem),
        (status = 413, response = Problem), (status = 415, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn lodge_many(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    many: Many,
) -> Result<Response, Problem> {
    let (caller, once) = (many.body.caller(&actor)?, many.body.once(&headers, &actor)?);
    if let Some(format) = many.format {
        let rows = rows(format, many.body.bytes()).await?;
        return Ok(accepted(state.operations.accept_rows(&caller, &rows, once).await?));
    }
    let values = many.body.list()?;
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
