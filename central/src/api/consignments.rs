//! Consignments of a company: lodge, look, amend, take back, seals.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::caller;
use super::body::{Asked, Body, Named, etag, seen};
use super::problem::{FieldError, Problem};
use crate::ccrn::Ccrn;
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::trade::{
    ConsignmentRow, ConsignmentStatus, EventRow, Find, SealRow, position, read_position,
};
use crate::trade::Consignment;
use crate::trade::news::SealState;

/// What lodging gives back.
#[derive(Serialize, ToSchema)]
pub(super) struct Lodged {
    /// Number to pass to the trucker.
    pub(super) ccrn: String,
}

/// A consignment as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsignmentView {
    /// Its number.
    ccrn: String,
    /// Its version; its `ETag`.
    version: u32,
    /// What it says.
    consignment: Consignment,
    /// The movement that it travels with.
    movement: Option<String>,
    /// Whether it was taken back.
    cancelled: bool,
    /// Who lodged it.
    lodged_by: String,
    /// When, milliseconds since 1970.
    lodged_at: i64,
    /// When it was last changed.
    changed_at: i64,
}

impl From<ConsignmentRow> for ConsignmentView {
    fn from(row: ConsignmentRow) -> Self {
        Self {
            ccrn: row.ccrn.to_string(),
            version: row.version,
            consignment: row.consignment,
            movement: row.movement,
            cancelled: row.cancelled,
            lodged_by: row.lodged_by,
            lodged_at: row.lodged_at.0,
            changed_at: row.changed_at.0,
        }
    }
}

/// Some of a company's consignments.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsignmentPage {
    /// Latest first; found by a search, in the order of what was searched.
    items: Vec<ConsignmentView>,
    /// What to give as `before` for those after these; none: there are no more.
    next: Option<String>,
}

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// A CCRN or its beginning (from four characters), or the beginning of a consignee's name; for movements a registration mark.
    #[serde(default)]
    #[param(max_length = 200)]
    search: String,
    /// `next` of the page before.
    before: Option<String>,
    /// Only those that stand there: of consignments `lodged`, `bundled` or `cancelled`, of movements a status. Not beside `search`.
    pub(super) status: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: u32,
}

fn default_limit() -> u32 {
    50
}

impl Wanted {
    /// What the store is asked for.
    pub(super) fn find(self) -> Result<Find, Problem> {
        let mut errors = Vec::new();
        if !(1..=100).contains(&self.limit) {
            errors.push(FieldError::at("/limit", "1 to 100"));
        }
        if self.search.chars().count() > 200 {
            errors.push(FieldError::at("/search", "at most 200 characters"));
        }
        let before = self.before.as_deref().map(read_position);
        if self.status.is_some() && !self.search.trim().is_empty() {
            errors.push(FieldError::at("/status", "not beside search"));
        }
        if before == Some(None) {
            errors.push(FieldError::at("/before", "`next` of the page before, as it was given"));
        }
        if !errors.is_empty() {
            return Err(Problem::fields(errors));
        }
        Ok(Find { text: self.search, before: before.flatten(), most: self.limit })
    }
}

/// Which of these statuses is asked for, if one is.
pub(super) fn status<T: Copy>(
    asked: Option<&str>,
    known: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(asked) = asked else { return Ok(None) };
    let found = known.iter().copied().find(|status| name(*status) == asked);
    let names = || known.iter().map(|status| name(*status)).collect::<Vec<_>>().join(", ");
    let unknown = || Problem::fields(vec![FieldError::at("/status", format!("one of {}", names()))]);
    found.map(Some).ok_or_else(unknown)
}

/// Where the page after this one begins.
pub(super) fn next<T>(find: &Find, rows: &[T], key: impl Fn(&T) -> (i64, String)) -> Option<String> {
    let full = rows.len() == find.most as usize;
    rows.last().filter(|_| full).map(|last| position(&key(last)))
}

/// Read a number that stands in an address.
pub(super) fn number(ccrn: &str) -> Result<Ccrn, Problem> {
    ccrn.parse().map_err(|e| Problem::fields(vec![FieldError::at("/ccrn", e)]))
}

/// Lodge a consignment
#[utoipa::path(post, path = "/api/v1/consignments", request_body = Consignment, tag = "consignments",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200)),
    responses((status = 201, body = Lodged), (status = 409, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn lodge(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, once) = (body.caller(&actor)?, body.once(&headers, &actor)?);
    let ccrn = state.operations.lodge_once(&caller, body.parse()?, once).await?;
    Ok((StatusCode::CREATED, Json(Lodged { ccrn: ccrn.to_string() })).into_response())
}

/// List or find consignments
#[utoipa::path(get, path = "/api/v1/consignments", params(Wanted), tag = "consignments",
    responses((status = 200, body = ConsignmentPage), (status = 422, response = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    Asked(search): Asked<Wanted>,
) -> Result<Json<ConsignmentPage>, Problem> {
    let status = status(search.status.as_deref(), &ConsignmentStatus::ALL, ConsignmentStatus::name)?;
    let (caller, find) = (caller(&actor)?, search.find()?);
    let (rows, next) = if let Some(status) = status {
        let page = state.operations.consignments_at(&caller, status, find.before, find.most).await?;
        (page.items, page.next.as_ref().map(position))
    } else {
        let rows = state.operations.consignments(&caller, &find).await?;
        let next = next(&find, &rows, |row| (row.lodged_at.0, row.ccrn.to_string()));
        (rows, next)
    };
    Ok(Json(ConsignmentPage { items: rows.into_iter().map(Into::into).collect(), next }))
}

/// Look at a consignment
#[utoipa::path(get, path = "/api/v1/consignments/{ccrn}", params(("ccrn" = String, Path)), tag = "consignments",
    responses((status = 200, body = ConsignmentView, headers(("ETag" = String))), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn look(
    State(state): State<AppState>,
    actor: Actor,
    Named(ccrn): Named<String>,
) -> Result<Response, Problem> {
    let row = state.operations.consignment(&caller(&actor)?, &number(&ccrn)?).await?;
    Ok((etag(row.version), Json(ConsignmentView::from(row))).into_response())
}

/// A version that was.
#[derive(Serialize, ToSchema)]
pub(super) struct Earlier {
    /// Which.
    version: u32,
    /// What it said.
    consignment: Consignment,
    /// Who replaced it.
    replaced_by: String,
    /// When, milliseconds since 1970.
    replaced_at: i64,
}

/// What a consignment was, and what happened to it.
#[derive(Serialize, ToSchema)]
pub(super) struct History {
    /// Versions before the present one, oldest first.
    versions: Vec<Earlier>,
    /// News about it, latest first.
    events: Vec<EventRow>,
    /// Its seals.
    seals: Vec<SealRow>,
}

/// What a consignment said before, and what happened to it
#[utoipa::path(get, path = "/api/v1/consignments/{ccrn}/history", params(("ccrn" = String, Path)), tag = "consignments",
    responses((status = 200, body = History), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn history(
    State(state): State<AppState>,
    actor: Actor,
    Named(ccrn): Named<String>,
) -> Result<Json<History>, Problem> {
    let (caller, ccrn) = (caller(&actor)?, number(&ccrn)?);
    state.operations.consignment(&caller, &ccrn).await?;
    let versions = state.store.consignment_versions(&ccrn).await?;
    let version = |(version, consignment, by, at): (u32, Consignment, String, clearance::ids::UtcMillis)| {
        Earlier { version, consignment, replaced_by: by, replaced_at: at.0 }
    };
    Ok(Json(History {
        versions: versions.into_iter().map(version).collect(),
        events: state.store.history(&caller.trader, ccrn.as_str()).await?,
        seals: state.store.seals(&ccrn).await?,
    }))
}

/// The version that something is at now.
#[derive(Serialize, ToSchema)]
pub(super) struct AtVersion {
    /// Its version; its `ETag`.
    pub(super) version: u32,
}

/// Amend a consignment, bundled or not
#[utoipa::path(put, path = "/api/v1/consignments/{ccrn}", request_body = Consignment, tag = "consignments",
    params(("ccrn" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = AtVersion, headers(("ETag" = String))), (status = 404, response = Problem), (status = 409, response = Problem),
        (status = 412, response = Problem), (status = 422, response = Problem), (status = 428, response = Problem)))]
pub(super) async fn amend(
    State(state): State<AppState>,
    actor: Actor,
    Named(ccrn): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, ccrn, seen) = (body.caller(&actor)?, number(&ccrn)?, seen(&headers)?);
    let version = state.operations.amend(&caller, &ccrn, body.parse()?, seen).await?;
    Ok((etag(version), Json(AtVersion { version })).into_response())
}

/// Take a consignment back
#[utoipa::path(delete, path = "/api/v1/consignments/{ccrn}", tag = "consignments",
    params(("ccrn" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = 404, response = Problem), (status = 409, response = Problem), (status = 412, response = Problem),
        (status = 422, response = Problem), (status = 428, response = Problem)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    actor: Actor,
    Named(ccrn): Named<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (caller, ccrn, seen) = (caller(&actor)?, number(&ccrn)?, seen(&headers)?);
    state.operations.cancel_consignment(&caller, &ccrn, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a seal is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SealReport {
    /// `intact`, `broken` or `missing`.
    state: SealState,
}

/// Report how a seal is
#[utoipa::path(put, path = "/api/v1/consignments/{ccrn}/seals/{seal}/state", request_body = SealReport, tag = "consignments",
    params(("ccrn" = String, Path), ("seal" = String, Path)),
    responses((status = 204), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn report_seal(
    State(state): State<AppState>,
    actor: Actor,
    Named((ccrn, seal)): Named<(String, String)>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (caller, ccrn, report) = (body.caller(&actor)?, number(&ccrn)?, body.parse::<SealReport>()?);
    state.operations.report_own_seal(&caller, &ccrn, &seal, report.state).await?;
    Ok(StatusCode::NO_CONTENT)
}
