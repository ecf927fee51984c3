//! The REST API for shippers' and officers' systems, version 1, with its OpenAPI description.

mod auth;
mod body;
mod certificates;
mod company;
mod consignments;
mod customs;
mod described;
mod draws;
mod evidence;
mod feed;
mod files;
pub(crate) mod fuzzing;
mod movements;
mod problem;
mod rate;
mod requests;
mod signed;
mod strangers;
mod webhooks;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::{Json, Router};
pub(crate) use files::read_aside;
pub use problem::Problem;
pub use rate::{RateLimit, RateLimits};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;
use crate::trade::batch::Format;

/// The largest request body taken, bytes.
const MOST_BODY: usize = 1 << 20;

/// The largest body of a request with many consignments, bytes.
const MOST_BATCH: usize = 32 << 20;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Clearlane central",
        version = "1",
        description = "Lodge consignments, bundle them with a vehicle, assign action codes, follow passages. Every error is a problem (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Everywhere),
    components(responses(Problem), schemas(Format)),
    security(("token" = [])),
    tags((name = "consignments", description = "What shippers declare"), (name = "movements", description = "What drivers bundle with a vehicle"),
        (name = "events", description = "What happens, in order"), (name = "company", description = "Whom a company wants told"),
        (name = "webhooks", description = "A company's systems are told what happens"), (name = "certificates", description = "Certificates of systems"),
        (name = "customs", description = "For customs"), (name = "draws", description = "For everybody"))
)]
struct Description;

/// What holds for every operation.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let token = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token from `central token create`"))
            .build();
        api.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}

fn parts() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let batch =
        OpenApiRouter::new().routes(routes!(requests::lodge_many)).layer(DefaultBodyLimit::max(MOST_BATCH));
    let (routes, mut api) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(consignments::lodge, consignments::list))
        .routes(routes!(consignments::look, consignments::amend, consignments::cancel))
        .routes(routes!(files::template))
        .routes(routes!(consignments::history))
        .routes(routes!(consignments::report_seal))
        .routes(routes!(requests::request))
        .routes(routes!(movements::bundle))
        .routes(routes!(movements::list))
        .routes(routes!(movements::look, movements::revise, movements::cancel))
        .routes(routes!(movements::history))
        .routes(routes!(movements::vehicles))
        .routes(routes!(movements::put_vehicle, movements::remove_vehicle))
        .routes(routes!(feed::events))
        .routes(routes!(company::look, company::put))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::remove))
        .routes(routes!(webhooks::pause))
        .routes(routes!(webhooks::roll))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::replay))
        .routes(routes!(webhooks::replay_one))
        .routes(routes!(certificates::enrol, certificates::certificates))
        .routes(routes!(certificates::renew))
        .routes(routes!(certificates::revoke))
        .routes(routes!(evidence::evidence))
        .routes(routes!(draws::draws))
        .routes(routes!(customs::assign, customs::revoke))
        .routes(routes!(customs::inspected))
        .routes(routes!(customs::seal))
        .routes(routes!(customs::publish_notice, customs::notices))
        .routes(routes!(customs::passages))
        .routes(routes!(customs::passage))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .merge(batch)
        .split_for_parts();
    described::complete(&mut api);
    (routes, api)
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
        .route("/api/{*rest}", any(|| async { Problem::not_found("address; see /api/v1/openapi.json") }))
        .route("/healthz", get(|| async { "ok" }))
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method")
        })
        .with_state(state)
}
