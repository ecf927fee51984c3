//! Which characters are taken for which, counted over misreads whose characters are laid beside the label's.

use std::collections::BTreeMap;

use serde::Serialize;

use super::scoring::Verdict;
use super::spelling::normal;

/// Stands for "no character": a character missed, or read where there is none.
pub const NOTHING: char = '∅';

/// How often a label's character was read as another. Right reads are counted too: they are the diagonal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confusions {
    counts: BTreeMap<(char, char), usize>,
}

/// One cell off the diagonal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// What the label says.
    pub label: char,
    /// What was read.
    pub read: char,
    /// How often.
    pub count: usize,
}

impl Confusions {
    /// Count over all plates that were read. A misread that shares less than half of the label's characters is about
    /// something else on the vehicle and would only scatter over the table; it is left out.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict<'a>>) -> Self {
        let mut confusions = Self::default();
        for verdict in verdicts {
            let Some(detection) = verdict.detection else { continue };
            let pairs = align(&normal(&verdict.label.text), &normal(&detection.mark));
            if 2 * pairs.iter().filter(|(a, b)| a == b).count() < normal(&verdict.label.text).chars().count()
            {
                continue;
            }
            for pair in pairs {
                *confusions.counts.entry(pair).or_default() += 1;
            }
        }
        confusions
    }

    /// The `n` most frequent confusions.
    pub fn top(&self, n: usize) -> Vec<Confusion> {
        let mut cells: Vec<_> = self
            .counts
            .iter()
            .filter(|((label, read), _)| label != read)
            .map(|(&(label, read), &count)| Confusion { label, read, count })
            .collect();
        cells.sort_by_key(|c| std::cmp::Reverse(c.count));
        cells.truncate(n);
        cells
    }

    /// How often `label` was read as `read`.
    pub fn count(&self, label: char, read: char) -> usize {
        self.counts.get(&(label, read)).copied().unwrap_or(0)
    }

    /// The characters that were ever confused, in order.
    pub fn characters(&self) -> Vec<char> {
        let mut seen: Vec<char> =
            self.counts.keys().filter(|(a, b)| a != b).flat_map(|&(a, b)| [a, b]).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }
}

/// Two texts side by side with the fewest changes (Levenshtein): pairs of characters, [`NOTHING`] where one has none.
pub fn align(label: &str, read: &str) -> Vec<(char, char)> {
    let (a, b): (Vec<char>, Vec<char>) = (label.chars().collect(), read.chars().collect());
    let mut cost = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            cost[i][j] = match (i, j) {
                (0, j) => j,
                (i, 0) => i,
                (i, j) => (cost[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                    .min(cost[i - 1][j] + 1)
                    .min(cost[i][j - 1] + 1),
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut pairs = Vec::with_capacity(i.max(j));
    while i > 0 || j > 0 {
        if i > 0 && j > 0 && cost[i][j] == cost[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]) {
            (i, j) = (i - 1, j - 1);
            pairs.push((a[i], b[j]));
        } else if i > 0 && cost[i][j] == cost[i - 1][j] + 1 {
            i -= 1;
            pairs.push((a[i], NOTHING));
        } else {
            j -= 1;
            pairs.push((NOTHING, b[j]));
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_an_extra_character_are_told_apart() {
        assert_eq!(align("AB12", "A812"), [('A', 'A'), ('B', '8'), ('1', '1'), ('2', '2')]);
        assert_eq!(align("AB12", "AB2"), [('A', 'A'), ('B', 'B'), ('1', NOTHING), ('2', '2')]);
        assert_eq!(align("B1", "XB1"), [(NOTHING, 'X'), ('B', 'B'), ('1', '1')]);
        assert_eq!(align("", ""), []);
        assert_eq!(align("港", ""), [('港', NOTHING)]);
    }
}
