//! What happened to a company's consignments and movements, in order.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::caller;
use super::body::Asked;
use super::problem::{FieldError, Problem};
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::trade::EventRow;

/// Where in the feed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// `next` of the page before; 0: from the start.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

fn default_limit() -> u32 {
    100
}

/// Some of the feed.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    /// In order.
    events: Vec<EventRow>,
    /// What to give as `after` for those that follow.
    next: i64,
}

/// Follow what happens
#[utoipa::path(get, path = "/api/v1/events", params(After), tag = "events",
    responses((status = 200, body = Events), (status = 422, response = Problem)))]
pub(super) async fn events(
    State(state): State<AppState>,
    actor: Actor,
    Asked(asked): Asked<After>,
) -> Result<Json<Events>, Problem> {
    let mut wrong = Vec::new();
    if asked.after < 0 {
        wrong.push(FieldError::at("/after", "0 or more; 0: from the start"));
    }
    if !(1..=1000).contains(&asked.limit) {
        wrong.push(FieldError::at("/limit", "1 to 1000"));
    }
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    let events = state.operations.news(&caller(&actor)?, asked.after, asked.limit).await?;
    let next = events.last().map_or(asked.after, |event| event.seq);
    Ok(Json(Events { events, next }))
}
