//! From a straightened crop to a distribution for each character.

use clearance::geometry::{Point, Quad};
use clearance::mark::{CLASSES, MAX_CHARACTERS};
use clearance::picture::{CROP_HEIGHT, CROP_WIDTH, LumaView, rectify};
use clearance::read::{CharacterDistribution, PlateLayout, PlateRead, PlateSighting, best_of};

use crate::RecogniseError;
use crate::bundle::Bundle;
use crate::network::Network;

const OUTPUTS: [(&str, usize); 2] =
    [("logits", MAX_CHARACTERS * CLASSES), ("layout", PlateLayout::ALL.len())];

pub(crate) struct Reader {
    network: Network,
    temperature: f32,
    views: Vec<[f32; 3]>,
    enough: f32,
}

impl Reader {
    /// Load the bundle's reader and prove it.
    pub(crate) fn load(bundle: &Bundle) -> Result<Self, RecogniseError> {
        let manifest = &bundle.manifest.reader;
        let mut network = Network::load(bundle, &manifest.file, [1, 1, CROP_HEIGHT, CROP_WIDTH])?;
        let golden = &bundle.manifest.golden;
        network.prove(OUTPUTS, &golden.reader_logits, golden.tolerance)?;
        let (temperature, views, enough) = (manifest.temperature, manifest.views.clone(), manifest.enough);
        Ok(Self { network, temperature, views, enough })
    }

    /// Read one plate: the mean of the logits over several looks at it, each cut out a little differently, which is the
    /// geometric mean of their distributions. A misreading depends on where a stroke falls on the pixels of the crop; the
    /// mark does not. Where the first look is clear it is the only one. A plate whose corners span no plane is read as nothing.
    pub(crate) fn read(
        &mut self,
        picture: LumaView<'_>,
        sighting: &PlateSighting,
    ) -> Result<PlateRead, RecogniseError> {
        let mut sums = [0.0; MAX_CHARACTERS * CLASSES];
        let as_read = |characters| Ok(PlateRead { sighting: *sighting, characters });
        for (look, view) in self.views.iter().enumerate() {
            let Some(crop) = rectify(picture, &seen_from(&sighting.corners, *view)) else {
                return as_read([nothing(); MAX_CHARACTERS]);
            };
            self.network.run_on_crop(&crop, OUTPUTS, |[logits, _]| {
                sums.iter_mut().zip(logits).for_each(|(sum, logit)| *sum += logit);
            })?;
            let first = (look == 0).then(|| distributions(&sums, self.temperature));
            if let Some(first) = first.filter(|first| best_of(first).1 >= self.enough) {
                return as_read(first);
            }
        }
        as_read(distributions(&sums, self.temperature * self.views.len() as f32))
    }
}

/// The corners shifted along the plate's own edges and grown, in parts of its size.
fn seen_from(corners: &Quad, [right, down, growth]: [f32; 3]) -> Quad {
    let [a, b, c, d] = corners.0;
    let across = Point::new((b.x - a.x + c.x - d.x) / 2.0, (b.y - a.y + c.y - d.y) / 2.0);
    let along = Point::new((d.x - a.x + c.x - b.x) / 2.0, (d.y - a.y + c.y - b.y) / 2.0);
    let (dx, dy) = (right * across.x + down * along.x, right * across.y + down * along.y);
    corners.grown(growth).map(|p| Point::new(p.x + dx, p.y + dy))
}

/// The distribution at each position, from its logits.
fn distributions(
    logits: &[f32; MAX_CHARACTERS * CLASSES],
    temperature: f32,
) -> [CharacterDistribution; MAX_CHARACTERS] {
    std::array::from_fn(|i| softmax(&logits[i * CLASSES..(i + 1) * CLASSES], temperature))
}

fn nothing() -> CharacterDistribution {
    let mut distribution = [0.0; CLASSES];
    distribution[0] = 1.0;
    distribution
}

/// Softmax with a temperature (Guo et al., "On Calibration of Modern Neural Networks", 2017).
fn softmax(logits: &[f32], temperature: f32) -> CharacterDistribution {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let mut distribution = [0.0; CLASSES];
    let mut sum = 0.0;
    for (p, logit) in distribution.iter_mut().zip(logits) {
        *p = ((logit - most) / temperature).exp();
        sum += *p;
    }
    for p in &mut distribution {
        *p /= sum;
    }
    distribution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_shifted_along_the_plates_own_edges() {
        let plate = Quad::rectangle(100.0, 50.0, 80.0, 20.0);
        let seen = seen_from(&plate, [0.1, 0.5, 0.0]);
        assert_eq!(seen, Quad::rectangle(108.0, 60.0, 80.0, 20.0));
        assert_eq!(seen_from(&plate, [0.0; 3]), plate);
        assert!((seen_from(&plate, [0.0, 0.0, 0.1]).width() - 88.0).abs() < 1e-3);
    }

    #[test]
    fn softmax_sums_to_one_and_heat_flattens_it() {
        let mut logits = [0.0; CLASSES];
        logits[3] = 5.0;
        let (cold, hot) = (softmax(&logits, 0.5), softmax(&logits, 2.0));
        assert!((cold.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((hot.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(cold[3] > hot[3]);
        assert!(softmax(&[1e9; CLASSES], 1.0).iter().all(|p| p.is_finite()));
    }
}
