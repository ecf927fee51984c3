//! Who did what: a line for each deed, written in the transaction of the deed, read by people in their own language.
//!
//! Lines are numbered without holes and chained: each carries the digest of the one before and of itself, so that a line
//! that is changed, removed or slipped in afterwards breaks the chain from there on. Somebody who can write the whole table
//! could chain it anew; an anchor that was exported earlier ([`Anchor`]) shows that too.

use clearance::directive::ActionCode;
use clearance::ids::{Digest, Epoch, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::order::Verdict;
use serde::{Deserialize, Serialize};

use sqlx::AssertSqlSafe;

use super::statement::{ROWS, rows};
use super::{EpochReason, OrderReason, StorageError, Store, Write, data};
use crate::trade::movement::Inspection;
use crate::trade::news::SealState;

/// Whoever acts at the command line, where nobody signs in.
pub const COMMAND_LINE: &str = "command line";

/// The console itself, where whoever acts is not known.
pub const CONSOLE: &str = "console";

/// What was done. Kept as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// An officer signed in.
    SignIn,
    /// Somebody gave a wrong password, or was nobody.
    SignInFailed,
    /// A consignment was lodged.
    Lodge,
    /// Many were handed in together.
    Accept {
        /// How many.
        items: usize,
    },
    /// What was handed in together could not be lodged, and is not tried any more.
    SetAside {
        /// Why.
        why: String,
    },
    /// What is kept no longer was taken away.
    RollOff {
        /// How many rows.
        rows: u64,
    },
    /// Somebody of customs looked at what was decided about a movement, and why.
    LookAtRisk,
    /// It was amended.
    Amend {
        /// Its version now.
        version: u32,
    },
    /// It was taken back.
    CancelConsignment,
    /// Consignments were bundled with a vehicle.
    Bundle,
    /// Vehicle, place, time or consignments of a movement were changed.
    Revise {
        /// Its version now.
        version: u32,
    },
    /// A movement was taken back.
    CancelMovement,
    /// A movement was inspected.
    Inspected(Inspection),
    /// A seal was put on or reported.
    Seal {
        /// Its number.
        seal: String,
        /// How it is.
        state: SealState,
    },
    /// A contingency notice was published.
    PublishNotice,
    /// It was withdrawn before its end.
    WithdrawNotice,
    /// A company of the trade was added.
    AddTrader,
    /// Where its news goes was changed.
    PutContact,
    /// A webhook was added.
    AddWebhook,
    /// A webhook was taken away.
    RemoveWebhook,
    /// A webhook was given another secret.
    RollSecret,
    /// A webhook is told nothing more until it is replayed.
    PauseWebhook,
    /// A webhook is told once more.
    ReplayWebhook {
        /// After which place in the feed.
        after: i64,
    },
    /// A vehicle was registered or changed.
    PutVehicle,
    /// A vehicle was taken off the register.
    RemoveVehicle,
    /// A movement was given an action code.
    Assign(ActionCode),
    /// A less strict code was asked for, and waits for another officer.
    AskDowngrade(ActionCode),
    /// Another officer agreed to it.
    Approve(ActionCode),
    /// Another officer did not.
    Refuse(ActionCode),
    /// An officer took a movement up, so that nobody else does.
    Claim,
    /// An officer's open work went to another.
    HandOver {
        /// To whom.
        to: String,
    },
    /// A photograph of an inspection was kept.
    Photograph,
    /// How many vehicles the bays of a control point inspect in an hour.
    SetCapacity {
        /// Vehicles.
        per_hour: u32,
    },
    /// Figures were taken out as a file.
    ExportFigures,
    /// Its action code was taken back.
    Revoke,
    /// Screening has assessed a movement.
    Screened {
        /// What is to be done.
        measure: risk::Measure,
    },
    /// A version of what screening decides by was drawn up.
    PutPolicy,
    /// Somebody else has put it into force.
    ApprovePolicy,
    /// A watch list was stored.
    PutList,
    /// A rule has taken a step from a draft into force, or out of it.
    Rule {
        /// Which step.
        step: super::screening::RuleStep,
        /// Of which version.
        version: u32,
    },
    /// The key of a day's draw was made: whoever sees it later can tell that it is this one.
    CommitDraw {
        /// SHA-256 of the day and the key.
        commitment: String,
    },
    /// An officer read a plate.
    Read {
        /// Which plate of the passage.
        plate: u32,
        /// The mark; none if it could not be read.
        mark: Option<RegistrationMark>,
    },
    /// An officer gave the lane an order.
    Order {
        /// What.
        verdict: Verdict,
        /// Why; none for an order that takes another back.
        reason: Option<OrderReason>,
    },
    /// A passage that had left was looked at and needs nobody any more.
    Dismiss,
    /// An account was added, or its role and password changed.
    PutOfficer,
    /// An officer was locked out.
    DisableOfficer,
    /// An officer was let in again.
    EnableOfficer,
    /// A person of the trade was invited to the portal.
    InvitePerson,
    /// They have chosen their password.
    TakeInvitation,
    /// They were locked out.
    DisablePerson,
    /// They were let in again.
    EnablePerson,
    /// They have added a passkey.
    AddPasskey,
    /// They have taken one away.
    RemovePasskey,
    /// A client was given a token.
    CreateToken,
    /// A system of a company was let enrol.
    EnrolClient,
    /// A system was given a certificate.
    IssueCertificate,
    /// A certificate was revoked.
    RevokeCertificate,
    /// A new history of the log was begun.
    BeginEpoch(EpochReason),
    /// An officer accepted central's history for an edge that had seen another.
    AcceptFork {
        /// The history.
        epoch: Epoch,
        /// In the officer's words.
        reason: String,
    },
    /// As another version of central wrote it: a line of the past is shown rather than lost.
    #[serde(skip)]
    Foreign(String),
}

impl From<String> for Noted {
    fn from(text: String) -> Self {
        serde_json::from_str(&text).unwrap_or(Self::Foreign(text))
    }
}

/// Who did what.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditRow {
    /// When, milliseconds since 1970.
    pub at: i64,
    /// Officer or client, [`COMMAND_LINE`] or [`CONSOLE`].
    pub who: String,
    /// What.
    #[sqlx(try_from = "String")]
    pub what: Noted,
    /// To what.
    pub subject: String,
}

/// Where the chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    id: i64,
    hash: Digest,
}

/// A line as it is chained.
struct Line<'a> {
    id: i64,
    at: i64,
    who: &'a str,
    what: &'a str,
    subject: &'a str,
}

impl Line<'_> {
    /// The digest of a line and all before it. Lengths keep a text from running into the next.
    fn hash(&self, before: Digest) -> Digest {
        let mut bytes = before.0.to_vec();
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(self.at.to_be_bytes());
        for text in [self.who, self.what, self.subject] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        Digest::of(&bytes)
    }
}

impl Write<'_> {
    pub(crate) async fn audit(
        &mut self,
        at: UtcMillis,
        who: &str,
        what: &Noted,
        subject: &str,
    ) -> Result<(), StorageError> {
        let what = serde_json::to_string(what).map_err(data)?;
        let end = self.audit_end().await?;
        let line = Line { id: end.id + 1, at: at.0, who, what: &what, subject };
        let hash = line.hash(end.hash);
        sqlx::query("INSERT INTO audit (id, at, who, what, subject, hash) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(line.id)
            .bind(line.at)
            .bind(who)
            .bind(&what)
            .bind(subject)
            .bind(hash.to_string())
            .execute(&mut *self.tx)
            .await?;
        self.audited = Some(End { id: line.id, hash });
        Ok(())
    }

    /// Deeds, each with what it was done to: a line each.
    pub(crate) async fn audit_each(
        &mut self,
        at: UtcMillis,
        who: &str,
        deeds: impl Iterator<Item = (Noted, String)> + Send,
    ) -> Result<(), StorageError> {
        let written =
            |(what, subject): (Noted, String)| Ok((serde_json::to_string(&what).map_err(data)?, subject));
        let deeds = deeds.map(written).collect::<Result<Vec<_>, StorageError>>()?;
        let mut end = self.audit_end().await?;
        for some in deeds.chunks(ROWS) {
            let statement =
                rows("INSERT INTO audit (id, at, who, what, subject, hash) VALUES ", 6, some.len());
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for (what, subject) in some {
                let line = Line { id: end.id + 1, at: at.0, who, what, subject };
                end = End { id: line.id, hash: line.hash(end.hash) };
                let hash = end.hash.to_string();
                query = query.bind(line.id).bind(line.at).bind(who.to_owned()).bind(what.clone());
                query = query.bind(subject.clone()).bind(hash);
            }
            query.execute(&mut *self.tx).await?;
        }
        self.audited = Some(end);
        Ok(())
    }

    async fn audit_end(&mut self) -> Result<End, StorageError> {
        if let Some(end) = &self.audited {
            return Ok(end.clone());
        }
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
                .fetch_optional(&mut *self.tx)
                .await?;
        last.map_or(Ok(End { id: 0, hash: Digest::default() }), |(id, hash)| {
            Ok(End { id, hash: hash.parse().map_err(data)? })
        })
    }
}

/// The end of the audit at a moment, to keep elsewhere: what was there then cannot be changed unnoticed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Number of the last line.
    pub line: i64,
    /// Its digest.
    pub hash: Digest,
    /// When the anchor was taken, milliseconds since 1970.
    pub at: UtcMillis,
}

/// What is wrong with the audit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A line's number does not follow.
    #[error("line {0} is missing: it was removed after it was written")]
    Missing(i64),
    /// A line's digest is not that of its text and the lines before it.
    #[error("line {0} is not as it was written, or one before it was changed")]
    Changed(i64),
    /// The anchor's line is not as it was.
    #[error("line {0} differs from the anchor: the audit was written anew after the anchor was taken")]
    Anchor(i64),
}

impl Store {
    /// The latest lines of who did what.
    pub async fn audit_lines(&self, most: u32) -> Result<Vec<AuditRow>, StorageError> {
        let rows = sqlx::query_as("SELECT at, who, what, subject FROM audit ORDER BY id DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }

    /// Where the audit ends now.
    pub async fn audit_anchor(&self, at: UtcMillis) -> Result<Anchor, StorageError> {
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
                .fetch_optional(&self.pool)
                .await?;
        let (line, hash) = last.map_or(Ok((0, Digest::default())), |(id, hash)| {
            hash.parse().map(|hash| (id, hash)).map_err(data)
        })?;
        Ok(Anchor { line, hash, at })
    }

    /// Follow the chain from its first line to its last; gives the number of lines, or where it breaks.
    pub async fn verify_audit(&self, anchor: Option<&Anchor>) -> Result<Result<u64, Broken>, StorageError> {
        type Row = (i64, i64, String, String, String, String);
        let (mut end, mut lines) = (End { id: 0, hash: Digest::default() }, 0);
        let anchored = |end: &End| anchor.is_none_or(|a| a.line != end.id || a.hash == end.hash);
        loop {
            let rows: Vec<Row> = sqlx::query_as(
                "SELECT id, at, who, what, subject, hash FROM audit WHERE id > $1 ORDER BY id LIMIT 5000",
            )
            .bind(end.id)
            .fetch_all(&self.pool)
            .await?;
            if rows.is_empty() {
                break;
            }
            for (id, at, who, what, subject, hash) in rows {
                if id != end.id + 1 {
                    return Ok(Err(Broken::Missing(end.id + 1)));
                }
                let own = Line { id, at, who: &who, what: &what, subject: &subject }.hash(end.hash);
                if own.to_string() != hash {
                    return Ok(Err(Broken::Changed(id)));
                }
                end = End { id, hash: own };
                lines += 1;
                if !anchored(&end) {
                    return Ok(Err(Broken::Anchor(id)));
                }
            }
        }
        let short = anchor.is_some_and(|a| a.line > end.id);
        Ok(if short { Err(Broken::Missing(end.id + 1)) } else { Ok(lines) })
    }

    /// Number and chain the lines that were written before there was a chain.
    pub(super) async fn chain_audit(&self) -> Result<(), StorageError> {
        type Row = (i64, i64, String, String, String);
        let mut write = self.write().await?;
        let rows: Vec<Row> =
            sqlx::query_as("SELECT id, at, who, what, subject FROM audit WHERE hash = '' ORDER BY id")
                .fetch_all(&mut *write.tx)
                .await?;
        let mut end = End { id: 0, hash: Digest::default() };
        for (old, at, who, what, subject) in rows {
            let line = Line { id: end.id + 1, at, who: &who, what: &what, subject: &subject };
            end = End { id: line.id, hash: line.hash(end.hash) };
            sqlx::query("UPDATE audit SET id = $1, hash = $2 WHERE id = $3")
                .bind(end.id)
                .bind(end.hash.to_string())
                .bind(old)
                .execute(&mut *write.tx)
                .await?;
        }
        write.commit().await
    }

    /// Note who did what, by itself.
    pub async fn audit(
        &self,
        at: UtcMillis,
        who: &str,
        what: &Noted,
        subject: &str,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        write.audit(at, who, what, subject).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_changed_afterwards_breaks_the_chain_and_an_anchor_shows_a_chain_made_anew() {
        let dir = tempfile::TempDir::new().unwrap();
        let database = crate::storage::Database::Sqlite(dir.path().join("central.sqlite"));
        let signer = std::sync::Arc::new(clearance::wire::Signer::from_secret(&[1; 32]));
        let store = Store::open(&database, &[], signer).await.unwrap();
        for who in ["chan", "lee", "wong"] {
            store.audit(UtcMillis(1), who, &Noted::SignIn, "").await.unwrap();
        }
        let subjects = ["a".to_owned(), "b".to_owned()];
        let mut write = store.write().await.unwrap();
        write
            .audit_each(UtcMillis(2), "lee", subjects.into_iter().map(|to| (Noted::Lodge, to)))
            .await
            .unwrap();
        write.commit().await.unwrap();
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok(5));
        let anchor = store.audit_anchor(UtcMillis(3)).await.unwrap();
        assert_eq!(store.verify_audit(Some(&anchor)).await.unwrap(), Ok(5));

        let tamper = async |sql: &'static str| {
            sqlx::raw_sql(sql).execute(&store.pool).await.unwrap();
            store.verify_audit(Some(&anchor)).await.unwrap()
        };
        assert_eq!(tamper("UPDATE audit SET who = 'leo' WHERE id = 2").await, Err(Broken::Changed(2)));
        assert_eq!(tamper("DELETE FROM audit WHERE id = 2").await, Err(Broken::Missing(2)));
        assert_eq!(
            tamper("DELETE FROM audit WHERE id > 2").await,
            Err(Broken::Missing(2)),
            "the end is cut off"
        );
        // Written anew as a whole: sound in itself, and not what the anchor has seen.
        sqlx::raw_sql("DELETE FROM audit").execute(&store.pool).await.unwrap();
        for _ in 0..6 {
            store.audit(UtcMillis(1), "nobody", &Noted::SignIn, "").await.unwrap();
        }
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok(6));
        assert_eq!(store.verify_audit(Some(&anchor)).await.unwrap(), Err(Broken::Anchor(5)));
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_a_foreign_one_is_kept() {
        let order = Noted::Order {
            verdict: Verdict::Act(ActionCode::Release),
            reason: Some(OrderReason::SpokeToDriver),
        };
        let read = Noted::Read { plate: 1, mark: Some("AB1234".parse().unwrap()) };
        for noted in [order, read, Noted::SignIn, Noted::Assign(ActionCode::Inspect)] {
            let text = serde_json::to_string(&noted).unwrap();
            assert_eq!(Noted::from(text), noted);
        }
        assert_eq!(Noted::from("sign in".to_owned()), Noted::Foreign("sign in".to_owned()));
    }
}
