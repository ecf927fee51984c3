//! One training crop for the reader: a plate photographed with what is around it, found with a small error, and
//! straightened by the same code that straightens it in the lane.

use clearance::geometry::{Homography, Point, Quad};
use clearance::mark::MAX_CHARACTERS;
use clearance::picture::{
    CORNER_MARGIN, CROP_HEIGHT, CROP_WIDTH, Luma, plate_in_crop, rectify, rectify_with,
};
use tiny_skia::{Pixmap, Transform};

use crate::assembly::{Assembly, placed};
use crate::camera::{Difficulty, Grey, Legibility, photograph};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, faded, grey, rgb, shaded};
use crate::lettering::Cell;
use crate::negative;
use crate::plate::{
    End, Layout, Plate, Rows, american, classes_of, cross_boundary, elsewhere, hong_kong, ordinary_mainland,
    unreadable_dirt,
};
use crate::vehicle::body;
use crate::warp;

/// A crop and its truth.
#[derive(Clone, Debug)]
pub struct Crop {
    /// The straightened picture, 160 x 64.
    pub image: Luma,
    /// The mark's classes in reading order; all zero when nothing can be read.
    pub classes: [u8; MAX_CHARACTERS],
    /// The mark as text.
    pub mark: String,
    /// Which plate it is.
    pub layout: Layout,
}

/// What a crop shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Hong Kong plate of one row.
    HongKongOneRow,
    /// A Hong Kong plate of two rows.
    HongKongTwoRows,
    /// A mainland plate, mostly the cross-boundary one.
    Mainland,
    /// An American plate.
    American,
    /// A plate of another place.
    Other,
    /// No plate, or none that can be read.
    Nothing,
}

impl Kind {
    /// Every kind with its name and its share of a set of crops, and of one of corner crops.
    pub const ALL: [(Self, &str, f32, f32); 6] = [
        (Self::HongKongOneRow, "hong_kong_one_row", 0.25, 0.25),
        (Self::HongKongTwoRows, "hong_kong_two_rows", 0.17, 0.2),
        (Self::Mainland, "mainland", 0.21, 0.2),
        (Self::American, "american", 0.17, 0.22),
        (Self::Other, "other", 0.17, 0.13),
        (Self::Nothing, "nothing_to_read", 0.03, 0.0),
    ];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, ..)| *known == name).map(|&(kind, ..)| kind)
    }

    /// Plates that are read from far away too, and hang alone: they are no border's.
    fn is_foreign(self) -> bool {
        matches!(self, Self::American | Self::Other)
    }
}

/// The kinds of crop with their share of a set, for the manifest.
pub const MIX: [(&str, f32); 6] = shares(false);

/// The same of the corner refiner's set.
pub const CORNER_MIX: [(&str, f32); 6] = shares(true);

const fn shares(corners: bool) -> [(&'static str, f32); 6] {
    let mut mix = [("", 0.0); 6];
    let mut i = 0;
    while i < mix.len() {
        let (_, name, crops, of_corners) = Kind::ALL[i];
        mix[i] = (name, if corners { of_corners } else { crops });
        i += 1;
    }
    mix
}

fn kind(mix: &[(&str, f32); 6], dice: &mut Dice) -> Kind {
    Kind::ALL[dice.weighted(&mix.map(|(_, share)| share))].0
}

/// A crop for the corner refiner: what the detector took for a plate, with a wide margin, and where the plate really is.
#[derive(Clone, Debug)]
pub struct CornerCrop {
    /// The picture straightened by the corners as they were found, 160 x 64, with [`CORNER_MARGIN`] around them.
    pub image: Luma,
    /// How far each true corner is from the found one: x in parts of the found plate's width in the crop, y in parts of
    /// its height; clockwise from the top left.
    pub offsets: [f32; 8],
}

/// Renders one crop for the corner refiner.
pub fn render_corners(dice: &mut Dice) -> CornerCrop {
    let kind = kind(&CORNER_MIX, dice);
    loop {
        let plate = subject(kind, dice);
        if let Some(crop) =
            shoot(plate, kind, AROUND_FOUND, dice).and_then(|shot| corner_crop(&shot, kind, dice))
        {
            return crop;
        }
    }
}

fn corner_crop(shot: &Shot, kind: Kind, dice: &mut Dice) -> Option<CornerCrop> {
    let error = match dice.weighted(&[0.3, 0.5, 0.2]) {
        0 => 0.015,
        1 => 0.04,
        _ => 0.08,
    };
    // The rim of a recess or of a frame is taken for the plate's own, or the lettering for all of it.
    let mistaken = dice.chance(if kind.is_foreign() { 0.35 } else { 0.06 });
    let framed = if mistaken { grown(&shot.corners, dice) } else { shot.corners };
    let found = jittered(&framed, error, dice);
    let image = rectify_with(shot.photo.view(), &found, CORNER_MARGIN)?;
    let inner = plate_in_crop(CORNER_MARGIN);
    let to_crop = Homography::between(&found, &inner)?;
    let (w, h) = (inner.width(), inner.height());
    let mut offsets = [0.0; 8];
    for (i, (corner, at)) in shot.corners.0.iter().zip(&inner.0).enumerate() {
        let true_corner = to_crop.apply(*corner);
        offsets[2 * i] = (true_corner.x - at.x) / w;
        offsets[2 * i + 1] = (true_corner.y - at.y) / h;
    }
    // A quarter is what the margin shows; a geometry that leaves it is no example of anything.
    offsets.iter().all(|o| o.abs() < CORNER_MARGIN).then_some(CornerCrop { image, offsets })
}

/// Renders one crop of a kind as likely as [`MIX`] says.
pub fn render(dice: &mut Dice) -> Crop {
    let kind = kind(&MIX, dice);
    render_kind(kind, dice)
}

/// Renders one crop of this kind.
pub fn render_kind(kind: Kind, dice: &mut Dice) -> Crop {
    // A geometry that spans no plane cannot be drawn here; a second try is cheaper than a proof.
    loop {
        let crop = match kind {
            Kind::Nothing => nothing(dice),
            kind => {
                let plate = subject(kind, dice);
                shoot(plate, kind, AROUND, dice).and_then(|shot| shot.crop(false, dice))
            }
        };
        if let Some(crop) = crop {
            return crop;
        }
    }
}

fn subject(kind: Kind, dice: &mut Dice) -> Plate {
    match kind {
        Kind::HongKongOneRow => hong_kong(dice, End::Unknown, Rows::One, None),
        Kind::HongKongTwoRows => hong_kong(dice, End::Unknown, Rows::Two, None),
        Kind::Mainland if dice.chance(0.1) => ordinary_mainland(dice),
        Kind::Mainland => cross_boundary(dice, None, 0.35),
        Kind::American => american(dice),
        Kind::Other | Kind::Nothing => elsewhere(dice),
    }
}

/// A crop with nothing to read: something that is no plate, or a plate too small or too dirty.
fn nothing(dice: &mut Dice) -> Option<Crop> {
    if dice.chance(0.35) {
        let kind = *dice.pick(&[Kind::HongKongOneRow, Kind::HongKongTwoRows, Kind::Mainland]);
        let mut plate = subject(kind, dice);
        unreadable_dirt(&mut plate, dice);
        return shoot(plate, kind, AROUND, dice)?.crop(true, dice);
    }
    let (w, h) = (dice.whole(60, 240) as u32, dice.whole(40, 110) as u32);
    let mut picture = Pixmap::new(w, h)?;
    negative::fill(&mut picture, dice);
    let mut photo = Grey::from_pixmap(&picture);
    let difficulty = Difficulty::roll(dice);
    photograph(&mut photo, difficulty, Legibility { width: h as f32 * 0.3, height: h as f32 * 0.4 }, dice);
    let (w, h) = (w as f32, h as f32);
    let corners = jittered(&Quad::rectangle(w * 0.15, h * 0.2, w * 0.7, h * 0.6), 0.05, dice);
    let image = rectify(photo.to_luma()?.view(), &corners)?;
    let layout = [Layout::LightSingle, Layout::LightDouble, Layout::Mainland][dice.whole(0, 2) as usize];
    Some(Crop { image, classes: [0; MAX_CHARACTERS], mark: String::new(), layout })
}

/// A photographed plate and where it is in the picture.
struct Shot {
    photo: Luma,
    corners: Quad,
    layout: Layout,
    mark: String,
}

impl Shot {
    fn crop(self, unreadable: bool, dice: &mut Dice) -> Option<Crop> {
        let error = if dice.chance(0.15) { 0.045 } else { 0.022 };
        let image = rectify(self.photo.view(), &jittered(&self.corners, error, dice))?;
        let mark = if unreadable { String::new() } else { self.mark };
        Some(Crop { image, classes: classes_of(&mark), mark, layout: self.layout })
    }
}

/// How much of a plate's surroundings may come into a crop, in parts of its width and height.
const AROUND: [f32; 2] = [0.3, 0.4];

/// The same where the found corners may be those of the recess that the plate is in.
const AROUND_FOUND: [f32; 2] = [0.7, 0.7];

/// Photographs a plate in its surroundings, of which `around` may come into the crop.
fn shoot(plate: Plate, kind: Kind, around: [f32; 2], dice: &mut Dice) -> Option<Shot> {
    let (layout, mark) = (plate.layout, plate.mark.clone());
    let (assembly, subject) = mounted(plate, kind, dice);
    let target = assembly.hung[subject].corners();
    let size = [target.width(), target.height()];
    let pixels = match layout {
        // Plates of other places are read from far away too.
        Layout::LightSingle if kind == Kind::American && dice.chance(0.75) => dice.log_between(46.0, 140.0),
        Layout::LightSingle if kind == Kind::Other && dice.chance(0.5) => dice.log_between(48.0, 150.0),
        Layout::LightSingle => dice.log_between(50.0, 420.0),
        Layout::LightDouble => dice.log_between(38.0, 300.0),
        Layout::Mainland => dice.log_between(58.0, 400.0),
    };
    let scale = pixels / size[0];
    let margin = [size[0] * around[0] + 8.0, size[1] * around[1] + 8.0];
    let view = Cell {
        x: target.0[0].x - margin[0],
        y: target.0[0].y - margin[1],
        width: size[0] + 2.0 * margin[0],
        height: size[1] + 2.0 * margin[1],
    };
    let sharp = scale * 1.12;
    let mut texture = Pixmap::new((view.width * sharp).ceil() as u32, (view.height * sharp).ceil() as u32)?;
    let place = Transform::from_scale(sharp, sharp).pre_translate(-view.x, -view.y);
    backing(view, &assembly, kind, dice).paint(&mut texture.as_mut(), place);
    assembly.paint(&mut texture.as_mut(), place);
    let seen = perspective(view.width * scale, view.height * scale, dice);
    let b = seen.bounds();
    let mut picture = Pixmap::new((b.x1.ceil() as u32).max(8), (b.y1.ceil() as u32).max(8))?;
    picture.fill(grey(dice.between(0.0, 255.0)));
    warp::blend(&mut picture, &texture, &seen);
    let whole = Quad::rectangle(0.0, 0.0, texture.width() as f32, texture.height() as f32);
    let map = Homography::between(&whole, &seen)?;
    let corners = placed(&target, place).map(|p| map.apply(p));
    let mut photo = Grey::from_pixmap(&picture);
    let rows = if layout == Layout::LightDouble { 2.0 } else { 1.0 };
    let in_row = (mark.chars().count() as f32 / rows).max(3.0);
    // An American plate's letters fill less of its height.
    let part = if kind == Kind::American { 0.45 } else { 0.66 };
    let keep = Legibility { width: corners.width() / in_row * 0.75, height: corners.height() / rows * part };
    let difficulty = Difficulty::roll(dice);
    photograph(&mut photo, difficulty, keep, dice);
    Some(Shot { photo: photo.to_luma()?, corners, layout, mark })
}

/// The plate alone or stacked as on cross-boundary vehicles, with its index in the assembly.
fn mounted(plate: Plate, kind: Kind, dice: &mut Dice) -> (Assembly, usize) {
    let stacked = dice.chance(if kind.is_foreign() { 0.2 } else { 0.65 });
    let layout = plate.layout;
    let mark = plate.mark.clone();
    let rows = if dice.chance(0.5) { Rows::Two } else { Rows::One };
    let assembly = match layout {
        _ if !stacked => Assembly::single(plate, dice),
        Layout::Mainland if dice.chance(0.9) => {
            let upper = hong_kong(dice, End::Unknown, rows, None);
            Assembly::stacked(upper, plate, dice)
        }
        Layout::Mainland => {
            let lower = hong_kong(dice, End::Unknown, rows, None);
            Assembly::stacked(plate, lower, dice)
        }
        _ => {
            let other = cross_boundary(dice, None, 0.35);
            if dice.chance(0.9) {
                Assembly::stacked(plate, other, dice)
            } else {
                Assembly::stacked(other, plate, dice)
            }
        }
    };
    let subject = assembly.hung.iter().position(|h| h.plate.layout == layout && h.plate.mark == mark);
    (assembly, subject.unwrap_or(0))
}

/// Bumper, grille or panel behind the plates.
fn backing(view: Cell, assembly: &Assembly, kind: Kind, dice: &mut Dice) -> Drawing {
    let mut drawing = Drawing::default();
    let colour = match dice.weighted(&[0.3, 0.35, 0.35]) {
        0 => grey(dice.between(180.0, 250.0)),
        1 => grey(dice.between(5.0, 60.0)),
        _ => rgb(dice.between(0.0, 255.0), dice.between(0.0, 255.0), dice.between(0.0, 255.0)),
    };
    drawing.shade(view, 0.0, shaded(colour, dice.between(0.7, 1.2)), shaded(colour, dice.between(0.5, 1.2)));
    let plates = assembly.bounds();
    for _ in 0..dice.whole(0, 4) {
        let height = dice.log_between(5.0, 90.0);
        let y = dice.between(view.y, view.y + view.height);
        let colour = grey(dice.between(0.0, 255.0));
        drawing.rectangle(Cell { x: view.x, y, width: view.width, height }, 0.0, colour);
    }
    if dice.chance(if kind.is_foreign() { 0.5 } else { 0.1 }) {
        body::recess(&mut drawing, plates, dice);
    }
    if dice.chance(0.3) {
        // The shadow the plates throw.
        let d = dice.between(3.0, 15.0);
        let cell = Cell { x: plates.x + d * 0.4, y: plates.y + d, ..plates };
        drawing.rectangle(cell, 8.0, faded(grey(0.0), dice.between(0.3, 0.8)));
    }
    drawing
}

/// Where a rectangle of this size is seen: turned, leaning, in perspective, shifted to start at zero.
fn perspective(width: f32, height: f32, dice: &mut Dice) -> Quad {
    let turn = (dice.normal(3.2) + if dice.chance(0.1) { dice.normal(6.0) } else { 0.0 }).to_radians();
    let shear = dice.normal(0.07);
    let squash = dice.between(0.78, 1.06);
    let (sin, cos) = turn.sin_cos();
    let lean = width.min(height * 3.0) * 0.02;
    let quad = Quad::rectangle(0.0, 0.0, width, height).map(|p| {
        let (x, y) = (p.x + p.y * shear + dice.normal(lean), p.y * squash + dice.normal(lean * 0.6));
        Point::new(x * cos - y * sin, x * sin + y * cos)
    });
    let b = quad.bounds();
    quad.map(|p| Point::new(p.x - b.x0, p.y - b.y0))
}

/// The corners of something around the plate or inside it.
fn grown(corners: &Quad, dice: &mut Dice) -> Quad {
    let [across, down] = [dice.between(-0.22, 0.6), dice.between(-0.18, 0.4)];
    let share = if dice.chance(0.7) { [0.5, 0.5] } else { [dice.between(0.2, 0.8), dice.between(0.2, 0.8)] };
    let [a, b, c, d] = corners.0;
    let at = |u: f32, v: f32| {
        let mix = |p: [f32; 4]| (1.0 - v) * ((1.0 - u) * p[0] + u * p[1]) + v * ((1.0 - u) * p[3] + u * p[2]);
        Point::new(mix([a.x, b.x, c.x, d.x]), mix([a.y, b.y, c.y, d.y]))
    };
    let (left, right) = (-across * share[0], 1.0 + across * (1.0 - share[0]));
    let (top, foot) = (-down * share[1], 1.0 + down * (1.0 - share[1]));
    Quad([at(left, top), at(right, top), at(right, foot), at(left, foot)])
}

/// The corners as a detector would find them: `error` is the deviation as a part of the plate's size.
fn jittered(corners: &Quad, error: f32, dice: &mut Dice) -> Quad {
    let (w, h) = (corners.width(), corners.height());
    let together = [dice.normal(error * w * 0.4), dice.normal(error * h * 0.8)];
    corners.map(|p| {
        Point::new(
            p.x + together[0] + dice.normal(error * w * 0.6),
            p.y + together[1] + dice.normal(error * h),
        )
    })
}

/// Bytes in one crop.
pub const PIXELS: usize = CROP_WIDTH * CROP_HEIGHT;
