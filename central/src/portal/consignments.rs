//! A company's consignments: the list, one of them, taking one back.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::date::{moment, stored_day};
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{
    Form, Line, Shape, done, lines, link_button, list as summary, older, tag, warning, warning_button,
};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, escaped, id_of};
use super::terms;
use crate::ccrn::Ccrn;
use crate::state::AppState;
use crate::storage::trade::{ConsignmentRow, EventRow, Find, Position, position, read_position};
use crate::trade::Consignment;
use crate::words::Language;

/// As many as a page of a list shows.
pub(super) const A_PAGE: u32 = 25;

/// What to look for in a list.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    before: String,
}

impl Wanted {
    /// One more than a page, to see whether there are older ones.
    pub(super) fn find(&self) -> Find {
        let before = read_position(&self.before).filter(|(_, id)| id_of(id).is_ok() || id.is_empty());
        Find { text: plain(&self.q), before, most: A_PAGE + 1 }
    }

    /// The address of older ones than the last that is shown.
    pub(super) fn older(&self, list: &str, last: &Position) -> String {
        format!("{list}?q={}&before={}", escaped(&self.q), escaped(&position(last)))
    }
}

/// What databases cannot hold is in no name.
fn plain(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(200).collect()
}

/// What was done before this page.
#[derive(Default, Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

impl Done {
    /// Tell it, if it is one of ours.
    pub(super) fn tell(&self, language: Language) -> Markup {
        const KNOWN: [&str; 17] = [
            "lodged",
            "amended",
            "cancelled",
            "bundled",
            "swapped",
            "moved",
            "reloaded",
            "sealed",
            "kept",
            "saved",
            "removed",
            "told",
            "paused",
            "resumed",
            "again",
            "replayed",
            "webhook-removed",
        ];
        let known = self.done.as_deref().filter(|done| KNOWN.contains(done));
        html! { @if let Some(key) = known { (done(language, &language.say(&format!("done-{key}")))) } }
    }
}

/// The box to search with.
pub(super) fn search(language: Language, address: &str, q: &str, hint: &str) -> Markup {
    let mut fields = Fields::default();
    fields.set("q", q);
    let form = Form { language, fields: &fields, faults: &[] };
    html! {
        form method="get" action=(address) role="search" class="portal-search" {
            (form.input("q", "search", Some(hint), Shape { width: 20, ..Shape::default() }))
            button type="submit" class="govuk-button govuk-button--secondary" { (language.say("search")) }
        }
    }
}

pub(super) async fn list_of(
    state: &AppState,
    person: &SignedIn,
    wanted: &Wanted,
) -> Result<(Vec<ConsignmentRow>, Option<String>), Refusal> {
    let mut rows = state.operations.consignments(&person.caller, &wanted.find()).await?;
    let more = rows.len() > A_PAGE as usize;
    rows.truncate(A_PAGE as usize);
    let last = rows.last().filter(|_| more);
    let next = last.map(|row| wanted.older("/trade/consignments", &(row.lodged_at.0, row.ccrn.to_string())));
    Ok((rows, next))
}

/// A consignment in a list.
pub(super) fn line(language: Language, row: &ConsignmentRow) -> Line {
    let (words, colour) = match row {
        row if row.cancelled => ("status-cancelled", "grey"),
        row if row.movement.is_some() => ("consignment-bundled", "turquoise"),
        _ => ("consignment-lodged", "yellow"),
    };
    let consignment = &row.consignment;
    Line {
        to: Some(format!("/trade/consignments/{}", row.ccrn.as_str())),
        name: html! { span class="portal-mono" { (terms::spaced(row.ccrn.as_str())) } },
        hint: Some(html! {
            (consignment.description.chars().take(80).collect::<String>()) " · " (consignment.consignee.name) " · "
            (stored_day(language, &consignment.expected_date))
        }),
        status: tag(&language.say(words), colour),
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(wanted): Query<Wanted>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let (rows, next) = list_of(&state, &person, &wanted).await?;
    let shown: Vec<_> = rows.iter().map(|row| line(language, row)).collect();
    let content = html! {
        (was.tell(language))
        h1 class="govuk-heading-l" { (language.say("chapter-consignments")) }
        div class="govuk-button-group" {
            (link_button("/trade/consignments/new", &language.say("lodge-title"), false))
            (link_button("/trade/consignments/upload", &language.say("upload-title"), true))
        }
        (search(language, "/trade/consignments", &wanted.q, "search-consignments-hint"))
        @if shown.is_empty() { p class="govuk-body" { (language.say("nothing-found")) } }
        (lines(&shown))
        (older(language, next))
    };
    let title = language.say("chapter-consignments");
    let address = "/trade/consignments";
    Ok(page(&Frame { language, person: Some(&person), title, address, back: None }, &content))
}

/// What a consignment says.
fn items(language: Language, consignment: &Consignment) -> Vec<(String, Markup)> {
    let mut rows = Vec::new();
    let mut row = |key: &str, value: String| {
        rows.push((language.say(key), html! { span class="portal-lines" { (value) } }));
    };
    let party = |party: &crate::trade::Party| format!("{}\n{}", party.name, party.address);
    row("item-direction", language.say(terms::direction(consignment.direction)));
    row("item-expected-date", stored_day(language, &consignment.expected_date));
    row("item-packages", format!("{} {}", consignment.packages, consignment.package_kind));
    row("item-description", consignment.description.clone());
    row("consignor", party(&consignment.consignor));
    row("consignee", party(&consignment.consignee));
    for (key, value) in [
        ("item-hs-code", consignment.hs_code.clone()),
        ("item-origin", consignment.origin.clone()),
        ("item-value", consignment.value_hkd.map(|n| n.to_string())),
        ("item-weight", consignment.net_weight_kg.map(|n| n.to_string())),
    ] {
        if let Some(value) = value {
            row(key, value);
        }
    }
    if consignment.transhipment {
        row("transhipment", language.say("item-transhipment"));
    }
    for (i, line) in consignment.goods.iter().enumerate() {
        let name = language.say_with("goods-line", &[("number", &(i + 1).to_string())]);
        rows.push((name, html! { (line.description) }));
    }
    rows
}

pub(super) async fn one(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(ccrn): Path<String>,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let row = state.operations.consignment(&person.caller, &ccrn).await?;
    let events = state.store.history(&person.caller.trader, ccrn.as_str()).await?;
    let address = format!("/trade/consignments/{}", ccrn.as_str());
    let say = |key| language.say(key);
    let mut rows = items(language, &row.consignment);
    if let Some(movement) = &row.movement {
        let to = format!("/trade/movements/{movement}");
        rows.insert(
            0,
            (say("item-movement"), html! { a class="govuk-link" href=(to) { (say("movement-see")) } }),
        );
    }
    let content = html! {
        (was.tell(language))
        div class="govuk-panel govuk-panel--confirmation portal-number" {
            h1 class="govuk-panel__title" { (say("ccrn")) }
            div class="govuk-panel__body portal-mono" { (terms::spaced(ccrn.as_str())) }
        }
        @if row.cancelled { (warning(language, &say("refused-cancelled"))) }
        @else {
            p class="govuk-body" { (say("ccrn-what")) }
            div class="govuk-button-group" {
                (link_button(&format!("{address}/slip"), &say("slip-print"), false))
                (link_button(&format!("/trade/movements/new?ccrn={}", ccrn.as_str()), &say("bundle-title"), true))
                (link_button(&format!("{address}/amend"), &say("amend"), true))
                a class="govuk-link" href={ (address) "/cancel" } { (say("cancel-consignment")) }
            }
        }
        (summary(&rows))
        h2 class="govuk-heading-m" { (say("past")) }
        (history(language, &state, &events))
    };
    let title = format!("{} {}", say("ccrn"), terms::spaced(ccrn.as_str()));
    let frame = Frame {
        language,
        person: Some(&person),
        title,
        address: &address,
        back: Some("/trade/consignments"),
    };
    Ok(page(&frame, &content))
}

/// What happened, latest first.
pub(super) fn history(language: Language, state: &AppState, events: &[EventRow]) -> Markup {
    let place = state.operations.place();
    html! {
        ul class="govuk-list portal-history" { @for event in events {
            li {
                span class="govuk-hint" { (moment(language, place, UtcMillis(event.at))) }
                (terms::news(language, place, &event.news))
            }
        } }
    }
}

/// A page that asks once more.
pub(super) fn confirm_page(
    language: Language,
    person: &SignedIn,
    (address, back): (&str, &str),
    (title, what): (&str, &str),
    version: u32,
) -> Markup {
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            h1 class="govuk-heading-l" { (title) }
            (warning(language, what))
            form method="post" action=(address) {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="version" value=(version);
                div class="govuk-button-group" {
                    (warning_button(title))
                    a class="govuk-link" href=(back) { (language.say("no-go-back")) }
                }
            }
        } }
    };
    let title = title.to_owned();
    page(&Frame { language, person: Some(person), title, address, back: Some(back) }, &content)
}

pub(super) async fn confirm(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(ccrn): Path<String>,
) -> Result<Markup, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let row = state.operations.consignment(&person.caller, &ccrn).await?;
    let back = format!("/trade/consignments/{}", ccrn.as_str());
    let title = language.say_with("cancel-consignment-title", &[("ccrn", &terms::spaced(ccrn.as_str()))]);
    let what = language.say("cancel-consignment-what");
    Ok(confirm_page(language, &person, (&format!("{back}/cancel"), &back), (&title, &what), row.version))
}

pub(super) async fn cancel(
    State(state): State<AppState>,
    Path(ccrn): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let seen = posted.fields.get("version").parse().map_err(|_| Refusal::NoForm)?;
    state.operations.cancel_consignment(&posted.person.caller, &ccrn, Some(seen)).await?;
    Ok(Redirect::to(&format!("/trade/consignments/{}?done=cancelled", ccrn.as_str())).into_response())
}
