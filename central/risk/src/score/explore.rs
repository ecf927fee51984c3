//! Whom to inspect: mostly whom the model is surest of, some to learn from, some by chance.
//!
//! Only what is inspected is learnt. A model that only ever sees its own choice goes blind where fraud moves to, and cannot be
//! measured: the random stratum is drawn from everybody before anything else, so it is the set that measures without bias.
//! As drift rises, a larger part explores.

use serde::{Deserialize, Serialize};

use super::watch::{MUCH_DRIFT, SOME_DRIFT};

/// Why a declaration was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    /// Drawn from everybody: measures without bias.
    Random,
    /// The model is sure of it.
    Exploit,
    /// The model hopes most of it among what it knows little of.
    Explore,
}

/// Shares of the budget; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Of [`Stratum::Random`].
    pub random: f64,
    /// Of [`Stratum::Explore`].
    pub explore: f64,
}

/// Without drift, and with much of it (chosen on the stream of `riskmodel.stream`).
const CALM: Mix = Mix { random: 0.05, explore: 0.05 };
const SHIFTED: Mix = Mix { random: 0.40, explore: 0.30 };

impl Mix {
    /// The mix for a measured drift, the greater of the score's stability index and of
    /// [`surprise`](super::watch::surprise): the calm one up to some drift, the other from much drift on,
    /// straight between. An index that is no number counts as much drift.
    pub fn for_drift(index: f64) -> Self {
        Self::between(CALM, SHIFTED, index)
    }

    /// The same between two mixes of one's own.
    pub fn between(calm: Self, shifted: Self, index: f64) -> Self {
        let part = if index.is_nan() {
            1.0
        } else {
            ((index - SOME_DRIFT) / (MUCH_DRIFT - SOME_DRIFT)).clamp(0.0, 1.0)
        };
        let between = |calm: f64, shifted: f64| calm + (shifted - calm) * part;
        Self { random: between(calm.random, shifted.random), explore: between(calm.explore, shifted.explore) }
    }
}

/// Whether drift is such that outcomes of before it teach what is no longer so: the next model is to be trained on what was found
/// since.
pub fn outdates(index: f64) -> bool {
    index.is_nan() || index >= MUCH_DRIFT
}

/// What is needed of a declaration to choose it or not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Calibrated chance of fraud.
    pub probability: f64,
    /// 1 where nothing like it is known, to 0 where much is.
    pub novelty: f64,
    /// Drawn evenly from 0 to 1 for this declaration, by whoever calls.
    pub draw: f64,
}

/// Choose `budget` of the candidates: `(index, why)`, each at most once, in a fixed order for given candidates and draws. The random
/// stratum takes the smallest draws of all; of the rest, the surest are exploited and the most hopeful explored.
pub fn choose(candidates: &[Candidate], budget: usize, mix: Mix) -> Vec<(usize, Stratum)> {
    let budget = budget.min(candidates.len());
    let of_budget = |share: f64| (budget as f64 * share).round() as usize;
    let random = of_budget(mix.random).min(budget);
    let explore = of_budget(mix.explore).min(budget - random);
    let mut left: Vec<usize> = (0..candidates.len()).collect();
    let mut chosen = Vec::with_capacity(budget);
    let mut take = |count: usize, stratum: Stratum, key: &dyn Fn(&Candidate) -> f64| {
        left.sort_by(|&a, &b| key(&candidates[b]).total_cmp(&key(&candidates[a])).then(a.cmp(&b)));
        chosen.extend(left.drain(..count).map(|at| (at, stratum)));
    };
    take(random, Stratum::Random, &|c| -c.draw);
    take(budget - random - explore, Stratum::Exploit, &|c| c.probability);
    take(explore, Stratum::Explore, &|c| hope(c.probability, c.novelty));
    chosen
}

/// Its chance, and one standard deviation of its outcome more where nothing like it is known: an upper confidence bound
/// (Auer, Cesa-Bianchi, Fischer, 2002). What may well be a fraud and is new teaches most for what it costs.
///
/// `novelty`: 1 where nothing like it is known, to 0 where much is.
pub fn hope(probability: f64, novelty: f64) -> f64 {
    let p = probability.clamp(0.0, 1.0);
    p + (p * (1.0 - p)).sqrt() * novelty.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64)
            .prop_map(|(probability, novelty, draw)| Candidate { probability, novelty, draw });
        proptest::collection::vec(one, 0..200)
    }

    proptest! {
        #[test]
        fn the_budget_is_kept_and_nobody_is_chosen_twice(all in candidates(), budget in 0_usize..250, drift in 0.0..1.0_f64) {
            let mut chosen = choose(&all, budget, Mix::for_drift(drift));
            prop_assert_eq!(chosen.len(), budget.min(all.len()));
            prop_assert_eq!(&chosen, &choose(&all, budget, Mix::for_drift(drift)));
            chosen.sort_by_key(|c| c.0);
            prop_assert!(chosen.windows(2).all(|w| w[0].0 < w[1].0));
        }

        #[test]
        fn the_random_stratum_knows_nothing_of_the_score(all in candidates(), budget in 1_usize..100) {
            let mix = Mix { random: 0.5, explore: 0.1 };
            let random = |all: &[Candidate]| -> Vec<usize> {
                choose(all, budget, mix).into_iter().filter(|c| c.1 == Stratum::Random).map(|c| c.0).collect()
            };
            let turned: Vec<Candidate> = all.iter().map(|c| Candidate { probability: 1.0 - c.probability, ..*c }).collect();
            prop_assert_eq!(random(&all), random(&turned));
        }
    }

    /// The stream that the shares were chosen on is simulated in Python: it must choose as this does.
    #[test]
    fn choices_are_those_of_the_simulated_stream() {
        #[derive(serde::Deserialize)]
        struct Case {
            drift: f64,
            budget: usize,
            candidates: Vec<Candidate>,
            chosen: Vec<(usize, Stratum)>,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../golden/explore.json")).unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            assert_eq!(choose(&case.candidates, case.budget, Mix::for_drift(case.drift)), case.chosen);
        }
    }

    #[test]
    fn exploring_rises_with_drift_and_stops_rising() {
        let shares: Vec<f64> = [0.0, 0.1, 0.15, 0.2, 0.25, 9.0, f64::NAN]
            .iter()
            .map(|&index| Mix::for_drift(index))
            .map(|mix| mix.random + mix.explore)
            .collect();
        assert!(shares.windows(2).all(|w| w[0] <= w[1]), "{shares:?}");
        assert!(!outdates(0.2) && outdates(0.25) && outdates(f64::NAN));
        assert!(shares[0] < shares[3] && (shares[4] - shares[6]).abs() < 1e-12);
    }
}
