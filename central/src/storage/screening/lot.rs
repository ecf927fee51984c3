//! Deciding of movements in the transaction that keeps the decisions and gives the codes that follow.
//!
//! Movements are decided by the lot: a statement costs more than what it reads or writes of one movement, so each is made once for
//! all of them where that can be. Each is still decided after those before it, and counts them.

use std::collections::HashMap;
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

use super::assessment::SCREENING;
use crate::storage::statement::{ROWS, rows};
use crate::storage::trade::{Carrying, Code, Seen, TAKEN_BACK};
use crate::storage::{Change, Noted, StorageError, Write, data};
use crate::trade::Place;
use crate::workbench::decision::{Basis, strictness};

/// As many movements as a lot takes, and so as many as whoever lodges waits for at most. They wait for the disk together, which takes
/// as long as deciding of dozens of them.
pub(crate) const LOT: usize = 128;

/// How many of an hour at a control point have a colour, and how many of them only by the draw.
type Counted = (String, i64, i64);

const COUNT: &str = "SELECT colour, COUNT(*), CAST(SUM(drawn) AS BIGINT) FROM assessments \
    WHERE control_point = $1 AND day = $2 AND hour = $3 AND latest = 1 GROUP BY colour";

const BEFORE: &str = "SELECT m.id, m.screened, (SELECT MAX(number) FROM assessments WHERE movement = m.id) AS number, \
    (SELECT COUNT(*) FROM rule_hits WHERE movement = m.id) AS hits, a.control_point, a.day, a.hour, a.colour, a.drawn \
    FROM movements m LEFT JOIN assessments a ON a.movement = m.id AND a.latest = 1 WHERE m.id IN ";

const KEEP: &str = "INSERT INTO assessments (movement, number, movement_version, at, policy, control_point, day, hour, measure, colour, \
    unassessed, drawn, latest, body) VALUES ";

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

/// A movement, and what was asked of it.
pub(crate) struct Asked {
    pub(crate) movement: MovementId,
    /// In which state it was looked at.
    pub(crate) seen: Seen,
    pub(crate) facts: Facts,
    pub(crate) score: Option<ScoreRead>,
    pub(crate) draw: Option<Draw>,
    /// What lists, rules and the score say of it.
    pub(crate) reasons: Vec<Reason>,
}

/// Decide of movements, [`LOT`] at most, by what was asked of them, keep the assessments, and give the codes that follow. Gives why some were
/// not kept; a refusal leaves nothing of any.
pub(crate) struct Screened {
    pub(crate) engine: Arc<Engine>,
    pub(crate) place: Arc<Place>,
    /// How far the model drifts, where the policy explores.
    pub(crate) drift: Option<Probability>,
    pub(crate) lot: Vec<Asked>,
    pub(crate) at: UtcMillis,
}

impl Change for Screened {
    type Done = Vec<NotScreened>;
    type Refused = StorageError;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Self::Done, StorageError>> {
        Box::pin(async move {
            let Self { engine, place, drift, lot, at } = self;
            let ids: Vec<String> = lot.iter().map(|asked| asked.movement.to_string()).collect();
            let mut now = HashMap::new();
            for carrying in write.carrying_each(&ids, at).await? {
                match carrying {
                    Ok(carrying) => drop(now.insert(carrying.movement.id.clone(), Ok(carrying))),
                    Err((id, error)) => drop(now.insert(id, Err(error))),
                }
            }
            let mut before = write.before(&ids).await?;
            let mut hours = Hours::default();
            for asked in &lot {
                write.count(&mut hours, asked.facts.slot()).await?;
            }

            let (mut kept, mut not_kept) = (Vec::with_capacity(lot.len()), Vec::new());
            for asked in lot {
                let id = asked.movement.as_str();
                let (carrying, before) = match unchanged(&asked, now.remove(id), before.remove(id)) {
                    Ok(unchanged) => unchanged,
                    Err(why) => {
                        not_kept.push(why);
                        continue;
                    }
                };
                let usage = hours.without(&asked.facts.slot(), before.counted.as_ref());
                let circumstances = Circumstances { score: asked.score, draw: asked.draw, usage, drift };
                let assessment = engine.decide(&asked.facts, &circumstances, asked.reasons);
                hours.replace(before.counted.as_ref(), &Counting::of(&asked.facts, &assessment));
                let decision = Decision { facts: asked.facts, circumstances, assessment };
                kept.push(Kept { decision, before, carrying });
            }
            write.keep_decisions(&kept, engine.policy().version, at).await?;
            let ids = kept.iter().flat_map(|it| it.carrying.companies()).collect();
            let companies = write.names_of(&ids).await?;
            for Kept { decision, before, carrying } in &kept {
                // Another policy makes nobody known who was not before.
                if !before.stands() {
                    write.meet(carrying, &companies, at).await?;
                }
                write.follow(carrying, &decision.assessment, &place, at).await?;
            }
            Ok(not_kept)
        })
    }
}

/// A movement as it is now and what stood before, if it still is as it was when it was asked about.
fn unchanged(
    asked: &Asked,
    now: Option<Result<Carrying, StorageError>>,
    before: Option<Before>,
) -> Result<(Carrying, Before), NotScreened> {
    let (carrying, before) = (now.ok_or(NotScreened::Changed)??, before.ok_or(NotScreened::Changed)?);
    let movement = &carrying.movement;
    // A vehicle may wait at the lane: until the lane has signalled, another code still counts.
    let decided = movement.signalled().is_some() || movement.is_over();
    let changed = carrying.seen() != asked.seen || decided || before.screened == TAKEN_BACK;
    if changed { Err(NotScreened::Changed) } else { Ok((carrying, before)) }
}

/// A decision, with what stood before it and what it is about.
struct Kept {
    decision: Decision,
    before: Before,
    carrying: Carrying,
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

/// What is kept of a movement's assessments.
struct Before {
    screened: i64,
    /// Number of the latest one.
    number: Option<i64>,
    /// How many rules are noted as its reasons.
    hits: i64,
    /// As what the latest one counts.
    counted: Option<Counting>,
}

impl Before {
    /// Whether an earlier assessment of it as it is stands.
    fn stands(&self) -> bool {
        self.number.is_some() && self.screened > 0
    }
}

/// As what an assessment counts in an hour.
struct Counting {
    slot: HourAt,
    colour: Colour,
    drawn: bool,
}

impl Counting {
    fn of(facts: &Facts, assessment: &Assessment) -> Self {
        Self { slot: hour_at(&facts.slot()), colour: assessment.colour, drawn: assessment.is_drawn() }
    }
}

/// Control point, day and hour, as they are stored.
type HourAt = (String, String, i64);

fn hour_at(slot: &Slot) -> HourAt {
    (slot.control_point.to_string(), slot.day.to_string(), i64::from(slot.hour))
}

fn colour_named(name: &str) -> Colour {
    // What nobody knows takes the dearest place.
    Colour::ALL.into_iter().find(|known| known.name() == name).unwrap_or(Colour::Red)
}

/// The hours of a lot's movements, counted here, where nobody else decides: a quota is kept however many centrals draw.
#[derive(Default)]
struct Hours(HashMap<HourAt, Usage>);

impl Hours {
    /// How an hour stands but for a movement that counted in it.
    fn without(&self, slot: &Slot, own: Option<&Counting>) -> Usage {
        let at = hour_at(slot);
        let mut usage = self.0.get(&at).cloned().unwrap_or_else(|| Usage::none(slot.clone()));
        if let Some(own) = own.filter(|own| own.slot == at) {
            usage.take_away(own.colour, own.drawn);
        }
        usage
    }

    /// A movement counts anew.
    fn replace(&mut self, own: Option<&Counting>, new: &Counting) {
        if let Some((own, usage)) = own.and_then(|own| Some((own, self.0.get_mut(&own.slot)?))) {
            usage.take_away(own.colour, own.drawn);
        }
        if let Some(usage) = self.0.get_mut(&new.slot) {
            usage.add(new.colour, new.drawn);
        }
    }
}

#[derive(FromRow)]
struct BeforeRow {
    id: String,
    screened: i64,
    number: Option<i64>,
    hits: i64,
    control_point: Option<String>,
    day: Option<String>,
    hour: Option<i64>,
    colour: Option<String>,
    drawn: Option<i64>,
}

impl Write<'_> {
    async fn before(&mut self, movements: &[String]) -> Result<HashMap<String, Before>, StorageError> {
        let statement = rows(BEFORE, movements.len(), 1);
        let query =
            movements.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
        let found: Vec<BeforeRow> = query.fetch_all(&mut *self.tx).await?;
        let before = |row: BeforeRow| {
            let slot = row.control_point.zip(row.day).zip(row.hour).map(|((at, day), hour)| (at, day, hour));
            let counted = slot.zip(row.colour).zip(row.drawn).map(|((slot, colour), drawn)| Counting {
                slot,
                colour: colour_named(&colour),
                drawn: drawn != 0,
            });
            (row.id, Before { screened: row.screened, number: row.number, hits: row.hits, counted })
        };
        Ok(found.into_iter().map(before).collect())
    }

    async fn count(&mut self, hours: &mut Hours, slot: Slot) -> Result<(), StorageError> {
        let at = hour_at(&slot);
        if hours.0.contains_key(&at) {
            return Ok(());
        }
        let rows: Vec<Counted> = sqlx::query_as(COUNT)
            .bind(at.0.clone())
            .bind(at.1.clone())
            .bind(at.2)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut usage = Usage::none(slot);
        for (colour, all, drawn) in rows {
            let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
            let colour = colour_named(&colour);
            for (counts, number) in [(&mut usage.assigned, all), (&mut usage.drawn, drawn)] {
                if let Some(counted) = counts.of_mut(colour) {
                    *counted = count(number);
                }
            }
        }
        hours.0.insert(at, usage);
        Ok(())
    }

    async fn keep_decisions(
        &mut self,
        kept: &[Kept],
        policy: u32,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        if kept.is_empty() {
            return Ok(());
        }
        let id = |kept: &Kept| kept.carrying.movement.id.clone();
        let assessed: Vec<String> = kept.iter().filter(|it| it.before.number.is_some()).map(id).collect();
        if !assessed.is_empty() {
            let head = "UPDATE assessments SET latest = 0 WHERE latest = 1 AND movement IN ";
            let query = sqlx::query(AssertSqlSafe(rows(head, assessed.len(), 1)));
            assessed.iter().fold(query, |q, id| q.bind(id.clone())).execute(&mut *self.tx).await?;
        }
        for some in kept.chunks(ROWS) {
            let mut query = sqlx::query(AssertSqlSafe(rows(KEEP, 14, some.len())));
            for Kept { decision, before, .. } in some {
                let (assessment, slot) = (&decision.assessment, decision.facts.slot());
                query = query
                    .bind(assessment.movement.to_string())
                    .bind(before.number.unwrap_or(0) + 1)
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
                    .bind(1_i64)
                    .bind(serde_json::to_string(decision).map_err(data)?);
            }
            query.execute(&mut *self.tx).await?;
        }
        for Kept { decision, before, .. } in kept {
            self.keep_hits(&decision.assessment, before.hits > 0, at).await?;
        }
        let head = format!("UPDATE movements SET screened = ${} WHERE id IN ", kept.len() + 1);
        let query = sqlx::query(AssertSqlSafe(rows(&head, kept.len(), 1)));
        let query = kept.iter().map(id).fold(query, sqlx::query::Query::bind);
        query.bind(i64::from(policy)).execute(&mut *self.tx).await?;
        let deeds =
            kept.iter().map(|it| (Noted::Screened { measure: it.decision.assessment.measure }, id(it)));
        self.audit_each(at, SCREENING, deeds).await
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
                let code = Code { action, window, earliest, reason, by: SCREENING, at };
                self.give_code(row, &code).await?;
                self.record_code(row, &code, Basis::Engine).await
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn counting(hour: i64, colour: Colour, drawn: bool) -> Counting {
        Counting { slot: ("north".to_owned(), "2026-11-28".to_owned(), hour), colour, drawn }
    }

    #[test]
    fn a_movement_counts_once_and_not_for_itself() {
        let slot =
            |hour| Slot { control_point: "north".parse().unwrap(), day: "2026-11-28".parse().unwrap(), hour };
        let mut hours = Hours::default();
        for hour in [9, 10] {
            hours.0.insert(hour_at(&slot(hour)), Usage::none(slot(hour)));
        }
        let red = |hours: &Hours, hour, own: Option<&Counting>| {
            let usage = hours.without(&slot(hour), own);
            (usage.assigned.red, usage.drawn.red)
        };
        let (drawn, sure) = (counting(9, Colour::Red, true), counting(9, Colour::Red, false));
        hours.replace(None, &drawn);
        hours.replace(None, &sure);
        assert_eq!(red(&hours, 9, None), (2, 1));
        assert_eq!(red(&hours, 9, Some(&drawn)), (1, 0));
        assert_eq!(red(&hours, 10, Some(&drawn)), (0, 0), "it counted in another hour");
        // It is expected an hour later, and of another colour now.
        hours.replace(Some(&drawn), &counting(10, Colour::Yellow, false));
        assert_eq!((red(&hours, 9, None), red(&hours, 10, None)), ((1, 0), (0, 0)));
        assert_eq!(hours.without(&slot(10), None).assigned.yellow, 1);
        // Another day's hour is none of this lot's.
        hours.replace(Some(&counting(23, Colour::Red, true)), &counting(10, Colour::Green, false));
        assert_eq!(hours.without(&slot(10), None).assigned, hours.without(&slot(10), Some(&sure)).assigned);
    }
}
