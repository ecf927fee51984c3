//! Who calls: a bearer token made with `central token create`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

use super::problem::Problem;
use crate::officers::{Actor, Deed, token_hash};
use crate::state::AppState;
use crate::trade::Caller;

impl FromRequestParts<AppState> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let unknown = || {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "send `Authorization: Bearer TOKEN` with a token from `central token create`",
            )
        };
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Bearer "))
            .ok_or_else(unknown)?;
        state.store.token(&token_hash(token)).await?.ok_or_else(unknown)
    }
}

/// Refuse what the caller's role does not allow.
pub(super) fn allow(actor: &Actor, deed: Deed) -> Result<(), Problem> {
    if actor.role.may(deed) {
        Ok(())
    } else {
        let detail = format!("{} has the role {}, which does not allow this", actor.name, actor.role);
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }
}

/// On behalf of which company somebody declares.
pub(super) fn caller(actor: &Actor) -> Result<Caller, Problem> {
    allow(actor, Deed::Declare)?;
    let trader = actor.trader.clone().ok_or_else(|| {
        let detail = "this token acts for no company: make one with `central token create NAME --role trade --trader ID`";
        Problem::new(StatusCode::FORBIDDEN, detail)
    })?;
    Ok(Caller { trader, who: actor.name.clone(), sandbox: actor.sandbox, evidence: None })
}
