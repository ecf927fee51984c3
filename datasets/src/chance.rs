//! Randomness: one independent stream for each rendered item, so that an item looks the same whichever thread
//! draws it and however many items are asked for.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The stream of one item.
pub type Dice = ChaCha8Rng;

/// The stream that belongs to item number `item` of the set with this `seed`.
pub fn dice(seed: u64, item: u64) -> Dice {
    let mut dice = Dice::seed_from_u64(seed);
    dice.set_stream(item);
    dice
}

/// What renderers ask of a stream.
pub trait Roll: Rng {
    /// Uniform between two numbers, which may be equal.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.random::<f32>()
    }

    /// Uniform in the logarithm: as often between 50 and 100 as between 100 and 200.
    fn log_between(&mut self, low: f32, high: f32) -> f32 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// True with this probability.
    fn chance(&mut self, probability: f32) -> bool {
        self.random::<f32>() < probability
    }

    /// Normal with mean zero, cut at three deviations (a farther draw would be an outlier nobody meant).
    fn normal(&mut self, deviation: f32) -> f32 {
        // Box-Muller; the first number is kept away from zero.
        let radius = (-2.0 * self.random::<f32>().max(1e-7).ln()).sqrt();
        let angle = std::f32::consts::TAU * self.random::<f32>();
        deviation * (radius * angle.cos()).clamp(-3.0, 3.0)
    }

    /// An integer from `low` to `high`, both possible.
    fn whole(&mut self, low: i32, high: i32) -> i32 {
        self.random_range(low..=high)
    }

    /// One of the items, all equally likely.
    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.random_range(0..items.len())]
    }

    /// The index of a weight, as likely as the weight is heavy.
    fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.between(0.0, weights.iter().sum());
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }
}

impl<R: Rng + ?Sized> Roll for R {}

/// A fast source of grain for pixels, where a cipher would be a waste.
#[derive(Clone, Debug)]
pub struct Grain(u64);

impl Grain {
    /// A source whose numbers follow from the stream it is taken from.
    pub fn from_dice(dice: &mut Dice) -> Self {
        Self(dice.random::<u64>() | 1)
    }

    /// Eight fresh bytes (xorshift64*, Marsaglia 2003).
    #[inline]
    pub fn bytes(&mut self) -> [u8; 8] {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    }

    /// Two nearly normal numbers of deviation one, each a sum of four bytes.
    #[inline]
    pub fn pair(&mut self) -> [f32; 2] {
        // Four uniform bytes have a deviation of 2 * 73.9 about 510.
        let b = self.bytes().map(f32::from);
        [(b[0] + b[1] + b[2] + b[3] - 510.0) / 147.8, (b[4] + b[5] + b[6] + b[7] - 510.0) / 147.8]
    }
}
