//! Lens blur, motion blur, the smoothing and sharpening of phone cameras, and JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};

use super::Grey;
use crate::chance::{Dice, Roll};

/// Gaussian blur of a deviation in pixels.
pub(super) fn gaussian(grey: &mut Grey, sigma: f32) {
    let reach = (sigma * 2.5).ceil() as usize;
    let mut kernel: Vec<f32> = (0..=2 * reach)
        .map(|i| {
            let d = i as f32 - reach as f32;
            (-d * d / (2.0 * sigma * sigma)).exp()
        })
        .collect();
    let sum: f32 = kernel.iter().sum();
    for k in &mut kernel {
        *k /= sum;
    }
    let (w, h) = (grey.width, grey.height);
    let mut line = vec![0.0; w + 2 * reach];
    for row in grey.values.chunks_exact_mut(w) {
        line[..reach].fill(row[0]);
        line[reach..reach + w].copy_from_slice(row);
        line[reach + w..].fill(row[w - 1]);
        row.fill(0.0);
        for (i, k) in kernel.iter().enumerate() {
            row.iter_mut().zip(&line[i..]).for_each(|(v, l)| *v += k * l);
        }
    }
    let source = grey.values.clone();
    for (y, row) in grey.values.chunks_exact_mut(w).enumerate() {
        row.fill(0.0);
        for (i, k) in kernel.iter().enumerate() {
            let from = (y + i).saturating_sub(reach).min(h - 1);
            row.iter_mut().zip(&source[from * w..from * w + w]).for_each(|(v, s)| *v += k * s);
        }
    }
}

/// The mean along a line of `length` pixels at `angle` degrees, heavier at some places of it: a camera that
/// joins several exposures leaves double images.
pub(crate) fn shake(grey: &mut Grey, length: f32, angle: f32, dice: &mut Dice) {
    let taps = (length.ceil() as usize).clamp(2, 24);
    let even = dice.between(0.1, 1.0);
    let mut weights: Vec<f32> = (0..taps).map(|_| even + dice.between(0.0, 1.0).powi(3)).collect();
    let sum: f32 = weights.iter().sum();
    for w in &mut weights {
        *w /= sum;
    }
    let (dy, dx) = angle.to_radians().sin_cos();
    let source = grey.values.clone();
    let (w, h) = (grey.width, grey.height);
    grey.values.fill(0.0);
    for (tap, weight) in weights.into_iter().enumerate() {
        let t = (tap as f32 / (taps - 1) as f32 - 0.5) * length;
        let (ox, oy) = ((t * dx).round() as isize, (t * dy).round() as isize);
        for y in 0..h {
            let from = (y as isize + oy).clamp(0, h as isize - 1) as usize * w;
            let source = &source[from..from + w];
            let row = &mut grey.values[y * w..y * w + w];
            // Where the line leaves the picture, its edge goes on.
            let (lead, trail) = ((-ox).clamp(0, w as isize) as usize, ox.clamp(0, w as isize) as usize);
            row[..lead].iter_mut().for_each(|v| *v += weight * source[0]);
            row[w - trail..].iter_mut().for_each(|v| *v += weight * source[w - 1]);
            row[lead..w - trail].iter_mut().zip(&source[trail..]).for_each(|(v, s)| *v += weight * s);
        }
    }
}

/// The mean of those neighbours that differ by less than `threshold` (a sigma filter): flat areas turn to
/// watercolour, edges stay, as in pictures from phones.
pub(super) fn smooth(grey: &mut Grey, threshold: f32) {
    let source = grey.values.clone();
    let (w, h) = (grey.width, grey.height);
    if w < 3 || h < 3 {
        return;
    }
    for y in 1..h - 1 {
        for x in 1..w - 1 {
            let i = y * w + x;
            let here = source[i];
            let (mut sum, mut count) = (0.0f32, 0.0f32);
            for j in [i - w - 1, i - w, i - w + 1, i - 1, i, i + 1, i + w - 1, i + w, i + w + 1] {
                let near = f32::from(u8::from((source[j] - here).abs() < threshold));
                sum += near * source[j];
                count += near;
            }
            grey.values[i] = sum / count.max(1.0);
        }
    }
}

/// Adds `amount` of the difference from a blurred copy, which leaves halos at edges.
pub(super) fn sharpen(grey: &mut Grey, amount: f32) {
    let mut soft = grey.clone();
    gaussian(&mut soft, 0.9);
    grey.values.iter_mut().zip(&soft.values).for_each(|(v, s)| *v += amount * (*v - s));
}

/// The jagged edges of a picture that was scaled down by `factor` and up again without smoothing.
pub(super) fn jag(grey: &mut Grey, factor: f32) {
    let source = grey.values.clone();
    let (w, h) = (grey.width, grey.height);
    let coarse = |v: usize, last: usize| ((((v as f32 * factor).floor() + 0.5) / factor) as usize).min(last);
    for y in 0..h {
        let from = coarse(y, h - 1) * w;
        for x in 0..w {
            grey.values[y * w + x] = source[from + coarse(x, w - 1)];
        }
    }
}

/// Every other band of `band` rows shifted by `shift` pixels: an interlaced or joined picture of something that
/// moves.
pub(super) fn comb(grey: &mut Grey, shift: f32, band: usize) {
    let shift = (shift.round() as usize).clamp(1, grey.width - 1);
    for (y, row) in grey.values.chunks_exact_mut(grey.width).enumerate() {
        if y / band % 2 == 1 {
            row.copy_within(shift.., 0);
        }
    }
}

/// Through JPEG at a quality of 1 to 100.
pub(super) fn compress(grey: &mut Grey, quality: u8) {
    let bytes = grey.to_bytes();
    let mut file = Vec::with_capacity(bytes.len() / 2);
    let written = JpegEncoder::new_with_quality(&mut file, quality).encode(
        &bytes,
        grey.width as u32,
        grey.height as u32,
        ExtendedColorType::L8,
    );
    // A size JPEG cannot hold stays as it is: the effect is decoration, not content.
    if written.is_ok()
        && let Ok(back) = image::load_from_memory_with_format(&file, ImageFormat::Jpeg)
    {
        grey.values = back.into_luma8().into_raw().into_iter().map(f32::from).collect();
    }
}
