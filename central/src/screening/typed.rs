//! Rules that were typed into a policy: no dossier tells that anybody has simulated them, so what they would have done is told before
//! the policy comes into force.

use std::fmt;

use clearance::ids::UtcMillis;
use risk::policy::Rule;
use risk::rules::Checked;
use risk::simulate::Report;

use super::rules::{MOST_SIMULATED, dry_runs};
use crate::storage::{StorageError, Store, data};

/// Questions that are asked at most, one rule of one movement each: many rules are asked of fewer movements.
const MOST_ASKED: u64 = 5_000_000;

/// A rule that nobody has simulated, and what it would have done to what is kept.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The rule.
    pub rule: Rule,
    /// What it would have done.
    pub report: Report,
}

/// The rules of a version of the policy that came into it by no dossier and were not in force before, each with what it would have
/// done. None: there are no such rules, or there is no such version.
pub async fn typed(store: &Store, version: u32, now: UtcMillis) -> Result<Vec<Typed>, StorageError> {
    let rules = never_simulated(store, version, now).await?;
    let most = (MOST_ASKED / rules.len().max(1) as u64).clamp(1, MOST_SIMULATED);
    let checked: Result<_, _> = rules.iter().cloned().map(Checked::of_policy).collect();
    // Whatever is stored was compiled before.
    let simulated = dry_runs(store, checked.map_err(data)?, UtcMillis(0), most).await?;
    let one = |(rule, simulated): (Rule, super::rules::Simulated)| Typed { rule, report: simulated.report };
    Ok(rules.into_iter().zip(simulated).map(one).collect())
}

async fn never_simulated(store: &Store, version: u32, now: UtcMillis) -> Result<Vec<Rule>, StorageError> {
    let Some(row) = store.policy(version).await? else { return Ok(Vec::new()) };
    let before = store.current_policy().await?.map(|policy| policy.rules).unwrap_or_default();
    let mut rules = Vec::new();
    for rule in row.policy()?.rules {
        if before.contains(&rule) {
            continue;
        }
        let dossier = store.rule(&rule.id, rule.version).await?;
        let known = match dossier {
            Some(known) => known.draft()?.rule == rule && known.dossier()?.in_force(now),
            None => false,
        };
        if !known {
            rules.push(rule);
        }
    }
    Ok(rules)
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, report } = self;
        write!(f, "rule {} {} ({}): ", rule.id, rule.version, rule.measure.name())?;
        if report.movements == 0 {
            return write!(f, "nothing is kept that it could be asked of");
        }
        let (a_day, hundredths) =
            (report.hits_per_day_hundredths / 100, report.hits_per_day_hundredths % 100);
        write!(
            f,
            "of {} movements of {} days it would have hit {}",
            report.movements, report.days, report.hits
        )?;
        write!(f, " ({a_day}.{hundredths:02} a day), {} of them harder than was decided", report.stricter)?;
        let inspected = &report.inspected;
        write!(f, "; {} hits were inspected, {} with a find", inspected.inspected, inspected.found)?;
        if let Some(rate) = inspected.precision() {
            write!(f, " ({:.1}%)", rate.as_f64() * 100.0)?;
        }
        for (other, hits) in &report.overlap {
            write!(f, "; {hits} hits of {other} too")?;
        }
        if report.failures > 0 {
            write!(f, "; of {} it could not be told, they would be inspected", report.failures)?;
        }
        Ok(())
    }
}
