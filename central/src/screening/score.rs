//! The score of a movement: of its consignments the one that looks worst.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clearance::ids::Digest;
use hashlink::LruCache;
use jiff::tz::TimeZone;
use risk::ScoreRead;
use risk::facts::Facts;
use risk::score::movement::{MOST_CONTRIBUTIONS, worst};
use risk::score::watch::Histogram;
use risk::score::{Ground, Score, ScoreError, Scorer};

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
        let Some(worst) = worst(&mut scorer, facts, zone)? else { return Ok(None) };
        Ok(worst.read(self.digest, &self.explain(&scorer, &worst.score)))
    }

    /// What moved a score most.
    fn explain(&self, scorer: &Scorer, score: &Score) -> Arc<[(Ground, f64)]> {
        let seen: Box<[u32]> = score.features.iter().map(|value| value.to_bits()).collect();
        let mut explained = self.explained.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = explained.get(&seen) {
            return Arc::clone(known);
        }
        let grounds: Arc<[_]> = scorer.explain(score).grounds.into_iter().take(MOST_CONTRIBUTIONS).collect();
        explained.insert(seen, Arc::clone(&grounds));
        grounds
    }
}
