//! What everybody may know of the random draw, without signing in: nobody can predict it, everybody can verify it afterwards.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Asked;
use super::problem::{FieldError, Problem};
use crate::screening::{Published, published};
use crate::state::AppState;

/// So many days back the answer begins where nobody says otherwise.
const BACK: i64 = 60;

/// Where the days begin.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// The first day, `YYYY-MM-DD`; left out: 60 days ago.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<String>,
}

/// What everybody may know of the draw.
#[derive(Serialize, ToSchema)]
pub(super) struct Draws {
    /// By day, 100 at most; with those to come, whose keys are made already.
    draws: Vec<Published>,
}

/// Follow the random draw: the commitment to each day's key before the day, and the key when nothing of the day can cross any more
#[utoipa::path(get, path = "/api/v1/draws", params(From), tag = "draws", security(()),
    responses((status = 200, body = Draws), (status = 422, response = Problem)))]
pub(super) async fn draws(
    State(state): State<AppState>,
    Asked(asked): Asked<From>,
) -> Result<Json<Draws>, Problem> {
    let (place, now) = (state.operations.place(), state.clock.now());
    let from: Date = match asked.from {
        None => place.day(now).saturating_sub(jiff::Span::new().days(BACK)),
        Some(day) => {
            let wrong = |_| Problem::fields(vec![FieldError::at("/from", "a day, YYYY-MM-DD")]);
            day.parse().map_err(wrong)?
        }
    };
    Ok(Json(Draws { draws: published(&state.store, &state.vault, (place, now), from).await? }))
}
