//! The officers' console: server-rendered pages, kept current by server-sent events, in three languages.

mod accounts;
mod address;
mod decide;
mod forks;
pub(crate) mod history;
mod lanes;
mod notice;
mod offers;
pub(crate) mod page;
mod queue;
pub(crate) mod session;
pub(crate) mod terms;

pub(crate) use address::escaped;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
pub(crate) use page::harden;

use crate::state::AppState;

/// The console's routes.
pub fn router(state: AppState) -> Router {
    let css = ([(header::CONTENT_TYPE, "text/css")], include_str!("../../assets/console.css"));
    let js = ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../../assets/console.js"));
    Router::new()
        .route("/", get(|| async { Redirect::to("/console/queue") }))
        .route("/console", get(|| async { Redirect::to("/console/queue") }))
        .route("/console/assets/console.css", get(move || async move { css.into_response() }))
        .route("/console/assets/console.js", get(move || async move { js.into_response() }))
        .route("/console/sign-in", get(session::form).post(session::sign_in))
        .route("/console/sign-out", post(session::sign_out))
        .route("/console/language/{language}", get(session::language))
        .route("/console/lanes", get(lanes::lanes))
        .route("/console/lanes/{site}/{lane}/picture.jpg", get(lanes::picture))
        .route("/console/edges/{site}/{edge}/accept", post(forks::accept))
        .route("/console/events", get(lanes::events))
        .route("/console/queue", get(queue::queue))
        .route("/console/history", get(history::history))
        .route("/console/evidence/{digest}", get(queue::evidence))
        .route("/console/passages/{id}/decide", post(decide::decide))
        .route("/console/passages/{id}/undo", post(decide::undo))
        .route("/console/officers", get(accounts::list).post(accounts::save))
        .merge(crate::workbench::routes())
        .layer(axum::middleware::from_fn(session::tell_refusals))
        .layer(axum::middleware::map_response(page::harden))
        .with_state(state)
}
