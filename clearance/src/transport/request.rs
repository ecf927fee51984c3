//! What a system sends to be given a certificate: a PKCS#10 request. Of it only the key counts, and that its sender holds it;
//! whatever else is asked for (names, uses, being an authority) is for the issuer to say.

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{AlgorithmIdentifier, CertificateSigningRequestDer, alg_id};
use x509_parser::prelude::{FromDer as _, X509CertificationRequest};

/// The kinds of key that a system may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// ECDSA over P-256 with SHA-256.
    P256,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::P256, Self::Ed25519];

    fn key_algorithm(self) -> AlgorithmIdentifier {
        match self {
            Self::P256 => alg_id::ECDSA_P256,
            Self::Ed25519 => alg_id::ED25519,
        }
    }

    fn signature_algorithm(self) -> AlgorithmIdentifier {
        match self {
            Self::P256 => alg_id::ECDSA_SHA256,
            Self::Ed25519 => alg_id::ED25519,
        }
    }

    /// The only encoding of a SubjectPublicKeyInfo with this key, which is short enough for lengths of one byte.
    fn encoded(self, key: &[u8]) -> Vec<u8> {
        let algorithm = self.key_algorithm();
        let (named, bits) = (algorithm.len() as u8, key.len() as u8 + 1);
        let mut bytes = vec![0x30, 2 + named + 2 + bits, 0x30, named];
        bytes.extend_from_slice(&algorithm);
        bytes.extend([0x03, bits, 0]);
        bytes.extend_from_slice(key);
        bytes
    }

    fn is_key(self, key: &[u8]) -> bool {
        match self {
            Self::P256 => key.len() == 65 && key.first() == Some(&4),
            Self::Ed25519 => key.len() == 32,
        }
    }

    fn has_signed(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        ring::default_provider()
            .signature_verification_algorithms
            .all
            .iter()
            .filter(|known| known.public_key_alg_id() == self.key_algorithm())
            .filter(|known| known.signature_alg_id() == self.signature_algorithm())
            .any(|known| known.verify_signature(key, message, signature).is_ok())
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestedKey {
    /// Of which kind.
    pub kind: KeyKind,
    /// Its bytes: an uncompressed point (65 bytes) of P-256, the 32 bytes of an Ed25519 key.
    pub bytes: Vec<u8>,
}

/// Why a request for a certificate cannot be taken, and what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It cannot be read.
    #[error("is no certificate signing request (PKCS#10, PEM: -----BEGIN CERTIFICATE REQUEST-----)")]
    Form,
    /// A key of another kind.
    #[error(
        "has a key of a kind that is not taken: make one for P-256 (prime256v1, uncompressed) or Ed25519"
    )]
    Kind,
    /// Whoever sent it has not signed it with the key.
    #[error("is not signed by its own key (P-256 with SHA-256, or Ed25519)")]
    Signature,
}

/// Read a request (PEM): the key, once its holder has proved to have it.
pub fn requested_key(pem: &[u8]) -> Result<RequestedKey, RequestError> {
    let der = CertificateSigningRequestDer::from_pem_slice(pem).map_err(|_| RequestError::Form)?;
    let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| RequestError::Form)?;
    if !rest.is_empty() {
        return Err(RequestError::Form);
    }
    let info = &request.certification_request_info;
    let key = &info.subject_pki.subject_public_key.data;
    let fits = |kind: &KeyKind| kind.is_key(key) && kind.encoded(key) == info.subject_pki.raw;
    let kind = KeyKind::ALL.into_iter().find(fits).ok_or(RequestError::Kind)?;
    if !kind.has_signed(key, info.raw, &request.signature_value.data) {
        return Err(RequestError::Signature);
    }
    Ok(RequestedKey { kind, bytes: key.to_vec() })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD as BASE64;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    fn request(key: &KeyPair) -> Vec<u8> {
        CertificateParams::new([]).unwrap().serialize_request(key).unwrap().der().to_vec()
    }

    fn pem(der: &[u8]) -> String {
        let base64 = BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{base64}\n-----END CERTIFICATE REQUEST-----\n")
    }

    #[test]
    fn a_key_is_taken_from_whoever_holds_it() {
        for (kind, algorithm) in [(KeyKind::P256, &PKCS_ECDSA_P256_SHA256), (KeyKind::Ed25519, &PKCS_ED25519)]
        {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let taken = requested_key(pem(&request(&key)).as_bytes()).unwrap();
            assert_eq!(taken, RequestedKey { kind, bytes: key.public_key_raw().to_vec() });
        }
    }

    #[test]
    fn whoever_cannot_sign_is_refused_and_so_is_anything_else() {
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut stolen = request(&own);
        let at = stolen.windows(65).position(|bytes| bytes == own.public_key_raw()).unwrap();
        stolen[at..at + 65].copy_from_slice(other.public_key_raw());
        assert_eq!(requested_key(pem(&stolen).as_bytes()), Err(RequestError::Signature));
        let long = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(requested_key(pem(&request(&long)).as_bytes()), Err(RequestError::Kind));
        let mut trailing = request(&own);
        trailing.push(0);
        for bad in [pem(&trailing), pem(b"x"), String::new(), "-----BEGIN".to_owned()] {
            assert_eq!(requested_key(bad.as_bytes()), Err(RequestError::Form));
        }
    }
}
