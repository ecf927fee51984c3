//! Puts a flat texture into a picture in perspective.

use clearance::geometry::{Bounds, Homography, Point, Quad};
use tiny_skia::Pixmap;

/// Blends `texture` over `picture` so that the texture's corners come to lie at `corners`. Samples are bilinear:
/// the texture should have about the resolution at which it is seen. Nothing happens when the corners span no
/// plane or lie outside.
pub fn blend(picture: &mut Pixmap, texture: &Pixmap, corners: &Quad) {
    let whole = Quad::rectangle(0.0, 0.0, texture.width() as f32, texture.height() as f32);
    blend_part(picture, texture, &whole, corners);
}

/// Like [`blend`], for the upright rectangle `part` of the texture.
pub fn blend_part(picture: &mut Pixmap, texture: &Pixmap, part: &Quad, corners: &Quad) {
    let Some(back) = Homography::between(corners, part) else { return };
    let limits = part.bounds();
    let b = corners.bounds();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (x0, x1) = (b.x0.floor().max(0.0) as usize, (b.x1.ceil().max(0.0) as usize).min(width));
    let (y0, y1) = (b.y0.floor().max(0.0) as usize, (b.y1.ceil().max(0.0) as usize).min(height));
    let stride = width * 4;
    let source = Source {
        data: texture.data(),
        width: texture.width() as usize,
        height: texture.height() as usize,
        limits,
    };
    let data = picture.data_mut();
    let h = back.0.map(|v| v as f32);
    for y in y0..y1 {
        let fy = y as f32 + 0.5;
        let row = &mut data[y * stride..(y + 1) * stride];
        let base = [h[1] * fy + h[2], h[4] * fy + h[5], h[7] * fy + h[8]];
        for x in x0..x1 {
            let fx = x as f32 + 0.5;
            let w = h[6] * fx + base[2];
            let at = Point::new((h[0] * fx + base[0]) / w, (h[3] * fx + base[1]) / w);
            if let Some(over) = source.sample(at) {
                let pixel = &mut row[x * 4..x * 4 + 4];
                let rest = 1.0 - over[3] / 255.0;
                for (p, o) in pixel.iter_mut().zip(over) {
                    *p = (f32::from(*p) * rest + o + 0.5) as u8;
                }
            }
        }
    }
}

struct Source<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    /// Nothing outside these is seen.
    limits: Bounds,
}

impl Source<'_> {
    /// Premultiplied colour between pixels; `None` outside.
    #[inline]
    fn sample(&self, at: Point) -> Option<[f32; 4]> {
        let (w, h) = (self.width as f32, self.height as f32);
        let l = &self.limits;
        if !(at.x >= l.x0 && at.y >= l.y0 && at.x < l.x1 && at.y < l.y1) {
            return None;
        }
        let x = (at.x - 0.5).clamp(0.0, w - 1.0);
        let y = (at.y - 0.5).clamp(0.0, h - 1.0);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let pixel = |x: usize, y: usize| {
            let i = (y * self.width + x) * 4;
            let p = &self.data[i..i + 4];
            [f32::from(p[0]), f32::from(p[1]), f32::from(p[2]), f32::from(p[3])]
        };
        let (a, b, c, d) = (pixel(x0, y0), pixel(x1, y0), pixel(x0, y1), pixel(x1, y1));
        let mut out = [0.0; 4];
        for i in 0..4 {
            let upper = a[i] + (b[i] - a[i]) * fx;
            let lower = c[i] + (d[i] - c[i]) * fx;
            out[i] = upper + (lower - upper) * fy;
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiny_skia::Color;

    fn filled(side: u32, colour: Color) -> Pixmap {
        let mut pixmap = Pixmap::new(side, side).expect("a size");
        pixmap.fill(colour);
        pixmap
    }

    #[test]
    fn a_texture_covers_its_corners_and_nothing_else() {
        let mut picture = filled(20, Color::BLACK);
        blend(&mut picture, &filled(8, Color::WHITE), &Quad::rectangle(5.0, 5.0, 10.0, 10.0));
        let red = |x: u32, y: u32| picture.pixel(x, y).expect("inside").red();
        assert_eq!((red(10, 10), red(5, 5), red(14, 14)), (255, 255, 255));
        assert_eq!((red(4, 10), red(15, 10), red(10, 4), red(10, 15)), (0, 0, 0, 0));
    }

    #[test]
    fn a_place_outside_or_without_a_plane_changes_nothing() {
        let mut picture = filled(20, Color::BLACK);
        let before = picture.clone();
        let texture = filled(8, Color::WHITE);
        blend(&mut picture, &texture, &Quad::rectangle(50.0, -90.0, 10.0, 10.0));
        blend(&mut picture, &texture, &Quad([Point::new(1.0, 1.0); 4]));
        assert_eq!(picture.data(), before.data());
    }
}
