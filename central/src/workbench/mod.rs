//! The selectors' workbench: a queue that orders itself, one page for each movement, codes with reasons, a second pair of eyes for
//! less strict ones, hand-overs; the page of the inspection bays; the rules of screening; and figures. Part of the officers' console: same sign-in, same
//! frame, same live updates. `docs/design/workbench.md`.

mod audits;
mod bay;
mod bulk;
mod cargo;
mod charts;
mod clock;
mod decide;
pub mod decision;
mod engine;
mod export;
mod figures;
mod forecast;
mod form;
mod handover;
mod histories;
mod inspect;
mod listed;
mod movement;
mod operate;
mod order;
mod photographs;
mod queue;
mod route;
mod rows;
mod rules;
mod similar;
mod terms;
mod told;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};

use crate::state::{AppState, CentralEvent};

/// How often it is looked whether something was declared or decided, here or by another central.
const LOOK: Duration = Duration::from_secs(1);

/// The routes, below `/console`.
pub(crate) fn routes() -> Router<AppState> {
    let css = ([(header::CONTENT_TYPE, "text/css")], include_str!("../../assets/workbench.css"));
    let js = ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../../assets/workbench.js"));
    Router::new()
        .route("/console/assets/workbench.css", get(move || async move { css.into_response() }))
        .route("/console/assets/workbench.js", get(move || async move { js.into_response() }))
        .route("/console/workbench", get(queue::queue))
        .route("/console/workbench/bulk", post(bulk::decide))
        .route("/console/workbench/handover", get(handover::show).post(handover::hand_over))
        .route("/console/workbench/handover/{id}/taken", post(handover::taken))
        .route("/console/workbench/movements/{id}", get(movement::show))
        .route("/console/workbench/movements/{id}/decide", post(decide::decide))
        .route("/console/workbench/movements/{id}/take", post(decide::take))
        .route("/console/workbench/movements/{id}/let-go", post(decide::let_go))
        .route("/console/workbench/decisions/{id}/second", post(decide::second))
        .route("/console/workbench/audits", get(audits::list))
        .route("/console/workbench/audits.csv", get(audits::csv))
        .route("/console/bay", get(bay::list))
        .route("/console/bay/{id}", get(inspect::show))
        .route("/console/bay/{id}/outcome", post(inspect::outcome))
        .route(
            "/console/bay/{id}/photographs",
            post(photographs::keep).layer(DefaultBodyLimit::max(photographs::MOST_BYTES)),
        )
        .route("/console/bay/photographs/{digest}", get(photographs::show))
        .route("/console/figures", get(figures::show))
        .route("/console/figures/capacity", post(figures::set_capacity))
        .route("/console/figures/{table}", get(export::csv))
        .merge(rules::routes())
}

/// Tell the pages when something was declared, decided or changed, by whichever central of the database.
pub(crate) async fn follow(state: AppState) {
    let mut every = tokio::time::interval(LOOK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        every.tick().await;
        match state.store.end_of_news().await {
            Ok(end) => {
                if seen.replace(end).is_some_and(|before| before != end) {
                    // Nobody listening: no page is open.
                    let _ = state.events.send(CentralEvent::Declared);
                }
            }
            Err(error) => tracing::debug!(%error, "the pages of the workbench are not told what is new"),
        }
    }
}
