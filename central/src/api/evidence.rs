//! What was signed: for whoever has signed it, and for customs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::caller;
use super::body::{Asked, Named};
use super::consignments::number;
use super::problem::Problem;
use super::signed::Jws;
use crate::ccrn::Ccrn;
use crate::officers::Actor;
use crate::state::AppState;
use crate::trade::policy::{Act, customs_may};

/// Which version.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// A version of before; left out: the present one.
    version: Option<u32>,
}

/// A signed declaration as it came.
#[derive(Serialize, ToSchema)]
pub(super) struct Evidence {
    /// The consignment.
    pub ccrn: String,
    /// Of which version.
    pub version: u32,
    /// The compact JWS, as it was sent.
    pub jws: String,
    /// The certificate whose key has signed it, PEM.
    pub certificate: String,
}

/// Look at what was signed when a consignment was lodged or amended
#[utoipa::path(get, path = "/api/v1/consignments/{ccrn}/evidence", params(("ccrn" = String, Path), Which),
    responses((status = 200, body = Evidence), (status = 404, response = Problem)))]
pub(super) async fn evidence(
    State(state): State<AppState>,
    actor: Actor,
    Named(ccrn): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Evidence>, Problem> {
    let ccrn = number(&ccrn)?;
    let present = present(&state, &actor, &ccrn).await?;
    let version = which.version.unwrap_or(present);
    let unknown = || Problem::not_found("version of the consignment");
    let jws = state.store.consignment_evidence(&ccrn, version).await?.ok_or_else(unknown)?;
    let unsigned = || Problem::new(StatusCode::NOT_FOUND, "this version of the consignment was not signed");
    let jws = jws.ok_or_else(unsigned)?;
    let signer = Jws::read(jws.as_bytes())?.signer();
    let client = state.store.client(&signer).await?.ok_or_else(|| Problem::not_found("certificate"))?;
    let certificate = client.certificate;
    Ok(Json(Evidence { ccrn: ccrn.to_string(), version, jws, certificate }))
}

/// The present version of a consignment that somebody may see.
async fn present(state: &AppState, actor: &Actor, ccrn: &Ccrn) -> Result<u32, Problem> {
    if actor.trader.is_some() {
        return Ok(state.operations.consignment(&caller(actor)?, ccrn).await?.version);
    }
    let unknown = || Problem::not_found("consignment");
    if !customs_may(Act::SeeConsignment, actor.role) {
        return Err(unknown());
    }
    Ok(state.store.consignment(ccrn).await?.ok_or_else(unknown)?.version)
}
