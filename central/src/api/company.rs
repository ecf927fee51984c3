//! A company and whom it wants told.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::caller;
use super::body::{Body, etag, seen};
use super::problem::Problem;
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::messages::Channel;
use crate::trade::Caller;
use crate::trade::contact::Contact;

/// A company.
#[derive(Serialize, ToSchema)]
pub(super) struct CompanyView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Whether it is a sandbox.
    sandbox: bool,
    /// Version of the contact; 0: nobody was ever named.
    version: u32,
    /// Whom it wants told.
    contact: Contact,
    /// The ways that are open here.
    channels: ChannelsView,
    /// How the addresses of the contact stand.
    addresses: Vec<AddressView>,
}

/// Which ways are open. Addresses of one that is closed are kept, and are told nothing until it opens.
#[derive(Serialize, ToSchema)]
struct ChannelsView {
    /// Requests to the company's systems.
    webhook: bool,
    /// E-mail.
    email: bool,
    /// SMS.
    sms: bool,
}

/// How an address stands.
#[derive(Serialize, ToSchema)]
struct AddressView {
    /// The way there.
    channel: Channel,
    /// The address.
    address: String,
    /// When something was last taken there, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<i64>,
    /// Since when nothing is taken there, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    /// Why nothing is taken there.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// The company, and whom it wants told
#[utoipa::path(get, path = "/api/v1/company", tag = "company",
    responses((status = 200, body = CompanyView, headers(("ETag" = String))), (status = 403, response = Problem)))]
pub(super) async fn look(State(state): State<AppState>, actor: Actor) -> Result<Response, Problem> {
    view(&state, &caller(&actor)?).await
}

/// Name whom the company wants told
#[utoipa::path(put, path = "/api/v1/company", request_body = Contact, params(("If-Match" = String, Header)), tag = "company",
    responses((status = 200, body = CompanyView, headers(("ETag" = String))), (status = 403, response = Problem),
        (status = 412, response = Problem), (status = 422, response = Problem), (status = 428, response = Problem)))]
pub(super) async fn put(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, seen, contact) = (body.caller(&actor)?, seen(&headers)?, body.parse::<Contact>()?);
    state.outlets.put_contact(&caller, contact, seen).await?;
    view(&state, &caller).await
}

async fn view(state: &AppState, caller: &Caller) -> Result<Response, Problem> {
    let (row, stored) = state.outlets.company(caller).await?;
    let mut addresses = Vec::new();
    for row in stored {
        addresses.push(AddressView {
            channel: row.channel()?,
            address: row.address,
            delivered_at: row.delivered_at,
            failing_since: row.failing_since,
            last_error: row.last_error,
        });
    }
    let channels = ChannelsView {
        webhook: state.outlets.is_open(Channel::Webhook),
        email: state.outlets.is_open(Channel::Email),
        sms: state.outlets.is_open(Channel::Sms),
    };
    let (version, contact) = (row.version, row.contact);
    let view = CompanyView {
        id: row.id,
        name: row.name,
        sandbox: row.sandbox,
        version,
        contact,
        channels,
        addresses,
    };
    Ok((StatusCode::OK, etag(version), Json(view)).into_response())
}
