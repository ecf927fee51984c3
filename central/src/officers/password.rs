//! Passwords, kept as Argon2id hashes.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use tokio::task::JoinError;

/// Why a password cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has 10 to 200 characters")]
    Length,
    /// The hash function failed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// The hash that is stored of a password.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if !(10..=200).contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|e| PasswordError::Hash(e.to_string()))?;
    Ok(hash.to_string())
}

/// Whether a password is the one of a hash. An unknown officer (`None`) takes as long as a wrong password.
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$VE9kYXlJc05vdGhpbmc$1Hn2yF5Jm3p9b0q2m8m0kQm1m0f8m0bqkq8m0p8m0bo";
    let text = hash.unwrap_or(NOBODY);
    let matches = PasswordHash::new(text)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    matches && hash.is_some()
}

/// The same, where nobody else waits for it: Argon2 takes its time.
pub(crate) async fn verify_password_aside(password: String, hash: Option<String>) -> Result<bool, JoinError> {
    tokio::task::spawn_blocking(move || verify_password(&password, hash.as_deref())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("correct horse", Some(&hash)));
        assert!(!verify_password("correct horsf", Some(&hash)));
        assert!(!verify_password("correct horse", None));
        assert_eq!(hash_password("short"), Err(PasswordError::Length));
    }
}
