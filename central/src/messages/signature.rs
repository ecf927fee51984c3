//! Signatures of webhooks, in the form of Standard Webhooks: whoever receives one can tell that it came from here, that nothing
//! was changed, and when it was sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of a secret.
const SECRET: usize = 32;

/// What a secret begins with for people.
const PREFIX: &str = "whsec_";

/// A secret that a webhook and its receiver share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one.
    pub fn fresh() -> Self {
        Self(rand::random::<[u8; SECRET]>().to_vec())
    }

    /// One that was stored.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its receiver is shown it, once.
    pub fn shown(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// The signature of one message, as it stands in `webhook-signature`.
    pub fn signature(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

/// The signatures by every secret that is good now, as they stand in one header.
pub(super) fn signatures(secrets: &[Secret], id: &str, seconds: i64, body: &[u8]) -> String {
    let each: Vec<String> = secrets.iter().map(|secret| secret.signature(id, seconds, body)).collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(BASE64.encode(plain.as_bytes()), coded);
        }
        assert_eq!(BASE64.encode([0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn the_known_message_has_the_known_signature() {
        // The example of Standard Webhooks: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.
        let secret = [
            0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c,
            0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
        ];
        let secret = Secret::of(secret.to_vec());
        assert_eq!(secret.shown(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature =
            secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs_and_whatever_is_changed_is_signed_otherwise() {
        let (old, new) = (Secret::of(vec![1; 32]), Secret::of(vec![2; 32]));
        let both = signatures(&[new.clone(), old.clone()], "e-1", 5, b"{}");
        assert_eq!(both, format!("{} {}", new.signature("e-1", 5, b"{}"), old.signature("e-1", 5, b"{}")));
        for other in
            [old.signature("e-2", 5, b"{}"), old.signature("e-1", 6, b"{}"), old.signature("e-1", 5, b"{ }")]
        {
            assert_ne!(other, old.signature("e-1", 5, b"{}"));
        }
        assert_eq!(format!("{old:?}"), "Secret");
    }
}
