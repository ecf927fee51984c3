//! The trade's systems: the codes with which they enrol, and their certificates.
//!
//! Invariants
//! - a code is good once and for a day, and only its digest is stored; it is used up in the transaction that stores the
//!   certificate;
//! - a name belongs to one company, so that nobody acts under another's;
//! - a certificate's row stays: what its key has signed is verified with it, whatever became of it since.

use std::sync::Arc;

use clearance::ids::{Digest, UtcMillis};
use clearance::transport::{KeyKind, RequestedKey};
use futures::future::BoxFuture;

use super::trade::Refused;
use super::{Change, Noted, StorageError, Store, Write, data};
use crate::ca::{ClientAuthority, ClientCertificate};
use crate::officers::{Actor, Role};
use crate::systems::{ClientName, CodeHash};
use crate::trade::TraderId;

/// Certificates of one system that may be good at once: the present one, its successor, and room for a mishap.
pub const MOST_LIVE: usize = 5;

/// Milliseconds for which an enrolment code is good.
const CODE_MS: i64 = 86_400_000;

/// A certificate, and whose it is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClientRow {
    /// Serial number, 32 hexadecimal digits.
    pub serial: String,
    /// The system's name.
    pub name: String,
    /// Its company.
    pub trader: String,
    kind: String,
    public_key: Vec<u8>,
    /// The certificate, PEM.
    pub certificate: String,
    /// When it was issued, milliseconds since 1970.
    pub issued_at: i64,
    /// First moment at which it is no longer good.
    pub valid_until: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    sandbox: i64,
    disabled: i64,
}

macro_rules! clients {
    ($rest:literal) => {
        concat!(
            "SELECT c.serial, c.name, c.trader, c.kind, c.public_key, c.certificate, c.issued_at, c.valid_until, \
             c.revoked_at, t.sandbox, t.disabled FROM clients c JOIN traders t ON t.id = c.trader ",
            $rest
        )
    };
}

/// Why a certificate that we have issued lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGood {
    /// Nobody knows it.
    #[error("this certificate is not known here: enrol with a code from `central client enrol`")]
    Unknown,
    /// It was revoked.
    #[error("this certificate was revoked: enrol anew with a code from `central client enrol`")]
    Revoked,
    /// Its time is over.
    #[error("this certificate has run out: enrol anew with a code from `central client enrol`")]
    Expired,
    /// Its company may not declare.
    #[error("the company of this certificate may not declare: ask customs")]
    Disabled,
}

impl ClientRow {
    /// Itself, while it lets its holder in.
    pub fn good(self, now: UtcMillis) -> Result<Self, NotGood> {
        match () {
            () if self.revoked_at.is_some() => Err(NotGood::Revoked),
            () if self.valid_until <= now.0 => Err(NotGood::Expired),
            () if self.disabled != 0 => Err(NotGood::Disabled),
            () => Ok(self),
        }
    }

    /// Whoever holds it, signed in.
    pub fn actor(&self) -> Result<Actor, StorageError> {
        Ok(Actor {
            name: self.name.clone(),
            role: Role::Trade,
            trader: Some(self.trader.parse().map_err(data)?),
            sandbox: self.sandbox != 0,
        })
    }

    /// Its public key.
    pub fn key(&self) -> Result<RequestedKey, StorageError> {
        let kind = KeyKind::ALL.into_iter().find(|kind| stored(*kind) == self.kind);
        let kind = kind.ok_or_else(|| data(format!("{} is no kind of key", self.kind)))?;
        Ok(RequestedKey { kind, bytes: self.public_key.clone() })
    }
}

pub(super) fn stored(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::P256 => "ES256",
        KeyKind::Ed25519 => "EdDSA",
    }
}

/// By what somebody may be given a certificate.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// A code.
    Code(CodeHash),
    /// A certificate that is good.
    Certificate(Digest),
}

/// Why no certificate is issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotIssued {
    /// The code.
    #[error(
        "this code is not good: each is good once and for 24 hours; `central client enrol` makes another"
    )]
    Code,
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] NotGood),
    /// There are too many.
    #[error("this system has {MOST_LIVE} certificates that are good; revoke one that is not used")]
    TooMany,
    /// The authority.
    #[error("{0}")]
    Authority(String),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for NotIssued {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Issue a certificate for a key.
pub(crate) struct IssueClient {
    pub(crate) proof: Proof,
    pub(crate) key: RequestedKey,
    pub(crate) authority: Arc<ClientAuthority>,
    pub(crate) at: UtcMillis,
}

impl Change for IssueClient {
    type Done = ClientCertificate;
    type Refused = NotIssued;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<ClientCertificate, NotIssued>> {
        Box::pin(async move {
            let (name, trader) = match &self.proof {
                Proof::Code(code) => write.use_code(code, self.at).await?,
                Proof::Certificate(fingerprint) => {
                    let row = client(&mut write.tx, fingerprint).await?.ok_or(NotGood::Unknown)?;
                    let row = row.good(self.at)?;
                    (row.name, row.trader)
                }
            };
            let live: Vec<String> = sqlx::query_scalar(
                "SELECT serial FROM clients WHERE name = $1 AND trader = $2 AND revoked_at IS NULL AND valid_until > $3",
            )
            .bind(name.clone())
            .bind(trader.clone())
            .bind(self.at.0)
            .fetch_all(&mut *write.tx)
            .await?;
            if live.len() >= MOST_LIVE {
                return Err(NotIssued::TooMany);
            }
            let issued = self.authority.issue(&trader, &name, &self.key, self.at);
            let issued = issued.map_err(|error| NotIssued::Authority(format!("{error:#}")))?;
            sqlx::query(
                "INSERT INTO clients (fingerprint, serial, name, trader, kind, public_key, certificate, issued_at, valid_until) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(issued.fingerprint.to_string())
            .bind(issued.serial.clone())
            .bind(name.clone())
            .bind(trader)
            .bind(stored(self.key.kind))
            .bind(self.key.bytes)
            .bind(issued.pem.clone())
            .bind(self.at.0)
            .bind(issued.until.0)
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &name, &Noted::IssueCertificate, &issued.serial).await?;
            Ok(issued)
        })
    }
}

impl Write<'_> {
    async fn use_code(&mut self, code: &CodeHash, at: UtcMillis) -> Result<(String, String), NotIssued> {
        let done = sqlx::query(
            "UPDATE enrolments SET used_at = $1 WHERE code = $2 AND used_at IS NULL AND expires_at > $1",
        )
        .bind(at.0)
        .bind(code.as_str().to_owned())
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(NotIssued::Code);
        }
        let found: Option<(String, String)> = sqlx::query_as(
            "SELECT e.name, e.trader FROM enrolments e JOIN traders t ON t.id = e.trader WHERE e.code = $1 AND t.disabled = 0",
        )
        .bind(code.as_str().to_owned())
        .fetch_optional(&mut *self.tx)
        .await?;
        found.ok_or(NotIssued::Certificate(NotGood::Disabled))
    }
}

/// Revoke a certificate: of one's company, or as customs any.
pub(crate) struct RevokeClient {
    pub(crate) serial: String,
    /// Whose it must be; none: customs asks.
    pub(crate) trader: Option<TraderId>,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for RevokeClient {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let found: Option<(String, Option<i64>)> =
                sqlx::query_as("SELECT trader, revoked_at FROM clients WHERE serial = $1")
                    .bind(self.serial.clone())
                    .fetch_optional(&mut *write.tx)
                    .await?;
            let theirs = |trader: &str| self.trader.as_ref().is_none_or(|own| own.as_str() == trader);
            let (_, revoked) = found.filter(|(t, _)| theirs(t)).ok_or(Refused::NotFound("certificate"))?;
            if revoked.is_some() {
                return Ok(());
            }
            sqlx::query("UPDATE clients SET revoked_at = $1, revoked_by = $2 WHERE serial = $3")
                .bind(self.at.0)
                .bind(self.by.clone())
                .bind(self.serial.clone())
                .execute(&mut *write.tx)
                .await?;
            write.audit(self.at, &self.by, &Noted::RevokeCertificate, &self.serial).await?;
            Ok(())
        })
    }
}

async fn client(
    connection: &mut sqlx::AnyConnection,
    fingerprint: &Digest,
) -> Result<Option<ClientRow>, StorageError> {
    let row = sqlx::query_as(clients!("WHERE c.fingerprint = $1"))
        .bind(fingerprint.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row)
}

impl Store {
    /// Let a system of a company enrol with a code. `false`: there is no such company, or the name is another company's.
    pub async fn enrol_client(
        &self,
        name: &ClientName,
        trader: &TraderId,
        code: &CodeHash,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let others: Option<String> = sqlx::query_scalar(
            "SELECT trader FROM clients WHERE name = $1 AND trader <> $2 \
             UNION SELECT trader FROM enrolments WHERE name = $1 AND trader <> $2 \
             UNION SELECT trader FROM tokens WHERE name = $1 AND trader <> $2",
        )
        .bind(name.as_str().to_owned())
        .bind(trader.as_str().to_owned())
        .fetch_optional(&mut *write.tx)
        .await?;
        let known: Option<String> = sqlx::query_scalar("SELECT id FROM traders WHERE id = $1")
            .bind(trader.as_str().to_owned())
            .fetch_optional(&mut *write.tx)
            .await?;
        if others.is_some() || known.is_none() {
            return Ok(false);
        }
        sqlx::query("INSERT INTO enrolments (code, name, trader, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(code.as_str().to_owned())
            .bind(name.as_str().to_owned())
            .bind(trader.as_str().to_owned())
            .bind(at.0 + CODE_MS)
            .execute(&mut *write.tx)
            .await?;
        write.audit(at, by, &Noted::EnrolClient, name.as_str()).await?;
        write.commit().await?;
        Ok(true)
    }

    /// The certificate with this fingerprint, good or not.
    pub async fn client(&self, fingerprint: &Digest) -> Result<Option<ClientRow>, StorageError> {
        let mut connection = self.pool.acquire().await?;
        client(&mut connection, fingerprint).await
    }

    /// The certificates of a company, or of all, latest first, at most 500.
    pub async fn clients(&self, trader: Option<&TraderId>) -> Result<Vec<ClientRow>, StorageError> {
        let rows = sqlx::query_as(clients!(
            "WHERE $1 = '' OR c.trader = $1 ORDER BY c.issued_at DESC, c.serial LIMIT 500"
        ))
        .bind(trader.map_or("", TraderId::as_str))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
