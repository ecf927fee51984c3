//! The REST API for shippers' and officers' systems, version 1, with its OpenAPI description.

mod auth;
pub(crate) mod fuzzing;
mod problem;
mod submissions;

use axum::{Json, Router, routing::get};
pub use problem::Problem;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// The largest request body taken, bytes.
const MOST_BODY: usize = 1 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Clearlane central",
    version = "1",
    description = "Lodge consignments, bundle them with a vehicle, assign action codes, follow passages.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

fn parts() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(submissions::lodge))
        .routes(routes!(submissions::consignment))
        .routes(routes!(submissions::bundle))
        .routes(routes!(submissions::movement))
        .routes(routes!(submissions::assign, submissions::revoke))
        .routes(routes!(submissions::passages))
        .routes(routes!(submissions::passage))
        .split_for_parts()
}

/// The OpenAPI description, generated from the handlers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    parts().1
}

/// The API's routes.
pub fn router(state: AppState) -> Router {
    let (routes, description) = parts();
    routes
        .route("/api/v1/openapi.json", get(move || async move { Json(description) }))
        .route("/healthz", get(|| async { "ok" }))
        .layer(axum::extract::DefaultBodyLimit::max(MOST_BODY))
        .with_state(state)
}
