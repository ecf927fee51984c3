//! What stands where in a tile and how its plates are labelled, settled before anything is painted.

use clearance::geometry::{Homography, Point, Quad};
use tiny_skia::Transform;

use super::{Labelled, MIX, Verdict};
use crate::assembly::{Assembly, placed};
use crate::chance::{Dice, Roll};
use crate::plate::{Layout, unreadable_dirt};
use crate::vehicle::{Kind, Vehicle, random_plates, touching_plates};

/// Share of plates that mud makes unreadable.
const MUDDY: f32 = 0.03;

/// A vehicle and its place in the tile.
pub(super) struct Parked {
    pub(super) vehicle: Vehicle,
    /// From the vehicle's millimetres to the tile's pixels.
    pub(super) map: Homography,
}

/// The vehicles of a tile, those in front last.
pub(super) struct Plan {
    pub(super) parked: Vec<Parked>,
    without_plates: bool,
}

impl Plan {
    /// A plan for a tile of the given size; `None` when a random geometry spans no plane.
    pub(super) fn draw(size: [f32; 2], dice: &mut Dice) -> Option<Self> {
        let kind = dice.weighted(&MIX.map(|(_, share)| share));
        let (touching, without_plates) = (kind == 0, kind == 3);
        let count = match kind {
            0 if dice.chance(0.7) => 1,
            0 | 2 => dice.whole(2, 3),
            1 => 1,
            _ => dice.whole(0, 2),
        };
        let mut parked = Vec::new();
        for index in 0..count {
            let kind = Kind::roll(dice);
            // Nothing stands in front of the last one.
            let mut plates = if without_plates {
                Vec::new()
            } else if touching && index + 1 == count {
                vec![touching_plates(kind, dice)]
            } else {
                random_plates(kind, dice)
            };
            soil(&mut plates, dice);
            let vehicle = Vehicle::new(kind, plates, dice);
            let map = stand(size, &vehicle, index, count, dice)?;
            parked.push(Parked { vehicle, map });
        }
        Some(Self { parked, without_plates })
    }

    /// How many things that are no plates may lie behind the vehicles: more where nothing else is to be told apart.
    pub(super) fn most_distractions(&self) -> i32 {
        if self.without_plates { 6 } else { 3 }
    }

    /// The labels of everything that is seen, in a tile of the given size.
    pub(super) fn labels(&self, size: [f32; 2]) -> Vec<Labelled> {
        let mut labels = Vec::new();
        for parked in &self.parked {
            cover(&mut labels, &parked.body());
            labels.extend(parked.plates().filter_map(|(corners, layout)| judge(corners, layout, size)));
        }
        labels
    }
}

impl Parked {
    fn body(&self) -> Quad {
        Quad::rectangle(0.0, 0.0, self.vehicle.width, self.vehicle.height).map(|p| self.map.apply(p))
    }

    /// Centre and half axes of the shadow below it.
    pub(super) fn shadow(&self) -> [[f32; 2]; 2] {
        let foot = self.body().bounds();
        let half = [(foot.x1 - foot.x0) * 0.55, (foot.x1 - foot.x0) * 0.06];
        [[f32::midpoint(foot.x0, foot.x1), foot.y1 - half[1] * 0.5], half]
    }

    /// Where its lamps are seen.
    pub(super) fn lamps(&self) -> impl Iterator<Item = [f32; 2]> {
        self.vehicle.lamps.iter().map(|lamp| self.map.apply(Point::from(*lamp)).into())
    }

    /// Where its plates would be seen in a tile without edges.
    fn plates(&self) -> impl Iterator<Item = (Quad, Layout)> {
        self.vehicle.mounts.iter().flat_map(|(assembly, at)| {
            assembly.hung.iter().map(|hung| {
                let place = Transform::from_translate(at[0], at[1]);
                (placed(&hung.corners(), place).map(|p| self.map.apply(p)), hung.plate.layout)
            })
        })
    }
}

/// Throws mud at some plates.
fn soil(assemblies: &mut [Assembly], dice: &mut Dice) {
    for hung in assemblies.iter_mut().flat_map(|assembly| &mut assembly.hung) {
        if dice.chance(MUDDY) {
            unreadable_dirt(&mut hung.plate, dice);
        }
    }
}

/// The map from the vehicle's millimetres to the tile's pixels: its plates at a random place and size.
fn stand([w, h]: [f32; 2], vehicle: &Vehicle, index: i32, count: i32, dice: &mut Dice) -> Option<Homography> {
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

/// The label of a plate at `corners` in a picture of the given size; nothing when it lies outside.
fn judge(corners: Quad, layout: Layout, [w, h]: [f32; 2]) -> Option<Labelled> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assembly::TOUCHING;
    use crate::chance::dice;

    const TILE: [f32; 2] = [320.0, 256.0];

    fn plans(seed: u64, count: u64) -> Vec<Plan> {
        (0..count).filter_map(|item| Plan::draw(TILE, &mut dice(seed, item))).collect()
    }

    /// Whether these are a Hong Kong plate and a cross-boundary one, the one directly at the other.
    fn touch(assembly: &Assembly) -> bool {
        let [a, b] = assembly.hung.as_slice() else { return false };
        let (upper, lower) = if a.at[1] < b.at[1] { (a, b) } else { (b, a) };
        let gap = lower.corners().bounds().y0 - upper.corners().bounds().y1;
        // Those side by side overlap in height.
        let stacked = (-1.0..=TOUCHING + 0.01).contains(&gap);
        let border = |mark: &str| mark.starts_with("粤Z") && mark.ends_with(['港', '澳']);
        let [one, other] = [&a.plate.mark, &b.plate.mark];
        stacked && (border(one) && other.is_ascii() || one.is_ascii() && border(other))
    }

    /// Whether both plates of such a pair are there for the detector to find.
    fn shows_touching(plan: &Plan) -> bool {
        let labels = plan.labels(TILE);
        let found =
            |corners: Quad| labels.iter().any(|l| l.verdict != Verdict::Ignore && l.corners == corners);
        plan.parked.iter().any(|parked| {
            let [(assembly, _)] = parked.vehicle.mounts.as_slice() else { return false };
            touch(assembly) && parked.plates().all(|(corners, _)| found(corners))
        })
    }

    #[test]
    fn half_of_the_tiles_show_a_touching_pair_and_some_no_plate() {
        let plans = plans(31, 1500);
        let share = |of: &dyn Fn(&Plan) -> bool| {
            plans.iter().filter(|plan| of(plan)).count() as f32 / plans.len() as f32
        };
        let touching = share(&shows_touching);
        // Something over a half, as a mark does not tell the few Macao plates among them from Hong Kong's.
        assert!((0.51..0.65).contains(&touching), "{touching} show a touching pair");
        let without = share(&|plan| plan.without_plates);
        assert!((0.1..0.15).contains(&without), "{without} show no plate");
        let alone = share(&|plan| {
            plan.parked.iter().flat_map(|p| &p.vehicle.mounts).any(|(assembly, _)| assembly.hung.len() == 1)
        });
        assert!(alone > 0.2, "{alone} show a plate that hangs alone");
    }

    #[test]
    fn mud_lies_over_a_few_plates() {
        let clean = touching_plates(Kind::BoxRear, &mut dice(34, 0));
        let painted = |assembly: &Assembly| {
            let mut picture = tiny_skia::Pixmap::new(50, 40).unwrap();
            assembly.paint(&mut picture.as_mut(), Transform::from_scale(0.1, 0.1));
            picture
        };
        let muddy = (0..1000).filter(|&item| {
            let mut plates = [clean.clone()];
            soil(&mut plates, &mut dice(34, item));
            painted(&plates[0]) != painted(&clean)
        });
        // Either of two plates.
        let count = muddy.count();
        assert!((35..85).contains(&count), "{count} of 1000 pairs");
    }

    #[test]
    fn tiles_without_plates_have_vehicles_and_no_labels() {
        let plans = plans(32, 400);
        let bare: Vec<_> = plans.iter().filter(|plan| plan.without_plates).collect();
        assert!(bare.iter().all(|plan| plan.labels(TILE).is_empty()));
        let parked = bare.iter().filter(|plan| !plan.parked.is_empty()).count();
        assert!(parked * 3 > bare.len(), "vehicles in only {parked} of {}", bare.len());
    }
}
