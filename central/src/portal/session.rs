//! Who is signed in, and forms that are theirs.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use super::fields::Fields;
use super::refusal::Refusal;
use crate::officers::{new_token, token_hash};
use crate::state::AppState;
use crate::storage::PersonSession;
use crate::storage::trade::OnceKey;
use crate::trade::Caller;
use crate::words::Language;

const COOKIE: &str = "trade-session";

/// A session ends after this long, however busy.
const LONGEST_MS: i64 = 12 * 3_600_000;

/// And after this long without use.
const IDLE_MS: i64 = 60 * 60_000;

/// How often the last use is noted.
const NOTE_MS: i64 = 60_000;

/// Somebody of the trade who is signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    /// As whom they declare.
    pub(super) caller: Caller,
    /// Their company's name.
    pub(super) company: String,
    /// Token that forms carry.
    pub(super) csrf: String,
    /// SHA-256 of the cookie.
    pub(super) session: String,
    /// When they signed in, milliseconds since 1970.
    pub(super) began: i64,
}

/// The session of a request, whether it still holds or not.
struct Known {
    row: PersonSession,
    session: String,
    holds: bool,
}

async fn known(parts: &Parts, state: &AppState) -> Result<Option<Known>, Refusal> {
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(session) = jar.get(COOKIE).map(|c| token_hash(c.value())) else { return Ok(None) };
    let Some(row) = state.store.person_session(&session).await? else { return Ok(None) };
    let now = state.clock.now();
    let holds = now.0 - row.began <= LONGEST_MS && now.0 - row.seen <= IDLE_MS;
    if holds && now.0 - row.seen > NOTE_MS {
        state.store.touch_person_session(&session, now).await?;
    }
    Ok(Some(Known { row, session, holds }))
}

impl SignedIn {
    fn of(known: Known) -> Result<Self, Refusal> {
        let Known { row, session, .. } = known;
        let trader = row.trader.parse().map_err(Refusal::failed)?;
        let caller = Caller { trader, who: row.login, sandbox: row.sandbox != 0, evidence: None };
        Ok(Self { caller, company: row.company, csrf: row.csrf, session, began: row.began })
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let address = || parts.uri.path_and_query().map_or("/trade", |a| a.as_str()).to_owned();
        match known(parts, state).await? {
            Some(known) if known.holds => Self::of(known),
            _ => Err(Refusal::SignInFirst(address())),
        }
    }
}

/// A form of a person's session.
pub(super) struct Posted {
    pub(super) person: SignedIn,
    pub(super) fields: Fields,
}

impl FromRequest<AppState> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let address = parts.uri.path().to_owned();
        let Some(known) = known(&parts, state).await? else { return Err(Refusal::SignInFirst(address)) };
        let fields = Fields::from_request(Request::from_parts(parts, body), state).await?;
        if fields.get("csrf") != known.row.csrf {
            return Err(Refusal::ForeignForm);
        }
        if !known.holds {
            // Nothing that was filled in is lost: it is there again after the next sign-in.
            let (login, now) = (&known.row.login, state.clock.now());
            state.store.keep_draft(login, &address, &fields.draft(), now).await?;
            return Err(Refusal::SignInFirst(address));
        }
        let person = SignedIn::of(known)?;
        let client = format!("{}/{}", person.caller.trader, person.caller.who);
        state.rate_limits.count(&client).map_err(|_| Refusal::TooMany)?;
        Ok(Self { person, fields })
    }
}

impl Posted {
    /// What tells this form from the same form sent again.
    pub(super) fn once(&self) -> Option<OnceKey> {
        let key = self.fields.filled("once").filter(|key| key.len() <= 64)?;
        let client = format!("portal/{}/{}", self.person.caller.trader, self.person.caller.who);
        Some(OnceKey { client, key, request: token_hash(&self.fields.draft()) })
    }
}

/// An id as addresses carry it; what cannot be one is nobody's.
pub(super) fn id_of(text: &str) -> Result<&str, Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) { Ok(text) } else { Err(Refusal::NotFound) }
}

/// A new cookie of a session, and what is stored of it: token's digest, and the token for its forms.
pub(super) fn new_session(state: &AppState) -> (Cookie<'static>, String, String) {
    let token = new_token();
    let session = token_hash(&token);
    // Lax: whoever follows a link in an e-mail is signed in; no form is taken without its token.
    let cookie = Cookie::build((COOKIE, token))
        .path("/trade")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.portal.is_secure());
    (cookie.build(), session, new_token())
}

/// The cookie to take away.
pub(super) fn no_session() -> Cookie<'static> {
    Cookie::build(COOKIE).path("/trade").build()
}

#[derive(Deserialize)]
pub(super) struct Back {
    back: Option<String>,
}

/// Choose a language, and go on with the page that was being read.
pub(super) async fn language(jar: CookieJar, Path(tag): Path<String>, Query(asked): Query<Back>) -> Response {
    let back = asked.back.as_deref().and_then(within).unwrap_or("/trade");
    (jar.add(Language::chosen(&tag, "/trade")), Redirect::to(back)).into_response()
}

/// `address` if it is a page of this portal, and nothing that could lead a reader to somebody else's.
pub(super) fn within(address: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~?=&%".contains(&b);
    let inside = address == "/trade" || address.starts_with("/trade/") || address.starts_with("/trade?");
    (inside && !address.contains("..") && !address.contains("//") && address.bytes().all(plain))
        .then_some(address)
}

pub(super) use crate::console::escaped;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_out_of_the_portal() {
        for page in ["/trade", "/trade/movements/m-1", "/trade/consignments?q=AB"] {
            assert_eq!(within(page), Some(page));
        }
        for elsewhere in [
            "https://evil.example/trade/",
            "//evil.example/trade/",
            "/trade//evil.example",
            "/console/queue",
            "/trade/../console",
            "/tradex",
            "/trade/a\r\nset-cookie: a=b",
            "/trade/@evil.example",
            "",
        ] {
            assert_eq!(within(elsewhere), None, "{elsewhere}");
        }
    }
}
