//! What the trade's systems have: certificates, codes to enrol with, and what they have handed in together.

use std::collections::{BTreeMap, BTreeSet};

use clearance::finding::Check;
use clearance::ids::Digest;
use clearance::transport::KeyKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Checking, Stopped};
use crate::ccrn::Ccrn;
use crate::storage::MOST_LIVE;
use crate::storage::clients::stored;
use crate::storage::trade::{Acknowledged, HandedIn, ItemOutcome, PART};

const CERTIFICATE: Check = Check::damage(
    "certificate",
    "a certificate's row is not what was issued: a system may be let in that should not be, or its signatures not be verified",
    "revoke it (`DELETE /api/v1/certificates/SERIAL`) and let the system enrol anew; restore the row from a backup",
);
const REQUEST: Check = Check::damage(
    "request",
    "what was handed in together is not whole: its company is told of other consignments than were lodged",
    "compare with the company's consignments and the audit, and let it send again what is missing",
);

impl Checking {
    /// Certificates, and codes.
    pub(super) async fn systems(&mut self) -> Result<(), Stopped> {
        type Row =
            (String, String, String, String, String, Vec<u8>, String, i64, i64, Option<i64>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT fingerprint, serial, name, trader, kind, public_key, certificate, issued_at, valid_until, revoked_at, revoked_by FROM clients",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("certificates", rows.len() as u64);
        let mut companies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut issued: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
        for (fingerprint, serial, name, trader, kind, key, pem, from, until, revoked_at, revoked_by) in rows {
            let place = format!("clients {serial}");
            let mut wrong = Vec::new();
            let mut check = |what: &'static str, is_wrong: bool| wrong.extend(is_wrong.then_some(what));
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok();
            let digest = der.as_ref().map(|der| Digest::of(der).to_string());
            check("its fingerprint is not that of its certificate", digest.as_ref() != Some(&fingerprint));
            let holds = der.as_ref().is_some_and(|der| !key.is_empty() && contains(der, &key));
            check("its key is not the certificate's", !holds);
            check("it is of no known kind", !KeyKind::ALL.into_iter().any(|known| stored(known) == kind));
            check(
                "its serial number is none",
                serial.len() != 32 || !serial.bytes().all(|b| b.is_ascii_hexdigit()),
            );
            check("it ends before it begins", until <= from);
            check(
                "who has revoked it, and when, do not go together",
                revoked_at.is_some() != revoked_by.is_some(),
            );
            wrong.into_iter().for_each(|what| self.found(CERTIFICATE.found(&place, what)));
            companies.entry(name.clone()).or_default().insert(trader.clone());
            issued.entry((trader, name)).or_default().push((from, revoked_at.unwrap_or(until).min(until)));
        }
        for ((trader, name), times) in issued {
            let live = |at: i64| times.iter().filter(|(from, until)| *from <= at && at < *until).count();
            if times.iter().any(|(from, _)| live(*from) > MOST_LIVE) {
                let what = format!("more than {MOST_LIVE} were good at once");
                self.found(CERTIFICATE.found(format!("clients of {trader}/{name}"), what));
            }
        }
        let codes: Vec<(String, String, String, i64, Option<i64>)> =
            sqlx::query_as("SELECT code, name, trader, expires_at, used_at FROM enrolments")
                .fetch_all(&mut self.connection)
                .await?;
        for (code, name, trader, expires, used) in codes {
            let place = format!("enrolments of {name}");
            self.value(code.parse::<Digest>().is_err(), &place, "a code is no digest");
            self.value(used.is_some_and(|used| used >= expires), &place, "a code was used after its time");
            companies.entry(name).or_default().insert(trader);
        }
        for (name, traders) in companies.into_iter().filter(|(_, traders)| traders.len() > 1) {
            let what = format!("it is of {} companies", traders.len());
            self.found(CERTIFICATE.found(format!("system {name}"), what));
        }
        Ok(())
    }

    /// What was handed in together, and what came of it.
    pub(super) async fn requests(&mut self) -> Result<(), Stopped> {
        let requests: Vec<(String, String, i64, Option<String>)> =
            sqlx::query_as("SELECT id, trader, items, failed FROM requests")
                .fetch_all(&mut self.connection)
                .await?;
        self.report.count("requests", requests.len() as u64);
        for (id, trader, items, failed) in requests {
            let place = format!("requests {id}");
            let parts: Vec<(i64, String, Option<String>, String)> = sqlx::query_as(
                "SELECT first, items, outcomes, trader FROM request_parts WHERE request = $1 ORDER BY first",
            )
            .bind(&id)
            .fetch_all(&mut self.connection)
            .await?;
            let mut next = 0;
            for (first, waiting, outcomes, of) in parts {
                let place = format!("request_parts {id} from {first}");
                if first != next {
                    self.found(REQUEST.found(&place, format!("item {next} is not there")));
                }
                if of != trader {
                    self.found(REQUEST.found(&place, "it is of another company than its request"));
                }
                let many = match outcomes {
                    Some(outcomes) => self.outcomes(&place, &trader, &outcomes).await?,
                    None => serde_json::from_str::<Vec<HandedIn>>(&waiting).ok().map(|items| items.len()),
                };
                // What could not be read was set aside, and is known.
                let Some(many) = many else {
                    if failed.is_none() {
                        self.found(REQUEST.found(&place, "its items cannot be read"));
                    }
                    next = items.min(first + PART as i64);
                    continue;
                };
                next = first + many as i64;
            }
            if next != items {
                self.found(REQUEST.found(&place, format!("it has {next} of {items} items")));
            }
        }
        let idle: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT p.trader FROM request_parts p WHERE p.outcomes IS NULL AND p.not_before < $1 \
             AND NOT EXISTS (SELECT 1 FROM request_turns t WHERE t.trader = p.trader)",
        )
        .bind(i64::MAX)
        .fetch_all(&mut self.connection)
        .await?;
        for trader in idle {
            self.found(REQUEST.found(format!("request_turns {trader}"), "the company has parts and no turn"));
        }
        Ok(())
    }

    /// How many outcomes a part has; each number must be one of the company's consignments, as long as they are kept.
    async fn outcomes(
        &mut self,
        place: &str,
        trader: &str,
        outcomes: &str,
    ) -> Result<Option<usize>, Stopped> {
        let Ok(outcomes) = serde_json::from_str::<Vec<Acknowledged>>(outcomes) else { return Ok(None) };
        let mut seen = BTreeSet::<&Ccrn>::new();
        for outcome in &outcomes {
            let ItemOutcome::Lodged(ccrn) = &outcome.outcome else { continue };
            if !seen.insert(ccrn) {
                self.found(REQUEST.found(place, format!("{ccrn} is there twice")));
            }
            let of: Option<String> = sqlx::query_scalar("SELECT trader FROM consignments WHERE ccrn = $1")
                .bind(ccrn.as_str())
                .fetch_optional(&mut self.connection)
                .await?;
            if of.is_some_and(|of| of != trader) {
                self.found(REQUEST.found(place, format!("{ccrn} is another company's")));
            }
        }
        Ok(Some(outcomes.len()))
    }
}

fn contains(der: &[u8], key: &[u8]) -> bool {
    der.windows(key.len()).any(|some| some == key)
}
