//! One-time passwords (RFC 6238): six digits, 30 s, SHA-1, as every authenticator app knows them.

use clearance::ids::UtcMillis;
use rand::RngExt as _;
use totp_rs::{Algorithm, TOTP};

const STEP_S: i64 = 30;

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret of one-time passwords cannot be used: {0}")]
pub struct TotpError(String);

/// What an authenticator app and central share.
#[derive(Clone)]
pub struct OneTime(TOTP);

impl OneTime {
    /// A new secret of 160 bits.
    pub fn new_secret() -> [u8; 20] {
        rand::rng().random()
    }

    /// Of a secret, for a person's login.
    pub fn of(secret: &[u8], login: &str) -> Result<Self, TotpError> {
        TOTP::new(Algorithm::SHA1, 6, 1, 30, secret.to_vec(), Some("Clearlane".to_owned()), login.to_owned())
            .map(Self)
            .map_err(|e| TotpError(e.to_string()))
    }

    /// The address (`otpauth:`) that an app takes from a QR code.
    pub fn url(&self) -> String {
        self.0.get_url()
    }

    /// The secret as people type it into an app that has no camera: base32.
    pub fn secret(&self) -> String {
        self.0.get_secret_base32()
    }

    /// The step whose password `code` is: now, the one before or the one after; none if it is of neither.
    /// It is the store that sees to it that a step is taken only once.
    pub fn step(&self, code: &str, now: UtcMillis) -> Option<i64> {
        let current = now.0.div_euclid(STEP_S * 1000);
        [current, current - 1, current + 1].into_iter().find(|step| self.is(code, *step))
    }

    fn is(&self, code: &str, step: i64) -> bool {
        // A skew of 0 for one step; `check` compares in constant time.
        let exact = TOTP { skew: 0, ..self.0.clone() };
        u64::try_from(step * STEP_S).is_ok_and(|seconds| exact.check(code, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, whose password at 59 s is 94287082 with eight digits.
    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn the_password_of_the_rfc_is_taken_a_step_early_and_late_only() {
        let one_time = OneTime::of(RFC, "chan").unwrap();
        for (second, step) in [(59, Some(1)), (29, Some(1)), (89, Some(1)), (90, None), (1_000, None)] {
            assert_eq!(one_time.step("287082", UtcMillis(second * 1000)), step, "{second}");
        }
        assert_eq!(one_time.step("287083", UtcMillis(59_000)), None);
        assert_eq!(one_time.step("", UtcMillis(59_000)), None);
    }

    #[test]
    fn a_new_secret_is_one_that_apps_take() {
        let secret = OneTime::new_secret();
        assert_ne!(secret, OneTime::new_secret());
        let one_time = OneTime::of(&secret, "chan").unwrap();
        assert!(one_time.url().starts_with("otpauth://totp/"));
        assert!(one_time.url().contains(&one_time.secret()));
        assert!(OneTime::of(b"short", "chan").is_err());
    }
}
