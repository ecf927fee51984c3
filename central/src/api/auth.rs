//! Who calls: a bearer token made with `central token create`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

use super::problem::Problem;
use crate::officers::{Actor, Deed, token_hash};
use crate::state::AppState;

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
        let (name, role) = state.store.token(&token_hash(token)).await?.ok_or_else(unknown)?;
        let role = role.parse().map_err(|e| Problem::internal(&e))?;
        Ok(Self { name, role })
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
