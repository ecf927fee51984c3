//! Inviting somebody to the portal.

use clearance::ids::UtcMillis;

use super::{Login, OneTime};
use crate::officers::{new_token, token_hash};
use crate::secrets::Vault;
use crate::storage::{Invitee, StorageError, Store};
use crate::trade::TraderId;

/// What a person's secret of one-time passwords is sealed for.
pub(crate) fn sealed_for(login: &str) -> String {
    format!("one-time password/{login}")
}

/// Invite somebody: gives the page's path, with the token that is good once and for a day. None: the name is somebody's of another
/// company.
pub async fn invite(
    store: &Store,
    vault: &Vault,
    login: &Login,
    trader: &TraderId,
    by: &str,
    at: UtcMillis,
) -> Result<Option<String>, StorageError> {
    let (token, secret) = (new_token(), OneTime::new_secret());
    let invitee = Invitee {
        login,
        trader,
        handle: &uuid::Uuid::new_v4().to_string(),
        token: &token_hash(&token),
        totp: &vault.seal(&sealed_for(login.as_str()), &secret),
    };
    let invited = store.invite_person(invitee, by, at).await?;
    Ok(invited.then(|| format!("/trade/invitation/{token}")))
}
