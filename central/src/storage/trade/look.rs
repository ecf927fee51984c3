//! Looking at what was declared.

use std::collections::{BTreeSet, HashMap};

use clearance::directive::ActionCode;
use clearance::ids::{MovementId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row as _};

use crate::ccrn::Ccrn;
use crate::storage::statement::rows;
use crate::storage::{StorageError, Store, Write, data};
use crate::trade::consignment::fold;
use crate::trade::movement::{Inspection, Progress, Signalled};
use crate::trade::place::Place;
use crate::trade::readiness::{Carried, Facts, Readiness, readiness};
use crate::trade::{Consignment, Load, MovementStatus, TraderId, Vehicle};

/// A consignment as it is stored.
#[derive(Clone, Debug)]
pub struct ConsignmentRow {
    /// Its number.
    pub ccrn: Ccrn,
    /// What it says.
    pub consignment: Consignment,
    /// Whose it is; empty for those of before there were traders.
    pub trader: String,
    /// Whether it is of a sandbox.
    pub sandbox: bool,
    /// Its version, from 1.
    pub version: u32,
    /// Whether it was taken back.
    pub cancelled: bool,
    /// The movement that it travels with.
    pub movement: Option<String>,
    /// Who lodged it.
    pub lodged_by: String,
    /// When.
    pub lodged_at: UtcMillis,
    /// When it was last changed.
    pub changed_at: UtcMillis,
}

macro_rules! consignment {
    ($rest:literal) => {
        concat!(
            "SELECT ccrn, body, trader, sandbox, version, cancelled, movement, lodged_by, lodged_at, changed_at FROM consignments ",
            $rest
        )
    };
}

/// A statement that gives consignments.
pub(crate) fn consignments(rest: &str) -> String {
    format!(consignment!("{}"), rest)
}

pub(crate) fn consignment_row(row: &AnyRow) -> Result<ConsignmentRow, StorageError> {
    Ok(ConsignmentRow {
        ccrn: row.try_get::<String, _>("ccrn")?.parse().map_err(data)?,
        consignment: serde_json::from_str(&row.try_get::<String, _>("body")?).map_err(data)?,
        trader: row.try_get("trader")?,
        sandbox: row.try_get::<i64, _>("sandbox")? != 0,
        version: row.try_get::<i64, _>("version")? as u32,
        cancelled: row.try_get::<i64, _>("cancelled")? != 0,
        movement: row.try_get("movement")?,
        lodged_by: row.try_get("lodged_by")?,
        lodged_at: UtcMillis(row.try_get("lodged_at")?),
        changed_at: UtcMillis(row.try_get("changed_at")?),
    })
}

/// One consignment.
pub(super) async fn consignment(
    connection: &mut AnyConnection,
    ccrn: &Ccrn,
) -> Result<Option<ConsignmentRow>, StorageError> {
    let row =
        sqlx::query(consignment!("WHERE ccrn = $1")).bind(ccrn.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(consignment_row).transpose()
}

/// The consignments of a movement.
pub(super) async fn carried(
    connection: &mut AnyConnection,
    movement: &str,
) -> Result<Vec<ConsignmentRow>, StorageError> {
    let rows = sqlx::query(consignment!("WHERE movement = $1 ORDER BY ccrn"))
        .bind(movement)
        .fetch_all(connection)
        .await?;
    rows.iter().map(consignment_row).collect()
}

/// A movement as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct MovementRow {
    /// Its id.
    pub id: String,
    /// Control point; empty: whichever it comes to.
    pub site: String,
    /// Hong Kong mark.
    pub mark: String,
    /// Mainland mark.
    pub mainland_mark: Option<String>,
    /// Marks of trailers, JSON.
    trailers: String,
    /// What it carries; see [`Load`].
    load: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// Expected arrival, milliseconds since 1970.
    pub expected_arrival: i64,
    /// When a vehicle or a consignment was last bundled.
    pub bundled_at: i64,
    /// Whose it is.
    pub trader: String,
    sandbox: i64,
    version: i64,
    /// Its action code. Not for the trade.
    pub action: Option<String>,
    /// Who gave it.
    pub action_by: Option<String>,
    /// When.
    pub action_at: Option<i64>,
    arrived_at: Option<i64>,
    signalled: Option<String>,
    inspected: Option<String>,
    departed_at: Option<i64>,
    cancelled_at: Option<i64>,
}

macro_rules! movement {
    ($rest:literal) => {
        concat!(
            "SELECT id, site, mark, mainland_mark, trailers, load, direction, expected_arrival, bundled_at, trader, sandbox, version, action, action_by, action_at, arrived_at, signalled, inspected, departed_at, cancelled_at FROM movements ",
            $rest
        )
    };
}

/// A statement that gives movements.
pub(crate) fn movements(rest: &str) -> String {
    format!(movement!("{}"), rest)
}

impl MovementRow {
    /// Whether the vehicle was at the lane already.
    pub(crate) fn has_begun(&self) -> bool {
        self.arrived_at.is_some() || self.signalled.is_some()
    }

    /// Whether it is over or taken back.
    pub(crate) fn is_over(&self) -> bool {
        self.departed_at.is_some() || self.cancelled_at.is_some()
    }

    /// Its version, from 1.
    pub fn version(&self) -> u32 {
        self.version as u32
    }

    /// When the vehicle was first at the lane.
    pub fn arrived(&self) -> Option<UtcMillis> {
        self.arrived_at.map(UtcMillis)
    }

    /// Whether it is of a sandbox.
    pub fn sandbox(&self) -> bool {
        self.sandbox != 0
    }

    /// What it carries.
    pub fn load(&self) -> Load {
        Load::of_stored(&self.load)
    }

    /// The control point; none: whichever it comes to.
    pub fn site(&self) -> Option<SiteId> {
        self.site.parse().ok()
    }

    /// Its Hong Kong mark, as people read it.
    pub(crate) fn spaced_mark(&self) -> String {
        self.mark.parse::<RegistrationMark>().map_or_else(|_| self.mark.clone(), |mark| mark.spaced())
    }

    /// The vehicle.
    pub fn vehicle(&self) -> Result<Vehicle, StorageError> {
        Ok(Vehicle {
            mark: self.mark.parse().map_err(data)?,
            mainland_mark: self.mainland_mark.as_ref().map(|m| m.parse()).transpose().map_err(data)?,
            trailers: serde_json::from_str(&self.trailers).map_err(data)?,
        })
    }

    /// The action code that it has.
    pub fn given(&self) -> Option<ActionCode> {
        self.action.as_deref().and_then(ActionCode::of_code)
    }

    /// What the lane showed last.
    pub fn signalled(&self) -> Option<Signalled> {
        self.signalled.as_deref().and_then(Signalled::of_stored)
    }

    /// What an inspection gave.
    pub fn inspected(&self) -> Option<Inspection> {
        self.inspected.as_deref().and_then(Inspection::of_name)
    }

    /// After this moment it can no longer arrive.
    pub fn expires(&self, place: &Place, now: UtcMillis) -> UtcMillis {
        let days = i64::from(place.rules(now).validity_days);
        UtcMillis(self.expected_arrival).plus_millis(days * 86_400_000)
    }

    /// What is known of it.
    pub fn progress(&self, place: &Place, declared: bool, now: UtcMillis) -> Progress {
        Progress {
            ready: declared,
            assessed: self.action.is_some(),
            expires: self.expires(place, now),
            arrived: self.arrived_at.map(UtcMillis),
            signalled: self.signalled(),
            inspected: self.inspected(),
            departed: self.departed_at.map(UtcMillis),
            cancelled: self.cancelled_at.map(UtcMillis),
        }
    }
}

/// A movement with what it carries.
#[derive(Clone, Debug)]
pub struct Carrying {
    /// The movement.
    pub movement: MovementRow,
    /// Its consignments.
    pub consignments: Vec<ConsignmentRow>,
    /// Reference of the contingency notice that is in force where it goes.
    pub notice: Option<String>,
}

/// Versions of a movement and of all that it carries: two that are the same were looked at in the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    movement: u32,
    /// Those that count: taken back ones carry nothing any more.
    consignments: Vec<(Ccrn, u32)>,
    /// Whether the crossing is over.
    over: bool,
}

impl Carrying {
    /// Its consignments that count: taken back ones carry nothing any more.
    pub(crate) fn counting(&self) -> impl Iterator<Item = &ConsignmentRow> {
        self.consignments.iter().filter(|row| !row.cancelled)
    }

    /// Companies of the trade that take part: who carries it and who lodged what it carries, by id; empty for what was there before
    /// there were companies.
    pub(crate) fn companies(&self) -> impl Iterator<Item = &str> {
        let shippers = self.counting().map(|row| row.trader.as_str());
        std::iter::once(self.movement.trader.as_str()).chain(shippers)
    }

    /// In which state this is.
    pub fn seen(&self) -> Seen {
        let mut consignments: Vec<_> = self.counting().map(|row| (row.ccrn.clone(), row.version)).collect();
        consignments.sort_unstable();
        Seen { movement: self.movement.version(), consignments, over: self.movement.is_over() }
    }

    /// How ready it is at `now`.
    pub fn readiness(&self, place: &Place, now: UtcMillis) -> Readiness {
        let carried: Vec<Carried> = self
            .consignments
            .iter()
            .map(|row| Carried { ccrn: row.ccrn.clone(), cancelled: row.cancelled })
            .collect();
        let facts = Facts {
            load: &self.movement.load(),
            consignments: &carried,
            bundled_at: UtcMillis(self.movement.bundled_at),
            assessed: self.movement.action.is_some(),
            notice: self.notice.as_deref(),
        };
        readiness(place, &facts, now)
    }

    /// Where it stands at `now`.
    pub fn status(&self, place: &Place, now: UtcMillis) -> MovementStatus {
        let declared = self.readiness(place, now).declared;
        self.movement.progress(place, declared, now).status(now)
    }
}

/// One movement.
pub(crate) async fn movement(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<MovementRow>, StorageError> {
    Ok(sqlx::query_as(movement!("WHERE id = $1")).bind(id).fetch_optional(connection).await?)
}

/// One movement with what it carries, at a moment.
pub(super) async fn carrying(
    connection: &mut AnyConnection,
    id: &str,
    now: UtcMillis,
) -> Result<Option<Carrying>, StorageError> {
    let Some(movement) = movement(connection, id).await? else { return Ok(None) };
    with_load(connection, movement, now).await.map(Some)
}

async fn with_load(
    connection: &mut AnyConnection,
    movement: MovementRow,
    now: UtcMillis,
) -> Result<Carrying, StorageError> {
    let consignments = carried(connection, &movement.id).await?;
    let notice = super::notices::in_force(connection, &movement.site, now).await?;
    Ok(Carrying { movement, consignments, notice })
}

/// A movement with what it carries, or the movement that could not be read, and why.
pub(crate) type MaybeCarrying = Result<Carrying, (String, StorageError)>;

async fn carrying_each(
    connection: &mut AnyConnection,
    ids: &[String],
    now: UtcMillis,
) -> Result<Vec<MaybeCarrying>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let statement = rows(&movements("WHERE id IN "), ids.len(), 1);
    let query = ids.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
    let found: Vec<MovementRow> = query.fetch_all(&mut *connection).await?;
    let statement = rows(&consignments("WHERE movement IN "), ids.len(), 1) + " ORDER BY ccrn";
    let query = ids.iter().fold(sqlx::query(AssertSqlSafe(statement)), |q, id| q.bind(id.clone()));
    let mut carried: HashMap<String, Vec<AnyRow>> = HashMap::new();
    for row in query.fetch_all(&mut *connection).await? {
        carried.entry(row.try_get("movement")?).or_default().push(row);
    }
    let mut notices = HashMap::new();
    for site in found.iter().map(|movement| &movement.site).collect::<BTreeSet<_>>() {
        notices.insert(site.clone(), super::notices::in_force(connection, site, now).await?);
    }
    let mut all = Vec::with_capacity(found.len());
    for movement in found {
        let notice = notices.get(&movement.site).cloned().flatten();
        let rows = carried.remove(&movement.id).unwrap_or_default();
        let consignments: Result<_, _> = rows.iter().map(consignment_row).collect();
        all.push(match consignments {
            Ok(consignments) => Ok(Carrying { movement, consignments, notice }),
            Err(error) => Err((movement.id, error)),
        });
    }
    Ok(all)
}

/// What to look for among a trader's consignments or movements.
#[derive(Clone, Debug, Default)]
pub struct Find {
    /// CCRN, whole or its beginning; consignee's name, its beginning; registration mark. Empty: everything.
    pub text: String,
    /// Only those older (by lodging, or by expected arrival) than this one, to turn a page.
    pub before: Option<(i64, String)>,
    /// At most.
    pub most: u32,
}

/// The end of the range of texts that begin with `prefix`, in the order of bytes.
fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}")
}

/// The number that a text may be the beginning of.
fn number_in(text: &str) -> Option<String> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let may =
        (4..=Ccrn::CHARACTERS).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
    may.then(|| number.to_ascii_uppercase())
}

impl Store {
    /// A consignment.
    pub async fn consignment(&self, ccrn: &Ccrn) -> Result<Option<ConsignmentRow>, StorageError> {
        consignment(&mut *self.pool.acquire().await?, ccrn).await
    }

    /// A movement.
    pub async fn movement(&self, id: &MovementId) -> Result<Option<MovementRow>, StorageError> {
        movement(&mut *self.pool.acquire().await?, id.as_str()).await
    }

    /// A movement that was read already, with what it carries.
    pub(crate) async fn with_load(
        &self,
        movement: MovementRow,
        now: UtcMillis,
    ) -> Result<Carrying, StorageError> {
        let mut tx = self.read().await?;
        with_load(&mut tx, movement, now).await
    }

    /// A movement with what it carries.
    pub async fn carrying(&self, id: &str, now: UtcMillis) -> Result<Option<Carrying>, StorageError> {
        let mut tx = self.read().await?;
        carrying(&mut tx, id, now).await
    }

    /// Movements with what they carry, those of them that are there. One that cannot be read does not keep the others.
    pub(crate) async fn carrying_each(
        &self,
        ids: &[String],
        now: UtcMillis,
    ) -> Result<Vec<MaybeCarrying>, StorageError> {
        let mut tx = self.read().await?;
        carrying_each(&mut tx, ids, now).await
    }

    /// What consignments said before they were amended, oldest first: version, text, who replaced it and when.
    pub async fn consignment_versions(
        &self,
        ccrn: &Ccrn,
    ) -> Result<Vec<(u32, Consignment, String, UtcMillis)>, StorageError> {
        let rows: Vec<(i64, String, String, i64)> = sqlx::query_as(
            "SELECT version, body, replaced_by, replaced_at FROM consignment_versions WHERE ccrn = $1 ORDER BY version",
        )
        .bind(ccrn.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(version, body, who, at)| {
                Ok((version as u32, serde_json::from_str(&body).map_err(data)?, who, UtcMillis(at)))
            })
            .collect()
    }

    /// A trader's consignments, latest first; those that are searched for in the order of what was searched.
    pub async fn find_consignments(
        &self,
        trader: &TraderId,
        find: &Find,
    ) -> Result<Vec<ConsignmentRow>, StorageError> {
        let text = find.text.trim();
        let after = find.before.as_ref().map(|(_, ccrn)| ccrn.as_str());
        let rows = match number_in(text) {
            _ if text.is_empty() => self.lodged_before(trader, find).await?,
            // What was found by number so far goes on so, and what was found by name, whose numbers begin otherwise, by name.
            Some(number) if after.is_none_or(|after| after.starts_with(&number)) => {
                let rows = self.by_number(trader, &number, after, find.most).await?;
                if rows.is_empty() && after.is_none() {
                    self.by_name(trader, text, None, find.most).await?
                } else {
                    rows
                }
            }
            _ => self.by_name(trader, text, after, find.most).await?,
        };
        rows.iter().map(consignment_row).collect()
    }

    async fn lodged_before(&self, trader: &TraderId, find: &Find) -> Result<Vec<AnyRow>, sqlx::Error> {
        let (at, ccrn) = find.before.clone().unwrap_or((i64::MAX, String::new()));
        sqlx::query(consignment!(
            "WHERE trader = $1 AND (lodged_at, ccrn) < ($2, $3) ORDER BY lodged_at DESC, ccrn DESC LIMIT $4"
        ))
        .bind(trader.as_str())
        .bind(at)
        .bind(ccrn)
        .bind(i64::from(find.most))
        .fetch_all(&self.pool)
        .await
    }

    async fn by_number(
        &self,
        trader: &TraderId,
        number: &str,
        after: Option<&str>,
        most: u32,
    ) -> Result<Vec<AnyRow>, sqlx::Error> {
        sqlx::query(consignment!(
            // The trader is no key here: else SQLite goes through all consignments of the company.
            "WHERE ccrn >= $1 AND ccrn <> $2 AND ccrn < $3 AND trader || '' = $4 ORDER BY ccrn LIMIT $5"
        ))
        .bind(after.unwrap_or(number))
        .bind(after.unwrap_or_default())
        .bind(format!("{number}~"))
        .bind(trader.as_str())
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await
    }

    async fn by_name(
        &self,
        trader: &TraderId,
        text: &str,
        after: Option<&str>,
        most: u32,
    ) -> Result<Vec<AnyRow>, sqlx::Error> {
        let name = fold(text);
        let last: Option<String> =
            sqlx::query_scalar("SELECT consignee FROM consignments WHERE ccrn = $1 AND trader = $2")
                .bind(after.unwrap_or_default())
                .bind(trader.as_str())
                .fetch_optional(&self.pool)
                .await?;
        // One that was named otherwise since the page before has lost its place: begin anew rather than leave some out.
        let last = last.filter(|last| last.starts_with(&name));
        let (from, after) = last.map_or((name.clone(), ""), |last| (last, after.unwrap_or_default()));
        sqlx::query(consignment!(
            "WHERE trader = $1 AND (consignee, ccrn) > ($2, $3) AND consignee < $4 ORDER BY consignee, ccrn LIMIT $5"
        ))
        .bind(trader.as_str())
        .bind(from)
        .bind(after)
        .bind(end_of_prefix(&name))
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await
    }

    /// A trader's movements, by expected arrival, latest first; `find.text` is a mark.
    pub async fn find_movements(
        &self,
        trader: &TraderId,
        find: &Find,
    ) -> Result<Vec<MovementRow>, StorageError> {
        let (at, id) = find.before.clone().unwrap_or((i64::MAX, String::new()));
        let mark: String =
            find.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        let rows = if mark.is_empty() {
            sqlx::query_as(movement!(
                "WHERE trader = $1 AND (expected_arrival, id) < ($2, $3) ORDER BY expected_arrival DESC, id DESC LIMIT $4"
            ))
            .bind(trader.as_str())
            .bind(at)
            .bind(id)
            .bind(i64::from(find.most))
            .fetch_all(&self.pool)
            .await?
        } else {
            sqlx::query_as(movement!(
                "WHERE trader = $1 AND mark = $2 AND (expected_arrival, id) < ($3, $4) ORDER BY expected_arrival DESC, id DESC LIMIT $5"
            ))
            .bind(trader.as_str())
            .bind(mark)
            .bind(at)
            .bind(id)
            .bind(i64::from(find.most))
            .fetch_all(&self.pool)
            .await?
        };
        Ok(rows)
    }

    /// Movements that customs has yet to assess, by expected arrival, at most `most`.
    pub async fn to_assess(&self, most: u32) -> Result<Vec<MovementRow>, StorageError> {
        let rows = sqlx::query_as(movement!(
            "WHERE action IS NULL AND cancelled_at IS NULL AND arrived_at IS NULL AND sandbox = 0 ORDER BY expected_arrival LIMIT $1"
        ))
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Movements that may arrive about `at` (a day either way) at a site, to rank candidates with.
    pub async fn expected(&self, site: &SiteId, at: UtcMillis) -> Result<Vec<MovementRow>, StorageError> {
        const DAY: i64 = 24 * 3_600_000;
        let rows = sqlx::query_as(movement!(
            // The site is no key here: there are many more movements of a site than of two days.
            "WHERE site || '' IN ($1, '') AND sandbox = 0 AND cancelled_at IS NULL AND expected_arrival BETWEEN $2 AND $3 ORDER BY expected_arrival LIMIT 5000"
        ))
        .bind(site.as_str())
        .bind(at.0 - DAY)
        .bind(at.0 + DAY)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}

impl Write<'_> {
    /// A movement with what it carries, as this transaction sees it.
    pub(crate) async fn carrying(
        &mut self,
        id: &str,
        now: UtcMillis,
    ) -> Result<Option<Carrying>, StorageError> {
        carrying(&mut self.tx, id, now).await
    }

    /// Movements with what they carry, as this transaction sees them: those of them that are there.
    pub(crate) async fn carrying_each(
        &mut self,
        ids: &[String],
        now: UtcMillis,
    ) -> Result<Vec<MaybeCarrying>, StorageError> {
        carrying_each(&mut self.tx, ids, now).await
    }
}
