//! Where a read was lost on the way from the picture to the mark: what limits a figure, and so what to mend.

use serde::Serialize;

use super::scoring::Verdict;
use super::spelling::normal;

/// Plates of a group by what became of them; the parts sum up to the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Causes {
    /// Measured plates.
    pub plates: usize,
    /// Read exactly.
    pub exact: usize,
    /// Nothing was found there, or nothing that says enough to be a plate.
    pub not_found: usize,
    /// Misread where it was found, and right with the labelled corners: the corners were off.
    pub corners: usize,
    /// Misread with the labelled corners, too: the reader, the picture, or the label.
    pub reader: usize,
}

impl Causes {
    /// Sort the verdicts of a group; `at_label` gives what our reader makes of a plate at its labelled corners.
    pub fn of<'a>(verdicts: &[&'a Verdict<'a>], at_label: impl Fn(&Verdict<'a>) -> Option<&'a str>) -> Self {
        let mut causes = Self { plates: verdicts.len(), ..Self::default() };
        for verdict in verdicts {
            let right_there =
                || at_label(verdict).is_some_and(|read| normal(read) == normal(&verdict.label.text));
            let cause = if verdict.exact {
                &mut causes.exact
            } else if verdict.detection.is_none() {
                &mut causes.not_found
            } else if right_there() {
                &mut causes.corners
            } else {
                &mut causes.reader
            };
            *cause += 1;
        }
        causes
    }
}

#[cfg(test)]
mod tests {
    use super::super::reads::Detection;
    use super::super::scoring::tests::label;
    use super::*;

    #[test]
    fn every_plate_has_one_cause() {
        let label = label("AB10", 0.0, "HK");
        let misread =
            Detection { mark: "AB18".to_owned(), confidence: 0.9, corners: label.corners, read: None };
        let verdict =
            |picture, detection, exact| Verdict { picture, label: &label, found: true, detection, exact };
        let verdicts = [
            verdict(0, None, true),
            verdict(1, None, false),
            verdict(2, Some(&misread), false),
            verdict(3, Some(&misread), false),
        ];
        let all: Vec<_> = verdicts.iter().collect();
        let causes = Causes::of(&all, |v| Some(if v.picture == 2 { "AB 1O" } else { "AB18" }));
        assert_eq!(causes, Causes { plates: 4, exact: 1, not_found: 1, corners: 1, reader: 1 });
    }
}
