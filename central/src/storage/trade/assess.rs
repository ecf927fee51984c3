//! Action codes: given and taken back.

use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, UtcMillis};
use futures::future::BoxFuture;

use super::{Conflict, Refused, look};
use crate::ccrn::Ccrn;
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::{MovementStatus, News};

/// Give a movement its action code: the directive is in the log when this is done.
pub(crate) struct Assess {
    pub(crate) movement: MovementId,
    pub(crate) action: ActionCode,
    pub(crate) window: Window,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for Assess {
    type Done = ();
    type Refused = Refused;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let row = look::movement(&mut write.tx, id).await?.ok_or(Refused::NotFound("movement"))?;
            sqlx::query(
                "UPDATE movements SET action = $1, action_reason = $2, action_by = $3, action_at = $4, valid_from = $5, \
                 valid_until = $6, changed_at = $4 WHERE id = $7",
            )
            .bind(self.action.code())
            .bind(self.reason)
            .bind(self.by.clone())
            .bind(self.at.0)
            .bind(self.window.from.0)
            .bind(self.window.until.0)
            .bind(id.to_owned())
            .execute(&mut *write.tx)
            .await?;
            write.audit(self.at, &self.by, &Noted::Assign(self.action), id).await?;
            let news = News::Status {
                movement: id.to_owned(),
                status: MovementStatus::Assessed,
                report: None,
                earliest: Some(self.window.from),
            };
            if row.action.is_none() {
                write.tell_concerned(id, self.at, &news).await?;
            }
            write.expect(&row.mark.parse().map_err(data)?, self.at).await?;
            Ok(())
        })
    }
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
            write.withdraw(id, &self.by, self.at).await?;
            write.expect(&row.mark.parse().map_err(data)?, self.at).await?;
            Ok(())
        })
    }
}

impl Write<'_> {
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
        by: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let Some(row) = look::movement(&mut self.tx, movement).await? else { return Ok(()) };
        if row.action.is_some() {
            self.withdraw(movement, by, at).await?;
            self.expect(&row.mark.parse().map_err(data)?, at).await?;
        }
        let news = News::Reassessed { movement: movement.to_owned(), ccrn: ccrn.cloned() };
        self.tell_concerned(movement, at, &news).await
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
