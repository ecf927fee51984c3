//! Bringing the read of one frame into the positions of another: a reader that missed or invented a character has
//! all later ones a place off, and blending those place by place would make a third mark of two.

use clearance::mark::{CLASSES, MAX_CHARACTERS};
use clearance::read::CharacterDistribution;

/// One distribution for each position.
pub(super) type Row = [CharacterDistribution; MAX_CHARACTERS];

/// Most characters missed, invented or misread in one frame of another length for it to count as a read of the same
/// text (choice).
const MOST_EDITS: usize = 2;

/// What a missed character costs in the alignment; a wrong one costs up to 1.
const GAP: f32 = 0.7;

/// Classes of the characters that are likeliest, the empty positions left out.
pub(super) fn spelling(row: &Row) -> Vec<usize> {
    row.iter().map(likeliest).filter(|class| *class != 0).collect()
}

/// `row` in the positions of `anchor`; `None` when it is too different to be a read of the same text.
pub(super) fn onto(anchor: &[usize], row: &Row) -> Option<Row> {
    let own = spelling(row);
    if own.len() == anchor.len() {
        return Some(compact(row));
    }
    if anchor.is_empty() || own.len().abs_diff(anchor.len()) > MOST_EDITS || own.len() < 2 {
        return None;
    }
    let written: Vec<_> = row.iter().filter(|p| likeliest(p) != 0).copied().collect();
    let mut aligned = [surely_empty(); MAX_CHARACTERS];
    let matches = matching(anchor, &written);
    if edits(anchor, &written, &matches) > MOST_EDITS {
        return None;
    }
    for (position, found) in aligned.iter_mut().zip(&matches) {
        *position = found.and_then(|i| written.get(i)).copied().unwrap_or_else(perhaps_empty);
    }
    Some(aligned)
}

/// Characters to the front, in order, empty positions behind them, each with its own distribution.
fn compact(row: &Row) -> Row {
    let (written, empty): (Vec<CharacterDistribution>, Vec<_>) =
        row.iter().copied().partition(|p| likeliest(p) != 0);
    let mut out = *row;
    for (slot, position) in out.iter_mut().zip(written.into_iter().chain(empty)) {
        *slot = position;
    }
    out
}

/// For each character of `anchor`, which of `written` it is: edit alignment (Needleman & Wunsch 1970) in which a
/// pair costs what the distribution leaves to other characters.
fn matching(anchor: &[usize], written: &[CharacterDistribution]) -> Vec<Option<usize>> {
    let (rows, columns) = (anchor.len() + 1, written.len() + 1);
    let mut cost = vec![vec![0.0f32; columns]; rows];
    let pair = |i: usize, j: usize| 1.0 - written[j][anchor[i]];
    for (i, row) in cost.iter_mut().enumerate() {
        row[0] = i as f32 * GAP;
    }
    for (j, cell) in cost[0].iter_mut().enumerate() {
        *cell = j as f32 * GAP;
    }
    for i in 1..rows {
        for j in 1..columns {
            let gap = cost[i - 1][j].min(cost[i][j - 1]) + GAP;
            cost[i][j] = gap.min(cost[i - 1][j - 1] + pair(i - 1, j - 1));
        }
    }
    let mut found = vec![None; anchor.len()];
    let (mut i, mut j) = (anchor.len(), written.len());
    while i > 0 && j > 0 {
        if cost[i][j] >= cost[i - 1][j - 1] + pair(i - 1, j - 1) {
            (i, j) = (i - 1, j - 1);
            found[i] = Some(j);
        } else if cost[i][j] >= cost[i - 1][j] + GAP {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found
}

/// Characters missed, invented, and paired but read as something else.
fn edits(anchor: &[usize], written: &[CharacterDistribution], matches: &[Option<usize>]) -> usize {
    let paired = matches.iter().flatten().count();
    let misread = anchor
        .iter()
        .zip(matches)
        .filter_map(|(class, found)| Some((class, written.get((*found)?)?)))
        .filter(|(class, position)| likeliest(position) != **class)
        .count();
    anchor.len() + written.len() - 2 * paired + misread
}

fn likeliest(position: &CharacterDistribution) -> usize {
    let better = |best: (usize, f32), (i, p): (usize, f32)| if p > best.1 { (i, p) } else { best };
    position.iter().copied().enumerate().fold((0, f32::MIN), better).0
}

fn surely_empty() -> CharacterDistribution {
    let mut position = [0.0; CLASSES];
    position[0] = 1.0;
    position
}

/// A character that this frame did not see: it may not be there, or it may be any.
fn perhaps_empty() -> CharacterDistribution {
    let mut position = [0.5 / (CLASSES - 1) as f32; CLASSES];
    position[0] = 0.5;
    position
}

#[cfg(test)]
mod tests {
    use super::super::fuse::tests::row;
    use super::*;

    #[test]
    fn a_missed_character_leaves_the_others_in_place() {
        let anchor = spelling(&row("AB1234", 0.95));
        let aligned = onto(&anchor, &row("AB134", 0.95)).unwrap();
        assert_eq!(aligned[3][anchor[3]], row("3", 0.95)[0][anchor[3]].max(aligned[3][anchor[3]]));
        for i in [0, 1, 2, 4, 5] {
            assert!(aligned[i][anchor[i]] > 0.9, "position {i}");
        }
    }

    #[test]
    fn an_invented_character_is_left_out() {
        let anchor = spelling(&row("AB1234", 0.95));
        let aligned = onto(&anchor, &row("AB11234", 0.95)).unwrap();
        assert_eq!(spelling(&aligned), anchor);
    }

    #[test]
    fn another_text_is_no_read_of_this_one() {
        assert!(onto(&spelling(&row("AB1234", 0.95)), &row("XY9", 0.95)).is_none());
        assert!(onto(&spelling(&row("AB1234", 0.95)), &row("XYZ98", 0.95)).is_none());
        assert!(onto(&[], &row("AB", 0.9)).is_none());
    }

    #[test]
    fn a_hole_in_the_middle_is_closed() {
        let mut holed = row("AB12", 0.9);
        holed.swap(2, 4);
        assert_eq!(spelling(&onto(&spelling(&row("AB21", 0.9)), &holed).unwrap()).len(), 4);
    }
}
