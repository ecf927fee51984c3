//! Decisions as they are kept.

use clearance::directive::ActionCode;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::storage::statement::{ROWS, rows};
use crate::storage::{StorageError, Store, Write, data};
use crate::workbench::decision::{Basis, DecisionState};

/// A code that was given or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// Its id; rises with time.
    pub id: String,
    /// Of which movement.
    pub movement: String,
    /// The movement's version that was looked at.
    pub version: i64,
    /// The versions of its consignments, added up.
    pub cargo: i64,
    /// The code.
    pub code: ActionCode,
    /// Why, in the officer's words.
    pub reason: String,
    /// What led to it.
    pub basis: Basis,
    /// For the inspecting officer.
    pub instructions: String,
    /// By whom.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// Where it stands.
    pub state: DecisionState,
    /// The stricter code that holds while it waits.
    pub held: Option<ActionCode>,
    /// Who looked at it second.
    pub second_by: Option<String>,
    /// When, milliseconds since 1970.
    pub second_at: Option<i64>,
    /// In their words.
    pub second_note: Option<String>,
}

impl DecisionRow {
    /// How a stamp names it.
    pub fn stamp(&self) -> String {
        format!("{}-{}", self.id, self.state.name())
    }
}

const COLUMNS: &str = "id, movement, version, cargo, code, reason, basis, instructions, by_whom, at, state, held, second_by, second_at, second_note";

pub(super) fn code_of(text: &str) -> Result<ActionCode, StorageError> {
    ActionCode::of_code(text).ok_or_else(|| data(format!("{text:?} is no action code")))
}

fn decision_row(row: &AnyRow) -> Result<DecisionRow, StorageError> {
    let (basis, state): (String, String) = (row.try_get("basis")?, row.try_get("state")?);
    Ok(DecisionRow {
        id: row.try_get("id")?,
        movement: row.try_get("movement")?,
        version: row.try_get("version")?,
        cargo: row.try_get("cargo")?,
        code: code_of(&row.try_get::<String, _>("code")?)?,
        reason: row.try_get("reason")?,
        basis: Basis::of_name(&basis).ok_or_else(|| data(format!("{basis:?} is no basis")))?,
        instructions: row.try_get("instructions")?,
        by: row.try_get("by_whom")?,
        at: row.try_get("at")?,
        state: DecisionState::of_name(&state).ok_or_else(|| data(format!("{state:?} is no state")))?,
        held: row.try_get::<Option<String>, _>("held")?.as_deref().map(code_of).transpose()?,
        second_by: row.try_get("second_by")?,
        second_at: row.try_get("second_at")?,
        second_note: row.try_get("second_note")?,
    })
}

impl Write<'_> {
    pub(super) async fn latest_decision(
        &mut self,
        movement: &str,
    ) -> Result<Option<DecisionRow>, StorageError> {
        let statement =
            format!("SELECT {COLUMNS} FROM decisions WHERE movement = $1 ORDER BY at DESC, id DESC LIMIT 1");
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(movement.to_owned())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(decision_row).transpose()
    }

    pub(super) async fn decision(&mut self, id: &str) -> Result<Option<DecisionRow>, StorageError> {
        let statement = format!("SELECT {COLUMNS} FROM decisions WHERE id = $1");
        let row =
            sqlx::query(AssertSqlSafe(statement)).bind(id.to_owned()).fetch_optional(&mut *self.tx).await?;
        row.as_ref().map(decision_row).transpose()
    }

    pub(super) async fn lapse_waiting(&mut self, movement: &str) -> Result<(), StorageError> {
        sqlx::query("UPDATE decisions SET state = 'lapsed' WHERE movement = $1 AND state = 'waiting'")
            .bind(movement.to_owned())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    pub(super) async fn store_decision(&mut self, row: &DecisionRow) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO decisions (id, movement, version, cargo, code, reason, basis, instructions, by_whom, at, state, held) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(row.id.clone())
        .bind(row.movement.clone())
        .bind(row.version)
        .bind(row.cargo)
        .bind(row.code.code())
        .bind(row.reason.clone())
        .bind(row.basis.name())
        .bind(row.instructions.clone())
        .bind(row.by.clone())
        .bind(row.at)
        .bind(row.state.name())
        .bind(row.held.map(ActionCode::code))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Every decision about some movements, oldest first.
    pub async fn decisions(&self, movements: &[String]) -> Result<Vec<DecisionRow>, StorageError> {
        let mut found = Vec::new();
        for some in movements.chunks(ROWS) {
            let head = format!("SELECT {COLUMNS} FROM decisions WHERE movement IN ");
            let statement = format!("{} ORDER BY at, id", rows(&head, some.len(), 1));
            let query = some.iter().fold(sqlx::query(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
            let some = query.fetch_all(&self.pool).await?;
            found.extend(some.iter().map(decision_row).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// One decision.
    pub async fn decision(&self, id: &str) -> Result<Option<DecisionRow>, StorageError> {
        let statement = format!("SELECT {COLUMNS} FROM decisions WHERE id = $1");
        let row = sqlx::query(AssertSqlSafe(statement)).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(decision_row).transpose()
    }
}
