//! Vehicles seen from the front or the rear, drawn in millimetres on one plane: enough of bodywork, glass, lamps
//! and grilles that a detector must tell plates from them.

pub(crate) mod body;
mod fronts;
mod rears;

use tiny_skia::{PixmapMut, Transform};

use crate::assembly::Assembly;
use crate::chance::{Dice, Roll};
use crate::drawing::Drawing;
use crate::plate::{Rows, cross_boundary, foreign, hong_kong, macao, ordinary_mainland};

/// What kind of vehicle is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A car from the front.
    Car,
    /// A people carrier from the front.
    Van,
    /// A lorry's cab from the front.
    Truck,
    /// A coach from the front.
    Coach,
    /// A car from the rear.
    CarRear,
    /// A container or box body from the rear.
    BoxRear,
}

/// All kinds.
pub const KINDS: [Kind; 6] = [Kind::Car, Kind::Van, Kind::Truck, Kind::Coach, Kind::CarRear, Kind::BoxRear];

/// A drawn vehicle with its plates.
#[derive(Clone, Debug)]
pub struct Vehicle {
    /// Width in millimetres.
    pub width: f32,
    /// Height from the roof to the road, in millimetres.
    pub height: f32,
    /// The plates, each assembly at its place in millimetres.
    pub mounts: Vec<(Assembly, [f32; 2])>,
    /// Centres of the headlamps or tail lamps, in millimetres.
    pub lamps: Vec<[f32; 2]>,
    body: Drawing,
}

/// A place where plates may hang: the centre of the assembly, in millimetres.
#[derive(Clone, Copy, Debug)]
struct Hook([f32; 2]);

impl Vehicle {
    /// A vehicle with the given plates. Several assemblies take hooks of their own.
    pub fn new(kind: Kind, assemblies: Vec<Assembly>, dice: &mut Dice) -> Self {
        let shell = match kind {
            Kind::Car => fronts::car(dice, 1800.0, 1480.0),
            Kind::Van => {
                let height = dice.between(1750.0, 2000.0);
                fronts::car(dice, 1850.0, height)
            }
            Kind::Truck => fronts::truck(dice),
            Kind::Coach => fronts::coach(dice),
            Kind::CarRear => rears::car(dice),
            Kind::BoxRear => rears::cargo(dice),
        };
        let mounts = assemblies
            .into_iter()
            .zip(shell.hooks.iter().cycle())
            .map(|(assembly, hook)| {
                let b = assembly.bounds();
                let at = [hook.0[0] - b.x - b.width / 2.0, hook.0[1] - b.y - b.height / 2.0];
                (assembly, at)
            })
            .collect();
        Self { width: shell.width, height: shell.height, mounts, lamps: shell.lamps, body: shell.drawing }
    }

    /// Paints it; `place` takes the vehicle's millimetres to pixels.
    pub fn paint(&self, canvas: &mut PixmapMut<'_>, place: Transform) {
        self.paint_body(canvas, place);
        self.paint_plates(canvas, place);
    }

    /// Paints all but the plates.
    pub fn paint_body(&self, canvas: &mut PixmapMut<'_>, place: Transform) {
        self.body.paint(canvas, place);
    }

    /// Paints the plates alone.
    pub fn paint_plates(&self, canvas: &mut PixmapMut<'_>, place: Transform) {
        for (assembly, at) in &self.mounts {
            assembly.paint(canvas, place.pre_translate(at[0], at[1]));
        }
    }
}

/// A body without plates.
struct Shell {
    width: f32,
    height: f32,
    drawing: Drawing,
    lamps: Vec<[f32; 2]>,
    hooks: Vec<Hook>,
}

/// The plates of a random vehicle: mostly a Hong Kong plate over a mainland one as at the border, often enough the plate
/// of another place, so that a detector is not bound to one country.
pub fn random_plates(kind: Kind, dice: &mut Dice) -> Vec<Assembly> {
    let rows = if dice.chance(0.5) { Rows::One } else { Rows::Two };
    // Where one plate is enough, at the rear of a car, it is more often one of another place.
    let other = if kind == Kind::CarRear { 0.8 } else { 0.24 };
    match dice.weighted(&[0.47, 0.04, 0.1, 0.05, 0.04, other, 0.04, 0.03, 0.02]) {
        0 => {
            let (upper, lower) = (hong_kong(dice, rows, None), cross_boundary(dice, None, 0.3));
            vec![Assembly::stacked(upper, lower, dice)]
        }
        1 => {
            let (upper, lower) = (cross_boundary(dice, None, 0.3), hong_kong(dice, rows, None));
            vec![Assembly::stacked(upper, lower, dice)]
        }
        2 => {
            let plate = hong_kong(dice, rows, None);
            vec![Assembly::single(plate, dice)]
        }
        3 => {
            let plate = cross_boundary(dice, None, 0.3);
            vec![Assembly::single(plate, dice)]
        }
        4 => {
            let (left, right) = (hong_kong(dice, rows, None), cross_boundary(dice, None, 0.3));
            vec![if dice.chance(0.5) {
                Assembly::beside(left, right, dice)
            } else {
                Assembly::beside(right, left, dice)
            }]
        }
        5 => {
            let plate = foreign(dice);
            vec![Assembly::single(plate, dice)]
        }
        6 => {
            let (one, other) = (hong_kong(dice, rows, None), cross_boundary(dice, None, 0.3));
            vec![Assembly::single(one, dice), Assembly::single(other, dice)]
        }
        7 => {
            let (upper, lower) = (cross_boundary(dice, None, 0.8), macao(dice));
            vec![Assembly::stacked(upper, lower, dice)]
        }
        _ => {
            let plate = ordinary_mainland(dice);
            vec![Assembly::single(plate, dice)]
        }
    }
}
