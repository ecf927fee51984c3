//! How good a ranking is: the area under its curve, and what is found where a share is inspected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Shares inspected that are reported.
pub const SHARES: [f64; 4] = [0.01, 0.02, 0.05, 0.10];

/// Area under the receiver operating curve, precision and recall by share inspected (`"0.05"`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Chance that a fraud ranks above what is none; ties count half.
    pub auc: f64,
    /// Share of frauds among those inspected.
    pub precision: BTreeMap<String, f64>,
    /// Share inspected of all frauds.
    pub recall: BTreeMap<String, f64>,
}

/// Figures of `(score, fraud)` in the order of arrival, which breaks ties. `None` unless both outcomes occur and all scores are
/// numbers.
pub fn figures(scored: &[(f32, bool)]) -> Option<Figures> {
    let frauds = scored.iter().filter(|s| s.1).count();
    if frauds == 0 || frauds == scored.len() || scored.iter().any(|s| s.0.is_nan()) {
        return None;
    }
    let mut ranked = scored.to_vec();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut precision, mut recall) = (BTreeMap::new(), BTreeMap::new());
    for share in SHARES {
        let inspected = ((scored.len() as f64 * share + 0.5) as usize).max(1);
        let found = ranked.iter().take(inspected).filter(|s| s.1).count() as f64;
        precision.insert(format!("{share:.2}"), found / inspected as f64);
        recall.insert(format!("{share:.2}"), found / frauds as f64);
    }
    // Mann-Whitney: pairs won, walking down the ranks in groups of equal scores.
    let (mut won, mut above) = (0.0, 0.0);
    for group in ranked.chunk_by(|a, b| a.0 == b.0) {
        let bad = group.iter().filter(|s| s.1).count() as f64;
        let good = group.len() as f64 - bad;
        won += good * (above + bad / 2.0);
        above += bad;
    }
    let pairs = frauds as f64 * (scored.len() - frauds) as f64;
    Some(Figures { auc: won / pairs, precision, recall })
}

/// How a figure stands beside the peer's: no figure may fall below it, and where [`MUST_LEAD`] is inspected ours must be above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether that is so.
    pub kept: bool,
    /// Whether both reach the most that any ranking can: neither can be above.
    pub ceiling: bool,
}

/// The share inspected at which precision and recall must be above the peer's.
pub const MUST_LEAD: &str = "0.05";

/// How far two computations of the same figure may be apart.
const SAME: f64 = 1e-9;

/// Judge one figure of a ranking. `best`: the same figure of the ranking by what came out; `leads`: whether it must be above the peer's.
pub fn verdict(ours: f64, peer: f64, best: f64, leads: bool) -> Verdict {
    let ceiling = ours >= best - SAME && peer >= best - SAME;
    let kept = if leads { ceiling || ours > peer + SAME } else { ours >= peer - SAME };
    Verdict { kept, ceiling }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_and_half_for_ties() {
        let area = |scored: &[(f32, bool)]| figures(scored).unwrap().auc;
        assert_eq!(area(&[(0.9, true), (0.1, false)]), 1.0);
        assert_eq!(area(&[(0.1, true), (0.9, false)]), 0.0);
        assert_eq!(area(&[(0.5, true), (0.5, false)]), 0.5);
        assert_eq!(area(&[(0.9, true), (0.5, false), (0.5, true), (0.1, false)]), 0.875);
        assert_eq!(figures(&[(0.5, true)]), None);
    }

    #[test]
    fn a_share_is_inspected_from_the_top() {
        let scored: Vec<(f32, bool)> = (0..100).map(|i| (i as f32, i % 2 == 0 || i > 97)).collect();
        let found = figures(&scored).unwrap();
        assert_eq!(found.precision["0.01"], 1.0);
        assert_eq!(found.precision["0.10"], 0.6);
        assert_eq!(found.recall["0.02"], 2.0 / 51.0);
    }

    #[test]
    fn no_figure_may_fall_below_the_peer_and_where_it_must_lead_it_is_above_unless_both_are_at_the_ceiling() {
        let judged = |ours, peer, best, leads| {
            let Verdict { kept, ceiling } = verdict(ours, peer, best, leads);
            (kept, ceiling)
        };
        assert_eq!(judged(0.97, 0.96, 1.0, false), (true, false));
        assert_eq!(judged(0.96, 0.96, 1.0, false), (true, false));
        assert_eq!(judged(0.95, 0.96, 1.0, false), (false, false));
        assert_eq!(judged(0.96, 0.96, 1.0, true), (false, false));
        assert_eq!(judged(0.97, 0.96, 1.0, true), (true, false));
        assert_eq!(judged(1.0, 1.0, 1.0, true), (true, true));
        assert_eq!(judged(0.99, 1.0, 1.0, true), (false, false));
        // A fifth of all are frauds: of these, whoever inspects 5 % cannot find more than a quarter.
        assert_eq!(judged(0.25, 0.25, 0.25, true), (true, true));
    }
}
