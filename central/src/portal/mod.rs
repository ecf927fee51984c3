//! The trade's portal: server-rendered pages for shippers and drivers, of GOV.UK's design system, in three languages. They need no
//! script but for passkeys. Everything goes through [`Operations`](crate::operations::Operations), as the API does.
//!
//! Invariants
//! - a form that is refused, or sent after the sign-in ran out, comes back with everything that was filled in;
//! - a form that is sent twice is carried out once;
//! - every change carries the token of its session.

mod account;
mod bundle;
mod consignment;
mod consignments;
mod contact;
mod contact_form;
mod date;
mod fields;
mod frame;
mod home;
mod invitation;
mod movement;
mod movements;
mod news;
mod parts;
mod passkey;
mod people;
mod refusal;
mod seal;
mod session;
mod sign_in;
mod slip;
mod terms;
mod topics;
mod upload;
mod vehicles;
mod webhook;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use serde::Deserialize;
use tower_http::compression::CompressionLayer;

use crate::console::harden;
use crate::messages::config::address;
use crate::people::{PasskeyError, Passkeys};
use crate::state::AppState;

/// As long as a form is at most: a consignment with all its lines.
const MOST_FORM: usize = 2 << 20;

/// The portal's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalConfig {
    /// The address that people open, such as `https://trade.example.org`: passkeys are good for it only, and e-mails link to it.
    /// Default: this machine, `http://localhost:PORT`, and no links.
    pub origin: Option<String>,
}

impl PortalConfig {
    /// What can be checked before a port is open.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let url = address("portal.origin", origin)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            let why = format!("{origin}: scheme, name and port only, such as https://trade.example.org");
            return Err(("portal.origin", why));
        }
        Ok(())
    }
}

/// What the portal's pages share.
pub struct Portal {
    /// The address that people open, without a slash at its end.
    pub origin: String,
    /// Passkeys for it.
    pub passkeys: Passkeys,
}

impl Portal {
    /// As configured; `port`: of the console and the API.
    pub fn open(config: &PortalConfig, port: u16) -> Result<Self, PasskeyError> {
        let origin = config.origin.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
        let origin = origin.trim_end_matches('/').to_owned();
        Ok(Self { passkeys: Passkeys::of(&origin)?, origin })
    }

    /// Whether its cookies go over TLS only.
    fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

/// The portal's routes.
pub fn router(state: AppState) -> Router {
    let css = |text: &'static str| ([(header::CONTENT_TYPE, "text/css"), KEPT], text);
    let system = css(include_str!("../../assets/govuk-frontend.css"));
    let own = css(include_str!("../../assets/portal.css"));
    let js = ([(header::CONTENT_TYPE, "text/javascript"), KEPT], include_str!("../../assets/portal.js"));
    let files = Router::new()
        .route("/trade/consignments/upload", get(upload::form).post(upload::upload))
        .layer(DefaultBodyLimit::max(upload::MOST_UPLOAD));
    let pages = Router::new()
        .route("/trade", get(home::home))
        .route("/trade/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/trade/sign-in/passkey", post(passkey::challenge))
        .route("/trade/sign-in/passkey/answer", post(passkey::answer))
        .route("/trade/sign-out", post(sign_in::sign_out))
        .route("/trade/invitation/{token}", get(invitation::form).post(invitation::take))
        .route("/trade/language/{language}", get(session::language))
        .route("/trade/account", get(account::account))
        .route("/trade/account/passkeys", post(passkey::begin))
        .route("/trade/account/passkeys/answer", post(passkey::register))
        .route("/trade/account/passkeys/remove", post(account::remove_passkey))
        .route("/trade/account/sessions/end", post(account::end_sessions))
        .route("/trade/people", get(people::people).post(people::invite))
        .route("/trade/people/lock", post(people::lock))
        .route("/trade/drafts/drop", post(home::drop_draft))
        .route("/trade/consignments", get(consignments::list))
        .route("/trade/consignments/new", get(consignment::blank).post(consignment::lodge))
        .route("/trade/consignments/{ccrn}", get(consignments::one))
        .route("/trade/consignments/{ccrn}/amend", get(consignment::present).post(consignment::amend))
        .route("/trade/consignments/{ccrn}/cancel", get(consignments::confirm).post(consignments::cancel))
        .route("/trade/consignments/{ccrn}/slip", get(slip::slip))
        .route("/trade/seals/{ccrn}", get(seal::form).post(seal::report))
        .route("/trade/vehicles", get(vehicles::list).post(vehicles::save))
        .route("/trade/vehicles/remove", post(vehicles::remove))
        .route("/trade/movements", get(movements::list))
        .route("/trade/movements/new", get(bundle::blank).post(bundle::bundle))
        .route("/trade/movements/{id}", get(movements::one))
        .route("/trade/movements/{id}/vehicle", get(movement::vehicle_form).post(movement::swap))
        .route("/trade/movements/{id}/time", get(movement::time_form).post(movement::reschedule))
        .route("/trade/movements/{id}/consignments", get(movement::load_form).post(movement::reload))
        .route("/trade/movements/{id}/cancel", get(movements::confirm).post(movements::cancel))
        .route("/trade/news", get(news::news))
        .route("/trade/contact", get(contact::contact))
        .route("/trade/contact/change", get(contact_form::form).post(contact_form::change))
        .route("/trade/webhooks", get(webhooks::list).post(webhooks::add))
        .route("/trade/webhooks/{id}", get(webhook::one).post(webhook::act))
        .route("/trade/webhooks/{id}/remove", get(webhook::confirm_removal).post(webhook::remove))
        .route("/trade/consignments/upload/lodge", post(upload::lodge))
        .route("/trade/consignments/upload/template/{format}", get(upload::template))
        .route("/trade/requests/{id}", get(upload::request))
        .layer(DefaultBodyLimit::max(MOST_FORM))
        .merge(files)
        .layer(axum::middleware::from_fn(refusal::tell_refusals))
        .layer(axum::middleware::map_response(harden));
    Router::new()
        .route("/trade/", get(|| async { Redirect::to("/trade") }))
        .route("/trade/assets/govuk-frontend.css", get(move || async move { system.into_response() }))
        .route("/trade/assets/portal.css", get(move || async move { own.into_response() }))
        .route("/trade/assets/portal.js", get(move || async move { js.into_response() }))
        .merge(pages)
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// Assets change with a release only; an hour is soon enough.
const KEPT: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");
