//! What inspections gave, by the rules, lists, model and draw that made somebody look.

use clearance::ids::{Digest, UtcMillis};
use risk::assessment::Confidentiality;
use risk::returns::{Source, Tally};
use risk::{Assessment, Decision, Reason};

use crate::storage::{StorageError, Store, Write, data};
use crate::trade::movement::Inspection;

const HOUR_MS: i64 = 3_600_000;

/// Minutes that one inspection counts at most: a vehicle that was left in the bay over night is not inspected all night.
const MOST_MINUTES: i64 = 12 * 60;

/// What inspections gave by one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskReturn {
    /// What made somebody look; none: lists of which those who select may not know, together.
    pub source: Option<Source>,
    /// What it gave. Minutes are those from the lane's signal to the bay's report.
    pub tally: Tally,
}

/// A source as it is stored.
fn stored(source: &Source) -> (&'static str, String, u32) {
    match source {
        Source::Rule { rule, version } => ("rule", rule.clone(), *version),
        Source::List { list } => ("list", list.clone(), 0),
        Source::Model { model } => ("model", model.to_string(), 0),
        Source::Random => ("random", String::new(), 0),
        Source::Explored => ("explored", String::new(), 0),
        Source::Unassessed => ("unassessed", String::new(), 0),
    }
}

fn of_stored(kind: &str, name: String, version: i64) -> Result<Source, StorageError> {
    Ok(match kind {
        "rule" => Source::Rule { rule: name, version: u32::try_from(version).map_err(data)? },
        "list" => Source::List { list: name },
        "model" => Source::Model { model: name.parse::<Digest>().map_err(data)? },
        "random" => Source::Random,
        "explored" => Source::Explored,
        "unassessed" => Source::Unassessed,
        other => return Err(data(format!("{other:?} has made nobody look"))),
    })
}

/// Whether those who select may not know of a source.
fn is_withheld(assessment: &Assessment, source: &Source) -> bool {
    assessment.reasons.iter().any(|reason| {
        matches!(reason, Reason::List { confidentiality, .. } if *confidentiality > Confidentiality::Selectors)
            && Source::of(reason) == *source
    })
}

impl Write<'_> {
    /// Count an inspection for everything that demanded a look at the movement when it was last assessed. What was reported otherwise
    /// `before` is put right. Nobody tells how long an audit took.
    pub(crate) async fn count_return(
        &mut self,
        movement: &str,
        result: Inspection,
        before: Option<Inspection>,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let row: Option<(String, Option<i64>)> = sqlx::query_as(
            "SELECT a.body, CASE WHEN m.signalled = 'released' THEN NULL ELSE m.signalled_at END FROM assessments a JOIN movements m ON m.id = a.movement WHERE a.movement = $1 AND a.latest = 1",
        )
        .bind(movement.to_owned())
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some((body, signalled)) = row else { return Ok(()) };
        let Decision { assessment, .. } = serde_json::from_str(&body).map_err(data)?;
        let found = |inspection| i64::from(inspection == Inspection::Found);
        let took = signalled.map_or(0, |signalled| (at.0 - signalled) / 60_000).clamp(0, MOST_MINUTES);
        let (more, finds, minutes) =
            before.map_or((1, found(result), took), |before| (0, found(result) - found(before), 0));
        for source in Source::all(&assessment) {
            let (kind, name, version) = stored(&source);
            sqlx::query(
                "INSERT INTO source_returns (hour, kind, name, version, withheld, inspected, found, minutes) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (hour, kind, name, version, withheld) DO UPDATE SET \
                 inspected = source_returns.inspected + $6, found = source_returns.found + $7, minutes = source_returns.minutes + $8",
            )
            .bind(at.0 / HOUR_MS)
            .bind(kind)
            .bind(name)
            .bind(i64::from(version))
            .bind(i64::from(is_withheld(&assessment, &source)))
            .bind(more)
            .bind(finds)
            .bind(minutes)
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }
}

impl Store {
    /// What inspections have given since the beginning of an hour, by source: those that were inspected for most first.
    pub async fn risk_returns(&self, since: UtcMillis) -> Result<Vec<RiskReturn>, StorageError> {
        // Lists that are withheld are one: how many there are is nobody's business either.
        let rows: Vec<(String, String, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT kind, CASE WHEN withheld = 1 THEN '' ELSE name END, version, withheld, CAST(SUM(inspected) AS BIGINT), \
             CAST(SUM(found) AS BIGINT), CAST(SUM(minutes) AS BIGINT) FROM source_returns WHERE hour >= $1 \
             GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3",
        )
        .bind(since.0 / HOUR_MS)
        .fetch_all(&self.pool)
        .await?;
        let one = |(kind, name, version, withheld, inspected, found, minutes): (
            String,
            String,
            i64,
            i64,
            i64,
            i64,
            i64,
        )| {
            let source = if withheld == 1 { None } else { Some(of_stored(&kind, name, version)?) };
            // A correction of what was reported before `since` may leave more finds than inspections, or fewer than none.
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            let inspected = count(inspected);
            let tally = Tally { inspected, found: count(found).min(inspected), minutes: count(minutes) };
            Ok(RiskReturn { source, tally })
        };
        rows.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_read_as_it_was_stored() {
        for source in [
            Source::Rule { rule: "night".to_owned(), version: 3 },
            Source::List { list: "wanted".to_owned() },
            Source::Model { model: Digest::of(b"model") },
            Source::Random,
            Source::Explored,
            Source::Unassessed,
        ] {
            let (kind, name, version) = stored(&source);
            assert_eq!(of_stored(kind, name, i64::from(version)).unwrap(), source);
        }
        assert!(of_stored("weather", String::new(), 0).is_err());
    }
}
