//! An edge that has met a contradiction in central's history, and the officer who settles it.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::follower::Quarantine;
use clearance::ids::{EdgeId, OfficerId, SiteId};
use clearance::passage::ReplicaHealth;
use maud::{Markup, html};
use serde::Deserialize;

use super::notice::Notice;
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::officers::Deed;
use crate::state::AppState;
use crate::words::Language;

/// The longest reason kept, in characters.
const LONGEST_REASON: usize = 500;

#[derive(Deserialize)]
pub(super) struct AcceptForm {
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// What has happened to an edge, and, for whoever may, the way out.
pub(super) fn form(
    language: Language,
    officer: &SignedIn,
    site: &SiteId,
    edge: &EdgeId,
    why: Quarantine,
) -> Markup {
    let say = |key: &str| language.say(key);
    html! {
        section class="panel note" role="alert" aria-label={ (say("replica-quarantined")) " " (site) " " (edge) } {
            h2 class="stop" { (site) " · " (edge) " · " (say("replica-quarantined")) }
            p { (say(terms::quarantine(why))) " " (say("fork-what-it-means")) }
            @if officer.actor.role.may(Deed::AcceptFork) {
                form method="post" action={ "/console/edges/" (site) "/" (edge) "/accept" } class="stack" {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    label { (say("fork-reason")) textarea name="reason" rows="2" required maxlength=(LONGEST_REASON) {} }
                    button class="primary" { (say("fork-accept")) }
                }
            }
        }
    }
}

pub(super) async fn accept(
    State(state): State<AppState>,
    officer: SignedIn,
    Path((site, edge)): Path<(SiteId, EdgeId)>,
    Form(form): Form<AcceptForm>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AcceptFork, Some(&form.csrf))?;
    let notice = settle(&state, &officer, &site, &edge, form.reason.trim()).await?;
    Ok(Redirect::to(&format!("/console/lanes?notice={}", notice.key())).into_response())
}

async fn settle(
    state: &AppState,
    officer: &SignedIn,
    site: &SiteId,
    edge: &EdgeId,
    reason: &str,
) -> Result<Notice, Refusal> {
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Ok(Notice::ForkNoReason);
    }
    let contradiction = state.lanes().status.values().find_map(|(status, _)| match status.replica {
        ReplicaHealth::Quarantined(why) if status.site == *site && status.edge == *edge => Some(why),
        _ => None,
    });
    let Some(contradiction) = contradiction else { return Ok(Notice::ForkNone) };
    let name: OfficerId =
        officer.actor.name.parse().map_err(|e: clearance::ids::NameError| Refusal::Failed(e.to_string()))?;
    state.store.accept_fork((site, edge), contradiction, &name, reason, state.clock.now()).await?;
    Ok(Notice::ForkAccepted)
}
