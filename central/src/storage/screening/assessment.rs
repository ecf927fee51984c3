//! What was decided of movements, with everything that it rests on.

use std::sync::Arc;

use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, UtcMillis};
use futures::future::BoxFuture;
use risk::capacity::Usage;
use risk::draw::Draw;
use risk::facts::Slot;
use risk::{
    Assessment, Circumstances, Colour, Decision, Engine, Facts, Measure, Probability, Reason, ScoreRead,
};
use sqlx::{AssertSqlSafe, FromRow};

use crate::storage::statement::rows;
use crate::storage::trade::{Carrying, Code, Seen, TAKEN_BACK};
use crate::storage::{Change, Noted, StorageError, Store, Write, data};
use crate::trade::Place;
use crate::trade::movement::Inspection;
use crate::workbench::decision::strictness;

/// Who gives codes by screening.
pub const SCREENING: &str = "screening";

/// An assessment as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct AssessmentRow {
    /// Of which movement.
    pub movement: String,
    /// Which of its assessments, from 1.
    pub number: i64,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// By which version of the policy.
    pub policy: i64,
    body: String,
}

impl AssessmentRow {
    /// What was decided, and what it rests on.
    pub fn decision(&self) -> Result<Decision, StorageError> {
        serde_json::from_str(&self.body).map_err(data)
    }
}

/// How many of an hour at a control point have a colour, and how many of them only by the draw.
type Counted = (String, i64, i64);

const COUNT: &str = "SELECT colour, COUNT(*), CAST(SUM(drawn) AS BIGINT) FROM assessments \
    WHERE control_point = $1 AND day = $2 AND hour = $3 AND latest = 1 AND movement <> $4 GROUP BY colour";

macro_rules! assessments {
    ($rest:literal) => {
        concat!("SELECT movement, number, at, policy, body FROM assessments ", $rest)
    };
}

impl Store {
    /// The latest assessment of a movement.
    pub async fn assessment(&self, movement: &str) -> Result<Option<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!("WHERE movement = $1 AND latest = 1"));
        Ok(rows.bind(movement).fetch_optional(&self.pool).await?)
    }

    /// The latest assessments of some movements.
    pub async fn latest_assessments(&self, movements: &[String]) -> Result<Vec<AssessmentRow>, StorageError> {
        if movements.is_empty() {
            return Ok(Vec::new());
        }
        let statement = rows(assessments!("WHERE latest = 1 AND movement IN "), movements.len(), 1);
        let query =
            movements.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// The latest assessment of each movement that was assessed since a moment, before a place in their order: the newest first.
    pub async fn past_assessments(
        &self,
        since: UtcMillis,
        (at, movement): (i64, &str),
        most: u32,
    ) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!(
            "WHERE latest = 1 AND at >= $1 AND (at < $2 OR (at = $2 AND movement < $3)) ORDER BY at DESC, movement DESC LIMIT $4"
        ));
        Ok(rows.bind(since.0).bind(at).bind(movement).bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// The latest assessment of each movement that was inspected, with what that gave: the newest inspections first.
    pub async fn inspected_assessments(
        &self,
        most: u32,
    ) -> Result<Vec<(AssessmentRow, Inspection)>, StorageError> {
        #[derive(FromRow)]
        struct Inspected {
            #[sqlx(flatten)]
            row: AssessmentRow,
            inspected: String,
        }
        let rows: Vec<Inspected> = sqlx::query_as(
            "SELECT a.movement, a.number, a.at, a.policy, a.body, m.inspected FROM movements m \
             JOIN assessments a ON a.movement = m.id AND a.latest = 1 \
             WHERE m.inspected_at IS NOT NULL ORDER BY m.inspected_at DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        let known = |it: Inspected| Some((it.row, Inspection::of_name(&it.inspected)?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// All assessments of a movement, the first first.
    pub async fn assessments(&self, movement: &str) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!("WHERE movement = $1 ORDER BY number"));
        Ok(rows.bind(movement).fetch_all(&self.pool).await?)
    }

    /// Assessments after a place, in the order of movements: to make them all again.
    pub async fn assessments_after(
        &self,
        (movement, number): (&str, i64),
        most: u32,
    ) -> Result<Vec<AssessmentRow>, StorageError> {
        let rows = sqlx::query_as(assessments!(
            "WHERE movement > $1 OR (movement = $1 AND number > $2) ORDER BY movement, number LIMIT $3"
        ));
        Ok(rows.bind(movement).bind(number).bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// Movements that are to be assessed under a policy: those never assessed as they are first, then by expected arrival; with whether an
    /// earlier assessment of each stands.
    pub async fn to_screen(
        &self,
        policy: u32,
        now: UtcMillis,
        most: u32,
    ) -> Result<Vec<(String, bool)>, StorageError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, screened FROM movements WHERE screened < $1 AND screen_after <= $2 AND signalled IS NULL AND cancelled_at IS NULL \
             AND sandbox = 0 ORDER BY screened, expected_arrival LIMIT $3",
        )
        .bind(i64::from(policy))
        .bind(now.0)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, screened)| (id, screened > 0)).collect())
    }
}

/// Why an assessment is not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotScreened {
    /// Something of it has changed since it was looked at: it is to be assessed anew.
    #[error("it has changed meanwhile")]
    Changed,
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for NotScreened {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Decide of a movement by what was asked of it, store the assessment, and give the code that follows.
pub(crate) struct Screened {
    pub(crate) movement: MovementId,
    /// In which state it was looked at.
    pub(crate) seen: Seen,
    pub(crate) engine: Arc<Engine>,
    pub(crate) place: Arc<Place>,
    pub(crate) facts: Facts,
    pub(crate) score: Option<ScoreRead>,
    pub(crate) draw: Option<Draw>,
    /// How far the model drifts, where the policy explores.
    pub(crate) drift: Option<Probability>,
    /// What lists, rules and the score say of it.
    pub(crate) reasons: Vec<Reason>,
    pub(crate) at: UtcMillis,
}

impl Change for Screened {
    type Done = Measure;
    type Refused = NotScreened;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Measure, NotScreened>> {
        Box::pin(async move {
            let id = self.movement.as_str();
            let carrying = write.carrying(id, self.at).await?.ok_or(NotScreened::Changed)?;
            if carrying.seen() != self.seen || carrying.movement.has_begun() {
                return Err(NotScreened::Changed);
            }
            let screened: i64 = sqlx::query_scalar("SELECT screened FROM movements WHERE id = $1")
                .bind(id.to_owned())
                .fetch_one(&mut *write.tx)
                .await?;
            if screened == TAKEN_BACK {
                return Err(NotScreened::Changed);
            }
            // Counted here, where nobody else decides: a quota is kept however many centrals draw.
            let slot = self.facts.slot();
            let usage = write.usage(&slot, id).await?;
            let circumstances =
                Circumstances { score: self.score, draw: self.draw, usage, drift: self.drift };
            let assessment = self.engine.decide(&self.facts, &circumstances, self.reasons);
            let decision = Decision { facts: self.facts, circumstances, assessment };
            let version = self.engine.policy().version;
            let again = write.keep_decision(&decision, &slot, version, screened > 0, self.at).await?;
            // Another policy makes nobody known who was not before.
            if !again {
                write.meet(&carrying, self.at).await?;
            }
            write.follow(&carrying, &decision.assessment, &self.place, self.at).await?;
            Ok(decision.assessment.measure)
        })
    }
}

/// Put a movement off: what is missing may come without anybody changing it.
pub(crate) struct ScreenLater {
    pub(crate) movement: String,
    pub(crate) after: UtcMillis,
}

impl Change for ScreenLater {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("UPDATE movements SET screen_after = $1 WHERE id = $2")
                .bind(self.after.0)
                .bind(self.movement)
                .execute(&mut *write.tx)
                .await?;
            Ok(())
        })
    }
}

/// Have everything that still comes assessed again by the policy in force, after what was never assessed.
pub(crate) struct ScreenAllAgain {
    pub(crate) policy: u32,
}

impl Change for ScreenAllAgain {
    type Done = ();
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("UPDATE movements SET screened = $1 WHERE screened > $1 AND screened < $2 AND signalled IS NULL AND cancelled_at IS NULL AND sandbox = 0")
                .bind(i64::from(self.policy) - 1)
                .bind(TAKEN_BACK)
                .execute(&mut *write.tx)
                .await?;
            Ok(())
        })
    }
}

/// The code that follows from an assessment; none: an officer decides, at the lane at the latest. What could not be asked never
/// lets a vehicle go, and takes nothing off what others demand.
pub(crate) fn code_that_follows(assessment: &Assessment) -> Option<ActionCode> {
    if !assessment.is_unassessed() {
        return Some(assessment.code);
    }
    let asked = assessment.reasons.iter().filter(|reason| !matches!(reason, Reason::Unassessed { .. }));
    asked.map(Reason::measure).max().filter(|measure| *measure >= Measure::Inspect).map(Measure::code)
}

impl Write<'_> {
    async fn usage(&mut self, slot: &Slot, but: &str) -> Result<Usage, StorageError> {
        let rows: Vec<Counted> = sqlx::query_as(COUNT)
            .bind(slot.control_point.to_string())
            .bind(slot.day.to_string())
            .bind(i64::from(slot.hour))
            .bind(but.to_owned())
            .fetch_all(&mut *self.tx)
            .await?;
        let mut usage = Usage::none(slot.clone());
        for (colour, all, drawn) in rows {
            let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
            let colour = Colour::ALL.into_iter().find(|known| known.name() == colour);
            match colour.unwrap_or(Colour::Red) {
                Colour::Red => (usage.assigned.red, usage.drawn.red) = (count(all), count(drawn)),
                Colour::Yellow => (usage.assigned.yellow, usage.drawn.yellow) = (count(all), count(drawn)),
                Colour::Blue => (usage.assigned.blue, usage.drawn.blue) = (count(all), count(drawn)),
                Colour::Green => {}
            }
        }
        Ok(usage)
    }

    /// `stands`: whether an earlier assessment of the movement as it is stands. Gives whether it was assessed before as it is.
    async fn keep_decision(
        &mut self,
        decision: &Decision,
        slot: &Slot,
        policy: u32,
        stands: bool,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let assessment = &decision.assessment;
        let id = assessment.movement.as_str();
        let latest: Option<i64> =
            sqlx::query_scalar("SELECT MAX(number) FROM assessments WHERE movement = $1")
                .bind(id.to_owned())
                .fetch_one(&mut *self.tx)
                .await?;
        if latest.is_some() {
            sqlx::query("UPDATE assessments SET latest = 0 WHERE movement = $1 AND latest = 1")
                .bind(id.to_owned())
                .execute(&mut *self.tx)
                .await?;
        }
        sqlx::query(
            "INSERT INTO assessments (movement, number, movement_version, at, policy, control_point, day, hour, measure, colour, \
             unassessed, drawn, body, latest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)",
        )
        .bind(id.to_owned())
        .bind(latest.unwrap_or(0) + 1)
        .bind(i64::from(assessment.version))
        .bind(at.0)
        .bind(i64::from(policy))
        .bind(slot.control_point.to_string())
        .bind(slot.day.to_string())
        .bind(i64::from(slot.hour))
        .bind(assessment.measure.name())
        .bind(assessment.colour.name())
        .bind(i64::from(assessment.is_unassessed()))
        .bind(i64::from(assessment.is_drawn()))
        .bind(serde_json::to_string(decision).map_err(data)?)
        .execute(&mut *self.tx)
        .await?;
        self.keep_hits(assessment, at).await?;
        sqlx::query("UPDATE movements SET screened = $1 WHERE id = $2")
            .bind(i64::from(policy))
            .bind(id.to_owned())
            .execute(&mut *self.tx)
            .await?;
        self.audit(at, SCREENING, &Noted::Screened { measure: assessment.measure }, id).await?;
        Ok(latest.is_some() && stands)
    }

    /// Give the code that follows. What an officer has decided about the movement as it is now stands, unless screening has become
    /// stricter since.
    async fn follow(
        &mut self,
        carrying: &Carrying,
        assessment: &Assessment,
        place: &Place,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let row = &carrying.movement;
        let given = row.given();
        let by_officer = given.is_some() && row.action_by.as_deref() != Some(SCREENING);
        match code_that_follows(assessment) {
            None if by_officer || given.is_none() => Ok(()),
            None => self.take_back(row, SCREENING, at).await,
            Some(code) if by_officer && given.is_some_and(|given| strictness(code) <= strictness(given)) => {
                Ok(())
            }
            Some(code) if given == Some(code) && assessment.look_until.is_none() => Ok(()),
            Some(action) => {
                let earliest = carrying.readiness(place, at).earliest;
                // A release waits for whoever may want to look at it.
                let from = assessment.look_until.map_or(earliest, |until| until.max(earliest));
                let window = Window { from, until: row.expires(place, at) };
                let reason = assessment.measure.name();
                let code = Code { action, window, reason, by: SCREENING, at };
                self.give_code(row, &code).await?;
                self.record_code(row, &code).await
            }
        }
    }
}
