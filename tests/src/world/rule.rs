//! A rule that is added while trucks are on their way: one selector writes and simulates it, another puts it into force.

use std::time::Duration;

use anyhow::{Context as _, bail};
use central::clock::Clock;
use central::screening::rules::{self, Hand, Sight};
use central::screening::{approve, put_policy};
use central::storage::Store;
use clearance::ids::UtcMillis;
use risk::policy::{Policy, Rule};
use risk::rules::{RuleDraft, RuleExample};
use risk::{Measure, example};
use serde::Serialize;

use super::queue::Truck;
use super::site::{SCREENED_CARGO, Site};

/// Two selectors: who writes the rule, and who approves it.
pub const SELECTORS: [&str; 2] = ["lam", "ng"];

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RuleAdded {
    /// Its name.
    pub rule: &'static str,
    /// Its condition.
    pub condition: String,
    /// The truck that it hits.
    pub mark: &'static str,
    /// Its code before.
    pub before: String,
    /// Movements on which it was simulated, and how many of them it would have hit.
    pub simulated: (u64, u64),
    /// Its code afterwards.
    pub after: String,
}

/// Put a policy into force that releases everything, declare the truck, and add a rule that it is hit by.
pub async fn rule_added(site: &Site, truck: &Truck) -> anyhow::Result<RuleAdded> {
    for name in SELECTORS {
        site.officer(name, "selector")?;
    }
    let (config, store) = site.store().await?;
    let (zone, clock) = (config.place()?.zone, Clock::system());
    let hand = |name: &str| anyhow::Ok(Hand { by: name.parse()?, at: clock.now() });
    let version = put_policy(&store, &zone, Policy::default(), SELECTORS[0], clock.now()).await?;
    approve(&store, version, SELECTORS[1], clock.now()).await?;
    let movement = site.movement(truck).await?;
    let before = code(&store, &movement, None).await?;

    let name = "used-batteries";
    let condition = format!("consignments.exists(c, c.description.contains(\"{SCREENED_CARGO}\"))");
    let mut hit = example::facts();
    SCREENED_CARGO.clone_into(&mut hit.consignments[0].description);
    let of = |name: &str, holds, facts| RuleExample { name: name.to_owned(), holds, facts };
    let draft = RuleDraft {
        rule: Rule {
            id: name.to_owned(),
            version: 1,
            condition: condition.clone(),
            measure: Measure::Inspect,
            from: clock.now(),
            until: None,
        },
        purpose: "Waste was declared as used batteries last week.".to_owned(),
        examples: vec![of("batteries", true, hit), of("toys", false, example::facts())],
    };
    let version = rules::write(&store, draft, None, hand(SELECTORS[0])?).await?;
    let mut sight = Sight { rule: name.to_owned(), version, steps: 1 };
    let simulated = rules::simulate(&store, &sight, UtcMillis(0), hand(SELECTORS[0])?).await?.report;
    sight.steps += 1;
    rules::enforce(&store, &zone, &sight, hand(SELECTORS[1])?).await?;
    let after = code(&store, &movement, Some(&before)).await?;
    let simulated = (simulated.movements, simulated.hits);
    Ok(RuleAdded { rule: name, condition, mark: truck.mark, before, simulated, after })
}

/// The movement's code, when it has another one than before.
async fn code(store: &Store, movement: &str, before: Option<&str>) -> anyhow::Result<String> {
    let id = movement.parse()?;
    for _ in 0..600 {
        let row = store.movement(&id).await?.context("no movement")?;
        if let Some(code) = row.action.filter(|code| Some(code.as_str()) != before) {
            return Ok(code);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{movement}: screening gives it no other code than {before:?}")
}
