//! Boosted trees and what each feature added to a score.
//!
//! Contributions are Shapley values of the path-dependent kind, exact: Lundberg, Erion, Lee, "Consistent individualized
//! feature attribution for tree ensembles" (2018), algorithm 2. A node's cover stands for how many declarations of the
//! training set came by it.

use std::ops::Range;

/// Greatest depth of a tree.
const MOST_DEPTH: usize = 24;

/// A question of a tree: is the feature below the threshold?
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: usize,
    pub(crate) threshold: f32,
    pub(crate) missing_is_yes: bool,
    pub(crate) yes: usize,
    pub(crate) no: usize,
}

impl Split {
    fn next(&self, features: &[f32]) -> (usize, usize) {
        let value = features.get(self.feature).copied().unwrap_or(f32::NAN);
        let yes = if value.is_nan() { self.missing_is_yes } else { value < self.threshold };
        if yes { (self.yes, self.no) } else { (self.no, self.yes) }
    }
}

/// A question or, without one, a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) split: Option<Split>,
    pub(crate) value: f64,
    pub(crate) cover: f64,
}

/// One tree; node 0 is its root.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// The whole model: a base and the sum of its trees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trees {
    pub(crate) members: Vec<Tree>,
    pub(crate) base: f64,
    pub(crate) features: usize,
}

/// A feature on the way from the root, and what the algorithm keeps of it: the share of the ways that go on when it is unknown
/// (`zero`), whether this one goes on when it is known (the algorithm's `one`, 1 or 0), and the weight of subsets of that size.
#[derive(Clone, Copy)]
struct Step {
    feature: usize,
    zero: f64,
    known: bool,
    weight: f64,
}

/// Steps of the longest way: the root's, and one for each question.
const MOST_STEPS: usize = MOST_DEPTH + 1;

/// At `[depth][i]`: (i + 1) / (depth + 1), and the other way round. The innermost loops would divide by them.
const PARTS: [[f64; MOST_STEPS]; MOST_STEPS] = ratios(false);
const TIMES: [[f64; MOST_STEPS]; MOST_STEPS] = ratios(true);

const fn ratios(inverse: bool) -> [[f64; MOST_STEPS]; MOST_STEPS] {
    let mut ratios = [[0.0; MOST_STEPS]; MOST_STEPS];
    let mut depth = 0;
    while depth < MOST_STEPS {
        let mut i = 0;
        while i < MOST_STEPS {
            let (part, whole) = ((i + 1) as f64, (depth + 1) as f64);
            ratios[depth][i] = if inverse { whole / part } else { part / whole };
            i += 1;
        }
        depth += 1;
    }
    ratios
}

impl Tree {
    /// Refuse what could loop, run out of the tree, or divide by nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut depth = vec![0_usize; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            if node.cover <= 0.0 {
                return Err(format!("node {at} of a tree has no cover; contributions need it"));
            }
            let Some(split) = node.split else { continue };
            for child in [split.yes, split.no] {
                if child <= at || child >= self.nodes.len() {
                    return Err(format!("node {at} of a tree goes on at {child}, which is not behind it"));
                }
                depth[child] = depth[at] + 1;
                if depth[child] > MOST_DEPTH {
                    return Err(format!("a tree is deeper than {MOST_DEPTH}"));
                }
            }
        }
        Ok(())
    }

    fn expected(&self, at: usize) -> f64 {
        let node = self.nodes[at];
        node.split.map_or(node.value, |s| {
            let (yes, no) = (self.nodes[s.yes].cover, self.nodes[s.no].cover);
            (self.expected(s.yes) * yes + self.expected(s.no) * no) / (yes + no)
        })
    }

    /// `ways` is a stack of ways, so that nothing is allocated for each node; the parent's lies at `parent` in it.
    fn explain(
        &self,
        at: usize,
        features: &[f32],
        ways: &mut Vec<Step>,
        parent: Range<usize>,
        step: Step,
        out: &mut [f64],
    ) {
        let start = ways.len();
        ways.extend_from_within(parent);
        extend(ways, start, step);
        let way = &ways[start..];
        if let Some(split) = self.nodes[at].split {
            let (hot, cold) = split.next(features);
            let (mut zero, mut known) = (1.0, true);
            // A feature that was asked before counts once, with both answers.
            if let Some(before) = (1..way.len()).find(|&i| way[i].feature == split.feature) {
                (zero, known) = (way[before].zero, way[before].known);
                unwind(ways, start, before);
            }
            let cover = self.nodes[split.yes].cover + self.nodes[split.no].cover;
            let own = start..ways.len();
            for (child, known) in [(hot, known), (cold, false)] {
                let zero = zero * self.nodes[child].cover / cover;
                let step = Step { feature: split.feature, zero, known, weight: 0.0 };
                self.explain(child, features, ways, own.clone(), step, out);
            }
        } else {
            give(way, self.nodes[at].value, out);
        }
        ways.truncate(start);
    }
}

/// Put a step at the end of the way that begins at `start` and ends the stack.
fn extend(ways: &mut Vec<Step>, start: usize, mut step: Step) {
    let length = ways.len() - start;
    step.weight = if length == 0 { 1.0 } else { 0.0 };
    ways.push(step);
    let (way, parts) = (&mut ways[start..], &PARTS[length]);
    for i in (0..length).rev() {
        if step.known {
            way[i + 1].weight += way[i].weight * parts[i];
        }
        way[i].weight *= step.zero * parts[length - i - 1];
    }
}

/// Take the step at `index` out of the way that begins at `start` and ends the stack.
fn unwind(ways: &mut Vec<Step>, start: usize, index: usize) {
    let way = &mut ways[start..];
    let depth = way.len() - 1;
    let (parts, times) = (&PARTS[depth], &TIMES[depth]);
    let Step { zero, known, .. } = way[index];
    let mut next = way[depth].weight;
    for i in (0..depth).rev() {
        if known {
            let kept = way[i].weight;
            way[i].weight = next * times[i];
            next = kept - way[i].weight * zero * parts[depth - i - 1];
        } else {
            way[i].weight *= times[depth - i - 1] / zero;
        }
    }
    for i in index..depth {
        way[i] = Step { weight: way[i].weight, ..way[i + 1] };
    }
    ways.pop();
}

/// Give each feature of a way to a leaf its part of the leaf's value: the sum of the weights that [`unwind`] would leave without it,
/// times `one - zero`. Where it is unknown that sum holds its `zero` as a divisor and nothing else of its own, so all of those get
/// the same; the others are summed side by side, as each sum waits for its own last step.
fn give(way: &[Step], value: f64, out: &mut [f64]) {
    let Some(depth) = way.len().checked_sub(1) else { return };
    let (parts, times) = (&PARTS[depth], &TIMES[depth]);
    let unknown: f64 = (0..depth).map(|i| way[i].weight * times[depth - i - 1]).sum();
    let (mut of, mut zeros) = ([0; MOST_STEPS], [0.0; MOST_STEPS]);
    let mut known = 0;
    for step in &way[1..] {
        if step.known {
            (of[known], zeros[known]) = (step.feature, step.zero);
            known += 1;
        } else {
            out[step.feature] -= unknown * value;
        }
    }
    let (mut next, mut sums) = ([way[depth].weight; MOST_STEPS], [0.0; MOST_STEPS]);
    for i in (0..depth).rev() {
        let (weight, part) = (way[i].weight, parts[depth - i - 1]);
        for ((next, sum), zero) in next.iter_mut().zip(&mut sums).zip(&zeros).take(known) {
            let kept = *next * times[i];
            *sum += kept;
            *next = weight - kept * zero * part;
        }
    }
    for ((feature, zero), sum) in of.iter().zip(&zeros).zip(&sums).take(known) {
        out[*feature] += sum * (1.0 - zero) * value;
    }
}

impl Trees {
    /// The margin for features: log-odds of fraud.
    #[cfg(test)]
    pub(crate) fn margin(&self, features: &[f32]) -> f64 {
        let leaf = |tree: &Tree| {
            let mut at = 0;
            while let Some(split) = tree.nodes[at].split {
                at = split.next(features).0;
            }
            tree.nodes[at].value
        };
        self.base + self.members.iter().map(leaf).sum::<f64>()
    }

    /// The margin of a declaration of which nothing is known.
    pub(crate) fn expected(&self) -> f64 {
        self.base + self.members.iter().map(|tree| tree.expected(0)).sum::<f64>()
    }

    /// What each feature adds to [`Self::expected`]; their sum with it is the margin.
    pub(crate) fn contributions(&self, features: &[f32]) -> Vec<f64> {
        let mut out = vec![0.0; self.features];
        let root = Step { feature: usize::MAX, zero: 1.0, known: true, weight: 0.0 };
        let mut ways = Vec::new();
        for tree in &self.members {
            tree.explain(0, features, &mut ways, 0..0, root, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FEATURES: usize = 4;

    /// A full tree of depth 3 whose features, thresholds, leaves and covers come from `draws`; features may repeat on a way.
    fn tree(draws: &[(usize, f32, f64, f64)]) -> Tree {
        let mut nodes: Vec<Node> = (0..15)
            .map(|at| {
                let (feature, threshold, value, cover) = draws[at];
                let split = (at < 7).then(|| Split {
                    feature,
                    threshold,
                    missing_is_yes: at % 2 == 0,
                    yes: 2 * at + 1,
                    no: 2 * at + 2,
                });
                Node { split, value, cover }
            })
            .collect();
        for at in (0..7).rev() {
            nodes[at].cover = nodes[2 * at + 1].cover + nodes[2 * at + 2].cover;
        }
        Tree { nodes }
    }

    /// The margin when only the features of `known` (bits) are known: an unknown question is answered by cover.
    fn partly(tree: &Tree, at: usize, features: &[f32], known: u32) -> f64 {
        let node = tree.nodes[at];
        let Some(split) = node.split else { return node.value };
        if known >> split.feature & 1 == 1 {
            return partly(tree, split.next(features).0, features, known);
        }
        let covers = (tree.nodes[split.yes].cover, tree.nodes[split.no].cover);
        (partly(tree, split.yes, features, known) * covers.0
            + partly(tree, split.no, features, known) * covers.1)
            / (covers.0 + covers.1)
    }

    /// Shapley values by their definition: the mean over all orders in which features become known.
    fn by_definition(tree: &Tree, features: &[f32]) -> [f64; FEATURES] {
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        std::array::from_fn(|feature| {
            (0..1_u32 << FEATURES)
                .filter(|known| known >> feature & 1 == 0)
                .map(|known| {
                    let size = known.count_ones() as usize;
                    let weight = factorial(size) * factorial(FEATURES - size - 1) / factorial(FEATURES);
                    let gain =
                        partly(tree, 0, features, known | 1 << feature) - partly(tree, 0, features, known);
                    weight * gain
                })
                .sum()
        })
    }

    proptest! {
        #[test]
        fn contributions_are_shapley_values_by_definition(
            draws in proptest::collection::vec((0..FEATURES, -1.0_f32..1.0, -3.0_f64..3.0, 1.0_f64..50.0), 15),
            features in proptest::collection::vec(prop_oneof![4 => -1.5_f32..1.5, 1 => Just(f32::NAN)], FEATURES),
        ) {
            let model = Trees { members: vec![tree(&draws)], base: 0.25, features: FEATURES };
            model.members[0].check().unwrap();
            let found = model.contributions(&features);
            for (a, b) in found.iter().zip(by_definition(&model.members[0], &features)) {
                prop_assert!((a - b).abs() < 1e-9, "{found:?}");
            }
            let sum = model.expected() + found.iter().sum::<f64>();
            prop_assert!((sum - model.margin(&features)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_tree_that_goes_in_a_circle_is_refused() {
        let split = Split { feature: 0, threshold: 0.0, missing_is_yes: true, yes: 0, no: 1 };
        let leaf = Node { split: None, value: 1.0, cover: 1.0 };
        let tree = Tree { nodes: vec![Node { split: Some(split), ..leaf }, leaf] };
        assert!(tree.check().unwrap_err().contains("not behind it"));
    }
}
