//! Rules on their way from a draft into force, and what they hit.

use std::collections::BTreeSet;

use clearance::ids::{Digest, OfficerId, UtcMillis};
use futures::future::BoxFuture;
use risk::dossier::{Dossier, Stage};
use risk::rules::RuleDraft;
use risk::simulate::Report;
use risk::{Assessment, Canonical as _, Policy, Reason};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::policy::insert_policy;
use crate::storage::{Change, Noted, StorageError, Store, Write, data};

/// What somebody did with a rule, for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleStep {
    /// Wrote it.
    Draft,
    /// Simulated it.
    Simulate,
    /// Approved it: it is in force.
    Enforce,
    /// Asked for it to be taken out of force.
    AskWithdrawal,
    /// Disagreed.
    Keep,
    /// Withdrew it.
    Withdraw,
}

/// A version of a rule, as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct RuleRow {
    /// Its name.
    pub rule: String,
    version: i64,
    /// SHA-256 of the draft's canonical bytes.
    pub digest: String,
    body: String,
    dossier: String,
    /// How many steps it has taken: whoever takes the next says after how many.
    pub steps: i64,
    report: Option<String>,
    /// When its last step was taken, milliseconds since 1970.
    pub changed_at: i64,
}

impl RuleRow {
    /// Its version.
    pub fn version(&self) -> u32 {
        self.version as u32
    }

    /// What was written.
    pub fn draft(&self) -> Result<RuleDraft, StorageError> {
        serde_json::from_str(&self.body).map_err(data)
    }

    /// Who did what with it.
    pub fn dossier(&self) -> Result<Dossier, StorageError> {
        serde_json::from_str(&self.dossier).map_err(data)
    }

    /// Its latest simulation.
    pub fn report(&self) -> Result<Option<Report>, StorageError> {
        self.report.as_deref().map(serde_json::from_str).transpose().map_err(data)
    }
}

/// A movement of which a rule was a reason.
#[derive(Clone, Debug, FromRow)]
pub struct RuleHit {
    /// The movement.
    pub movement: String,
    /// Its mark.
    pub mark: String,
    /// Since when, milliseconds since 1970.
    pub at: i64,
}

macro_rules! kept_rules {
    ($rest:literal) => {
        concat!(
            "SELECT rule, version, digest, body, dossier, steps, report, changed_at FROM screening_rules ",
            $rest
        )
    };
}

macro_rules! hits {
    ($rest:literal) => {
        concat!(
            "SELECT h.movement, m.mark, h.at FROM rule_hits h JOIN movements m ON m.id = h.movement \
             WHERE h.rule = $1 AND h.version = $2 ",
            $rest
        )
    };
}

impl Store {
    /// All rules in all versions, the last changed first.
    pub async fn rules(&self, most: u32) -> Result<Vec<RuleRow>, StorageError> {
        let rows = sqlx::query_as(kept_rules!("ORDER BY changed_at DESC, rule, version DESC LIMIT $1"));
        Ok(rows.bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// A rule in a version.
    pub async fn rule(&self, rule: &str, version: u32) -> Result<Option<RuleRow>, StorageError> {
        let rows = sqlx::query_as(kept_rules!("WHERE rule = $1 AND version = $2"));
        Ok(rows.bind(rule).bind(i64::from(version)).fetch_optional(&self.pool).await?)
    }

    /// The latest version of a rule.
    pub async fn latest_rule(&self, rule: &str) -> Result<Option<RuleRow>, StorageError> {
        let rows = sqlx::query_as(kept_rules!("WHERE rule = $1 ORDER BY version DESC LIMIT 1"));
        Ok(rows.bind(rule).fetch_optional(&self.pool).await?)
    }

    /// Movements of which a rule is a reason, those that it hit first or last.
    pub async fn rule_hits(
        &self,
        rule: &str,
        version: u32,
        first: bool,
        most: u32,
    ) -> Result<Vec<RuleHit>, StorageError> {
        let statement =
            if first { hits!("ORDER BY h.at LIMIT $3") } else { hits!("ORDER BY h.at DESC LIMIT $3") };
        let rows = sqlx::query_as(statement);
        Ok(rows.bind(rule).bind(i64::from(version)).bind(i64::from(most)).fetch_all(&self.pool).await?)
    }

    /// How many movements each version of a rule has hit since a moment.
    pub async fn rule_hit_counts(&self, since: UtcMillis) -> Result<Vec<(String, i64, i64)>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT rule, version, COUNT(*) FROM rule_hits WHERE at >= $1 GROUP BY rule, version ORDER BY rule, version",
        );
        Ok(rows.bind(since.0).fetch_all(&self.pool).await?)
    }

    /// Of these movements those that were inspected, and whether something was found.
    pub async fn outcomes(&self, movements: &[String]) -> Result<Vec<(String, bool)>, StorageError> {
        if movements.is_empty() {
            return Ok(Vec::new());
        }
        let statement = crate::storage::statement::rows(
            "SELECT id, inspected FROM movements WHERE inspected IS NOT NULL AND id IN ",
            movements.len(),
            1,
        );
        let query = movements
            .iter()
            .fold(sqlx::query_as(sqlx::AssertSqlSafe(statement)), |query, id| query.bind(id.clone()));
        let rows: Vec<(String, String)> = query.fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, inspected)| (id, inspected == "found")).collect())
    }
}

/// Why a step is not stored.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// Somebody was faster.
    #[error("somebody has changed the rule meanwhile: look at it again")]
    Changed,
    /// Another policy is in force than the one that was looked at.
    #[error("another policy came into force meanwhile: try again")]
    PolicyChanged,
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for NotKept {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// A policy that comes into force with a step.
pub(crate) struct NextPolicy {
    /// The version in force that it was made from.
    pub(crate) base: u32,
    pub(crate) policy: Policy,
    /// Who has written what is new in it; whoever takes the step approves it.
    pub(crate) put_by: OfficerId,
}

/// A step of a rule, with the policy that follows from it.
pub(crate) struct KeepRule {
    pub(crate) draft: RuleDraft,
    pub(crate) dossier: Dossier,
    pub(crate) report: Option<Report>,
    /// How many steps it had taken when it was looked at; `None` of a new one.
    pub(crate) seen: Option<i64>,
    pub(crate) step: RuleStep,
    pub(crate) policy: Option<NextPolicy>,
    pub(crate) by: OfficerId,
    pub(crate) at: UtcMillis,
}

impl Change for KeepRule {
    type Done = ();
    type Refused = NotKept;

    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<(), NotKept>> {
        Box::pin(async move {
            let (rule, version) = (self.draft.rule.id.clone(), self.draft.rule.version);
            let body = serde_json::to_string(&self.draft).map_err(data)?;
            let dossier = serde_json::to_string(&self.dossier).map_err(data)?;
            let report = self.report.as_ref().map(serde_json::to_string).transpose().map_err(data)?;
            let statement = match self.seen {
                None => {
                    "INSERT INTO screening_rules (digest, body, dossier, steps, report, changed_at, rule, version) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
                }
                Some(_) => {
                    "UPDATE screening_rules SET digest = $1, body = $2, dossier = $3, steps = $4, report = $5, changed_at = $6 \
                     WHERE rule = $7 AND version = $8 AND steps = $9"
                }
            };
            let query = sqlx::query(statement)
                .bind(self.draft.digest().to_string())
                .bind(body)
                .bind(dossier)
                .bind(self.dossier.steps().len() as i64)
                .bind(report)
                .bind(self.at.0)
                .bind(rule.clone())
                .bind(i64::from(version));
            let query = match self.seen {
                Some(seen) => query.bind(seen),
                None => query,
            };
            if query.execute(&mut *write.tx).await?.rows_affected() != 1 {
                return Err(NotKept::Changed);
            }
            if let Some(next) = self.policy {
                write.put_into_force(next, &self.by, self.at).await?;
            }
            if matches!(self.dossier.stage(), Stage::Live { .. }) && self.step == RuleStep::Enforce {
                write.replace_versions(&rule, version, &self.by, self.at).await?;
            }
            let what = Noted::Rule { step: self.step, version };
            write.audit(self.at, self.by.as_str(), &what, &rule).await?;
            Ok(())
        })
    }
}

impl Write<'_> {
    async fn put_into_force(
        &mut self,
        next: NextPolicy,
        by: &OfficerId,
        at: UtcMillis,
    ) -> Result<(), NotKept> {
        let in_force: Option<i64> =
            sqlx::query_scalar("SELECT MAX(version) FROM screening_policies WHERE approved_by IS NOT NULL")
                .fetch_one(&mut *self.tx)
                .await?;
        if in_force != Some(i64::from(next.base)) {
            return Err(NotKept::PolicyChanged);
        }
        let version = insert_policy(self, next.policy, next.put_by.as_str(), at).await?;
        sqlx::query("UPDATE screening_policies SET approved_by = $1, approved_at = $2 WHERE version = $3")
            .bind(by.as_str().to_owned())
            .bind(at.0)
            .bind(i64::from(version))
            .execute(&mut *self.tx)
            .await?;
        self.audit(at, by.as_str(), &Noted::ApprovePolicy, &version.to_string()).await?;
        Ok(())
    }

    /// Other versions of a rule are out of force: this one has taken their place in the policy.
    async fn replace_versions(
        &mut self,
        rule: &str,
        but: u32,
        by: &OfficerId,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let rows: Vec<RuleRow> = sqlx::query_as(kept_rules!("WHERE rule = $1 AND version <> $2"))
            .bind(rule.to_owned())
            .bind(i64::from(but))
            .fetch_all(&mut *self.tx)
            .await?;
        for row in rows {
            let Ok(replaced) = row.dossier()?.replaced(by.clone(), at) else { continue };
            sqlx::query("UPDATE screening_rules SET dossier = $1, steps = $2, changed_at = $3 WHERE rule = $4 AND version = $5")
                .bind(serde_json::to_string(&replaced).map_err(data)?)
                .bind(replaced.steps().len() as i64)
                .bind(at.0)
                .bind(row.rule.clone())
                .bind(row.version)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }

    /// Note which rules are reasons of a movement now, and forget those that are none any more; `some_known`: whether any are noted.
    pub(super) async fn keep_hits(
        &mut self,
        assessment: &Assessment,
        some_known: bool,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let movement = assessment.movement.as_str();
        let hits: BTreeSet<(String, i64)> = assessment
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Rule { rule, version, .. } => Some((rule.clone(), i64::from(*version))),
                _ => None,
            })
            .collect();
        let mut known: Vec<(String, i64)> = Vec::new();
        if some_known {
            let rows = sqlx::query_as("SELECT rule, version FROM rule_hits WHERE movement = $1");
            known = rows.bind(movement.to_owned()).fetch_all(&mut *self.tx).await?;
        }
        for (rule, version) in known.iter().filter(|hit| !hits.contains(hit)) {
            sqlx::query("DELETE FROM rule_hits WHERE rule = $1 AND version = $2 AND movement = $3")
                .bind(rule.clone())
                .bind(*version)
                .bind(movement.to_owned())
                .execute(&mut *self.tx)
                .await?;
        }
        for (rule, version) in hits.into_iter().filter(|hit| !known.contains(hit)) {
            sqlx::query("INSERT INTO rule_hits (rule, version, movement, at) VALUES ($1, $2, $3, $4)")
                .bind(rule)
                .bind(version)
                .bind(movement.to_owned())
                .bind(at.0)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }
}

/// Whether a stored rule is what its digests say.
pub(crate) fn faults(row: &RuleRow) -> Vec<String> {
    let mut faults = Vec::new();
    match row.draft() {
        Ok(draft) => {
            let named = (draft.rule.id.as_str(), draft.rule.version) == (row.rule.as_str(), row.version());
            if !named {
                faults.push("its draft is of another rule or version".to_owned());
            }
            if row.digest != draft.digest().to_string() {
                faults.push("its draft is not what its digest says".to_owned());
            }
        }
        Err(error) => faults.push(format!("its draft: {error}")),
    }
    match row.dossier() {
        Ok(dossier) => {
            if row.digest.parse::<Digest>().ok() != Some(dossier.content()) {
                faults.push("its dossier is of other content".to_owned());
            }
            if dossier.steps().len() as i64 != row.steps {
                faults.push("its dossier has another number of steps".to_owned());
            }
        }
        Err(error) => faults.push(format!("its dossier: {error}")),
    }
    if let Err(error) = row.report() {
        faults.push(format!("its simulation: {error}"));
    }
    faults
}
