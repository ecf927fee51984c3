//! Certificates of the trade's systems: enrolling with a code, renewing with the present one, looking, revoking.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, StatusCode};
use clearance::ids::UtcMillis;
use clearance::transport::{RequestedKey, requested_key};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Holder, allow, looked_up};
use super::body::{Named, parse};
use super::problem::{FieldError, Problem};
use super::strangers::Peer;
use crate::ca::ClientCertificate;
use crate::officers::{Actor, Deed, Role};
use crate::state::AppState;
use crate::storage::{ClientRow, IssueClient, NotIssued, Proof, RevokeClient};
use crate::systems::CodeHash;
use crate::trade::TraderId;

/// What a system sends to enrol.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolRequest {
    /// The code that `central client enrol` has printed; it is good once.
    pub code: String,
    /// Certificate signing request, PKCS#10 as PEM, of a key for P-256 or Ed25519. Only the key of it counts.
    pub csr: String,
}

/// What a system sends to renew its certificate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewRequest {
    /// Certificate signing request, PKCS#10 as PEM, of the same key or a new one.
    pub csr: String,
}

/// A certificate that was issued.
#[derive(Serialize, ToSchema)]
pub(super) struct CertificateIssued {
    /// Its serial number.
    pub serial: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// The authority's certificate, PEM.
    pub chain: String,
    /// First moment at which it is no longer good, RFC 3339.
    pub valid_until: String,
}

/// A certificate of one's company.
#[derive(Serialize, ToSchema)]
pub(super) struct CertificateView {
    /// Its serial number.
    pub serial: String,
    /// Of which system.
    pub name: String,
    /// Of which company.
    pub trader: String,
    /// When it was issued, RFC 3339.
    pub issued_at: String,
    /// First moment at which it is no longer good, RFC 3339.
    pub valid_until: String,
    /// When it was revoked, RFC 3339; null: it was not.
    pub revoked_at: Option<String>,
    /// The certificate, PEM.
    pub certificate: String,
}

fn rfc3339(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().to_string()
}

impl From<ClientRow> for CertificateView {
    fn from(row: ClientRow) -> Self {
        Self {
            issued_at: rfc3339(row.issued_at),
            valid_until: rfc3339(row.valid_until),
            revoked_at: row.revoked_at.map(rfc3339),
            serial: row.serial,
            name: row.name,
            trader: row.trader,
            certificate: row.certificate,
        }
    }
}

impl From<NotIssued> for Problem {
    fn from(refused: NotIssued) -> Self {
        match refused {
            NotIssued::Code | NotIssued::Certificate(_) => Self::new(StatusCode::UNAUTHORIZED, refused),
            NotIssued::TooMany => Self::new(StatusCode::CONFLICT, refused),
            NotIssued::Authority(error) => Self::internal(&error),
            NotIssued::Storage(error) => error.into(),
        }
    }
}

fn key(csr: &str) -> Result<RequestedKey, Problem> {
    requested_key(csr.as_bytes()).map_err(|e| Problem::fields(vec![FieldError::at("/csr", e)]))
}

/// Issue a certificate for the key of a request, and answer with it.
async fn issue(
    state: &AppState,
    proof: Proof,
    csr: &str,
) -> Result<(StatusCode, Json<CertificateIssued>), Problem> {
    let key = key(csr)?;
    let none = || Problem::new(StatusCode::NOT_FOUND, "this central issues no certificates to systems");
    let authority = state.client_authority.clone().ok_or_else(none)?;
    let chain = authority.certificate().to_owned();
    let change = IssueClient { proof, key, authority, at: state.clock.now() };
    let ClientCertificate { pem, serial, until: UtcMillis(until), .. } = state.store.change(change).await?;
    let view = CertificateIssued { serial, certificate: pem, chain, valid_until: rfc3339(until) };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Enrol a system: a certificate for its key, by a code that is good once
#[utoipa::path(post, path = "/api/v1/certificates", security(()), request_body = EnrolRequest,
    responses((status = 201, body = CertificateIssued), (status = 401, response = Problem), (status = 422, response = Problem), (status = 429, response = Problem)))]
pub(super) async fn enrol(
    State(state): State<AppState>,
    extensions: Extensions,
    body: Bytes,
) -> Result<(StatusCode, Json<CertificateIssued>), Problem> {
    let request: EnrolRequest = parse(&body)?;
    let code = CodeHash::of(&request.code);
    let issued = issue(&state, Proof::Code(code.clone()), &request.csr);
    looked_up(&state, Peer::of(&extensions), code.as_str(), issued).await
}

/// Renew a system's certificate: one more for 90 days, by the present one
#[utoipa::path(post, path = "/api/v1/certificates/renewal", request_body = RenewRequest,
    responses((status = 201, body = CertificateIssued), (status = 401, response = Problem), (status = 409, response = Problem),
        (status = 422, response = Problem)))]
pub(super) async fn renew(
    State(state): State<AppState>,
    holder: Holder,
    body: Bytes,
) -> Result<(StatusCode, Json<CertificateIssued>), Problem> {
    let request: RenewRequest = parse(&body)?;
    issue(&state, Proof::Certificate(holder.fingerprint), &request.csr).await
}

/// Whose certificates somebody may see and revoke: their company's, or as customs everybody's (`None`).
fn whose(actor: &Actor) -> Result<Option<TraderId>, Problem> {
    match (&actor.trader, actor.role) {
        (Some(trader), _) => {
            allow(actor, Deed::Declare)?;
            Ok(Some(trader.clone()))
        }
        (None, Role::Admin) => Ok(None),
        (None, _) => {
            let detail =
                "only a company for its own systems, and customs' admins, see and revoke certificates";
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

/// Look at the certificates of one's systems, latest first
#[utoipa::path(get, path = "/api/v1/certificates",
    responses((status = 200, body = Vec<CertificateView>), (status = 401, response = Problem)))]
pub(super) async fn certificates(
    State(state): State<AppState>,
    actor: Actor,
) -> Result<Json<Vec<CertificateView>>, Problem> {
    let rows = state.store.clients(whose(&actor)?.as_ref()).await?;
    Ok(Json(rows.into_iter().map(CertificateView::from).collect()))
}

/// Revoke a certificate, at once, for live connections too
#[utoipa::path(delete, path = "/api/v1/certificates/{serial}", params(("serial" = String, Path)),
    responses((status = 204), (status = 401, response = Problem), (status = 404, response = Problem)))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    Named(serial): Named<String>,
) -> Result<StatusCode, Problem> {
    let trader = whose(&actor)?;
    let change = RevokeClient { serial, trader, by: actor.name, at: state.clock.now() };
    state.store.change(change).await?;
    Ok(StatusCode::NO_CONTENT)
}
