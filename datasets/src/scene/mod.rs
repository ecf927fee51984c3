//! One training tile for the detector: vehicles on a road with their plates' corners, at the scale at which the
//! detector looks.

mod plan;

use clearance::geometry::{Homography, Quad};
use clearance::picture::Luma;
use tiny_skia::{Pixmap, Transform};

use crate::camera::{Difficulty, Grey, Legibility, add_light, photograph};
use crate::chance::{Dice, Roll};
use crate::drawing::Drawing;
use crate::ground;
use crate::lettering::Cell;
use crate::negative;
use crate::overlay;
use crate::plate::Layout;
use crate::vehicle::Vehicle;
use crate::warp;
use plan::{Parked, Plan};

/// Most plates a tile can hold.
pub const MOST_PLATES: usize = 8;

/// What the detector shall make of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A plate of this layout, whether or not mud leaves anything to read on it: that is the reader's question.
    Plate(Layout),
    /// Neither right nor wrong: too small, cut off by the edge, or covered.
    Ignore,
}

/// A labelled region.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// What it is.
    pub verdict: Verdict,
    /// Corners in pixels.
    pub corners: Quad,
}

/// A tile and its truth.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The grey picture.
    pub image: Luma,
    /// The labelled regions, at most [`MOST_PLATES`].
    pub plates: Vec<Labelled>,
}

/// The kinds of tile with their share of a set, for the manifest. What touches is the border's pair of plates, on one vehicle
/// or on the one in front of others; other kinds show it too, as often as vehicles there carry it.
pub const MIX: [(&str, f32); 4] =
    [("touching_plates", 0.59), ("one_vehicle", 0.18), ("several_vehicles", 0.11), ("no_plate", 0.12)];

/// Share of pictures into which a recorder has written its clock or its name.
const CAPTIONED: f32 = 0.12;

/// Renders one tile.
pub fn render(width: usize, height: usize, dice: &mut Dice) -> Scene {
    loop {
        if let Some(scene) = attempt(width, height, dice) {
            return scene;
        }
    }
}

/// `None` when a random geometry spans no plane, which a second try mends.
fn attempt(width: usize, height: usize, dice: &mut Dice) -> Option<Scene> {
    let mut picture = Pixmap::new(width as u32, height as u32)?;
    let size = [width as f32, height as f32];
    let plan = Plan::draw(size, dice)?;
    ground::fill(&mut picture, dice);
    distract(&mut picture, plan.most_distractions(), dice);
    for parked in &plan.parked {
        let [centre, half] = parked.shadow();
        ground::shadow(&mut picture.as_mut(), centre, half, dice);
        show(&mut picture, &parked.vehicle, &parked.map)?;
    }
    let mut plates = plan.labels(size);
    let mut photo = Grey::from_pixmap(&picture);
    if dice.chance(0.1) {
        let brightness = dice.between(80.0, 260.0);
        for lamp in plan.parked.iter().flat_map(Parked::lamps) {
            add_light(&mut photo, lamp, width as f32 * 0.06, brightness);
        }
    }
    let narrowest = plates.iter().map(|p| p.corners.width() / 7.0).fold(12.0, f32::min).max(4.0);
    let keep = Legibility { width: narrowest, height: narrowest * 1.9 };
    photograph(&mut photo, Difficulty::roll(dice), keep, dice);
    if dice.chance(CAPTIONED) {
        overlay::caption(&mut photo, dice);
    }
    plates.retain(|p| p.corners.is_plausible());
    plates.truncate(MOST_PLATES);
    Some(Scene { image: photo.to_luma()?, plates })
}

/// Things that are no plates, behind the vehicles.
fn distract(picture: &mut Pixmap, most: i32, dice: &mut Dice) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let mut d = Drawing::default();
    for _ in 0..dice.whole(0, most) {
        let width = w * dice.log_between(0.06, 0.7);
        let height = (width * dice.log_between(0.15, 1.2)).min(h * 0.8);
        let cell = Cell { x: dice.between(-0.1, 1.0) * w, y: dice.between(-0.1, 1.0) * h, width, height };
        negative::thing(&mut d, cell, dice);
    }
    let turn = Transform::from_rotate_at(dice.normal(6.0), w / 2.0, h / 2.0);
    d.paint(&mut picture.as_mut(), turn);
}

/// Paints that part of the vehicle that comes into the picture, at about the picture's resolution.
pub(crate) fn show(picture: &mut Pixmap, vehicle: &Vehicle, map: &Homography) -> Option<()> {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let whole = Quad::rectangle(0.0, 0.0, w, h);
    // Mirrors and loads stick out of the body's rectangle.
    let margin = vehicle.width * 0.15;
    let body = Quad::rectangle(-margin, -margin, vehicle.width + 2.0 * margin, vehicle.height + margin);
    let seen = body.map(|p| map.apply(p));
    let back = Homography::between(&seen, &body)?;
    let view = whole.map(|p| back.apply(p)).bounds();
    let b = body.bounds();
    let (x0, y0) = (view.x0.max(b.x0), view.y0.max(b.y0));
    let (x1, y1) = (view.x1.min(b.x1), view.y1.min(b.y1));
    if x1 <= x0 || y1 <= y0 {
        return Some(());
    }
    let scale = seen.width() / body.width() * 1.15;
    let part = Quad::rectangle(x0, y0, x1 - x0, y1 - y0);
    let mut texture = Pixmap::new(
        ((x1 - x0) * scale).ceil().clamp(1.0, 2048.0) as u32,
        ((y1 - y0) * scale).ceil().clamp(1.0, 2048.0) as u32,
    )?;
    let (sx, sy) = (texture.width() as f32 / (x1 - x0), texture.height() as f32 / (y1 - y0));
    vehicle.paint(&mut texture.as_mut(), Transform::from_scale(sx, sy).pre_translate(-x0, -y0));
    warp::blend(picture, &texture, &part.map(|p| map.apply(p)));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn what_is_mistaken_for_plates_lies_in_most_tiles_and_bears_no_label() {
        let plain = Pixmap::new(320, 256).unwrap();
        let changed = |item: u64| {
            let mut picture = plain.clone();
            distract(&mut picture, 6, &mut dice(33, item));
            picture.data() != plain.data()
        };
        let count = (0..200).filter(|&item| changed(item)).count();
        assert!(count > 130, "{count} of 200");
    }
}
