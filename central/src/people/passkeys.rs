//! Passkeys and security keys (WebAuthn). A registration or a sign-in is two steps; what passes between them is kept in the store, for
//! any central to go on with.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

/// Why a passkey is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The address that people open.
    #[error(
        "portal.origin = {0}: not an address that browsers know passkeys for, such as https://trade.example.org"
    )]
    Origin(String),
    /// What the browser sent, or the authenticator signed.
    #[error("the passkey is not taken: {0}")]
    NotTaken(#[from] WebauthnError),
    /// What was kept or sent cannot be read.
    #[error("a passkey cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// The first step.
pub struct Begun {
    /// What the browser's script is given.
    pub challenge: Value,
    /// What is kept for the second step, JSON.
    pub state: String,
}

impl Begun {
    fn of(challenge: &impl Serialize, state: &impl Serialize) -> Result<Self, PasskeyError> {
        Ok(Self { challenge: serde_json::to_value(challenge)?, state: serde_json::to_string(state)? })
    }
}

/// Passkeys for one address.
pub struct Passkeys(Webauthn);

impl Passkeys {
    /// For the address that people open, `https://HOST`, or `http://localhost:PORT` for a trial.
    pub fn of(origin: &str) -> Result<Self, PasskeyError> {
        let wrong = || PasskeyError::Origin(origin.to_owned());
        let url = Url::parse(origin).map_err(|_| wrong())?;
        let host = url.domain().ok_or_else(wrong)?;
        let built = WebauthnBuilder::new(host, &url).and_then(|b| b.rp_name("Clearlane").build());
        built.map(Self).map_err(|_| wrong())
    }

    /// Begin to register one for a person, who has these already.
    pub fn register(&self, handle: Uuid, login: &str, keys: &[String]) -> Result<Begun, PasskeyError> {
        let known: Vec<Passkey> =
            keys.iter().map(|key| serde_json::from_str(key)).collect::<Result<_, _>>()?;
        let known = known.iter().map(|key| key.cred_id().clone()).collect();
        let (challenge, state) = self.0.start_passkey_registration(handle, login, login, Some(known))?;
        Begun::of(&challenge, &state)
    }

    /// End a registration: gives the key's id and the key.
    pub fn registered(&self, sent: &str, state: &str) -> Result<(String, String), PasskeyError> {
        let state: PasskeyRegistration = serde_json::from_str(state)?;
        let sent: RegisterPublicKeyCredential = serde_json::from_str(sent)?;
        let key = self.0.finish_passkey_registration(&sent, &state)?;
        Ok((id_of(&key), serde_json::to_string(&key)?))
    }

    /// Begin a sign-in with one of these.
    pub fn challenge(&self, keys: &[String]) -> Result<Begun, PasskeyError> {
        let keys: Vec<Passkey> =
            keys.iter().map(|key| serde_json::from_str(key)).collect::<Result<_, _>>()?;
        let (challenge, state) = self.0.start_passkey_authentication(&keys)?;
        Begun::of(&challenge, &state)
    }

    /// End a sign-in: gives the id of the key that has signed, and the key with its counter as it is now. A counter that does not
    /// rise is a copy's.
    pub fn signed_in(
        &self,
        sent: &str,
        state: &str,
        keys: &[String],
    ) -> Result<(String, String), PasskeyError> {
        let state: PasskeyAuthentication = serde_json::from_str(state)?;
        let sent: PublicKeyCredential = serde_json::from_str(sent)?;
        let result = self.0.finish_passkey_authentication(&sent, &state)?;
        for key in keys {
            let mut key: Passkey = serde_json::from_str(key)?;
            if key.update_credential(&result).is_some() {
                return Ok((id_of(&key), serde_json::to_string(&key)?));
            }
        }
        // Taken away between the two steps.
        Err(PasskeyError::NotTaken(WebauthnError::CredentialNotFound))
    }
}

/// The authenticator's name of a key, in hexadecimal digits.
pub(crate) fn id_of(key: &Passkey) -> String {
    let id: &[u8] = key.cred_id();
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_browsers_know_passkeys_for_are_taken() {
        for good in ["https://trade.example.org", "http://localhost:8080"] {
            assert!(Passkeys::of(good).is_ok(), "{good}");
        }
        for bad in ["trade.example.org", "https://10.0.0.1", "", "file:///x"] {
            assert!(Passkeys::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_answer_of_an_authenticator_is_refused() {
        let passkeys = Passkeys::of("http://localhost:8080").unwrap();
        let begun = passkeys.register(Uuid::from_u128(1), "chan", &[]).unwrap();
        assert!(begun.challenge["publicKey"]["challenge"].is_string());
        for sent in ["", "{}", "null", r#"{"id":"x","rawId":"x","type":"public-key","response":{}}"#] {
            assert!(passkeys.registered(sent, &begun.state).is_err(), "{sent}");
        }
    }
}
