//! One ONNX network on one thread.

use clearance::picture::Luma;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::RecogniseError;
use crate::bundle::Bundle;
use crate::runtime;

/// A network with fixed input and output shapes.
pub(crate) struct Network {
    file: String,
    session: Session,
    input: [usize; 4],
    /// The latest crop as the network takes it, kept from one to the next.
    crop: Vec<f32>,
}

impl Network {
    /// Load `file` of a bundle, which takes this shape.
    pub(crate) fn load(bundle: &Bundle, file: &str, input: [usize; 4]) -> Result<Self, RecogniseError> {
        let environment = runtime::environment()?;
        let broken = |why: String| RecogniseError::Network { file: file.to_owned(), why };
        let bytes = bundle.networks.get(file).ok_or_else(|| broken("not in the bundle".to_owned()))?;
        let mut builder = Session::builder(&environment)
            .map_err(|e| broken(e.to_string()))?
            .with_optimization_level(GraphOptimizationLevel::Level3)
            .map_err(|e| broken(e.to_string()))?
            // A second thread was slower for networks this small, and spinning threads steal from the cameras.
            .with_intra_threads(1)
            .map_err(|e| broken(e.to_string()))?
            .with_intra_op_spinning(false)
            .map_err(|e| broken(e.to_string()))?;
        let session = builder.commit_from_memory(bytes).map_err(|e| broken(e.to_string()))?;
        Ok(Self { file: file.to_owned(), session, input, crop: Vec::new() })
    }

    /// Run on `pixels` and hand the named outputs to `then`. Their lengths are checked.
    pub(crate) fn run<const N: usize, T>(
        &mut self,
        pixels: &[f32],
        outputs: [(&str, usize); N],
        then: impl FnOnce([&[f32]; N]) -> T,
    ) -> Result<T, RecogniseError> {
        let file = &self.file;
        let broken = |why: String| RecogniseError::Network { file: file.clone(), why };
        let tensor = ort::value::TensorRef::from_array_view((self.input, pixels))
            .map_err(|e| broken(e.to_string()))?;
        let results = self.session.run(ort::inputs![tensor]).map_err(|e| broken(e.to_string()))?;
        let output = |(name, length): (&str, usize)| {
            let value = results.get(name).ok_or_else(|| broken(format!("it has no output {name:?}")))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(|e| broken(e.to_string()))?;
            if data.len() == length {
                Ok(data)
            } else {
                Err(broken(format!("output {name:?} has shape {shape:?}, expected {length} values")))
            }
        };
        let mut values: [&[f32]; N] = [&[]; N];
        for (value, wanted) in values.iter_mut().zip(outputs) {
            *value = output(wanted)?;
        }
        Ok(then(values))
    }

    /// As [`Self::run`], on a straightened crop, its pixels from 0 to 1.
    pub(crate) fn run_on_crop<const N: usize, T>(
        &mut self,
        crop: &Luma,
        outputs: [(&str, usize); N],
        then: impl FnOnce([&[f32]; N]) -> T,
    ) -> Result<T, RecogniseError> {
        let mut pixels = std::mem::take(&mut self.crop);
        pixels.clear();
        pixels.extend(crop.pixels().iter().map(|&p| f32::from(p) / 255.0));
        let result = self.run(&pixels, outputs, then);
        self.crop = pixels;
        result
    }

    /// Prove that the network computes what it computed when it was exported: the first values of its first output for the
    /// ramp input agree within `tolerance`.
    pub(crate) fn prove<const N: usize>(
        &mut self,
        outputs: [(&str, usize); N],
        golden: &[f32],
        tolerance: f32,
    ) -> Result<(), RecogniseError> {
        let [.., width] = self.input;
        let ramp: Vec<f32> = (0..self.input.iter().product())
            .map(|i: usize| ((i % width * 7 + i / width * 13) % 256) as f32 / 255.0)
            .collect();
        let first = self.run(&ramp, outputs, |values| {
            values.first().map_or_else(Vec::new, |v| v.iter().take(golden.len()).copied().collect())
        })?;
        let agrees = !golden.is_empty()
            && first.len() == golden.len()
            && first.iter().zip(golden).all(|(a, b)| (a - b).abs() <= tolerance);
        if agrees { Ok(()) } else { Err(RecogniseError::Golden { file: self.file.clone() }) }
    }
}
