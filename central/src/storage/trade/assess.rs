//! Action codes: given and taken back.

use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, UtcMillis};
use futures::future::BoxFuture;

use super::look::Seen;
use super::{Conflict, Refused, look};
use crate::ccrn::Ccrn;
use crate::storage::workbench::Decided;
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::news::Doer;
use crate::trade::{MovementStatus, News};
use crate::workbench::decision::Basis;

/// In `movements.screened`: an officer has taken its code back. It stays without one until it is changed, or an officer decides.
pub(crate) const TAKEN_BACK: i64 = i64::MAX;

/// Give a movement its action code: the directive is in the log when this is done. A less strict one than screening's or the one before
/// waits for an officer; nothing of a sandbox waits for anybody.
pub(crate) struct Assess {
    pub(crate) movement: MovementId,
    /// What was looked at: whatever has changed since is to be looked at anew.
    pub(crate) seen: Seen,
    pub(crate) action: ActionCode,
    /// What screening says of it, if anything.
    pub(crate) engine: Option<ActionCode>,
    pub(crate) window: Window,
    /// See [`Code::earliest`].
    pub(crate) earliest: UtcMillis,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for Assess {
    type Done = Decided;
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Decided, Refused>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let carrying = look::carrying(&mut write.tx, id, self.at).await?;
            let carrying = carrying.ok_or(Refused::NotFound("movement"))?;
            if carrying.seen() != self.seen {
                return Err(Refused::Version { now: carrying.movement.version() });
            }
            let code = Code {
                action: self.action,
                window: self.window,
                earliest: self.earliest,
                reason: &self.reason,
                by: &self.by,
                at: self.at,
            };
            if !carrying.movement.sandbox() {
                return write.order_code(&carrying.movement, &code, self.engine).await;
            }
            write.give_code(&carrying.movement, &code).await?;
            write.record_code(&carrying.movement, &code, Basis::System).await?;
            Ok(Decided::Given)
        })
    }
}

/// A code as it is given.
pub(crate) struct Code<'a> {
    pub(crate) action: ActionCode,
    pub(crate) window: Window,
    /// From when the vehicle may cross, as the trade is told: what it has declared decides that, and never the code, whose window may
    /// begin later for some codes than for others.
    pub(crate) earliest: UtcMillis,
    pub(crate) reason: &'a str,
    pub(crate) by: &'a str,
    pub(crate) at: UtcMillis,
}

/// Take an action code back.
pub(crate) struct Withdraw {
    pub(crate) movement: MovementId,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for Withdraw {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let row = look::movement(&mut write.tx, id).await?.ok_or(Refused::NotFound("movement"))?;
            if row.action.is_none() {
                return Err(Refused::Standing(Conflict::NoCode));
            }
            write.take_back(&row, &self.by, self.at).await?;
            // Screening does not give it back by itself, whatever comes into force.
            sqlx::query("UPDATE movements SET screened = $1 WHERE id = $2")
                .bind(TAKEN_BACK)
                .bind(id.to_owned())
                .execute(&mut *write.tx)
                .await?;
            Ok(())
        })
    }
}

impl Write<'_> {
    /// Give a movement a code: in force, audited, told, and in the log of the lanes.
    pub(crate) async fn give_code(
        &mut self,
        row: &look::MovementRow,
        code: &Code<'_>,
    ) -> Result<(), StorageError> {
        let id = row.id.as_str();
        sqlx::query(
            "UPDATE movements SET action = $1, action_reason = $2, action_by = $3, action_at = $4, valid_from = $5, \
             valid_until = $6, changed_at = $4, screened = CASE WHEN screened = $8 THEN 0 ELSE screened END WHERE id = $7",
        )
        .bind(code.action.code())
        .bind(code.reason.to_owned())
        .bind(code.by.to_owned())
        .bind(code.at.0)
        .bind(code.window.from.0)
        .bind(code.window.until.0)
        .bind(id.to_owned())
        .bind(TAKEN_BACK)
        .execute(&mut *self.tx)
        .await?;
        self.audit(code.at, code.by, &Noted::Assign(code.action), id).await?;
        let news = News::Status {
            movement: id.to_owned(),
            status: MovementStatus::Assessed,
            report: None,
            earliest: Some(code.earliest),
        };
        // Of a vehicle that is at the lane the trade knows that already.
        if row.action.is_none() && !row.has_begun() {
            self.tell_concerned(id, code.at, &news, &Doer::authority()).await?;
        }
        self.expect(&row.mark.parse().map_err(data)?, code.at).await
    }

    /// Take a movement's action code back: the lanes forget it.
    pub(crate) async fn take_back(
        &mut self,
        row: &look::MovementRow,
        by: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        self.withdraw(&row.id, by, at).await?;
        self.expect(&row.mark.parse().map_err(data)?, at).await
    }

    pub(super) async fn withdraw(&mut self, id: &str, by: &str, at: UtcMillis) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE movements SET action = NULL, action_reason = 'revoked', action_by = $1, action_at = $2, changed_at = $2 WHERE id = $3",
        )
        .bind(by.to_owned())
        .bind(at.0)
        .bind(id.to_owned())
        .execute(&mut *self.tx)
        .await?;
        self.audit(at, by, &Noted::Revoke, id).await
    }

    /// What a movement carries, or by what, has changed: its code is taken back until it is assessed anew.
    pub(super) async fn reassess(
        &mut self,
        movement: &str,
        ccrn: Option<&Ccrn>,
        (who, by): (&str, &Doer),
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let Some(row) = look::movement(&mut self.tx, movement).await? else { return Ok(()) };
        self.to_assess = true;
        sqlx::query("UPDATE movements SET screened = 0, screen_after = 0 WHERE id = $1")
            .bind(movement.to_owned())
            .execute(&mut *self.tx)
            .await?;
        if row.action.is_some() {
            self.take_back(&row, who, at).await?;
        }
        let news = News::Reassessed { movement: movement.to_owned(), ccrn: ccrn.cloned() };
        self.tell_concerned(movement, at, &news, by).await
    }

    /// A movement that can still be changed.
    pub(super) async fn open_movement(&mut self, id: &str) -> Result<look::MovementRow, Refused> {
        let row = look::movement(&mut self.tx, id).await?.ok_or(Refused::NotFound("movement"))?;
        if row.has_begun() || row.is_over() {
            return Err(Refused::Standing(Conflict::Closed));
        }
        Ok(row)
    }
}
