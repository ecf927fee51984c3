//! The truck of a clip: its face and its side painted once at several sizes, then only warped.

use clearance::geometry::{Bounds, Homography, Point, Quad};
use clearance::mark::{Jurisdiction, RegistrationMark};
use tiny_skia::{Pixmap, Transform};

use super::lane::{LANE, NEAR, Spot, View};
use super::light::{Condition, glow};
use super::track::PlateLabel;
use super::{ClipSpec, Mounting, Muddy};
use crate::assembly::{Assembly, placed};
use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, grey, rgb, shaded};
use crate::lettering::Cell;
use crate::negative;
use crate::plate::{End, Plate, Rows, cross_boundary, hong_kong, spelled, unreadable_dirt};
use crate::vehicle::{Kind, Vehicle};
use crate::warp;

/// What the painted face reaches beyond the body on each side, as a part of its width.
const MARGIN: f32 = 0.14;
/// Pixels a millimetre in the painted faces, the finest first.
const SCALES: [f32; 4] = [0.56, 0.3, 0.15, 0.075];
/// Length of the truck in metres.
const LENGTH: f32 = 9.0;

/// A truck ready to be filmed.
pub(super) struct Truck {
    vehicle: Vehicle,
    faces: Vec<(f32, Pixmap)>,
    side: Pixmap,
    condition: Condition,
}

impl Truck {
    /// `None` only when a picture of these sizes cannot be had.
    pub(super) fn new(spec: &ClipSpec, dice: &mut Dice) -> Option<Self> {
        let vehicle = Vehicle::new(Kind::Truck, assemblies(spec, dice), dice);
        let faces =
            SCALES.iter().map(|&s| Some((s, face(&vehicle, s, spec.condition)?))).collect::<Option<_>>()?;
        let mut side = side(dice)?;
        spec.condition.light(&mut side, 0.0);
        Some(Self { vehicle, faces, side, condition: spec.condition })
    }

    /// Narrowest plate in millimetres, which settles how near the camera must look.
    pub(super) fn narrowest_plate(&self) -> Option<f32> {
        self.vehicle.mounts.iter().flat_map(|(a, _)| &a.hung).map(|h| h.plate.width).reduce(f32::min)
    }

    /// Draws the truck with its face `away` metres from the camera; says whether any of it is seen, and which
    /// plates are seen whole.
    pub(super) fn show(&self, picture: &mut Pixmap, view: &View, away: f32) -> (bool, Vec<PlateLabel>) {
        let frame = Bounds { x0: 0.0, y0: 0.0, x1: picture.width() as f32, y1: picture.height() as f32 };
        let mut seen = self.show_side(picture, view, away, frame);
        let Some(map) = self.face_map(view, away) else { return (seen, Vec::new()) };
        let (w, h) = (self.vehicle.width, self.vehicle.height);
        let body = Quad::rectangle(-MARGIN * w, -MARGIN * w, w * (1.0 + 2.0 * MARGIN), h + MARGIN * w);
        let corners = body.map(|p| map.apply(p));
        if !meets(&corners, frame) {
            return (seen, Vec::new());
        }
        seen |= meets(&Quad::rectangle(0.0, 0.0, w, h).map(|p| map.apply(p)), frame);
        let needed = corners.width() / body.width();
        let texture = self.faces.iter().rev().find(|(s, _)| *s >= needed * 0.9).or(self.faces.first());
        if let Some((_, texture)) = texture {
            warp::blend(picture, texture, &corners);
        }
        if self.condition.lamps_on() {
            for lamp in &self.vehicle.lamps {
                glow(picture, map.apply(Point::from(*lamp)).into(), needed * 260.0);
            }
        }
        (seen, self.labels(&map, frame))
    }

    fn labels(&self, map: &Homography, frame: Bounds) -> Vec<PlateLabel> {
        let hung = self.vehicle.mounts.iter().flat_map(|(a, at)| a.hung.iter().map(move |h| (h, at)));
        hung.filter_map(|(hung, at)| {
            let corners =
                placed(&hung.corners(), Transform::from_translate(at[0], at[1])).map(|p| map.apply(p));
            let b = corners.bounds();
            let whole = b.x0 >= 0.0 && b.y0 >= 0.0 && b.x1 <= frame.x1 && b.y1 <= frame.y1;
            let jurisdiction =
                hung.plate.mark.parse::<RegistrationMark>().map_or(Jurisdiction::Other, |m| m.jurisdiction());
            whole.then(|| PlateLabel { mark: hung.plate.mark.clone(), jurisdiction, corners })
        })
        .collect()
    }

    /// From the face's millimetres to pixels.
    fn face_map(&self, view: &View, away: f32) -> Option<Homography> {
        if away < NEAR {
            return None;
        }
        let (half, tall) = (self.vehicle.width / 2000.0, self.vehicle.height / 1000.0);
        let seen = view.quad([
            Spot::new(LANE - half, tall, away),
            Spot::new(LANE + half, tall, away),
            Spot::new(LANE + half, 0.0, away),
            Spot::new(LANE - half, 0.0, away),
        ])?;
        Homography::between(&Quad::rectangle(0.0, 0.0, self.vehicle.width, self.vehicle.height), &seen)
    }

    /// The flank towards the camera, from the face backwards, as far as it is not behind the camera.
    fn show_side(&self, picture: &mut Pixmap, view: &View, away: f32, frame: Bounds) -> bool {
        let (near, far) = (away.max(NEAR), away + LENGTH);
        if far <= near + 0.05 {
            return false;
        }
        let across = LANE - self.vehicle.width / 2000.0 * 0.97;
        let tall = self.vehicle.height / 1000.0;
        let spots = [
            Spot::new(across, tall, far),
            Spot::new(across, tall, near),
            Spot::new(across, 0.0, near),
            Spot::new(across, 0.0, far),
        ];
        let Some(corners) = view.quad(spots).filter(|q| meets(q, frame)) else { return false };
        // The texture runs from the tail on its left to the face on its right.
        let (w, h) = (self.side.width() as f32, self.side.height() as f32);
        let part = Quad::rectangle(0.0, 0.0, w * (far - near) / LENGTH, h);
        warp::blend_part(picture, &self.side, &part, &corners);
        true
    }
}

fn meets(quad: &Quad, frame: Bounds) -> bool {
    let b = quad.bounds();
    b.x1 > frame.x0 && b.x0 < frame.x1 && b.y1 > frame.y0 && b.y0 < frame.y1
}

fn face(vehicle: &Vehicle, scale: f32, condition: Condition) -> Option<Pixmap> {
    let margin = MARGIN * vehicle.width;
    let width = ((vehicle.width + 2.0 * margin) * scale).ceil() as u32;
    let height = ((vehicle.height + margin) * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(width, height)?;
    let place = Transform::from_scale(scale, scale).pre_translate(margin, margin);
    vehicle.paint_body(&mut pixmap.as_mut(), place);
    condition.light(&mut pixmap, 0.0);
    let mut plates = Pixmap::new(width, height)?;
    vehicle.paint_plates(&mut plates.as_mut(), place);
    // Plates throw the lane's lamp back, so they stay brighter than the paint around them.
    condition.light(&mut plates, 0.45);
    pixmap.as_mut().draw_pixmap(
        0,
        0,
        plates.as_ref(),
        &tiny_skia::PixmapPaint::default(),
        Transform::identity(),
        None,
    );
    Some(pixmap)
}

/// Cab door, box or container, wheels; the tail on the left.
fn side(dice: &mut Dice) -> Option<Pixmap> {
    let (w, h) = (900.0, 330.0);
    let mut pixmap = Pixmap::new(w as u32, h as u32)?;
    let mut d = Drawing::default();
    let cargo = rgb(dice.between(40.0, 220.0), dice.between(40.0, 200.0), dice.between(40.0, 200.0));
    d.shade(Cell { x: 0.0, y: 0.0, width: 690.0, height: 255.0 }, 3.0, cargo, shaded(cargo, 0.75));
    for i in 0..34 {
        d.line(&[[i as f32 * 20.0 + 8.0, 4.0], [i as f32 * 20.0 + 8.0, 250.0]], 5.0, shaded(cargo, 0.82));
    }
    negative::lettering(&mut d, Cell { x: 180.0, y: 60.0, width: 330.0, height: 70.0 }, dice);
    let cab = grey(dice.between(120.0, 240.0));
    d.shade(Cell { x: 715.0, y: 30.0, width: 185.0, height: 235.0 }, 12.0, cab, shaded(cab, 0.7));
    d.shade(
        Cell { x: 745.0, y: 55.0, width: 110.0, height: 75.0 },
        8.0,
        rgb(60.0, 75.0, 85.0),
        rgb(30.0, 40.0, 45.0),
    );
    d.rectangle(Cell { x: 0.0, y: 255.0, width: 900.0, height: 30.0 }, 0.0, grey(30.0));
    for x in [110.0, 210.0, 820.0] {
        d.ellipse([x, 288.0], [44.0, 42.0], grey(18.0));
        d.ellipse([x, 288.0], [22.0, 21.0], grey(110.0));
    }
    d.paint(&mut pixmap.as_mut(), Transform::identity());
    Some(pixmap)
}

/// The plates as the drive's description asks for them.
fn assemblies(spec: &ClipSpec, dice: &mut Dice) -> Vec<Assembly> {
    let two_rows = matches!(spec.mounting, Mounting::StackedTwoRows | Mounting::SeparateTwoRows);
    let muddy = spec.muddy.or_else(|| {
        let only = if spec.mainland_mark.is_some() { Muddy::Mainland } else { Muddy::HongKong };
        (spec.condition == Condition::Dirt).then_some(only)
    });
    let mut upper = spec.mark.as_ref().map(|mark| hong_kong_plate(mark.as_str(), two_rows, dice));
    let mut lower =
        spec.mainland_mark.as_ref().map(|m| cross_boundary(dice, Some(spelled(m.as_str(), false)), 0.0));
    match (muddy, &mut upper, &mut lower) {
        (Some(Muddy::HongKong), Some(plate), _) | (Some(Muddy::Mainland), _, Some(plate)) => {
            unreadable_dirt(plate, dice);
        }
        _ => {}
    }
    match (upper, lower, spec.mounting) {
        (Some(upper), Some(lower), Mounting::Stacked | Mounting::StackedTwoRows) => {
            let gap = dice.between(0.0, 8.0);
            vec![Assembly::stacked_apart(upper, lower, gap, dice)]
        }
        (upper, lower, _) => {
            upper.into_iter().chain(lower).map(|plate| Assembly::single(plate, dice)).collect()
        }
    }
}

/// Of several random plates the first that is wide enough to be read at the stop line.
fn hong_kong_plate(mark: &str, two_rows: bool, dice: &mut Dice) -> Plate {
    let rows = if two_rows { Rows::Two } else { Rows::One };
    // Films of a seed stay as they are, so the ground is drawn as where the end is not known.
    let mut draw = || hong_kong(dice, End::Unknown, rows, Some(spelled(mark, two_rows)));
    let first = draw();
    (0..30).map(|_| draw()).find(|plate| plate.width >= 300.0).unwrap_or(first)
}
