//! Under which conditions plates are read. Photographs seldom say, so conditions are measured on the plate itself, straightened by
//! its labelled corners; light and weather are told where the set's labels name them. A plate that was missed counts as well.

use std::collections::BTreeSet;

use calibration::sharpness::{LEAST_FOCUS, measure};
use clearance::picture::{CROP_HEIGHT, LumaView, rectify};
use opencv::core::Mat;
use opencv::prelude::MatTraitConst as _;
use serde::Serialize;

use super::acceptance::Acceptance;
use super::labels::Label;
use super::scoring::Verdict;

/// What can be measured of one plate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Its width in pixels of the picture.
    pub width: f64,
    /// Variance of the Laplacian of the straightened crop (`calibration::sharpness`). A plate smaller than the crop
    /// comes out enlarged and therefore soft, so this tells how much detail there is, whatever took it away.
    pub focus: f64,
    /// Grey values between the 5th and the 95th percentile of the crop, 0 to 255.
    pub contrast: f64,
}

impl Conditions {
    /// Measure a labelled plate; `None` where its corners span no plane.
    pub fn measure(picture: LumaView<'_>, label: &Label) -> anyhow::Result<Option<Self>> {
        let Some(crop) = rectify(picture, &label.corners) else { return Ok(None) };
        let flat = Mat::from_slice(crop.pixels())?;
        let focus = measure(&flat.reshape(1, CROP_HEIGHT as i32)?.try_clone()?)?.focus;
        let mut grey = crop.into_pixels();
        grey.sort_unstable();
        let at = |part: usize| f64::from(grey[(grey.len() - 1) * part / 100]);
        Ok(Some(Self { width: f64::from(label.corners.width()), focus, contrast: at(95) - at(5) }))
    }
}

/// A condition that plates are sorted by, and the lower edges of its bins after the first.
struct Scale {
    name: &'static str,
    edges: &'static [f64],
    of: fn(&Conditions) -> f64,
}

const SCALES: [Scale; 3] = [
    Scale { name: "width_px", edges: &[60.0, 100.0, 160.0, 250.0], of: |c| c.width },
    Scale { name: "focus", edges: &[LEAST_FOCUS, 300.0, 1000.0], of: |c| c.focus },
    Scale { name: "contrast", edges: &[60.0, 100.0, 150.0], of: |c| c.contrast },
];

/// What the set's labels say of light and weather, as a condition's name.
const LABELLED: &str = "labelled";

/// Plates of like condition. Parts are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// `labelled`, `width_px`, `focus` or `contrast`.
    pub condition: &'static str,
    /// What the label says; or the values in it, lower edge included.
    pub bin: String,
    /// Plates in it.
    pub plates: usize,
    /// Part of them that was found.
    pub recall_iou50: f64,
    /// Part of them that was read exactly.
    pub exact: f64,
    /// Part of them whose read is accepted.
    pub r#yield: f64,
    /// Accepted reads that are wrong.
    pub wrong: usize,
}

impl Bin {
    fn of<'a>(
        condition: &'static str,
        bin: String,
        verdicts: impl IntoIterator<Item = &'a Verdict<'a>>,
        threshold: f64,
    ) -> Option<Self> {
        let it = Acceptance::of(verdicts, threshold);
        let Acceptance { plates, recall_iou50, exact, r#yield, wrong, .. } = it;
        (plates > 0).then_some(Self { condition, bin, plates, recall_iou50, exact, r#yield, wrong })
    }
}

/// Reads by condition, for plates with what was measured of them; empty bins left out.
pub fn by_condition<'a>(plates: &[(Option<Conditions>, &'a Verdict<'a>)], threshold: f64) -> Vec<Bin> {
    let mut bins = Vec::new();
    let said: BTreeSet<&str> = plates.iter().map(|(_, v)| v.label.condition.as_str()).collect();
    for said in said.into_iter().filter(|said| !said.is_empty()) {
        let here = plates.iter().filter(|(_, v)| v.label.condition == said).map(|(_, v)| *v);
        bins.extend(Bin::of(LABELLED, said.to_owned(), here, threshold));
    }
    for scale in &SCALES {
        let edges = scale.edges;
        for place in 0..=edges.len() {
            let (from, to) = (place.checked_sub(1).map(|i| edges[i]), edges.get(place).copied());
            let inside = |value: f64| from.is_none_or(|f| value >= f) && to.is_none_or(|t| value < t);
            let here =
                plates.iter().filter(|(c, _)| c.is_some_and(|c| inside((scale.of)(&c)))).map(|(_, v)| *v);
            let bin = match (from, to) {
                (None, Some(to)) => format!("< {to}"),
                (Some(from), Some(to)) => format!("{from} to {to}"),
                (Some(from), None) => format!(">= {from}"),
                (None, None) => "any".to_owned(),
            };
            bins.extend(Bin::of(scale.name, bin, here, threshold));
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use clearance::picture::Luma;

    use super::super::scoring::tests::label;
    use super::*;

    #[test]
    fn every_plate_is_in_one_bin_of_each_condition() {
        let (night, rain) =
            (Label { condition: "night".to_owned(), ..label("A", 0.0, "HK") }, label("A", 0.0, "HK"));
        let verdict = |label, exact| Verdict { picture: 0, label, found: true, detection: None, exact };
        let verdicts = [verdict(&night, true), verdict(&night, false), verdict(&rain, true)];
        let plate = |width| Some(Conditions { width, focus: 500.0, contrast: 80.0 });
        let bins = by_condition(
            &[(plate(60.0), &verdicts[0]), (plate(59.9), &verdicts[1]), (plate(900.0), &verdicts[2])],
            0.9,
        );
        for condition in ["width_px", "focus", "contrast"] {
            assert_eq!(bins.iter().filter(|b| b.condition == condition).map(|b| b.plates).sum::<usize>(), 3);
        }
        let told: Vec<_> = bins.iter().map(|b| (b.condition, b.bin.as_str(), b.plates, b.exact)).collect();
        assert_eq!(
            told[..3],
            [("labelled", "night", 2, 0.5), ("width_px", "< 60", 1, 0.0), ("width_px", "60 to 100", 1, 1.0)]
        );
    }

    #[test]
    fn stripes_are_sharper_than_a_flat_plate() {
        let picture =
            |f: fn(usize) -> u8| Luma::new((0..200 * 60).map(|i| f(i % 200)).collect(), 200, 60).unwrap();
        let of = |luma: Luma| Conditions::measure(luma.view(), &label("A", 20.0, "HK")).unwrap().unwrap();
        let (flat, stripes) = (of(picture(|_| 90)), of(picture(|x| if x % 8 < 4 { 20 } else { 220 })));
        assert_eq!((flat.focus, flat.contrast), (0.0, 0.0));
        assert!(stripes.focus > 300.0 && stripes.contrast > 150.0, "{stripes:?}");
    }
}
