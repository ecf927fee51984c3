//! The slip of a consignment, to be printed and given to the driver.

use axum::extract::{Path, State};
use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;

use super::date::stored_day;
use super::frame::{Frame, page};
use super::parts::list;
use super::refusal::Refusal;
use super::session::SignedIn;
use super::terms;
use crate::ccrn::Ccrn;
use crate::state::AppState;
use crate::words::Language;

/// A QR code of a text, and what it says to whoever does not see it.
pub(super) fn qr_code(text: &str, words: &str) -> Result<Markup, Refusal> {
    let code = QrCode::new(text.as_bytes()).map_err(Refusal::failed)?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(220, 220).quiet_zone(true).build();
    // Without the prologue, which stands at the head of files only.
    let drawn = drawn.find("<svg").map_or("", |at| &drawn[at..]).to_owned();
    Ok(html! { div role="img" aria-label=(words) { (PreEscaped(drawn)) } })
}

pub(super) async fn slip(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(ccrn): Path<String>,
) -> Result<Markup, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let row = state.operations.consignment(&person.caller, &ccrn).await?;
    let say = |key| language.say(key);
    let consignment = &row.consignment;
    // The driver's telephone opens the page on which this consignment is bundled.
    let link = format!("{}/trade/movements/new?ccrn={}", state.portal.origin, ccrn.as_str());
    let rows = [
        (say("item-direction"), html! { (say(terms::direction(consignment.direction))) }),
        (say("item-expected-date"), html! { (stored_day(language, &consignment.expected_date)) }),
        (say("item-packages"), html! { (consignment.packages) " " (consignment.package_kind) }),
        (say("item-description"), html! { (consignment.description) }),
        (say("consignor"), html! { (consignment.consignor.name) }),
        (say("consignee"), html! { (consignment.consignee.name) }),
    ];
    let content = html! {
        div class="portal-slip" {
            h1 class="govuk-heading-m" { (say("slip")) }
            p class="portal-slip__number portal-mono" { (terms::spaced(ccrn.as_str())) }
            div class="portal-qr" { (qr_code(&link, &say("slip-qr"))?) }
            p class="govuk-body" { (say("slip-what")) }
            (list(&rows))
            p class="govuk-hint portal-screen" { (say("slip-how")) }
        }
    };
    let (address, back) = (
        format!("/trade/consignments/{}/slip", ccrn.as_str()),
        format!("/trade/consignments/{}", ccrn.as_str()),
    );
    let title = format!("{} {}", say("slip"), terms::spaced(ccrn.as_str()));
    Ok(page(
        &Frame { language, person: Some(&person), title, address: &address, back: Some(&back) },
        &content,
    ))
}
