//! Vehicles that wait for an officer, and what is known of each.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clearance::ids::{Digest, NameError, PassageId};
use clearance::passage::{DecisionRecord, PlateEvidence};
use maud::{Markup, html};
use serde::Deserialize;

use super::decide::VEHICLE;
use super::history::civil;
use super::notice::{Notice, Told};
use super::offers::{Offer, expected, offers};
use super::page::{Frame, page};
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::{OrderReason, OrderRow, OrderState, PassageRow};
use crate::words::Language;

#[derive(Deserialize)]
pub(super) struct Selected {
    passage: Option<PassageId>,
    /// What there is to tell, as its key.
    notice: Option<String>,
    /// About whom or what.
    about: Option<String>,
}

impl Selected {
    fn told(&self) -> Option<Told> {
        let notice = self.notice.as_deref().and_then(Notice::of_key)?;
        Some(Told { notice, about: self.about.clone() })
    }

    /// The page's address without what was told, which is said once.
    fn address(&self) -> String {
        self.passage.map_or_else(|| "/console/queue".to_owned(), |id| format!("/console/queue?passage={id}"))
    }
}

pub(super) async fn queue(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(selected): Query<Selected>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let waiting = state.store.waiting().await?;
    let current = match selected.passage {
        Some(id) => state.store.passage(id).await?,
        None => waiting.first().cloned(),
    };
    let now = state.clock.now().0;
    let say = |key: &str| language.say(key);
    let content = html! {
        h1 { (say("queue")) " (" (waiting.len()) ")" }
        @if let Some(told) = selected.told() { (told.panel(language)) }
        div class="split" {
            ul class="list" aria-live="polite" {
                @for row in &waiting {
                    li { a href={ "?passage=" (row.id) } aria-current=[current.as_ref().filter(|c| c.id == row.id).map(|_| "true")] {
                        strong class="mark" { (first_mark(row)) }
                        div class="soft" { (row.lane) " · " (say("waiting-since")) " " ((now - row.began).max(0) / 1000) " " (say("seconds")) }
                    } }
                }
            }
            div {
                @match &current {
                    Some(row) => { (detail(&state, &officer, language, row).await?) }
                    None => { p class="panel" { (say("nothing-waiting")) } }
                }
                p class="soft" { (say("keys")) }
            }
        }
    };
    let address = selected.address();
    Ok(page(
        &Frame { language, officer: Some(&officer), page: "queue", works: false, address: &address },
        &content,
    ))
}

pub(super) fn first_mark(row: &PassageRow) -> String {
    let plates = row.decision.as_ref().map_or(&[][..], |d| &d.plates);
    let first = plates.iter().find_map(|p| p.candidates.first());
    first.map_or_else(|| "—".to_owned(), |c| c.mark.spaced())
}

async fn detail(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    row: &PassageRow,
) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let Some(decision) = &row.decision else {
        return Ok(html! { p class="panel" { (say("nothing-waiting")) } });
    };
    let site = row.site.parse().map_err(|e: NameError| Refusal::Failed(e.to_string()))?;
    let expected = expected(state, &site, row).await?;
    let mut plates = Vec::new();
    for (number, plate) in decision.plates.iter().enumerate() {
        let offers = offers(state, &site, &decision.plates, number, &expected).await?;
        plates.push(plate_form(language, number, plate, &offers));
    }
    let orders = state.store.orders(row.id).await?;
    let twins = state.store.twins(row.id).await?;
    let may = officer.actor.role.may(Deed::DecidePassage);
    Ok(html! {
        section class="panel" {
            h2 { (row.site) " · " (row.lane) }
            p { strong { (say("reason")) ": " } (terms::reason_told(language, decision.reason)) }
            @for twin in &twins {
                p class="stop" { (say("twin")) ": " span class="mark" { (twin.mark) } " · " (twin.lane) " · "
                    a href={ "?passage=" (twin.other) } { (civil(twin.at)) } }
            }
            @if row.left_at.is_some() { p class="warn" { (say("vehicle-left")) } }
            (seen(language, row, decision))
            form method="post" action={ "/console/passages/" (row.id) "/decide" } {
                input type="hidden" name="csrf" value=(officer.csrf);
                div class="plates" { @for plate in &plates { (plate) } }
                @let vehicle = format!("mark_{VEHICLE}");
                label class="row" { (say("vehicle-mark"))
                    input id=(vehicle) name=(vehicle) class="mark" maxlength="12";
                    span class="soft" { (say("vehicle-mark-note")) }
                }
                @if may {
                    label class="row" { (say("why"))
                        select name="reason" {
                            @for why in OrderReason::ALL.map(terms::order_reason) { option value=(why) { (say(why)) } }
                        }
                    }
                    div class="row" {
                        @if row.waiting && row.left_at.is_none() {
                            button id="verdict-release" class="release" name="verdict" value="release" { (say("release")) }
                            button id="verdict-inspect" name="verdict" value="inspect" { (say("inspect")) }
                            button id="verdict-documents" name="verdict" value="documents" { (say("documents")) }
                        }
                        button id="verdict-read" name="verdict" value="read" { (say("keep-read")) }
                    }
                }
            }
            (order_list(language, officer, row, &orders))
        }
    })
}

fn order_list(language: Language, officer: &SignedIn, row: &PassageRow, orders: &[OrderRow]) -> Markup {
    html! {
        @for order in orders { (order_line(language, order)) }
        @if !orders.is_empty() && row.left_at.is_none() {
            form method="post" action={ "/console/passages/" (row.id) "/undo" } class="row" {
                input type="hidden" name="csrf" value=(officer.csrf);
                button id="undo" { (language.say("undo")) }
                span class="soft" { (language.say("undo-note")) }
            }
        }
    }
}

fn order_line(language: Language, order: &OrderRow) -> Markup {
    let say = |key| language.say(key);
    html! {
        p class="soft" {
            (say("decided-by")) ": " (order.officer) " · " (say(terms::verdict(order.verdict)))
            @if let Some(reason) = order.reason { " · " (say(terms::order_reason(reason))) }
            " — " (say(terms::order_state(&order.state)))
            // In the lane's own words.
            @if let OrderState::Refused(why) = &order.state { " (" span lang="en" { (why) } ")" }
        }
    }
}

/// The whole picture with the plates outlined, and what the lane sees now.
fn seen(language: Language, row: &PassageRow, decision: &DecisionRecord) -> Markup {
    let picture = decision.plates.iter().find_map(|p| p.picture);
    let live = format!("/console/lanes/{}/{}/picture.jpg", row.site, row.lane);
    html! {
        div class="pictures" {
            @if let Some(picture) = picture {
                figure {
                    div class="seen" {
                        img src={ "/console/evidence/" (picture) } alt=(language.say("picture-decided"));
                        // The script gives it the picture's size.
                        svg aria-hidden="true" {
                            @for plate in decision.plates.iter().filter(|p| p.picture == Some(picture)) {
                                polygon points=(points(&plate.corners)) {}
                            }
                        }
                    }
                    figcaption class="soft" { (language.say("picture-decided")) }
                }
            }
            @if row.left_at.is_none() {
                figure {
                    img src=(live) data-live=(live) alt=(language.say("picture-now"));
                    figcaption class="soft" { (language.say("picture-now")) }
                }
            }
        }
    }
}

fn points(corners: &[f32; 8]) -> String {
    corners.chunks(2).map(|p| format!("{:.0},{:.0}", p[0], p[1])).collect::<Vec<_>>().join(" ")
}

fn plate_form(language: Language, number: usize, plate: &PlateEvidence, offers: &[Offer]) -> Markup {
    let say = |key: &str| language.say(key);
    let field = format!("mark_{number}");
    let best = plate.candidates.first().map_or("", |c| c.mark.as_str());
    html! {
        div {
            h2 { (say("plate")) " " (number + 1) }
            @match plate.crop {
                Some(crop) => { img class="crop" src={ "/console/evidence/" (crop) } alt=(say("plate")); }
                None => { p class="soft" { (say("no-picture")) } }
            }
            label class="row" { (say("mark"))
                input id=(field) name=(field) class="mark" value=(best) maxlength="12" placeholder=(say("unreadable"));
            }
            label class="row" { input type="checkbox" name={ "not_plate_" (number) }; (say("not-a-plate")) }
            p class="soft" { (say("candidates")) }
            ol {
                @for offer in offers {
                    li { button type="button" class="pick" data-pick=(offer.mark) data-field=(field) {
                        span class="mark" { (offer.mark.spaced()) } " "
                        @match offer.probability {
                            Some(p) => { (format!("{:.0}%", p * 100.0)) }
                            None => { (say("expected-vehicle")) }
                        }
                        @if offer.other_plate { " · " (say("other-plate-agrees")) }
                        span class="soft" { " · " (say("directive")) ": "
                            @match &offer.directive {
                                Some(entry) => {
                                    (say(terms::action(entry.directive.action)))
                                    @if let Some(status) = terms::status(entry.status) { " (" (say(status)) ")" }
                                }
                                None => { (say("no-directive-for-mark")) }
                            }
                        }
                    } }
                }
            }
        }
    }
}

pub(super) async fn evidence(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(digest): Path<Digest>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let jpeg = state.store.evidence(digest).await?.ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
