//! Under which conditions plates are read: the sets have no labels for them, so they are measured on the plate itself,
//! straightened by its labelled corners. A plate that was missed counts as well.

use calibration::sharpness::{LEAST_FOCUS, measure};
use clearance::picture::{CROP_HEIGHT, LumaView, rectify};
use opencv::core::Mat;
use opencv::prelude::MatTraitConst as _;
use serde::Serialize;

use super::acceptance::rounded;
use super::labels::Label;

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

/// Plates of like condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// `width_px`, `focus` or `contrast`.
    pub condition: &'static str,
    /// The values in it, lower edge included.
    pub bin: String,
    /// Plates in it.
    pub plates: usize,
    /// Part of them that was read exactly.
    pub exact: f64,
}

/// Exact reads by condition, for plates with their conditions and whether they were read; empty bins left out.
pub fn by_condition(plates: &[(Conditions, bool)]) -> Vec<Bin> {
    let mut bins = Vec::new();
    for scale in &SCALES {
        let edges = scale.edges;
        for place in 0..=edges.len() {
            let (from, to) = (place.checked_sub(1).map(|i| edges[i]), edges.get(place).copied());
            let inside = |value: f64| from.is_none_or(|f| value >= f) && to.is_none_or(|t| value < t);
            let here: Vec<_> = plates.iter().filter(|(c, _)| inside((scale.of)(c))).collect();
            if here.is_empty() {
                continue;
            }
            let bin = match (from, to) {
                (None, Some(to)) => format!("< {to}"),
                (Some(from), Some(to)) => format!("{from} to {to}"),
                (Some(from), None) => format!(">= {from}"),
                (None, None) => "any".to_owned(),
            };
            let exact = here.iter().filter(|(_, exact)| *exact).count() as f64 / here.len() as f64;
            bins.push(Bin { condition: scale.name, bin, plates: here.len(), exact: rounded(exact) });
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
        let plate = |width| Conditions { width, focus: 500.0, contrast: 80.0 };
        let bins = by_condition(&[(plate(60.0), true), (plate(59.9), false), (plate(900.0), true)]);
        for condition in ["width_px", "focus", "contrast"] {
            assert_eq!(bins.iter().filter(|b| b.condition == condition).map(|b| b.plates).sum::<usize>(), 3);
        }
        assert_eq!((bins[0].bin.as_str(), bins[0].exact), ("< 60", 0.0));
        assert_eq!((bins[1].bin.as_str(), bins[1].exact), ("60 to 100", 1.0));
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
