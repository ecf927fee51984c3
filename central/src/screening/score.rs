//! The score of a movement: of its consignments the one that looks worst.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clearance::ids::Digest;
use hashlink::LruCache;
use jiff::tz::TimeZone;
use risk::facts::{Consignment, Facts, Party};
use risk::score::explore::hope;
use risk::score::watch::Histogram;
use risk::score::{Declaration, Ground, Score, ScoreError, Scorer};
use risk::{Contribution, LogOdds, Probability, ScoreRead};

use crate::trade::consignment::fold;

/// As many contributions as are kept with a decision.
const MOST: usize = 8;

/// As many declarations as it is kept of what explains their scores: what a busy place has open. When a rule changes all of it is
/// assessed again, and to explain a score takes longer than everything else that is asked of a movement.
const EXPLAINED: usize = 131_072;

/// What moved a score most, by what the model saw, to the bit: the same is explained the same.
type Explained = LruCache<Box<[u32]>, Arc<[(Ground, f64)]>>;

/// The model that scores, on whichever thread asks.
pub(super) struct Model {
    scorer: Mutex<Scorer>,
    explained: Mutex<Explained>,
    digest: Digest,
}

impl Model {
    /// Load a bundle; it is proved when this returns.
    pub(super) fn load(folder: &Path) -> Result<Self, ScoreError> {
        let scorer = Scorer::load(folder)?;
        let explained = Mutex::new(LruCache::new(EXPLAINED));
        Ok(Self { digest: scorer.digest(), scorer: Mutex::new(scorer), explained })
    }

    /// SHA-256 that a policy names the model by.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// The scores of the time that it was trained on, which drift is measured against.
    pub(super) fn reference(&self) -> Histogram {
        let scorer = self.scorer.lock().unwrap_or_else(PoisonError::into_inner);
        scorer.reference().1.clone()
    }

    /// Score a movement; `None` if it carries nothing that could be scored. `zone`: where days begin and end.
    pub(super) fn read(&self, facts: &Facts, zone: &TimeZone) -> Result<Option<ScoreRead>, ScoreError> {
        let mut scorer = self.scorer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worst: Option<(Score, &Consignment)> = None;
        let mut most: Option<Probability> = None;
        for consignment in &facts.consignments {
            let score = scorer.score(&declaration(facts, consignment, zone))?;
            let hoped = scorer.novelty(&score).map(|novelty| hope(score.probability, novelty));
            most = most.max(hoped.and_then(Probability::nearest));
            if worst.as_ref().is_none_or(|(known, _)| score.margin > known.margin) {
                worst = Some((score, consignment));
            }
        }
        let Some((score, consignment)) = worst else { return Ok(None) };
        let Some(value) = Probability::nearest(score.probability) else { return Ok(None) };
        let contributions = self
            .explain(&scorer, &score)
            .iter()
            .map(|&(ground, weight)| {
                let feature = format!("{ground:?}").to_lowercase();
                Contribution { feature, value: consignment.ccrn.clone(), weight: LogOdds::nearest(weight) }
            })
            .collect();
        Ok(Some(ScoreRead { value, model: self.digest, hope: most, contributions }))
    }

    /// What moved a score most.
    fn explain(&self, scorer: &Scorer, score: &Score) -> Arc<[(Ground, f64)]> {
        let seen: Box<[u32]> = score.features.iter().map(|value| value.to_bits()).collect();
        let mut explained = self.explained.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = explained.get(&seen) {
            return Arc::clone(known);
        }
        let grounds: Arc<[_]> = scorer.explain(score).grounds.into_iter().take(MOST).collect();
        explained.insert(seen, Arc::clone(&grounds));
        grounds
    }
}

/// A consignment as the model knows declarations. What is not declared here is unknown to it.
fn declaration(facts: &Facts, consignment: &Consignment, zone: &TimeZone) -> Declaration {
    let name = |party: &Party| fold(&party.name);
    let first = consignment.goods.first();
    let code = consignment.hs_code.as_ref().or_else(|| first.and_then(|line| line.hs_code.as_ref()));
    let origin = consignment.origin.as_ref().or_else(|| first.and_then(|line| line.origin.as_ref()));
    let lodged = jiff::Timestamp::from_millisecond(facts.lodged.0).ok();
    Declaration {
        office: facts.control_point.to_string(),
        declarant: consignment.shipper.as_ref().map(name).unwrap_or_default(),
        importer: name(&consignment.consignee),
        seller: name(&consignment.consignor),
        courier: facts.carrier.as_ref().map(name).unwrap_or_default(),
        hs6: code.map(|code| code.chars().take(6).collect()).unwrap_or_default(),
        origin: origin.cloned().unwrap_or_default(),
        net_mass: consignment.net_weight_kg.map(|kilograms| kilograms as f64),
        item_price: consignment.value_hkd.map(|hkd| hkd as f64),
        date: lodged.map(|at| zone.to_datetime(at).date()),
        ..Declaration::default()
    }
}
