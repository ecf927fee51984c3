//! Whom a company wants told by e-mail and SMS, and whether it is taken there.

use axum::extract::{Query, State};
use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::consignments::Done;
use super::contact_form::ADDRESS;
use super::date::moment;
use super::frame::{Frame, page};
use super::parts::{inset, link_button, list, tag};
use super::refusal::Refusal;
use super::session::SignedIn;
use super::topics::in_words;
use crate::state::AppState;
use crate::storage::messages::{AddressRow, Channel};
use crate::words::Language;

pub(super) async fn contact(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Query(was): Query<Done>,
) -> Result<Markup, Refusal> {
    let say = |key| language.say(key);
    let (company, addresses) = state.outlets.company(&person.caller).await?;
    let contact = &company.contact;
    let emails = contact.emails.iter().map(|told| (Channel::Email, &told.address, &told.news, told.own));
    let mobiles = contact.mobiles.iter().map(|told| (Channel::Sms, &told.number, &told.news, told.own));
    let told: Vec<_> = emails.chain(mobiles).collect();
    let spoken = Language::of_tag(&contact.language).unwrap_or(Language::English);
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (was.tell(language))
            h1 class="govuk-heading-l" { (say("contact")) }
            p class="govuk-body" { (say("contact-what")) }
            @for (channel, key) in [(Channel::Email, "contact-no-email"), (Channel::Sms, "contact-no-sms")] {
                @if !state.outlets.is_open(channel) { (inset(&html! { (say(key)) })) }
            }
            @if told.is_empty() { p class="govuk-body" { strong { (say("contact-nobody")) } } }
            @else {
                (list(&[(say("item-language"), html! { span lang=(spoken.tag()) { (spoken.name()) } })]))
                @for (channel, address, news, own) in &told {
                    (row(&state, language, *channel, (address, &in_words(language, news), *own), &addresses)?)
                }
            }
            p class="govuk-body portal-after" { (link_button(ADDRESS, &say("contact-change"), false)) }
            h2 class="govuk-heading-m" { (say("webhooks")) }
            p class="govuk-body" { (say("webhooks-what")) " "
                a class="govuk-link" href="/trade/webhooks" { (say("webhooks-see")) } }
        } }
    };
    let frame = Frame {
        language,
        person: Some(&person),
        title: say("contact"),
        address: "/trade/contact",
        back: Some("/trade/account"),
    };
    Ok(page(&frame, &content))
}

/// An address, of what it is told, and how it stands.
fn row(
    state: &AppState,
    language: Language,
    channel: Channel,
    (address, told, own): (&str, &str, bool),
    addresses: &[AddressRow],
) -> Result<Markup, Refusal> {
    let mut stands = None;
    for row in addresses {
        if row.channel()? == channel && row.address == address {
            stands = Some(row);
        }
    }
    let at = |at: i64| moment(language, state.operations.place(), UtcMillis(at));
    let (word, colour) = match stands {
        _ if !state.outlets.is_open(channel) => ("address-closed", "grey"),
        Some(row) if row.failing_since.is_some() => ("address-failing", "red"),
        Some(row) if row.delivered_at.is_some() => ("address-taken", "green"),
        _ => ("address-new", "blue"),
    };
    let why = stands.and_then(|row| row.failing_since.zip(row.last_error.as_ref()));
    Ok(html! {
        div class="portal-row" { div {
            strong class="portal-address" { (address) } " " (tag(&language.say(word), colour))
            div class="govuk-hint" { (told) @if own { " · " (language.say("told-own")) } }
            @if let Some((since, why)) = why {
                div class="govuk-hint" { (language.say_with("failing-since", &[("at", &at(since)), ("why", why)])) }
            }
        } }
    })
}
