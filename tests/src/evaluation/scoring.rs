//! Which label a read belongs to and whether it is right: the rules of `score_plates.py`, so that both give the same
//! figures for the same reads.

use clearance::geometry::Quad;

use super::labels::{Label, LabelledSet};
use super::reads::{Detection, PictureReads, Reads};
use super::spelling::normal;

/// From this overlap (intersection over union of axis-aligned boxes) on, a plate counts as found.
const FOUND: f32 = 0.5;

/// From this overlap on, what is found is about this label: its read counts, and it is not spurious.
const ABOUT: f32 = 0.2;

/// One measured plate and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// Index of the picture in the set.
    pub picture: usize,
    /// The label.
    pub label: &'a Label,
    /// Whether it was found.
    pub found: bool,
    /// The read that is about it.
    pub detection: Option<&'a Detection>,
    /// Whether the read is the label's text.
    pub exact: bool,
}

impl Verdict<'_> {
    /// The read's confidence; `None` where there is no read.
    pub fn confidence(&self) -> Option<f64> {
        self.detection.map(|d| f64::from(d.confidence))
    }
}

/// Something taken for a plate that no label accounts for.
#[derive(Clone, Copy, Debug)]
pub struct Spurious<'a> {
    /// Index of the picture in the set.
    pub picture: usize,
    /// What was found.
    pub detection: &'a Detection,
}

/// A set's reads, judged.
#[derive(Clone, Debug, Default)]
pub struct Scored<'a> {
    /// A verdict for each measured label, in the order of the set.
    pub verdicts: Vec<Verdict<'a>>,
    /// What no label accounts for.
    pub spurious: Vec<Spurious<'a>>,
}

/// Judge `reads` of a set.
pub fn score<'a>(set: &'a LabelledSet, reads: &'a Reads) -> Scored<'a> {
    let mut scored = Scored::default();
    for (picture, labelled) in set.pictures.iter().enumerate() {
        let plates = reads.get(&labelled.name).map_or(&[][..], |r: &PictureReads| r.plates.as_slice());
        let mut taken = vec![false; plates.len()];
        for label in &labelled.labels {
            let best = best_overlap(label, plates);
            let about = best.filter(|(overlap, _)| *overlap >= ABOUT);
            if let Some((_, place)) = about {
                taken[place] = true;
            }
            if !label.is_measured() {
                continue;
            }
            let detection = about.map(|(_, place)| &plates[place]);
            scored.verdicts.push(Verdict {
                picture,
                label,
                found: best.is_some_and(|(overlap, _)| overlap >= FOUND),
                detection,
                exact: detection.is_some_and(|d| normal(&d.mark) == normal(&label.text)),
            });
        }
        let alone = plates.iter().zip(taken).filter(|(_, taken)| !taken);
        scored.spurious.extend(alone.map(|(detection, _)| Spurious { picture, detection }));
    }
    scored
}

/// The plate that covers a label best: its overlap and its place; of equal ones the last.
fn best_overlap(label: &Label, plates: &[Detection]) -> Option<(f32, usize)> {
    let overlap = |q: &Quad| q.bounds().iou(&label.bounds);
    plates
        .iter()
        .enumerate()
        .map(|(place, p)| (overlap(&p.corners), place))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
}

#[cfg(test)]
pub(crate) mod tests {
    use clearance::geometry::Bounds;

    use super::super::labels::Picture;
    use super::super::reads::from_line;
    use super::*;

    pub(crate) fn label(text: &str, x: f32, country: &str) -> Label {
        let corners = Quad::rectangle(x, 0.0, 100.0, 30.0);
        let bounds = Bounds { x0: x, y0: 0.0, x1: x + 100.0, y1: 30.0 };
        Label {
            text: text.to_owned(),
            bounds,
            corners,
            rows: String::new(),
            country: country.to_owned(),
            condition: String::new(),
        }
    }

    pub(crate) fn set(pictures: Vec<Vec<Label>>) -> LabelledSet {
        let pictures = pictures.into_iter().enumerate().map(|(i, labels)| Picture {
            path: format!("images/{i}.jpg").into(),
            name: format!("{i}.jpg"),
            labels,
        });
        LabelledSet { name: "set".to_owned(), folder: "set".into(), pictures: pictures.collect() }
    }

    fn line(image: &str, plates: &[(&str, f32, f32)]) -> (String, PictureReads) {
        let plates: Vec<_> = plates
            .iter()
            .map(|(mark, confidence, x)| {
                serde_json::json!({ "mark": mark, "confidence": confidence,
                    "corners": [[x, 0.0], [x + 100.0, 0.0], [x + 100.0, 30.0], [x, 30.0]] })
            })
            .collect();
        let line = serde_json::json!({ "image": image, "ms": 5.0, "plates": plates });
        from_line(&line.to_string()).unwrap()
    }

    /// The same labels and reads through `score_plates.py --threshold 0.9` give: plates 4, recall 0.5, exact 0.5,
    /// yield 0.5, error 0.5, spurious 1.
    #[test]
    fn the_shared_rules_hold() {
        let set = set(vec![
            vec![label("AB 1O", 0.0, "HK"), label("CD34", 200.0, "HK"), label("", 400.0, "unclear")],
            vec![label("EF56", 0.0, "HK"), label("GH78", 300.0, "HK")],
        ]);
        let reads = Reads::from([
            // Right; overlap 0.33: about the label but not found; on the unclear one: ignored; spurious.
            line(
                "a/0.jpg",
                &[("AB10", 0.95, 10.0), ("CD34", 0.5, 250.0), ("X", 0.9, 400.0), ("Y", 0.9, 700.0)],
            ),
            // Found and wrong; the other missed.
            line("a/1.jpg", &[("EF55", 0.92, 0.0)]),
        ]);
        let scored = score(&set, &reads);
        let count = |f: &dyn Fn(&Verdict<'_>) -> bool| scored.verdicts.iter().filter(|v| f(v)).count();
        assert_eq!(scored.verdicts.len(), 4);
        assert_eq!(count(&|v| v.found), 2);
        assert_eq!(count(&|v| v.exact), 2);
        assert_eq!(count(&|v| v.confidence() >= Some(0.9)), 2);
        assert_eq!(count(&|v| v.confidence() >= Some(0.9) && !v.exact), 1);
        assert_eq!(scored.spurious.len(), 1);
        assert_eq!(scored.spurious[0].detection.mark, "Y");
    }
}
