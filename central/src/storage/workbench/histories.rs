//! What is known of parties, vehicles and cases that are alike, so that an officer need not remember.

use clearance::ids::{Digest, UtcMillis};
use clearance::mark::RegistrationMark;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::storage::passages::{PassageRow, passage_row};
use crate::storage::{StorageError, Store, data};
use crate::trade::Consignment;
use crate::trade::movement::{Inspection, Signalled};

/// Of a busy party, as many of its latest consignments or crossings are counted.
const COUNTED: i64 = 2_000;

/// As many of the latest inspected crossings are looked at for what is alike.
const INSPECTED: i64 = 400;

/// What came of earlier crossings of somebody or something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartyHistory {
    /// Earlier crossings, at most the latest 2000.
    pub crossings: i64,
    /// Of those, inspected.
    pub inspected: i64,
    /// Of those, with a find.
    pub found: i64,
    /// When it was first seen, milliseconds since 1970.
    pub first_seen: Option<i64>,
}

/// An earlier crossing with what came of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The movement.
    pub movement: String,
    /// Its vehicle.
    pub mark: String,
    /// When it was expected, milliseconds since 1970.
    pub at: i64,
    /// What the lane showed.
    pub signalled: Option<Signalled>,
    /// What an inspection gave.
    pub inspected: Option<Inspection>,
    /// A consignment of it; none of an empty vehicle.
    pub consignment: Option<Consignment>,
}

const CASE: &str = "SELECT m.id, m.mark, m.expected_arrival, m.signalled, m.inspected, c.body FROM movements m LEFT JOIN consignments c ON c.movement = m.id ";

fn case(row: &AnyRow) -> Result<Case, StorageError> {
    let (signalled, inspected): (Option<String>, Option<String>) =
        (row.try_get("signalled")?, row.try_get("inspected")?);
    let body: Option<String> = row.try_get("body")?;
    Ok(Case {
        movement: row.try_get("id")?,
        mark: row.try_get("mark")?,
        at: row.try_get("expected_arrival")?,
        signalled: signalled.as_deref().and_then(Signalled::of_stored),
        inspected: inspected.as_deref().and_then(Inspection::of_name),
        consignment: body.map(|body| serde_json::from_str(&body).map_err(data)).transpose()?,
    })
}

type Counts = (i64, i64, i64, Option<i64>);

fn history((crossings, inspected, found, first_seen): Counts) -> PartyHistory {
    PartyHistory { crossings, inspected, found, first_seen }
}

impl Store {
    /// Earlier crossings of a vehicle, but for one movement.
    pub async fn vehicle_history(&self, mark: &str, but: &str) -> Result<PartyHistory, StorageError> {
        let counts: Counts = sqlx::query_as(
            "SELECT COUNT(*), COUNT(inspected), CAST(COALESCE(SUM(CASE WHEN inspected = 'found' THEN 1 ELSE 0 END), 0) AS BIGINT), MIN(expected_arrival) \
             FROM (SELECT inspected, expected_arrival FROM movements WHERE mark = $1 AND id <> $2 AND sandbox = 0 AND signalled IS NOT NULL \
             ORDER BY expected_arrival DESC LIMIT $3) latest",
        )
        .bind(mark)
        .bind(but)
        .bind(COUNTED)
        .fetch_one(&self.pool)
        .await?;
        Ok(history(counts))
    }

    /// Earlier crossings of a company as carrier, but for one movement.
    pub async fn carrier_history(&self, trader: &str, but: &str) -> Result<PartyHistory, StorageError> {
        let counts: Counts = sqlx::query_as(
            "SELECT COUNT(*), COUNT(inspected), CAST(COALESCE(SUM(CASE WHEN inspected = 'found' THEN 1 ELSE 0 END), 0) AS BIGINT), \
             (SELECT created_at FROM traders WHERE id = $1) \
             FROM (SELECT inspected FROM movements WHERE trader = $1 AND id <> $2 AND sandbox = 0 AND signalled IS NOT NULL \
             ORDER BY expected_arrival DESC LIMIT $3) latest",
        )
        .bind(trader)
        .bind(but)
        .bind(COUNTED)
        .fetch_one(&self.pool)
        .await?;
        Ok(history(counts))
    }

    /// Earlier crossings with consignments to this consignee (folded name), but for one movement.
    pub async fn consignee_history(&self, name: &str, but: &str) -> Result<PartyHistory, StorageError> {
        self.party_history("consignee", name, but).await
    }

    /// The same of a consignor.
    pub async fn consignor_history(&self, name: &str, but: &str) -> Result<PartyHistory, StorageError> {
        self.party_history("consignor", name, but).await
    }

    /// The same of the company that lodged.
    pub async fn shipper_history(&self, trader: &str, but: &str) -> Result<PartyHistory, StorageError> {
        self.party_history("trader", trader, but).await
    }

    /// `column` is one of ours, never somebody's text.
    async fn party_history(
        &self,
        column: &'static str,
        name: &str,
        but: &str,
    ) -> Result<PartyHistory, StorageError> {
        let statement = format!(
            "SELECT COUNT(DISTINCT m.id), COUNT(DISTINCT CASE WHEN m.inspected IS NOT NULL THEN m.id END), \
             COUNT(DISTINCT CASE WHEN m.inspected = 'found' THEN m.id END), \
             (SELECT MIN(lodged_at) FROM consignments WHERE {column} = $1 AND sandbox = 0) \
             FROM (SELECT movement FROM consignments WHERE {column} = $1 AND sandbox = 0 AND movement IS NOT NULL AND movement <> $2 \
             ORDER BY lodged_at DESC LIMIT $3) c JOIN movements m ON m.id = c.movement WHERE m.signalled IS NOT NULL"
        );
        let counts: Counts = sqlx::query_as(AssertSqlSafe(statement))
            .bind(name)
            .bind(but)
            .bind(COUNTED)
            .fetch_one(&self.pool)
            .await?;
        Ok(history(counts))
    }

    /// Earlier passages of a vehicle, latest first.
    pub async fn passages_of(
        &self,
        mark: &RegistrationMark,
        most: u32,
    ) -> Result<Vec<PassageRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT p.id, p.site, p.lane, p.began, p.decision, p.signal, p.frame_to_signal_us, p.left_at, p.waiting, p.changed \
             FROM movements m JOIN passages p ON p.movement = m.id WHERE m.mark = $1 ORDER BY p.began DESC LIMIT $2",
        )
        .bind(mark.as_str())
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(passage_row).collect()
    }

    /// Crossings that were inspected, latest first, a row for each of their consignments.
    pub async fn inspected_cases(&self) -> Result<Vec<Case>, StorageError> {
        let statement = format!(
            "{CASE} WHERE m.inspected_at IS NOT NULL AND m.sandbox = 0 ORDER BY m.inspected_at DESC LIMIT $1"
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(INSPECTED).fetch_all(&self.pool).await?;
        rows.iter().map(case).collect()
    }

    /// Earlier crossings of a vehicle, latest first, a row for each of their consignments.
    pub async fn cases_of_vehicle(&self, mark: &str, most: u32) -> Result<Vec<Case>, StorageError> {
        let statement = format!(
            "{CASE} WHERE m.mark = $1 AND m.sandbox = 0 AND m.signalled IS NOT NULL ORDER BY m.expected_arrival DESC LIMIT $2"
        );
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(mark)
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(case).collect()
    }

    /// Earlier crossings with consignments to a consignee (folded name), latest first.
    pub async fn cases_of_consignee(&self, name: &str, most: u32) -> Result<Vec<Case>, StorageError> {
        let rows = sqlx::query(
            "SELECT m.id, m.mark, m.expected_arrival, m.signalled, m.inspected, c.body FROM consignments c JOIN movements m ON m.id = c.movement \
             WHERE c.consignee = $1 AND m.sandbox = 0 AND m.signalled IS NOT NULL ORDER BY c.lodged_at DESC LIMIT $2",
        )
        .bind(name)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(case).collect()
    }

    /// The name of a company of the trade.
    pub async fn trader_name(&self, trader: &str) -> Result<Option<String>, StorageError> {
        let name = sqlx::query_scalar("SELECT name FROM traders WHERE id = $1")
            .bind(trader)
            .fetch_optional(&self.pool)
            .await?;
        Ok(name)
    }

    /// Where the trade's news ends: it rises with whatever is lodged, bundled, changed or decided, by whichever central.
    pub(crate) async fn end_of_news(&self) -> Result<i64, StorageError> {
        let end =
            sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM events").fetch_one(&self.pool).await?;
        Ok(end)
    }

    /// A photograph of an inspection, by the digest of the picture as it is kept.
    pub async fn photograph(&self, digest: Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let jpeg = sqlx::query_scalar("SELECT jpeg FROM inspection_photographs WHERE digest = $1 LIMIT 1")
            .bind(digest.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(jpeg)
    }

    /// The first moment at which something of a movement was lodged; the movement itself if it carries nothing.
    pub async fn lodged_at(&self, movement: &str) -> Result<Option<UtcMillis>, StorageError> {
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT COALESCE((SELECT MIN(lodged_at) FROM consignments WHERE movement = $1), (SELECT created_at FROM movements WHERE id = $1))",
        )
        .bind(movement)
        .fetch_one(&self.pool)
        .await?;
        Ok(at.map(UtcMillis))
    }
}
