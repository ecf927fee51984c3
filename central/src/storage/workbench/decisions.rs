//! Codes that officers give, and the second pair of eyes for less strict ones.

use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, UtcMillis};
use futures::future::BoxFuture;

use super::claims::LIVE_MS;
use super::kept::{DecisionRow, code_of};
use crate::storage::trade::{Code, Conflict, MovementRow, Refused, movement};
use crate::storage::{Change, Noted, StorageError, Write};
use crate::workbench::decision::{Basis, DecisionState, Stamp, is_downgrade, strictness};

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The code is in force.
    Given,
    /// It waits for another officer; this one holds until then.
    Waits(ActionCode),
}

/// What came of the second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seconded {
    /// The code is in force.
    Approved,
    /// The stricter one stays.
    Refused,
    /// The movement was changed meanwhile: it is decided anew.
    Lapsed,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDecided {
    #[error("there is no such movement")]
    NotFound,
    #[error("the movement was changed meanwhile")]
    Changed,
    #[error("{by} has decided meanwhile")]
    DecidedBy { by: String },
    #[error("{by} works on it")]
    TakenBy { by: String },
    #[error("the lane has signalled already, or the crossing is over")]
    Closed,
    #[error("the declaration is not complete yet")]
    NotDeclared,
    #[error("a second pair of eyes is another officer's")]
    OwnDecision,
    #[error("this waits for nobody any more")]
    NotWaiting,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for NotDecided {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// An officer gives a code.
pub(crate) struct Decide {
    pub(crate) movement: MovementId,
    /// What the officer looked at.
    pub(crate) seen: Stamp,
    pub(crate) code: ActionCode,
    /// From the earliest moment at which the vehicle may cross.
    pub(crate) window: Window,
    /// What the engine said of it, if anything.
    pub(crate) engine: Option<ActionCode>,
    pub(crate) reason: String,
    pub(crate) basis: Basis,
    pub(crate) instructions: String,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for Decide {
    type Done = Decided;
    type Refused = NotDecided;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Decided, NotDecided>> {
        Box::pin(async move {
            let row = write.still_coming(self.movement.as_str()).await?;
            let latest = write.latest_decision(&row.id).await?;
            let now = write.stamp_of(&row, latest.as_ref()).await?;
            match latest {
                Some(latest) if now.decision != self.seen.decision => {
                    return Err(NotDecided::DecidedBy { by: latest.second_by.unwrap_or(latest.by) });
                }
                _ if now != self.seen => return Err(NotDecided::Changed),
                _ => {}
            }
            if let Some(by) = write.taken_by_another(&row.id, &self.by, self.at).await? {
                return Err(NotDecided::TakenBy { by });
            }
            let held = write.held_above(&row, self.engine, self.code).await?;
            write.let_go(&row.id).await?;
            let decision = self.as_row(&now, held);
            Ok(write.follow_decision(&row, &decision, self.window, self.window.from).await?)
        })
    }
}

impl Decide {
    fn as_row(&self, now: &Stamp, held: Option<ActionCode>) -> DecisionRow {
        DecisionRow {
            id: fresh_id(),
            movement: self.movement.to_string(),
            version: now.version,
            cargo: now.cargo,
            code: self.code,
            reason: self.reason.clone(),
            basis: self.basis,
            instructions: self.instructions.clone(),
            by: self.by.clone(),
            at: self.at.0,
            state: if held.is_some() { DecisionState::Waiting } else { DecisionState::Given },
            held,
            second_by: None,
            second_at: None,
            second_note: None,
        }
    }
}

/// A decision of a system.
fn system_row(
    row: &MovementRow,
    code: &Code<'_>,
    basis: Basis,
    now: &Stamp,
    held: Option<ActionCode>,
) -> DecisionRow {
    DecisionRow {
        id: fresh_id(),
        movement: row.id.clone(),
        version: now.version,
        cargo: now.cargo,
        code: code.action,
        reason: code.reason.to_owned(),
        basis,
        instructions: String::new(),
        by: code.by.to_owned(),
        at: code.at.0,
        state: if held.is_some() { DecisionState::Waiting } else { DecisionState::Given },
        held,
        second_by: None,
        second_at: None,
        second_note: None,
    }
}

fn fresh_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Another officer looks at what waits.
pub(crate) struct Second {
    pub(crate) decision: String,
    pub(crate) agrees: bool,
    /// From the earliest moment at which the vehicle may cross.
    pub(crate) window: Window,
    pub(crate) note: String,
    pub(crate) by: String,
    pub(crate) at: UtcMillis,
}

impl Change for Second {
    type Done = Seconded;
    type Refused = NotDecided;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Seconded, NotDecided>> {
        Box::pin(async move {
            let decision = write.decision(&self.decision).await?.ok_or(NotDecided::NotFound)?;
            if decision.state != DecisionState::Waiting {
                return Err(NotDecided::NotWaiting);
            }
            if decision.by == self.by {
                return Err(NotDecided::OwnDecision);
            }
            let row = write.still_coming(&decision.movement).await?;
            let (by, at) = (self.by.as_str(), self.at);
            let now = write.stamp_of(&row, None).await?;
            if (now.version, now.cargo) != (decision.version, decision.cargo) {
                write.settle(&decision.id, DecisionState::Lapsed, &self).await?;
                return Ok(Seconded::Lapsed);
            }
            if !self.agrees {
                write.settle(&decision.id, DecisionState::Refused, &self).await?;
                write.audit(at, by, &Noted::Refuse(decision.code), &row.id).await?;
                return Ok(Seconded::Refused);
            }
            write.settle(&decision.id, DecisionState::Approved, &self).await?;
            write.audit(at, by, &Noted::Approve(decision.code), &row.id).await?;
            let code = Code {
                action: decision.code,
                window: self.window,
                earliest: self.window.from,
                reason: &decision.reason,
                by: &decision.by,
                at,
            };
            write.give_code(&row, &code).await?;
            Ok(Seconded::Approved)
        })
    }
}

impl Write<'_> {
    /// A code that screening gives, or somebody in training: nobody is asked.
    pub(crate) async fn record_code(
        &mut self,
        row: &MovementRow,
        code: &Code<'_>,
        basis: Basis,
    ) -> Result<(), StorageError> {
        let now = self.stamp_of(row, None).await?;
        self.lapse_waiting(&row.id).await?;
        self.store_decision(&system_row(row, code, basis, &now, None)).await
    }

    /// A system of customs gives a code: a less strict one waits for an officer, as one of the workbench does. Sent again while it
    /// waits, it changes nothing.
    pub(crate) async fn order_code(
        &mut self,
        row: &MovementRow,
        code: &Code<'_>,
        engine: Option<ActionCode>,
    ) -> Result<Decided, Refused> {
        let latest = self.latest_decision(&row.id).await?;
        let now = self.stamp_of(row, None).await?;
        let held = self.held_above(row, engine, code.action).await?;
        if held.is_some() && row.signalled().is_some() {
            return Err(Refused::Standing(Conflict::Closed));
        }
        match (held, latest) {
            (Some(_), Some(waiting))
                if waiting.state == DecisionState::Waiting
                    && (waiting.code, waiting.by.as_str()) == (code.action, code.by)
                    && (waiting.version, waiting.cargo) == (now.version, now.cargo)
                    && waiting.held == held
                    && row.action.as_deref() == held.map(ActionCode::code) =>
            {
                Ok(Decided::Waits(held.unwrap_or(code.action)))
            }
            _ => Ok(self
                .follow_decision(
                    row,
                    &system_row(row, code, Basis::System, &now, held),
                    code.window,
                    code.earliest,
                )
                .await?),
        }
    }

    /// Keep a decision and do what follows: its code is in force, or it waits, and the stricter one holds.
    async fn follow_decision(
        &mut self,
        row: &MovementRow,
        decision: &DecisionRow,
        window: Window,
        earliest: UtcMillis,
    ) -> Result<Decided, StorageError> {
        self.lapse_waiting(&row.id).await?;
        self.store_decision(decision).await?;
        let (by, at) = (decision.by.as_str(), UtcMillis(decision.at));
        let Some(held) = decision.held else {
            let code = Code { action: decision.code, window, earliest, reason: &decision.reason, by, at };
            self.give_code(row, &code).await?;
            return Ok(Decided::Given);
        };
        if row.action.as_deref() != Some(held.code()) {
            let reason = "held until another officer has agreed to less";
            self.give_code(row, &Code { action: held, window, earliest, reason, by, at }).await?;
        }
        self.audit(at, by, &Noted::AskDowngrade(decision.code), &row.id).await?;
        Ok(Decided::Waits(held))
    }

    /// The strictest code that holds above another one; none if it is as strict.
    async fn held_above(
        &mut self,
        row: &MovementRow,
        engine: Option<ActionCode>,
        code: ActionCode,
    ) -> Result<Option<ActionCode>, StorageError> {
        let floors = self.floors(row, engine).await?;
        let above = floors.into_iter().filter(|floor| is_downgrade(*floor, code));
        Ok(above.max_by_key(|floor| strictness(*floor)))
    }

    /// A movement of nobody's training that no lane has signalled for yet.
    async fn still_coming(&mut self, id: &str) -> Result<MovementRow, NotDecided> {
        let row = movement(&mut self.tx, id).await?.filter(|row| !row.sandbox());
        let row = row.ok_or(NotDecided::NotFound)?;
        if row.signalled().is_some() || row.is_over() { Err(NotDecided::Closed) } else { Ok(row) }
    }

    async fn stamp_of(
        &mut self,
        row: &MovementRow,
        latest: Option<&DecisionRow>,
    ) -> Result<Stamp, StorageError> {
        let cargo = sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM consignments WHERE movement = $1",
        )
        .bind(row.id.clone())
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(Stamp { version: i64::from(row.version()), cargo, decision: latest.map(DecisionRow::stamp) })
    }

    async fn taken_by_another(
        &mut self,
        movement: &str,
        by: &str,
        at: UtcMillis,
    ) -> Result<Option<String>, StorageError> {
        let officer = sqlx::query_scalar(
            "SELECT officer FROM claims WHERE movement = $1 AND officer <> $2 AND at > $3",
        )
        .bind(movement.to_owned())
        .bind(by.to_owned())
        .bind(at.0 - LIVE_MS)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(officer)
    }

    /// What the engine said, what is in force, and what an officer last decided.
    async fn floors(
        &mut self,
        row: &MovementRow,
        engine: Option<ActionCode>,
    ) -> Result<Vec<ActionCode>, StorageError> {
        let earlier: Option<String> = sqlx::query_scalar(
            "SELECT code FROM decisions WHERE movement = $1 AND state IN ('given', 'approved') ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(row.id.clone())
        .fetch_optional(&mut *self.tx)
        .await?;
        let codes = [row.action.as_deref(), earlier.as_deref()].into_iter().flatten();
        codes.map(code_of).chain(engine.map(Ok)).collect()
    }

    async fn settle(&mut self, id: &str, state: DecisionState, second: &Second) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE decisions SET state = $1, second_by = $2, second_at = $3, second_note = $4 WHERE id = $5",
        )
        .bind(state.name())
        .bind(second.by.clone())
        .bind(second.at.0)
        .bind(second.note.clone())
        .bind(id.to_owned())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
