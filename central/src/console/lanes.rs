//! Lanes live.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use clearance::decide::Signal;
use clearance::follower::Quarantine;
use clearance::ids::{EdgeId, LaneId, SiteId};
use clearance::passage::{LaneStatus, ReplicaHealth};
use futures::{Stream, StreamExt as _};
use maud::{Markup, html};
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;

use super::forks;
use super::notice::{self, Notice};
use super::page::{Frame, page};
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::officers::Deed;
use crate::state::{AppState, CentralEvent};
use crate::words::Language;

/// A lane that has not told for so long is out of contact.
const SILENT_MS: i64 = 3_000;

pub(super) async fn lanes(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(told): Query<Told>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let now = state.clock.now().0;
    let (statuses, refused) = {
        let lanes = state.lanes();
        (lanes.status.values().cloned().collect::<Vec<_>>(), lanes.refused.clone())
    };
    let content = html! {
        h1 { (language.say("lanes")) }
        @if let Some(notice) = told.notice.as_deref().and_then(Notice::of_key) { (notice::Told::from(notice).panel(language)) }
        @for (site, edge, why) in quarantined(&statuses) { (forks::form(language, &officer, site, edge, why)) }
        @if statuses.is_empty() { p { (language.say("no-lanes")) } }
        div class="cards" {
            @for (status, heard) in &statuses { (card(language, status, now - heard)) }
        }
        @if !refused.is_empty() {
            h2 { (language.say("refused-records")) }
            ul { @for (what, why) in refused.iter().rev() {
                li { (language.say(terms::lane_record(*what))) " — " span lang="en" { (why) } }
            } }
        }
    };
    Ok(page(
        &Frame { language, officer: Some(&officer), page: "lanes", works: false, address: "/console/lanes" },
        &content,
    ))
}

/// What there is to tell, as its key.
#[derive(Deserialize)]
pub(super) struct Told {
    notice: Option<String>,
}

/// Each edge that is quarantined, once, however many lanes it has.
fn quarantined(statuses: &[(LaneStatus, i64)]) -> Vec<(&SiteId, &EdgeId, Quarantine)> {
    let mut edges = Vec::new();
    for (status, _) in statuses {
        if let ReplicaHealth::Quarantined(why) = status.replica
            && !edges.iter().any(|(site, edge, _)| (*site, *edge) == (&status.site, &status.edge))
        {
            edges.push((&status.site, &status.edge, why));
        }
    }
    edges
}

fn card(language: Language, status: &LaneStatus, silent_ms: i64) -> Markup {
    let say = |key| language.say(key);
    let silent = silent_ms > SILENT_MS;
    let colour = match status.signal {
        _ if silent => "warn",
        Signal::Proceed => "go",
        _ => "stop",
    };
    let picture = format!("/console/lanes/{}/{}/picture.jpg?at={}", status.site, status.lane, status.at.0);
    html! {
        section class="panel" aria-label={ (status.site) " " (status.lane) } {
            img src=(picture) alt="";
            h2 { (status.site) " · " (status.lane) }
            p class={ "lamp " (colour) } {
                @if silent { (say("out-of-contact")) } @else { (say(terms::phase(status.phase))) " — " (say(terms::signal(status.signal))) }
            }
            @if let Some(reading) = &status.reading { p class="mark" { (reading) } }
            dl {
                @if let Some(fault) = status.fault { dt { (say("fault")) } dd class="stop" { (say(terms::fault(fault))) } }
                dt { (say("lease-left")) }
                dd { @if status.lease_left_ms == 0 { span class="stop" { (say("lease-stale")) } }
                     @else { (status.lease_left_ms / 1000) " " (say("seconds")) } }
                dt { (say("replica")) }
                dd { @match status.replica {
                    ReplicaHealth::Live => { (say(terms::replica(status.replica))) }
                    ReplicaHealth::Quarantined(why) => { span class="stop" { (say(terms::replica(status.replica))) ": " (say(terms::quarantine(why))) } }
                    other => { span class="stop" { (say(terms::replica(other))) } }
                } }
                dt { (say("revision")) } dd { (status.epoch.0) "." (status.revision.0)
                    @if status.lag > 0 { " (" (status.lag) " " (say("revisions-behind")) ")" } }
                dt { (say("compared")) }
                dd { @match status.compared_s_ago {
                    Some(seconds) => { (seconds) " " (say("seconds-ago")) }
                    None => { (say("not-yet")) }
                } }
                dt { (say("outbox")) } dd { (status.outbox_depth) }
                dt { (say("frames-per-second")) } dd { (format!("{:.1}", status.frames_per_second)) }
            }
        }
    }
}

pub(super) async fn picture(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(lane): Path<(SiteId, LaneId)>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let picture = state.lanes().pictures.get(&lane).cloned().ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], picture.as_ref().clone()).into_response())
}

/// News, so that pages fetch themselves again. A client that falls behind misses news of what it fetches whole anyway.
pub(super) async fn events(
    State(state): State<AppState>,
    officer: SignedIn,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let news = BroadcastStream::new(state.events.subscribe()).filter_map(|event| async {
        match event.ok()? {
            CentralEvent::Lane(site, lane) => {
                Some(Ok(Event::default().event("lane").data(format!("{site}/{lane}"))))
            }
            CentralEvent::Declared => Some(Ok(Event::default().event("declared").data("declared"))),
            CentralEvent::Passage(id) => Some(Ok(Event::default().event("passage").data(id.to_string()))),
        }
    });
    Ok(Sse::new(news).keep_alive(KeepAlive::new().interval(Duration::from_secs(5))))
}
