//! Who did what: a line for each deed, written in the transaction of the deed, read by people in their own language.

use clearance::directive::ActionCode;
use clearance::ids::{Epoch, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::order::Verdict;
use serde::{Deserialize, Serialize};

use super::{EpochReason, OrderReason, StorageError, Store, Write, data};

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
    /// Consignments were bundled with a vehicle.
    Bundle,
    /// A movement was given an action code.
    Assign(ActionCode),
    /// Its action code was taken back.
    Revoke,
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
    /// A client was given a token.
    CreateToken,
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

impl Write<'_> {
    pub(crate) async fn audit(
        &mut self,
        at: UtcMillis,
        who: &str,
        what: &Noted,
        subject: &str,
    ) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO audit (at, who, what, subject) VALUES (?, ?, ?, ?)")
            .bind(at.0)
            .bind(who)
            .bind(serde_json::to_string(what).map_err(data)?)
            .bind(subject)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// The latest lines of who did what.
    pub async fn audit_lines(&self, most: u32) -> Result<Vec<AuditRow>, StorageError> {
        let rows = sqlx::query_as("SELECT at, who, what, subject FROM audit ORDER BY id DESC LIMIT ?")
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
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
