//! From a straightened crop to a distribution for each character.

use clearance::mark::{CLASSES, MAX_CHARACTERS};
use clearance::picture::{CROP_HEIGHT, CROP_WIDTH, LumaView, rectify};
use clearance::read::{CharacterDistribution, PlateLayout, PlateRead, PlateSighting};

use crate::RecogniseError;
use crate::bundle::Bundle;
use crate::network::Network;

const OUTPUTS: [(&str, usize); 2] =
    [("logits", MAX_CHARACTERS * CLASSES), ("layout", PlateLayout::ALL.len())];

pub(crate) struct Reader {
    network: Network,
    temperature: f32,
    pixels: Vec<f32>,
}

impl Reader {
    /// Load the bundle's reader and prove it.
    pub(crate) fn load(bundle: &Bundle) -> Result<Self, RecogniseError> {
        let manifest = &bundle.manifest.reader;
        let mut network = Network::load(bundle, &manifest.file, CROP_HEIGHT, CROP_WIDTH)?;
        network.prove(OUTPUTS, &bundle.manifest.golden.reader_logits)?;
        Ok(Self { network, temperature: manifest.temperature, pixels: Vec::new() })
    }

    /// Read one plate. A plate whose corners span no plane is read as nothing.
    pub(crate) fn read(
        &mut self,
        picture: LumaView<'_>,
        sighting: &PlateSighting,
    ) -> Result<PlateRead, RecogniseError> {
        let Some(crop) = rectify(picture, &sighting.corners) else {
            return Ok(PlateRead { sighting: *sighting, characters: [nothing(); MAX_CHARACTERS] });
        };
        self.pixels.clear();
        self.pixels.extend(crop.pixels().iter().map(|&p| f32::from(p) / 255.0));
        let temperature = self.temperature;
        let characters = self.network.run(&self.pixels, OUTPUTS, |logits, _| {
            let mut characters = [[0.0; CLASSES]; MAX_CHARACTERS];
            for (position, logits) in characters.iter_mut().zip(logits.chunks_exact(CLASSES)) {
                *position = softmax(logits, temperature);
            }
            characters
        })?;
        Ok(PlateRead { sighting: *sighting, characters })
    }
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
