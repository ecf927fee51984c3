//! A small certificate authority in a folder: `ca.pem`, which everybody gets, and `ca.key`, which stays where it was
//! made. It issues the certificates by which edges, routers and central know each other.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clearance::ids::{Digest, UtcMillis};
use clearance::transport::{self, KeyKind, Party, RequestedKey};
use rand::RngExt as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use time::OffsetDateTime;

/// The name of every authority; who issued what is told by the signature.
const NAME: &str = "Clearlane authority";

/// Clocks of machines that have just been set up differ by as much.
const EARLIER: Duration = Duration::from_hours(1);

/// Days for which an authority is good, unless said otherwise.
pub const AUTHORITY_DAYS: u32 = 3650;

/// Days for which a certificate is good, unless said otherwise.
pub const DAYS: u32 = 397;

/// So many days.
pub const fn days(days: u32) -> Duration {
    Duration::from_hours(24 * days as u64)
}

/// Days for which a certificate of a system of the trade is good; it is renewed by itself.
pub const CLIENT_DAYS: u32 = 90;

/// The two files that a party gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, readable by its owner only.
    pub private_key: PathBuf,
}

/// Make an authority in a folder that has none; gives the file that everybody needs.
pub fn init(folder: &Path, days: u32, now: UtcMillis) -> anyhow::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| folder.display().to_string())?;
    let key = KeyPair::generate()?;
    write_new(&folder.join("ca.key"), &key.serialize_pem(), 0o600)?;
    let mut params = authority();
    (params.not_before, params.not_after) = span(self::days(days), now)?;
    let path = folder.join("ca.pem");
    write_new(&path, &params.self_signed(&key)?.pem(), 0o644)?;
    Ok(path)
}

/// Issue a certificate for a party, into `out`, that is good for as long as `lasts` says. `hosts` are the names and addresses under which others connect to it:
/// central and routers need one, edges have none.
pub fn issue(
    folder: &Path,
    out: &Path,
    party: &Party,
    hosts: &[String],
    lasts: Duration,
    now: UtcMillis,
) -> anyhow::Result<Issued> {
    let listens = !matches!(party, Party::Edge(..));
    ensure!(
        listens != hosts.is_empty(),
        "{party}: name with --host under which names or addresses others connect to central or a router"
    );
    let issuer = Issuer::new(authority(), load_key(&folder.join("ca.key"))?);
    let mut params = CertificateParams::new(hosts).with_context(|| format!("--host {hosts:?}"))?;
    params.distinguished_name.push(DnType::CommonName, party.to_string());
    (params.not_before, params.not_after) = span(lasts, now)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if listens {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?.pem();
    // A folder whose ca.pem and ca.key do not belong together would issue what nobody believes.
    let ca =
        std::fs::read(folder.join("ca.pem")).with_context(|| folder.join("ca.pem").display().to_string())?;
    transport::verify(&ca, certificate.as_bytes(), key.serialize_pem().as_bytes(), now)
        .with_context(|| format!("{}: not a folder of `central ca init`", folder.display()))?;
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let issued = Issued {
        certificate: out.join(format!("{party}.pem")),
        private_key: out.join(format!("{party}.key")),
    };
    write_new(&issued.private_key, &key.serialize_pem(), 0o600)?;
    write_new(&issued.certificate, &certificate, 0o644)?;
    Ok(issued)
}

/// The authority of the trade's systems, as central holds it while it runs.
pub struct ClientAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate that a system was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub pem: String,
    /// Its serial number: 32 hexadecimal digits.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub fingerprint: Digest,
    /// First moment at which it is no longer good.
    pub until: UtcMillis,
}

impl ClientAuthority {
    /// Read the folder of [`init`].
    pub fn load(folder: &Path, now: UtcMillis) -> anyhow::Result<Self> {
        let issuer = Issuer::new(authority(), load_key(&folder.join("ca.key"))?);
        let path = folder.join("ca.pem");
        let certificate = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // Files that do not belong together would issue what nobody believes.
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, Party::Central.to_string());
        (params.not_before, params.not_after) = span(days(1), now)?;
        let probe = params.signed_by(&key, &issuer)?.pem();
        let checked =
            transport::verify(certificate.as_bytes(), probe.as_bytes(), key.serialize_pem().as_bytes(), now);
        checked.with_context(|| format!("{}: not a folder of `central ca init`", folder.display()))?;
        Ok(Self { issuer, certificate })
    }

    /// The authority's own certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Issue a certificate for a system's key. `company` and `name` are told in it for people; who it is, is looked up.
    pub fn issue(
        &self,
        company: &str,
        name: &str,
        key: &RequestedKey,
        now: UtcMillis,
    ) -> anyhow::Result<ClientCertificate> {
        let mut serial: [u8; 16] = rand::rng().random();
        // Positive, and of full length: the number reads alike everywhere.
        serial[0] = serial[0] & 0x7f | 0x40;
        let mut params = CertificateParams::default();
        // No name of a lane's party has a slash in it.
        params.distinguished_name.push(DnType::CommonName, format!("trade/{company}/{name}"));
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        (params.not_before, params.not_after) = span(days(CLIENT_DAYS), now)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let until = UtcMillis(params.not_after.unix_timestamp() * 1000);
        let certificate = params.signed_by(&Holder(key), &self.issuer)?;
        Ok(ClientCertificate {
            pem: certificate.pem(),
            serial: uuid::Uuid::from_bytes(serial).simple().to_string(),
            fingerprint: Digest::of(certificate.der()),
            until,
        })
    }
}

/// A key of which only the public half is here.
struct Holder<'a>(&'a RequestedKey);

impl PublicKeyData for Holder<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0.kind {
            KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::Ed25519 => &rcgen::PKCS_ED25519,
        }
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn span(lasts: Duration, now: UtcMillis) -> anyhow::Result<(OffsetDateTime, OffsetDateTime)> {
    ensure!(
        !lasts.is_zero() && lasts <= days(AUTHORITY_DAYS),
        "for {lasts:?}: a certificate is good for some time, and for {AUTHORITY_DAYS} days at most"
    );
    let now = OffsetDateTime::from_unix_timestamp(now.0.div_euclid(1000))?;
    Ok((now - EARLIER, now + lasts))
}

fn load_key(path: &Path) -> anyhow::Result<KeyPair> {
    let named =
        || format!("{}: the authority's key; `central ca init --folder FOLDER` makes one", path.display());
    KeyPair::from_pem(&read_secret(path).with_context(named)?).with_context(named)
}

/// The text of a file that only its owner can read.
pub(crate) fn read_secret(path: &Path) -> anyhow::Result<String> {
    only_its_owner_reads(path)?;
    Ok(std::fs::read_to_string(path)?)
}

/// Refuse a key that others can read.
pub(crate) fn only_its_owner_reads(path: &Path) -> anyhow::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "{}: others can read this key; chmod 600 it", path.display());
    Ok(())
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    written().with_context(|| {
        format!(
            "{}: keys and certificates are never written over old ones; choose another folder",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use clearance::transport::CertificateError;

    use super::*;

    const NOW: UtcMillis = UtcMillis(1_800_000_000_000);

    #[test]
    fn what_is_issued_is_good_names_its_party_and_only_its_owner_reads_the_key() {
        let folder = tempfile::TempDir::new().unwrap();
        let ca = folder.path().join("ca");
        let pem = init(&ca, AUTHORITY_DAYS, NOW).unwrap();
        assert!(init(&ca, AUTHORITY_DAYS, NOW).is_err(), "never over an old one");
        let edge = Party::edge(&"site".parse().unwrap(), &"edge-1".parse().unwrap()).unwrap();
        let hosts = ["central.example.org".to_owned(), "10.0.0.1".to_owned()];
        for (party, hosts) in [(&edge, &[][..]), (&Party::Central, &hosts[..])] {
            let issued = issue(&ca, folder.path(), party, hosts, days(30), NOW).unwrap();
            for key in [&issued.private_key, &ca.join("ca.key")] {
                assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
            }
            let read = |path: &Path| std::fs::read(path).unwrap();
            let check = |now| {
                transport::verify(&read(&pem), &read(&issued.certificate), &read(&issued.private_key), now)
            };
            let certificate = check(NOW).unwrap();
            assert_eq!(certificate.party, *party);
            assert_eq!(certificate.until, NOW.plus_millis(30 * 86_400_000));
            assert!(matches!(check(certificate.until.plus_millis(2000)), Err(CertificateError::Expired(_))));
            assert!(issue(&ca, folder.path(), party, hosts, days(30), NOW).is_err(), "never over an old one");
        }
        assert!(
            issue(&ca, folder.path(), &Party::Central, &[], days(30), NOW).is_err(),
            "nobody could connect to it"
        );
        assert!(issue(&ca, folder.path(), &edge, &[], days(0), NOW).is_err());
    }
}
