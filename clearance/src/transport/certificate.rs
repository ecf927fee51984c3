//! Whether a certificate is good, and whom it names: checked as the link checks it, before anything starts.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError as Bad, Error, InconsistentKeys, RootCertStore};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::party::{Party, PartyError};
use crate::ids::UtcMillis;

/// A certificate that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it names.
    pub party: Party,
    /// Until when it is good.
    pub until: UtcMillis,
}

/// What is wrong with an authority, a certificate or a key, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The authority's file.
    #[error("ca: holds no certificate (PEM); copy ca.pem of the authority's folder")]
    NoAuthority,
    /// The certificate's file.
    #[error("certificate: holds no certificate (PEM); `central ca issue` makes one")]
    NoCertificate,
    /// The key's file.
    #[error("private_key: holds no private key (PEM); `central ca issue` makes one beside the certificate")]
    NoKey,
    /// Two files that do not belong together.
    #[error("private_key: is not the key of the certificate; take both from the same `central ca issue`")]
    Mismatch,
    /// Another authority's.
    #[error(
        "certificate: was not issued by the authority in ca; use the ca.pem of the authority that issued it, or issue a new one with `central ca issue`"
    )]
    Authority,
    /// Too old.
    #[error("certificate: ran out on {0}; issue a new one with `central ca issue`")]
    Expired(String),
    /// Too new, or a clock that is wrong.
    #[error("certificate: is good only from {0}; set this machine's clock")]
    NotYet(String),
    /// Anything else that the link would refuse.
    #[error("certificate: {0}; issue a new one with `central ca issue`")]
    Other(String),
    /// Whom it names.
    #[error("certificate: {0}")]
    Party(#[from] PartyError),
}

impl CertificateError {
    /// Whether only time stands against it: a new certificate or a clock that is set mends it, and until then a node
    /// does what it can without a link.
    pub fn is_of_time(&self) -> bool {
        matches!(self, Self::Expired(_) | Self::NotYet(_))
    }
}

/// Check a certificate and its key against an authority, all as PEM, at this time.
pub fn verify(
    ca: &[u8],
    certificate: &[u8],
    key: &[u8],
    now: UtcMillis,
) -> Result<Certificate, CertificateError> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(ca).ok_or(CertificateError::NoAuthority)? {
        roots.add(root).map_err(|_| CertificateError::NoAuthority)?;
    }
    let chain = certificates(certificate).ok_or(CertificateError::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
    CertifiedKey::from_der(chain.clone(), key, &provider).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::Mismatch,
        error => CertificateError::Other(error.to_string()),
    })?;
    let (own, above) = chain.split_first().ok_or(CertificateError::NoCertificate)?;
    let (_, parsed) = X509Certificate::from_der(own).map_err(|_| CertificateError::NoCertificate)?;
    let validity = parsed.validity();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .map_err(|_| CertificateError::NoAuthority)?;
    let millis = u64::try_from(now.0).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(millis));
    verifier.verify_client_cert(own, above, at).map_err(|error| match error {
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            CertificateError::Expired(validity.not_after.to_string())
        }
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            CertificateError::NotYet(validity.not_before.to_string())
        }
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => CertificateError::Authority,
        error => CertificateError::Other(error.to_string()),
    })?;
    let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    Ok(Certificate {
        party: name.unwrap_or_default().parse()?,
        until: UtcMillis(validity.not_after.timestamp().saturating_mul(1000)),
    })
}

/// One certificate at least, else nothing.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    const NOW: UtcMillis = UtcMillis(1_800_000_000_000);

    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn authority() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = params("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    impl Authority {
        fn issue(&self, params: &CertificateParams) -> (String, String) {
            let key = KeyPair::generate().unwrap();
            (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
        }
    }

    #[test]
    fn a_good_certificate_names_its_party_and_everything_else_says_what_is_wrong() {
        let (ours, others) = (authority(), authority());
        let (good, key) = ours.issue(&params("edge.site.edge-1"));
        let check = |ca: &str, certificate: &str, key: &str| {
            verify(ca.as_bytes(), certificate.as_bytes(), key.as_bytes(), NOW)
        };
        let certificate = check(&ours.pem, &good, &key).unwrap();
        assert_eq!(certificate.party.to_string(), "edge.site.edge-1");
        assert!(certificate.until > NOW);

        let (foreign, foreign_key) = others.issue(&params("edge.site.edge-1"));
        let mut old = params("edge.site.edge-1");
        old.not_after = rcgen::date_time_ymd(2026, 1, 1);
        let (old, old_key) = ours.issue(&old);
        let mut young = params("edge.site.edge-1");
        young.not_before = rcgen::date_time_ymd(2090, 1, 1);
        let (young, young_key) = ours.issue(&young);
        let (nobody, nobody_key) = ours.issue(&params("www.example.org"));
        for (ca, certificate, key, said) in [
            ("", good.as_str(), key.as_str(), "ca: holds no certificate"),
            (&ours.pem, "", &key, "certificate: holds no certificate"),
            (&ours.pem, &good, "", "private_key: holds no private key"),
            (&ours.pem, &good, &foreign_key, "is not the key"),
            (&ours.pem, &foreign, &foreign_key, "not issued by"),
            (&ours.pem, &old, &old_key, "ran out on"),
            (&ours.pem, &young, &young_key, "is good only from"),
            (&ours.pem, &nobody, &nobody_key, "www.example.org"),
        ] {
            let error = check(ca, certificate, key).unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
