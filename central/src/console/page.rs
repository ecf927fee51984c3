//! The frame of every page, and its headers.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};

use super::address::escaped;
use super::session::SignedIn;
use crate::officers::Deed;
use crate::trade::policy::{Act, customs_may};
use crate::words::Language;

/// What a page shows around its content.
pub(crate) struct Frame<'a> {
    pub(crate) language: Language,
    pub(crate) officer: Option<&'a SignedIn>,
    /// Which page, for the navigation; also which events it follows.
    pub(crate) page: &'a str,
    /// Whether it is one of the workbench or the bays, with their own style and keys.
    pub(crate) works: bool,
    /// Its own address, where another language leads back to.
    pub(crate) address: &'a str,
}

/// A whole page.
pub(crate) fn page(frame: &Frame<'_>, content: &Markup) -> Markup {
    let say = |key| frame.language.say(key);
    html! {
        (DOCTYPE)
        html lang=(frame.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (say("title")) }
                link rel="stylesheet" href="/console/assets/console.css";
                link rel="icon" href="data:,";
                script type="module" src="/console/assets/console.js" {}
                @if frame.works {
                    link rel="stylesheet" href="/console/assets/workbench.css";
                    script type="module" src="/console/assets/workbench.js" {}
                }
            }
            body data-live=[frame.officer.map(|_| frame.page)] {
                header {
                    strong { "Clearlane" }
                    nav { @if let Some(officer) = frame.officer { (navigation(frame, officer)) } }
                    span {
                        @for language in Language::ALL {
                            a href={ "/console/language/" (language.tag()) "?back=" (escaped(frame.address)) } lang=(language.tag())
                                aria-current=[(language == frame.language).then_some("true")] { (language.name()) }
                        }
                    }
                    @if let Some(officer) = frame.officer {
                        form method="post" action="/console/sign-out" class="row" {
                            input type="hidden" name="csrf" value=(officer.csrf);
                            span class="soft" { (officer.actor.name) }
                            button { (say("sign-out")) }
                        }
                    }
                }
                main { (content) }
            }
        }
    }
}

fn navigation(frame: &Frame<'_>, officer: &SignedIn) -> Markup {
    let role = officer.actor.role;
    let pages = [
        ("workbench", role.may(Deed::AssignAction)),
        ("bay", customs_may(Act::Inspect, role)),
        ("rules", role.may(Deed::AssignAction)),
        ("figures", role.may(Deed::AssignAction)),
        ("queue", true),
        ("lanes", true),
        ("history", true),
        ("officers", role.may(Deed::ManageOfficers)),
    ];
    html! {
        @for (page, _) in pages.into_iter().filter(|(_, may)| *may) {
            a href={ "/console/" (page) } aria-current=[(page == frame.page).then_some("page")] {
                (frame.language.say(page))
            }
        }
    }
}

/// Headers that keep a page from being framed, sniffed, cached or made to run foreign code.
pub(crate) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
