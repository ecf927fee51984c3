//! A company's webhooks: where its systems are told what happens, and what came of it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clearance::ids::UtcMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::caller;
use super::body::{Asked, Body};
use super::problem::{FieldError, Problem};
use crate::messages::{Made, ReplayFrom};
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::messages::{Channel, DeliveryRow, DeliveryState, WebhookRow, WebhookState};
use crate::storage::trade::Conflict;
use crate::trade::Topic;

/// A webhook to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookRequest {
    /// Where requests go: https, in the public network.
    pub(super) url: String,
    /// Of what it is told. Left out: of everything.
    #[serde(default = "everything")]
    news: Vec<Topic>,
}

fn everything() -> Vec<Topic> {
    Topic::ALL.to_vec()
}

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookView {
    /// Its id.
    id: String,
    /// Where requests go.
    url: String,
    /// Of what it is told.
    news: Vec<Topic>,
    /// How it stands.
    state: WebhookState,
    /// When it was added, milliseconds since 1970.
    created_at: i64,
    /// Up to where in the feed everything was tried at least once.
    reached: i64,
    /// When something was last taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<i64>,
    /// Since when nothing is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    /// Why nothing is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Until when the secret of before signs, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    both_sign_until: Option<i64>,
}

impl WebhookView {
    fn of(row: WebhookRow, now: i64) -> Result<Self, StorageError> {
        Ok(Self {
            news: row.topics()?,
            state: row.state(),
            both_sign_until: Some(row.previous_until).filter(|&until| until > now),
            id: row.id,
            url: row.address,
            created_at: row.created_at,
            reached: row.reached,
            delivered_at: row.delivered_at,
            failing_since: row.failing_since,
            last_error: row.last_error,
        })
    }
}

/// A company's webhooks.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    /// In the order in which they were added.
    webhooks: Vec<WebhookView>,
}

/// A secret that was made, shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct SecretMade {
    /// The webhook's id.
    id: String,
    /// `whsec_` and base64: what requests are signed with. It cannot be shown again.
    secret: String,
}

/// Where to begin anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayRequest {
    /// Everything after this place in the feed is told once more. Left out: it goes on where it stands.
    #[serde(default)]
    #[schema(minimum = 0)]
    after: Option<i64>,
    /// Instead of a place: everything that happened at this moment or later is told once more, milliseconds since 1970.
    #[serde(default)]
    since: Option<i64>,
}

impl SecretMade {
    fn of(made: Made) -> Self {
        Self { secret: made.secret.shown(), id: made.id }
    }
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `next` of the page before; left out: the latest.
    before: Option<i64>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// Only those that stand so.
    state: Option<DeliveryState>,
}

fn default_limit() -> u32 {
    100
}

/// What came of one piece of news.
#[derive(Serialize, ToSchema)]
struct DeliveryView {
    /// Its place in the feed.
    seq: i64,
    /// How it stands.
    state: DeliveryState,
    /// How often it was tried.
    attempts: i64,
    /// What was answered last, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was first tried, milliseconds since 1970.
    first_at: i64,
    /// When it was last tried.
    last_at: i64,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<i64>,
}

impl DeliveryView {
    fn of(row: DeliveryRow) -> Result<Self, StorageError> {
        Ok(Self {
            state: row.state()?,
            seq: row.seq,
            attempts: row.attempts,
            status: row.status,
            error: row.error,
            first_at: row.first_at,
            last_at: row.changed_at,
            next_at: row.next_at,
        })
    }
}

/// Some of the deliveries.
#[derive(Serialize, ToSchema)]
pub(super) struct Deliveries {
    /// Latest first.
    deliveries: Vec<DeliveryView>,
    /// What to give as `before` for those that follow; left out: there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// The company's webhooks
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks",
    responses((status = 200, body = Webhooks), (status = 403, response = Problem)))]
pub(super) async fn list(State(state): State<AppState>, actor: Actor) -> Result<Json<Webhooks>, Problem> {
    let now = state.clock.now().0;
    let rows = state.store.webhooks(&caller(&actor)?.trader).await?;
    let webhooks = rows.into_iter().map(|row| WebhookView::of(row, now)).collect::<Result<_, _>>()?;
    Ok(Json(Webhooks { webhooks }))
}

/// Add a webhook; it is told of what happens from now on
#[utoipa::path(post, path = "/api/v1/webhooks", request_body = WebhookRequest, tag = "webhooks",
    responses((status = 201, body = SecretMade, headers(("Location" = String))), (status = 403, response = Problem),
        (status = 404, response = Problem), (status = 409, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn add(
    State(state): State<AppState>,
    actor: Actor,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, request) = (body.caller(&actor)?, body.parse::<WebhookRequest>()?);
    if !state.outlets.is_open(Channel::Webhook) {
        return Err(Problem::new(StatusCode::NOT_FOUND, Conflict::NoWebhooks));
    }
    let made = state.outlets.add(&caller, &request.url, request.news).await?;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{}", made.id))];
    Ok((StatusCode::CREATED, location, Json(SecretMade::of(made))).into_response())
}

/// Take a webhook away
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", params(("id" = String, Path)), tag = "webhooks",
    responses((status = 204), (status = 404, response = Problem)))]
pub(super) async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.outlets.remove(&caller(&actor)?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tell a webhook nothing more; a replay goes on with it
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/pause", params(("id" = String, Path)), tag = "webhooks",
    responses((status = 204), (status = 404, response = Problem)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.outlets.pause(&caller(&actor)?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook another secret; the present one signs beside it for 24 hours
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/secret", params(("id" = String, Path)), tag = "webhooks",
    responses((status = 200, body = SecretMade), (status = 404, response = Problem)))]
pub(super) async fn roll(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<SecretMade>, Problem> {
    Ok(Json(SecretMade::of(state.outlets.roll(&caller(&actor)?, &id).await?)))
}

/// What came of what a webhook was sent
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", params(("id" = String, Path), Which), tag = "webhooks",
    responses((status = 200, body = Deliveries), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn deliveries(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Deliveries>, Problem> {
    if !(1..=1000).contains(&which.limit) {
        return Err(Problem::fields(vec![FieldError::at("/limit", "1 to 1000")]));
    }
    let (caller, before) = (caller(&actor)?, which.before.unwrap_or(i64::MAX));
    let rows = state.outlets.deliveries(&caller, &id, which.state, before, which.limit).await?;
    let full = rows.len() == which.limit as usize;
    let next = rows.last().filter(|_| full).map(|row| row.seq);
    let deliveries = rows.into_iter().map(DeliveryView::of).collect::<Result<_, _>>()?;
    Ok(Json(Deliveries { deliveries, next }))
}

/// Tell a webhook everything once more from a place in the feed, or go on with one that is paused
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", request_body = ReplayRequest, params(("id" = String, Path)), tag = "webhooks",
    responses((status = 202), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn replay(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (caller, request) = (body.caller(&actor)?, body.parse::<ReplayRequest>()?);
    let from = match (request.after, request.since) {
        (None, None) => ReplayFrom::Here,
        (Some(after), None) if after >= 0 => ReplayFrom::Place(after),
        (Some(_), None) => {
            return Err(Problem::fields(vec![FieldError::at("/after", "0 or more; 0: from the start")]));
        }
        (None, Some(since)) => ReplayFrom::Moment(UtcMillis(since)),
        (Some(_), Some(_)) => {
            return Err(Problem::fields(vec![FieldError::at("/since", "either after or since, not both")]));
        }
    };
    state.outlets.replay(&caller, &id, from).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Tell a webhook one piece of news once more
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{seq}/replay", tag = "webhooks",
    params(("id" = String, Path), ("seq" = i64, Path, description = "Its place in the feed")),
    responses((status = 202), (status = 404, response = Problem), (status = 409, response = Problem)))]
pub(super) async fn replay_one(
    State(state): State<AppState>,
    actor: Actor,
    Path((id, seq)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let seq = seq.parse().map_err(|_| Problem::not_found("event in your feed"))?;
    state.outlets.replay_one(&caller(&actor)?, &id, seq).await?;
    Ok(StatusCode::ACCEPTED)
}
