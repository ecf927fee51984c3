//! Bodies that are signed: a compact JWS (`application/jose`) by the key of a system's certificate, which its header
//! `x5t#S256` names. A handler that takes [`Signed`] gets the payload as if it had come plainly, and the JWS beside it, to be
//! kept with what it changes.
//!
//! Which algorithm is right follows from the key that is stored, never from the header: `none`, and a public key taken for a
//! shared secret, have no way in.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use clearance::ids::Digest;
use clearance::transport::{KeyKind, RequestedKey};
use jsonwebtoken::{Algorithm, DecodingKey, crypto, decode_header};

use super::auth::caller;
use super::problem::Problem;
use crate::officers::Actor;
use crate::server::Credential;
use crate::state::AppState;
use crate::storage::ClientRow;
use crate::trade::Caller;

/// The content type of a compact JWS.
pub(super) const JOSE: &str = "application/jose";

/// A body, signed or plain.
pub(super) struct Signed {
    /// The payload: what a plain body would hold.
    pub body: Bytes,
    /// The JWS; none if the body came plainly.
    pub evidence: Option<String>,
}

impl Signed {
    /// On behalf of which company, with what it has signed.
    pub(super) fn caller(&self, actor: &Actor) -> Result<Caller, Problem> {
        Ok(Caller { evidence: self.evidence.clone(), ..caller(actor)? })
    }
}

impl FromRequest<AppState> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let signed = is_signed(&parts.headers);
        let signer = if signed { Some(Actor::from_request_parts(&mut parts, state).await?) } else { None };
        let shown = parts.extensions.get::<Credential>().copied();
        let path = parts.uri.path().to_owned();
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
        let Some(signer) = signer else { return Ok(Self { body, evidence: None }) };
        let jws = Jws::read(&body).map_err(Problem::from)?;
        jws.is_for(&path)?;
        let row = state.store.client(&jws.signer).await?.ok_or(BadSignature::Signer)?;
        of_the_caller(&row, &signer, shown)?;
        let row = row.good(state.clock.now()).map_err(|e| Problem::new(StatusCode::UNAUTHORIZED, e))?;
        let payload = jws.verify(&row.key()?)?;
        Ok(Self { body: payload.into(), evidence: Some(jws.text.to_owned()) })
    }
}

fn is_signed(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case(JOSE))
}

/// What kind of body is announced, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    kind.split(';').next().map(str::trim)
}

/// A company signs for itself; who came with a certificate signs with a key of the same system.
fn of_the_caller(row: &ClientRow, actor: &Actor, shown: Option<Credential>) -> Result<(), BadSignature> {
    let same_company = actor.trader.as_ref().is_some_and(|trader| trader.as_str() == row.trader);
    let same_system = shown.is_none() || actor.name == row.name;
    if same_company && same_system { Ok(()) } else { Err(BadSignature::Signer) }
}

/// What is wrong with a JWS, and how to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadSignature {
    #[error("the body is no compact JWS: three parts in base64url with dots between")]
    Form,
    #[error(
        "the header of the JWS: alg is ES256 or EdDSA, as the certificate's key is; crit and extensions are not taken"
    )]
    Header,
    #[error("the header of the JWS: x5t#S256 is the base64url of the SHA-256 of your certificate")]
    Signer,
    #[error("the header of the JWS: url names another request than this one")]
    Url,
    #[error("the signature does not fit the payload and the certificate's key")]
    Signature,
}

impl From<BadSignature> for Problem {
    fn from(bad: BadSignature) -> Self {
        let status = match bad {
            BadSignature::Form | BadSignature::Header => StatusCode::BAD_REQUEST,
            BadSignature::Signer | BadSignature::Url | BadSignature::Signature => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, bad)
    }
}

/// A JWS, read and not yet believed.
pub(super) struct Jws<'a> {
    text: &'a str,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    url: Option<String>,
    signer: Digest,
}

impl<'a> Jws<'a> {
    /// Read one, of which nothing is believed yet.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, BadSignature> {
        let text = std::str::from_utf8(body).map_err(|_| BadSignature::Form)?.trim_ascii();
        let (message, signature) = text.rsplit_once('.').ok_or(BadSignature::Form)?;
        let (_, payload) = message.split_once('.').ok_or(BadSignature::Form)?;
        if payload.contains('.') {
            return Err(BadSignature::Form);
        }
        let header = decode_header(text).map_err(|_| BadSignature::Header)?;
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err(BadSignature::Header);
        }
        let signer = header.x5t_s256.as_deref().and_then(base64url).and_then(|bytes| bytes.try_into().ok());
        let signer = Digest(signer.ok_or(BadSignature::Signer)?);
        Ok(Self { text, message, payload, signature, algorithm: header.alg, url: header.url, signer })
    }

    /// Whose key it says it is signed by.
    pub(super) fn signer(&self) -> Digest {
        self.signer
    }

    /// A JWS that names its request is good for no other one.
    pub(super) fn is_for(&self, path: &str) -> Result<(), BadSignature> {
        let Some(url) = &self.url else { return Ok(()) };
        let named = url.parse::<axum::http::Uri>().map_err(|_| BadSignature::Url)?;
        if named.path() == path { Ok(()) } else { Err(BadSignature::Url) }
    }

    /// The payload, if this key has signed it.
    pub(super) fn verify(&self, key: &RequestedKey) -> Result<Vec<u8>, BadSignature> {
        let (right, key) = match key.kind {
            KeyKind::P256 => (Algorithm::ES256, DecodingKey::from_ec_der(&key.bytes)),
            KeyKind::Ed25519 => (Algorithm::EdDSA, DecodingKey::from_ed_der(&key.bytes)),
        };
        if self.algorithm != right {
            return Err(BadSignature::Header);
        }
        match crypto::verify(self.signature, self.message.as_bytes(), &key, right) {
            Ok(true) => base64url(self.payload).ok_or(BadSignature::Form),
            Ok(false) | Err(_) => Err(BadSignature::Signature),
        }
    }
}

/// Base64url without padding, read by the same code that reads the signature.
fn base64url(text: &str) -> Option<Vec<u8>> {
    DecodingKey::from_ed_components(text).ok().map(|bytes| bytes.as_bytes().to_vec())
}
