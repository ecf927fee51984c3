//! Who calls: a bearer token made with `central token create`, or, at the port of the trade's systems, a certificate. Each
//! request looks it up, so that what was revoked is refused on a connection that is open, too.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use clearance::ids::Digest;

use super::problem::Problem;
use super::strangers::Peer;
use crate::officers::{Actor, Deed, token_hash};
use crate::server::Credential;
use crate::state::AppState;
use crate::storage::{ClientRow, NotGood};
use crate::trade::policy::{Act, customs_may};
use crate::trade::{Caller, TraderId};

impl FromRequestParts<AppState> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // A signed body asks who calls once more than its handler: a request is looked up, and counted, once.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let actor = counted(state, signed_in(parts, state).await?)?;
        parts.extensions.insert(actor.clone());
        Ok(actor)
    }
}

/// Whoever a certificate or a token says it is.
async fn signed_in(parts: &Parts, state: &AppState) -> Result<Actor, Problem> {
    let peer = Peer::of(&parts.extensions);
    if let Some(credential) = parts.extensions.get::<Credential>() {
        return Ok(holder(state, peer, *credential).await?.client.actor()?);
    }
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
    let hash = token_hash(token);
    looked_up(state, peer, &hash, async { state.store.token(&hash).await?.ok_or_else(unknown) }).await
}

/// Look somebody up, unless too many from there were nobody.
pub(super) async fn looked_up<T>(
    state: &AppState,
    from: Peer,
    credential: &str,
    look: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let strangers = state.rate_limits.strangers();
    strangers.may_try(from, credential).map_err(Problem::too_many_failed)?;
    let found = look.await;
    match &found {
        Ok(_) => strangers.succeeded(credential),
        Err(problem) if problem.is_of_nobody() => {
            strangers.failed(from, credential).map_err(Problem::too_many_failed)?;
        }
        Err(_) => {}
    }
    found
}

/// Count a client's request, as long as it sends no more than it may. Customs' own systems are not held up.
fn counted(state: &AppState, actor: Actor) -> Result<Actor, Problem> {
    if actor.trader.is_some() {
        state.rate_limits.count(&client(&actor)).map_err(Problem::too_many)?;
    }
    Ok(actor)
}

/// What tells a client from those of other companies.
pub(super) fn client(actor: &Actor) -> String {
    format!("{}/{}", actor.trader.as_ref().map_or("", TraderId::as_str), actor.name)
}

/// Somebody with a certificate that is good.
pub(super) struct Holder {
    /// SHA-256 of the certificate.
    pub fingerprint: Digest,
    client: ClientRow,
}

impl FromRequestParts<AppState> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let shown = parts.extensions.get::<Credential>().copied();
        holder(state, Peer::of(&parts.extensions), shown.unwrap_or(Credential::Nothing)).await
    }
}

async fn holder(state: &AppState, from: Peer, shown: Credential) -> Result<Holder, Problem> {
    let Credential::Certificate(fingerprint) = shown else {
        let detail = "connect to the port of systems with your certificate; POST /api/v1/certificates gives one for a code";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    };
    let look = async {
        let found = state.store.client(&fingerprint).await?.ok_or(NotGood::Unknown);
        let good = found.and_then(|client| client.good(state.clock.now()));
        good.map_err(|why| Problem::new(StatusCode::UNAUTHORIZED, why))
    };
    let client = looked_up(state, from, &fingerprint.to_string(), look).await?;
    Ok(Holder { fingerprint, client })
}

/// Refuse what the caller's role does not allow.
pub(super) fn allow(actor: &Actor, deed: Deed) -> Result<(), Problem> {
    if actor.role.may(deed) { Ok(()) } else { Err(forbidden(actor)) }
}

/// Refuse what customs' policy does not allow.
pub(super) fn allow_act(actor: &Actor, act: Act) -> Result<(), Problem> {
    if actor.trader.is_none() && customs_may(act, actor.role) { Ok(()) } else { Err(forbidden(actor)) }
}

fn forbidden(actor: &Actor) -> Problem {
    let detail = format!("{} has the role {}, which does not allow this", actor.name, actor.role);
    Problem::new(StatusCode::FORBIDDEN, detail)
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
