//! What is counted for the figures: days, what led to codes, who comes in the next hours, how much the bays can do.
//!
//! Counted in the database, so that a page costs a few rows however many crossings there were.

use std::collections::BTreeMap;

use clearance::ids::{SiteId, UtcMillis};

use super::RiskReturn;
use crate::storage::{Noted, StorageError, Store};
use crate::workbench::decision::Basis;

/// Hours of the forecast.
pub(crate) const HOURS: i64 = 6;

/// What happened on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970, at the place.
    pub day: i64,
    /// Crossings for which a lane or an officer has signalled.
    pub signalled: i64,
    /// Of those, released without a stop.
    pub released: i64,
    /// Of those, inspected before they went.
    pub inspected: i64,
    /// Of those, with a find.
    pub found: i64,
    /// Minutes from lodging to the first code, and how many took as long, the quickest first.
    pub minutes: Vec<(i64, i64)>,
}

impl Day {
    /// Minutes within which this share (0 to 1) of the codes of the day were given.
    pub fn minutes_of(&self, share: f64) -> Option<i64> {
        let all: i64 = self.minutes.iter().map(|(_, count)| count).sum();
        let wanted = (all as f64 * share).ceil().max(1.0) as i64;
        let mut so_far = 0;
        self.minutes.iter().find_map(|(minutes, count)| {
            so_far += count;
            (so_far >= wanted).then_some(*minutes)
        })
    }
}

/// What came of codes, by what led to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReturn {
    /// What led to them.
    pub basis: Basis,
    /// Codes in force.
    pub given: i64,
    /// Of those, other than to release.
    pub stopped: i64,
    /// Of the movements, inspected.
    pub inspected: i64,
    /// Of those, with a find.
    pub found: i64,
}

/// Who comes to a control point in an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The control point; empty: whichever they come to.
    pub site: String,
    /// Hours from now.
    pub hour: i64,
    /// Expected.
    pub expected: i64,
    /// Of those, to be inspected.
    pub to_inspect: i64,
    /// Of those, without a code.
    pub undecided: i64,
}

/// Everything that the figures are made of.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// By day, the earliest first.
    pub days: Vec<Day>,
    /// By what led to a code.
    pub sources: Vec<SourceReturn>,
    /// By the rules, lists, model and draw that made somebody look.
    pub returns: Vec<RiskReturn>,
    /// By control point and hour.
    pub arrivals: Vec<Arrival>,
    /// Vehicles that wait for an inspection now, by control point.
    pub waiting: BTreeMap<String, i64>,
    /// Vehicles that the bays inspect in an hour, by control point.
    pub capacity: BTreeMap<String, i64>,
}

const DAY_MS: i64 = 86_400_000;

impl Store {
    /// Figures since a moment; `offset_ms`: of the place's time from UTC, so that its days are counted.
    pub async fn figures(
        &self,
        since: UtcMillis,
        offset_ms: i64,
        now: UtcMillis,
    ) -> Result<Figures, StorageError> {
        Ok(Figures {
            days: self.days(since, offset_ms).await?,
            sources: self.sources(since).await?,
            returns: self.risk_returns(since).await?,
            arrivals: self.arrivals(now).await?,
            waiting: self.waiting_at_bays(now).await?,
            capacity: self.capacity().await?,
        })
    }

    async fn days(&self, since: UtcMillis, offset_ms: i64) -> Result<Vec<Day>, StorageError> {
        let rows: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT (signalled_at + $2) / $3, COUNT(*), CAST(SUM(CASE WHEN signalled = 'released' THEN 1 ELSE 0 END) AS BIGINT), \
             COUNT(CASE WHEN signalled <> 'released' THEN inspected END), \
             CAST(SUM(CASE WHEN signalled <> 'released' AND inspected = 'found' THEN 1 ELSE 0 END) AS BIGINT) FROM movements WHERE signalled_at >= $1 AND sandbox = 0 \
             GROUP BY 1 ORDER BY 1",
        )
        .bind(since.0)
        .bind(offset_ms)
        .bind(DAY_MS)
        .fetch_all(&self.pool)
        .await?;
        let day = |(day, signalled, released, inspected, found)| {
            (day, Day { day, signalled, released, inspected, found, minutes: Vec::new() })
        };
        let mut days: BTreeMap<i64, Day> = rows.into_iter().map(day).collect();
        let waits: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT (first_at + $2) / $3, (first_at - lodged) / 60000, COUNT(*) FROM (SELECT d.first_at, \
             COALESCE((SELECT MIN(c.lodged_at) FROM consignments c WHERE c.movement = m.id), m.created_at) AS lodged \
             FROM (SELECT n.movement, MIN(n.at) AS first_at FROM decisions n WHERE n.at >= $1 AND NOT EXISTS \
             (SELECT 1 FROM decisions e WHERE e.movement = n.movement AND e.at < $1) GROUP BY n.movement) d \
             JOIN movements m ON m.id = d.movement WHERE m.sandbox = 0) waits GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .bind(since.0)
        .bind(offset_ms)
        .bind(DAY_MS)
        .fetch_all(&self.pool)
        .await?;
        for (day, minutes, count) in waits {
            let entry = days.entry(day).or_insert_with(|| Day { day, ..Day::default() });
            entry.minutes.push((minutes, count));
        }
        Ok(days.into_values().collect())
    }

    async fn sources(&self, since: UtcMillis) -> Result<Vec<SourceReturn>, StorageError> {
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT d.basis, COUNT(*), CAST(SUM(CASE WHEN d.code <> 'release' THEN 1 ELSE 0 END) AS BIGINT), COUNT(m.inspected), \
             CAST(SUM(CASE WHEN m.inspected = 'found' THEN 1 ELSE 0 END) AS BIGINT) FROM decisions d JOIN movements m ON m.id = d.movement \
             WHERE d.at >= $1 AND d.state IN ('given', 'approved') AND m.sandbox = 0 AND NOT EXISTS (SELECT 1 FROM decisions n \
             WHERE n.movement = d.movement AND n.state IN ('given', 'approved') AND (n.at > d.at OR (n.at = d.at AND n.id > d.id))) \
             GROUP BY d.basis ORDER BY d.basis",
        )
        .bind(since.0)
        .fetch_all(&self.pool)
        .await?;
        let source = |(basis, given, stopped, inspected, found): (String, i64, i64, i64, i64)| {
            Some(SourceReturn { basis: Basis::of_name(&basis)?, given, stopped, inspected, found })
        };
        Ok(rows.into_iter().filter_map(source).collect())
    }

    async fn arrivals(&self, now: UtcMillis) -> Result<Vec<Arrival>, StorageError> {
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT site, (expected_arrival - $1) / 3600000, COUNT(*), \
             CAST(SUM(CASE WHEN action IN ('inspect', 'detain') THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(SUM(CASE WHEN action IS NULL THEN 1 ELSE 0 END) AS BIGINT) \
             FROM movements WHERE expected_arrival >= $1 AND expected_arrival < $2 AND sandbox = 0 AND cancelled_at IS NULL \
             AND arrived_at IS NULL AND signalled IS NULL GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .bind(now.0)
        .bind(now.0 + HOURS * 3_600_000)
        .fetch_all(&self.pool)
        .await?;
        let arrival = |(site, hour, expected, to_inspect, undecided)| Arrival {
            site,
            hour,
            expected,
            to_inspect,
            undecided,
        };
        Ok(rows.into_iter().map(arrival).collect())
    }

    async fn waiting_at_bays(&self, now: UtcMillis) -> Result<BTreeMap<String, i64>, StorageError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT site, COUNT(*) FROM movements WHERE signalled_at > $1 AND signalled IN ('inspect', 'detain') AND inspected IS NULL \
             AND departed_at IS NULL AND cancelled_at IS NULL AND sandbox = 0 GROUP BY site",
        )
        .bind(now.0 - DAY_MS)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }

    async fn capacity(&self) -> Result<BTreeMap<String, i64>, StorageError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT site, per_hour FROM bay_capacity").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().collect())
    }

    /// Say how many vehicles the bays of a control point inspect in an hour.
    pub async fn set_capacity(
        &self,
        site: &SiteId,
        per_hour: u32,
        by: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO bay_capacity (site, per_hour, set_by, set_at) VALUES ($1, $2, $3, $4) ON CONFLICT (site) DO UPDATE SET \
             per_hour = excluded.per_hour, set_by = excluded.set_by, set_at = excluded.set_at",
        )
        .bind(site.to_string())
        .bind(i64::from(per_hour))
        .bind(by.to_owned())
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        write.audit(at, by, &Noted::SetCapacity { per_hour }, site.as_str()).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_slowest_are_told_from_a_few_counts() {
        let day = Day { minutes: vec![(2, 5), (10, 4), (60, 1)], ..Day::default() };
        assert_eq!(day.minutes_of(0.5), Some(2));
        assert_eq!(day.minutes_of(0.9), Some(10));
        assert_eq!(day.minutes_of(1.0), Some(60));
        assert_eq!(Day::default().minutes_of(0.5), None);
    }
}
