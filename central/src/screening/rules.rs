//! The way of a rule from a draft into force and out of it: written and checked, simulated on past movements, approved by
//! somebody else, withdrawn by two.
//!
//! A rule that is approved comes into force with a policy that is the one in force with this rule in it; both are stored in one
//! transaction. A policy that does not fit is refused as a whole, and what is in force goes on.

use std::collections::BTreeMap;

use clearance::ids::{OfficerId, UtcMillis};
use jiff::tz::TimeZone;
use risk::Policy;
use risk::dossier::{Dossier, Matter, Refusal, Stage};
use risk::returns::Outcome;
use risk::rules::{Checked, DraftError, RuleDraft};
use risk::simulate::{Past, Report, Simulation};
use serde_json::Value;

use super::policy::compile;
use crate::screening::NotTaken;
use crate::storage::screening::{AssessmentRow, KeepRule, NextPolicy, NotKept, RuleRow, RuleStep};
use crate::storage::{StorageError, Store, data};

/// Movements that a simulation asks at most: the newest ones.
pub const MOST_SIMULATED: u64 = 50_000;

/// Movements that are taken from the store together.
const TOGETHER: u32 = 500;

/// Hits of a simulation that are named.
const NAMED: usize = 20;

/// Why a step of a rule is not taken. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The draft is not sound.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// It cannot take this step.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is none.
    #[error("there is no such rule in that version")]
    Unknown,
    /// There is one of that name.
    #[error("there is a rule {0} already: write a new version of it")]
    Named(String),
    /// A rule adds to a policy. A policy of one rule would let everything else go.
    #[error(
        "no policy is in force that the rule could be added to: put one into force first (`central risk policy`)"
    )]
    NoPolicy,
    /// A version that begins later would take the place of one that holds now.
    #[error("the version before it is in force and would end at once: let this one begin now")]
    Gap,
    /// The policy with it does not fit.
    #[error("the policy with this rule is not taken, the one in force goes on: {0}")]
    Policy(NotTaken),
    /// Somebody was faster, or the store fails.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl From<StorageError> for NotDone {
    fn from(error: StorageError) -> Self {
        Self::NotKept(error.into())
    }
}

/// Who does something, and when.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Who.
    pub by: OfficerId,
    /// When.
    pub at: UtcMillis,
}

/// A version of a rule as it was looked at: if it has changed since, nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Its name.
    pub rule: String,
    /// Its version.
    pub version: u32,
    /// How many steps it had taken.
    pub steps: i64,
}

impl Sight {
    async fn row(&self, store: &Store) -> Result<RuleRow, NotDone> {
        let row = store.rule(&self.rule, self.version).await?.ok_or(NotDone::Unknown)?;
        if row.steps == self.steps { Ok(row) } else { Err(NotKept::Changed.into()) }
    }
}

/// Write a new rule, or a new version of the one seen `before`; if nobody has approved that yet, it is written over. Gives its
/// version.
pub async fn write(
    store: &Store,
    draft: RuleDraft,
    before: Option<&Sight>,
    hand: Hand,
) -> Result<u32, NotDone> {
    let id = draft.rule.id.clone();
    let latest = store.latest_rule(&id).await?.map_or(0, |row| row.version());
    let over = match before {
        None if latest > 0 => return Err(NotDone::Named(id)),
        None => None,
        Some(sight) => {
            let row = sight.row(store).await?;
            if row.rule != id {
                return Err(NotDone::Unknown);
            }
            matches!(row.dossier()?.stage(), Stage::Draft | Stage::Simulated).then_some(row)
        }
    };
    let version = over.as_ref().map_or(latest + 1, RuleRow::version);
    let mut draft = draft;
    draft.rule.version = version;
    let checked = draft.check()?;
    let content = risk::Canonical::digest(checked.draft());
    let Hand { by, at } = hand;
    let (dossier, seen) = match over {
        Some(row) => (row.dossier()?.redraft(content, by.clone(), at)?, Some(row.steps)),
        None => (Dossier::draft(Matter::Rule { rule: id, version }, content, by.clone(), at)?, None),
    };
    let draft = checked.draft().clone();
    let step = RuleStep::Draft;
    store.change(KeepRule { draft, dossier, report: None, seen, step, policy: None, by, at }).await?;
    Ok(version)
}

/// The facts of an example: of a movement that was assessed, or of one that nothing is held against, with changes of them (a
/// JSON merge patch, RFC 7396).
pub fn example(base: &risk::Facts, changes: &str) -> Result<risk::Facts, String> {
    if changes.trim().is_empty() {
        return Ok(base.clone());
    }
    let changes: Value = serde_json::from_str(changes).map_err(|error| error.to_string())?;
    let mut facts = serde_json::to_value(base).map_err(|error| error.to_string())?;
    json_patch::merge(&mut facts, &changes);
    serde_path_to_error::deserialize(facts).map_err(|error| error.to_string())
}

/// What a simulation gave.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// It.
    pub report: Report,
    /// The newest movements that the rule would have hit.
    pub hits: Vec<String>,
}

/// Ask a sound draft of the movements that were assessed since a moment, as if it had been live; nothing is stored.
pub async fn dry_run(store: &Store, checked: Checked, since: UtcMillis) -> Result<Simulated, StorageError> {
    let asked = dry_runs(store, vec![checked], since, MOST_SIMULATED).await?;
    asked.into_iter().next().ok_or_else(|| data("nothing was simulated"))
}

/// The same of several, together: each movement is read once. At most `most` movements, the newest ones.
pub(super) async fn dry_runs(
    store: &Store,
    checked: Vec<Checked>,
    since: UtcMillis,
    most: u64,
) -> Result<Vec<Simulated>, StorageError> {
    let mut place = (i64::MAX, String::new());
    let mut asked = 0;
    let mut under_way: Vec<_> =
        checked.into_iter().map(|checked| (Simulation::new(checked), Vec::new())).collect();
    while asked < most {
        let rows = store.past_assessments(since, (place.0, &place.1), TOGETHER).await?;
        let Some(last) = rows.last() else { break };
        place = (last.at, last.movement.clone());
        asked += rows.len() as u64;
        let ids: Vec<String> = rows.iter().map(|row| row.movement.clone()).collect();
        let found: BTreeMap<String, bool> = store.outcomes(&ids).await?.into_iter().collect();
        let asking = move || ask(under_way, &rows, &found);
        under_way = tokio::task::spawn_blocking(asking).await.map_err(data)??;
    }
    let simulated = |(simulation, hits): Asked| Simulated { report: simulation.report(), hits };
    Ok(under_way.into_iter().map(simulated).collect())
}

/// A simulation under way, and the newest movements that it hit.
type Asked = (Simulation, Vec<String>);

fn ask(
    mut under_way: Vec<Asked>,
    rows: &[AssessmentRow],
    found: &BTreeMap<String, bool>,
) -> Result<Vec<Asked>, StorageError> {
    for row in rows {
        let decision = row.decision()?;
        // How long an inspection takes is not recorded.
        let outcome = found.get(&row.movement).map(|found| Outcome { found: *found, minutes: 0 });
        let past = Past { facts: &decision.facts, assessment: &decision.assessment, outcome };
        for (simulation, hits) in &mut under_way {
            if simulation.ask(&past) && hits.len() < NAMED {
                hits.push(row.movement.clone());
            }
        }
    }
    Ok(under_way)
}

/// Simulate a draft on the movements that were assessed since a moment, and keep the report with it.
pub async fn simulate(
    store: &Store,
    sight: &Sight,
    since: UtcMillis,
    hand: Hand,
) -> Result<Simulated, NotDone> {
    let row = sight.row(store).await?;
    let draft = row.draft()?;
    let simulated = dry_run(store, draft.clone().check()?, since).await?;
    let Hand { by, at } = hand;
    let dossier = row.dossier()?.simulate(&simulated.report, by.clone(), at)?;
    let report = Some(simulated.report.clone());
    let step = RuleStep::Simulate;
    store
        .change(KeepRule { draft, dossier, report, seen: Some(row.steps), step, policy: None, by, at })
        .await?;
    Ok(simulated)
}

/// Approve a rule that somebody else has written: it is in force from now on, or from its day.
pub async fn enforce(store: &Store, zone: &TimeZone, sight: &Sight, hand: Hand) -> Result<(), NotDone> {
    let row = sight.row(store).await?;
    let draft = row.draft()?;
    let Hand { by, at } = hand;
    let dossier = row.dossier()?;
    let put_by = dossier.steps().first().map_or_else(|| by.clone(), |step| step.by.clone());
    let rule = draft.rule.clone();
    let from = rule.from.max(at);
    let dossier = dossier.approve(by.clone(), at)?.enforce(from, rule.until, by.clone(), at)?;
    let with = |policy: &mut Policy| {
        match policy.rules.iter_mut().find(|known| known.id == rule.id) {
            // A policy has one version of a rule.
            Some(_) if rule.from > at => return Err(NotDone::Gap),
            Some(known) => *known = rule.clone(),
            None => policy.rules.push(rule.clone()),
        }
        Ok(())
    };
    let policy = Some(next_policy(store, zone, put_by, with).await?);
    let report = row.report()?;
    let step = RuleStep::Enforce;
    store.change(KeepRule { draft, dossier, report, seen: Some(row.steps), step, policy, by, at }).await?;
    Ok(())
}

/// Ask for a rule in force to be withdrawn, or, having thought about it, for it to stay.
pub async fn ask_withdrawal(
    store: &Store,
    sight: &Sight,
    why: Option<String>,
    hand: Hand,
) -> Result<(), NotDone> {
    let row = sight.row(store).await?;
    let Hand { by, at } = hand;
    let (dossier, step) = match why {
        Some(why) => (row.dossier()?.ask_withdrawal(why, by.clone(), at)?, RuleStep::AskWithdrawal),
        None => (row.dossier()?.keep(by.clone(), at)?, RuleStep::Keep),
    };
    let (draft, report) = (row.draft()?, row.report()?);
    store
        .change(KeepRule { draft, dossier, report, seen: Some(row.steps), step, policy: None, by, at })
        .await?;
    Ok(())
}

/// Withdraw a draft, or agree to the withdrawal of a rule in force.
pub async fn withdraw(store: &Store, zone: &TimeZone, sight: &Sight, hand: Hand) -> Result<(), NotDone> {
    let row = sight.row(store).await?;
    let Hand { by, at } = hand;
    let before = row.dossier()?;
    let asked = if let Stage::Leaving { asked, .. } = before.stage() { Some(asked) } else { None };
    let dossier = before.withdraw(by.clone(), at)?;
    let (draft, report) = (row.draft()?, row.report()?);
    let policy = match asked {
        None => None,
        Some(asked) => {
            let rule = &draft.rule;
            let without = |policy: &mut Policy| {
                policy.rules.retain(|known| (&known.id, known.version) != (&rule.id, rule.version));
                Ok(())
            };
            Some(next_policy(store, zone, asked, without).await?)
        }
    };
    let step = RuleStep::Withdraw;
    store.change(KeepRule { draft, dossier, report, seen: Some(row.steps), step, policy, by, at }).await?;
    Ok(())
}

/// The policy in force with something changed, proved to fit.
async fn next_policy(
    store: &Store,
    zone: &TimeZone,
    put_by: OfficerId,
    change: impl FnOnce(&mut Policy) -> Result<(), NotDone>,
) -> Result<NextPolicy, NotDone> {
    let base = store.policy_in_force().await?.ok_or(NotDone::NoPolicy)?;
    let mut policy = store.policy(base).await?.ok_or(NotDone::NoPolicy)?.policy()?;
    change(&mut policy)?;
    compile(store, zone, policy.clone()).await.map_err(NotDone::Policy)?;
    Ok(NextPolicy { base, policy, put_by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_a_movement_with_changes_and_says_what_does_not_fit() {
        let base = risk::example::facts();
        assert_eq!(example(&base, " ").unwrap(), base);
        let changed =
            example(&base, r#"{"arrival": "2026-11-27T03:00:00", "vehicle": {"mark": "AB1234"}}"#).unwrap();
        assert_eq!((changed.arrival.hour(), changed.vehicle.mark.as_str()), (3, "AB1234"));
        assert_eq!(changed.consignments, base.consignments);
        for (wrong, says) in
            [("{", "EOF"), (r#"{"vehicle": {"mark": 7}}"#, "vehicle.mark"), (r#"{"colour": 1}"#, "colour")]
        {
            let error = example(&base, wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
