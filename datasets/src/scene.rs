//! One training tile for the detector: vehicles on a road with their plates' corners, at the scale at which the
//! detector looks.

use clearance::geometry::{Homography, Point, Quad};
use clearance::picture::Luma;
use tiny_skia::{Pixmap, Transform};

use crate::assembly::placed;
use crate::camera::{Difficulty, Grey, Legibility, add_light, photograph};
use crate::chance::{Dice, Roll};
use crate::drawing::Drawing;
use crate::ground;
use crate::lettering::Cell;
use crate::negative;
use crate::overlay;
use crate::plate::Layout;
use crate::vehicle::{KINDS, Vehicle, random_plates};
use crate::warp;

/// Most plates a tile can hold.
pub const MOST_PLATES: usize = 8;

/// What the detector shall make of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A plate of this layout.
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

/// The kinds of tile with their share of a set, for the manifest.
pub const MIX: [(&str, f32); 3] = [("one_vehicle", 0.58), ("several_vehicles", 0.27), ("no_plate", 0.15)];

/// Share of pictures into which a recorder has written its clock or its name.
const CAPTIONED: f32 = 0.12;

/// Share of hard pictures.
pub const HARD: f32 = 0.2;

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
    let kind = dice.weighted(&MIX.map(|(_, share)| share));
    ground::fill(&mut picture, dice);
    distract(&mut picture, if kind == 2 { 6 } else { 3 }, dice);
    let mut plates = Vec::new();
    let mut lamps = Vec::new();
    let count = match kind {
        0 => 1,
        1 => dice.whole(2, 3),
        _ => dice.whole(0, 2),
    };
    for i in 0..count {
        let seen = park(&mut picture, i, count, kind == 2, dice)?;
        cover(&mut plates, &seen.body);
        plates.extend(seen.plates);
        lamps.extend(seen.lamps);
    }
    let mut photo = Grey::from_pixmap(&picture);
    if dice.chance(0.1) {
        let brightness = dice.between(80.0, 260.0);
        for lamp in lamps {
            add_light(&mut photo, lamp, width as f32 * 0.06, brightness);
        }
    }
    let narrowest = plates.iter().map(|p| p.corners.width() / 7.0).fold(12.0, f32::min).max(4.0);
    let difficulty = if dice.chance(HARD) { Difficulty::Hard } else { Difficulty::Usual };
    photograph(&mut photo, difficulty, Legibility { width: narrowest, height: narrowest * 1.9 }, dice);
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

/// What is seen of one vehicle.
struct Seen {
    body: Quad,
    plates: Vec<Labelled>,
    lamps: Vec<[f32; 2]>,
}

/// Puts one vehicle of `count` into the picture.
fn park(picture: &mut Pixmap, index: i32, count: i32, without_plates: bool, dice: &mut Dice) -> Option<Seen> {
    let kind = KINDS[dice.weighted(&[0.2, 0.22, 0.22, 0.1, 0.18, 0.08])];
    let assemblies = if without_plates { Vec::new() } else { random_plates(kind, dice) };
    let vehicle = Vehicle::new(kind, assemblies, dice);
    let map = stand(picture, &vehicle, index, count, dice)?;
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let body = Quad::rectangle(0.0, 0.0, vehicle.width, vehicle.height).map(|p| map.apply(p));
    let foot = body.bounds();
    let half = [(foot.x1 - foot.x0) * 0.55, (foot.x1 - foot.x0) * 0.06];
    ground::shadow(
        &mut picture.as_mut(),
        [f32::midpoint(foot.x0, foot.x1), foot.y1 - half[1] * 0.5],
        half,
        dice,
    );
    show(picture, &vehicle, &map)?;
    let mut plates = Vec::new();
    for (assembly, at) in &vehicle.mounts {
        for hung in &assembly.hung {
            let corners =
                placed(&hung.corners(), Transform::from_translate(at[0], at[1])).map(|p| map.apply(p));
            plates.extend(judge(corners, hung.plate.layout, w, h));
        }
    }
    let lamps = vehicle.lamps.iter().map(|l| map.apply(Point::from(*l)).into()).collect();
    Some(Seen { body, plates, lamps })
}

/// The map from the vehicle's millimetres to the picture's pixels: its plates at a random place and size.
fn stand(picture: &Pixmap, vehicle: &Vehicle, index: i32, count: i32, dice: &mut Dice) -> Option<Homography> {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let (anchor, reference) = match vehicle.mounts.first() {
        Some((assembly, at)) => {
            let b = assembly.bounds();
            ([at[0] + b.x + b.width / 2.0, at[1] + b.y + b.height / 2.0], b.width)
        }
        None => ([vehicle.width / 2.0, vehicle.height * dice.between(0.4, 0.8)], 440.0),
    };
    let pixels = match (count, dice.weighted(&[0.62, 0.2, 0.18])) {
        (1, 0) => dice.log_between(38.0, 190.0),
        (1, 1) => dice.log_between(28.0, 260.0),
        // Far away: what a wide picture of a street shows.
        (1, _) => dice.log_between(22.0, 42.0),
        _ => dice.log_between(24.0, 95.0),
    };
    let scale = pixels / reference;
    // Vehicles beside one another take a strip of the picture each.
    let strip = w / count as f32;
    let side = strip * 0.15;
    let x = dice.between(strip * index as f32 + side, strip * (index + 1) as f32 - side);
    let y = h * dice.between(0.12, 0.9);
    let turn = (dice.normal(3.5) + if dice.chance(0.15) { dice.normal(5.0) } else { 0.0 }).clamp(-12.0, 12.0);
    let (sin, cos) = turn.to_radians().sin_cos();
    // Seen from above and from a side: what is farther away shrinks.
    let [tilt, side_on] = [dice.normal(0.05), dice.normal(0.05)];
    let [squash, shear] = [dice.between(0.82, 1.05), dice.normal(0.05)];
    let from = Quad::rectangle(0.0, 0.0, vehicle.width, vehicle.height);
    let to = from.map(|p| {
        let (dx, dy) = ((p.x - anchor[0]) * scale, (p.y - anchor[1]) * scale);
        let reach = vehicle.width * scale;
        let k = 1.0 + (tilt * dy + side_on * dx) / reach;
        let (dx, dy) = ((dx + shear * dy) * k, dy * squash * k);
        Point::new(x + dx * cos - dy * sin, y + dx * sin + dy * cos)
    });
    Homography::between(&from, &to)
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

/// The label of a plate at `corners` in a picture of the given size; nothing when it lies outside.
fn judge(corners: Quad, layout: Layout, w: f32, h: f32) -> Option<Labelled> {
    let b = corners.bounds();
    let inside = corners.map(|p| Point::new(p.x.clamp(0.0, w), p.y.clamp(0.0, h)));
    let part = inside.bounds().area() / b.area().max(1.0);
    if part < 0.02 {
        return None;
    }
    let least = if layout == Layout::LightDouble { 16.0 } else { 22.0 };
    let whole = b.x0 >= 0.0 && b.y0 >= 0.0 && b.x1 <= w && b.y1 <= h;
    let large = corners.width() >= least && corners.height() >= 7.0;
    let verdict = if whole && large { Verdict::Plate(layout) } else { Verdict::Ignore };
    Some(Labelled { verdict, corners: inside })
}

/// A vehicle drawn later hides plates of earlier ones.
fn cover(plates: &mut Vec<Labelled>, body: &Quad) {
    let front = body.bounds();
    plates.retain_mut(|plate| {
        let b = plate.corners.bounds();
        let (dx, dy) = (b.x1.min(front.x1) - b.x0.max(front.x0), b.y1.min(front.y1) - b.y0.max(front.y0));
        let hidden = dx.max(0.0) * dy.max(0.0) / b.area().max(1.0);
        if hidden > 0.02 {
            plate.verdict = Verdict::Ignore;
        }
        hidden < 0.98
    });
}
