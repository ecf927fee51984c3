//! Vehicles seen from the front or the rear, drawn in millimetres on one plane: enough of bodywork, glass, lamps
//! and grilles that a detector must tell plates from them.

pub(crate) mod body;
mod fronts;
mod rears;

use tiny_skia::{PixmapMut, Transform};

use crate::assembly::Assembly;
use crate::chance::{Dice, Roll};
use crate::drawing::Drawing;
use crate::plate::{End, Rows, cross_boundary, foreign, hong_kong, macao, ordinary_mainland};

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
    /// A people carrier or delivery van from the rear.
    VanRear,
    /// A container or box body from the rear.
    BoxRear,
    /// A coach from the rear.
    CoachRear,
}

impl Kind {
    /// Every kind with its share of the vehicles.
    pub const ALL: [(Self, f32); 8] = [
        (Self::Car, 0.18),
        (Self::Van, 0.17),
        (Self::Truck, 0.23),
        (Self::Coach, 0.11),
        (Self::CarRear, 0.12),
        (Self::VanRear, 0.06),
        (Self::BoxRear, 0.08),
        (Self::CoachRear, 0.05),
    ];

    /// One as likely as its share says.
    pub fn roll(dice: &mut Dice) -> Self {
        Self::ALL[dice.weighted(&Self::ALL.map(|(_, share)| share))].0
    }

    /// The end of the vehicle that is seen.
    pub fn end(self) -> End {
        match self {
            Self::Car | Self::Van | Self::Truck | Self::Coach => End::Front,
            Self::CarRear | Self::VanRear | Self::BoxRear | Self::CoachRear => End::Rear,
        }
    }
}

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
            Kind::VanRear => rears::van(dice),
            Kind::BoxRear => rears::cargo(dice),
            Kind::CoachRear => rears::coach(dice),
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

/// The border's pair of plates, one directly at the other: mostly the Hong Kong plate above.
pub fn touching_plates(kind: Kind, dice: &mut Dice) -> Assembly {
    let rows = if dice.chance(0.5) { Rows::One } else { Rows::Two };
    let (hong_kong, mainland) = (hong_kong(dice, kind.end(), rows, None), cross_boundary(dice, None, 0.3));
    if dice.chance(0.92) {
        Assembly::touching(hong_kong, mainland, dice)
    } else {
        Assembly::touching(mainland, hong_kong, dice)
    }
}

/// The plates of a random vehicle: mostly a Hong Kong plate over a mainland one as at the border, often enough the plate
/// of another place, so that a detector is not bound to one country.
pub fn random_plates(kind: Kind, dice: &mut Dice) -> Vec<Assembly> {
    let rows = if dice.chance(0.5) { Rows::One } else { Rows::Two };
    let end = kind.end();
    // Where one plate is enough, at the rear of a car, it is more often one of another place.
    let other = if matches!(kind, Kind::CarRear | Kind::VanRear) { 1.6 } else { 0.55 };
    match dice.weighted(&[0.47, 0.04, 0.1, 0.05, 0.04, other, 0.04, 0.03, 0.02]) {
        0 => {
            let (upper, lower) = (hong_kong(dice, end, rows, None), cross_boundary(dice, None, 0.3));
            vec![Assembly::stacked(upper, lower, dice)]
        }
        1 => {
            let (upper, lower) = (cross_boundary(dice, None, 0.3), hong_kong(dice, end, rows, None));
            vec![Assembly::stacked(upper, lower, dice)]
        }
        2 => {
            let plate = hong_kong(dice, end, rows, None);
            vec![Assembly::single(plate, dice)]
        }
        3 => {
            let plate = cross_boundary(dice, None, 0.3);
            vec![Assembly::single(plate, dice)]
        }
        4 => {
            let (left, right) = (hong_kong(dice, end, rows, None), cross_boundary(dice, None, 0.3));
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
            let (one, other) = (hong_kong(dice, end, rows, None), cross_boundary(dice, None, 0.3));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;

    #[test]
    fn every_kind_comes_up_and_three_in_ten_are_seen_from_the_rear() {
        let kinds: Vec<_> = (0..2000).map(|item| Kind::roll(&mut dice(21, item))).collect();
        for (kind, share) in Kind::ALL {
            let count = kinds.iter().filter(|&&k| k == kind).count();
            assert!((count as f32 / 2000.0 - share).abs() < 0.025, "{kind:?}: {count} of 2000");
        }
        let rears = kinds.iter().filter(|kind| kind.end() == End::Rear).count();
        assert!((540..680).contains(&rears), "{rears} rears of 2000");
    }

    #[test]
    fn every_kind_has_lamps_and_carries_its_plates_on_the_body() {
        for (kind, _) in Kind::ALL {
            for item in 0..20 {
                let mut dice = dice(22, item);
                let plates = touching_plates(kind, &mut dice);
                let vehicle = Vehicle::new(kind, vec![plates], &mut dice);
                assert_eq!(vehicle.lamps.len(), 2, "{kind:?}");
                let (plates, at) = &vehicle.mounts[0];
                let b = plates.bounds();
                let (x, y) = (at[0] + b.x, at[1] + b.y);
                assert!(x > 0.0 && x + b.width < vehicle.width, "{kind:?} {item}");
                assert!(y > vehicle.height * 0.4 && y + b.height < vehicle.height, "{kind:?} {item}");
            }
        }
    }
    #[test]
    fn hong_kong_plates_are_yellow_at_rears_and_white_at_fronts() {
        for (kind, _) in Kind::ALL {
            let yellow = |item: u64| {
                let pair = touching_plates(kind, &mut dice(23, item));
                let plate =
                    pair.hung.iter().map(|hung| &hung.plate).find(|plate| plate.mark.is_ascii()).unwrap();
                let mut picture = tiny_skia::Pixmap::new(40, 20).unwrap();
                plate.face.paint(&mut picture.as_mut(), Transform::from_scale(0.06, 0.06));
                // Most of a plate is ground.
                let tinted =
                    picture.pixels().iter().filter(|p| p.blue() < p.red() / 2 && p.red() > 90).count();
                tinted * 4 > picture.pixels().iter().filter(|p| p.alpha() == 255).count()
            };
            let count = (0..100).filter(|&item| yellow(item)).count();
            let usual = if kind.end() == End::Rear { 84..=99 } else { 0..=9 };
            assert!(usual.contains(&count), "{kind:?}: {count} of 100 are yellow");
        }
    }
}
