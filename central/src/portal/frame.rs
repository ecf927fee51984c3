//! The frame of every page of the portal, and its headers.

use maud::{DOCTYPE, Markup, html};

use super::session::{SignedIn, escaped};
use crate::words::Language;

/// What a page shows around its content.
pub(super) struct Frame<'a> {
    pub(super) language: Language,
    pub(super) person: Option<&'a SignedIn>,
    /// What the page is about; the browser shows it.
    pub(super) title: String,
    /// Its own address, where another language leads back to.
    pub(super) address: &'a str,
    /// Where its back link leads.
    pub(super) back: Option<&'a str>,
}

/// The portal's chapters: address and name.
const CHAPTERS: [(&str, &str); 5] = [
    ("/trade", "chapter-home"),
    ("/trade/consignments", "chapter-consignments"),
    ("/trade/movements", "chapter-movements"),
    ("/trade/vehicles", "chapter-vehicles"),
    ("/trade/news", "chapter-news"),
];

/// A whole page.
pub(super) fn page(frame: &Frame<'_>, content: &Markup) -> Markup {
    let say = |key| frame.language.say(key);
    html! {
        (DOCTYPE)
        html lang=(frame.language.tag()) class="govuk-template" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="theme-color" content="#0b0c0c";
                title { (frame.title) " – Clearlane" }
                link rel="stylesheet" href="/trade/assets/govuk-frontend.css";
                link rel="stylesheet" href="/trade/assets/portal.css";
                link rel="icon" href="data:,";
                script type="module" src="/trade/assets/portal.js" {}
            }
            body class="govuk-template__body" {
                a href="#main-content" class="govuk-skip-link" { (say("skip-link")) }
                (header(frame))
                div class="govuk-width-container" {
                    @if frame.person.is_some_and(|person| person.caller.sandbox) {
                        section class="govuk-phase-banner" aria-label=(say("training")) { p class="govuk-phase-banner__content" {
                            strong class="govuk-tag govuk-phase-banner__content__tag" { (say("training")) }
                            span class="govuk-phase-banner__text" { (say("training-hint")) }
                        } }
                    }
                    @if let Some(back) = frame.back {
                        nav aria-label=(say("back")) { a href=(back) class="govuk-back-link" { (say("back")) } }
                    }
                    main class="govuk-main-wrapper" id="main-content" { (content) }
                }
                (footer(frame))
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    let say = |key| frame.language.say(key);
    html! {
        header class="portal-header" { div class="govuk-width-container portal-header__row" {
            a class="portal-header__name" href="/trade" { "Clearlane" }
            nav class="portal-header__languages" aria-label=(say("languages")) {
                @for language in Language::ALL {
                    a href={ "/trade/language/" (language.tag()) "?back=" (escaped(frame.address)) } lang=(language.tag())
                        hreflang=(language.tag()) aria-current=[(language == frame.language).then_some("true")] { (language.name()) }
                }
            }
        } }
        @if let Some(person) = frame.person {
            div class="govuk-service-navigation" { div class="govuk-width-container" {
                div class="govuk-service-navigation__container" {
                    nav aria-label=(say("chapters")) class="govuk-service-navigation__wrapper" {
                        ul class="govuk-service-navigation__list" { @for (address, name) in CHAPTERS {
                            (chapter(frame, address, name))
                        } }
                    }
                }
            } }
            section class="govuk-width-container portal-person" aria-label=(say("account")) {
                a class="govuk-link govuk-link--no-visited-state" href="/trade/account" { (person.caller.who) " · " (person.company) }
                form method="post" action="/trade/sign-out" {
                    input type="hidden" name="csrf" value=(person.csrf);
                    button class="portal-button-link" { (say("portal-sign-out")) }
                }
            }
        }
    }
}

fn chapter(frame: &Frame<'_>, address: &str, name: &str) -> Markup {
    let within = frame.address == address || (address != "/trade" && frame.address.starts_with(address));
    let class = if within {
        "govuk-service-navigation__item govuk-service-navigation__item--active"
    } else {
        "govuk-service-navigation__item"
    };
    html! {
        li class=(class) {
            a class="govuk-service-navigation__link" href=(address) aria-current=[within.then_some("true")] {
                (frame.language.say(name))
            }
        }
    }
}

fn footer(frame: &Frame<'_>) -> Markup {
    html! {
        footer class="govuk-footer portal-footer" { div class="govuk-width-container" {
            p class="govuk-body-s" { (frame.language.say("footer")) }
        } }
    }
}
