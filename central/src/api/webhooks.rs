//! A company's webhooks: where its systems are told what happens, and what came of it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::caller;
use super::body::{Asked, Body};
use super::problem::{FieldError, Problem};
use crate::messages::{Secret, sealed_for};
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::messages::{
    AddWebhook, DeliveryRow, DeliveryState, RemoveWebhook, Replay, ReplayOne, RollSecret, WebhookRow,
};
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

/// How a webhook stands.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WebhookState {
    /// It takes what it is told, or was told nothing yet.
    Active,
    /// It takes nothing at present; it is tried again.
    Failing,
    /// It is told nothing until it is replayed.
    Paused,
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
        let state = match (row.paused_at, row.failing_since) {
            (Some(_), _) => WebhookState::Paused,
            (None, Some(_)) => WebhookState::Failing,
            (None, None) => WebhookState::Active,
        };
        Ok(Self {
            news: row.topics()?,
            state,
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
    after: Option<i64>,
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
    let closed =
        || Problem::new(StatusCode::NOT_FOUND, "this central sends no webhooks; follow /api/v1/events");
    let url = state.channels.webhooks().ok_or_else(closed)?.receiver(&request.url);
    let url = url.map_err(|e| Problem::fields(vec![FieldError::at("/url", e)]))?;
    if request.news.is_empty() {
        let detail = "name at least one kind of news, or leave it out for everything";
        return Err(Problem::fields(vec![FieldError::at("/news", detail)]));
    }
    let id = format!("w-{}", uuid::Uuid::now_v7().simple());
    let (secret, sealed) = fresh(&state, &id);
    let topics = request.news;
    let change = AddWebhook { caller, id: id.clone(), url, topics, secret: sealed, at: state.clock.now() };
    state.store.change(change).await?;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{id}"))];
    let made = SecretMade { id, secret: secret.shown() };
    Ok((StatusCode::CREATED, location, Json(made)).into_response())
}

/// A secret, and as it is stored.
fn fresh(state: &AppState, id: &str) -> (Secret, Vec<u8>) {
    let secret = Secret::fresh();
    let sealed = state.vault.seal(&sealed_for(id), secret.bytes());
    (secret, sealed)
}

/// Take a webhook away
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", params(("id" = String, Path)), tag = "webhooks",
    responses((status = 204), (status = 404, response = Problem)))]
pub(super) async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.store.change(RemoveWebhook { caller: caller(&actor)?, id, at: state.clock.now() }).await?;
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
    let (secret, sealed) = fresh(&state, &id);
    let change =
        RollSecret { caller: caller(&actor)?, id: id.clone(), secret: sealed, at: state.clock.now() };
    state.store.change(change).await?;
    Ok(Json(SecretMade { id, secret: secret.shown() }))
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
    let unknown = || Problem::not_found("webhook");
    let webhook = state.store.webhook(&caller(&actor)?.trader, &id).await?.ok_or_else(unknown)?;
    let before = which.before.unwrap_or(i64::MAX);
    let rows = state.store.deliveries(&webhook.id, which.state, before, which.limit).await?;
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
    if request.after.is_some_and(|after| after < 0) {
        return Err(Problem::fields(vec![FieldError::at("/after", "0 or more; 0: from the start")]));
    }
    state.store.change(Replay { caller, id, after: request.after, at: state.clock.now() }).await?;
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
    state.store.change(ReplayOne { caller: caller(&actor)?, id, seq, at: state.clock.now() }).await?;
    Ok(StatusCode::ACCEPTED)
}
