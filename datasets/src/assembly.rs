//! How plates are mounted: alone, or the Hong Kong plate over the mainland one, in frames, some hiding a part of
//! the other.

use clearance::geometry::{Point, Quad};
use tiny_skia::{Color, Transform};

use crate::chance::{Dice, Roll};
use crate::drawing::{Drawing, grey, rgb};
use crate::lettering::Cell;
use crate::plate::Plate;

/// What is left between plates that touch, at most, in millimetres: mounts and bent rims leave that much.
pub const TOUCHING: f32 = 4.0;

/// A plate and where it hangs.
#[derive(Clone, Debug)]
pub struct Hung {
    /// What hangs there.
    pub plate: Plate,
    /// Upper left corner in the assembly, in millimetres.
    pub at: [f32; 2],
    /// How much of the upper and of the lower edge another plate hides, in millimetres.
    pub hidden: [f32; 2],
}

impl Hung {
    /// The visible part's corners in the assembly, in millimetres.
    pub fn corners(&self) -> Quad {
        let [x, y] = self.at;
        let [top, bottom] = self.hidden;
        Quad::rectangle(x, y + top, self.plate.width, self.plate.height - top - bottom)
    }
}

/// Plates in the order in which they are painted, with the truth about what is seen of each.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    /// The plates, the ones in front last.
    pub hung: Vec<Hung>,
    frames: Drawing,
}

impl Assembly {
    /// One plate, mostly in a frame or on a holder.
    pub fn single(plate: Plate, dice: &mut Dice) -> Self {
        let mut assembly = Self::default();
        assembly.frame(&plate, [0.0, 0.0], dice);
        assembly.hung.push(Hung { plate, at: [0.0, 0.0], hidden: [0.0, 0.0] });
        assembly
    }

    /// Two plates one above the other, `gap` millimetres apart, with nothing hidden.
    pub fn stacked_apart(upper: Plate, lower: Plate, gap: f32, dice: &mut Dice) -> Self {
        Self::stack(upper, lower, gap.max(0.0), dice)
    }

    /// Two plates one above the other: touching, overlapping a little, or apart.
    pub fn stacked(upper: Plate, lower: Plate, dice: &mut Dice) -> Self {
        if dice.chance(0.75) {
            return Self::touching(upper, lower, dice);
        }
        let gap = dice.log_between(TOUCHING, upper.height * 0.5);
        Self::stack(upper, lower, gap, dice)
    }

    /// Two plates one above the other with next to nothing between them, or one over the rim of the other.
    pub fn touching(upper: Plate, lower: Plate, dice: &mut Dice) -> Self {
        let gap = if dice.chance(0.47) {
            dice.between(0.0, TOUCHING)
        } else {
            // The lower plate may hide what the upper one has below its letters, and no more.
            -dice.between(0.0, (upper.foot + upper.height * 0.015).clamp(1.0, 45.0))
        };
        Self::stack(upper, lower, gap, dice)
    }

    fn stack(upper: Plate, lower: Plate, gap: f32, dice: &mut Dice) -> Self {
        let shift = (upper.width - lower.width) / 2.0 + dice.normal(10.0);
        let below = [shift, upper.height + gap];
        let overlap = (-gap).max(0.0);
        let mut assembly = Self::default();
        // Only a thin rim of the lower plate can be hidden without touching its letters.
        let upper_in_front = overlap < 6.0 && dice.chance(0.5);
        assembly.frame(&lower, below, dice);
        if gap > 2.0 {
            assembly.frame(&upper, [0.0, 0.0], dice);
        }
        let mut first = Hung { plate: upper, at: [0.0, 0.0], hidden: [0.0, 0.0] };
        let mut second = Hung { plate: lower, at: below, hidden: [0.0, 0.0] };
        assembly.hung = if upper_in_front {
            second.hidden[0] = overlap;
            vec![second, first]
        } else {
            first.hidden[1] = overlap;
            vec![first, second]
        };
        assembly
    }

    /// Two plates side by side.
    pub fn beside(left: Plate, right: Plate, dice: &mut Dice) -> Self {
        let gap = dice.log_between(4.0, 200.0);
        let at = [left.width + gap, (left.height - right.height) / 2.0 + dice.normal(12.0)];
        let mut assembly = Self::default();
        assembly.frame(&left, [0.0, 0.0], dice);
        assembly.frame(&right, at, dice);
        assembly.hung = vec![
            Hung { plate: left, at: [0.0, 0.0], hidden: [0.0, 0.0] },
            Hung { plate: right, at, hidden: [0.0, 0.0] },
        ];
        assembly
    }

    /// The plates' bounds in millimetres.
    pub fn bounds(&self) -> Cell {
        let mut b = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for h in &self.hung {
            b[0] = b[0].min(h.at[0]);
            b[1] = b[1].min(h.at[1]);
            b[2] = b[2].max(h.at[0] + h.plate.width);
            b[3] = b[3].max(h.at[1] + h.plate.height);
        }
        Cell { x: b[0], y: b[1], width: (b[2] - b[0]).max(0.0), height: (b[3] - b[1]).max(0.0) }
    }

    /// Paints frames and plates; `place` takes the assembly's millimetres to pixels.
    pub fn paint(&self, canvas: &mut tiny_skia::PixmapMut<'_>, place: Transform) {
        self.frames.paint(canvas, place);
        for hung in &self.hung {
            hung.plate.face.paint(canvas, place.pre_translate(hung.at[0], hung.at[1]));
        }
    }

    fn frame(&mut self, plate: &Plate, [x, y]: [f32; 2], dice: &mut Dice) {
        if dice.chance(0.35) {
            return;
        }
        let rim = dice.between(3.0, 16.0);
        let extra = if dice.chance(0.2) { dice.between(5.0, 25.0) } else { 0.0 };
        let cell = Cell {
            x: x - rim,
            y: y - rim,
            width: plate.width + 2.0 * rim,
            height: plate.height + 2.0 * rim + extra,
        };
        let colour = frame_colour(dice);
        self.frames.rectangle(cell, dice.between(3.0, 16.0), colour);
    }
}

fn frame_colour(dice: &mut Dice) -> Color {
    match dice.weighted(&[0.55, 0.3, 0.15]) {
        0 => grey(dice.between(5.0, 60.0)),
        1 => grey(dice.between(150.0, 250.0)),
        _ => rgb(dice.between(20.0, 255.0), dice.between(20.0, 255.0), dice.between(20.0, 255.0)),
    }
}

/// Corners through a painting transform.
pub fn placed(corners: &Quad, place: Transform) -> Quad {
    corners.map(|p| {
        let mut at = tiny_skia::Point::from_xy(p.x, p.y);
        place.map_point(&mut at);
        Point::new(at.x, at.y)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::dice;
    use crate::plate::{End, Rows, cross_boundary, hong_kong};

    fn pair(dice: &mut Dice) -> (Plate, Plate) {
        (hong_kong(dice, End::Unknown, Rows::Two, None), cross_boundary(dice, None, 0.5))
    }

    #[test]
    fn visible_parts_of_stacked_plates_do_not_overlap() {
        for item in 0..200 {
            let mut dice = dice(4, item);
            let (upper, lower) = pair(&mut dice);
            let foot = upper.foot;
            let assembly = Assembly::stacked(upper, lower, &mut dice);
            let [a, b] = [&assembly.hung[0], &assembly.hung[1]].map(|h| h.corners().bounds());
            let (above, below) = if a.y0 < b.y0 { (a, b) } else { (b, a) };
            assert!(above.y1 <= below.y0 + 1e-3, "item {item}");
            let hidden = assembly.hung.iter().map(|h| h.hidden[1]).fold(0.0, f32::max);
            assert!(hidden <= (foot + 4.0).max(6.0), "item {item}: {hidden} mm hidden of a foot of {foot}");
        }
    }

    #[test]
    fn plates_stacked_apart_hide_nothing() {
        let mut dice = dice(5, 0);
        let (upper, lower) = pair(&mut dice);
        let assembly = Assembly::stacked_apart(upper, lower, 3.0, &mut dice);
        assert!(assembly.hung.iter().all(|h| h.hidden == [0.0, 0.0]));
    }
}
